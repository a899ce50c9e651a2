// Slices, ranges and permutations of random views against index arithmetic on a map from position to value.
#include "ostend/tensor/view.hpp"

#include "support/expects.hpp"

#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

using namespace ostend;

namespace {

using position = std::array<ostend::index, 3>;

/// A view with what each of its positions must hold.
struct model {
    tensor_view<const int, 3> view;
    std::function<int(position)> value;
};

void check_equal(const model& m) {
    position p{};
    for (p[0] = 0; p[0] < m.view.extent(0); ++p[0]) {
        for (p[1] = 0; p[1] < m.view.extent(1); ++p[1]) {
            for (p[2] = 0; p[2] < m.view.extent(2); ++p[2]) {
                REQUIRE(m.view(p[0], p[1], p[2]) == m.value(p));
                REQUIRE(m.view.at(p[0], p[1], p[2]) == m.value(p));
            }
        }
    }
}

/// Contiguity by its meaning: walking in C order visits consecutive addresses.
template <std::size_t Rank>
bool contiguous_by_walking(const tensor_view<const int, Rank>& v) {
    std::array<ostend::index, Rank> p{};
    for (ostend::index n = 0; n < v.size(); ++n) {
        ostend::index offset = 0;
        for (std::size_t a = 0; a < Rank; ++a) {
            offset += p[a] * v.stride(a);
        }
        if (offset != n) {
            return false;
        }
        for (std::size_t a = Rank; a-- > 0;) {
            if (++p[a] < v.extent(a)) {
                break;
            }
            p[a] = 0;
        }
    }
    return true;
}

} // namespace

TEST_CASE("chains of random operations agree with index arithmetic") {
    std::mt19937 random(7);
    const auto pick = [&](ostend::index below) {
        return static_cast<ostend::index>(random() % static_cast<unsigned>(below));
    };
    for (int round = 0; round < 300; ++round) {
        const position e{1 + pick(5), 1 + pick(5), 1 + pick(5)};
        std::vector<int> data(static_cast<std::size_t>(e[0] * e[1] * e[2]));
        std::iota(data.begin(), data.end(), 100);
        model m{tensor_view<const int, 3>(data.data(), e), [&data, e](position p) {
                    return data[static_cast<std::size_t>((p[0] * e[1] + p[1]) * e[2] + p[2])];
                }};
        CHECK(m.view.is_contiguous());
        for (int step = 0; step < 4; ++step) {
            const auto before = m;
            switch (pick(3)) {
            case 0: { // a range
                const auto axis = static_cast<std::size_t>(pick(3));
                const ostend::index extent = m.view.extent(axis);
                const ostend::index first = pick(extent);
                const ostend::index stride = 1 + pick(3);
                const ostend::index count = pick((extent - 1 - first) / stride + 1) + (step < 3 ? 1 : 0);
                m.view = m.view.range(axis, first, count, stride);
                m.value = [before, axis, first, stride](position p) {
                    p[axis] = first + p[axis] * stride;
                    return before.value(p);
                };
                break;
            }
            case 1: { // a permutation
                std::array<std::size_t, 3> order{0, 1, 2};
                std::shuffle(order.begin(), order.end(), random);
                m.view = m.view.permuted(order);
                m.value = [before, order](position p) {
                    position from{};
                    for (std::size_t a = 0; a < 3; ++a) {
                        from[order[a]] = p[a];
                    }
                    return before.value(from);
                };
                break;
            }
            default: { // backwards along an axis: a negative stride, built by hand
                const auto axis = static_cast<std::size_t>(pick(3));
                auto strides = m.view.strides();
                const ostend::index last = m.view.extent(axis) - 1;
                const int* start = m.view.data() + last * strides[axis];
                strides[axis] = -strides[axis];
                m.view = {start, m.view.extents(), strides};
                m.value = [before, axis, last](position p) {
                    p[axis] = last - p[axis];
                    return before.value(p);
                };
            }
            }
            check_equal(m);
            if (m.view.empty()) {
                break;
            }
            CHECK(m.view.is_contiguous() == contiguous_by_walking(m.view));
            const auto axis = static_cast<std::size_t>(pick(3));
            const ostend::index at = pick(m.view.extent(axis));
            const auto slice = m.view.slice(axis, at);
            CHECK(slice.is_contiguous() == contiguous_by_walking(slice));
            for (ostend::index i = 0; i < slice.extent(0); ++i) {
                for (ostend::index j = 0; j < slice.extent(1); ++j) {
                    position p{i, j, j};
                    p = axis == 0 ? position{at, i, j} : axis == 1 ? position{i, at, j} : position{i, j, at};
                    REQUIRE(slice(i, j) == m.value(p));
                }
            }
        }
    }
}

