// graph_cut_parts: the steps of the built-in segmenter (graph_cut.hpp), each a function: hints out of a
// prompt, a mask for an assumed size, its refinement on a finer image, and how much to trust it.
//
// Energies are in units of negative log likelihood; the cut takes them as integers in 64ths. Weights were
// chosen on scenes of emoji (tools/scenes), with points and maps of a small LLaVA.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/host/colour_model.hpp"
#include "ostend/host/image_pyramid.hpp"
#include "ostend/host/max_flow.hpp"
#include "ostend/mask/bitmap.hpp"
#include "ostend/prompt/prompt.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace ostend::inline v0 {

struct graph_cut_options {
    index work_side = 96; ///< the first cuts are made on an image reduced to at most this
    std::vector<double> radii = {0.10, 0.155, 0.217}; ///< assumed sizes, in parts of the longer side
    int iterations = 2;                               ///< of models and cut
    int object_components = 5;
    int background_components = 6;
    float smoothness = 8.0F;        ///< cost of an outline through a flat area, a pixel
    float smoothness_floor = 0.18F; ///< and along the sharpest edge
    float colour_limit = 6.0F;      ///< largest vote of a colour
    float place = 1.1F; ///< vote of the place: this at the centre, 0 at the radius, -3 times it far off
    float prior = 4.0F; ///< vote of the mask prompt: half of this at probability 1, less it at 0
    float prior_middle = 0.5F;     ///< the probability that votes for neither side
    float prior_pull = 1.0F;       ///< how far the mask prompt pulls the first centre away from the point
    double prior_reach = 0.21;     ///< and from how far, in parts of the longer side
    float seed = 4.0F;             ///< vote of the point's own pixels
    double reach = 2.28;           ///< nothing farther than this many radii from the centre is object
    double inner = 1.4;            ///< the first object model is of what is nearer than this many radii
    double outer = 1.2;            ///< the first background model of what is farther than this
    double background_decay = 3.0; ///< radii over which a pixel's say in the background model fades
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

struct place {
    double x = 0;
    double y = 0;
};
[[nodiscard]] inline double squared_distance(index y, index x, const place& p) {
    const double dx = static_cast<double>(x) + 0.5 - p.x;
    const double dy = static_cast<double>(y) + 0.5 - p.y;
    return dx * dx + dy * dy;
}

/// A prompt in pixels of the reduced image.
struct hints {
    place anchor = {};
    std::vector<place> inside = {};
    std::vector<place> outside = {};
    std::optional<box_in<original_frame>> box = {};
    std::vector<float> prior = {}; ///< a probability a pixel; empty without a mask prompt
    float prior_mean = 0;
    image_size reduced = {};
};

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

struct proposal {
    bitmap mask = {};
    colour_model object = {};
    colour_model background = {};
    detail::evidence evidence = {};
};

[[nodiscard]] inline status check_prompt(const prompt& asked, image_size image) {
    if (asked.empty()) {
        return error{"the prompt has no point, box or mask"};
    }
    const auto width = static_cast<double>(image.width);
    const auto height = static_cast<double>(image.height);
    for (std::size_t i = 0; i < asked.points.size(); ++i) {
        const auto& p = asked.points[i].at;
        if (!(p.x >= 0 && p.y >= 0 && p.x <= width && p.y <= height)) {
            return error{"the point (" + std::to_string(p.x) + ", " + std::to_string(p.y) +
                             ") is outside the image of " + std::to_string(image.width) + " x " +
                             std::to_string(image.height),
                         "points", i};
        }
    }
    if (asked.box) {
        const auto& b = *asked.box;
        if (!(b.x0 >= 0 && b.y0 >= 0 && b.x1 <= width && b.y1 <= height && b.x0 < b.x1 && b.y0 < b.y1)) {
            return error{"the box is empty or leaves the image", "box"};
        }
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

/// Precondition: check_prompt accepts the prompt.
[[nodiscard]] inline hints hints_of(const prompt& asked, const image_level& full,
                                    const image_level& reduced) {
    const double sx = static_cast<double>(reduced.width) / static_cast<double>(full.width);
    const double sy = static_cast<double>(reduced.height) / static_cast<double>(full.height);
    hints h;
    h.reduced = {.width = reduced.width, .height = reduced.height};
    for (const labelled_point& p : asked.points) {
        (p.inside ? h.inside : h.outside).push_back({p.at.x * sx, p.at.y * sy});
    }
    if (asked.box) {
        h.box = {asked.box->x0 * sx, asked.box->y0 * sy, asked.box->x1 * sx, asked.box->y1 * sy};
    }
    place brightest;
    if (asked.mask) {
        const mask_logits& m = *asked.mask;
        h.prior.reserve(reduced.colours.size());
        float most = -1;
        double sum = 0;
        for (index y = 0; y < reduced.height; ++y) {
            const index v = (2 * y + 1) * m.content.height / (2 * reduced.height);
            for (index x = 0; x < reduced.width; ++x) {
                const index u = (2 * x + 1) * m.content.width / (2 * reduced.width);
                const float p = 1.0F / (1.0F + std::exp(-m.values(v, u)));
                h.prior.push_back(p);
                sum += static_cast<double>(p);
                if (p > most) {
                    most = p;
                    brightest = {static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
                }
            }
        }
        h.prior_mean = static_cast<float>(sum / static_cast<double>(h.prior.size()));
    }
    if (!h.inside.empty()) {
        h.anchor = h.inside.front();
    } else if (h.box) {
        h.anchor = {(h.box->x0 + h.box->x1) / 2, (h.box->y0 + h.box->y1) / 2};
    } else if (asked.mask) {
        h.anchor = brightest;
    } else { // outside points alone: the image's centre
        h.anchor = {static_cast<double>(reduced.width) / 2, static_cast<double>(reduced.height) / 2};
    }
    return h;
}

/// The anchor in the pixels of a mask of another size.
[[nodiscard]] inline place scaled_pixel(const hints& h, const bitmap& mask) {
    return {h.anchor.x * static_cast<double>(mask.width) / static_cast<double>(h.reduced.width),
            h.anchor.y * static_cast<double>(mask.height) / static_cast<double>(h.reduced.height)};
}

/// Keeps the piece (8-connected) that is nearest to the anchor, where a large one may lie farther off, and
/// fills its holes. O(pixels); the work is in the mask's box.
inline void keep_one_piece(bitmap& mask, const place& anchor) {
    index x0 = mask.width;
    index y0 = mask.height;
    index x1 = 0;
    index y1 = 0;
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            if (mask(y, x) != 0) {
                x0 = std::min(x0, x);
                x1 = std::max(x1, x + 1);
                y0 = std::min(y0, y);
                y1 = y + 1;
            }
        }
    }
    if (x0 >= x1) {
        return;
    }
    // The box with a margin of one pixel, where background runs around every piece.
    const index pitch = x1 - x0 + 2;
    const index rows = y1 - y0 + 2;
    enum : std::uint8_t { off = 0, on = 1, taken = 2, kept = 3, around = 4 };
    std::vector<std::uint8_t> label(static_cast<std::size_t>(pitch * rows), off);
    const auto at = [&](index i) -> std::uint8_t& { return label[static_cast<std::size_t>(i)]; };
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            at((y - y0 + 1) * pitch + x - x0 + 1) = mask(y, x) != 0 ? on : off;
        }
    }
    std::vector<index> best;
    double least = std::numeric_limits<double>::max();
    for (index start = 0; start < pitch * rows; ++start) {
        if (at(start) != on) {
            continue;
        }
        std::vector<index> piece{start};
        at(start) = taken;
        double nearest = std::numeric_limits<double>::max();
        for (std::size_t k = 0; k < piece.size(); ++k) {
            const index p = piece[k];
            nearest = std::min(nearest, squared_distance(p / pitch + y0 - 1, p % pitch + x0 - 1, anchor));
            for (const index step :
                 {index{1}, index{-1}, pitch - 1, pitch, pitch + 1, 1 - pitch, -pitch, -pitch - 1}) {
                if (at(p + step) == on) {
                    at(p + step) = taken;
                    piece.push_back(p + step);
                }
            }
        }
        const double cost = std::sqrt(nearest) - std::sqrt(static_cast<double>(piece.size()));
        if (cost < least) {
            least = cost;
            best = std::move(piece);
        }
    }
    for (const index p : best) {
        at(p) = kept;
    }
    std::vector<index> pending{0};
    at(0) = around;
    while (!pending.empty()) {
        const index p = pending.back();
        pending.pop_back();
        for (const index step : {index{1}, index{-1}, pitch, -pitch}) {
            const index q = p + step; // from a row's end on to the next row's start: both are margin
            if (q >= 0 && q < pitch * rows && at(q) != kept && at(q) != around) {
                at(q) = around;
                pending.push_back(q);
            }
        }
    }
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            mask(y, x) = at((y - y0 + 1) * pitch + x - x0 + 1) != around ? 1 : 0;
        }
    }
}

