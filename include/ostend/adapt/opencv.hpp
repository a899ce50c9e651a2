// OpenCV: cv::Mat as views, as the image of ground(), and as masks; and Mats out of views and masks.
//
// A cv::Mat says its element type, channels and byte steps at run time only; each is checked. Regions and
// Mats with gaps between rows are read where they lie. Colours stand in OpenCV's order, blue first: an image
// is a view whose last axis runs backwards, and nothing is copied.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/tensor/traits.hpp"
#include "ostend/tensor/view.hpp"

#include <opencv2/core.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace ostend::inline v0 {
namespace detail {

template <class T>
concept opencv_element = std::same_as<T, std::uint8_t> || std::same_as<T, std::int8_t> ||
    std::same_as<T, std::uint16_t> || std::same_as<T, std::int16_t> || std::same_as<T, std::int32_t> ||
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, f16>;

template <opencv_element T>
[[nodiscard]] constexpr int opencv_depth() {
    if constexpr (std::same_as<T, f16>) {
        return CV_16F;
    } else {
        return cv::DataType<T>::depth;
    }
}

[[nodiscard]] inline std::string opencv_depth_name(int depth) {
    constexpr std::array<const char*, 8> names{"8U", "8S", "16U", "16S", "32S", "32F", "64F", "16F"};
    return depth >= 0 && depth < 8 ? std::string("CV_") + names[static_cast<std::size_t>(depth)]
                                   : "the depth " + std::to_string(depth);
}

/// A side as OpenCV counts it.
[[nodiscard]] inline int opencv_side(index side) {
    OSTEND_EXPECTS_ALWAYS(side <= std::numeric_limits<int>::max(),
                          "to_opencv: a side of " + std::to_string(side) + "; a Mat's are ints");
    return static_cast<int>(side);
}

[[nodiscard]] inline error opencv_error(const char* field, std::string what) {
    return {std::move(what), std::string("cv::Mat.") + field};
}

} // namespace detail

/// The view of a Mat of element type T, of its axes alone where it has one channel, or with the channels as
/// the last axis: [rows, columns] or [rows, columns, channels] of an image. The Mat must outlive the view.
/// Errors name the field that does not fit: a Mat without axes, depth, axes and channels, byte steps that are
/// not whole elements. Complexity O(Rank).
template <detail::opencv_element T, std::size_t Rank>
[[nodiscard]] result<tensor_view<const T, Rank>> from_opencv(const cv::Mat& mat) {
    static_assert(Rank >= 2, "ostend: a Mat has at least two axes");
    if (mat.dims == 0) {
        return detail::opencv_error("data", "the Mat is empty");
    }
    if (mat.depth() != detail::opencv_depth<T>()) {
        return detail::opencv_error("depth", detail::opencv_depth_name(mat.depth()) + " where " +
                                                 detail::opencv_depth_name(detail::opencv_depth<T>()) +
                                                 " is expected");
    }
    const auto axes = static_cast<std::size_t>(mat.dims);
    if (Rank != axes + 1 && (Rank != axes || mat.channels() != 1)) {
        return detail::opencv_error("dims", std::to_string(mat.dims) + " axes of " +
                                                std::to_string(mat.channels()) + " channels where " +
                                                std::to_string(Rank) + " axes are expected");
    }
    std::array<index, Rank> extents{};
    std::array<index, Rank> strides{};
    extents[Rank - 1] = mat.channels(); // overwritten where the channels are no axis
    strides[Rank - 1] = 1;
    for (std::size_t axis = 0; axis < axes; ++axis) {
        const std::size_t bytes = mat.step[static_cast<int>(axis)];
        if (bytes % sizeof(T) != 0) {
            return detail::opencv_error("step", std::to_string(bytes) + " bytes are not whole elements of " +
                                                    std::to_string(sizeof(T)));
        }
        extents[axis] = mat.size[static_cast<int>(axis)];
        strides[axis] = static_cast<index>(bytes / sizeof(T));
    }
    if (mat.empty()) {
        return tensor_view<const T, Rank>(nullptr, extents);
    }
    return tensor_view<const T, Rank>(reinterpret_cast<const T*>(mat.data), extents, strides);
}

/// A Mat_ knows its element type: as_view takes it as it is. Precondition: two axes.
template <detail::opencv_element T>
struct tensor_traits<cv::Mat_<T>> {
    static constexpr std::size_t rank = 2;
    using element = T;
    static constexpr bool owns = true;
    static tensor_view<T, 2> view(cv::Mat_<T>& x) {
        const auto read = tensor_traits<const cv::Mat_<T>>::view(x);
        return {const_cast<T*>(read.data()), read.extents(), read.strides()};
    }
};
template <detail::opencv_element T>
struct tensor_traits<const cv::Mat_<T>> {
    static constexpr std::size_t rank = 2;
    using element = const T;
    static constexpr bool owns = true;
    static tensor_view<const T, 2> view(const cv::Mat_<T>& x) {
        const auto read = from_opencv<T, 2>(x);
        OSTEND_EXPECTS_ALWAYS(read.has_value(), "as_view: " + read.error().message());
        return *read;
    }
};

