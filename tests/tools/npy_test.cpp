// .npy files as NumPy writes them, and damaged ones.
#include "io/npy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace {

using namespace ostend_tools;
using ostend::index;

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    std::string out(values.size() * sizeof(T), '\0');
    if (!values.empty()) {
        std::memcpy(out.data(), values.data(), out.size());
    }
    return out;
}

/// A file of version 1 or 2 with the header's dictionary as it is given.
std::string file_of(const std::string& dictionary, const std::string& data, int version = 1) {
    std::string header = dictionary;
    while ((header.size() + 1 + (version == 1 ? 10 : 12)) % 64 != 0) {
        header += ' ';
    }
    header += '\n';
    std::string file = "\x93NUMPY";
    file += static_cast<char>(version);
    file += '\0';
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
        file += static_cast<char>((header.size() >> (8 * i)) & 0xFFU);
    }
    return file + header + data;
}

std::string dictionary(const std::string& descr, const std::string& shape,
                       const std::string& order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

TEST_CASE("every element type, both versions of the header, any rank") {
    for (const int version : {1, 2}) {
        const auto read = [&](const std::string& descr, const std::string& shape, const std::string& data) {
            const auto array = parse_npy(file_of(dictionary(descr, shape), data, version));
            REQUIRE_MESSAGE(array, array.error().message());
            return *array;
        };
        const std::vector<float> values{1, -2, 0.5F};
        CHECK(read("<f4", "(3,)", bytes_of(values)).as_floats() == values);
        CHECK(read("<f8", "(3, 1)", bytes_of(std::vector<double>{1, -2, 0.5})).as_floats() == values);
        CHECK(
            read("<f2", "(1, 3)", bytes_of(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x3800})).as_floats() ==
            values);
        CHECK(read("|u1", "(3,)", "\x01\xFF\x7F").as_floats() == std::vector<float>{1, 255, 127});
        CHECK(read("|b1", "(3,)", std::string("\1\0\1", 3)).as_bytes() == std::vector<std::uint8_t>{1, 0, 1});
        CHECK(read("<i4", "(2,)", bytes_of(std::vector<std::int32_t>{-7, 9})).as_floats() ==
              std::vector<float>{-7, 9});
        CHECK(read("<i8", "(2,)", bytes_of(std::vector<std::int64_t>{-7, 9})).as_floats() ==
              std::vector<float>{-7, 9});
        CHECK(read("<f4", "()", bytes_of(std::vector<float>{4})).as_floats() == std::vector<float>{4});
        const npy_array none = read("<f4", "(3, 0, 5)", "");
        CHECK(none.shape == std::vector<index>{3, 0, 5});
        CHECK(none.size() == 0);
        CHECK(none.as_floats().empty());
    }
}

TEST_CASE("as_bytes cuts to a byte") {
    const std::vector<float> values{-1, 0.9F, 1, 255, 256, 1e30F, std::nanf(""), -HUGE_VALF, HUGE_VALF};
    const auto array = parse_npy(file_of(dictionary("<f4", "(9,)"), bytes_of(values)));
    REQUIRE(array);
    CHECK(array->as_bytes() == std::vector<std::uint8_t>{0, 0, 1, 255, 255, 255, 0, 0, 255});
}

TEST_CASE("damaged files are errors that name the field") {
    const auto message = [](const std::string& file) {
        const auto array = parse_npy(file);
        REQUIRE_FALSE(array);
        return array.error().message();
    };
    const std::string data = bytes_of(std::vector<float>(6, 1.0F));
    const std::string good = file_of(dictionary("<f4", "(2, 3)"), data);
    REQUIRE(parse_npy(good));
    for (std::size_t length = 0; length < good.size(); ++length) {
        CHECK_FALSE(parse_npy(std::string_view(good).substr(0, length)));
    }
    CHECK(message("not numpy at all") == "this is not a .npy file");
    CHECK(message(good.substr(0, good.size() - 1)) ==
          "shape: the file is shorter than its shape says (at " + std::to_string(good.size() - 1) + ")");
    for (const char* descr : {">f4", "<c8", "<U3", "", "O"}) {
        CHECK(message(file_of(dictionary(descr, "(2, 3)"), data)).starts_with("descr: unknown element type"));
    }
    CHECK(message(file_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", data))
              .starts_with("descr: "));
    CHECK(message(file_of(dictionary("<f4", "(2, 3)", "True"), data)).starts_with("fortran_order: "));
    CHECK(message(file_of("{'descr': '<f4', 'fortran_order': False}", data)) ==
          "shape: the header has no shape");
    CHECK(message(file_of(dictionary("<f4", "6"), data)) == "shape: the header has no shape");
    for (const char* shape : {"(-2, 3)", "(2.0,)", "(2, x)", "(2L,)"}) {
        CHECK(message(file_of(dictionary("<f4", shape), data)) == "shape: an extent is not a whole number");
    }
    CHECK(message(file_of(dictionary("<f4", "(99999999999999999999,)"), data)) ==
          "shape: an extent is too large");
    for (const char* shape : {"(4294967296, 4294967296)", "(9223372036854775807, 2)", "(7,)", "(2, 3, 2)"}) {
        CHECK(message(file_of(dictionary("<f4", shape), data)).starts_with("shape: the file is shorter"));
    }
}

TEST_CASE("what is written is read again") {
    const npy_array arrays[] = {{ostend::element_type::f32, {2, 3}, bytes_of<float>({0, 1, -2.5F, 3, 4, 5})},
                                {ostend::element_type::u8, {4}, std::string("\x00\x01\xFE\xFF", 4)},
                                {ostend::element_type::i64, {}, bytes_of<std::int64_t>({-7})},
                                {ostend::element_type::f16, {0, 5}, ""}};
    for (const npy_array& array : arrays) {
        const std::string file = npy_file(array);
        CHECK((file.size() - array.bytes.size()) % 64 == 0);
        const auto read = parse_npy(file);
        REQUIRE(read);
        CHECK(read->type == array.type);
        CHECK(read->shape == array.shape);
        CHECK(read->bytes == array.bytes);
    }
}

} // namespace
