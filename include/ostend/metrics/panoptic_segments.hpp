// panoptic_segments: the segments of one panoptic segmentation, from masks or from a map of identifiers.
//
// COCO stores a map (a PNG whose colour is the identifier, 0 for void) and a list of segments. The library
// keeps masks that share no pixel; what no segment covers is void.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/mask/set_operations.hpp"
#include "ostend/tensor/view.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct panoptic_segment {
    std::int64_t category = 0;
    rle mask = {};
    bool crowd = false; ///< of a ground truth: a region of many, neither found nor missed
};

/// A line of the list beside a map.
struct panoptic_info {
    std::uint32_t id = 0;
    std::int64_t category = 0;
    bool crowd = false;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The segments of a map of identifiers [height, width], in the order of the list. Errors, those at which
/// panopticapi stops: an identifier in the map that is not listed, one that is listed and not in the map;
/// and one listed twice, `void_id` listed. O(pixels + runs log segments).
[[nodiscard]] inline result<std::vector<panoptic_segment>>
panoptic_segments(const tensor_view<const std::uint32_t, 2>& ids, std::span<const panoptic_info> listed,
                  std::uint32_t void_id = 0) {
    const index height = ids.extent(0);
    const index width = ids.extent(1);
    std::map<std::uint32_t, std::size_t> number;
    std::vector<detail::run_writer> writers;
    for (std::size_t i = 0; i < listed.size(); ++i) {
        if (listed[i].id == void_id || !number.emplace(listed[i].id, i).second) {
            return error{"the identifier " + std::to_string(listed[i].id) +
                             (listed[i].id == void_id ? " stands for void" : " is listed before"),
                         "segments", i};
        }
        writers.emplace_back(height, width);
    }
    std::vector<bool> seen(listed.size(), false);
    std::uint64_t first = 0; // of the run that is open
    std::uint64_t at = 0;
    std::uint32_t open = void_id;
    const auto close = [&] {
        if (open == void_id || at == first) {
            return true;
        }
        const auto found = number.find(open);
        if (found == number.end()) {
            return false;
        }
        writers[found->second].add_inside(first, at);
        seen[found->second] = true;
        return true;
    };
    for (index x = 0; x < width; ++x) {
        for (index y = 0; y < height; ++y, ++at) {
            const std::uint32_t id = ids.load(y, x);
            if (id == open) {
                continue;
            }
            if (!close()) {
                return error{"the identifier " + std::to_string(open) + " is in the map and not listed",
                             "segments"};
            }
            open = id;
            first = at;
        }
    }
    if (!close()) {
        return error{"the identifier " + std::to_string(open) + " is in the map and not listed", "segments"};
    }
    std::vector<panoptic_segment> out;
    for (std::size_t i = 0; i < listed.size(); ++i) {
        if (!seen[i]) {
            return error{"the identifier " + std::to_string(listed[i].id) + " is listed and not in the map",
                         "segments", i};
        }
        out.push_back({listed[i].category, writers[i].finish(), listed[i].crowd});
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
