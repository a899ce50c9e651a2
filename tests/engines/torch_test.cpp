// at::Tensor as views, of every type and any strides, and every form that has no plain memory by its
// sentence; tensors out of views, matrices and masks.
#include "ostend/adapt/torch.hpp"
#include "ostend/adapt/torch_mask.hpp"
#include "support/errors.hpp"
#include "support/expects.hpp"

#include <ATen/ATen.h>
#include <c10/core/TensorImpl.h>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace {

using namespace ostend;
using ostend::index;

/// Every element of a rank-3 view against torch's own indexing.
template <class T>
void check_elements(const at::Tensor& tensor) {
    const auto view = from_torch<T, 3>(tensor);
    REQUIRE_MESSAGE(view, view.error().message());
    static_assert(std::is_same_v<decltype(view), const result<tensor_view<const T, 3>>>);
    for (index i = 0; i < view->extent(0); ++i) {
        for (index j = 0; j < view->extent(1); ++j) {
            for (index k = 0; k < view->extent(2); ++k) {
                const double expected = tensor[i][j][k].to(at::kDouble).item<double>();
                REQUIRE(static_cast<double>(to_float(view->load(i, j, k))) == expected);
            }
        }
    }
}

template <class T>
void check_type(at::ScalarType type) {
    CAPTURE(at::toString(type));
    std::mt19937 draw(3);
    const auto below = [&draw](std::int64_t n) { return static_cast<std::int64_t>(draw()) % n; };
    for (int round = 0; round < 20; ++round) {
        const std::array<std::int64_t, 3> sizes{1 + below(4), 1 + below(5), 1 + below(6)};
        // Whole numbers that every type holds.
        at::Tensor tensor = at::randint(0, 100, sizes, at::kLong).to(type);
        tensor = tensor.permute(round % 3 == 0   ? std::array<std::int64_t, 3>{2, 0, 1}
                                : round % 3 == 1 ? std::array<std::int64_t, 3>{0, 2, 1}
                                                 : std::array<std::int64_t, 3>{0, 1, 2});
        check_elements<T>(tensor);
        check_elements<T>(tensor.slice(0, tensor.size(0) / 2, tensor.size(0)));
        check_elements<T>(tensor.slice(2, 0, tensor.size(2), 2));
        check_elements<T>(tensor.narrow(1, tensor.size(1) - 1, 1).expand({-1, 4, -1}));
    }
    const auto view = from_torch<T, 3>(at::zeros({2, 3, 4}, type));
    REQUIRE(view);
    bool visited = false;
    const auto done = visit_torch<3>(at::ones({2, 3, 4}, type), [&](const auto& seen) {
        visited = std::is_same_v<std::remove_cvref_t<decltype(seen)>, tensor_view<const T, 3>>;
    });
    CHECK(done);
    CHECK(visited);
}

TEST_CASE("every element type that both sides have, of any strides") {
    at::manual_seed(1);
    check_type<float>(at::kFloat);
    check_type<double>(at::kDouble);
    check_type<f16>(at::kHalf);
    check_type<bf16>(at::kBFloat16);
    check_type<std::int8_t>(at::kChar);
    check_type<std::int16_t>(at::kShort);
    check_type<std::int32_t>(at::kInt);
    check_type<std::int64_t>(at::kLong);
    check_type<std::uint8_t>(at::kByte);
    const at::Tensor yes = at::tensor({1, 0, 1}, at::kByte).to(at::kBool);
    CHECK(from_torch<std::uint8_t, 1>(yes)->load(2) == 1);
    CHECK(from_torch<bool, 1>(yes)->load(1) == false);
}

TEST_CASE("the tensor's own memory, empty tensors, and tensors that require grad") {
    const at::Tensor tensor = at::arange(24, at::kFloat).view({4, 6});
    const auto part = from_torch<float, 2>(tensor.narrow(0, 2, 2));
    REQUIRE(part);
    CHECK(part->data() == tensor.data_ptr<float>() + 12);
    const auto none = from_torch<float, 3>(at::empty({2, 0, 3}));
    REQUIRE(none);
    CHECK(none->extents() == std::array<index, 3>{2, 0, 3});
    at::Tensor learnt = at::ones({2, 2});
    learnt.requires_grad_(true);
    CHECK(from_torch<float, 2>(learnt)->load(1, 1) == 1);
}

