// The kernels of cuda/log_sum_exp.hpp and cuda/from_qk.hpp, run on the host with plain loops where a device
// has tensor cores, against the scalar oracle.
#include "cuda/from_qk_cases.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

TEST_CASE("reduce_qk on a stream, f16: shapes, groups, masks, live counts, cells, head weights, no key") {
    host_machine machine;
    from_qk_cases<f16>(machine);
}

TEST_CASE("reduce_qk on a stream, bf16") {
    host_machine machine;
    from_qk_cases<bf16>(machine);
}

struct one_head {
    index keys = 4;
    std::vector<f16> q = {to_f16(1), to_f16(2), to_f16(0), to_f16(1)};
    std::vector<f16> k = std::vector<f16>(16, to_f16(0.5F));
    std::vector<float> weights = {1};
    std::vector<float> out = std::vector<float>(8, 0.0F);
    std::vector<float> sums = std::vector<float>(2, 0.0F);
    host_workspace memory{workspace_bytes(qk_shape{2, 1, 1, 8, 4})};

    device_qk<f16> qk() const {
        device_qk<f16> made;
        made.q = {q.data(), {2, 1, 2}};
        made.k = {k.data(), {1, keys, 2}};
        return made;
    }
    device_view<const float, 1> by() const { return {weights.data(), {1}}; }
    device_view<float, 2> to(index columns = 4) { return {out.data(), {2, columns}}; }
    status run(const device_qk<f16>& of) {
        std::fill(out.begin(), out.end(), 0.0F);
        REQUIRE(log_sum_exp(host_stream{}, of, device_view<float, 2>(sums.data(), {2, 1}), memory.view()));
        return reduce_qk(host_stream{}, of, {.count = 4}, by(), to(), memory.view());
    }
    void expect(bool first_is_nan, bool second_is_nan) const {
        CHECK(std::isnan(sums[0]) == first_is_nan);
        CHECK(std::isnan(sums[1]) == second_is_nan);
        CHECK(std::isnan(out[0]) == first_is_nan);
        CHECK(std::isnan(out[4]) == second_is_nan);
    }
};

TEST_CASE("a row that has no finite softmax is NaN; what is hidden does not matter") {
    one_head s;
    REQUIRE(s.run(s.qk()));
    s.expect(false, false);
    CHECK(s.out[0] == doctest::Approx(0.25));

    one_head bad_query;
    bad_query.q[2] = {0x7E00}; // NaN
    REQUIRE(bad_query.run(bad_query.qk()));
    bad_query.expect(false, true);

    one_head bad_key;
    bad_key.k[7] = {0x7C00}; // an infinity in key 3
    REQUIRE(bad_key.run(bad_key.qk()));
    bad_key.expect(true, true);
    bad_key.k[7] = {0xFC00}; // one that must not pass for a hidden key, with a soft cap or without
    REQUIRE(bad_key.run(bad_key.qk()));
    bad_key.expect(true, true);
    device_qk<f16> capped = bad_key.qk();
    capped.softcap = 3;
    REQUIRE(bad_key.run(capped));
    bad_key.expect(true, true);
    device_qk<f16> hidden = bad_key.qk();
    const std::vector<std::int32_t> live = {3, 4};
    hidden.visible = live_counts{{live.data(), {2}}};
    REQUIRE(bad_key.run(hidden));
    bad_key.expect(false, true);
    CHECK(bad_key.out[3] == 0);

    one_head none;
    device_qk<f16> unseen = none.qk();
    const std::vector<std::int32_t> counts = {-1, 9};
    unseen.visible = live_counts{{counts.data(), {2}}};
    REQUIRE(none.run(unseen));
    none.expect(true, false);

    std::vector<float> mask(8, 0.0F);
    std::fill(mask.begin(), mask.begin() + 4, -std::numeric_limits<float>::infinity());
    unseen.visible = added_rows{{mask.data(), {2, 4}}};
    REQUIRE(none.run(unseen));
    none.expect(true, false);
    mask[6] = std::numeric_limits<float>::infinity();
    REQUIRE(none.run(unseen));
    none.expect(true, true);

    one_head scattered;
    device_qk<f16> outside = scattered.qk();
    const std::vector<std::int32_t> cells = {0, 1, 4, 2};
    outside.cells = {cells.data(), {4}};
    REQUIRE(scattered.run(outside)); // cell 4 does not exist
    scattered.expect(true, true);
}

