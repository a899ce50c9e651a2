// aggregate against the golden cases, an oracle in double over random shapes, strides and types.
#include "ostend/attention/aggregate.hpp"
#include "ostend/attention/normalise.hpp"
#include "ostend/core/threads.hpp"

#include "support/expects.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>

namespace {

using namespace ostend;
using ostend::index;

// ---- golden cases ---------------------------------------------------------------------------------------

struct array_file {
    std::vector<index> shape;
    std::vector<float> values;
};

/// Reads a little-endian float32 .npy file in C order.
array_file read_npy(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE_MESSAGE(bytes.size() > 10, path);
    const auto header_size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[8])) +
                             256U * static_cast<unsigned char>(bytes[9]);
    const std::string header = bytes.substr(10, header_size);
    REQUIRE(header.find("'<f4'") != std::string::npos);
    REQUIRE(header.find("'fortran_order': False") != std::string::npos);
    array_file out;
    std::size_t at = header.find('(') + 1;
    while (at < header.find(')')) {
        if (std::isdigit(static_cast<unsigned char>(header[at])) != 0) {
            std::size_t used = 0;
            out.shape.push_back(std::stol(header.substr(at), &used));
            at += used;
        } else {
            ++at;
        }
    }
    index count = 1;
    for (const index extent : out.shape) {
        count *= extent;
    }
    REQUIRE(bytes.size() == 10 + header_size + 4 * static_cast<std::size_t>(count));
    out.values.resize(static_cast<std::size_t>(count));
    std::memcpy(out.values.data(), bytes.data() + 10 + header_size, 4 * out.values.size());
    return out;
}

void check_close(const matrix<float>& got, const std::string& file, double atol, double rtol) {
    const array_file want = read_npy(file);
    REQUIRE(want.shape.size() == 3); // [tokens, rows, columns]
    REQUIRE(want.shape[0] == got.rows());
    REQUIRE(want.shape[1] * want.shape[2] == got.columns());
    double worst = 0;
    for (std::size_t i = 0; i < want.values.size(); ++i) {
        const double w = static_cast<double>(want.values[i]);
        worst =
            std::max(worst, std::abs(static_cast<double>(got.values()[i]) - w) / (atol + rtol * std::abs(w)));
    }
    CHECK_MESSAGE(worst <= 1, file << ": " << worst << " times the tolerance");
}

/// The image keys of a case: a plain grid, a grid after registers, or rows that end with a newline token.
key_selection keys_of(const nlohmann::json& p) {
    index first = p.at("img_start").get<index>() + p.value("reg_tokens", 0) + p.value("base_tokens", 0);
    const index rows = p.at("grid")[0];
    const index columns = p.at("grid")[1];
    if (!p.value("newline_column", false)) {
        return {first, rows * columns};
    }
    std::vector<key_range> ranges;
    for (index row = 0; row < rows; ++row) {
        ranges.push_back({.first = first + row * (columns + 1), .count = columns});
    }
    return key_selection(ranges);
}

TEST_CASE("golden: aggregate") {
    const std::string folder = std::string(OSTEND_TEST_DATA) + "/golden/";
    std::ifstream manifest_file(folder + "manifest.json");
    const nlohmann::json manifest = nlohmann::json::parse(manifest_file);
    int outputs = 0;
    for (const auto& c : manifest.at("cases")) {
        if (c.at("category") != "aggregate") {
            continue;
        }
        const auto& p = c.at("params");
        const array_file dump = read_npy(folder + c.at("inputs").at("attn").get<std::string>());
        const tensor_view<const float, 4> attention(
            dump.values.data(), {dump.shape[0], dump.shape[1], dump.shape[2], dump.shape[3]});
        const key_selection image = keys_of(p);
        for (const auto& [name, expected] : c.at("expected").items()) {
            const double atol = c.at("tolerance").at("atol");
            const double rtol = name == "mean_all_f32acc" ? 2e-6 : c.at("tolerance").at("rtol").get<double>();
            matrix<float> got = aggregate(attention, image);
            if (name == "mean_subset") {
                got = aggregate(attention, image,
                                {.heads = head_selection::grid(p.at("layer_subset"), p.at("head_subset"))});
            } else if (name == "mean_pairs") {
                std::vector<head_id> pairs;
                for (const auto& pair : p.at("pairs")) {
                    pairs.push_back({pair[0], pair[1]});
                }
                got = aggregate(attention, image, {.heads = head_selection::pairs(pairs)});
            } else if (name == "shipped_head_minus2") {
                got = aggregate(attention, image, {.heads = head_selection::from_end(2)});
            } else if (name == "normalized_all") {
                got = subtract_mean_token(got);
            } else if (name == "mean_base") {
                got = aggregate(attention, {p.at("img_start"), p.at("base_tokens")});
            } else {
                REQUIRE(name.substr(0, 8) == "mean_all");
            }
            check_close(got, folder + expected.get<std::string>(), atol, rtol);
            ++outputs;
        }
    }
    CHECK(outputs == 20);
}

