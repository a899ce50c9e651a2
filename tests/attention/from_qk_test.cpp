// from_qk: golden rows, an oracle written here in double over random caches, bitwise equality of layouts,
// log-sum-exp, errors and refusals. The oracle shares no code with the library.
#include "ostend/attention/from_qk.hpp"
#include "ostend/core/threads.hpp"

#include "support/expects.hpp"

#include OSTEND_ON_X86("attention/tile_model.hpp", "attention/no_tile_model.hpp")

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <random>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another
namespace inner = ostend::OSTEND_KERNELS::detail;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

std::size_t at(index i) { return static_cast<std::size_t>(i); }

// ---- golden rows -----------------------------------------------------------------------------------------

struct array_file {
    std::vector<index> shape;
    std::vector<float> values;
};

/// Reads a little-endian float32 .npy file in C order.
array_file read_npy(const std::string& name) {
    std::ifstream file(OSTEND_TEST_DATA "/golden/" + name, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE(bytes.size() > 10);
    const auto header_size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[8]) +
                                                      256 * static_cast<unsigned char>(bytes[9]));
    const std::string header = bytes.substr(10, header_size);
    REQUIRE(header.find("<f4") != std::string::npos);
    array_file array;
    index size = 1;
    for (const char* text = header.c_str() + header.find('(') + 1; *text != ')';) {
        char* end = nullptr;
        const index extent = std::strtol(text, &end, 10);
        if (end == text) {
            ++text;
            continue;
        }
        array.shape.push_back(extent);
        size *= extent;
        text = end;
    }
    REQUIRE(bytes.size() == 10 + header_size + at(size) * 4);
    array.values.resize(at(size));
    std::memcpy(array.values.data(), bytes.data() + 10 + header_size, at(size) * 4);
    return array;
}

/// The largest excess of |got - expected| over atol + rtol * |expected|; at most 0 when all is within.
double excess(std::span<const float> got, std::span<const float> expected, double atol, double rtol) {
    REQUIRE(got.size() == expected.size());
    double worst = -1;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double e = expected[i];
        const double over = std::abs(got[i] - e) - (atol + rtol * std::abs(e));
        worst = std::isnan(over) ? infinity : std::max(worst, over);
    }
    return worst;
}

// ---- random caches and the oracle -------------------------------------------------------------------------

/// A block of queries with everything that score.hpp knows, its keys in some layout, and the same keys dense.
struct random_case {
    index queries = 1, heads = 1, kv_heads = 1, d = 1, keys = 1;
    std::vector<float> q;     // [queries, heads, d]
    std::vector<float> dense; // [kv_heads, keys, d], the values that the codec can hold
    std::vector<std::vector<std::byte>> memory;
    std::vector<key_page> pages;
    std::vector<index> cells;
    std::vector<float> slopes, sinks, weights;
    std::vector<std::vector<float>> mask_rows;
    std::vector<visibility> visible;
    score_options score;
    key_selection image;

    [[nodiscard]] qk_block block() const {
        return {.q = {q.data(), {queries, heads, d}},
                .keys = key_source(pages, kv_heads, d, cells),
                .score = score,
                .visible = visible};
    }
    [[nodiscard]] qk_block dense_block() const {
        qk_block other = block();
        other.keys = key_source::contiguous(tensor_view<const float, 3>(dense.data(), {kv_heads, keys, d}));
        return other;
    }
};

void write_element(std::byte* to, element_type codec, float value) {
    switch (codec) {
    case element_type::f16: {
        const f16 h = to_f16(value);
        std::memcpy(to, &h, 2);
        break;
    }
    case element_type::bf16: {
        const bf16 b = to_bf16(value);
        std::memcpy(to, &b, 2);
        break;
    }
    case element_type::f64: {
        const double x = value;
        std::memcpy(to, &x, 8);
        break;
    }
    default:
        std::memcpy(to, &value, 4);
    }
}

float rounded(element_type codec, float value) {
    return codec == element_type::f16    ? to_float(to_f16(value))
           : codec == element_type::bf16 ? to_float(to_bf16(value))
                                         : value;
}

class maker {
public:
    explicit maker(unsigned seed) : random_(seed) {}
    index any(index low, index high) { return std::uniform_int_distribution<index>(low, high)(random_); }
    bool coin(double p = 0.5) { return std::bernoulli_distribution(p)(random_); }
    float normal() { return std::normal_distribution<float>()(random_); }
    template <class T>
    T pick(std::initializer_list<T> values) {
        return *(values.begin() + any(0, static_cast<index>(values.size()) - 1));
    }

    /// Shapes first; zeros are drawn.
    random_case make(index queries = 0, index keys = 0, index d = 0) {
        random_case c;
        c.queries = queries > 0 ? queries : pick<index>({1, 1, 2, 3, 5, 8, 17, 33, 70});
        c.kv_heads = any(1, 5);
        c.heads = c.kv_heads * pick<index>({1, 1, 2, 3, 4, 8});
        c.d = d > 0 ? d : pick<index>({1, 2, 3, 7, 8, 15, 16, 24, 33, 64, 80, 128});
        c.keys = keys > 0 ? keys : pick<index>({1, 2, 5, 63, 64, 65, 100, 128, 200, 300});
        c.score.scale = coin() ? 0.0F : 0.1F + std::abs(normal()) / std::sqrt(static_cast<float>(c.d));
        for (index i = 0; i < c.queries * c.heads * c.d; ++i) {
            c.q.push_back(normal());
        }
        for (index h = 0; h < c.heads; ++h) {
            c.weights.push_back(coin(0.2) ? 0.0F : std::abs(normal()) / static_cast<float>(c.heads));
        }
        make_score(c);
        make_visible(c);
        make_keys(c);
        make_image(c);
        return c;
    }

private:
    void make_score(random_case& c) {
        c.score.softcap = coin(0.2) ? static_cast<float>(any(1, 50)) : 0.0F;
        for (index h = 0; h < c.heads; ++h) {
            c.slopes.push_back(0.1F * std::abs(normal()));
            c.sinks.push_back(coin(0.2) ? -infinity : 3 * normal());
        }
        if (coin(0.3)) {
            c.score.alibi_slopes = c.slopes;
        }
        if (coin(0.3)) {
            c.score.sinks = c.sinks;
        }
    }