/// A tensor that says that it lies on a CUDA device, without one: its memory is the host's.
at::Tensor pretends_cuda(std::vector<float>& memory) {
    c10::DataPtr data(memory.data(), c10::Device(c10::DeviceType::CUDA, 0));
    c10::Storage storage(c10::Storage::use_byte_size_t{}, memory.size() * sizeof(float), std::move(data));
    auto impl = c10::make_intrusive<c10::TensorImpl>(
        std::move(storage), c10::DispatchKeySet(c10::DispatchKey::CUDA), caffe2::TypeMeta::Make<float>());
    impl->set_sizes_contiguous({static_cast<std::int64_t>(memory.size())});
    return at::Tensor(std::move(impl));
}

TEST_CASE("tensors that are not what is expected, by field") {
    const at::Tensor tensor = at::ones({2, 3});
    const auto said = [](const at::Tensor& given) { return from_torch<float, 2>(given); };
    CHECK_ERROR(said(at::Tensor()), "at::Tensor.data: ", "undefined");
    CHECK_ERROR((from_torch<float, 3>(tensor)), "at::Tensor.sizes: ", "[2, 3] where 3 axes are expected");
    CHECK_ERROR((from_torch<bf16, 2>(tensor)), "at::Tensor.dtype: ", "Float where BFloat16 is expected");
    CHECK_ERROR((from_torch<bool, 2>(tensor)), "at::Tensor.dtype: ", "Float where Bool is expected");
    CHECK_ERROR(said(tensor.to_sparse()), "at::Tensor.layout: ", "to_dense()");
    CHECK_ERROR(said(at::quantize_per_tensor(tensor, 0.1, 0, at::kQInt8)),
                "at::Tensor.dtype: ", "dequantize() it first");
    CHECK_ERROR(said(at::empty({2, 3}, at::TensorOptions(at::kMeta))), "at::Tensor.device: ", "meta");
    std::vector<float> memory(6);
    CHECK_ERROR((from_torch<float, 1>(pretends_cuda(memory))),
                "at::Tensor.device: ", "lies on cuda:0; cpu() copies it");
    const at::Tensor complex = at::complex(tensor, tensor);
    CHECK_ERROR(said(complex), "at::Tensor.dtype: ", "ComplexFloat where Float is expected");
    CHECK_ERROR(said(at::conj(complex)), "at::Tensor.data: ", "resolve_conj()");
    const at::Tensor negated = at::imag(at::conj(complex)); // real numbers whose sign is only noted
    CHECK_ERROR(said(negated), "at::Tensor.data: ", "resolve_neg()");
    CHECK(said(negated.resolve_neg())->load(0, 0) == -1);
    CHECK_ERROR(said(at::_efficientzerotensor({2, 3}, at::TensorOptions(at::kFloat))),
                "at::Tensor.data: ", "clone()");
    CHECK_ERROR(said(at::_nested_tensor_from_tensor_list({at::ones({2}), at::ones({3})})),
                "at::Tensor.layout: ", "unbind()");
    CHECK_ERROR(visit_torch<2>(complex, [](const auto&) {}),
                "at::Tensor.dtype: ", "ComplexFloat is not an element type");
    CHECK_ERROR(visit_torch<1>(tensor, [](const auto&) {}), "at::Tensor.sizes: ", "1 axes are expected");
    CHECK_ERROR(visit_torch<1>(at::Tensor(), [](const auto&) {}), "at::Tensor.data: ", "undefined");
}

TEST_CASE("an accessor is a view as it is") {
    const at::Tensor tensor = at::arange(12, at::kFloat).view({3, 4}).t();
    const auto accessor = tensor.accessor<float, 2>();
    const auto view = as_view(accessor);
    static_assert(std::is_same_v<decltype(view), const tensor_view<float, 2>>);
    CHECK(view.extents() == std::array<index, 2>{4, 3});
    CHECK(view(3, 1) == 7);
    view(3, 1) = 70;
    CHECK(tensor[3][1].item<float>() == 70);
    const at::Tensor half = at::ones({2, 2}, at::kHalf);
    static_assert(std::is_same_v<decltype(as_view(half.accessor<at::Half, 2>())), tensor_view<f16, 2>>);
    CHECK(to_float(as_view(half.accessor<at::Half, 2>())(1, 0)) == 1);
    static_assert(
        std::is_same_v<decltype(as_view(half.accessor<const at::Half, 2>())), tensor_view<const f16, 2>>);
}