TEST_CASE("a head of weight 0 may hold anything; an image key that does not exist is NaN") {
    const std::vector<f16> q = {to_f16(1), {0x7E00}};
    const std::vector<f16> k(6, to_f16(1));
    device_qk<f16> qk;
    qk.q = {q.data(), {1, 2, 1}};
    for (const index kv_heads : {1, 2}) { // heads that share their keys, and heads that do not
        qk.k = {k.data(), {kv_heads, 3, 1}};
        const std::vector<float> weights = {1, 0};
        std::vector<float> out(3);
        const std::vector<std::int32_t> list = {0, 3, 2};
        device_keys image;
        image.list = {list.data(), {3}};
        host_workspace memory(workspace_bytes(qk_shape{1, 2, kv_heads, 3, 3}));
        REQUIRE(reduce_qk(host_stream{}, qk, image, device_view<const float, 1>(weights.data(), {2}),
                          device_view<float, 2>(out.data(), {1, 3}), memory.view()));
        CHECK(out[0] == doctest::Approx(1.0 / 3));
        CHECK(std::isnan(out[1]));
        CHECK(out[2] == doctest::Approx(1.0 / 3));
    }
}

// PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type", as it defines them: groupID is
// lane / 4, threadID_in_group is lane % 4, an element's row and column follow from its index.
TEST_CASE("fragments are those of mma.m16n8k16: a simulated warp multiplies as the plain loop does") {
    namespace inner = ostend::OSTEND_KERNELS::detail;
    std::mt19937 random(25);
    inner::vector_tile<128> q;
    inner::vector_tile<128> k;
    for (auto* t : {&q, &k}) {
        for (auto& row : t->words) {
            for (auto& word : row) {
                const auto half = [&] {
                    return std::uint32_t{to_f16(static_cast<float>(random() % 64) - 32).bits};
                };
                word = half() | half() << 16U;
            }
        }
    }
    const int words = 24;
    for (int warp = 0; warp < 4; ++warp) {
        float dots[32][inner::tile_columns][4] = {};
        for (int n = 0; n < inner::tile_columns; ++n) {
            for (int at = 0; at < words; at += 8) {
                float a[16][16] = {};
                float b[16][8] = {};
                for (int lane = 0; lane < 32; ++lane) {
                    const int group = lane / 4;
                    const int in_group = lane % 4;
                    std::uint32_t of_a[4];
                    std::uint32_t of_b[2];
                    inner::load_queries(q, 16 * warp, at, lane, of_a);
                    inner::load_keys(k, 8 * n, at, lane, of_b);
                    for (int i = 0; i < 8; ++i) {
                        const int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
                        const int column = in_group * 2 + (i & 1) + (i < 4 ? 0 : 8);
                        a[row][column] = inner::half_of<f16>(of_a[i / 2], i % 2);
                    }
                    for (int i = 0; i < 4; ++i) {
                        b[in_group * 2 + (i & 1) + (i < 2 ? 0 : 8)][group] =
                            inner::half_of<f16>(of_b[i / 2], i % 2);
                    }
                }
                for (int lane = 0; lane < 32; ++lane) {
                    for (int i = 0; i < 4; ++i) {
                        const int row = i < 2 ? lane / 4 : lane / 4 + 8;
                        const int column = lane % 4 * 2 + (i & 1);
                        for (int x = 0; x < 16; ++x) {
                            dots[lane][n][i] += a[row][x] * b[x][column];
                        }
                    }
                }
            }
        }
        for (int lane = 0; lane < 32; ++lane) { // small whole numbers: every order of the sum is exact
            float plain[inner::tile_columns][4];
            inner::multiply_tile<f16>(q, k, 16 * warp, words, lane, plain);
            for (int n = 0; n < inner::tile_columns; ++n) {
                for (int i = 0; i < 4; ++i) {
                    REQUIRE(plain[n][i] == dots[lane][n][i]);
                }
            }
        }
    }
}