    void make_visible(random_case& c) {
        const index rows = pick<index>({0, 1, c.queries});
        c.mask_rows.resize(at(rows)); // no reallocation: rows are viewed
        for (index i = 0; i < rows; ++i) {
            const index form = any(0, 3);
            if (form == 0) {
                c.visible.emplace_back(all_keys{});
            } else if (form == 1) {
                c.visible.emplace_back(causal_limit{any(1, c.keys)});
            } else {
                auto& row = c.mask_rows[at(i)];
                for (index j = 0; j < c.keys; ++j) {
                    row.push_back(coin(0.3) ? -infinity : coin() ? 0.0F : normal());
                }
                row[at(any(0, c.keys - 1))] = 0.5F; // at least one key is visible
                c.visible.emplace_back(additive_row{{row.data(), {c.keys}}});
            }
        }
    }

    void make_keys(random_case& c) {
        const bool listed = coin();
        const index cell_count = listed ? c.keys + any(0, 20) : c.keys;
        std::vector<index> places(at(cell_count));
        std::iota(places.begin(), places.end(), index{0});
        if (listed) {
            std::shuffle(places.begin(), places.end(), random_);
            places.resize(at(c.keys));
            c.cells = places;
        }
        std::vector<index> key_in(at(cell_count), -1);
        for (index j = 0; j < c.keys; ++j) {
            key_in[at(places[at(j)])] = j;
        }
        c.dense.assign(at(c.kv_heads * c.keys * c.d), 0.0F);
        const bool one_codec = coin(0.8);
        const auto codec_of_all =
            pick({element_type::f32, element_type::f64, element_type::f16, element_type::bf16});
        for (index first = 0; first < cell_count;) {
            const index count = coin() ? cell_count - first : any(1, cell_count - first);
            const element_type codec =
                one_codec
                    ? codec_of_all
                    : pick({element_type::f32, element_type::f64, element_type::f16, element_type::bf16});
            write_page(c, codec, first, count, key_in);
            first += count;
        }
        hide_garbage(c);
    }

    void write_page(random_case& c, element_type codec, index first, index count,
                    const std::vector<index>& key_in) {
        const index bytes = bytes_of_codec(codec);
        const index element = coin(0.8) ? bytes : 2 * bytes;
        const index vector = c.d * element + (coin() ? 0 : any(0, 9));
        const bool head_major = coin();
        key_page page{.first = first,
                      .count = count,
                      .key_stride = head_major ? vector : c.kv_heads * vector,
                      .head_stride = head_major ? count * vector : vector,
                      .element_stride = element == bytes && coin() ? 0 : element,
                      .codec = codec};
        const index misaligned = coin() ? any(0, 3) : 0;
        // Poisoned memory: what is not a key must never be judged.
        std::vector<std::byte> memory(at(misaligned + c.kv_heads * count * vector), std::byte{0xFF});
        std::byte* base = memory.data() + misaligned;
        if (coin(0.2)) { // from the last cell to the first
            base += (count - 1) * page.key_stride;
            page.key_stride = -page.key_stride;
        }
        page.data = base;
        for (index cell = 0; cell < count; ++cell) {
            const index key = key_in[at(first + cell)];
            for (index h = 0; key >= 0 && h < c.kv_heads; ++h) {
                for (index x = 0; x < c.d; ++x) {
                    const float value = rounded(codec, normal());
                    c.dense[at((h * c.keys + key) * c.d + x)] = value;
                    write_element(base + cell * page.key_stride + h * page.head_stride + x * element, codec,
                                  value);
                }
            }
        }
        c.memory.push_back(std::move(memory));
        c.pages.push_back(page);
    }

    /// Keys that no query sees become NaN, in the cache and in the dense copy.
    void hide_garbage(random_case& c) {
        for (index j = 0; j < c.keys; ++j) {
            bool seen = c.visible.empty();
            for (const visibility& v : c.visible) {
                const auto* causal = std::get_if<causal_limit>(&v);
                const auto* row = std::get_if<additive_row>(&v);
                seen = seen || (causal == nullptr && row == nullptr) ||
                       (causal != nullptr && j < causal->keys) ||
                       (row != nullptr && row->row.load(j) != -infinity);
            }
            if (seen) {
                continue;
            }
            const qk_block block = c.block();
            for (index h = 0; h < c.kv_heads; ++h) {
                const key_address key = block.keys.address(h, j);
                for (index x = 0; x < c.d; ++x) {
                    c.dense[at((h * c.keys + j) * c.d + x)] = nan_value;
                    write_element(const_cast<std::byte*>(key.data) + x * key.element_stride, key.codec,
                                  nan_value);
                }
            }
        }
    }

    void make_image(random_case& c) {
        std::vector<index> chosen;
        const index form = any(0, 3);
        const index first = any(0, c.keys - 1);
        const index count = any(0, c.keys - first);
        if (form == 0) {
            c.image = key_selection(first, count);
            return;
        }
        for (index j = 0; j < count; ++j) {
            chosen.push_back(first + j);
        }
        if (form >= 2) {
            std::shuffle(chosen.begin(), chosen.end(), random_);
        }
        if (form == 3 && !chosen.empty()) {
            chosen.push_back(chosen.front()); // a key may be two image tokens
        }
        c.image = key_selection::from_indices(chosen);
    }

    std::mt19937 random_;
};

/// Rows of one query and head by the formula of score.hpp, in double.
struct oracle_row {
    std::vector<double> p;
    double log_sum_exp = 0;
    double magnitude = 0; // the largest sum of |terms| of a visible score
};

