// rle: a mask as COCO's run lengths. Column by column (down, then right), first the run of zeros (may be 0),
// then alternating. Every mask of the library travels in this form.
#pragma once

#include "ostend/core/element.hpp"

#include <cstdint>
#include <vector>

namespace ostend::inline v0 {

struct rle {
    index height = 0;
    index width = 0;
    std::vector<std::uint32_t> counts = {}; ///< sum = height * width

    friend bool operator==(const rle&, const rle&) = default;
};

} // namespace ostend::inline v0
