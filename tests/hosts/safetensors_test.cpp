// safetensors: values, and files that are cut or lie.
#include "reference.hpp"
#include "tiny_llava/safetensors.hpp"

#include <cstring>
#include <random>

using namespace ostend_test;
using ostend_hosts::safetensors;

namespace {

std::string file_of(const std::string& header, std::size_t data_bytes, std::uint64_t length) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    bytes += header;
    for (std::size_t i = 0; i < data_bytes; ++i) {
        bytes += static_cast<char>(i);
    }
    return bytes;
}
std::string file_of(const std::string& header, std::size_t data_bytes) {
    return file_of(header, data_bytes, header.size());
}
std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}";
}

} // namespace

TEST_CASE("values of every element type are widened to f32") {
    const scratch_folder folder;
    std::string data;
    const auto put = [&](auto value) { data.append(reinterpret_cast<const char*>(&value), sizeof value); };
    put(ostend::to_f16(1.5F));
    put(ostend::to_f16(-2.0F));
    put(ostend::to_bf16(0.25F));
    put(0.1F); // begins at byte 6: unaligned
    put(3.25);
    const std::string header = R"({"__metadata__":{"format":"pt"},"half":)" + tensor("F16", "2", "0,4") +
                               R"(,"brain":)" + tensor("BF16", "1,1", "4,6") + R"(,"single":)" +
                               tensor("F32", "", "6,10") + R"(,"double":)" + tensor("F64", "1", "10,18") +
                               R"(,"none":)" + tensor("F32", "0,7", "18,18") + "}";
    const auto file = safetensors::read(folder.write("all.safetensors", file_of(header, 0) + data));
    REQUIRE_MESSAGE(file, file.error().message());
    CHECK(*file->values("half", {2}) == std::vector<float>{1.5F, -2.0F});
    CHECK(*file->values("brain", {1, 1}) == std::vector<float>{0.25F});
    CHECK(*file->values("single", {}) == std::vector<float>{0.1F});
    CHECK(*file->values("double", {1}) == std::vector<float>{3.25F});
    CHECK(file->values("none", {0, 7})->empty());
    CHECK_ERROR(file->values("half", {1, 2}), "half", "shape [2] where [1, 2] is wanted");
    CHECK_ERROR(file->values("quarter", {2}), "all.safetensors: quarter", "no such tensor");
}

TEST_CASE("whole numbers, bytes and strings about the file are read as they are") {
    const std::string header = R"({"__metadata__":{"format":"x","note":"größer"},"a":)" +
                               tensor("I16", "2", "0,4") + R"(,"b":)" + tensor("BOOL", "1,2", "4,6") + "}";
    const auto file = safetensors::parse(file_of(header, 6), "memory");
    REQUIRE_MESSAGE(file, file.error().message());
    CHECK(file->file() == "memory");
    CHECK(file->metadata() == std::map<std::string, std::string>{{"format", "x"}, {"note", "größer"}});
    CHECK(file->entries().at("a").type == ostend::element_type::i16);
    CHECK(file->bytes(file->entries().at("a")) == std::string_view("\0\1\2\3", 4));
    CHECK(file->bytes(file->entries().at("b")) == "\4\5");
    CHECK_ERROR(safetensors::parse(file_of(R"({"__metadata__":{"a":1}})", 0), "memory"),
                "memory: __metadata__", "not an object of strings");
    CHECK_ERROR(safetensors::parse(file_of(R"({"__metadata__":["a"]})", 0), "memory"), "memory: __metadata__",
                "not an object of strings");
}