TEST_CASE("tensors over a view's memory") {
    std::vector<float> values(24);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(i);
    }
    const tensor_view<float, 3> view(values.data(), {2, 3, 4});
    const auto same = [](const at::Tensor& tensor, const auto& of) {
        REQUIRE(tensor.dim() == 2);
        for (index i = 0; i < of.extent(0); ++i) {
            for (index j = 0; j < of.extent(1); ++j) {
                CHECK(tensor[i][j].template item<float>() == of.load(i, j));
            }
        }
    };
    const auto turned = view[1].permuted({1, 0}).range(0, 0, 2, 3); // a step, transposed
    const at::Tensor tensor = to_torch(turned);
    CHECK(tensor.data_ptr() == turned.data());
    same(tensor, turned);
    tensor[1][2] = 90;
    CHECK(values[23] == 90);
    const tensor_view<const float, 2> backwards(values.data() + 23, {4, 6}, {-1, -4});
    CHECK_EXPECTS(to_torch(backwards), "the stride -1 of axis 0 is negative; copy_to_torch takes it");
    same(copy_to_torch(backwards), backwards);
    CHECK(copy_to_torch(tensor_view<const float, 2>(values.data() + 3, {4, 1}, {0, -7})).sizes() ==
          at::IntArrayRef({4, 1}));
    CHECK(to_torch(tensor_view<const float, 2>(nullptr, {0, 3})).sizes() == at::IntArrayRef({0, 3}));
    CHECK(copy_to_torch(tensor_view<const double, 2>(nullptr, {0, 3})).dtype() == at::kDouble);
    const std::vector<bf16> small{to_bf16(1.5F), to_bf16(-2.0F)};
    const at::Tensor brief = to_torch(tensor_view<const bf16, 1>(small.data(), {2}));
    CHECK(brief.dtype() == at::kBFloat16);
    CHECK(brief[0].item<float>() == 1.5F);
}

TEST_CASE("a matrix's values move into the tensor that owns them") {
    at::Tensor tensor;
    const float* data = nullptr;
    {
        matrix<float> map(2, 3);
        map(1, 2) = 7;
        data = map.values().data();
        tensor = to_torch(std::move(map));
    }
    CHECK(tensor.data_ptr() == data); // not copied
    CHECK(tensor.sizes() == at::IntArrayRef({2, 3}));
    CHECK(tensor[1][2].item<float>() == 7);
    const at::Tensor row = tensor[1];
    tensor = at::Tensor();
    CHECK(row[2].item<float>() == 7); // the last that refers to it keeps it
    CHECK(to_torch(matrix<float>(0, 3)).sizes() == at::IntArrayRef({0, 3}));
}

TEST_CASE("masks there and back") {
    std::mt19937 draw(8);
    for (int round = 0; round < 30; ++round) {
        const auto height = static_cast<std::int64_t>(draw() % 9);
        const auto width = static_cast<std::int64_t>(draw() % 70);
        const at::Tensor bytes = at::randint(0, 3, {height, width}, at::kByte);
        const auto mask = mask_from_torch(bytes.t());
        REQUIRE_MESSAGE(mask, mask.error().message());
        CHECK(mask->height == width);
        const at::Tensor back = to_torch(*mask);
        CHECK(back.dtype() == at::kBool);
        CHECK(at::equal(back, bytes.t() != 0));
        CHECK(*mask_from_torch(back) == *mask);
    }
    CHECK_ERROR(mask_from_torch(at::ones({2, 2})), "at::Tensor.dtype: ", "Float where Byte");
    CHECK_ERROR(mask_from_torch(at::ones({1, 2, 2}, at::kBool)), "at::Tensor.sizes: ", "[1, 2, 2]");
}

TEST_CASE("what torch throws becomes a sentence") {
    const auto product = torch_result([] { return at::matmul(at::ones({2, 3}), at::ones({2, 3})); });
    REQUIRE(!product);
    CHECK(product.error().message() == "torch: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)");
    CHECK(torch_result([] { return at::ones({2}); }));
    CHECK_ERROR(torch_result([]() -> int { throw std::runtime_error("first line.\nsecond"); }),
                "torch: ", "first line");
}

} // namespace
