// cv::Mat as views of every depth and layout, as the image of ground() and as masks; Mats out of views;
// layers drawn onto Mats against the same on pictures.
#include "ostend/adapt/opencv.hpp"
#include "ostend/adapt/opencv_overlay.hpp"
#include "ostend/host/graph_cut.hpp"
#include "support/errors.hpp"
#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace {

using namespace ostend;
using ostend::index;

cv::Mat random_mat(int rows, int columns, int type, std::mt19937& draw) {
    cv::Mat mat(rows, columns, type);
    for (int y = 0; y < rows; ++y) {
        std::uint8_t* row = mat.ptr(y);
        for (std::size_t i = 0; i < static_cast<std::size_t>(columns) * mat.elemSize(); ++i) {
            row[i] = static_cast<std::uint8_t>(draw());
        }
    }
    return mat;
}

template <class T>
bool same_bits(const T& a, const T& b) {
    return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
void check_depth(int depth) {
    CAPTURE(depth);
    std::mt19937 draw(9);
    for (const int channels : {1, 2, 3, 4, 7}) {
        const cv::Mat whole = random_mat(9, 11, CV_MAKETYPE(depth, channels), draw);
        const cv::Mat region = whole(cv::Rect(2, 3, 5, 4)); // gaps between rows
        for (const cv::Mat& mat : {whole, region, whole.row(4), whole.col(7)}) {
            const auto view = from_opencv<T, 3>(mat);
            REQUIRE_MESSAGE(view, view.error().message());
            REQUIRE(view->extents() == std::array<index, 3>{mat.rows, mat.cols, channels});
            for (int y = 0; y < mat.rows; ++y) {
                for (int x = 0; x < mat.cols; ++x) {
                    const T* pixel =
                        reinterpret_cast<const T*>(mat.data + static_cast<std::size_t>(y) * mat.step[0]) +
                        x * channels;
                    for (int c = 0; c < channels; ++c) {
                        REQUIRE(same_bits(view->load(y, x, c), pixel[c]));
                    }
                }
            }
            // And back: over the same memory, and as a copy.
            const cv::Mat over = to_opencv(*view);
            CHECK(over.data == mat.data);
            CHECK(over.type() == mat.type());
            const cv::Mat copy = copy_to_opencv(*view);
            CHECK(copy.isContinuous());
            CHECK(copy.type() == mat.type());
            for (const cv::Mat& other : {over, copy}) {
                REQUIRE(other.size() == mat.size());
                for (int y = 0; y < mat.rows; ++y) {
                    CHECK(std::memcmp(other.ptr(y), mat.ptr(y),
                                      static_cast<std::size_t>(mat.cols) * mat.elemSize()) == 0);
                }
            }
        }
        if (channels == 1) {
            const auto flat = from_opencv<T, 2>(region);
            REQUIRE(flat);
            CHECK(same_bits(flat->load(1, 2), region.at<T>(1, 2)));
            CHECK(to_opencv(*flat).data == region.data);
            CHECK(copy_to_opencv(flat->permuted({1, 0})).rows == 5);
        }
    }
}

TEST_CASE("every depth, channels, regions and columns, both ways") {
    check_depth<std::uint8_t>(CV_8U);
    check_depth<std::int8_t>(CV_8S);
    check_depth<std::uint16_t>(CV_16U);
    check_depth<std::int16_t>(CV_16S);
    check_depth<std::int32_t>(CV_32S);
    check_depth<float>(CV_32F);
    check_depth<double>(CV_64F);
    check_depth<f16>(CV_16F);
}

TEST_CASE("CV_16F is read as its numbers") {
    const cv::Mat numbers = (cv::Mat_<float>(1, 3) << 1.5F, -2.0F, 0.25F);
    cv::Mat half;
    numbers.convertTo(half, CV_16F);
    const auto view = from_opencv<f16, 2>(half);
    REQUIRE(view);
    for (index x = 0; x < 3; ++x) {
        CHECK(to_float(view->load(0, x)) == numbers.at<float>(0, static_cast<int>(x)));
    }
}

TEST_CASE("Mats of more axes") {
    const std::array<int, 3> sizes{2, 3, 4};
    cv::Mat mat(3, sizes.data(), CV_32F);
    for (int i = 0; i < 24; ++i) {
        reinterpret_cast<float*>(mat.data)[i] = static_cast<float>(i);
    }
    const auto view = from_opencv<float, 3>(mat);
    REQUIRE_MESSAGE(view, view.error().message());
    CHECK(view->extents() == std::array<index, 3>{2, 3, 4});
    CHECK(view->load(1, 2, 3) == 23);
    CHECK(from_opencv<float, 4>(mat)->extents() == std::array<index, 4>{2, 3, 4, 1});
    const std::array<cv::Range, 3> part{cv::Range(1, 2), cv::Range(0, 2), cv::Range(1, 3)};
    const auto inner = from_opencv<float, 3>(mat(part.data()));
    REQUIRE(inner);
    CHECK(inner->load(0, 1, 1) == 18);
}

TEST_CASE("a Mat_ is a tensor as it is") {
    cv::Mat_<float> mat(3, 4);
    for (int i = 0; i < 12; ++i) {
        mat(i / 4, i % 4) = static_cast<float>(i);
    }
    cv::Mat_<float> part = mat(cv::Rect(1, 1, 2, 2));
    static_assert(std::is_same_v<decltype(as_view(part)), tensor_view<float, 2>>);
    static_assert(std::is_same_v<decltype(as_view(std::as_const(part))), tensor_view<const float, 2>>);
    as_view(part)(1, 1) = 100;
    CHECK(mat(2, 2) == 100);
    CHECK(as_view(std::as_const(part))(0, 1) == 6);
    static_assert(!tensor_like<cv::Mat&>);
    const std::array<int, 3> sizes{2, 3, 4};
    const cv::Mat_<float> cube(3, sizes.data());
    CHECK_EXPECTS(as_view(cube), "3 axes of 1 channels where 2 axes are expected");
}

TEST_CASE("Mats that are not what is expected, by field") {
    const cv::Mat mat(2, 3, CV_32FC3);
    CHECK_ERROR((from_opencv<float, 2>(cv::Mat())), "cv::Mat.data: ", "empty");
    CHECK_ERROR((from_opencv<double, 3>(mat)), "cv::Mat.depth: ", "CV_32F where CV_64F is expected");
    CHECK_ERROR((from_opencv<f16, 3>(mat)), "cv::Mat.depth: ", "CV_32F where CV_16F is expected");
    CHECK_ERROR((from_opencv<float, 2>(mat)),
                "cv::Mat.dims: ", "2 axes of 3 channels where 2 axes are expected");
    CHECK_ERROR((from_opencv<float, 4>(mat)), "cv::Mat.dims: ", "4 axes are expected");
    std::vector<std::uint8_t> bytes(64);
    cv::Mat odd(2, 2, CV_16U, bytes.data(), 8);
    odd.step[0] = 7; // the constructors refuse it
    CHECK_ERROR((from_opencv<std::uint16_t, 2>(odd)),
                "cv::Mat.step: ", "7 bytes are not whole elements of 2");
    const auto none = from_opencv<float, 3>(cv::Mat(0, 5, CV_32FC3));
    REQUIRE(none);
    CHECK(none->extents() == std::array<index, 3>{0, 5, 3});
}

TEST_CASE("views that a Mat cannot be laid over") {
    std::vector<float> values(600);
    const tensor_view<float, 2> view(values.data(), {4, 6});
    CHECK_EXPECTS(to_opencv(view.permuted({1, 0})), "gaps within a row");
    CHECK_EXPECTS(to_opencv(tensor_view<float, 2>(values.data() + 18, {4, 6}, {-6, 1})),
                  "copy_to_opencv takes it");
    CHECK_EXPECTS(to_opencv(tensor_view<float, 2>(values.data(), {4, 6}, {0, 1})), "copy_to_opencv takes it");
    CHECK(to_opencv(view.range(1, 1, 3)).step[0] == 6 * sizeof(float));
    CHECK(copy_to_opencv(tensor_view<float, 2>(values.data() + 18, {4, 6}, {-6, 1})).rows == 4);
    CHECK_EXPECTS(to_opencv(tensor_view<float, 3>(values.data(), {1, 1, 600})), "600 channels");
    CHECK_EXPECTS(copy_to_opencv(tensor_view<float, 3>(values.data(), {1, 1, 600})), "600 channels");
    CHECK(to_opencv(tensor_view<float, 2>(nullptr, {0, 6})).cols == 6);
    CHECK_EXPECTS(to_opencv(tensor_view<float, 2>(nullptr, {index{1} << 31, 0})), "a Mat's are ints");
}

TEST_CASE("pictures of one, three and four channels as images, red first, nothing copied") {
    std::mt19937 draw(6);
    for (const int channels : {1, 3, 4}) {
        const cv::Mat whole = random_mat(12, 15, CV_8UC(channels), draw);
        const cv::Mat region = whole(cv::Rect(3, 2, 9, 8));
        for (const cv::Mat& mat : {whole, region}) {
            const auto image = opencv_image(mat);
            REQUIRE_MESSAGE(image, image.error().message());
            REQUIRE(image->extents() == std::array<index, 3>{mat.rows, mat.cols, 3});
            for (int y = 0; y < mat.rows; ++y) {
                for (int x = 0; x < mat.cols; ++x) {
                    const std::uint8_t* pixel = mat.ptr(y) + x * channels;
                    for (int c = 0; c < 3; ++c) {
                        REQUIRE((*image)(y, x, c) == pixel[channels == 1 ? 0 : 2 - c]);
                    }
                }
            }
        }
    }
    const auto none = opencv_image(cv::Mat(0, 4, CV_8UC3));
    REQUIRE(none);
    CHECK(none->empty());
    CHECK_ERROR(opencv_image(cv::Mat(2, 2, CV_8UC2)), "cv::Mat.channels: ", "2 channels where 1, 3 or 4");
    CHECK_ERROR(opencv_image(cv::Mat(2, 2, CV_16UC3)), "cv::Mat.depth: ", "CV_16U where CV_8U");
    CHECK_ERROR(opencv_image(cv::Mat()), "cv::Mat.data: ", "empty");
}

TEST_CASE("a segmenter sees the same image in a Mat as in red-first bytes") {
    cv::Mat mat(40, 60, CV_8UC3, cv::Scalar(40, 160, 60)); // blue, green, red
    std::vector<std::uint8_t> bytes;
    for (int y = 0; y < mat.rows; ++y) {
        for (int x = 0; x < mat.cols; ++x) {
            auto& pixel = mat.at<cv::Vec3b>(y, x);
            if (x >= 20 && x < 40 && y >= 10 && y < 30) {
                pixel = {30, 20, 220};
            }
            bytes.insert(bytes.end(), {pixel[2], pixel[1], pixel[0]});
        }
    }
    prompt asked;
    asked.points.push_back({{30.5, 20.5}, true});
    graph_cut_segmenter segmenter;
    const auto of_mat = segmenter.segment(*opencv_image(mat), std::span(&asked, 1));
    const auto of_bytes = segmenter.segment({bytes.data(), {40, 60, 3}}, std::span(&asked, 1));
    REQUIRE(of_mat);
    REQUIRE(of_bytes);
    REQUIRE(of_mat->front().size() == of_bytes->front().size());
    for (std::size_t k = 0; k < of_bytes->front().size(); ++k) {
        CHECK(of_mat->front()[k].mask == of_bytes->front()[k].mask);
        CHECK(of_mat->front()[k].score == of_bytes->front()[k].score);
    }
}

TEST_CASE("masks there and back") {
    std::mt19937 draw(4);
    for (int round = 0; round < 40; ++round) {
        const auto rows = static_cast<int>(draw() % 80);
        const auto columns = static_cast<int>(draw() % 90);
        cv::Mat whole(rows + 2, columns + 3, CV_8U);
        for (int y = 0; y < whole.rows; ++y) {
            for (int x = 0; x < whole.cols; ++x) {
                whole.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(draw() % 3 == 0 ? draw() % 256 : 0);
            }
        }
        const cv::Mat mat = whole(cv::Rect(1, 1, columns, rows));
        const auto mask = mask_from_opencv(mat);
        REQUIRE_MESSAGE(mask, mask.error().message());
        const cv::Mat back = to_opencv(*mask);
        REQUIRE(back.type() == CV_8U);
        REQUIRE(back.size() == mat.size());
        for (int y = 0; y < rows; ++y) {
            for (int x = 0; x < columns; ++x) {
                REQUIRE(back.at<std::uint8_t>(y, x) == (mat.at<std::uint8_t>(y, x) != 0 ? 255 : 0));
            }
        }
        CHECK(*mask_from_opencv(back) == *mask);
    }
    CHECK_ERROR(mask_from_opencv(cv::Mat(2, 2, CV_8UC3)), "cv::Mat.dims: ", "2 axes of 3 channels");
    CHECK_ERROR(mask_from_opencv(cv::Mat(2, 2, CV_32F)), "cv::Mat.depth: ", "CV_32F where CV_8U");
}

/// A picture of a Mat's colours.
picture picture_of(const cv::Mat& mat) {
    picture out(mat.rows, mat.cols, 3);
    for (int y = 0; y < mat.rows; ++y) {
        for (int x = 0; x < mat.cols; ++x) {
            for (int c = 0; c < 3; ++c) {
                out.at(y, x)[c] = mat.ptr(y)[x * mat.channels() + 2 - c];
            }
        }
    }
    return out;
}

TEST_CASE("layers on a Mat are those on a picture, and nothing beyond a region is touched") {
    std::mt19937 draw(12);
    for (const int type : {CV_8UC3, CV_8UC4}) {
        const cv::Mat before = random_mat(50, 70, type, draw);
        const cv::Rect area(5, 4, 60, 40);
        rle mask;
        {
            bitmap dense(20, 30); // of another size than the Mat
            for (auto& pixel : dense.pixels) {
                pixel = draw() % 4 != 0 ? 1 : 0;
            }
            mask = encode(dense);
        }
        matrix<float> map(40, 60);
        for (float& value : map.values()) {
            value = static_cast<float>(draw() % 1000);
        }
        const auto check = [&](auto&& on_mat, auto&& on_picture) {
            cv::Mat mat = before.clone();
            cv::Mat region = mat(area);
            picture expected = picture_of(region);
            const status good = on_mat(region);
            REQUIRE_MESSAGE(good, good.error().message());
            on_picture(expected);
            CHECK(picture_of(region).bytes == expected.bytes);
            CHECK(expected.bytes != picture_of(before(area)).bytes);
            for (int y = 0; y < mat.rows; ++y) {
                for (int x = 0; x < mat.cols; ++x) {
                    const bool in = area.contains({x, y});
                    for (int c = in ? 3 : 0; c < mat.channels(); ++c) { // alpha stays too
                        REQUIRE(mat.ptr(y)[x * mat.channels() + c] == before.ptr(y)[x * mat.channels() + c]);
                    }
                }
            }
        };
        check([&](cv::Mat& on) { return draw_mask(on, mask, phrase_colour(1)); },
              [&](picture& on) { compose(on, mask_layer(mask, phrase_colour(1), 40, 60)); });
        check([&](cv::Mat& on) { return draw_layer(on, heat_layer(map)); },
              [&](picture& on) { compose(on, heat_layer(map)); });
        check([&](cv::Mat& on) { return draw_peak(on, 20.5, 3.25); },
              [&](picture& on) { draw_peak(on, 20.5, 3.25); });
    }
    cv::Mat small(2, 2, CV_8UC3);
    CHECK_ERROR(draw_layer(small, picture(3, 2, 4)), "cv::Mat.size: ", "2 x 2 pixels under a layer of 2 x 3");
    cv::Mat grey(2, 2, CV_8U);
    CHECK_ERROR(draw_peak(grey, 1, 1), "cv::Mat.type: ", "CV_8U of 1 channels");
    CHECK_ERROR(draw_mask(grey, rle{2, 2, {4}}, {}), "cv::Mat.type: ", "drawn on are images");
    cv::Mat none;
    CHECK_ERROR(draw_layer(none, picture(0, 0, 4)), "cv::Mat.type: ", "0 axes");
    const std::array<int, 3> sizes{2, 3, 4};
    cv::Mat cube(3, sizes.data(), CV_8UC3);
    CHECK_ERROR(draw_peak(cube, 1, 1), "cv::Mat.type: ", "3 axes");
    CHECK_EXPECTS(draw_layer(small, picture(2, 2, 3)), "wanted RGBA");
}

TEST_CASE("pictures as Mats") {
    std::mt19937 draw(13);
    for (const int channels : {3, 4}) {
        picture from(5, 7, channels);
        for (auto& byte : from.bytes) {
            byte = static_cast<std::uint8_t>(draw());
        }
        const cv::Mat mat = to_opencv(from);
        REQUIRE(mat.type() == CV_8UC(channels));
        CHECK(shrink(*opencv_image(mat), 100).bytes == picture_of(mat).bytes);
        for (int y = 0; y < 5; ++y) {
            for (int x = 0; x < 7; ++x) {
                for (int c = 0; c < channels; ++c) {
                    CHECK(mat.ptr(y)[x * channels + c] == from.at(y, x)[c < 3 ? 2 - c : 3]);
                }
            }
        }
    }
    CHECK(to_opencv(picture(0, 3, 3)).empty());
}

} // namespace
