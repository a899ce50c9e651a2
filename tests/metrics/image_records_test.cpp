#include "ostend/metrics/image_records.hpp"
#include "ostend/metrics/ratio.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;

TEST_CASE("a ratio without a denominator is 0") {
    CHECK(ratio{}.value() == 0.0);
    CHECK(ratio{3, 4}.value() == 0.75);
}

TEST_CASE("an image counts once") {
    image_records<int> a;
    CHECK(a.add("x", 1));
    CHECK(a.add("b", 2));
    CHECK(a.add("x", 3).error().message() == "x: this image was added before");
    CHECK(a.size() == 2);
    std::string order;
    int sum = 0;
    for (const auto& [image, record] : a) {
        order += image;
        sum += record;
    }
    CHECK(order == "bx");
    CHECK(sum == 3); // the refused record changed nothing

    image_records<int> other;
    CHECK(other.add("a", 4));
    CHECK(other.add("x", 5));
    CHECK(a.merge(other).error().field == "x");
    CHECK(a.size() == 2); // nor did the refused merge
    image_records<int> disjoint;
    CHECK(disjoint.add("a", 4));
    CHECK(a.merge(disjoint));
    CHECK(a.size() == 3);
    CHECK(a.contains("a"));
    CHECK(!a.contains("y"));
    CHECK(a.merge(a).error().field == "a");
}

TEST_CASE("numbers as names stand in their own order") {
    image_records<int, std::int64_t> a;
    for (const std::int64_t image : {10, -3, 9}) {
        CHECK(a.add(image, static_cast<int>(image) + 1));
    }
    CHECK(a.begin()->first == -3);
    CHECK(a.add(9, 0).error().message() == "image 9: this image was added before");
    REQUIRE(a.find(9) != nullptr);
    CHECK(*a.find(9) == 10);
    CHECK(a.find(11) == nullptr);
    CHECK(a.merge(a).error().field == "image -3");
}

} // namespace