TEST_CASE("the words that a warp's lanes read together lie in different banks") {
    namespace inner = ostend::OSTEND_KERNELS::detail;
    const auto banks = [](int words_a_row) {
        unsigned seen_banks = 0;
        for (int lane = 0; lane < 32; ++lane) {
            seen_banks |= 1U << static_cast<unsigned>((lane / 4 * words_a_row + lane % 4) % 32);
        }
        return seen_banks;
    };
    CHECK(banks(sizeof(inner::vector_tile<128>::words[0]) / 4) == 0xFFFFFFFFU);
    CHECK(banks(sizeof(inner::vector_tile<256>::words[0]) / 4) == 0xFFFFFFFFU);
}

TEST_CASE("preconditions of reduce_qk on a stream") {
    one_head s;
    const host_stream on;
    const device_keys image{.count = 4};
    const auto run = [&](const device_qk<f16>& qk) {
        return reduce_qk(on, qk, image, s.by(), s.to(), s.memory.view());
    };
    device_qk<f16> qk = s.qk();
    qk.k = {s.k.data(), {2, 4, 2}};
    CHECK_EXPECTS(run(qk), "1 query heads do not divide among 2");
    qk.k = {s.k.data(), {1, 4, 3}};
    CHECK_EXPECTS(run(qk), "q has head size 2, the keys 3");
    qk.k = {s.k.data(), {1, 4, 2}, {0, 2, 2}};
    CHECK_EXPECTS(run(qk), "not contiguous");
    qk = s.qk();
    qk.scale = std::numeric_limits<float>::infinity();
    CHECK_EXPECTS(run(qk), "scale is not finite");
    qk = s.qk();
    qk.softcap = -1;
    CHECK_EXPECTS(run(qk), "soft cap is negative");
    qk = s.qk();
    const std::vector<std::int32_t> live = {1, 2, 3};
    qk.visible = live_counts{{live.data(), {3}}};
    CHECK_EXPECTS(run(qk), "3 live counts for 2 queries");
    qk.visible = added_rows{{s.out.data(), {2, 3}}};
    CHECK_EXPECTS(run(qk), "the mask is [2, 3]");
    qk = s.qk();
    const std::vector<float> two = {1, 1};
    CHECK_EXPECTS(
        reduce_qk(on, qk, image, device_view<const float, 1>(two.data(), {2}), s.to(), s.memory.view()),
        "2 head weights for 1 heads");
    CHECK_EXPECTS(reduce_qk(on, qk, image, s.by(), s.to(3), s.memory.view()), "expected [2, 4]");
    CHECK_EXPECTS(reduce_qk(on, qk, {.count = 5}, s.by(), s.to(), s.memory.view()), "there are 4 keys");
    CHECK_EXPECTS(reduce_qk(on, qk, image, s.by(), s.to(), device_view<const float, 2>(two.data(), {1, 2}),
                            s.memory.view()),
                  "not [queries, heads]");
    CHECK_EXPECTS(reduce_qk(on, qk, image, s.by(), s.to(), device_workspace{}), "the workspace has 0 bytes");
    int launched = 0;
    const status outcome = reduce_qk(refusing_stream{&launched}, qk, image, s.by(), s.to(), s.memory.view());
    CHECK(!outcome);
    CHECK(launched == 1);
    const std::vector<f16> long_vector(257);
    qk.q = {long_vector.data(), {1, 1, 257}};
    qk.k = {long_vector.data(), {1, 1, 257}};
    CHECK_EXPECTS(
        reduce_qk(on, qk, {.count = 1}, s.by(), device_view<float, 2>(s.out.data(), {1, 1}), s.memory.view()),
        "at most 256");
}

} // namespace