[[nodiscard]] inline grid_cut::capacity in_64ths(float energy) {
    return static_cast<grid_cut::capacity>(std::clamp(energy, 0.0F, 1e5F) * 64.0F);
}

/// The vote of a colour for the object, within the limit.
[[nodiscard]] inline float colour_vote(const proposal& p, const colour& c, float limit) {
    return std::clamp(p.background.cost(c) - p.object.cost(c), -limit, limit);
}

inline void add_vote(grid_cut& cut, index y, index x, float vote) {
    cut.add_terminal(y, x, in_64ths(vote), in_64ths(-vote));
}

/// The cost of parting two neighbours; diagonal ones count less, so that an outline costs its length.
[[nodiscard]] inline grid_cut::capacity edge_cost(float alike, std::size_t direction,
                                                  const graph_cut_options& o) {
    return in_64ths(o.smoothness * alike * (direction < 2 ? 1.0F : 0.70710678F) + o.smoothness_floor);
}

/// The first centre: between the anchor and the middle of the prior around it.
[[nodiscard]] inline place first_centre(const hints& h, const graph_cut_options& o) {
    if (h.prior.empty()) {
        return h.anchor;
    }
    const double reach = o.prior_reach * static_cast<double>(std::max(h.reduced.width, h.reduced.height));
    double sum = 0;
    place middle;
    for (index y = 0, i = 0; y < h.reduced.height; ++y) {
        for (index x = 0; x < h.reduced.width; ++x, ++i) {
            const double above =
                static_cast<double>(h.prior[static_cast<std::size_t>(i)]) - static_cast<double>(h.prior_mean);
            const double near = squared_distance(y, x, h.anchor) / (reach * reach);
            if (above <= 0 || near > 9) {
                continue;
            }
            const double weight = above * above * std::exp(-2 * near);
            sum += weight;
            middle.x += weight * (static_cast<double>(x) + 0.5);
            middle.y += weight * (static_cast<double>(y) + 0.5);
        }
    }
    if (!(sum > 0)) {
        return h.anchor;
    }
    const auto pull = static_cast<double>(o.prior_pull);
    return {h.anchor.x + pull * (middle.x / sum - h.anchor.x),
            h.anchor.y + pull * (middle.y / sum - h.anchor.y)};
}

