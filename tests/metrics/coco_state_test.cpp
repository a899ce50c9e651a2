#include "ostend/metrics/coco_state.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <random>

namespace {

using namespace ostend;
namespace inner = ostend::OSTEND_KERNELS::detail;
using ostend::index; // strings.h has another one

coco_accumulator random_accumulator(std::mt19937& random, int images) {
    coco_options options = random() % 2 == 0 ? coco_options{} : coco_options::clean();
    options.by_category = random() % 3 != 0;
    options.max_detections = {1, 2, 1 + static_cast<index>(random() % 9) + 1};
    options.sums = random() % 2 == 0 ? numpy_sums::whole : numpy_sums::buffered;
    if (random() % 2 == 0) {
        options.iou_thresholds = {0.5, 0.75};
    }
    coco_accumulator metric(options);
    for (int i = 0; i < images; ++i) {
        std::vector<coco_truth> gt(random() % 5);
        std::vector<coco_detection> dt(random() % 12);
        for (auto& g : gt) {
            g = {.id = 1 + static_cast<std::int64_t>(random() % 9),
                 .category = static_cast<std::int64_t>(random() % 4) - 1,
                 .area = static_cast<double>(random() % 20000),
                 .crowd = random() % 5 == 0,
                 .ignore = random() % 5 == 0};
        }
        for (auto& d : dt) {
            d = {.category = static_cast<std::int64_t>(random() % 4) - 1,
                 .score = static_cast<double>(random() % 7) - 3,
                 .area = static_cast<double>(random() % 20000)};
        }
        REQUIRE(metric.update(5 * i - 7, gt, dt,
                              [&](index, index, bool) { return static_cast<double>(random() % 21) / 20; }));
    }
    return metric;
}

bool same_records(const coco_accumulator& a, const coco_accumulator& b) {
    return a.records().size() == b.records().size() &&
           std::equal(a.records().begin(), a.records().end(), b.records().begin());
}

TEST_CASE("an accumulator comes back as it was") {
    std::mt19937 random(3);
    for (int round = 0; round < 50; ++round) {
        const coco_accumulator metric = random_accumulator(random, static_cast<int>(random() % 6));
        const auto back = coco_from_bytes(coco_to_bytes(metric));
        REQUIRE(back);
        CHECK(back->options() == metric.options());
        CHECK(same_records(*back, metric));
        const coco_stats before = metric.compute().stats;
        const coco_stats after = back->compute().stats;
        for (std::size_t i = 0; i < before.size(); ++i) {
            CHECK(std::bit_cast<std::uint64_t>(before[i]) == std::bit_cast<std::uint64_t>(after[i]));
        }
    }
}

/// The bytes with another checksum, so that only their meaning can be refused.
std::string resealed(std::string bytes) {
    bytes.resize(bytes.size() - 8);
    const std::uint64_t sum = fnv1a(bytes);
    for (unsigned i = 0; i < 8; ++i) {
        bytes.push_back(static_cast<char>((sum >> (8 * i)) & 0xFFU));
    }
    return bytes;
}

TEST_CASE("what is accepted is what would be written; nothing else gets in, nothing crashes") {
    std::mt19937 random(4);
    int accepted = 0;
    for (int round = 0; round < 30; ++round) {
        const std::string good =
            coco_to_bytes(random_accumulator(random, 1 + static_cast<int>(random() % 3)));
        for (std::size_t i = 0; i < good.size(); i += 1 + random() % 3) {
            std::string bytes = good;
            bytes[i] = static_cast<char>(random());
            if (bytes != good) {
                CHECK(!coco_from_bytes(bytes)); // the checksum
            }
            const auto read = coco_from_bytes(resealed(bytes));
            if (read) {
                ++accepted;
                CHECK(coco_to_bytes(*read) == resealed(bytes));
                static_cast<void>(read->compute());
            }
            CHECK(!coco_from_bytes(std::string_view(good).substr(0, i)));
            if (i + 8 < good.size()) {
                CHECK(!coco_from_bytes(resealed(good.substr(0, i) + std::string(8, '\0'))));
            }
        }
        CHECK(!coco_from_bytes(resealed(good.substr(0, good.size() - 8) + "x" + std::string(8, '\0'))));
    }
    CHECK(accepted > 100); // another score or truth count is possible data
}

/// Bytes of one image with one detection, made by hand.
std::string by_hand(const coco_scored& detection, std::uint32_t truths, std::uint32_t detections = 1,
                    std::int64_t second_category = 9) {
    byte_writer out;
    out.put(std::string_view("ostend coco"));
    out.put(std::uint32_t{1});
    inner::put_coco_options(out, {});
    out.put(std::uint64_t{1});
    out.put(std::int64_t{42});
    out.put(std::uint64_t{2});
    for (const std::int64_t category : {std::int64_t{3}, second_category}) {
        out.put(category);
        out.put(category == 3 ? detections : std::uint32_t{0});
        for (std::size_t a = 0; a < coco_areas; ++a) {
            out.put(truths);
        }
    }
    out.put(std::uint64_t{detections});
    for (std::uint32_t d = 0; d < detections; ++d) {
        out.put(detection.score + d);
        for (const coco_bits& bits : detection.bits) {
            out.put(bits.hit);
            out.put(bits.ignored);
        }
    }
    return std::move(out).finish();
}

TEST_CASE("refusals say what is wrong") {
    coco_scored d{.score = 0.5};
    CHECK(coco_from_bytes(by_hand(d, 1)));
    const auto why = [](const std::string& bytes) {
        const auto read = coco_from_bytes(bytes);
        return read ? std::string("accepted") : read.error().what;
    };
    CHECK(why(by_hand(d, 1, 2)) == "detections do not stand from the best score on");
    CHECK(why(by_hand(d, 1, 1, 3)) == "categories of an image do not ascend");
    CHECK(why(by_hand(d, 1, 101)) == "more detections of a category than the limit");
    CHECK(why(by_hand({.score = std::numeric_limits<double>::infinity()}, 1)) == "a score is not finite");
    d.bits[2].hit = 1;
    CHECK(coco_from_bytes(by_hand(d, 1)));
    CHECK(why(by_hand(d, 0)) == "more hits than truths");
    d.bits[2].ignored = 1;
    CHECK(why(by_hand(d, 1)) == "a hit that is ignored, or of a threshold that is not there");
    d.bits[2] = {.hit = 1U << 10U, .ignored = 0};
    CHECK(why(by_hand(d, 1)) == "a hit that is ignored, or of a threshold that is not there");

    byte_writer other;
    other.put(std::string_view("something else"));
    CHECK(why(std::move(other).finish()) == "these are not the bytes of a coco_accumulator");
    byte_writer later;
    later.put(std::string_view("ostend coco"));
    later.put(std::uint32_t{2});
    CHECK(why(std::move(later).finish()) == "version 2 of the form, which is not known");
}

} // namespace
