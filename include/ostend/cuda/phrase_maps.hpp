// phrase maps on a stream: the maps of a phrase's tokens become one (phrase/group.hpp's group_maps).
//
// Which tokens make a phrase is decided on the host; the groups travel as two lists of int32.
#pragma once

#include "ostend/cuda/one_phase.hpp"
#include "ostend/cuda/workspace.hpp"
#include "ostend/phrase/group.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace ostend::inline v0 {

/// Group g holds the rows members[starts[g]] to members[starts[g + 1] - 1]; for a copy to device memory.
struct packed_groups {
    std::vector<std::int32_t> starts = {0}; ///< [groups + 1]
    std::vector<std::int32_t> members = {};
};

/// The same in device memory.
struct device_groups {
    device_view<const std::int32_t, 1> starts = {};
    device_view<const std::int32_t, 1> members = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Precondition: rows and their number are below 2^31. Complexity O(rows named).
[[nodiscard]] inline packed_groups pack_groups(std::span<const std::vector<index>> groups) {
    packed_groups packed;
    constexpr index most = std::numeric_limits<std::int32_t>::max();
    for (const std::vector<index>& group : groups) {
        for (const index row : group) {
            OSTEND_EXPECTS(row >= 0 && row <= most, "pack_groups: row " + std::to_string(row));
            packed.members.push_back(static_cast<std::int32_t>(row));
        }
        OSTEND_EXPECTS(static_cast<index>(packed.members.size()) <= most, "pack_groups: more than 2^31 rows");
        packed.starts.push_back(static_cast<std::int32_t>(packed.members.size()));
    }
    return packed;
}

namespace detail {

/// One phrase and image token.
struct group_body : one_phase {
    device_tensor<const float, 2> maps = {};
    device_tensor<const std::int32_t, 1> starts = {};
    device_tensor<const std::int32_t, 1> members = {};
    index rows = 0;
    index named = 0; ///< members
    index columns = 0;
    token_reduction reduce = token_reduction::mean;
    device_tensor<float, 2> out = {};

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const auto [group, column] = place(at, columns);
        if (column < columns) {
            *out.at(group, column) = value(group, column);
        }
    }
    /// The map of a member; NaN where it has none.
    OSTEND_DEVICE float of_member(index member, index column) const {
        const index row = *members.at(member);
        return row >= 0 && row < rows ? *maps.at(row, column) : not_a_number();
    }
    OSTEND_DEVICE float value(index group, index column) const {
        const index begin = *starts.at(group);
        const index end = *starts.at(group + 1);
        if (begin < 0 || begin >= end || end > named) {
            return not_a_number();
        }
        if (reduce == token_reduction::mean) {
            double sum = 0;
            for (index member = begin; member < end; ++member) {
                sum += static_cast<double>(of_member(member, column));
            }
            return static_cast<float>(sum / static_cast<double>(end - begin));
        }
        float best = of_member(begin, column);
        for (index member = begin + 1; member < end && reduce == token_reduction::max; ++member) {
            const float v = of_member(member, column);
            best = best == best && !(v <= best) ? v : best; // NaN wins
        }
        return best;
    }
};

} // namespace detail

/// out [groups, image_tokens]: for each group the mean (summed in f64, in the group's order), the maximum or
/// the first of its rows of token_maps [tokens, image_tokens]; f32, any strides. The host cannot see what the
/// lists hold: a group without tokens is a row of NaN, and so is one that names a row that does not exist;
/// NaN in a map stays (nan_policy::propagate). One kernel, no workspace. Preconditions: the shapes agree.
/// Errors: a launch's.
template <device_stream On, class TokenMaps, class Out>
[[nodiscard]] status group_maps(const On& on, TokenMaps&& token_maps, const device_groups& groups, Out&& out,
                                token_reduction reduce = token_reduction::mean) {
    const device_view<const float, 2> from(as_device_view<2>(token_maps));
    const device_view<float, 2> to(as_device_view<2>(out));
    OSTEND_EXPECTS(groups.starts.extent(0) >= 1 && to.extent(0) == groups.starts.extent(0) - 1 &&
                       to.extent(1) == from.extent(1),
                   "group_maps: out is [" + std::to_string(to.extent(0)) + ", " +
                       std::to_string(to.extent(1)) + "], expected [" +
                       std::to_string(groups.starts.extent(0) - 1) + ", " + std::to_string(from.extent(1)) +
                       "]");
    detail::group_body body;
    body.maps = detail::for_kernel(from);
    body.starts = detail::for_kernel(groups.starts);
    body.members = detail::for_kernel(groups.members);
    body.rows = from.extent(0);
    body.named = groups.members.extent(0);
    body.columns = from.extent(1);
    body.reduce = reduce;
    body.out = detail::for_kernel(to);
    return detail::launches(on).then(body, {body.blocks(to.extent(0), body.columns)}).outcome();
}

} // namespace ostend::inline OSTEND_KERNELS
