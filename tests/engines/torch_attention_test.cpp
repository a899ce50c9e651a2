// record_torch_attention: rows out of q and k against a softmax in the plainest form, for every float type,
// masking, grouping of heads and layout in memory; then what is refused.
#include "ostend/adapt/torch_attention.hpp"
#include "support/errors.hpp"

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <vector>

namespace {

using ostend::index;

constexpr index heads = 6;

struct inputs {
    at::Tensor q, k; ///< [1, heads, queries, d], [1, kv_heads, keys, d]
    ostend::torch_attention_call call = {};
};

/// Mean over heads of softmax(scale q k + mask), element by element: [queries][keys].
std::vector<std::vector<double>> plain_rows(const inputs& in) {
    const auto number = [](const at::Tensor& t, index h, index i, index c) {
        return t[0][h][i][c].to(at::kDouble).item<double>();
    };
    const index queries = in.q.size(2);
    const index keys = in.k.size(2);
    const index d = in.q.size(3);
    const double scale = in.call.scale.value_or(1 / std::sqrt(static_cast<double>(d)));
    std::vector<std::vector<double>> rows(static_cast<std::size_t>(queries),
                                          std::vector<double>(static_cast<std::size_t>(keys)));
    for (index h = 0; h < heads; ++h) {
        const index kv = h / (heads / in.k.size(1));
        for (index i = 0; i < queries; ++i) {
            std::vector<double> e(static_cast<std::size_t>(keys));
            double sum = 0;
            for (index j = 0; j < keys; ++j) {
                double score = 0;
                for (index c = 0; c < d; ++c) {
                    score += scale * number(in.q, h, i, c) * number(in.k, kv, j, c);
                }
                if (in.call.mask) {
                    at::Tensor mask = *in.call.mask;
                    while (mask.dim() > 2) {
                        mask = mask[0];
                    }
                    const at::Tensor one =
                        mask[mask.size(0) == 1 ? 0 : i][mask.size(1) == 1 ? 0 : j].to(at::kDouble);
                    const bool boolean = mask.scalar_type() == at::kBool;
                    score += !boolean                    ? one.item<double>()
                             : one.item<double>() != 0.0 ? 0.0
                                                         : -std::numeric_limits<double>::infinity();
                }
                if (in.call.causal && j > i) {
                    score = -std::numeric_limits<double>::infinity();
                }
                e[static_cast<std::size_t>(j)] = std::exp(score);
                sum += e[static_cast<std::size_t>(j)];
            }
            for (index j = 0; j < keys; ++j) {
                rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] +=
                    e[static_cast<std::size_t>(j)] / sum / heads;
            }
        }
    }
    return rows;
}

void check_recorded(const inputs& in, ostend::recording mode = ostend::recording::online) {
    const index keys = in.k.size(2);
    ostend::recorder rows(
        {.layers = 1, .heads = heads, .image = ostend::key_selection(0, keys), .mode = mode});
    const auto good = ostend::record_torch_attention(rows, {}, in.q, in.k, in.call);
    REQUIRE_MESSAGE(good, good.error().message());
    if (mode == ostend::recording::deferred) {
        CHECK_ERROR(ostend::flush_torch_attention(rows, 0, at::cat({in.k, in.k}, 0)), "k",
                    "is not one sequence's");
        const at::Tensor k = at::cat({in.k, in.k}, 2); // the cache at the time of the flush
        const auto flushed = ostend::flush_torch_attention(rows, 0, k);
        REQUIRE_MESSAGE(flushed, flushed.error().message());
    }
    const auto maps = rows.maps();
    REQUIRE_MESSAGE(maps, maps.error().message());
    const auto expected = plain_rows(in);
    for (index i = 0; i < in.q.size(2); ++i) {
        for (index j = 0; j < keys; ++j) {
            CHECK((*maps)(i, j) ==
                  doctest::Approx(expected[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)])
                      .epsilon(2e-5));
        }
    }
}

TEST_CASE("every float type, masking, grouping and layout in memory") {
    at::manual_seed(11);
    std::mt19937 draw(2);
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
        for (const index kv_heads : {1, 2, 6}) {
            for (int masking = 0; masking < 6; ++masking) {
                CAPTURE(at::toString(type));
                CAPTURE(masking);
                const auto below = [&draw](index n) { return static_cast<index>(draw()) % n; };
                const index queries = 1 + below(4);
                const index keys = masking == 1 ? queries : queries + below(6);
                const index d = 1 + below(12);
                inputs in;
                // As a projection gives them, [1, positions, heads, d] transposed; k a slice of a larger
                // cache.
                in.q = at::randn({1, queries, heads, d}).to(type).transpose(1, 2);
                in.k = at::randn({1, kv_heads, keys + 3, 2 * d})
                           .to(type)
                           .narrow(2, 1, keys)
                           .slice(3, 0, 2 * d, 2);
                at::Tensor seen = at::rand({queries, keys}) < 0.6;
                seen.select(1, 0).fill_(true); // nobody sees nothing
                switch (masking) {
                case 1:
                    in.call.causal = true;
                    break;
                case 2:
                    in.call.mask = seen;
                    break;
                case 3:
                    in.call.mask = at::randn({1, 1, queries, keys}).to(type);
                    break;
                case 4:
                    in.call.mask = at::randn({1, 1, keys});
                    in.call.scale = 0.3;
                    break;
                case 5:
                    in.call.mask = at::zeros({queries, keys})
                                       .masked_fill(~seen, -std::numeric_limits<double>::infinity())
                                       .t()
                                       .contiguous()
                                       .t();
                    break;
                default:
                    break;
                }
                check_recorded(in);
                check_recorded(in, ostend::recording::deferred);
            }
        }
    }
}

