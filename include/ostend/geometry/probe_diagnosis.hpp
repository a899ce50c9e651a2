// probe_diagnosis: what is wrong with a layout, from which cell each image token really shows.
//
// The usual mistakes each move every token in one simple way; the simplest that explains nearly all of them
// is the finding. probe.hpp makes the measurement.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/geometry/layout.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// How a host's image tokens differ from what its layout says.
enum class layout_fault : std::uint8_t {
    none,       ///< each token shows its cell
    shifted,    ///< token k shows the cell of token k + shift (a class token counted as a patch)
    transposed, ///< rows and columns are exchanged
    mirrored,   ///< rows, columns or both run backwards
    displaced,  ///< cells lie some rows or columns off (padding on another side)
    scaled,     ///< they lie along a line of another slope (another patch size, crop or stretch)
    unclear     ///< no simple rule: the features do not follow the image, or it is another image
};

struct layout_finding {
    layout_fault fault = layout_fault::unclear;
    index judged = 0; ///< tokens whose cell could be told
    index agree = 0;  ///< of them, those that show the layout's cell
    index shift = 0;  ///< of tokens, where shifted
    index rows = 0;   ///< where displaced: a token shows this many rows lower
    index columns = 0;
    double row_scale = 1; ///< where scaled: cells shown for each cell of the layout
    double column_scale = 1;
    std::vector<index> shows = {}; ///< for each token, the token whose cell it shows; -1: not judged
    std::string says = {};         ///< the finding in a sentence
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// One token's cell as the layout has it and as it was seen.
struct seen_cell {
    index token = 0;
    index shown = 0;
    layout_token said = {};
    layout_token seen = {};
};

/// Slope of seen against said by least squares; 1 where all of said are equal.
template <class Get>
double slope_of(const std::vector<seen_cell>& cells, Get get) {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (const seen_cell& c : cells) {
        const auto a = static_cast<double>(get(c.said));
        const auto b = static_cast<double>(get(c.seen));
        n += 1, x += a, y += b, xx += a * a, xy += a * b;
    }
    const double spread = xx - x * x / n;
    return spread > 0 ? (xy - x * y / n) / spread : 1.0;
}

/// The most frequent value of get(cell).
template <class Get>
auto mode_of(const std::vector<seen_cell>& cells, Get get) {
    std::map<decltype(get(cells.front())), index> counts;
    for (const seen_cell& c : cells) {
        ++counts[get(c)];
    }
    return std::max_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

} // namespace detail

/// The finding for a layout whose token t shows the cell of token shows[t] (-1: could not be told).
/// least: the share of judged tokens that a rule must explain. Complexity O(tokens log tokens).
/// Preconditions: one entry a token, each -1 or a token that is a cell.
[[nodiscard]] inline layout_finding diagnose_layout(const layout& grid, std::vector<index> shows,
                                                    double least = 0.8) {
    OSTEND_EXPECTS(shows.size() == grid.tokens.size(),
                   "diagnose_layout: " + std::to_string(shows.size()) + " entries for " +
                       std::to_string(grid.tokens.size()) + " image tokens");
    layout_finding out;
    std::vector<detail::seen_cell> cells;
    for (std::size_t t = 0; t < shows.size(); ++t) {
        if (shows[t] < 0) {
            continue;
        }
        const auto shown = static_cast<std::size_t>(shows[t]);
        OSTEND_EXPECTS(shown < grid.tokens.size() && grid.tokens[shown].kind == token_kind::cell &&
                           grid.tokens[t].kind == token_kind::cell,
                       "diagnose_layout: token " + std::to_string(t) + " or what it shows is no cell");
        cells.push_back({static_cast<index>(t), shows[t], grid.tokens[t], grid.tokens[shown]});
        out.agree += shows[t] == static_cast<index>(t) ? 1 : 0;
    }
    out.judged = static_cast<index>(cells.size());
    out.shows = std::move(shows);
    const std::string share = " (" + std::to_string(out.agree) + " of " + std::to_string(out.judged) +
                              " tokens show the cell that the layout gives them)";
    if (cells.size() < 4) {
        out.says = "Too few image tokens answer to the image to say anything" + share + ".";
        return out;
    }
    const auto count = [&](auto&& rule) {
        return static_cast<double>(std::count_if(cells.begin(), cells.end(), rule));
    };
    const auto explains = [&](auto&& rule) {
        return count(rule) >= least * static_cast<double>(cells.size());
    };
    const auto view = [&](const detail::seen_cell& c) -> const grid_view& {
        return grid.views[static_cast<std::size_t>(c.said.view)];
    };
    if (explains([](const auto& c) { return c.shown == c.token; })) {
        out.fault = layout_fault::none;
        out.says = "The layout is right" + share + ".";
        return out;
    }
    const auto [down, right] = detail::mode_of(cells, [](const auto& c) {
        return std::pair{c.seen.row - c.said.row, c.seen.column - c.said.column};
    });
    out.shift = detail::mode_of(cells, [](const auto& c) { return c.shown - c.token; });
    // A shift takes row ends to the next row, a displacement does not: the one that explains more is meant.
    const auto is_shifted = [&](const auto& c) { return c.shown - c.token == out.shift; };
    const auto is_displaced = [d = down, r = right](const auto& c) {
        return c.seen.row - c.said.row == d && c.seen.column - c.said.column == r;
    };
    if (std::abs(out.shift) <= 8 && explains(is_shifted) && count(is_shifted) > count(is_displaced)) {
        out.fault = layout_fault::shifted;
        out.says = "Each image token shows the cell of the token " + std::to_string(std::abs(out.shift)) +
                   (out.shift > 0 ? " after it" : " before it") +
                   ": a class or register token is counted as a patch, or the order is off" + share + ".";
        return out;
    }
    out.shift = 0;
    if (explains([](const auto& c) {
            return c.seen.row == c.said.column && c.seen.column == c.said.row && c.seen.view == c.said.view;
        })) {
        out.fault = layout_fault::transposed;
        out.says = "Rows and columns are exchanged: the tokens run down the columns" + share + ".";
        return out;
    }
    for (const auto& [rows, columns] :
         {std::pair{true, false}, std::pair{false, true}, std::pair{true, true}}) {
        if (explains([&, r = rows, u = columns](const auto& c) {
                return c.seen.row == (r ? view(c).rows - 1 - c.said.row : c.said.row) &&
                       c.seen.column == (u ? view(c).columns - 1 - c.said.column : c.said.column);
            })) {
            out.fault = layout_fault::mirrored;
            out.says = std::string(rows ? (columns ? "Rows and columns run" : "Rows run") : "Columns run") +
                       " backwards" + share + ".";
            return out;
        }
    }
    if ((down != 0 || right != 0) && explains([&, d = down, r = right](const auto& c) {
            return std::abs(c.seen.row - c.said.row - d) + std::abs(c.seen.column - c.said.column - r) <= 1;
        })) {
        out.fault = layout_fault::displaced;
        out.rows = down;
        out.columns = right;
        out.says = "Tokens show cells " + std::to_string(down) + " rows lower and " + std::to_string(right) +
                   " columns further right than the layout says: the padding is on another side, or missing" +
                   share + ".";
        return out;
    }
    out.row_scale = detail::slope_of(cells, [](const layout_token& t) { return t.row; });
    out.column_scale = detail::slope_of(cells, [](const layout_token& t) { return t.column; });
    double row_middle = 0, column_middle = 0;
    for (const auto& c : cells) {
        row_middle += static_cast<double>(c.seen.row) - out.row_scale * static_cast<double>(c.said.row);
        column_middle +=
            static_cast<double>(c.seen.column) - out.column_scale * static_cast<double>(c.said.column);
    }
    row_middle /= static_cast<double>(cells.size());
    column_middle /= static_cast<double>(cells.size());
    if (explains([&](const auto& c) {
            const double row = out.row_scale * static_cast<double>(c.said.row) + row_middle;
            const double column = out.column_scale * static_cast<double>(c.said.column) + column_middle;
            return std::abs(row - static_cast<double>(c.seen.row)) <= 1.5 &&
                   std::abs(column - static_cast<double>(c.seen.column)) <= 1.5;
        })) {
        out.fault = layout_fault::scaled;
        char text[160];
        std::snprintf(
            text, sizeof text,
            "A cell of the layout is %.2f cells high and %.2f wide in the image that the model saw: "
            "another patch size, crop or stretch",
            out.row_scale, out.column_scale);
        out.says = text + share + ".";
        return out;
    }
    out.says = "Image tokens do not follow the cells in any simple way" + share + ".";
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
