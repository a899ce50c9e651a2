// Masks as tensors of booleans, and back.
#pragma once

#include "ostend/adapt/torch.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/encode.hpp"

#include <string>

namespace ostend::inline OSTEND_KERNELS {

/// The mask as a tensor of booleans, [height, width], true inside. Precondition: the counts sum to
/// height * width. Complexity O(pixels).
[[nodiscard]] inline at::Tensor to_torch(const rle& mask) {
    at::Tensor out = at::empty({mask.height, mask.width}, at::TensorOptions(at::kBool));
    decode(mask, tensor_view<std::uint8_t, 2>(static_cast<std::uint8_t*>(out.data_ptr()),
                                              {mask.height, mask.width}));
    return out;
}

/// The mask of a tensor [height, width] of booleans or bytes; any value but 0 is inside. Errors: as
/// from_torch, and more pixels than a mask may have. Complexity O(pixels).
[[nodiscard]] inline result<rle> mask_from_torch(const at::Tensor& tensor) {
    const auto view = from_torch<std::uint8_t, 2>(tensor);
    if (!view) {
        return view.error();
    }
    if (const auto pixels = mask_pixels(view->extent(0), view->extent(1)); !pixels) {
        return pixels.error().in("at::Tensor.sizes");
    }
    return encode(*view);
}

} // namespace ostend::inline OSTEND_KERNELS