/// A picture of bytes as the image of ground(): [rows, columns, 3] in the order red, green, blue. Blue,
/// green, red is read backwards, an alpha channel is passed over, grey is read three times. Nothing is
/// copied; the Mat must outlive the view. (A Mat that holds red first: from_opencv<std::uint8_t, 3>.) Errors:
/// other than CV_8U, other than 1, 3 or 4 channels, other than two axes.
[[nodiscard]] inline result<image_view> opencv_image(const cv::Mat& mat) {
    const auto pixels = from_opencv<std::uint8_t, 3>(mat);
    if (!pixels) {
        return pixels.error();
    }
    const index channels = pixels->extent(2);
    if (channels != 1 && channels != 3 && channels != 4) {
        return detail::opencv_error("channels",
                                    std::to_string(channels) + " channels where 1, 3 or 4 are expected");
    }
    if (pixels->empty()) {
        return image_view(nullptr, {pixels->extent(0), pixels->extent(1), 3});
    }
    return image_view(pixels->data() + (channels == 1 ? 0 : 2), {pixels->extent(0), pixels->extent(1), 3},
                      {pixels->stride(0), pixels->stride(1), channels == 1 ? 0 : -1});
}

/// A Mat over a view's memory, which must outlive it and be as writable as the Mat is used: [rows, columns],
/// or [rows, columns, channels] of at most 512 channels. Precondition: no gaps within a row, rows in order.
template <class T, std::size_t Rank>
requires((Rank == 2 || Rank == 3) && detail::opencv_element<std::remove_const_t<T>>) [[nodiscard]] cv::Mat
    to_opencv(const tensor_view<T, Rank>& view) {
    using value = std::remove_const_t<T>;
    const index channels = Rank == 3 ? view.extent(Rank - 1) : 1;
    OSTEND_EXPECTS_ALWAYS(channels >= 1 && channels <= CV_CN_MAX,
                          "to_opencv: " + std::to_string(channels) + " channels; a Mat has 1 to 512");
    const index width = view.extent(1) * channels;
    const bool whole = view.extent(0) <= 1 || view.stride(0) >= width;
    OSTEND_EXPECTS_ALWAYS(view.empty() || (whole && view[0].is_contiguous()),
                          "to_opencv: the view has gaps within a row, or its rows run backwards; "
                          "copy_to_opencv takes it");
    const int rows = detail::opencv_side(view.extent(0));
    const int columns = detail::opencv_side(view.extent(1));
    const int type = CV_MAKETYPE(detail::opencv_depth<value>(), static_cast<int>(channels));
    if (view.empty()) {
        return cv::Mat(rows, columns, type);
    }
    const index step = view.extent(0) > 1 ? view.stride(0) : width;
    return {rows, columns, type, const_cast<value*>(view.data()), static_cast<std::size_t>(step) * sizeof(T)};
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// A copy of a view of any strides, as above. Complexity O(elements).
template <class T, std::size_t Rank>
requires((Rank == 2 || Rank == 3) && v0::detail::opencv_element<std::remove_const_t<T>>) [[nodiscard]] cv::Mat
    copy_to_opencv(const tensor_view<T, Rank>& view) {
    using value = std::remove_const_t<T>;
    const index channels = Rank == 3 ? view.extent(Rank - 1) : 1;
    OSTEND_EXPECTS_ALWAYS(channels >= 1 && channels <= CV_CN_MAX,
                          "copy_to_opencv: " + std::to_string(channels) + " channels; a Mat has 1 to 512");
    cv::Mat out(v0::detail::opencv_side(view.extent(0)), v0::detail::opencv_side(view.extent(1)),
                CV_MAKETYPE(v0::detail::opencv_depth<value>(), static_cast<int>(channels)));
    for (index y = 0; y < view.extent(0); ++y) {
        auto* to = reinterpret_cast<value*>(out.ptr(static_cast<int>(y)));
        for (index x = 0; x < view.extent(1); ++x) {
            if constexpr (Rank == 2) {
                *to++ = view.load(y, x);
            } else {
                for (index c = 0; c < channels; ++c) {
                    *to++ = view.load(y, x, c);
                }
            }
        }
    }
    return out;
}

/// The mask as OpenCV has masks: CV_8U, 255 inside, 0 outside. Precondition: the counts sum to height *
/// width. Complexity O(pixels).
[[nodiscard]] inline cv::Mat to_opencv(const rle& mask) {
    cv::Mat out(v0::detail::opencv_side(mask.height), v0::detail::opencv_side(mask.width), CV_8U);
    decode(mask, tensor_view<std::uint8_t, 2>(out.data, {mask.height, mask.width}));
    for (int y = 0; y < out.rows; ++y) {
        std::uint8_t* row = out.ptr(y);
        for (int x = 0; x < out.cols; ++x) {
            row[x] = static_cast<std::uint8_t>(row[x] * 255);
        }
    }
    return out;
}

/// The mask of a Mat of bytes with one channel; any value but 0 is inside. Errors: as from_opencv, and more
/// pixels than a mask may have. Complexity O(pixels).
[[nodiscard]] inline result<rle> mask_from_opencv(const cv::Mat& mat) {
    const auto view = from_opencv<std::uint8_t, 2>(mat);
    if (!view) {
        return view.error();
    }
    if (const auto pixels = mask_pixels(view->extent(0), view->extent(1)); !pixels) {
        return pixels.error().in("cv::Mat.size");
    }
    return encode(*view);
}

} // namespace ostend::inline OSTEND_KERNELS
