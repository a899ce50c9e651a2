// outline_path: the edge of a mask as an SVG path along pixel borders, sharp at every zoom.
//
// A path is smaller than an image of the mask and can be filled, stroked and pointed at by the page itself.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/bitmap.hpp"

#include <array>
#include <string>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Unit edges between the corners of pixels, walked with the inside on the right hand.
class outline_walk {
public:
    explicit outline_walk(const bitmap& mask) : mask_(mask), walked_(mask.height, mask.width) {}

    /// One closed loop for each border of the mask, holes included, as "M x y h.. v.. ... z".
    std::string run() {
        std::string path;
        for (index y = 0; y < mask_.height; ++y) {
            for (index x = 0; x < mask_.width; ++x) {
                if (leaves(0, x, y) && walked_(y, x) == 0) {
                    loop(x, y, path);
                }
            }
        }
        return path;
    }

private:
    static constexpr std::array<index, 4> dx{1, 0, -1, 0}; // right, down, left, up
    static constexpr std::array<index, 4> dy{0, 1, 0, -1};

    [[nodiscard]] bool inside(index x, index y) const {
        return x >= 0 && y >= 0 && x < mask_.width && y < mask_.height && mask_(y, x) != 0;
    }
    /// Does an edge of the outline leave corner (x, y) in this direction?
    [[nodiscard]] bool leaves(std::size_t direction, index x, index y) const {
        switch (direction) {
        case 0:
            return inside(x, y) && !inside(x, y - 1);
        case 1:
            return inside(x - 1, y) && !inside(x, y);
        case 2:
            return inside(x - 1, y - 1) && !inside(x - 1, y);
        default:
            return inside(x, y - 1) && !inside(x - 1, y - 1);
        }
    }
    void loop(index x, index y, std::string& path) {
        const index start_x = x;
        const index start_y = y;
        path += "M" + std::to_string(x) + " " + std::to_string(y);
        std::size_t direction = 0;
        index length = 0;
        do {
            if (direction == 0) {
                walked_(y, x) = 1; // every loop has an edge to the right; one mark tells them apart
            }
            x += dx[direction];
            y += dy[direction];
            ++length;
            // Right first: where two pixels touch at a corner only, their loops stay apart.
            const std::size_t before = direction;
            for (const std::size_t turn : {std::size_t{1}, std::size_t{0}, std::size_t{3}}) {
                direction = (before + turn) % 4;
                if (leaves(direction, x, y)) {
                    break;
                }
            }
            if (direction != before) {
                const index signed_length = before == 0 || before == 1 ? length : -length;
                path += (before % 2 == 0 ? "h" : "v") + std::to_string(signed_length);
                length = 0;
            }
        } while (x != start_x || y != start_y || direction != 0);
        path += "z";
    }

    const bitmap& mask_;
    bitmap walked_; ///< by its upper edge
};

} // namespace detail

/// The borders of a mask in its own pixels, for the `d` of an SVG path; empty for an empty mask. Filled by
/// either rule it covers the inside pixels and no others. O(pixels + path); workspace a byte a pixel.
[[nodiscard]] inline std::string outline_path(const bitmap& mask) { return detail::outline_walk(mask).run(); }

} // namespace ostend::inline OSTEND_KERNELS
