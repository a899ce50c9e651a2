#include "ostend/core/bytes.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace {

using namespace ostend;

TEST_CASE("the checksum is FNV-1a's") {
    CHECK(fnv1a("") == 0xCBF29CE484222325U);
    CHECK(fnv1a("a") == 0xAF63DC4C8601EC8CU);
    CHECK(fnv1a("foobar") == 0x85944171F73967E8U);
}

std::string sample() {
    byte_writer out;
    out.put(std::uint8_t{200});
    out.put(std::int64_t{-2});
    out.put(std::uint32_t{0x01020304});
    out.put(0.1);
    out.put(std::string_view("text"));
    return std::move(out).finish();
}

TEST_CASE("what is written is read back, lowest byte first") {
    const std::string bytes = sample();
    CHECK(bytes.size() == 1 + 8 + 4 + 8 + 8 + 4 + 8);
    CHECK(bytes.substr(9, 4) == "\x04\x03\x02\x01");
    byte_reader in(bytes);
    CHECK(in.get<std::uint8_t>() == 200);
    CHECK(in.get<std::int64_t>() == -2);
    CHECK(in.get<std::uint32_t>() == 0x01020304);
    CHECK(in.get_double() == 0.1);
    CHECK(in.get_text() == "text");
    in.expect_end();
    CHECK(!in.failed());
    CHECK(in.get<std::uint8_t>() == 0);
    CHECK(in.failure().what == "the bytes end too early");
    CHECK(in.failure().at == 33);
}

TEST_CASE("damage of any byte, and any loss, is noticed") {
    const std::string bytes = sample();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string other = bytes;
        other[i] = static_cast<char>(other[i] ^ 1);
        CHECK(byte_reader(other).failure().what == "the bytes are damaged: their checksum is another");
        CHECK(byte_reader(std::string_view(bytes).substr(0, i)).failed());
    }
    CHECK(byte_reader("").failure().what == "the bytes end too early");
}

TEST_CASE("a list cannot be longer than its bytes") {
    byte_writer out;
    out.put(std::uint64_t{3});
    out.put(std::uint64_t{1});
    out.put(std::uint64_t{2});
    const std::string bytes = std::move(out).finish();
    byte_reader two(bytes);
    CHECK(two.get_count(8) == 0);
    CHECK(two.failure().what == "a list of 3 elements goes beyond the bytes");
    byte_reader five(bytes);
    CHECK(five.get_count(5) == 3);
    five.expect_end();
    CHECK(five.failure().what == "16 bytes are left over");

    byte_writer lie;
    lie.put(std::numeric_limits<std::uint64_t>::max());
    const std::string lying = std::move(lie).finish();
    byte_reader in(lying);
    CHECK(in.get_text().empty());
    CHECK(in.failed());
}

} // namespace
