// small_regions: fill small holes or drop small islands, exactly as segment-anything's remove_small_regions.
//
// Its rules: regions are 8-connected in both modes; in `holes` mode the background around the objects is a
// region like any other and is filled too when it is small; when every island is small the largest stays.
#pragma once

#include "ostend/mask/components.hpp"

#include <cstdint>
#include <vector>

namespace ostend::inline v0 {

enum class small_regions : std::uint8_t { holes, islands };

struct cleaned_mask {
    rle mask;
    bool changed = false; ///< a small region was found
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Regions with fewer pixels than `area_threshold` are small. Of equally large islands, all small, the one
/// stays that OpenCV labels first: blocks of 2 x 2 pixels, row by row. O(counts).
[[nodiscard]] inline cleaned_mask remove_small_regions(const rle& mask, double area_threshold,
                                                       small_regions what) {
    const rle searched = what == small_regions::holes ? complement(mask) : mask;
    const components_of_mask parts = components(searched, connectivity::eight);
    const auto is_small = [&](std::size_t c) {
        return static_cast<double>(parts.found[c].area) < area_threshold;
    };
    std::size_t small = 0;
    for (std::size_t c = 0; c < parts.found.size(); ++c) {
        small += is_small(c) ? 1U : 0U;
    }
    if (small == 0) {
        return {mask, false};
    }
    if (what == small_regions::holes) {
        return {complement(select_components(searched, parts, [&](std::size_t c) { return !is_small(c); })),
                true};
    }
    if (small < parts.found.size()) {
        return {select_components(searched, parts, [&](std::size_t c) { return !is_small(c); }), true};
    }
    const index blocks_a_row = (mask.width + 1) / 2;
    std::vector<index> first_block(parts.found.size(), blocks_a_row * (mask.height + 1));
    for (const component_piece& piece : parts.pieces) {
        index& block = first_block[piece.component];
        block = std::min(block, piece.y0 / 2 * blocks_a_row + piece.x0 / 2);
    }
    std::size_t best = 0;
    for (std::size_t c = 1; c < parts.found.size(); ++c) {
        const bool larger = parts.found[c].area > parts.found[best].area;
        const bool equal = parts.found[c].area == parts.found[best].area;
        best = larger || (equal && first_block[c] < first_block[best]) ? c : best;
    }
    return {select_components(searched, parts, [&](std::size_t c) { return c == best; }), true};
}

} // namespace ostend::inline OSTEND_KERNELS
