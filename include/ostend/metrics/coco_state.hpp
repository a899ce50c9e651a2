// coco_state: a coco_accumulator as bytes and back, to resume a run, or to send a part of the images
// elsewhere.
//
// Bytes come from files and other processes, so reading checks all that compute() relies on: options within
// their bounds, images and categories ascending, detections within the limit and from the best score on, bits
// of thresholds that exist, sums that match. An accumulator that was read computes the same bits as the one
// written.
#pragma once

#include "ostend/core/bytes.hpp"
#include "ostend/metrics/coco.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <string_view>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

inline constexpr std::string_view coco_state_magic = "ostend coco";
inline constexpr std::uint32_t coco_state_version = 1;

inline void put_coco_options(byte_writer& out, const coco_options& options) {
    out.put(static_cast<std::uint64_t>(options.iou_thresholds.size()));
    for (const double t : options.iou_thresholds) {
        out.put(t);
    }
    for (const coco_area_range& range : options.areas) {
        out.put(range.low);
        out.put(range.high);
    }
    for (const index limit : options.max_detections) {
        out.put(static_cast<std::int64_t>(limit));
    }
    for (const bool flag : {options.by_category, options.honour_ignore, options.zero_id_never_matches,
                            options.sums == numpy_sums::whole}) {
        out.put(static_cast<std::uint8_t>(flag));
    }
}

[[nodiscard]] inline coco_options get_coco_options(byte_reader& in) {
    coco_options options;
    options.iou_thresholds.resize(in.get_count(sizeof(double)));
    for (double& t : options.iou_thresholds) {
        t = in.get_double();
        if (!std::isfinite(t)) {
            in.fail("an IoU threshold is not finite");
        }
    }
    if (options.iou_thresholds.empty() || options.iou_thresholds.size() > coco_max_thresholds) {
        in.fail(std::to_string(options.iou_thresholds.size()) + " IoU thresholds");
    }
    for (coco_area_range& range : options.areas) {
        range = {in.get_double(), in.get_double()};
        if (!std::isfinite(range.low) || !std::isfinite(range.high)) {
            in.fail("an area range is not finite");
        }
    }
    index before = 1;
    for (index& limit : options.max_detections) {
        limit = static_cast<index>(in.get<std::int64_t>());
        if (limit < before) {
            in.fail("limits of detections do not ascend from at least 1");
        }
        before = limit;
    }
    bool whole = false;
    for (bool* flag :
         {&options.by_category, &options.honour_ignore, &options.zero_id_never_matches, &whole}) {
        const auto value = in.get<std::uint8_t>();
        if (value > 1) {
            in.fail("a flag is neither 0 nor 1");
        }
        *flag = value == 1;
    }
    options.sums = whole ? numpy_sums::whole : numpy_sums::buffered;
    return options;
}