oracle_row oracle(const random_case& c, index query, index head) {
    const index kv = head / (c.heads / c.kv_heads);
    const double scale =
        c.score.scale != 0 ? static_cast<double>(c.score.scale) : 1 / std::sqrt(static_cast<double>(c.d));
    index limit = c.keys;
    const std::vector<float>* mask = nullptr;
    if (!c.visible.empty()) {
        const std::size_t which = c.visible.size() == 1 ? 0 : at(query);
        if (const auto* causal = std::get_if<causal_limit>(&c.visible[which])) {
            limit = causal->keys;
        } else if (std::holds_alternative<additive_row>(c.visible[which])) {
            mask = &c.mask_rows[which];
        }
    }
    oracle_row row;
    row.p.assign(at(c.keys), -infinity);
    for (index j = 0; j < limit; ++j) {
        if (mask != nullptr && (*mask)[at(j)] == -infinity) {
            continue;
        }
        double dot = 0;
        double terms = 0;
        for (index x = 0; x < c.d; ++x) {
            const double product = static_cast<double>(c.q[at((query * c.heads + head) * c.d + x)]) *
                                   c.dense[at((kv * c.keys + j) * c.d + x)];
            dot += product;
            terms += std::abs(product);
        }
        double s = scale * dot;
        if (c.score.softcap > 0) {
            s = c.score.softcap * std::tanh(s / c.score.softcap);
        }
        double bias = mask != nullptr ? (*mask)[at(j)] : 0;
        if (!c.score.alibi_slopes.empty()) {
            bias += c.slopes[at(head)] * static_cast<double>(j - (limit - 1));
        }
        row.p[at(j)] = s + bias;
        row.magnitude = std::max(row.magnitude, scale * terms + std::abs(bias));
    }
    double sum = c.score.sinks.empty() ? 0 : std::exp(static_cast<double>(c.sinks[at(head)]));
    for (const double s : row.p) {
        sum += std::exp(s);
    }
    row.log_sum_exp = std::log(sum);
    for (double& s : row.p) {
        s = std::exp(s - row.log_sum_exp);
    }
    return row;
}

/// The bounds on a probability's relative error that qk_blocked.hpp states.
double stated_bound(const random_case& c, const oracle_row& row, bool pairs) {
    const auto d = static_cast<double>(c.d);
    return 0x1p-24 * ((pairs ? 4 * (d + 38) : 2 * (d + 6)) * row.magnitude + 80);
}

struct expectation {
    std::vector<double> value, tolerance; // [queries, image_tokens]
};

expectation expect(const random_case& c, head_reduction reduce, bool pairs) {
    const index tokens = c.image.size();
    expectation e;
    e.value.assign(at(c.queries * tokens), 0.0);
    e.tolerance.assign(e.value.size(), 1e-12);
    for (index i = 0; i < c.queries; ++i) {
        for (index h = 0; h < c.heads; ++h) {
            const double w = c.weights[at(h)];
            if (w == 0) {
                continue;
            }
            const oracle_row row = oracle(c, i, h);
            const double bound = stated_bound(c, row, pairs) + 0x1p-24 * static_cast<double>(c.heads);
            for (index t = 0; t < tokens; ++t) {
                const double p = row.p[at(c.image.key(t))];
                double& value = e.value[at(i * tokens + t)];
                double& tolerance = e.tolerance[at(i * tokens + t)];
                if (reduce == head_reduction::mean) {
                    value += w * p;
                    tolerance += bound * w * p;
                } else {
                    value = std::max(value, p);
                    tolerance = std::max(tolerance, bound * p);
                }
            }
        }
    }
    return e;
}

index count_outside(const matrix<float>& got, const expectation& e, double factor) {
    index outside = 0;
    for (std::size_t i = 0; i < e.value.size(); ++i) {
        outside +=
            std::abs(got.values()[i] - e.value[i]) <= factor * e.tolerance[i] + 1e-7 * e.value[i] ? 0 : 1;
    }
    return outside;
}

std::string describe(const random_case& c) {
    return "queries " + std::to_string(c.queries) + ", heads " + std::to_string(c.heads) + "/" +
           std::to_string(c.kv_heads) + ", d " + std::to_string(c.d) + ", keys " + std::to_string(c.keys) +
           ", pages " + std::to_string(c.pages.size()) + ", cap " + std::to_string(c.score.softcap) +
           ", visibilities " + std::to_string(c.visible.size());
}

matrix<float> reduced_by(const inner::attention_kernels& kernels, const qk_block& block, const random_case& c,
                         head_reduction reduce) {
    qk_workspace workspace;
    matrix<float> out(c.queries, c.image.size());
    const status done = inner::blocked_reduce(seq, block, c.image, c.weights, reduce, out.view(), nullptr,
                                              workspace, kernels);
    CHECK_MESSAGE(done.has_value(), (done ? std::string() : done.error().message()));
    return out;
}

/// Whether every key is bf16 without gaps, so that a table with a dot product of pairs may use it.
bool is_all_bf16(const random_case& c) {
    return std::all_of(c.pages.begin(), c.pages.end(), [](const key_page& p) {
        return p.codec == element_type::bf16 && (p.element_stride == 0 || p.element_stride == 2);
    });
}

bool reads_pairs(const inner::attention_kernels& kernels) { return kernels.score_many_bf16 != nullptr; }

matrix<float> reduced(auto tag, const qk_block& block, const random_case& c, head_reduction reduce) {
    matrix<float> out(c.queries, c.image.size());
    const status done = reduce_qk(tag, block, c.image, c.weights, reduce, out.view());
    CHECK_MESSAGE(done.has_value(), (done ? std::string() : done.error().message()));
    return out;
}