TEST_CASE("a header that lies is an error that names file and tensor") {
    const scratch_folder folder;
    const auto read = [&](const std::string& bytes) { return safetensors::read(folder.write("bad", bytes)); };
    const auto one = [&](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return read(file_of(R"({"w":)" + tensor(dtype, shape, offsets) + "}", 8));
    };
    REQUIRE(one("F32", "2", "0,8"));
    CHECK_ERROR(one("F32", "2", "0,16"), "bad: w", "data_offsets leave the file");
    CHECK_ERROR(one("F32", "2", "8,0"), "bad: w", "data_offsets leave the file");
    CHECK_ERROR(one("F32", "2", "-8,0"), "bad: w", "data_offsets leave the file");
    CHECK_ERROR(one("F32", "2", "0,18446744073709551615"), "bad: w", "data_offsets leave the file");
    CHECK_ERROR(one("F32", "2", "0,1e300"), "bad: w", "data_offsets leave the file");
    CHECK_ERROR(one("F32", "3", "0,8"), "bad: w", "fit into the file");
    CHECK_ERROR(one("F16", "2", "0,8"), "bad: w", "takes 4");
    CHECK_ERROR(one("F32", "4294967296,4294967296", "0,8"), "bad: w", "fit into the file");
    CHECK_ERROR(one("F32", "-2", "0,8"), "bad: w", "fit into the file");
    CHECK_ERROR(one("F32", "2.5", "0,8"), "bad: w", "fit into the file");
    CHECK_ERROR(one("F32", "\"2\"", "0,8"), "bad: w", "fit into the file");
    CHECK_ERROR(one("U64", "1", "0,8"), "bad: w", "dtype");
    CHECK_ERROR(one("I64", "1", "0,8")->values("w", {1}), "bad: w", "whole numbers");
    CHECK_ERROR(one("F32", "1", "0,4"), "bad", "end at byte 4 of 8");
    CHECK_ERROR(one("F32", "1", "4,8"), "bad: w", "gap");
    CHECK_ERROR(
        read(file_of(R"({"a":)" + tensor("F32", "2", "0,8") + R"(,"b":)" + tensor("F32", "1", "4,8") + "}",
                     8)),
        "bad: b", "overlaps");
    CHECK_ERROR(read(file_of(R"({"w":[1,2]})", 0)), "bad: w", "no dtype");
    CHECK_ERROR(read(file_of(R"({"w":{"dtype":"F32","shape":[2]}})", 8)), "bad: w", "data_offsets");
    CHECK_ERROR(read(file_of("[]", 0)), "bad", "not a JSON object");
    CHECK_ERROR(read(file_of("{\"w\":", 0)), "bad", "not a JSON object");
    CHECK_ERROR(read(file_of("{}", 0, 3)), "bad", "the header says");
    CHECK_ERROR(read(file_of("{}", 0, ~std::uint64_t{0})), "bad", "the header says");
    CHECK_ERROR(read("1234567"), "bad", "ends before");
    CHECK_ERROR(read(""), "bad", "ends before");
    CHECK_ERROR(safetensors::read(folder.path()), folder.path().string(), "cannot be opened");
    CHECK_ERROR(safetensors::read(folder.path() / "none"), "none", "cannot be opened");
}

TEST_CASE("a file cut anywhere or with flipped header bits is read or refused, never worse") {
    const scratch_folder folder;
    const std::string header =
        R"({"a":)" + tensor("F16", "2,2", "0,8") + R"(,"b":)" + tensor("F32", "3", "8,20") + "}";
    const std::string whole = file_of(header, 20);
    REQUIRE(safetensors::read(folder.write("f", whole)));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CHECK_FALSE(safetensors::read(folder.write("f", whole.substr(0, length))).has_value());
    }
    std::mt19937 draw(3);
    for (int round = 0; round < 300; ++round) {
        std::string bytes = whole;
        bytes[draw() % (8 + header.size())] ^= static_cast<char>(1U << draw() % 8);
        const auto file = safetensors::read(folder.write("f", bytes));
        if (file) { // a changed name or an equal spelling: the values must still be there
            for (const auto& [name, entry] : file->entries()) {
                CHECK(file->values(name, entry.shape));
            }
        }
    }
}
