// from_logits on a stream: masks out of logits of their own size, as run lengths; no dense mask is made.
//
// Equal to mask/from_logits.hpp; the kernels are in cuda/mask_bodies.hpp.
#pragma once

#include "ostend/cuda/mask_bodies.hpp"
#include "ostend/cuda/workspace.hpp"
#include "ostend/mask/from_logits.hpp"

#include <span>

namespace ostend::inline v0 {

struct masks_shape {
    index masks = 0;
    index height = 0;
    index width = 0;
};

/// The mask on the host: counts is its row of the counts, copied. Error: it has more counts than there was
/// room for. O(counts).
[[nodiscard]] inline result<logits_mask> to_result(const device_mask& found, index height, index width,
                                                   std::span<const std::uint32_t> counts) {
    if (found.counts > counts.size()) {
        return error{"a mask of " + std::to_string(found.counts) + " counts, room for " +
                         std::to_string(counts.size()),
                     "counts", counts.size()};
    }
    return logits_mask{{height, width, {counts.begin(), counts.begin() + found.counts}},
                       found.area,
                       {static_cast<double>(found.x0), static_cast<double>(found.y0),
                        static_cast<double>(found.x1), static_cast<double>(found.y1)},
                       static_cast<double>(found.above_high) / static_cast<double>(found.above_low)};
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

[[nodiscard]] constexpr mask_words words_of(const masks_shape& shape) noexcept {
    return {shape.height, shape.width, blocks_for(shape.height, 64)};
}

} // namespace detail

/// Some 10 bytes for each 64 pixels.
[[nodiscard]] constexpr index workspace_bytes(const masks_shape& shape) noexcept {
    const index words = shape.masks * shape.width * detail::blocks_for(shape.height, 64);
    return detail::workspace_room<std::uint64_t>(words) + detail::workspace_room<std::uint16_t>(words);
}

/// The masks of logits [masks, height, width] in f32, f16 or bf16, any strides, compared in f32; NaN is
/// outside. counts [masks, room] gets each mask's run lengths, of which a mask has at most pixels + 1; found
/// [masks] how many there are, area, box and stability, and to_result makes a logits_mask of both, equal to
/// from_logits on the host. Two kernels. Preconditions: the shapes agree; at most max_mask_pixels a mask, and
/// 4,194,240 rows. Errors: a launch's.
template <device_stream On, class Logits, class Counts, class Found>
[[nodiscard]] status from_logits(const On& on, Logits&& logits, Counts&& counts, Found&& found,
                                 const device_workspace& workspace, const logits_options& options = {}) {
    const auto from = as_device_view<3>(logits);
    const device_view<std::uint32_t, 2> to(as_device_view<2>(counts));
    const device_view<device_mask, 1> measured(as_device_view<1>(found));
    using value = typename std::remove_const_t<decltype(from)>::value_type;
    static_assert(detail::device_element<value>,
                  "ostend: logits on the device are read as float, ostend::f16 or ostend::bf16");
    const masks_shape shape{from.extent(0), from.extent(1), from.extent(2)};
    const auto pixels = mask_pixels(shape.height, shape.width);
    OSTEND_EXPECTS(pixels.has_value(), "from_logits: " + pixels.error().what);
    OSTEND_EXPECTS(shape.height <= index{65535} * 64 && shape.width < (index{1} << 31U),
                   "from_logits: logits of " + std::to_string(shape.height) + " x " +
                       std::to_string(shape.width) + " have too long a side");
    OSTEND_EXPECTS(to.extent(0) == shape.masks && measured.extent(0) == shape.masks,
                   "from_logits: counts for " + std::to_string(to.extent(0)) + " and results for " +
                       std::to_string(measured.extent(0)) + " masks of " + std::to_string(shape.masks));
    detail::workspace_cutter cutter("from_logits", workspace, workspace_bytes(shape));
    const detail::mask_words words = detail::words_of(shape);
    const index count = shape.masks * shape.width * words.a_column;
    detail::threshold_body<value> compare;
    compare.logits = detail::for_reading(from);
    compare.words = words;
    compare.low = static_cast<float>(options.threshold - options.stability_offset);
    compare.middle = static_cast<float>(options.threshold);
    compare.high = static_cast<float>(options.threshold + options.stability_offset);
    compare.bits = cutter.take<std::uint64_t>(count);
    compare.tallies = cutter.take<std::uint16_t>(count);
    detail::runs_body runs;
    runs.words = words;
    runs.bits = compare.bits;
    runs.tallies = compare.tallies;
    runs.counts = detail::for_kernel(to);
    runs.room = to.extent(1);
    runs.out = detail::for_kernel(measured);
    return detail::launches(on)
        .then(compare, {compare.blocks(shape.masks, shape.width), words.a_column})
        .then(runs, {shape.masks})
        .outcome();
}

} // namespace ostend::inline OSTEND_KERNELS