TEST_CASE("Golden rows of Llama's eager attention, by both forms and in both layouts") {
    std::ifstream file(OSTEND_TEST_DATA "/golden/manifest.json");
    const auto manifest = nlohmann::json::parse(file);
    int cases = 0;
    for (const auto& entry : manifest.at("cases")) {
        if (entry.at("category") != "qk") {
            continue;
        }
        ++cases;
        const auto& p = entry.at("params");
        const index layers = p.at("layers"), heads = p.at("heads"), kv_heads = p.at("kv_heads"),
                    d = p.at("D"), queries = p.at("T"), keys = p.at("K");
        const array_file q = read_npy(entry.at("inputs").at("q"));
        const array_file k = read_npy(entry.at("inputs").at("k"));
        REQUIRE(q.shape == std::vector<index>{layers, heads, queries, d});
        REQUIRE(k.shape == std::vector<index>{layers, kv_heads, keys, d});
        const array_file layer_means = read_npy(entry.at("expected").at("layer_means"));
        const array_file mean_rows = read_npy(entry.at("expected").at("mean_rows"));
        const array_file mean_cols = read_npy(entry.at("expected").at("mean_cols"));
        const double atol = entry.at("tolerance").at("atol"), rtol = entry.at("tolerance").at("rtol");
        const index first = p.at("cols").at(0), last = p.at("cols").at(1);
        const std::vector<float> head_mean(at(heads), 1.0F / static_cast<float>(heads));
        const std::vector<float> whole_mean(at(heads), 1.0F / static_cast<float>(heads * layers));

        matrix<float> rows(queries, keys), rows_scalar(queries, keys), columns(queries, last - first);
        for (index layer = 0; layer < layers; ++layer) {
            const tensor_view<const float, 3> by_head(q.values.data() + layer * heads * queries * d,
                                                      {heads, queries, d});
            const tensor_view<const float, 3> k_layer(k.values.data() + layer * kv_heads * keys * d,
                                                      {kv_heads, keys, d});
            qk_block block{.q = by_head.permuted({1, 0, 2}),
                           .keys = key_source::contiguous(k_layer),
                           .score = {.scale = p.at("scale").get<float>()}};
            for (index t = 0; t < queries; ++t) {
                block.visible.emplace_back(causal_limit{keys - queries + t + 1});
            }
            const key_selection every(0, keys);
            matrix<float> one(queries, keys);
            REQUIRE(
                reduce_qk(blocked, block, every, head_mean, head_reduction::mean, one.view()).has_value());
            const std::span<const float> expected =
                std::span(layer_means.values).subspan(at(layer * queries * keys), at(queries * keys));
            CHECK(excess(one.values(), expected, atol, rtol) <= 0);
            REQUIRE(
                reduce_qk(blocked, block, every, whole_mean, head_reduction::mean, rows.view()).has_value());
            REQUIRE(reduce_qk(scalar, block, every, whole_mean, head_reduction::mean, rows_scalar.view())
                        .has_value());
            // Only the image columns, from a cell-major copy of the cache.
            std::vector<float> cells;
            for (index j = 0; j < keys; ++j) {
                for (index h = 0; h < kv_heads; ++h) {
                    for (index x = 0; x < d; ++x) {
                        cells.push_back(k_layer(h, j, x));
                    }
                }
            }
            block.keys =
                key_source::cell_major(tensor_view<const float, 3>(cells.data(), {keys, kv_heads, d}));
            REQUIRE(reduce_qk(blocked, block, key_selection(first, last - first), whole_mean,
                              head_reduction::mean, columns.view())
                        .has_value());
        }
        CHECK(excess(rows.values(), mean_rows.values, atol, rtol) <= 0);
        CHECK(excess(rows_scalar.values(), mean_rows.values, atol, rtol) <= 0);
        CHECK(excess(columns.values(), mean_cols.values, atol, rtol) <= 0);
    }
    CHECK(cases >= 1);
}

TEST_CASE("Random caches: both forms against the oracle, mean and max") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        const random_case c = maker(seed).make();
        CAPTURE(seed);
        CAPTURE(describe(c));
        for (const head_reduction reduce : {head_reduction::mean, head_reduction::max}) {
            const expectation e = expect(c, reduce, false);
            for (const auto& kernels : inner::all_kernels()) {
                CAPTURE(std::string(kernels.name));
                const bool pairs = reads_pairs(kernels) && is_all_bf16(c);
                CHECK(count_outside(reduced_by(kernels, c.block(), c, reduce),
                                    pairs ? expect(c, reduce, true) : e, 1) == 0);
            }
            // In double only the scale (f32) and the result are rounded.
            CHECK(count_outside(reduced(scalar, c.block(), c, reduce), e, 0.25) == 0);
        }
    }
}

TEST_CASE("Many rows of bf16 keys: every form of the tiles, with and without low parts of queries") {
    int cases = 0;
    for (unsigned seed = 0; cases < 12; ++seed) {
        maker make(1500 + seed);
        random_case c = make.make(make.pick<index>({12, 16, 17, 33}), 0, make.pick<index>({32, 64, 96, 128}));
        if (!is_all_bf16(c)) {
            continue;
        }
        ++cases;
        CAPTURE(describe(c));
        for (float& x : c.q) {
            x = seed % 2 == 0 ? to_float(to_bf16(x)) : x;
        }
        const expectation e = expect(c, head_reduction::mean, true);
        for (const auto& kernels : ostend_test::kernels_and_models()) {
            CAPTURE(std::string(kernels.name));
            CHECK(count_outside(reduced_by(kernels, c.block(), c, head_reduction::mean), e, 1) == 0);
        }
    }
}

TEST_CASE("Long caches: many blocks, tiles of 16 rows, rows whose maximum keeps rising") {
    for (unsigned seed = 0; seed < 4; ++seed) {
        maker make(1000 + seed);
        random_case c = make.make(seed % 2 == 0 ? 1 : 9, 7000, 8);
        c.image = key_selection(5, 6900);
        if (seed >=
            2) { // scores grow along the keys: each block's exponentials are put right by every later one
            c.score.alibi_slopes = c.slopes;
        }
        CAPTURE(describe(c));
        CHECK(count_outside(reduced(blocked, c.block(), c, head_reduction::mean),
                            expect(c, head_reduction::mean, is_all_bf16(c)), 1) == 0);
    }
}

TEST_CASE("Large scores neither overflow nor lose the row") {
    random_case c = maker(7).make(3, 200, 16);
    for (float& x : c.q) {
        x *= 300;
    }
    c.score.softcap = 0;
    const expectation e = expect(c, head_reduction::mean, is_all_bf16(c));
    CHECK(count_outside(reduced(blocked, c.block(), c, head_reduction::mean), e, 1) == 0);
}

TEST_CASE("Where the keys lie and of what type they are changes no bit, but for bf16 read in pairs") {
    for (unsigned seed = 0; seed < 100; ++seed) {
        const random_case c = maker(2000 + seed).make();
        CAPTURE(describe(c));
        for (const auto& kernels : inner::all_kernels()) {
            CAPTURE(std::string(kernels.name));
            if (reads_pairs(kernels) && is_all_bf16(c)) {
                continue;
            }
            CHECK(reduced_by(kernels, c.block(), c, head_reduction::mean) ==
                  reduced_by(kernels, c.dense_block(), c, head_reduction::mean));
        }
    }
}

