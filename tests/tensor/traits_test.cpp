#include "ostend/tensor/traits.hpp"

#include "support/expects.hpp"

#include <array>
#include <span>
#include <vector>

using namespace ostend;

namespace {

/// A host's own image type, adapted as documentation shows.
struct picture {
    int width = 0;
    int height = 0;
    std::vector<float> pixels;
};

/// A tensor whose rank is known only at run time.
struct any_array {
    std::vector<ostend::index> shape;
    std::vector<float> values;
};

} // namespace

template <>
struct ostend::tensor_traits<picture> {
    static constexpr std::size_t rank = 2;
    using element = float;
    static constexpr bool owns = true;
    static tensor_view<float, 2> view(picture& x) { return {x.pixels.data(), {x.height, x.width}}; }
};

template <>
struct ostend::dynamic_tensor_traits<any_array> {
    using element = float;
    static constexpr bool owns = true;
    static std::size_t rank(any_array& x) { return x.shape.size(); }
    template <std::size_t Rank>
    static tensor_view<float, Rank> view(any_array& x) {
        std::array<ostend::index, Rank> extents{};
        std::copy(x.shape.begin(), x.shape.end(), extents.begin());
        return {x.values.data(), extents};
    }
};

TEST_CASE("containers of the standard library") {
    std::vector<float> v{1, 2, 3};
    const std::vector<double> c{4, 5};
    std::array<int, 2> a{6, 7};
    static_assert(std::is_same_v<decltype(as_view(v)), tensor_view<float, 1>>);
    static_assert(std::is_same_v<decltype(as_view(c)), tensor_view<const double, 1>>);
    static_assert(std::is_same_v<decltype(as_view(a)), tensor_view<int, 1>>);
    CHECK(as_view(v)(2) == 3);
    CHECK(as_view(c)(1) == 5);
    CHECK(as_view(std::span<const float>(v))(0) == 1);
    CHECK(as_view(std::as_const(a))(1) == 7);
    CHECK(as_view(std::vector<float>{}.empty() ? v : v).size() == 3);
}

TEST_CASE("a view is its own view, also as a temporary") {
    std::vector<float> v{1, 2, 3, 4};
    const tensor_view<float, 2> view(v.data(), {2, 2});
    CHECK(as_view(view).data() == v.data());
    CHECK(as_view(view.slice(0, 1))(1) == 4);
    CHECK(as_view<2>(view)(1, 0) == 3);
}

TEST_CASE("what is and is not tensor_like") {
    static_assert(tensor_like<std::vector<float>&> && tensor_like<const std::vector<f16>>);
    static_assert(tensor_like<std::span<const bf16>> && tensor_like<picture&>);
    static_assert(!tensor_like<int> && !tensor_like<std::vector<bool>&>);
    static_assert(!tensor_like<std::vector<std::vector<float>>&> && !tensor_like<const picture>);
    static_assert(!tensor_like<any_array> && has_dynamic_rank<any_array>);
    CHECK(true);
}

TEST_CASE("a host's own type and a tensor of dynamic rank") {
    picture p{3, 2, {1, 2, 3, 4, 5, 6}};
    CHECK(as_view(p)(1, 0) == 4);
    any_array x{{1, 2, 3}, {1, 2, 3, 4, 5, 6}};
    CHECK(as_view<3>(x)(0, 1, 1) == 5);
    CHECK_EXPECTS(as_view<2>(x), "a tensor of rank 3 was given where rank 2 is expected");
}
