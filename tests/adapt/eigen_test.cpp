// Every kind of Eigen object with its own memory: the view's elements are the object's, whatever the strides.
#include "ostend/adapt/eigen.hpp"

#include "support/expects.hpp"

#include <cstring>
#include <random>
#include <vector>

using namespace ostend;

namespace {

/// Rank 2: v(r, c) is x(r, c) for all r, c, and at the same address.
template <class X>
void check_rank_2(X& x) {
    const auto v = as_view(x);
    static_assert(decltype(v)::rank == 2);
    REQUIRE(v.extent(0) == x.rows());
    REQUIRE(v.extent(1) == x.cols());
    for (Eigen::Index r = 0; r < x.rows(); ++r) {
        for (Eigen::Index c = 0; c < x.cols(); ++c) {
            REQUIRE(v.at(r, c) == x.coeff(r, c));
            REQUIRE(&v(r, c) == &x.coeffRef(r, c));
        }
    }
}

template <class X>
void check_rank_1(X& x) {
    const auto v = as_view(x);
    static_assert(decltype(v)::rank == 1);
    REQUIRE(v.extent(0) == x.size());
    for (Eigen::Index i = 0; i < x.size(); ++i) {
        REQUIRE(v.at(i) == x.coeff(i));
        REQUIRE(&v(i) == &x.coeffRef(i));
    }
}

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using any_stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

} // namespace

TEST_CASE("matrices and arrays of both storage orders, fixed and dynamic") {
    Eigen::MatrixXf a = Eigen::MatrixXf::Random(3, 5);
    row_major b = row_major::Random(3, 5);
    Eigen::ArrayXXd c = Eigen::ArrayXXd::Random(4, 2);
    Eigen::Matrix<int, 2, 3, Eigen::RowMajor> d;
    d << 1, 2, 3, 4, 5, 6;
    check_rank_2(a);
    check_rank_2(b);
    check_rank_2(c);
    check_rank_2(d);
    CHECK(as_view(a).strides() == std::array<ostend::index, 2>{1, 3});
    CHECK(as_view(b).strides() == std::array<ostend::index, 2>{5, 1});
    CHECK(as_view(b).is_contiguous());
    CHECK(!as_view(a).is_contiguous());
}

TEST_CASE("vectors at compile time are of rank 1, others of rank 2") {
    Eigen::VectorXf v = Eigen::VectorXf::Random(7);
    Eigen::RowVector3d w(1, 2, 3);
    Eigen::MatrixXf column = Eigen::MatrixXf::Random(7, 1);
    check_rank_1(v);
    check_rank_1(w);
    check_rank_2(column);
}

TEST_CASE("constness is kept") {
    Eigen::MatrixXf a = Eigen::MatrixXf::Random(2, 2);
    Eigen::Map<const Eigen::MatrixXf> fixed(a.data(), 2, 2);
    const Eigen::Map<Eigen::MatrixXf> map(a.data(), 2, 2);
    static_assert(std::is_same_v<decltype(as_view(a)), tensor_view<float, 2>>);
    static_assert(std::is_same_v<decltype(as_view(std::as_const(a))), tensor_view<const float, 2>>);
    static_assert(std::is_same_v<decltype(as_view(fixed)), tensor_view<const float, 2>>);
    static_assert(std::is_same_v<decltype(as_view(map)), tensor_view<const float, 2>>);
    as_view(a)(1, 0) = 42;
    CHECK(a(1, 0) == 42);
    CHECK(as_view(fixed)(1, 0) == 42);
}

TEST_CASE("blocks, rows, columns, segments and transposes, also as temporaries") {
    Eigen::MatrixXf a = Eigen::MatrixXf::Random(5, 6);
    row_major b = row_major::Random(5, 6);
    auto block = a.block(1, 2, 3, 2);
    auto block_b = b.block(1, 2, 3, 2);
    auto row = a.row(3);
    auto column = b.col(4);
    auto segment = row.segment(1, 3);
    auto turned = b.transpose();
    check_rank_2(block);
    check_rank_2(block_b);
    check_rank_1(row);
    check_rank_1(column);
    check_rank_1(segment);
    check_rank_2(turned);
    CHECK(as_view(a.row(3))(5) == a(3, 5));
    CHECK(as_view(b.transpose().block(1, 1, 2, 2))(1, 0) == b(1, 2));
}