// ---- an oracle in double --------------------------------------------------------------------------------

template <class T>
matrix<double> oracle(const tensor_view<const T, 4>& a, const key_selection& image,
                      const matrix<float>& weights, head_reduction reduce) {
    matrix<double> out(a.extent(0), image.size());
    for (index t = 0; t < a.extent(0); ++t) {
        for (index i = 0; i < image.size(); ++i) {
            double sum = 0;
            double largest = -INFINITY;
            for (index l = 0; l < a.extent(1); ++l) {
                for (index h = 0; h < a.extent(2); ++h) {
                    const double x = static_cast<double>(to_float(a.load(t, l, h, image.key(i))));
                    sum += static_cast<double>(weights(l, h)) * x;
                    largest = weights(l, h) > 0 ? std::max(largest, x) : largest;
                }
            }
            out(t, i) = reduce == head_reduction::mean ? sum : largest;
        }
    }
    return out;
}

struct dice {
    std::mt19937 bits{2026};
    index of(index low, index high) { return std::uniform_int_distribution<index>(low, high)(bits); }
    float unit() { return std::uniform_real_distribution<float>(0, 1)(bits); }
};

/// A view with a random order of axes in memory, gaps, and negative or (on one axis) zero strides.
template <class T>
tensor_view<const T, 4> random_view(dice& d, std::vector<T>& storage, std::array<index, 4> extents) {
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    std::shuffle(order.begin(), order.end(), d.bits);
    std::array<index, 4> strides{};
    index stride = d.of(1, 2);
    index lowest = 0;
    for (const std::size_t axis : order) {
        strides[axis] = stride;
        stride *= extents[axis] + d.of(0, 1);
        if (d.of(0, 3) == 0) {
            strides[axis] = -strides[axis];
            lowest += strides[axis] * std::max<index>(extents[axis] - 1, 0);
        } else if (d.of(0, 7) == 0) {
            strides[axis] = 0;
        }
    }
    storage.resize(static_cast<std::size_t>(std::max(stride, 1 - lowest)));
    for (T& x : storage) {
        x = from_float<T>(d.unit());
    }
    return {storage.data() - lowest, extents, strides};
}

key_selection random_selection(dice& d, index keys) {
    std::vector<key_range> ranges;
    for (index n = d.of(0, 4); n > 0; --n) {
        const index first = d.of(0, keys - 1);
        const index step = d.of(1, 3);
        ranges.push_back({.first = first, .count = d.of(0, (keys - 1 - first) / step + 1), .step = step});
    }
    return key_selection(ranges);
}

head_selection random_heads(dice& d, index layers, index heads) {
    if (d.of(0, 3) == 0) {
        return head_selection::all();
    }
    matrix<float> weights(layers, heads);
    for (float& w : weights.values()) {
        w = d.of(0, 2) == 0 ? 0 : d.unit();
    }
    weights(d.of(0, layers - 1), d.of(0, heads - 1)) = 1;
    return head_selection::weighted(weights);
}

