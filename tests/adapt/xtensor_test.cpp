// xtensor's containers, adaptors and strided views, each element by element against xtensor's own access.
#include "ostend/adapt/xtensor.hpp"

#include "support/expects.hpp"

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xfixed.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include <cstring>
#include <numeric>
#include <vector>

using namespace ostend;

namespace {

template <class View, class X>
void check_rank_2(const View& v, X& x) {
    static_assert(View::rank == 2);
    REQUIRE(v.extent(0) == static_cast<ostend::index>(x.shape()[0]));
    REQUIRE(v.extent(1) == static_cast<ostend::index>(x.shape()[1]));
    for (ostend::index i = 0; i < v.extent(0); ++i) {
        for (ostend::index j = 0; j < v.extent(1); ++j) {
            REQUIRE(v.at(i, j) == x(static_cast<std::size_t>(i), static_cast<std::size_t>(j)));
        }
    }
}

xt::xtensor<float, 2> counted(std::size_t rows, std::size_t columns) {
    xt::xtensor<float, 2> x = xt::zeros<float>({rows, columns});
    std::iota(x.begin(), x.end(), 1.0F);
    return x;
}

} // namespace

TEST_CASE("xtensor of both storage orders, constness kept") {
    auto a = counted(3, 4);
    xt::xtensor<double, 2, xt::layout_type::column_major> b = a;
    xt::xtensor_fixed<int, xt::xshape<2, 2>> c{{1, 2}, {3, 4}};
    check_rank_2(as_view(a), a);
    check_rank_2(as_view(b), b);
    check_rank_2(as_view(c), c);
    static_assert(std::is_same_v<decltype(as_view(std::as_const(a))), tensor_view<const float, 2>>);
    as_view(a)(1, 1) = 77;
    CHECK(a(1, 1) == 77);
    CHECK(as_view(a).is_contiguous());
    CHECK(!as_view(b).is_contiguous());
}

TEST_CASE("xarray wants its rank said") {
    xt::xarray<float> x = counted(3, 4);
    check_rank_2(as_view<2>(x), x);
    check_rank_2(as_view<2>(std::as_const(x)), x);
    CHECK_EXPECTS(as_view<3>(x), "a tensor of rank 2 was given where rank 3 is expected");
    static_assert(!tensor_like<xt::xarray<float>&> && has_dynamic_rank<const xt::xarray<float>>);
    auto y = counted(3, 4);
    check_rank_2(as_view<2>(y), y);
}

TEST_CASE("axes of extent 1, which xtensor gives the stride 0") {
    xt::xtensor<float, 3> x = xt::zeros<float>({2, 1, 3});
    CHECK(x.strides()[1] == 0);
    CHECK(as_view(x).stride(1) == 3);
    CHECK(as_view(x).is_contiguous());
    xt::xarray<float> one = xt::zeros<float>({1, 1});
    CHECK(as_view<2>(one).strides() == std::array<ostend::index, 2>{1, 1});
}

TEST_CASE("adapted memory") {
    std::vector<float> data{1, 2, 3, 4, 5, 6};
    auto fixed_rank = xt::adapt(data, std::array<std::size_t, 2>{2, 3});
    auto pointer = xt::adapt(data.data(), data.size(), xt::no_ownership(), std::vector<std::size_t>{3, 2});
    check_rank_2(as_view(fixed_rank), fixed_rank);
    check_rank_2(as_view<2>(pointer), pointer);
    CHECK(as_view(fixed_rank).data() == data.data());
    CHECK(as_view<2>(pointer).data() == data.data());
}

TEST_CASE("views: ranges, negative steps, integers, new axes") {
    auto a = counted(5, 6);
    auto part = xt::view(a, xt::range(1, 4), xt::range(0, 6, 2));
    auto back = xt::view(a, xt::range(4, 0, -1), xt::all());
    auto row = xt::view(a, 2, xt::all());
    auto nested = xt::view(part, xt::range(1, 3), xt::range(1, 3));
    check_rank_2(as_view(part), part);
    check_rank_2(as_view(back), back);
    check_rank_2(as_view(nested), nested);
    CHECK(as_view(back).stride(0) == -6);
    CHECK(as_view(row).extent(0) == 6);
    CHECK(as_view(row)(3) == a(2, 3));
    as_view(part)(0, 0) = 500;
    CHECK(a(1, 0) == 500);
}

TEST_CASE("strided views: transposes, flips, slices") {
    auto a = counted(4, 5);
    auto turned = xt::transpose(a);
    auto part = xt::strided_view(a, {xt::range(3, 0, -2), xt::range(1, 5, 3)});
    check_rank_2(as_view<2>(part), part);
    static_assert(has_dynamic_rank<decltype(part)>);
    if constexpr (has_dynamic_rank<decltype(turned)>) {
        check_rank_2(as_view<2>(turned), turned);
    } else {
        check_rank_2(as_view(turned), turned);
    }
    auto column = xt::strided_view(a, {xt::all(), 2});
    CHECK(as_view<1>(column)(3) == a(3, 2));
}

TEST_CASE("a zero stride repeats") {
    xt::xtensor<float, 1> data{1, 2, 3};
    auto x = xt::strided_view(data, std::array<std::size_t, 2>{4, 3}, std::array<std::ptrdiff_t, 2>{0, 1}, 0,
                              xt::layout_type::dynamic);
    const auto v = as_view<2>(x);
    CHECK(v.stride(0) == 0);
    CHECK(v(3, 2) == 3);
    CHECK(v(0, 2) == 3);
}

TEST_CASE("empty extents and unaligned data") {
    xt::xtensor<float, 2> none = xt::zeros<float>({std::size_t{3}, std::size_t{0}});
    CHECK(as_view(none).empty());
    CHECK(as_view(none).extent(0) == 3);
    std::vector<unsigned char> bytes(64);
    const float values[] = {1, 2, 3, 4};
    std::memcpy(bytes.data() + 1, values, sizeof(values));
    const auto* start = reinterpret_cast<const float*>(bytes.data() + 1);
    auto x = xt::adapt(start, 4, xt::no_ownership(), std::array<std::size_t, 2>{2, 2});
    CHECK(as_view(x).load(1, 0) == 3);
}

TEST_CASE("lazy expressions are not tensors") {
    auto a = counted(2, 2);
    auto sum = a + a;
    static_assert(!tensor_like<decltype(sum)&> && !has_dynamic_rank<decltype(sum)>);
    auto gathered = xt::view(a, xt::keep(1, 0), xt::all());
    static_assert(!tensor_like<decltype(gathered)&> && !has_dynamic_rank<decltype(gathered)>);
    CHECK(sum(0, 0) == 2);
}