TEST_CASE("Where bf16 keys lie changes no bit") {
    for (const index queries : {1, 3, 40}) {
        maker make(2200U + static_cast<unsigned>(queries));
        const index kv_heads = 4, keys = 700, d = 80;
        std::vector<float> q;
        std::vector<bf16> head_major, cell_major;
        for (index i = 0; i < queries * kv_heads * 2 * d; ++i) {
            q.push_back(make.normal());
        }
        for (index i = 0; i < kv_heads * keys * d; ++i) {
            head_major.push_back(to_bf16(make.normal()));
        }
        std::vector<index> cells(at(keys));
        std::iota(cells.begin(), cells.end(), index{0});
        std::shuffle(cells.begin(), cells.end(), std::mt19937(5));
        cell_major.resize(head_major.size());
        for (index h = 0; h < kv_heads; ++h) {
            for (index j = 0; j < keys; ++j) {
                std::copy_n(head_major.begin() + (h * keys + j) * d, d,
                            cell_major.begin() + (cells[at(j)] * kv_heads + h) * d);
            }
        }
        std::vector<key_page> pages;
        for (index first = 0; first < keys; first += 250) {
            pages.push_back({.data = cell_major.data() + first * kv_heads * d,
                             .first = first,
                             .count = std::min<index>(250, keys - first),
                             .key_stride = kv_heads * d * 2,
                             .head_stride = d * 2,
                             .codec = element_type::bf16});
        }
        qk_block block{.q = {q.data(), {queries, kv_heads * 2, d}},
                       .keys = key_source::contiguous(
                           tensor_view<const bf16, 3>(head_major.data(), {kv_heads, keys, d}))};
        const std::vector<float> weights(at(kv_heads * 2), 0.125F);
        const key_selection image(20, 600);
        const auto rows = [&] {
            matrix<float> out(queries, image.size());
            REQUIRE(reduce_qk(blocked, block, image, weights, head_reduction::mean, out.view()).has_value());
            return out;
        };
        const matrix<float> expected = rows();
        block.keys = key_source(pages, kv_heads, d, cells);
        CHECK(rows() == expected);
    }
}

/// Quantised keys of random bytes [kv_heads, keys, d / 32 blocks], and the numbers that they stand for.
struct quantised_keys {
    std::vector<std::byte> bytes;
    std::vector<float> numbers;
};
quantised_keys make_quantised(maker& make, element_type codec, index vectors, index d) {
    quantised_keys out;
    for (index block = 0; block < vectors * d / 32; ++block) {
        const f16 scale = to_f16(0.02F * make.normal());
        std::byte raw[2];
        std::memcpy(raw, &scale, 2);
        out.bytes.insert(out.bytes.end(), raw, raw + 2);
        const std::size_t first = out.bytes.size();
        for (index i = 0; i < (codec == element_type::q8_0 ? 32 : 16); ++i) {
            out.bytes.push_back(static_cast<std::byte>(make.any(0, 255)));
        }
        for (index i = 0; i < 32; ++i) {
            const int byte =
                std::to_integer<int>(out.bytes[first + at(codec == element_type::q8_0 ? i : i % 16)]);
            const int number = codec == element_type::q8_0 ? (byte < 128 ? byte : byte - 256)
                                                           : (i < 16 ? byte % 16 : byte / 16) - 8;
            out.numbers.push_back(to_float(scale) * static_cast<float>(number));
        }
    }
    return out;
}

TEST_CASE("Quantised keys: the oracle over the numbers that they stand for, in both layouts, to the bit") {
    for (unsigned seed = 0; seed < 24; ++seed) {
        maker make(2300 + seed);
        const element_type codec = seed % 2 == 0 ? element_type::q8_0 : element_type::q4_0;
        random_case c = make.make(make.pick<index>({1, 3, 40}), 0, make.pick<index>({32, 64, 96, 128}));
        const quantised_keys made = make_quantised(make, codec, c.kv_heads * c.keys, c.d);
        c.dense = made.numbers;
        CAPTURE(describe(c));
        const index vector = bytes_of_codec(codec, c.d);
        qk_block head_major = c.dense_block();
        head_major.keys = key_source({.data = made.bytes.data(),
                                      .count = c.keys,
                                      .key_stride = vector,
                                      .head_stride = c.keys * vector,
                                      .codec = codec},
                                     c.kv_heads, c.d);
        // The same cells in another order, side by side for all heads.
        std::vector<index> cells(at(c.keys));
        std::iota(cells.begin(), cells.end(), index{0});
        std::shuffle(cells.begin(), cells.end(), std::mt19937(seed));
        std::vector<std::byte> moved(made.bytes.size());
        for (index h = 0; h < c.kv_heads; ++h) {
            for (index j = 0; j < c.keys; ++j) {
                std::copy_n(made.bytes.begin() + (h * c.keys + j) * vector, vector,
                            moved.begin() + (cells[at(j)] * c.kv_heads + h) * vector);
            }
        }
        qk_block cell_major = head_major;
        cell_major.keys = key_source({.data = moved.data(),
                                      .count = c.keys,
                                      .key_stride = c.kv_heads * vector,
                                      .head_stride = vector,
                                      .codec = codec},
                                     c.kv_heads, c.d, cells);
        const expectation e = expect(c, head_reduction::mean, false);
        for (const auto& kernels : inner::all_kernels()) {
            CAPTURE(std::string(kernels.name));
            const matrix<float> rows = reduced_by(kernels, head_major, c, head_reduction::mean);
            CHECK(count_outside(rows, e, 1) == 0);
            CHECK(reduced_by(kernels, cell_major, c, head_reduction::mean) == rows);
        }
        CHECK(count_outside(reduced(scalar, head_major, c, head_reduction::mean), e, 0.25) == 0);
    }
}

TEST_CASE("Threads change no bit") {
    for (unsigned seed = 0; seed < 40; ++seed) {
        const random_case c = maker(2500 + seed).make();
        CAPTURE(describe(c));
        for (const head_reduction reduce : {head_reduction::mean, head_reduction::max}) {
            const matrix<float> expected = reduced(blocked, c.block(), c, reduce);
            qk_workspace workspace;
            for (const int count : {1, 2, 3, 7}) {
                matrix<float> out(c.queries, c.image.size());
                REQUIRE(reduce_qk(blocked, threads{count}, c.block(), c.image, c.weights, reduce, out.view(),
                                  workspace)
                            .has_value());
                CHECK(out == expected);
            }
        }
    }
}

