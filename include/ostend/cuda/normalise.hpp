// normalise on a stream: maps less the mean map of every generated token (attention/normalise.hpp).
//
// Sums are f64; the rows of token_maps are shared out to a few blocks, as the shape alone decides.
#pragma once

#include "ostend/cuda/one_phase.hpp"
#include "ostend/cuda/workspace.hpp"

#include <algorithm>

namespace ostend::inline v0 {

struct subtract_mean_shape {
    index tokens = 0; ///< rows of token_maps
    index image_tokens = 0;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

[[nodiscard]] constexpr index token_parts(const subtract_mean_shape& shape) noexcept {
    return std::clamp<index>(shape.tokens / 8, 1, 16);
}

/// partial[part][column]: the sum of a part's rows, in order.
struct sum_rows_body : one_phase {
    device_tensor<const float, 2> maps = {};
    index rows = 0;
    index columns = 0;
    index parts = 0;
    double* partial = nullptr;

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const index column = place(at, columns).column;
        if (column >= columns) {
            return;
        }
        double sum = 0;
        for (index r = rows * at.y / parts; r < rows * (at.y + 1) / parts; ++r) {
            sum += static_cast<double>(*maps.at(r, column));
        }
        partial[at.y * columns + column] = sum;
    }
};

/// Some rows of one column less the mean.
struct subtract_body : one_phase {
    static constexpr index rows_each = 16;

    device_tensor<const float, 2> maps = {};
    const double* partial = nullptr;
    index rows = 0;
    index columns = 0;
    index parts = 0;
    double count = 1;
    device_tensor<float, 2> out = {};

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const auto [part_of_rows, column] = place(at, columns);
        if (column >= columns) {
            return;
        }
        double sum = 0;
        for (index part = 0; part < parts; ++part) {
            sum += partial[part * columns + column];
        }
        const double mean = sum / count;
        const index begin = part_of_rows * rows_each;
        for (index r = begin; r < begin + rows_each && r < rows; ++r) {
            *out.at(r, column) = static_cast<float>(static_cast<double>(*maps.at(r, column)) - mean);
        }
    }
};

} // namespace detail

[[nodiscard]] constexpr index workspace_bytes(const subtract_mean_shape& shape) noexcept {
    return detail::workspace_room<double>(detail::token_parts(shape) * shape.image_tokens);
}

/// out [any, image_tokens]: each row of maps less the mean row of token_maps [tokens, image_tokens]; f32, any
/// strides. out may be maps or token_maps themselves. No token maps: nothing is taken away. Two kernels.
/// Preconditions: the shapes agree. Errors: a launch's.
template <device_stream On, class Maps, class TokenMaps, class Out>
[[nodiscard]] status subtract_mean(const On& on, Maps&& maps, TokenMaps&& token_maps, Out&& out,
                                   const device_workspace& workspace) {
    const device_view<const float, 2> from(as_device_view<2>(maps));
    const device_view<const float, 2> mean_of(as_device_view<2>(token_maps));
    const device_view<float, 2> to(as_device_view<2>(out));
    const index columns = from.extent(1);
    const subtract_mean_shape shape{mean_of.extent(0), columns};
    OSTEND_EXPECTS(mean_of.extent(0) == 0 || mean_of.extent(1) == columns,
                   "subtract_mean: maps of " + std::to_string(columns) + " image tokens, token maps of " +
                       std::to_string(mean_of.extent(1)));
    OSTEND_EXPECTS(to.extents() == from.extents(), "subtract_mean: out is [" + std::to_string(to.extent(0)) +
                                                       ", " + std::to_string(to.extent(1)) + "], expected [" +
                                                       std::to_string(from.extent(0)) + ", " +
                                                       std::to_string(columns) + "]");
    detail::workspace_cutter cutter("subtract_mean", workspace, workspace_bytes(shape));
    detail::sum_rows_body sums;
    sums.maps = detail::for_kernel(mean_of);
    sums.rows = shape.tokens;
    sums.columns = columns;
    sums.parts = detail::token_parts(shape);
    sums.partial = cutter.take<double>(sums.parts * columns);
    detail::subtract_body subtract;
    subtract.maps = detail::for_kernel(from);
    subtract.partial = sums.partial;
    subtract.rows = from.extent(0);
    subtract.columns = columns;
    subtract.parts = sums.parts;
    subtract.count = static_cast<double>(std::max<index>(1, shape.tokens));
    subtract.out = detail::for_kernel(to);
    return detail::launches(on)
        .then(sums, {sums.blocks(1, columns), sums.parts})
        .then(subtract, {subtract.blocks(detail::blocks_for(subtract.rows, subtract.rows_each), columns)})
        .outcome();
}

} // namespace ostend::inline OSTEND_KERNELS
