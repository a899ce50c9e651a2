#include "ostend/core/result.hpp"

#include "support/expects.hpp"

#include <memory>

using ostend::error;
using ostend::result;
using ostend::status;

namespace {
result<int> half(int x) {
    if (x % 2 != 0) {
        return error{"the number is odd", "x", std::size_t{3}};
    }
    return x / 2;
}
} // namespace

TEST_CASE("a value or an error") {
    const auto good = half(4);
    REQUIRE(good);
    CHECK(*good == 2);
    CHECK(good.value() == 2);
    const auto bad = half(5);
    REQUIRE(!bad.has_value());
    CHECK(bad.error().what == "the number is odd");
    CHECK(bad.error().message() == "x: the number is odd (at 3)");
    CHECK(error{"plain"}.message() == "plain");
}

TEST_CASE("an error seen from outside names the whole and the part") {
    CHECK(half(5).error().in("numbers.json").message() == "numbers.json: x: the number is odd (at 3)");
    CHECK(error{"empty"}.in("a.png").message() == "a.png: empty");
}

TEST_CASE("asking for what is not there fails a precondition that tells the error") {
    auto bad = half(5);
    CHECK_EXPECTS(*bad, "x: the number is odd (at 3)");
    CHECK_EXPECTS(bad.value(), "result::value");
    auto good = half(4);
    CHECK_EXPECTS(good.error(), "holds a value");
}

TEST_CASE("values that only move") {
    result<std::unique_ptr<int>> pointer = std::make_unique<int>(7);
    CHECK(**pointer == 7);
    const std::unique_ptr<int> taken = *std::move(pointer);
    CHECK(*taken == 7);
}

TEST_CASE("a result whose value could be made from an error's parts, and status") {
    const result<std::string> text = std::string("fine");
    CHECK(text->size() == 4);
    const status fine = ostend::success{};
    CHECK(fine);
    const status broken = error{"broken"};
    CHECK(!broken);
}
