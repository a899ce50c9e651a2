// graph_cut_hints: what a prompt says, in the pixels of one level of the image's pyramid.
//
// Coordinates scale with the level; a point's own pixels do not: on a reduced image it speaks for more.
#pragma once

#include "ostend/geometry/frames.hpp"
#include "ostend/host/place.hpp"
#include "ostend/mask/bitmap.hpp"
#include "ostend/prompt/prompt.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

struct hints {
    image_size size = {}; ///< of the level
    place anchor = {};    ///< where the object is expected
    std::vector<place> inside = {};
    std::vector<place> outside = {};
    bitmap forbidden = {};         ///< 1 beyond the box and around outside points; empty without either
    std::vector<float> prior = {}; ///< a probability a pixel; empty without a mask prompt
    float prior_mean = 0;

    [[nodiscard]] bool forbids(index y, index x) const {
        return !forbidden.pixels.empty() && forbidden(y, x) != 0;
    }
};

/// A point's own pixels: those whose centre is nearer than this (squared), the neighbours of the one it is
/// in.
inline constexpr double squared_point_size = 2.5;

/// Pixels that cannot be object: their centre lies beyond the box (but the pixel of the box's own centre can,
/// however small the box), or they are an outside point's own.
[[nodiscard]] inline bitmap forbidden_pixels(const std::optional<box_in<original_frame>>& box,
                                             const std::vector<place>& outside, image_size size) {
    bitmap forbidden;
    if (!box && outside.empty()) {
        return forbidden;
    }
    forbidden = bitmap(size.height, size.width);
    if (box) {
        for (index y = 0; y < size.height; ++y) {
            for (index x = 0; x < size.width; ++x) {
                const double u = static_cast<double>(x) + 0.5;
                const double v = static_cast<double>(y) + 0.5;
                forbidden(y, x) = u >= box->x0 && u <= box->x1 && v >= box->y0 && v <= box->y1 ? 0 : 1;
            }
        }
        const pixel middle = pixel_of({(box->x0 + box->x1) / 2, (box->y0 + box->y1) / 2}, size);
        forbidden(middle.y, middle.x) = 0;
    }
    for (const place& at : outside) {
        const pixel own = pixel_of(at, size);
        for (index y = std::max<index>(0, own.y - 2); y < std::min(size.height, own.y + 3); ++y) {
            for (index x = std::max<index>(0, own.x - 2); x < std::min(size.width, own.x + 3); ++x) {
                forbidden(y, x) = squared_distance(y, x, at) < squared_point_size ? 1 : forbidden(y, x);
            }
        }
    }
    return forbidden;
}

/// The points and the box of a prompt at a level of an image, without its mask. Precondition: check_prompt
/// accepts the prompt. The anchor is the first inside point, else the box's centre, else `otherwise`.
[[nodiscard]] inline hints point_hints(const prompt& asked, image_size image, image_size level,
                                       const place& otherwise = {}) {
    const double sx = static_cast<double>(level.width) / static_cast<double>(image.width);
    const double sy = static_cast<double>(level.height) / static_cast<double>(image.height);
    hints h;
    h.size = level;
    h.anchor = otherwise;
    for (const labelled_point& p : asked.points) {
        (p.inside ? h.inside : h.outside).push_back({p.at.x * sx, p.at.y * sy});
    }
    std::optional<box_in<original_frame>> box;
    if (asked.box) {
        box = {asked.box->x0 * sx, asked.box->y0 * sy, asked.box->x1 * sx, asked.box->y1 * sy};
        h.anchor = {(box->x0 + box->x1) / 2, (box->y0 + box->y1) / 2};
    }
    if (!h.inside.empty()) {
        h.anchor = h.inside.front();
    }
    h.forbidden = forbidden_pixels(box, h.outside, level);
    return h;
}

/// The same with the mask as a prior, whose greatest value anchors the object where nothing else does.
[[nodiscard]] inline hints hints_of(const prompt& asked, image_size image, image_size level) {
    hints h = point_hints(asked, image, level);
    if (!asked.mask) {
        return h;
    }
    const mask_logits& m = *asked.mask;
    h.prior.reserve(static_cast<std::size_t>(level.area()));
    place brightest;
    float most = -1;
    double sum = 0;
    for (index y = 0; y < level.height; ++y) {
        const index v = (2 * y + 1) * m.content.height / (2 * level.height);
        for (index x = 0; x < level.width; ++x) {
            const index u = (2 * x + 1) * m.content.width / (2 * level.width);
            const float p = 1.0F / (1.0F + std::exp(-m.values(v, u)));
            h.prior.push_back(p);
            sum += static_cast<double>(p);
            if (p > most && !h.forbids(y, x)) {
                most = p;
                brightest = {static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
            }
        }
    }
    h.prior_mean = static_cast<float>(sum / static_cast<double>(h.prior.size()));
    if (h.inside.empty() && !asked.box) {
        h.anchor = brightest;
    }
    return h;
}

/// The hints at a finer level, for refinement: without the prior, and anchored where the coarse ones are.
[[nodiscard]] inline hints finer_hints(const prompt& asked, image_size image, image_size level,
                                       const hints& coarse) {
    return point_hints(
        asked, image, level,
        {coarse.anchor.x * static_cast<double>(level.width) / static_cast<double>(coarse.size.width),
         coarse.anchor.y * static_cast<double>(level.height) / static_cast<double>(coarse.size.height)});
}

/// The pixel nearest to the anchor that is not forbidden; none when all are. O(pixels).
[[nodiscard]] inline std::optional<pixel> nearest_allowed(const hints& h) {
    const pixel own = pixel_of(h.anchor, h.size);
    if (!h.forbids(own.y, own.x)) {
        return own;
    }
    std::optional<pixel> best;
    double least = 0;
    for (index y = 0; y < h.size.height; ++y) {
        for (index x = 0; x < h.size.width; ++x) {
            const double distance = squared_distance(y, x, h.anchor);
            if (!h.forbids(y, x) && (!best || distance < least)) {
                best = {x, y};
                least = distance;
            }
        }
    }
    return best;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
