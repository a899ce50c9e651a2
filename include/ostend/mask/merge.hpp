// merge: masks that show the same object become one, their union.
#pragma once

#include "ostend/mask/nms.hpp"
#include "ostend/mask/set_operations.hpp"

#include <span>
#include <vector>

namespace ostend::inline v0 {

struct merged_mask {
    rle mask = {};                   ///< the union of its members
    std::vector<index> members = {}; ///< ascending; the first stands for them
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The masks with their duplicates united: each mask goes to the first one before it that stands for itself
/// and whose IoU with it is above the threshold (merge_duplicates), in the order of those. Unions are not
/// compared again. Precondition: equal sizes. O(n * kept) pairs and the runs of the unions.
[[nodiscard]] inline std::vector<merged_mask> unite_duplicates(std::span<const rle> masks,
                                                               const nms_options& options = {}) {
    const std::vector<index> stands_for = merge_duplicates(masks, options);
    std::vector<merged_mask> out;
    std::vector<std::size_t> place(masks.size());
    for (std::size_t i = 0; i < masks.size(); ++i) {
        const auto first = static_cast<std::size_t>(stands_for[i]);
        if (first == i) {
            place[i] = out.size();
            out.emplace_back();
        }
        out[place[first]].members.push_back(static_cast<index>(i));
    }
    for (merged_mask& merged : out) {
        merged.mask = detail::unite_range(0, merged.members.size(), [&](std::size_t i) -> const rle& {
            return masks[static_cast<std::size_t>(merged.members[i])];
        });
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