TEST_CASE("Queries and keys that leave bf16 are split right: large, subnormal, exact") {
    const std::vector<float> q{3.4e38F, 1e-39F, 1.0F + 0x1p-8F + 0x1p-17F, -0.5F};
    std::vector<bf16> k;
    for (const float x : {2e-38F, 1.0F, 1.0F, 1.0F, -2e-38F, 0.5F, 3.0F, 2.0F}) {
        k.push_back(to_bf16(x));
    }
    const qk_block block{.q = {q.data(), {1, 1, 4}},
                         .keys = key_source::contiguous(tensor_view<const bf16, 3>(k.data(), {1, 2, 4})),
                         .score = {.scale = 1}};
    matrix<float> by_blocks(1, 2), by_scalars(1, 2);
    const float weight = 1;
    REQUIRE(
        reduce_qk(blocked, block, key_selection(0, 2), {&weight, 1}, head_reduction::mean, by_blocks.view())
            .has_value());
    REQUIRE(
        reduce_qk(scalar, block, key_selection(0, 2), {&weight, 1}, head_reduction::mean, by_scalars.view())
            .has_value());
    CHECK(excess(by_blocks.values(), by_scalars.values(), 0, 0x1p-24 * (4 * 42 * 11 + 80)) <= 0);
}

TEST_CASE("A workspace that served another shape changes no bit") {
    qk_workspace workspace;
    for (unsigned seed = 0; seed < 60; ++seed) {
        const random_case c = maker(3000 + seed).make();
        matrix<float> out(c.queries, c.image.size());
        REQUIRE(reduce_qk(blocked, c.block(), c.image, c.weights, head_reduction::mean, out.view(), workspace)
                    .has_value());
        CHECK(out == reduced(blocked, c.block(), c, head_reduction::mean));
    }
}

TEST_CASE("out is added to, or maxed into, whatever its strides") {
    const random_case c = maker(11).make(2, 100, 16);
    const matrix<float> mean = reduced(blocked, c.block(), c, head_reduction::mean);
    const matrix<float> most = reduced(blocked, c.block(), c, head_reduction::max);
    const index tokens = c.image.size();
    REQUIRE(tokens > 0);
    matrix<float> transposed(tokens, 2, 0.5F);
    const auto out = transposed.view().permuted({1, 0});
    REQUIRE(reduce_qk(blocked, c.block(), c.image, c.weights, head_reduction::mean, out).has_value());
    for (index t = 0; t < tokens; ++t) {
        CHECK(transposed(t, 1) == 0.5F + mean(1, t));
    }
    matrix<float> raised(2, tokens, 0.02F);
    REQUIRE(
        reduce_qk(blocked, c.block(), c.image, c.weights, head_reduction::max, raised.view()).has_value());
    for (index t = 0; t < tokens; ++t) {
        CHECK(raised(0, t) == std::max(0.02F, most(0, t)));
    }
}

TEST_CASE("Heads of weight 0 are not looked at") {
    random_case c = maker(12).make(3, 70, 16);
    std::fill(c.weights.begin(), c.weights.end(), 0.5F);
    const index last = c.heads - 1;
    c.weights[at(last)] = 0;
    const matrix<float> before = reduced(blocked, c.block(), c, head_reduction::mean);
    for (index i = 0; i < c.queries; ++i) {
        c.q[at((i * c.heads + last) * c.d)] = nan_value;
    }
    CHECK(before == reduced(blocked, c.block(), c, head_reduction::mean));
    reduced(scalar, c.block(), c, head_reduction::mean);
    std::fill(c.weights.begin(), c.weights.end(), 0.0F);
    CHECK(reduced(blocked, c.block(), c, head_reduction::mean) == matrix<float>(c.queries, c.image.size()));
}