/// Fits both models: in the first round to the prior's disc and what surrounds it, later to the labels. Of
/// the background a quarter of the pixels is taken, spread evenly.
inline bool fit_models(const image_level& level, const hints& h, const place& centre, double radius,
                       bool first, const graph_cut_options& o, proposal& p) {
    std::vector<colour_sample> object;
    std::vector<colour_sample> background;
    for (index y = 0; y < level.height; ++y) {
        for (index x = 0; x < level.width; ++x) {
            const std::size_t i = level.at(y, x);
            const double d2 = squared_distance(y, x, centre) / (radius * radius);
            bool off = p.mask(y, x) == 0;
            if (first) {
                const bool anchored = squared_distance(y, x, h.anchor) < 0.09 * radius * radius;
                if (d2 < o.inner * o.inner || anchored) {
                    const float weight = h.prior.empty() ? 1.0F : std::max(0.05F, h.prior[i]);
                    object.push_back({level.colours[i], weight + (anchored ? 1.0F : 0.0F)});
                }
                off = d2 > o.outer * o.outer;
            } else if (!off) {
                object.push_back({level.colours[i], 1.0F});
            }
            if (off && (static_cast<std::uint32_t>(i) * 2654435761U) < 0x40000000U) {
                const double beyond = std::max(0.0, std::sqrt(d2) - 1) / o.background_decay;
                background.push_back(
                    {level.colours[i], static_cast<float>(std::exp(-beyond * beyond)) + 0.02F});
            }
        }
    }
    return p.object.fit(object, o.object_components) && p.background.fit(background, o.background_components);
}