TEST_CASE_TEMPLATE("aggregate equals the oracle for any shape, strides, selection and type", T, float, double,
                   f16, bf16) {
    dice d;
    for (int round = 0; round < 150; ++round) {
        const std::array<index, 4> extents{d.of(0, 3), d.of(1, 4), d.of(1, 6), d.of(1, 40)};
        std::vector<T> storage;
        const auto attention = random_view<T>(d, storage, extents);
        const key_selection image = random_selection(d, extents[3]);
        const head_selection heads = random_heads(d, extents[1], extents[2]);
        const auto reduce = d.of(0, 1) == 0 ? head_reduction::mean : head_reduction::max;
        const matrix<float> got = aggregate(attention, image, {.heads = heads, .reduce = reduce});
        const matrix<double> want =
            oracle(attention, image,
                   heads.weights(static_cast<int>(extents[1]), static_cast<int>(extents[2])), reduce);
        REQUIRE(got.rows() == want.rows());
        REQUIRE(got.columns() == want.columns());
        for (const int count : {1, 2, 3, 7}) {
            CHECK(aggregate(attention, image, {.heads = heads, .reduce = reduce}, threads{count}) == got);
        }
        for (std::size_t i = 0; i < got.values().size(); ++i) {
            REQUIRE(static_cast<double>(got.values()[i]) == doctest::Approx(want.values()[i]).epsilon(1e-6));
        }
    }
}

TEST_CASE("strides do not change a bit of the result; unaligned data is read") {
    dice d;
    const std::array<index, 4> extents{2, 3, 4, 33};
    std::vector<float> storage;
    const auto strided = random_view<float>(d, storage, extents);
    std::vector<float> packed;
    std::vector<char> bytes(1 + 4 * 2 * 3 * 4 * 33);
    for (index t = 0; t < 2; ++t) {
        for (index l = 0; l < 3; ++l) {
            for (index h = 0; h < 4; ++h) {
                for (index k = 0; k < 33; ++k) {
                    packed.push_back(strided.load(t, l, h, k));
                }
            }
        }
    }
    std::memcpy(bytes.data() + 1, packed.data(), 4 * packed.size());
    const key_selection image({{.first = 3, .count = 9}, {.first = 14, .count = 9, .step = 2}});
    const matrix<float> want = aggregate(strided, image);
    CHECK(aggregate(tensor_view<const float, 4>(packed.data(), extents), image) == want);
    const void* unaligned = bytes.data() + 1;
    CHECK(aggregate(tensor_view<const float, 4>(static_cast<const float*>(unaligned), extents), image) ==
          want);
}

TEST_CASE_TEMPLATE("every kernel joins rows as the plain loop does, whatever their length and alignment", T,
                   float, f16, bf16) {
    namespace inner = ostend::OSTEND_KERNELS::detail;
    dice d;
    for (const auto& kernels : inner::all_kernels()) {
        CAPTURE(std::string(kernels.name));
        for (const index n : {0, 1, 3, 15, 16, 17, 40, 129}) {
            const auto count = static_cast<std::size_t>(n);
            std::vector<char> bytes(1 + 2 * count * sizeof(T));
            std::vector<std::vector<float>> rows(2);
            for (std::size_t r = 0; r < 2; ++r) {
                for (std::size_t i = 0; i < count; ++i) {
                    const T x = from_float<T>(d.unit() - 0.5F);
                    rows[r].push_back(to_float(x));
                    std::memcpy(bytes.data() + 1 + (r * count + i) * sizeof(T), &x, sizeof(T));
                }
            }
            const auto* const first = reinterpret_cast<const std::byte*>(bytes.data() + 1);
            const std::byte* const at[2] = {first, first + count * sizeof(T)};
            const float weights[2] = {0.25F, 3.0F};
            std::vector<float> sum(count, 0.5F), most(count, -0.1F);
            kernels.add_rows(at, weights, 2, 2, inner::join_type<T>, n, sum.data());
            kernels.max_rows(at, 2, inner::join_type<T>, n, most.data());
            std::vector<double> total(count, 1.0);
            kernels.add_to_sum(sum.data(), n, total.data());
            for (std::size_t i = 0; i < count; ++i) {
                const double want =
                    0.5 + 0.25 * static_cast<double>(rows[0][i]) + 3.0 * static_cast<double>(rows[1][i]);
                CHECK(static_cast<double>(sum[i]) == doctest::Approx(want).epsilon(1e-6));
                CHECK(most[i] == std::max({-0.1F, rows[0][i], rows[1][i]}));
                CHECK(total[i] == 1.0 + static_cast<double>(sum[i]));
            }
        }
        // NaN wins, whether it comes first or last, and in a vector as in a tail.
        for (const std::size_t bad : {std::size_t{0}, std::size_t{16}}) {
            std::vector<T> row(17, from_float<T>(0.5F));
            row[bad] = from_float<T>(NAN);
            const auto* at = reinterpret_cast<const std::byte*>(row.data());
            std::vector<float> most(17, 1.0F);
            kernels.max_rows(&at, 1, inner::join_type<T>, 17, most.data());
            CHECK(std::isnan(most[bad]));
            row[bad] = from_float<T>(2.0F);
            kernels.max_rows(&at, 1, inner::join_type<T>, 17, most.data());
            CHECK(std::isnan(most[bad]));
            CHECK(most[5] == 1.0F);
        }
    }
}

