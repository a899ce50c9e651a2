// opencv_overlay: the layers of a report drawn onto a cv::Mat, and pictures as Mats.
//
//     ostend::draw_mask(frame, phrase.mask, ostend::phrase_colour(0));
//     ostend::draw_peak(frame, phrase.at.at.x + 0.5, phrase.at.at.y + 0.5);
//
// The same pixels as compose() makes, in place, in OpenCV's order of colours; a region of a Mat is drawn on
// as well.
#pragma once

#include "ostend/adapt/opencv.hpp"
#include "ostend/report/overlay.hpp"
#include "ostend/report/picture.hpp"

#include <cstdint>
#include <string>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

[[nodiscard]] inline status check_canvas(const cv::Mat& below) {
    if (below.dims != 2 || (below.type() != CV_8UC3 && below.type() != CV_8UC4)) {
        return v0::detail::opencv_error("type", v0::detail::opencv_depth_name(below.depth()) + " of " +
                                                    std::to_string(below.channels()) + " channels and " +
                                                    std::to_string(below.dims) +
                                                    " axes; drawn on are images, CV_8UC3 or CV_8UC4");
    }
    return success{};
}

} // namespace detail

/// Lays an RGBA layer over a Mat of its size: CV_8U of 3 channels, or of 4, whose alpha stays. Errors name
/// the field of a Mat that is none of these. Precondition: the layer has 4 channels. Complexity O(pixels).
[[nodiscard]] inline status draw_layer(cv::Mat& below, const picture& layer) {
    OSTEND_EXPECTS(layer.channels == 4,
                   "draw_layer: a layer of " + std::to_string(layer.channels) + " channels; wanted RGBA");
    if (status good = detail::check_canvas(below); !good) {
        return good;
    }
    if (below.rows != layer.height || below.cols != layer.width) {
        return v0::detail::opencv_error("size", std::to_string(below.cols) + " x " +
                                                    std::to_string(below.rows) + " pixels under a layer of " +
                                                    std::to_string(layer.width) + " x " +
                                                    std::to_string(layer.height));
    }
    const int channels = below.channels();
    for (index y = 0; y < layer.height; ++y) {
        std::uint8_t* to = below.ptr(static_cast<int>(y));
        for (index x = 0; x < layer.width; ++x, to += channels) {
            const std::uint8_t* from = layer.at(y, x);
            for (int c = 0; c < 3; ++c) {
                to[2 - c] =
                    static_cast<std::uint8_t>((from[c] * from[3] + to[2 - c] * (255 - from[3]) + 127) / 255);
            }
        }
    }
    return success{};
}

/// A mask filled with a colour and outlined, whatever its size. Errors as draw_layer's. Preconditions: as
/// mask_layer's. Complexity O(pixels of both).
[[nodiscard]] inline status draw_mask(cv::Mat& below, const rle& mask, rgb colour,
                                      const mask_style& style = {}) {
    if (status good = detail::check_canvas(below); !good) {
        return good;
    }
    return draw_layer(below, mask_layer(mask, colour, below.rows, below.cols, style));
}

/// A ring and a dot around a point in the Mat's pixels. Errors as draw_layer's. Precondition: a finite point.
[[nodiscard]] inline status draw_peak(cv::Mat& below, double x, double y) {
    if (status good = detail::check_canvas(below); !good) {
        return good;
    }
    picture layer(below.rows, below.cols, 4);
    draw_peak(layer, x, y);
    return draw_layer(below, layer);
}

/// A picture as a Mat with OpenCV's order of colours: CV_8UC3, or CV_8UC4 with alpha. Complexity O(pixels).
/// (The other way: shrink(*opencv_image(mat), side).)
[[nodiscard]] inline cv::Mat to_opencv(const picture& from) {
    cv::Mat out(static_cast<int>(from.height), static_cast<int>(from.width), CV_8UC(from.channels));
    for (index y = 0; y < from.height; ++y) {
        std::uint8_t* to = out.ptr(static_cast<int>(y));
        for (index x = 0; x < from.width; ++x, to += from.channels) {
            const std::uint8_t* p = from.at(y, x);
            to[0] = p[2];
            to[1] = p[1];
            to[2] = p[0];
            if (from.channels == 4) {
                to[3] = p[3];
            }
        }
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