[[nodiscard]] inline coco_record get_coco_record(byte_reader& in, const coco_options& options) {
    constexpr std::size_t group_bytes = 8 + 4 + 4 * coco_areas;
    constexpr std::size_t detection_bytes = 8 + 4 * coco_areas;
    const auto none = static_cast<std::uint16_t>(~((1U << options.iou_thresholds.size()) - 1U));
    coco_record record;
    record.groups.resize(in.get_count(group_bytes));
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < record.groups.size() && !in.failed(); ++i) {
        coco_group& group = record.groups[i];
        group.category = in.get<std::int64_t>();
        group.first = static_cast<std::uint32_t>(expected);
        group.detections = in.get<std::uint32_t>();
        for (std::uint32_t& truths : group.truths) {
            truths = in.get<std::uint32_t>();
        }
        expected += group.detections;
        if (i > 0 && group.category <= record.groups[i - 1].category) {
            in.fail("categories of an image do not ascend");
        }
        if (static_cast<index>(group.detections) > options.max_detections.back()) {
            in.fail("more detections of a category than the limit");
        }
    }
    record.detections.resize(in.get_count(detection_bytes));
    if (record.detections.size() != expected || expected > 0xFFFFFFFFU) {
        in.fail("detections that belong to no category");
    }
    for (std::size_t g = 0; g < record.groups.size() && !in.failed(); ++g) {
        const coco_group& group = record.groups[g];
        for (std::size_t d = group.first; d < std::size_t{group.first} + group.detections; ++d) {
            coco_scored& one = record.detections[d];
            one.score = in.get_double();
            if (!std::isfinite(one.score)) {
                in.fail("a score is not finite");
            }
            if (d > group.first && one.score > record.detections[d - 1].score) {
                in.fail("detections do not stand from the best score on");
            }
            for (coco_bits& bits : one.bits) {
                bits.hit = in.get<std::uint16_t>();
                bits.ignored = in.get<std::uint16_t>();
                if (((bits.hit | bits.ignored) & none) != 0 || (bits.hit & bits.ignored) != 0) {
                    in.fail("a hit that is ignored, or of a threshold that is not there");
                }
            }
        }
        for (std::size_t a = 0; a < coco_areas && !in.failed(); ++a) {
            std::array<std::uint32_t, coco_max_thresholds> hits{};
            for (std::size_t d = group.first; d < std::size_t{group.first} + group.detections; ++d) {
                for (unsigned left = record.detections[d].bits[a].hit; left != 0; left &= left - 1) {
                    ++hits[static_cast<std::size_t>(std::countr_zero(left))];
                }
            }
            if (*std::max_element(hits.begin(), hits.end()) > group.truths[a]) {
                in.fail("more hits than truths");
            }
        }
    }
    return record;
}

} // namespace detail

/// The accumulator's options and records. About 24 bytes a detection and 28 an image and category.
[[nodiscard]] inline std::string coco_to_bytes(const coco_accumulator& metric) {
    byte_writer out;
    out.put(detail::coco_state_magic);
    out.put(detail::coco_state_version);
    detail::put_coco_options(out, metric.options());
    out.put(static_cast<std::uint64_t>(metric.records().size()));
    for (const auto& [image, record] : metric.records()) {
        out.put(image);
        out.put(static_cast<std::uint64_t>(record.groups.size()));
        for (const coco_group& group : record.groups) {
            out.put(group.category);
            out.put(group.detections);
            for (const std::uint32_t truths : group.truths) {
                out.put(truths);
            }
        }
        out.put(static_cast<std::uint64_t>(record.detections.size()));
        for (const coco_scored& one : record.detections) {
            out.put(one.score);
            for (const coco_bits& bits : one.bits) {
                out.put(bits.hit);
                out.put(bits.ignored);
            }
        }
    }
    return std::move(out).finish();
}

/// The accumulator of such bytes. Errors say what is wrong and at which byte; memory is in proportion to the
/// bytes. O(bytes).
[[nodiscard]] inline result<coco_accumulator> coco_from_bytes(std::string_view bytes) {
    byte_reader in(bytes);
    if (in.failed()) {
        return in.failure();
    }
    if (in.get_text() != detail::coco_state_magic) {
        return error{"these are not the bytes of a coco_accumulator"};
    }
    if (const auto version = in.get<std::uint32_t>(); version != detail::coco_state_version) {
        return error{"version " + std::to_string(version) + " of the form, which is not known"};
    }
    const coco_options options = detail::get_coco_options(in);
    if (in.failed()) {
        return in.failure();
    }
    coco_accumulator metric(options);
    constexpr std::size_t least = 3 * sizeof(std::uint64_t);
    const std::uint64_t images = in.get_count(least);
    std::int64_t before = 0;
    for (std::uint64_t i = 0; i < images && !in.failed(); ++i) {
        const auto image = in.get<std::int64_t>();
        if (i > 0 && image <= before) {
            in.fail("images do not ascend");
        }
        before = image;
        coco_record record = detail::get_coco_record(in, options);
        if (in.failed()) {
            break;
        }
        if (const status added = metric.add(image, std::move(record)); !added) {
            return added.error();
        }
    }
    in.expect_end();
    if (in.failed()) {
        return in.failure();
    }
    return metric;
}

} // namespace ostend::inline OSTEND_KERNELS