TEST_CASE("attention_probabilities are the oracle's rows") {
    for (unsigned seed = 0; seed < 20; ++seed) {
        const random_case c = maker(4000 + seed).make();
        const index query = c.queries - 1;
        const matrix<float> rows = attention_probabilities(c.block(), query);
        REQUIRE(rows.rows() == c.heads);
        REQUIRE(rows.columns() == c.keys);
        for (index h = 0; h < c.heads; ++h) {
            const oracle_row row = oracle(c, query, h);
            index wrong = 0;
            for (index j = 0; j < c.keys; ++j) {
                wrong += std::abs(rows(h, j) - row.p[at(j)]) <= 1e-5 * row.p[at(j)] + 1e-12 ? 0 : 1;
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("log_sum_exp is natural, covers the whole score, and then only image keys are read") {
    qk_workspace workspace;
    for (unsigned seed = 0; seed < 60; ++seed) {
        random_case c = maker(5000 + seed).make();
        CAPTURE(describe(c));
        const auto values = log_sum_exp(c.block(), workspace);
        REQUIRE(values.has_value());
        for (index i = 0; i < c.queries; ++i) {
            for (index h = 0; h < c.heads; ++h) {
                const oracle_row row = oracle(c, i, h);
                CHECK(std::abs((*values)(i, h) - row.log_sum_exp) <=
                      stated_bound(c, row, is_all_bf16(c)) + 0x1p-22 * std::abs(row.log_sum_exp));
            }
        }
        const known_log_sum_exp known{values->view()};
        const matrix<float> expected = reduced(scalar, c.block(), c, head_reduction::mean);
        // Keys that are no image tokens become NaN: they must not be read.
        const qk_block block = c.block();
        for (index j = 0; j < c.keys; ++j) {
            bool is_image = false;
            for (index t = 0; t < c.image.size(); ++t) {
                is_image = is_image || c.image.key(t) == j;
            }
            for (index h = 0; !is_image && h < c.kv_heads; ++h) {
                const key_address key = block.keys.address(h, j);
                write_element(const_cast<std::byte*>(key.data), key.codec, nan_value);
            }
        }
        for (const bool by_blocks : {true, false}) {
            matrix<float> out(c.queries, c.image.size());
            const status done = by_blocks ? reduce_qk(blocked, block, c.image, c.weights,
                                                      head_reduction::mean, out.view(), known, workspace)
                                          : reduce_qk(scalar, block, c.image, c.weights, head_reduction::mean,
                                                      out.view(), known);
            REQUIRE_MESSAGE(done.has_value(), (done ? std::string() : done.error().message()));
            CHECK(excess(out.values(), expected.values(), 1e-9, 3e-5) <= 0);
        }
    }
}

TEST_CASE("A log-sum-exp of another base or of other scores is an error, not a map") {
    random_case c = maker(77).make(2, 100, 16);
    c.score.sinks = {};
    c.visible.clear();
    c.dense.assign(c.dense.size(), 0.1F);
    std::fill(c.weights.begin(), c.weights.end(), 1.0F);
    c.image = key_selection(0, c.keys);
    const qk_block block = c.dense_block();
    const matrix<float> right = *log_sum_exp(block);
    for (const float wrong : {right(1, 0) - 0.01F, nan_value, infinity, -infinity}) {
        matrix<float> values = right;
        values(1, 0) = wrong;
        for (const bool by_blocks : {true, false}) {
            matrix<float> out(2, c.keys, 7.0F);
            const known_log_sum_exp known{values.view()};
            const status done =
                by_blocks
                    ? reduce_qk(blocked, block, c.image, c.weights, head_reduction::mean, out.view(), known)
                    : reduce_qk(scalar, block, c.image, c.weights, head_reduction::mean, out.view(), known);
            REQUIRE(!done.has_value());
            CHECK(done.error().field == "log_sum_exp");
            CHECK(done.error().at == 1);
            CHECK(out(0, 0) == 7.0F);
        }
    }
}

TEST_CASE("What is not finite surfaces with its field and query; out stays as it was") {
    random_case clean = maker(21).make(5, 150, 24);
    clean.visible.clear();
    clean.mask_rows.assign(1, std::vector<float>(150, 0.0F));
    clean.score.alibi_slopes = {};
    clean.score.sinks = {};
    clean.sinks.assign(clean.sinks.size(), 0.0F);
    std::fill(clean.weights.begin(), clean.weights.end(), 0.25F);
    clean.image = key_selection(100, 20);
    for (float& x : clean.dense) {
        x = 0.25F;
    }
    struct bad_case {
        std::string field;
        std::size_t at;
        std::function<void(random_case&)> spoil;
    };
    std::vector<bad_case> bad;
    for (const float value : {nan_value, infinity, -infinity}) {
        bad.push_back(
            {"q", 3, [value](random_case& c) { c.q[at((3 * c.heads + 1 % c.heads) * c.d + 5)] = value; }});
        // Key 40 is no image key; query 0 is the first that sees it.
        bad.push_back({"k", 0, [value](random_case& c) { c.dense[at(40 * c.d + 23)] = value; }});
        // Only query 2 sees key 149.
        bad.push_back({"k", 2, [value](random_case& c) {
                           c.dense[at(149 * c.d)] = value;
                           c.visible.assign(5, causal_limit{149});
                           c.visible[2] = all_keys{};
                       }});
        bad.push_back({"k", 0, [value](random_case& c) {
                           c.dense[at(40 * c.d + 23)] = value;
                           c.score.softcap = 30;
                       }});
        if (value != -infinity) {
            bad.push_back({"visible", 4, [value](random_case& c) {
                               c.mask_rows[0][60] = value;
                               c.visible.assign(5, all_keys{});
                               c.visible[4] = additive_row{{c.mask_rows[0].data(), {150}}};
                           }});
            bad.push_back({"sinks", 0, [value](random_case& c) {
                               c.sinks[0] = value;
                               c.score.sinks = c.sinks;
                           }});
        }
    }
    bad.push_back({"visible", 1, [](random_case& c) {
                       c.visible.assign(5, all_keys{});
                       c.visible[1] = causal_limit{0};
                   }});
    bad.push_back({"visible", 0, [](random_case& c) {
                       c.mask_rows[0].assign(150, -infinity);
                       c.visible = {additive_row{{c.mask_rows[0].data(), {150}}}};
                   }});
    for (std::size_t i = 0; i < bad.size(); ++i) {
        CAPTURE(i);
        random_case c = clean;
        bad[i].spoil(c);
        const qk_block block = c.dense_block();
        for (const bool by_blocks : {true, false}) {
            matrix<float> out(5, 20, 7.0F);
            const status done =
                by_blocks ? reduce_qk(blocked, block, c.image, c.weights, head_reduction::mean, out.view())
                          : reduce_qk(scalar, block, c.image, c.weights, head_reduction::mean, out.view());
            REQUIRE(!done.has_value());
            CHECK(done.error().field == bad[i].field);
            CHECK(done.error().at == bad[i].at);
            CHECK(std::all_of(out.values().begin(), out.values().end(), [](float x) { return x == 7.0F; }));
        }
        const auto values = log_sum_exp(block);
        REQUIRE(!values.has_value());
        CHECK(values.error().field == bad[i].field);
        const auto failed_at = static_cast<index>(bad[i].at);
        const matrix<float> rows = attention_probabilities(block, failed_at);
        CHECK(std::any_of(rows.values().begin(), rows.values().end(), [](float x) { return std::isnan(x); }));
    }
}

TEST_CASE("Finite q and k whose product leaves f32 is an error of the blocked form") {
    const std::vector<float> q{3e38F};
    const std::vector<float> k{1, -1e10F, 1};
    const qk_block block{.q = {q.data(), {1, 1, 1}},
                         .keys = key_source::contiguous(tensor_view<const float, 3>(k.data(), {1, 3, 1}))};
    matrix<float> out(1, 3);
    const float weight = 1;
    const status done =
        reduce_qk(blocked, block, key_selection(0, 3), {&weight, 1}, head_reduction::mean, out.view());
    REQUIRE(!done.has_value());
    CHECK(done.error().what.find("overflows") != std::string::npos);
}

TEST_CASE("attention_row and attention_rows widen any float type and keep nothing else") {
    const std::vector<float> q{1, 2, 3, 4}, k{1, 0, 0, 1, 1, 1};
    std::vector<f16> half;
    std::vector<bf16> brain;
    std::vector<double> wide;
    for (const float x : q) {
        half.push_back(to_f16(x));
        brain.push_back(to_bf16(x));
        wide.push_back(x);
    }
    const tensor_view<const float, 3> keys(k.data(), {1, 3, 2});
    const auto probabilities = [&](const auto& values) {
        using element = typename std::remove_cvref_t<decltype(values)>::value_type;
        const tensor_view<const element, 2> view(values.data(), {2, 2});
        const query_rows row = attention_row(view, keys, {.scale = 1});
        const query_rows copy = row; // NOLINT: the copy must not view the original
        const query_rows three =
            attention_rows(tensor_view<const element, 3>(values.data(), {1, 2, 2}),
                           key_source::contiguous(keys), {.scale = 1}, {causal_limit{3}});
        CHECK(attention_probabilities(three, 0) == attention_probabilities(row, 0));
        return attention_probabilities(copy, 0);
    };
    const matrix<float> expected = probabilities(q);
    CHECK(expected(0, 2) == doctest::Approx(0.665241));
    CHECK(probabilities(half) == expected);
    CHECK(probabilities(brain) == expected);
    CHECK(probabilities(wide) == expected);
}

TEST_CASE("Nothing to do: no queries, no image tokens") {
    const random_case c = maker(31).make(2, 70, 16);
    qk_block none = c.block();
    none.q = {c.q.data(), {0, c.heads, c.d}};
    none.visible.clear();
    matrix<float> out(0, c.image.size());
    CHECK(reduce_qk(blocked, none, c.image, c.weights, head_reduction::mean, out.view()).has_value());
    CHECK(reduce_qk(scalar, none, c.image, c.weights, head_reduction::mean, out.view()).has_value());
    matrix<float> no_tokens(2, 0);
    CHECK(reduce_qk(blocked, c.block(), {}, c.weights, head_reduction::mean, no_tokens.view()).has_value());
    CHECK(reduce_qk(scalar, c.block(), {}, c.weights, head_reduction::mean, no_tokens.view()).has_value());
}

TEST_CASE("Image tokens that no query sees are 0") {
    random_case c = maker(32).make(3, 200, 16);
    c.visible = {causal_limit{50}};
    c.image = key_selection(40, 100);
    c.dense.assign(c.dense.size(), 0.5F);
    const auto out = reduced(blocked, c.dense_block(), c, head_reduction::mean);
    for (index t = 10; t < 100; ++t) {
        CHECK(out(2, t) == 0);
    }
}

TEST_CASE("Shapes that do not fit are refused with the numbers") {
    const std::vector<float> q(2 * 4 * 8, 0.5F), k(2 * 6 * 8, 0.5F), weights(4, 0.25F), three(3, 0.1F);
    qk_block good{.q = {q.data(), {2, 4, 8}},
                  .keys = key_source::contiguous(tensor_view<const float, 3>(k.data(), {2, 6, 8}))};
    matrix<float> out(2, 3);
    const key_selection image(1, 3);
    const auto reduce = [&](const qk_block& block, const key_selection& keys, std::span<const float> w,
                            const tensor_view<float, 2>& to) {
        return reduce_qk(blocked, block, keys, w, head_reduction::mean, to).has_value();
    };
    CHECK(reduce(good, image, weights, out.view()));
    CHECK_EXPECTS(reduce(good, key_selection(4, 3), weights, out.view()),
                  "image key 6 is outside the 6 keys");
    CHECK_EXPECTS(reduce(good, image, three, out.view()), "3 head weights for 4 heads");
    CHECK_EXPECTS(reduce(good, image, std::vector<float>(4, nan_value), out.view()), "weight is not finite");
    CHECK_EXPECTS(reduce(good, key_selection(1, 2), weights, out.view()), "out is [2, 3], expected [2, 2]");
    qk_block bad = good;
    bad.q = {q.data(), {2, 3, 8}};
    CHECK_EXPECTS(reduce(bad, image, three, out.view()), "3 query heads do not divide among 2");
    bad = good;
    bad.q = {q.data(), {2, 4, 4}};
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "q has head size 4, the keys 8");
    bad = good;
    bad.visible = {causal_limit{1}, causal_limit{2}, causal_limit{3}};
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "3 visibilities for 2 queries");
    bad.visible = {causal_limit{1}, causal_limit{7}};
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "query 1 sees 7 keys of 6");
    bad.visible = {additive_row{{three.data(), {3}}}};
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "has 3 values for 6 keys");
    bad = good;
    bad.score.alibi_slopes = three;
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "3 ALiBi slopes for 4 heads");
    bad = good;
    bad.score.sinks = three;
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "3 sinks for 4 heads");
    bad = good;
    bad.score.softcap = -1;
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "soft cap");
    bad = good;
    bad.score.scale = infinity;
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "scale");
    bad = good;
    bad.keys = {};
    CHECK_EXPECTS(reduce(bad, image, weights, out.view()), "key source is empty");
    CHECK_EXPECTS(attention_probabilities(good, 2), "query 2 of 2");
    matrix<float> values(1, 4);
    CHECK_EXPECTS(reduce_qk(blocked, good, image, weights, head_reduction::mean, out.view(),
                            known_log_sum_exp{values.view()})
                      .has_value(),
                  "not [queries, heads]");
}

