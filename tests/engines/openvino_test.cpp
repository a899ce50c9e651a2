// OpenVINO's tensors as views both ways; models read with errors as values.
#include "ostend/adapt/openvino.hpp"
#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

namespace {

using namespace ostend;
using ostend::index; // not the one of <strings.h>

template <class T>
void check_both_ways(ov::element::Type type) {
    CAPTURE(type.to_string());
    std::vector<T> values(2 * 3 * 4);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
            values[i].bits = static_cast<std::uint16_t>(0x3c00 + i);
        } else {
            values[i] = static_cast<T>(i + 1);
        }
    }
    const tensor_view<const T, 3> view(values.data(), {2, 3, 4});
    const ov::Tensor tensor = to_openvino(view);
    CHECK(tensor.get_element_type() == type);
    CHECK(tensor.get_shape() == ov::Shape{2, 3, 4});
    CHECK(tensor.data() == values.data()); // nothing is copied
    const auto back = from_openvino<T, 3>(tensor);
    REQUIRE_MESSAGE(back, back.error().message());
    CHECK(back->data() == values.data());
    CHECK(back->extents() == view.extents());
    CHECK(back->strides() == view.strides());
}

TEST_CASE("every element type that both sides have, both ways and without a copy") {
    check_both_ways<float>(ov::element::f32);
    check_both_ways<double>(ov::element::f64);
    check_both_ways<f16>(ov::element::f16);
    check_both_ways<bf16>(ov::element::bf16);
    check_both_ways<std::int8_t>(ov::element::i8);
    check_both_ways<std::int32_t>(ov::element::i32);
    check_both_ways<std::int64_t>(ov::element::i64);
    check_both_ways<std::uint8_t>(ov::element::u8);
}

TEST_CASE("regions of a tensor have its strides; views of any strides are copied") {
    std::vector<float> values(5 * 7);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(i);
    }
    const ov::Tensor whole = to_openvino(tensor_view<const float, 2>(values.data(), {5, 7}));
    const ov::Tensor region(whole, {1, 2}, {4, 6});
    const auto view = from_openvino<float, 2>(region);
    REQUIRE_MESSAGE(view, view.error().message());
    CHECK(view->extents() == std::array<index, 2>{3, 4});
    for (index y = 0; y < 3; ++y) {
        for (index x = 0; x < 4; ++x) {
            CHECK(view->load(y, x) == static_cast<float>((y + 1) * 7 + x + 2));
        }
    }
    CHECK_EXPECTS(to_openvino(*view), "gaps between its elements");
    const tensor_view<const float, 2> turned(values.data() + 34, {7, 5},
                                             {-1, -7}); // from the end, transposed
    // With its namespace: code that the compiler's flags change is not shared between units.
    const ov::Tensor copied = ostend::OSTEND_KERNELS::copy_to_openvino(turned);
    CHECK(copied.get_shape() == ov::Shape{7, 5});
    for (std::size_t i = 0; i < 7; ++i) {
        for (std::size_t j = 0; j < 5; ++j) {
            CHECK(copied.data<float>()[i * 5 + j] == static_cast<float>(34 - i - 7 * j));
        }
    }
    CHECK(copy_to_openvino(tensor_view<const float, 2>(nullptr, {0, 3})).get_shape() == ov::Shape{0, 3});
}

TEST_CASE("tensors that are not what is expected, by field") {
    const ov::Tensor tensor(ov::element::f32, {2, 3});
    CHECK(from_openvino<float, 3>(tensor).error().message() ==
          "ov::Tensor.shape: [2, 3] where 3 axes are expected");
    CHECK(from_openvino<std::int64_t, 2>(tensor).error().message() ==
          "ov::Tensor.element_type: f32 where i64 is expected");
    CHECK(from_openvino<float, 2>(ov::Tensor()).error().message() == "ov::Tensor.data: the tensor is empty");
    const auto none = from_openvino<float, 2>(ov::Tensor(ov::element::f32, {0, 3}));
    REQUIRE(none);
    CHECK(none->empty());
}

TEST_CASE("what OpenVINO throws becomes a sentence with the file's name") {
    ov::Core core;
    const auto missing = read_openvino_model(core, "/nowhere/model.onnx");
    REQUIRE(!missing);
    CHECK(missing.error().field == "/nowhere/model.onnx");
    CHECK(!missing.error().what.empty());
    const auto file = std::filesystem::temp_directory_path() / "ostend_openvino_text.onnx";
    std::ofstream(file) << "this is no protobuf";
    const auto text = read_openvino_model(core, file.string());
    std::filesystem::remove(file);
    REQUIRE(!text);
    CHECK(text.error().field == file.string());
    CHECK(text.error().what.find('\n') == std::string::npos);
}

} // namespace
