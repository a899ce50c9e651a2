// graph_cut_evidence: what speaks for a mask, and how far to trust it.
#pragma once

#include "ostend/host/graph_cut_hints.hpp"
#include "ostend/host/graph_cut_votes.hpp"
#include "ostend/host/image_pyramid.hpp"
#include "ostend/host/one_piece.hpp"

#include <algorithm>
#include <cmath>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

struct evidence {
    double area = 0;        ///< share of the squared longer side
    double edge = 0;        ///< mean unlikeness across the outline, in [0, 1]
    double prior_share = 0; ///< share of the prior above its mean that the mask holds
    double separation = 0;  ///< mean vote of the colours inside
    double border = 0;      ///< pixels on the image's border / root of the area
    double shift = 0;       ///< from the anchor to the centre, in parts of the longer side
    double spread = 0;      ///< mean distance from the centre / root of the area; 0.376 for a disc
    double radius = 0;      ///< assumed
};

/// The evidence of a mask at the reduced level, whose likeness is known. Precondition: the mask is not empty.
/// O(pixels).
[[nodiscard]] inline evidence measure(const image_level& level, const hints& h, double radius,
                                      const bitmap& mask, const colour_models& models) {
    evidence e;
    const double side = static_cast<double>(std::max(level.width, level.height));
    const place centre = centre_of(mask, h.anchor);
    double area = 0;
    double outline = 0;
    double alike = 0;
    double prior_inside = 0;
    double prior_all = 0;
    for (index y = 0; y < level.height; ++y) {
        for (index x = 0; x < level.width; ++x) {
            const std::size_t i = level.at(y, x);
            const double above =
                h.prior.empty() ? 0.0 : static_cast<double>(std::max(0.0F, h.prior[i] - h.prior_mean));
            prior_all += above;
            if (mask(y, x) != 0) {
                area += 1;
                prior_inside += above;
                e.separation += static_cast<double>(models.vote(level.colours[i], 6.0F));
                e.spread += std::sqrt(squared_distance(y, x, centre));
                e.border += x == 0 || y == 0 || x + 1 == level.width || y + 1 == level.height ? 1.0 : 0.0;
            }
            for (std::size_t d = 0; d < 4; ++d) {
                const index v = y + later_rows[d];
                const index u = x + later_columns[d];
                if (v < level.height && u >= 0 && u < level.width && mask(y, x) != mask(v, u)) {
                    const double length = d < 2 ? 1.0 : 0.70710678;
                    outline += length;
                    alike += length * static_cast<double>(level.alike[i][d]);
                }
            }
        }
    }
    e.area = area / (side * side);
    e.edge = outline > 0 ? 1 - alike / outline : 0.0;
    e.prior_share = prior_all > 0 ? prior_inside / prior_all : 0.0;
    e.separation /= area;
    e.border /= std::sqrt(area);
    e.spread /= area * std::sqrt(area);
    e.shift = std::sqrt((centre.x - h.anchor.x) * (centre.x - h.anchor.x) +
                        (centre.y - h.anchor.y) * (centre.y - h.anchor.y)) /
              side;
    e.radius = radius / side;
    return e;
}

/// An estimate that the mask's IoU is at least one half: a logistic regression on the evidence.
[[nodiscard]] inline float score(const evidence& e) {
    const double log_area = std::log(e.area);
    const double odds = -8.32 + 3.41 * e.edge + 4.74 * e.prior_share - 0.365 * log_area - 1.03 * e.border +
                        0.78 * e.separation + 4.02 * e.shift - 1.87 * e.spread + 4.33 * e.radius -
                        0.57 * (log_area + 2.9) * (log_area + 2.9);
    return static_cast<float>(1.0 / (1.0 + std::exp(-odds)));
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
