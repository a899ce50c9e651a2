#include "ostend/attention/key_selection.hpp"

#include "support/expects.hpp"

namespace {

using namespace ostend;
using ostend::index;

TEST_CASE("consecutive keys: size, end, the key of each image token") {
    const key_selection s(5, 3);
    CHECK(s.size() == 3);
    CHECK(s.end() == 8);
    CHECK(s.key(0) == 5);
    CHECK(s.key(2) == 7);
    CHECK_EXPECTS(s.key(3), "no such image token");
}

TEST_CASE("ranges with steps keep the order of the image tokens, not of the keys") {
    const key_selection s(
        {{.first = 10, .count = 3, .step = 4}, {.first = 0, .count = 0}, {.first = 2, .count = 2}});
    CHECK(s.size() == 5);
    CHECK(s.end() == 19);
    const index want[] = {10, 14, 18, 2, 3};
    for (index token = 0; token < 5; ++token) {
        CHECK(s.key(token) == want[token]);
    }
}

TEST_CASE("indices are joined into ranges where they are neighbours") {
    const std::vector<index> keys{7, 8, 9, 3, 12, 13, 2};
    const key_selection s = key_selection::from_indices(keys);
    CHECK(s.ranges().size() == 4);
    CHECK(s.end() == 14);
    REQUIRE(s.size() == 7);
    for (index token = 0; token < 7; ++token) {
        CHECK(s.key(token) == keys[static_cast<std::size_t>(token)]);
    }
    CHECK(key_selection::from_indices({4, 5, 6}) == key_selection(4, 3));
}

TEST_CASE("an empty selection") {
    CHECK(key_selection().size() == 0);
    CHECK(key_selection().end() == 0);
    CHECK(key_selection::from_indices({}) == key_selection());
    CHECK(key_selection(9, 0).end() == 0);
}

TEST_CASE("the image tokens of one image and of one view") {
    const key_selection s({{.first = 4, .count = 6, .image = 0},
                           {.first = 20, .count = 3, .image = 1},
                           {.first = 40, .count = 0, .image = 0},
                           {.first = 30, .count = 5, .step = 2, .image = 1, .view = 1}});
    CHECK(s.tokens_of_image(0) == token_range{0, 6});
    CHECK(s.tokens_of_image(1) == token_range{6, 8});
    CHECK(s.tokens_of_view(1, 0) == token_range{6, 3});
    CHECK(s.tokens_of_view(1, 1) == token_range{9, 5});
    CHECK(s.tokens_of_image(2).count == 0);
}

TEST_CASE("interleaved images have no range, and impossible ranges are refused") {
    const key_selection s({{.first = 0, .count = 2, .image = 0},
                           {.first = 2, .count = 2, .image = 1},
                           {.first = 4, .count = 2, .image = 0}});
    CHECK_EXPECTS(s.tokens_of_image(0), "not consecutive");
    CHECK(s.tokens_of_image(1) == token_range{2, 2});
    CHECK_EXPECTS(key_selection(-1, 2), "starts below 0");
    CHECK_EXPECTS(key_selection(0, -2), "negative count");
    CHECK_EXPECTS(key_selection({{.first = 0, .count = 2, .step = 0}}), "step below 1");
}

} // namespace
