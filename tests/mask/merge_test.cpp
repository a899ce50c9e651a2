#include "ostend/mask/encode.hpp"
#include "ostend/mask/merge.hpp"

#include "mask/random_masks.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

TEST_CASE("groups are those of merge_duplicates, masks their unions") {
    std::mt19937 random(151);
    for (int round = 0; round < 100; ++round) {
        std::vector<bitmap> dense;
        std::vector<rle> masks;
        for (std::size_t i = 0; i < random() % 9; ++i) {
            dense.push_back(random_mask(random, 5, 6));
            masks.push_back(encode(dense.back()));
        }
        const nms_options options{.iou_threshold = 0.3};
        const auto stands_for = merge_duplicates(masks, options);
        const auto merged = unite_duplicates(masks, options);
        std::size_t members = 0;
        index before = -1;
        for (const merged_mask& one : merged) {
            REQUIRE(!one.members.empty());
            REQUIRE(one.members.front() > before);
            before = one.members.front();
            bitmap want(5, 6);
            for (const index m : one.members) {
                REQUIRE(stands_for[static_cast<std::size_t>(m)] == one.members.front());
                for (std::size_t i = 0; i < want.pixels.size(); ++i) {
                    want.pixels[i] |= dense[static_cast<std::size_t>(m)].pixels[i];
                }
            }
            REQUIRE(one.mask == encode(want));
            members += one.members.size();
        }
        REQUIRE(members == masks.size());
    }
}

TEST_CASE("two that overlap and one apart") {
    const std::vector<rle> masks{rle{1, 6, {0, 4, 2}}, rle{1, 6, {5, 1}}, rle{1, 6, {1, 4, 1}}};
    const auto merged = unite_duplicates(masks, {.iou_threshold = 0.5});
    REQUIRE(merged.size() == 2);
    CHECK(merged[0].members == std::vector<index>{0, 2});
    CHECK(merged[0].mask == rle{1, 6, {0, 5, 1}});
    CHECK(merged[1].members == std::vector<index>{1});
    CHECK(unite_duplicates({}).empty());
}

} // namespace
