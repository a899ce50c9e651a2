#include "io/json.hpp"

#include <doctest/doctest.h>

namespace {

using ostend_tools::parse_json;

std::string refusal(const std::string& text) { return parse_json(text).error().message(); }

TEST_CASE("what is not JSON is an error with its place, never an exception") {
    CHECK(parse_json(R"({"a": [1, 2.5, "x", null]})"));
    CHECK(refusal("").find("this is not JSON") == 0);
    CHECK(refusal("{\"a\": 1").find("this is not JSON (at ") == 0);
    CHECK(refusal(R"({"a": NaN})") == "NaN is not a number in JSON (at 6)");
    CHECK(refusal("[-Infinity]") == "Infinity is not a number in JSON (at 2)");
    CHECK(refusal("[1e999]") == "a number beyond the range of double precision");
    CHECK(refusal(std::string(100000, '[')) == "JSON nested deeper than 256 levels (at 256)");
}

TEST_CASE("a mask's size is two numbers that fit") {
    const auto refused = [](const char* text) {
        return ostend_tools::rle_from_json(*parse_json(text)).error().message();
    };
    CHECK(
        ostend_tools::rle_from_json(*parse_json(R"({"size": [1, 4], "counts": [1, 2, 1]})"))->counts.size() ==
        3);
    CHECK(ostend_tools::rle_from_json(*parse_json(R"({"size": [1, 4], "counts": "121"})"))->counts.size() ==
          3);
    // 2^32 + 4 is not 4.
    CHECK(refused(R"({"size": [4294967300, 1], "counts": [4]})") == "size: expected [height, width]");
    CHECK(refused(R"({"size": [-1, 1], "counts": [4]})") == "size: expected [height, width]");
    CHECK(refused(R"({"size": [4], "counts": [4]})") == "size: expected [height, width]");
    CHECK(refused(R"({"counts": [4]})") == "size: the field is missing");
    CHECK(refused(R"({"size": [1, 4], "counts": [1, -2]})").find("counts: a run length is not") == 0);
    CHECK(refused(R"({"size": [1, 4], "counts": 4})").find("counts: expected a string") == 0);
}

} // namespace