TEST_CASE("NaN and infinities pass through; heads that are not selected are not read") {
    std::vector<float> a{0.5F, 0.25F, NAN, 0.5F}; // [1, 1, 2 heads, 2 keys]
    const tensor_view<const float, 4> view(a.data(), {1, 1, 2, 2});
    CHECK(std::isnan(aggregate(view, {0, 2})(0, 0)));
    CHECK(aggregate(view, {0, 2})(0, 1) == 0.375F);
    CHECK(std::isnan(aggregate(view, {0, 2}, {.reduce = head_reduction::max})(0, 0)));
    CHECK(aggregate(view, {0, 2}, {.heads = head_selection::pairs({{0, 0}})})(0, 0) == 0.5F);
    a[2] = INFINITY;
    CHECK(std::isinf(aggregate(view, {0, 2})(0, 0)));
    const std::vector<float> last{0.5F, 0.25F, 0.5F, NAN}; // NaN in the last head and in the first
    CHECK(std::isnan(aggregate(tensor_view<const float, 4>(last.data(), {1, 1, 2, 2}), {0, 2},
                               {.reduce = head_reduction::max})(0, 1)));
    const std::vector<float> early{0.5F, NAN, 0.5F, 0.7F};
    CHECK(std::isnan(aggregate(tensor_view<const float, 4>(early.data(), {1, 1, 2, 2}), {0, 2},
                               {.reduce = head_reduction::max})(0, 1)));
}

TEST_CASE("a single head, key and token; no image keys; no tokens") {
    const std::vector<float> one{0.75F};
    const tensor_view<const float, 4> view(one.data(), {1, 1, 1, 1});
    CHECK(aggregate(view, {0, 1})(0, 0) == 0.75F);
    CHECK(aggregate(view, {}).rows() == 1);
    CHECK(aggregate(view, {}).columns() == 0);
    CHECK(aggregate(tensor_view<const float, 4>(nullptr, {0, 2, 2, 5}), {0, 5}).rows() == 0);
}

TEST_CASE("shapes that do not fit are refused with their numbers") {
    const std::vector<float> a(24);
    const tensor_view<const float, 4> view(a.data(), {1, 2, 3, 4});
    CHECK_EXPECTS(aggregate(view, {2, 3}), "the image keys end at 5, the attention has 4 keys");
    CHECK_EXPECTS(aggregate(tensor_view<const float, 4>(nullptr, {1, 0, 3, 4}), {0, 1}),
                  "0 layers and 3 heads");
    CHECK_EXPECTS(aggregate(view, {0, 4}, {.heads = head_selection::from_end(4)}), "no head -4");
    std::vector<float> out(4);
    const std::vector<float> two(2, 0.5F);
    CHECK_EXPECTS(reduce_heads(view[0][0], {0, 4}, two, head_reduction::mean, out), "3 heads, weights of 2");
    const std::vector<float> three(3, 0.5F);
    CHECK_EXPECTS(reduce_heads(view[0][0], {0, 3}, three, head_reduction::mean, out),
                  "3 image keys, room for 4");
}

} // namespace