TEST_CASE("a stride of zero repeats") {
    const int one = 5;
    const tensor_view<const int, 2> v(&one, {3, 4}, {0, 0});
    CHECK(v(2, 3) == 5);
    CHECK(!v.is_contiguous());
    CHECK(v.range(0, 1, 1).range(1, 2, 1).is_contiguous());
}

TEST_CASE("contiguity ignores extents of at most one, and empty views are contiguous") {
    const std::array<int, 6> data{};
    CHECK(tensor_view<const int, 3>(data.data(), {2, 1, 3}, {3, 999, 1}).is_contiguous());
    CHECK(tensor_view<const int, 3>(data.data(), {1, 2, 3}, {-7, 3, 1}).is_contiguous());
    CHECK(!tensor_view<const int, 2>(data.data(), {2, 3}, {1, 2}).is_contiguous());
    CHECK(tensor_view<const int, 2>(nullptr, {0, 3}, {9, 9}).is_contiguous());
    CHECK(tensor_view<const int, 2>(data.data(), {2, 3}).as_span().size() == 6);
    CHECK(tensor_view<const int, 2>(nullptr, {4, 0}).as_span().empty());
}

TEST_CASE("empty views of null data can be cut further") {
    const tensor_view<const int, 2> v(nullptr, {3, 0}, {5, 1});
    CHECK(v.slice(0, 2).empty());
    CHECK(v.range(0, 1, 2).extent(0) == 2);
    CHECK(v.range(1, 0, 0).empty());
    CHECK(v.permuted({1, 0}).extent(1) == 3);
    CHECK(tensor_view<float, 3>{}.empty());
}

TEST_CASE("load and at read unaligned data") {
    std::array<unsigned char, 64> bytes{};
    for (std::size_t shift = 0; shift < 4; ++shift) {
        for (std::size_t i = 0; i < 6; ++i) {
            const float value = 0.5F + static_cast<float>(i);
            std::memcpy(bytes.data() + shift + i * sizeof(float), &value, sizeof(float));
        }
        const tensor_view<const float, 2> v(reinterpret_cast<const float*>(bytes.data() + shift), {2, 3});
        CHECK(v.load(1, 2) == 5.5F);
        CHECK(v.at(0, 1) == 1.5F);
    }
}

TEST_CASE("a mutable view converts to a const one and writes through") {
    std::array<float, 4> data{};
    const tensor_view<float, 2> v(data.data(), {2, 2});
    const tensor_view<const float, 2> c = v;
    v(1, 0) = 3;
    CHECK(c(1, 0) == 3);
    static_assert(!std::is_convertible_v<tensor_view<const float, 2>, tensor_view<float, 2>>);
    static_assert(!std::is_convertible_v<tensor_view<float, 2, device_space>, tensor_view<const float, 2>>);
    static_assert(std::is_trivially_copyable_v<tensor_view<float, 3>>);
}

TEST_CASE("memory of a device cannot be read, only passed on") {
    static_assert(requires(tensor_view<float, 2> v) { v(0, 0); });
    static_assert(!std::is_invocable_v<tensor_view<float, 2, device_space>, int, int>);
    std::array<float, 4> data{};
    const tensor_view<float, 2, device_space> v(data.data(), {2, 2});
    CHECK(v[1].data() == data.data() + 2);
}

TEST_CASE("misuse is a sentence") {
    std::array<int, 6> data{};
    const tensor_view<int, 2> v(data.data(), {2, 3});
    CHECK_EXPECTS(v.at(2, 0), "index 2 on axis 0 of extent 2");
    CHECK_EXPECTS(v.at(0, -1), "index -1 on axis 1");
    CHECK_EXPECTS(v.slice(0, 2), "position 2 on axis 0");
    CHECK_EXPECTS(v.slice(2, 0), "axis 2");
    CHECK_EXPECTS(v.range(1, 1, 3), "leaves axis 1");
    CHECK_EXPECTS(v.range(1, 0, 2, 3), "leaves axis 1");
    CHECK_EXPECTS(v.range(1, 0, 2, 0), "leaves axis 1");
    CHECK_EXPECTS(v.permuted({0, 0}), "not a permutation");
    CHECK_EXPECTS(v.permuted({1, 0}).as_span(), "gaps");
    CHECK_EXPECTS((tensor_view<int, 1>(data.data(), {-1})), "an extent is negative: -1");
    CHECK_EXPECTS((tensor_view<int, 2>(nullptr, {2, 2})), "null data with 4 elements");
}