TEST_CASE("The exponentials of every kernel are within 2 ulp (AVX-512: 3.5), 0 far below, NaN for NaN") {
    for (const auto& kernels : inner::all_kernels()) {
        CAPTURE(std::string(kernels.name));
        const auto exponential = [&](float x) {
            alignas(64) std::array<float, 16> to{}, zero{}, one{};
            to.fill(x);
            one.fill(1);
            kernels.correct(to.data(), zero.data(), one.data(), 16, false); // e^(to - 0) * 1
            return to[0];
        };
        double worst = 0;
        for (double x = -87.3; x <= 88; x += 0.00037) {
            const auto f = static_cast<float>(x);
            const double exact = std::exp(static_cast<double>(f));
            const double ulp = std::ldexp(1.0, std::ilogb(exact) - 23);
            // ln(2) as one float adds |x| 2^-29 in AVX-512.
            worst = std::max(worst, (std::abs(exponential(f) - exact) - std::abs(x) * 0x1p-29 * exact) / ulp);
        }
        CHECK(worst <= (std::string(kernels.name).starts_with("avx512") ? 3.5 : 2));
        CHECK(exponential(0.0F) == 1);
        CHECK(exponential(-infinity) == 0);
        CHECK(exponential(-100.0F) == 0);
        CHECK(exponential(-1e30F) == 0);
        CHECK(std::isnan(exponential(nan_value)));
    }
}

} // namespace