TEST_CASE("a prompt in one piece, and tensors without the axis of sequences") {
    at::manual_seed(4);
    const inputs in{at::randn({1, heads, 7, 8}), at::randn({1, 3, 7, 8}), {.causal = true}};
    const auto expected = plain_rows(in);
    ostend::recorder rows({.layers = 2, .heads = heads, .image = ostend::key_selection(1, 3)});
    for (int layer = 0; layer < 2; ++layer) { // the last of seven positions predicts token 0
        REQUIRE(
            ostend::record_torch_attention(rows, {.layer = layer, .token = -6}, in.q[0], in.k[0], in.call));
    }
    const auto maps = rows.maps();
    REQUIRE_MESSAGE(maps, maps.error().message());
    REQUIRE(maps->rows() == 1);
    for (index j = 0; j < 3; ++j) {
        CHECK((*maps)(0, j) == doctest::Approx(expected[6][static_cast<std::size_t>(j + 1)]).epsilon(1e-5));
    }
}

TEST_CASE("q and k of a model that learns") {
    at::Tensor q = at::ones({1, heads, 1, 4});
    q.requires_grad_(true);
    const at::Tensor doubled = q * 2;
    CHECK(doubled.requires_grad());
    const inputs in{doubled, at::randn({1, heads, 5, 4}), {}};
    check_recorded(in);
    CHECK(doubled.requires_grad());
}

TEST_CASE("layers that are not used are not looked at") {
    ostend::recorder_options options{.layers = 2, .heads = heads, .image = ostend::key_selection(0, 3)};
    options.heads_used = ostend::head_selection::pairs({{1, 0}});
    ostend::recorder rows(options);
    CHECK(ostend::record_torch_attention(rows, {.layer = 0}, at::Tensor(), at::Tensor()));
    CHECK(rows.tokens() == 0);
}

TEST_CASE("what cannot be read, by tensor") {
    const at::Tensor q = at::ones({1, heads, 2, 4});
    const at::Tensor k = at::ones({1, 2, 5, 4});
    const auto record = [](const at::Tensor& queries, const at::Tensor& keys,
                           const ostend::torch_attention_call& call = {}, int layer = 0) {
        ostend::recorder rows({.layers = 1, .heads = heads, .image = ostend::key_selection(0, 5)});
        const auto recorded = ostend::record_torch_attention(rows, {.layer = layer}, queries, keys, call);
        CHECK(rows.tokens() == (recorded ? queries.size(-2) : 0));
        return recorded;
    };
    CHECK(record(q, k));
    CHECK_ERROR(record(q, k, {}, 1), "layer: ", "layer 1; the recorder has 1");
    CHECK_ERROR(record(at::Tensor(), k), "q: at::Tensor.data: ", "undefined");
    CHECK_ERROR(record(q, k.to_sparse()), "k: at::Tensor.layout: ", "to_dense()");
    CHECK_ERROR(record(q, at::empty({1, 2, 5, 4}, at::TensorOptions(at::kMeta))),
                "k: at::Tensor.device: ", "meta");
    CHECK_ERROR(record(at::ones({2, heads, 2, 4}), k), "q: ", "select() each of a batch");
    CHECK_ERROR(record(q, at::ones({5, 4})), "k: ", "[5, 4] is not one sequence's");
    CHECK_ERROR(record(q.to(at::kLong), k), "q: ", "elements of Long");
    CHECK_ERROR(record(q, k.to(at::kInt)), "k: ", "elements of Int");
    CHECK_ERROR(record(q, at::ones({1, 4, 5, 4})), "q: ", "not the [heads, positions, d] of one attention");
    CHECK_ERROR(record(q, at::ones({1, 2, 5, 3})), "q: ", "[6, 2, 4] and k [2, 5, 3]");
    CHECK_ERROR(record(at::ones({1, heads, 0, 4}), k), "q: ", "[6, 0, 4]");
    CHECK_ERROR(record(at::ones({1, 4, 2, 4}), k), "q: ", "4 heads; the recorder has 6");
    CHECK_ERROR(record(q, at::ones({1, 2, 4, 4})), "k: ", "4 keys; the image's end at 5");
    CHECK_ERROR(record(q, at::ones({1, 2, 5, 1}).expand({1, 2, 5, 4})), "k: ", "contiguous() it first");
    CHECK_ERROR(record(q, k, {.mask = at::ones({2, 5}), .causal = true}),
                "mask: ", "a causal call has no mask");
    CHECK_ERROR(record(q, k, {.mask = at::ones({1, heads, 2, 5})}), "mask: ", "masks of each head");
    CHECK_ERROR(record(q, k, {.mask = at::ones({3, 5})}), "mask: ", "[3, 5] for 2 queries and 5 keys");
    CHECK_ERROR(record(q, k, {.mask = at::ones({5})}), "mask: ", "[5] for 2 queries");
    CHECK_ERROR(record(q, k, {.mask = at::ones({2, 5}, at::kLong)}), "mask: ", "a mask of Long");
    CHECK_ERROR(record(q, k, {.mask = at::Tensor()}), "mask: at::Tensor.data: ", "undefined");
    CHECK_ERROR(record(q, k, {.scale = 0.0}), "scale: ", "0.0");
    CHECK_ERROR(record(q, k, {.scale = std::numeric_limits<double>::quiet_NaN()}), "scale: ", "nan");
}

} // namespace
