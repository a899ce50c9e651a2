#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/components.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/small_regions.hpp"

#include "mask/random_masks.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace ostend;
using namespace ostend_test;

namespace {

using ostend::index; // strings.h has another one

error failure(std::string_view text, index h, index w) {
    const auto got = from_coco_string(text, h, w);
    REQUIRE(!got);
    return got.error();
}

TEST_CASE("the string comes back as the counts that made it") {
    std::mt19937 random(5);
    for (int round = 0; round < 300; ++round) {
        const rle mask = encode(random_mask(random, random_side(random), random_side(random)));
        const auto back = from_coco_string(to_coco_string(mask), mask.height, mask.width);
        REQUIRE(back);
        REQUIRE(*back == mask);
        REQUIRE(*from_counts(mask.counts, mask.height, mask.width) == mask);
    }
}

TEST_CASE("differences of the largest counts survive") {
    const std::uint32_t big = std::numeric_limits<std::uint32_t>::max() - 4;
    for (const rle& mask : {rle{65535, 65537, {0, 1, 1, 1, 1, big}}, rle{65535, 65537, {0, 1, big, 1, 1, 1}},
                            rle{65535, 65537, {1, 1, 1, big, 1}}}) {
        REQUIRE(check(mask));
        const auto back = from_coco_string(to_coco_string(mask), mask.height, mask.width);
        REQUIRE(back);
        CHECK(*back == mask);
    }
}

TEST_CASE("empty inner runs are kept, so that a foreign string is written back unchanged") {
    const rle loose{3, 3, {2, 0, 1, 3, 0, 1, 2}};
    CHECK(*from_coco_string(to_coco_string(loose), 3, 3) == loose);
}

TEST_CASE("errors name the byte") {
    CHECK(failure("d", 12, 7).what == "the string ends inside a number");
    CHECK(failure("d", 12, 7).at == 1U);
    CHECK(failure("d2d", 12, 7).at == 3U);
    CHECK(failure("d2\x01", 12, 7).what.find("code 1") != std::string::npos);
    CHECK(failure("d2\x01", 12, 7).at == 2U);
    CHECK(failure("d2p", 12, 7).at == 2U);
    CHECK(failure("d2\xff", 12, 7).what.find("code 255") != std::string::npos);
    CHECK(failure(std::string("d2\0", 3), 12, 7).what.find("code 0") != std::string::npos);
    CHECK(failure("PPPPPPPPP0", 12, 7).what == "a number of more than seven characters");
    CHECK(failure("PPPPPPPPP0", 12, 7).at == 0U);
    CHECK(failure("1O", 12, 7).what == "a run of -1 pixels");
    CHECK(failure("1O", 12, 7).at == 1U);
    CHECK(failure("111L", 12, 7).what == "a run of -3 pixels");
    CHECK(failure("e2", 12, 7).what.find("beyond the 84 pixels") != std::string::npos);
    CHECK(failure("1e2", 12, 7).at == 1U);
    CHECK(failure("c2", 12, 7).what == "the runs cover 83 of 84 pixels");
    CHECK(failure("c2", 12, 7).at == 2U);
    CHECK(failure("", 12, 7).what == "the runs cover 0 of 84 pixels");
    CHECK(failure("0", -1, 7).field == "size");
    CHECK(failure("0", 65536, 65536).field == "size");
    CHECK(failure("0", std::numeric_limits<index>::max(), std::numeric_limits<index>::max()).field == "size");
    CHECK(from_coco_string("0", 0, std::numeric_limits<std::uint32_t>::max()));
    CHECK(from_coco_string("", 0, 7));
}

TEST_CASE("uncompressed counts of any integer type, with the count named in errors") {
    const std::vector<std::int64_t> good{2, 3, 1};
    CHECK(from_counts(std::span(good), 2, 3)->counts == std::vector<std::uint32_t>{2, 3, 1});
    const std::vector<std::int64_t> negative{2, -3, 7};
    CHECK(from_counts(std::span(negative), 2, 3).error().at == 1U);
    const std::vector<std::int64_t> wide{2, std::numeric_limits<std::int64_t>::max()};
    CHECK(from_counts(std::span(wide), 2, 3).error().at == 1U);
    const std::vector<int> few{2, 3};
    CHECK(from_counts(std::span(few), 2, 3).error().at == 2U);
}

TEST_CASE("2^31 pixels cost as much memory as their runs") {
    const index side = 46340; // the largest square below 2^31
    const auto pixels = static_cast<std::uint32_t>(side * side);
    const auto full = from_coco_string(to_coco_string(rle{side, side, {0, pixels}}), side, side);
    REQUIRE(full);
    CHECK(area(*full) == pixels);
    CHECK(bounding_box(*full) == box_in<original_frame>{0, 0, 46340, 46340});
    CHECK(iou(*full, *full) == 1.0);
    CHECK(area(complement(*full)) == 0);
    const auto parts = components(*full, connectivity::eight);
    CHECK(parts.pieces.size() == 1);
    CHECK(parts.found.at(0).area == pixels);
    CHECK(remove_small_regions(*full, 100, small_regions::islands).mask == *full);
    const rle line{1, side * side, {1, pixels - 2, 1}}; // one row: every column is full
    CHECK(components(line, connectivity::four).pieces.size() == 1);
    CHECK(contains(line, {1, 0}));
    CHECK(!contains(line, {side * side - 1, 0}));
}

TEST_CASE("strings that were damaged at random are errors or masks, never crashes") {
    std::mt19937 random(2024);
    int errors = 0;
    int masks = 0;
    for (int round = 0; round < 20000; ++round) {
        const rle original = encode(random_mask(random, 1 + random() % 30, 1 + random() % 30));
        std::string text = to_coco_string(original);
        const std::uint32_t changes = 1 + random() % 3;
        for (std::uint32_t i = 0; i < changes; ++i) {
            const std::size_t at = text.empty() ? 0 : random() % text.size();
            switch (random() % 5) {
            case 0:
                text.resize(at);
                break;
            case 1:
                text.insert(at, 1, static_cast<char>(random() % 256));
                break;
            case 2:
                text.insert(at, 1, static_cast<char>(48 + random() % 64));
                break;
            case 3:
                text.append(std::string_view(text).substr(at));
                break;
            default:
                if (!text.empty()) {
                    text[at] = static_cast<char>(48 + random() % 64);
                }
            }
        }
        const auto got = from_coco_string(text, original.height, original.width);
        if (!got) {
            REQUIRE(got.error().at.has_value());
            REQUIRE(*got.error().at <= text.size());
            ++errors;
            continue;
        }
        ++masks;
        REQUIRE(check(*got));
        const bitmap dense = decode(*got);
        const rle clean = encode(dense);
        // Loose counts mean the same to every function.
        REQUIRE(area(*got) == area(clean));
        REQUIRE(bounding_box(*got) == bounding_box(clean));
        REQUIRE(unite(*got, original) == unite(clean, original));
        REQUIRE(subtract(*got, original) == subtract(clean, original));
        REQUIRE(complement(*got) == complement(clean));
        REQUIRE(iou(*got, original) == iou(clean, original));
        REQUIRE(components(*got, connectivity::four).found == components(clean, connectivity::four).found);
    }
    CHECK(errors > 1000);
    CHECK(masks > 100);
}

TEST_CASE("long strings of small differences, with large counts and errors anywhere") {
    std::mt19937 random(78);
    const auto written = [](const std::vector<std::uint32_t>& counts) {
        std::string text;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            std::int64_t x = std::int64_t{counts[i]} - (i > 2 ? std::int64_t{counts[i - 2]} : 0);
            for (bool more = true; more; x = x >> 5) {
                const std::int64_t rest = x >> 5;
                more = (x & 16) != 0 ? rest != -1 : rest != 0;
                text.push_back(static_cast<char>(48 + (x & 31) + (more ? 32 : 0)));
            }
        }
        return text;
    };
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::uint32_t> counts;
        std::uint64_t left = max_mask_pixels;
        const std::size_t n = random() % 300;
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t wanted = random() % 150 == 0 ? random() : random() % 12;
            counts.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, left)));
            left -= counts.back();
        }
        const index width = static_cast<index>(max_mask_pixels - left);
        const rle mask{1, width, counts};
        const std::string text = written(counts);
        REQUIRE(to_coco_string(mask) == text);
        REQUIRE(*from_coco_string(text, 1, width) == mask);
        if (width > 0) {
            // One pixel less: the number that goes beyond is named, wherever a block of them begins.
            const auto short_of = from_coco_string(text, 1, width - 1);
            REQUIRE(short_of.error().what.find("beyond the") != std::string::npos);
        }
        if (!text.empty()) {
            std::string bad = text;
            const std::size_t at = random() % bad.size();
            bad[at] = '!';
            REQUIRE(from_coco_string(bad, 1, width).error().at == at);
        }
    }
    // The largest count there is, between small ones: its difference does not fit 32 bits.
    std::vector<std::uint32_t> counts(80, 0);
    counts[40] = 4294967295U;
    REQUIRE(to_coco_string(rle{1, 4294967295, counts}) == written(counts));
    REQUIRE(from_coco_string(written(counts), 1, 4294967295)->counts == counts);
}

TEST_CASE("functions on runs survive counts that lie") {
    std::mt19937 random(77);
    for (int round = 0; round < 3000; ++round) {
        rle liar{static_cast<index>(random() % 5), static_cast<index>(random() % 5), {}};
        const std::uint32_t n = random() % 6;
        for (std::uint32_t i = 0; i < n; ++i) {
            liar.counts.push_back(random() % 3 == 0 ? random() : random() % 7);
        }
        const rle other{liar.height, liar.width, {static_cast<std::uint32_t>(liar.height * liar.width)}};
        (void)area(liar);
        (void)bounding_box(liar);
        (void)contains(liar, {1, 1});
        (void)iou(liar, other);
        (void)iou(liar, liar);
        (void)unite(liar, other);
        (void)complement(liar);
        (void)to_coco_string(liar);
        (void)remove_small_regions(liar, 3, small_regions::holes);
        (void)remove_small_regions(liar, 3, small_regions::islands);
        CHECK(check(liar).has_value() ==
              (area(liar) + area(complement(liar)) == static_cast<std::uint64_t>(liar.height * liar.width) &&
               from_counts(liar.counts, liar.height, liar.width).has_value()));
    }
}

} // namespace