TEST_CASE("maps with random strides: positive, negative and zero") {
    std::mt19937 random(3);
    std::vector<float> data(4096);
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<float>(i);
    }
    for (int round = 0; round < 200; ++round) {
        const auto pick = [&](int low, int high) {
            return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
        };
        const Eigen::Index rows = pick(0, 6);
        const Eigen::Index columns = pick(0, 6);
        const Eigen::Index outer = pick(-40, 40);
        const Eigen::Index inner = pick(-40, 40);
        float* middle = data.data() + 2048;
        Eigen::Map<Eigen::MatrixXf, 0, any_stride> a(middle, rows, columns, any_stride(outer, inner));
        Eigen::Map<const row_major, 0, any_stride> b(middle, rows, columns, any_stride(outer, inner));
        const auto va = as_view(a);
        const auto vb = as_view(b);
        REQUIRE(va.extents() == vb.extents());
        for (Eigen::Index r = 0; r < rows; ++r) {
            for (Eigen::Index c = 0; c < columns; ++c) {
                REQUIRE(va.at(r, c) == static_cast<float>(2048 + c * outer + r * inner));
                REQUIRE(vb.at(r, c) == static_cast<float>(2048 + r * outer + c * inner));
            }
        }
    }
    Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>> back(data.data() + 9, 10, Eigen::InnerStride<>(-1));
    CHECK(as_view(back)(9) == 0);
    CHECK(as_view(back)(0) == 9);
}

TEST_CASE("Ref, mutable and const") {
    Eigen::MatrixXf a = Eigen::MatrixXf::Random(4, 4);
    Eigen::Ref<Eigen::MatrixXf> part = a.topLeftCorner(2, 3);
    const Eigen::Ref<const Eigen::MatrixXf> sum = a + a; // holds its own copy
    check_rank_2(part);
    CHECK(as_view(sum)(3, 1) == 2 * a(3, 1));
    CHECK(as_view(Eigen::Ref<Eigen::MatrixXf>(a))(1, 1) == a(1, 1));
}

TEST_CASE("half and bfloat16 are f16 and bf16") {
    Eigen::Matrix<Eigen::half, 2, 2> h;
    h << Eigen::half(0.5F), Eigen::half(1.5F), Eigen::half(-2.0F), Eigen::half(65504.0F);
    const Eigen::Matrix<Eigen::bfloat16, Eigen::Dynamic, 1> b =
        Eigen::Matrix<Eigen::bfloat16, Eigen::Dynamic, 1>::Constant(3, Eigen::bfloat16(-3.0F));
    static_assert(std::is_same_v<decltype(as_view(h)), tensor_view<f16, 2>>);
    static_assert(std::is_same_v<decltype(as_view(b)), tensor_view<const bf16, 1>>);
    CHECK(to_float(as_view(h).load(1, 1)) == 65504.0F);
    CHECK(to_float(as_view(h).load(0, 1)) == 1.5F);
    CHECK(to_float(as_view(b).load(2)) == -3.0F);
}

TEST_CASE("empty objects") {
    Eigen::MatrixXf none;
    Eigen::MatrixXf rows(3, 0);
    const Eigen::VectorXf v;
    CHECK(as_view(none).empty());
    CHECK(as_view(rows).extent(0) == 3);
    CHECK(as_view(rows).extent(1) == 0);
    CHECK(as_view(v).empty());
    Eigen::MatrixXf full = Eigen::MatrixXf::Random(3, 2);
    CHECK(as_view(full.block(1, 1, 2, 0)).extent(0) == 2);
}

TEST_CASE("a map of unaligned data, read by load") {
    std::vector<unsigned char> bytes(64);
    const float values[] = {1, 2, 3, 4};
    std::memcpy(bytes.data() + 1, values, sizeof(values));
    Eigen::Map<const Eigen::Matrix2f> map(reinterpret_cast<const float*>(bytes.data() + 1));
    CHECK(as_view(map).load(0, 1) == 3);
    CHECK(as_view(map).load(1, 0) == 2);
}

TEST_CASE("what is not tensor_like") {
    using sum = decltype(std::declval<Eigen::MatrixXf&>() + std::declval<Eigen::MatrixXf&>());
    static_assert(!tensor_like<sum> && !tensor_like<Eigen::MatrixXcf&>);
    static_assert(!tensor_like<decltype(Eigen::MatrixXf::Random(2, 2))>);
    static_assert(tensor_like<Eigen::MatrixXf&> && tensor_like<const Eigen::ArrayXi&>);
    CHECK(true);
}