/// Marks p.mask by the minimum cut around a centre.
inline void cut_around(const image_level& level, const hints& h, const place& centre, double radius,
                       const graph_cut_options& o, grid_cut& cut, proposal& p) {
    constexpr float certain = 1000.0F;
    const double reach = o.reach * radius;
    const auto first = [](double at, index last) {
        return std::clamp<index>(static_cast<index>(at), 0, last);
    };
    const index x0 = first(centre.x - reach, level.width - 1);
    const index y0 = first(centre.y - reach, level.height - 1);
    const index x1 = first(centre.x + reach, level.width - 1) + 1;
    const index y1 = first(centre.y + reach, level.height - 1) + 1;
    cut.reset(y1 - y0, x1 - x0);
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            const std::size_t i = level.at(y, x);
            const double d2 = squared_distance(y, x, centre) / (radius * radius);
            float vote = -certain;
            if (d2 < o.reach * o.reach) {
                vote = colour_vote(p, level.colours[i], o.colour_limit) +
                       o.place * static_cast<float>(std::max(1 - d2, -3.0));
                if (!h.prior.empty()) {
                    vote += o.prior * (h.prior[i] - o.prior_middle);
                }
            }
            for (const place& at : h.inside) {
                vote += squared_distance(y, x, at) < 2.5 ? o.seed : 0.0F;
            }
            for (const place& at : h.outside) {
                vote = squared_distance(y, x, at) < 2.5 ? -certain : vote;
            }
            if (h.box &&
                !(static_cast<double>(x) + 0.5 >= h.box->x0 && static_cast<double>(x) + 0.5 <= h.box->x1 &&
                  static_cast<double>(y) + 0.5 >= h.box->y0 && static_cast<double>(y) + 0.5 <= h.box->y1)) {
                vote = -certain;
            }
            add_vote(cut, y - y0, x - x0, vote);
            for (std::size_t d = 0; d < 4; ++d) {
                const index v = y + later_rows[d];
                const index u = x + later_columns[d];
                if (v < y1 && u >= x0 && u < x1) {
                    cut.add_edge(y - y0, x - x0, static_cast<int>(d), edge_cost(level.alike[i][d], d, o));
                }
            }
        }
    }
    cut.solve();
    p.mask = bitmap(level.height, level.width);
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            p.mask(y, x) = cut.is_source_side(y - y0, x - x0) ? 1 : 0;
        }
    }
}

[[nodiscard]] inline place centre_of(const bitmap& mask, const place& otherwise) {
    place sum;
    double n = 0;
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            if (mask(y, x) != 0) {
                sum.x += static_cast<double>(x) + 0.5;
                sum.y += static_cast<double>(y) + 0.5;
                n += 1;
            }
        }
    }
    return n > 0 ? place{sum.x / n, sum.y / n} : otherwise;
}

