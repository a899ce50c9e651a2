// check_prompt: a prompt is user data; what is wrong or contradicts itself is refused by part and position,
// so that the steps after it need no checks of their own.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/host/place.hpp"
#include "ostend/prompt/prompt.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

[[nodiscard]] inline status check_points(const std::vector<labelled_point>& points, image_size image) {
    std::set<std::pair<index, index>> outside;
    const auto pixel_at = [&](const labelled_point& p) {
        const pixel at = pixel_of({p.at.x, p.at.y}, image);
        return std::pair{at.y, at.x};
    };
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto& p = points[i].at;
        if (!(p.x >= 0 && p.y >= 0 && p.x <= static_cast<double>(image.width) &&
              p.y <= static_cast<double>(image.height))) {
            return error{"the point (" + std::to_string(p.x) + ", " + std::to_string(p.y) +
                             ") is outside the image of " + std::to_string(image.width) + " x " +
                             std::to_string(image.height),
                         "points", i};
        }
        if (!points[i].inside) {
            outside.insert(pixel_at(points[i]));
        }
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (points[i].inside && outside.count(pixel_at(points[i])) > 0) {
            return error{"the point is said to be on the object and off it", "points", i};
        }
    }
    return success{};
}

[[nodiscard]] inline status check_box(const prompt& asked, image_size image) {
    if (!asked.box) {
        return success{};
    }
    const auto& b = *asked.box;
    if (!(b.x0 >= 0 && b.y0 >= 0 && b.x1 <= static_cast<double>(image.width) &&
          b.y1 <= static_cast<double>(image.height) && b.x0 < b.x1 && b.y0 < b.y1)) {
        return error{"the box is empty or leaves the image", "box"};
    }
    for (std::size_t i = 0; i < asked.points.size(); ++i) {
        const auto& p = asked.points[i].at;
        if (asked.points[i].inside && !(p.x >= b.x0 && p.x <= b.x1 && p.y >= b.y0 && p.y <= b.y1)) {
            return error{"the point on the object lies beyond the box", "points", i};
        }
    }
    return success{};
}

/// Errors name the part and the position: see graph_cut_segmenter::segment.
[[nodiscard]] inline status check_prompt(const prompt& asked, image_size image) {
    const bool on_object = std::any_of(asked.points.begin(), asked.points.end(),
                                       [](const labelled_point& p) { return p.inside; });
    if (!on_object && !asked.box && !asked.mask) {
        return error{"the prompt has no point on the object, no box and no mask"};
    }
    if (status points = check_points(asked.points, image); !points) {
        return points;
    }
    if (status box = check_box(asked, image); !box) {
        return box;
    }
    if (asked.mask) {
        const mask_logits& m = *asked.mask;
        if (m.content.width < 1 || m.content.height < 1 || m.content.width > m.values.columns() ||
            m.content.height > m.values.rows()) {
            return error{"the mask's content is empty or larger than its logits", "mask"};
        }
        for (std::size_t i = 0; i < m.values.values().size(); ++i) {
            if (std::isnan(m.values.values()[i])) {
                return error{"the mask's logits hold a NaN", "mask", i};
            }
        }
    }
    return success{};
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