[[nodiscard]] inline evidence measure(const image_level& level, const hints& h, double radius,
                                      const proposal& p) {
    evidence e;
    const double side = static_cast<double>(std::max(level.width, level.height));
    const place centre = centre_of(p.mask, h.anchor);
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
            if (p.mask(y, x) != 0) {
                area += 1;
                prior_inside += above;
                e.separation += static_cast<double>(colour_vote(p, level.colours[i], 6.0F));
                e.spread += std::sqrt(squared_distance(y, x, centre));
                e.border += x == 0 || y == 0 || x + 1 == level.width || y + 1 == level.height ? 1.0 : 0.0;
            }
            for (std::size_t d = 0; d < 4; ++d) {
                const index v = y + later_rows[d];
                const index u = x + later_columns[d];
                if (v < level.height && u >= 0 && u < level.width && p.mask(y, x) != p.mask(v, u)) {
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

/// The mask for one assumed radius (in parts of the longer side), on the reduced image.
[[nodiscard]] inline proposal propose(const image_level& level, const hints& h, double radius_share,
                                      const graph_cut_options& o, grid_cut& cut) {
    const double radius = radius_share * static_cast<double>(std::max(level.width, level.height));
    proposal p;
    p.mask = bitmap(level.height, level.width);
    place centre = first_centre(h, o);
    for (int round = 0; round < o.iterations; ++round) {
        if (!fit_models(level, h, centre, radius, round == 0, o, p)) {
            break; // no pixel is object, or none is background
        }
        cut_around(level, h, centre, radius, o, cut, p);
        keep_one_piece(p.mask, h.anchor);
        centre = centre_of(p.mask, centre);
    }
    if (std::find(p.mask.pixels.begin(), p.mask.pixels.end(), 1) == p.mask.pixels.end()) {
        const auto pixel_of = [](double at, index n) {
            return std::clamp<index>(static_cast<index>(at), 0, n - 1);
        };
        p.mask(pixel_of(h.anchor.y, level.height), pixel_of(h.anchor.x, level.width)) = 1;
    }
    if (!p.object.fitted() || !p.background.fitted()) { // an image of one colour sample: both are the same
        std::vector<colour_sample> all;
        for (const colour& c : level.colours) {
            all.push_back({c, 1.0F});
        }
        p.object.fit(all, 1);
        p.background.fit(all, 1);
    }
    p.evidence = measure(level, h, radius, p);
    return p;
}

/// The proposal's mask on an image twice as large: labels within two pixels of the outline are cut anew.
[[nodiscard]] inline bitmap refined(const image_level& level, const proposal& p, const graph_cut_options& o,
                                    grid_cut& cut) {
    constexpr index band = 2;
    constexpr float certain = 1000.0F;
    bitmap mask(level.height, level.width);
    index x0 = level.width;
    index y0 = level.height;
    index x1 = 0;
    index y1 = 0;
    for (index y = 0; y < level.height; ++y) {
        for (index x = 0; x < level.width; ++x) {
            mask(y, x) = p.mask(y / 2, x / 2);
            if (mask(y, x) != 0) {
                x0 = std::min(x0, x);
                y0 = std::min(y0, y);
                x1 = std::max(x1, x + 1);
                y1 = std::max(y1, y + 1);
            }
        }
    }
    x0 = std::max<index>(0, x0 - band - 1);
    y0 = std::max<index>(0, y0 - band - 1);
    x1 = std::min(level.width, x1 + band + 1);
    y1 = std::min(level.height, y1 + band + 1);
    // Pixels of the band: 1; of the window besides: 0.
    bitmap open(y1 - y0, x1 - x0);
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            const bool outline =
                (x + 1 < x1 && mask(y, x) != mask(y, x + 1)) || (y + 1 < y1 && mask(y, x) != mask(y + 1, x));
            if (!outline) {
                continue;
            }
            for (index v = std::max(y0, y - band + 1); v < std::min(y1, y + band + 1); ++v) {
                for (index u = std::max(x0, x - band + 1); u < std::min(x1, x + band + 1); ++u) {
                    open(v - y0, u - x0) = 1;
                }
            }
        }
    }
    cut.reset(y1 - y0, x1 - x0);
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            const std::size_t i = level.at(y, x);
            const bool here = open(y - y0, x - x0) != 0;
            bool touches = here;
            for (std::size_t d = 0; d < 4; ++d) {
                const index v = y + later_rows[d];
                const index u = x + later_columns[d];
                if (v < y1 && u >= x0 && u < x1 && (here || open(v - y0, u - x0) != 0)) {
                    cut.add_edge(y - y0, x - x0, static_cast<int>(d),
                                 edge_cost(likeness(level, i, level.at(v, u)), d, o));
                    if (open(v - y0, u - x0) == 0) { // its label stays
                        add_vote(cut, v - y0, u - x0, mask(v, u) != 0 ? certain : -certain);
                    }
                    touches = true;
                }
            }
            if (here) {
                add_vote(cut, y - y0, x - x0, colour_vote(p, level.colours[i], o.colour_limit));
            } else if (touches) {
                add_vote(cut, y - y0, x - x0, mask(y, x) != 0 ? certain : -certain);
            }
        }
    }
    cut.solve();
    bitmap out = mask;
    bool any = false;
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            if (open(y - y0, x - x0) != 0) {
                out(y, x) = cut.is_source_side(y - y0, x - x0) ? 1 : 0;
            }
            any = any || out(y, x) != 0;
        }
    }
    return any ? out : mask;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
