// recorder: against aggregate and an oracle, bit-equal merges, truncation, forks, kept queries, every
// refusal.
#include "ostend/attention/recorder.hpp"

#include "support/expects.hpp"

#include <cmath>
#include <limits>
#include <random>

namespace {

using namespace ostend;
using ostend::index;

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// Attention [tokens, layers, heads, keys]: rows of random probabilities.
struct dump {
    index tokens, layers, heads, keys;
    std::vector<float> values;

    dump(unsigned seed, index t, index l, index h, index k) : tokens(t), layers(l), heads(h), keys(k) {
        std::mt19937 bits(seed);
        std::exponential_distribution<float> positive(1);
        values.resize(static_cast<std::size_t>(t * l * h * k));
        for (std::size_t row = 0; row < values.size(); row += static_cast<std::size_t>(k)) {
            double sum = 0;
            for (std::size_t i = row; i < row + static_cast<std::size_t>(k); ++i) {
                values[i] = std::pow(positive(bits), 3.0F);
                sum += static_cast<double>(values[i]);
            }
            for (std::size_t i = row; i < row + static_cast<std::size_t>(k); ++i) {
                values[i] = static_cast<float>(static_cast<double>(values[i]) / sum);
            }
        }
    }
    tensor_view<const float, 4> view() const { return {values.data(), {tokens, layers, heads, keys}}; }
    tensor_view<const float, 2> row(index token, index layer) const { return view()[token][layer]; }
    float& at(index t, index l, index h, index k) {
        return values[static_cast<std::size_t>(((t * layers + l) * heads + h) * keys + k)];
    }
};

recorder_options options_for(const dump& d, key_selection image,
                             head_reduction reduce = head_reduction::mean) {
    return {.layers = static_cast<int>(d.layers),
            .heads = static_cast<int>(d.heads),
            .image = std::move(image),
            .reduce = reduce};
}

void add_layers(recorder& r, const dump& d, const std::vector<int>& layers, index first = 0,
                int sequence = 0) {
    for (index token = first; token < d.tokens; ++token) {
        for (const int layer : layers) {
            r.add({.layer = layer, .token = token, .sequence = sequence}, d.row(token, layer));
        }
    }
}
std::vector<int> all_layers(const dump& d) {
    std::vector<int> layers;
    for (int layer = 0; layer < d.layers; ++layer) {
        layers.push_back(layer);
    }
    return layers;
}
recorder recorded(const dump& d, const recorder_options& options) {
    recorder r(options);
    add_layers(r, d, all_layers(d));
    return r;
}
void check_near(const matrix<float>& a, const matrix<float>& b, double relative) {
    REQUIRE(a.rows() == b.rows());
    REQUIRE(a.columns() == b.columns());
    for (std::size_t i = 0; i < a.values().size(); ++i) {
        const auto want = static_cast<double>(b.values()[i]);
        REQUIRE(std::abs(static_cast<double>(a.values()[i]) - want) <= relative * std::abs(want) + 1e-9);
    }
}
std::string failure(const result<matrix<float>>& r) { return r ? "(no error)" : r.error().message(); }
std::string failure(const status& s) { return s ? "(no error)" : s.error().message(); }
bool says(const std::string& text, const std::string& part) {
    const bool found = text.find(part) != std::string::npos;
    if (!found) {
        MESSAGE(text);
    }
    return found;
}

// ---- rows of attention ----------------------------------------------------------------------------------

TEST_CASE("recorded rows equal the aggregate of the whole attention") {
    std::mt19937 bits(5);
    for (unsigned seed = 0; seed < 40; ++seed) {
        const auto of = [&](index low, index high) {
            return std::uniform_int_distribution<index>(low, high)(bits);
        };
        const dump d(seed, of(1, 5), of(1, 5), of(1, 6), of(8, 40));
        const key_selection image(
            {{.first = of(0, 3), .count = 2}, {.first = 5, .count = of(0, 1), .step = 3}});
        for (const auto reduce : {head_reduction::mean, head_reduction::max}) {
            recorder_options options = options_for(d, image, reduce);
            if (seed % 3 == 1) {
                options.heads_used = head_selection::pairs({{-1, 0}, {0, -1}});
            } else if (seed % 3 == 2) {
                matrix<float> weights(d.layers, d.heads);
                for (float& w : weights.values()) {
                    w = static_cast<float>(of(0, 3));
                }
                weights(0, 0) = 1;
                options.heads_used = head_selection::weighted(weights);
            }
            const auto got = recorded(d, options).maps();
            REQUIRE_MESSAGE(got, failure(got));
            const matrix<float> want =
                aggregate(d.view(), image, {.heads = options.heads_used, .reduce = reduce});
            check_near(*got, want, reduce == head_reduction::max ? 0 : 1.2e-7); // one unit in the last place
        }
    }
}

TEST_CASE("many layers: the fixed point keeps small values, against a sum in double") {
    dump d(3, 1, 130, 2, 20);
    for (index layer = 0; layer < d.layers; ++layer) {
        d.at(0, layer, 0, 1) = 1e-9F;
        d.at(0, layer, 1, 1) = 1e-9F;
    }
    const recorder r = recorded(d, options_for(d, {0, 20}));
    double want = 0;
    for (index layer = 0; layer < d.layers; ++layer) {
        want +=
            static_cast<double>(d.at(0, layer, 0, 1)) / 260 + static_cast<double>(d.at(0, layer, 1, 1)) / 260;
    }
    const matrix<float> maps = *r.maps();
    CHECK(static_cast<double>(maps(0, 1)) == doctest::Approx(want).epsilon(1e-6));
}

TEST_CASE("the order of layers and tokens does not change a bit; strides and element types are read") {
    const dump d(9, 4, 6, 3, 30);
    const recorder_options options = options_for(d, {2, 20});
    const matrix<float> want = *recorded(d, options).maps();
    recorder backwards(options);
    for (index token = d.tokens; token-- > 0;) {
        for (int layer = static_cast<int>(d.layers); layer-- > 0;) {
            backwards.add({.layer = layer, .token = token}, d.row(token, layer));
        }
    }
    CHECK(*backwards.maps() == want);

    recorder transposed(options); // keys outermost, heads innermost, every second element
    recorder halves(options);
    for (index token = 0; token < d.tokens; ++token) {
        for (int layer = 0; layer < d.layers; ++layer) {
            std::vector<double> spread(static_cast<std::size_t>(d.heads * d.keys * 2));
            std::vector<bf16> half;
            for (index h = 0; h < d.heads; ++h) {
                for (index k = 0; k < d.keys; ++k) {
                    spread[static_cast<std::size_t>((k * d.heads + h) * 2)] =
                        static_cast<double>(d.row(token, layer)(h, k));
                    half.push_back(to_bf16(d.row(token, layer)(h, k)));
                }
            }
            transposed.add({.layer = layer, .token = token},
                           tensor_view<const double, 2>(spread.data(), {d.heads, d.keys}, {2, d.heads * 2}));
            halves.add({.layer = layer, .token = token},
                       tensor_view<bf16, 2>(half.data(), {d.heads, d.keys}));
        }
    }
    CHECK(*transposed.maps() == want);
    check_near(*halves.maps(), want, 4e-3);
}

TEST_CASE("a block of queries equals its rows; a prefill block may begin before the first token") {
    const dump d(1, 6, 2, 3, 15);
    const recorder_options options = options_for(d, {1, 12});
    const matrix<float> want = *recorded(d, options).maps();
    recorder blocks(options);
    recorder prefill(options);
    for (int layer = 0; layer < 2; ++layer) {
        // [tokens, layers, heads, keys] -> [heads, tokens, keys]
        const auto block = d.view().slice(1, layer).permuted({1, 0, 2});
        blocks.add({.layer = layer, .token = 0}, block.range(1, 0, 4));
        blocks.add({.layer = layer, .token = 4}, block.range(1, 4, 2));
        blocks.add({.layer = layer, .token = 6}, block.range(1, 0, 0)); // nothing
        prefill.add({.layer = layer, .token = -2}, block);              // rows 0 and 1 belong to the prompt
    }
    CHECK(*blocks.maps() == want);
    const matrix<float> later = *prefill.maps();
    REQUIRE(later.rows() == 4);
    for (index token = 0; token < 4; ++token) {
        for (index i = 0; i < 12; ++i) {
            CHECK(later(token, i) == want(token + 2, i));
        }
    }
    CHECK_EXPECTS(prefill.add({.layer = 0, .token = -1}, d.row(0, 0)), "predicts token -1");
}

TEST_CASE("the query convention: a token's own query is the one that predicts the next") {
    const dump d(2, 5, 2, 2, 10);
    const recorder r = recorded(d, options_for(d, {0, 10}));
    const matrix<float> predicting = *r.maps();
    const matrix<float> own = *r.maps(query_convention::token_itself);
    REQUIRE(predicting.rows() == 5);
    REQUIRE(own.rows() == 4);
    for (index t = 0; t < 4; ++t) {
        for (index i = 0; i < 10; ++i) {
            CHECK(own(t, i) == predicting(t + 1, i));
        }
    }
    recorder late(options_for(d, {0, 10})); // the prompt's last query was not recorded
    add_layers(late, d, {0, 1}, 1);
    CHECK(*late.maps(query_convention::token_itself) == own);
    CHECK(says(failure(late.maps()), "token 0 in layer 0 was not added"));
    const recorder one = [&] {
        recorder first(options_for(d, {0, 10}));
        first.add({.layer = 0, .token = 0}, d.row(0, 0));
        first.add({.layer = 1, .token = 0}, d.row(0, 1));
        return first;
    }();
    CHECK(one.maps()->rows() == 1);
    CHECK(one.maps(query_convention::token_itself)->rows() == 0);
}

TEST_CASE("keys that move: the selection of each call counts") {
    const dump d(4, 3, 2, 2, 20);
    const matrix<float> want = *recorded(d, options_for(d, {4, 6})).maps();
    recorder moving(options_for(d, {4, 6}));
    for (index token = 0; token < 3; ++token) {
        for (int layer = 0; layer < 2; ++layer) {
            // The cache has rotated by `token` cells.
            std::vector<float> rotated(40);
            for (index h = 0; h < 2; ++h) {
                for (index k = 0; k < 20; ++k) {
                    rotated[static_cast<std::size_t>(h * 20 + (k + token) % 20)] = d.row(token, layer)(h, k);
                }
            }
            moving.add({.layer = layer, .token = token}, tensor_view<float, 2>(rotated.data(), {2, 20}),
                       {4 + token, 6});
        }
    }
    CHECK(*moving.maps() == want);
}

TEST_CASE("several images: one selection, a range of columns each") {
    const dump d(6, 2, 2, 2, 20);
    const key_selection both({{.first = 1, .count = 4, .image = 0}, {.first = 9, .count = 6, .image = 1}});
    const matrix<float> maps = *recorded(d, options_for(d, both)).maps();
    CHECK(maps_of_image(maps, both, 0) == *recorded(d, options_for(d, {1, 4})).maps());
    CHECK(maps_of_image(maps, both, 1) == *recorded(d, options_for(d, {9, 6})).maps());
    CHECK(maps_of_image(maps, both, 2).columns() == 0);
    CHECK_EXPECTS(maps_of_image(maps, {0, 3}, 0), "maps of 10 image tokens, a selection of 3");
}

TEST_CASE("layers that are not selected need not come, and are checked but not read where they do") {
    const dump d(7, 2, 3, 2, 8);
    recorder_options options = options_for(d, {0, 8});
    options.heads_used = head_selection::grid({1}, {});
    recorder r(options);
    CHECK(r.uses(1));
    CHECK_FALSE(r.uses(2));
    add_layers(r, d, {1});
    CHECK(*r.maps() == aggregate(d.view(), {0, 8}, {.heads = options.heads_used}));
    const std::vector<float> bad(16, nan_value);
    r.add({.layer = 0, .token = 0}, tensor_view<const float, 2>(bad.data(), {2, 8}));
    CHECK(r.maps());
    CHECK_EXPECTS(r.add({.layer = 0, .token = 0}, d.row(0, 0)), "was added before");
}

// ---- sequences, truncation, forks, merges ---------------------------------------------------------------

TEST_CASE("sequences are apart; truncate and add again equals a fresh recorder; copies are independent") {
    const dump a(10, 5, 3, 2, 12);
    const dump b(11, 5, 3, 2, 12);
    const recorder_options options = options_for(a, {0, 12});
    for (const auto reduce : {head_reduction::mean, head_reduction::max}) {
        recorder_options o = options;
        o.reduce = reduce;
        recorder r(o);
        add_layers(r, a, {0, 1, 2}, 0, 0);
        add_layers(r, b, {2, 0, 1}, 0, 7);
        CHECK(r.tokens(0) == 5);
        CHECK(r.tokens(3) == 0);
        CHECK(*r.maps(query_convention::predicting, 7) == *recorded(b, o).maps());

        const recorder before = r;
        r.truncate(2, 0);
        CHECK(r.tokens(0) == 2);
        CHECK(r.tokens(7) == 5);
        add_layers(r, b, {0, 1, 2}, 2, 0);
        recorder fresh(o);
        for (index token = 0; token < 5; ++token) {
            for (int layer = 0; layer < 3; ++layer) {
                fresh.add({.layer = layer, .token = token}, (token < 2 ? a : b).row(token, layer));
            }
        }
        CHECK(*r.maps() == *fresh.maps());
        CHECK(*before.maps() == *recorded(a, o).maps());
        CHECK_FALSE(*r.maps() == *before.maps());

        r.copy_sequence(7, 8);
        r.truncate(1, 7);
        CHECK(*r.maps(query_convention::predicting, 8) == *recorded(b, o).maps());
        r.copy_sequence(99, 8); // a copy of nothing
        CHECK(r.tokens(8) == 0);
        r.truncate(50, 0); // nothing to take away
        CHECK(r.tokens(0) == 5);
        r.truncate(0, 0);
        CHECK(r.maps()->rows() == 0);
    }
}

TEST_CASE("merge is bit-equal to one recorder for every split of layers and order") {
    std::mt19937 bits(12);
    for (unsigned seed = 0; seed < 40; ++seed) {
        const dump d(seed, 1 + seed % 4, 2 + seed % 9, 1 + seed % 5, 24);
        const auto reduce = seed % 2 == 0 ? head_reduction::mean : head_reduction::max;
        const recorder_options options = options_for(d, {3, 17}, reduce);
        const matrix<float> want = *recorded(d, options).maps();
        std::vector<recorder> parts(1 + seed % 4, recorder(options));
        std::vector<std::vector<int>> layers(parts.size());
        for (const int layer : all_layers(d)) {
            layers[bits() % parts.size()].push_back(layer);
        }
        for (std::size_t p = 0; p < parts.size(); ++p) {
            std::shuffle(layers[p].begin(), layers[p].end(), bits);
            add_layers(parts[p], d, layers[p]);
        }
        std::shuffle(parts.begin(), parts.end(), bits);
        recorder whole = parts[0];
        for (std::size_t p = 1; p < parts.size(); ++p) {
            REQUIRE(whole.merge(parts[p]));
        }
        REQUIRE(*whole.maps() == want);
    }
}

TEST_CASE("merge refuses what it cannot add, and changes nothing then") {
    const dump d(13, 3, 4, 2, 9);
    const recorder_options options = options_for(d, {0, 9});
    recorder a(options);
    recorder b(options);
    add_layers(a, d, {0, 1});
    add_layers(b, d, {1, 2, 3});
    CHECK(says(failure(a.merge(b)), "token 0 in layer 1 is in both"));
    CHECK(says(failure(a.maps()), "token 0 in layer 2 was not added"));
    recorder c(options);
    add_layers(c, d, {2, 3});
    REQUIRE(a.merge(c));
    CHECK(*a.maps() == *recorded(d, options).maps());
    CHECK_EXPECTS(a.merge(a), "with itself");
    CHECK_EXPECTS(a.merge(recorder(options_for(d, {0, 8}))), "differ in layers");
    CHECK_EXPECTS(a.merge(recorder(options_for(d, {0, 9}, head_reduction::max))), "differ in layers");
}

// ---- wrong data -----------------------------------------------------------------------------------------

TEST_CASE("NaN and infinities are errors that name the token, the layer and the image token") {
    for (const float bad : {nan_value, INFINITY, -INFINITY}) {
        for (const auto reduce : {head_reduction::mean, head_reduction::max}) {
            if (bad == -INFINITY && reduce == head_reduction::max) {
                continue; // another head is larger
            }
            dump d(14, 4, 3, 2, 10);
            d.at(2, 1, 1, 7) = bad;
            recorder r = recorded(d, options_for(d, {4, 6}, reduce));
            const auto maps = r.maps();
            REQUIRE_FALSE(maps);
            CHECK(says(maps.error().what, "token 2 in layer 1 is "));
            CHECK(says(maps.error().what, "at image token 3"));
            CHECK(maps.error().at == 3);
            CHECK_FALSE(r.check());
            r.truncate(2); // the token goes and its error with it
            CHECK(r.check());
            CHECK(r.maps()->rows() == 2);
            dump outside(14, 1, 1, 2, 10);
            outside.at(0, 0, 0, 0) = bad; // not an image key
            CHECK(recorded(outside, options_for(outside, {4, 6}, reduce)).maps());
        }
    }
}

TEST_CASE("the first token's error is the one that is told, in the lowest layer; merges keep errors") {
    dump d(15, 3, 4, 2, 6);
    d.at(2, 0, 0, 0) = nan_value;
    d.at(1, 3, 0, 1) = nan_value;
    d.at(1, 2, 0, 2) = nan_value;
    const recorder_options options = options_for(d, {0, 6});
    CHECK(says(failure(recorded(d, options).maps()), "token 1 in layer 2 is nan at image token 2"));
    recorder a(options);
    recorder b(options);
    add_layers(a, d, {0, 3});
    add_layers(b, d, {1, 2});
    REQUIRE(a.merge(b));
    CHECK(says(failure(a.maps()), "token 1 in layer 2 is nan at image token 2"));
    CHECK(says(failure(a.check()), "token 1 in layer 2 is nan at image token 2"));
}

TEST_CASE("rows that are no probabilities are errors when heads are meaned") {
    std::vector<float> scores(12, 0.5F); // image mass 3
    const auto view = tensor_view<const float, 2>(scores.data(), {2, 6});
    recorder mean({.layers = 1, .heads = 2, .image = {0, 6}});
    mean.add({}, view);
    CHECK(says(failure(mean.maps()), "token 0 in layer 0 has mass 3.0"));
    recorder max({.layers = 1, .heads = 2, .image = {0, 6}, .reduce = head_reduction::max});
    max.add({}, view);
    CHECK(max.maps());
    std::fill(scores.begin(), scores.end(), 0.0F);
    scores[4] = -0.25F;
    recorder negative({.layers = 1, .heads = 2, .image = {0, 6}});
    negative.add({}, view);
    CHECK(says(failure(negative.maps()), "-0.125000 at image token 4"));
    // Rounding is let through: 1.002 by default, not where the tolerance is 0.
    std::fill(scores.begin(), scores.end(), 1.002F / 6);
    recorder rounded({.layers = 1, .heads = 2, .image = {0, 6}});
    rounded.add({}, view);
    CHECK(rounded.maps());
    recorder strict({.layers = 1, .heads = 2, .image = {0, 6}, .mass_tolerance = 0});
    strict.add({}, view);
    CHECK(says(failure(strict.maps()), "has mass 1.002"));
}

TEST_CASE("missing layers and tokens are errors that name them") {
    const dump d(16, 3, 70, 1, 5);
    recorder r(options_for(d, {0, 5}));
    for (index token = 0; token < 3; ++token) {
        for (int layer = 0; layer < 70; ++layer) {
            if (token != 1 || layer != 66) {
                r.add({.layer = layer, .token = token, .sequence = 2}, d.row(token, layer));
            }
        }
    }
    const auto maps = r.maps(query_convention::predicting, 2);
    REQUIRE_FALSE(maps);
    CHECK(says(maps.error().what, "token 1 in layer 66 of sequence 2 was not added"));
    CHECK(maps.error().at == 1);
    CHECK(r.check(2)); // a layer that has not come yet is no error
    r.add({.layer = 66, .token = 1, .sequence = 2}, d.row(1, 66));
    CHECK(r.maps(query_convention::predicting, 2));
}

TEST_CASE("misuse is refused with its numbers, and changes nothing") {
    const dump d(17, 2, 2, 3, 9);
    recorder r = recorded(d, options_for(d, {1, 7}));
    const matrix<float> before = *r.maps();
    CHECK_EXPECTS(r.add({.layer = 1, .token = 1}, d.row(1, 1)), "token 1 in layer 1 was added before");
    CHECK_EXPECTS(r.add({.layer = 2, .token = 2}, d.row(0, 0)), "layer 2 of a model of 2");
    CHECK_EXPECTS(r.add({.layer = -1, .token = 2}, d.row(0, 0)), "layer -1 of a model of 2");
    CHECK_EXPECTS(r.add({.layer = 0, .token = 2}, d.row(0, 0).range(0, 0, 2)),
                  "attention of 2 heads, the model has 3");
    CHECK_EXPECTS(r.add({.layer = 0, .token = 2}, d.row(0, 0).range(1, 0, 7)),
                  "image keys end at 8, the attention has 7");
    CHECK_EXPECTS(r.add({.layer = 0, .token = 2}, d.row(0, 0), {0, 6}),
                  "6 image keys, the recorder was made for 7");
    CHECK_EXPECTS(r.add({.layer = 0, .token = -3}, d.row(0, 0)), "the last query predicts token -3");
    CHECK_EXPECTS(r.truncate(-1), "to -1 tokens");
    // A block whose second row is there already: the first must not be taken either.
    recorder partly(options_for(d, {1, 7}));
    partly.add({.layer = 0, .token = 1}, d.row(1, 0));
    CHECK_EXPECTS(partly.add({.layer = 0, .token = 0}, d.view().slice(1, 0).permuted({1, 0, 2})),
                  "token 1 in layer 0 was added before");
    partly.add({.layer = 0, .token = 0}, d.row(0, 0));
    CHECK(*r.maps() == before);

    CHECK_EXPECTS(recorder({.layers = 0, .heads = 2}), "a model of 0 layers and 2 heads");
    CHECK_EXPECTS(recorder({.layers = 1, .heads = 2, .heads_used = head_selection::from_end(3)}),
                  "no head -3");
    CHECK_EXPECTS(recorder({.layers = 1, .heads = 2, .flush_every = 0}), "flush_every is 0");
    CHECK_EXPECTS(recorder({.layers = 1, .heads = 2, .mass_tolerance = 2}), "mass_tolerance is 2");
    recorder none({});
    CHECK_EXPECTS(none.add({}, d.row(0, 0)), "layer 0 of a model of 0");
    CHECK(none.maps()->rows() == 0);
}

TEST_CASE("an image without tokens records nothing, without fuss") {
    const dump d(18, 2, 2, 1, 4);
    const recorder r = recorded(d, options_for(d, {}));
    CHECK(r.maps()->rows() == 2);
    CHECK(r.maps()->columns() == 0);
}

// ---- queries and keys -----------------------------------------------------------------------------------

/// A cache [layers][kv_heads, keys, d] that grows by one key a token, and queries [tokens][layers][heads, d].
struct decoder {
    index layers, heads, kv_heads, d, prompt, tokens;
    std::vector<float> k, q;

    decoder(unsigned seed, index l, index h, index kv, index size, index p, index t)
        : layers(l), heads(h), kv_heads(kv), d(size), prompt(p), tokens(t) {
        std::mt19937 bits(seed);
        std::normal_distribution<float> normal(0, 1.5F);
        k.resize(static_cast<std::size_t>(l * kv * (p + t) * size));
        q.resize(static_cast<std::size_t>(t * l * h * size));
        for (float& x : k) {
            x = normal(bits);
        }
        for (float& x : q) {
            x = normal(bits);
        }
    }
    /// Keys of a layer when `count` tokens of text have been read.
    tensor_view<const float, 3> keys(int layer, index count) const {
        return tensor_view<const float, 4>(k.data(), {layers, kv_heads, prompt + tokens, d})[layer].range(
            1, 0, count);
    }
    key_source source(int layer, index count) const { return key_source::contiguous(keys(layer, count)); }
    tensor_view<const float, 2> query(index token, int layer) const {
        return tensor_view<const float, 4>(q.data(), {tokens, layers, heads, d})[token][layer];
    }
    recorder_options options(recording mode, index flush_every = 64) const {
        return {.layers = static_cast<int>(layers),
                .heads = static_cast<int>(heads),
                .image = {2, 9},
                .mode = mode,
                .flush_every = flush_every};
    }
    /// Token t is predicted by a query that sees the prompt and the t tokens before it.
    void decode(recorder& r, index first, index last, std::uint64_t epoch = 0) const {
        for (index t = first; t < last; ++t) {
            for (int layer = 0; layer < layers; ++layer) {
                r.add({.layer = layer, .token = t, .epoch = epoch},
                      attention_row(query(t, layer), source(layer, prompt + t)));
            }
        }
    }
    /// The oracle: whole rows of attention through the row form of add.
    matrix<float> oracle(head_reduction reduce = head_reduction::mean) const {
        recorder_options o = options(recording::online);
        o.reduce = reduce;
        recorder r(o);
        for (index t = 0; t < tokens; ++t) {
            for (int layer = 0; layer < layers; ++layer) {
                const auto row = attention_row(query(t, layer), source(layer, prompt + t));
                const matrix<float> p = attention_probabilities(row, 0);
                r.add({.layer = layer, .token = t}, p);
            }
        }
        return *r.maps();
    }
};

TEST_CASE("queries and keys, online: equal to whole rows of attention") {
    for (unsigned seed = 0; seed < 8; ++seed) {
        const decoder m(seed, 3, 4, seed % 2 == 0 ? 2 : 4, 8, 12, 6);
        for (const auto reduce : {head_reduction::mean, head_reduction::max}) {
            recorder_options o = m.options(recording::online);
            o.reduce = reduce;
            recorder r(o);
            m.decode(r, 0, m.tokens);
            check_near(*r.maps(), m.oracle(reduce), 1e-5);
        }
    }
}

TEST_CASE("deferred equals online, for any flush_every and any mixture of flushes") {
    for (unsigned seed = 0; seed < 6; ++seed) {
        const decoder m(seed, 3, 4, 2, 8, 12, 11);
        recorder online(m.options(recording::online));
        m.decode(online, 0, m.tokens);
        for (const index every : {1, 2, 4, 64}) {
            recorder r(m.options(recording::deferred, every));
            m.decode(r, 0, 5);
            CHECK(r.pending() == (every > 5 ? 15 : every == 4 ? 3 : every == 2 ? 3 : 0));
            CHECK(r.pending(0, 1) == r.pending() / 3);
            CHECK(r.pending(1, 1) == 0);
            if (seed % 2 == 0) {
                REQUIRE(r.flush(1, m.source(1, m.prompt + 5)));
                CHECK(r.pending(0, 1) == 0);
            }
            m.decode(r, 5, m.tokens);
            if (r.pending() > 0) {
                CHECK(says(failure(r.maps()), "wait for a flush"));
            }
            REQUIRE(r.flush_all([&](int layer) { return m.source(layer, m.prompt + m.tokens); }));
            CHECK(r.pending() == 0);
            check_near(*r.maps(), *online.maps(), 1e-5);
        }
    }
}

TEST_CASE("a prefill block of queries, each with its own visibility, skipped before the first token") {
    const decoder m(21, 2, 4, 2, 8, 12, 8);
    const matrix<float> want = m.oracle();
    for (const auto mode : {recording::online, recording::deferred}) {
        recorder r(m.options(mode, 3)); // several flushes inside the block
        for (int layer = 0; layer < 2; ++layer) {
            std::vector<visibility> visible;
            for (index t = 0; t < 8; ++t) {
                visible.emplace_back(causal_limit{m.prompt + t});
            }
            const tensor_view<const float, 3> q(m.q.data() + layer * m.heads * m.d, {8, m.heads, m.d},
                                                {m.layers * m.heads * m.d, m.d, 1});
            r.add({.layer = layer, .token = -3}, attention_rows(q, m.source(layer, 20), {}, visible));
        }
        REQUIRE(r.flush_all([&](int layer, int) { return m.source(layer, 20); }));
        const matrix<float> got = *r.maps();
        REQUIRE(got.rows() == 5);
        for (index t = 0; t < 5; ++t) {
            for (index i = 0; i < 9; ++i) {
                CHECK(got(t, i) == doctest::Approx(want(t + 3, i)).epsilon(1e-5));
            }
        }
    }
}

TEST_CASE("kept queries own their masks, slopes and sinks; later keys stay hidden from them") {
    const decoder m(22, 1, 4, 2, 8, 12, 4);
    recorder online(m.options(recording::online));
    recorder deferred(m.options(recording::deferred));
    for (index t = 0; t < m.tokens; ++t) {
        const index seen = m.prompt + t;
        std::vector<float> mask(static_cast<std::size_t>(seen), 0.0F);
        mask[3] = -INFINITY; // an image key is hidden
        mask[5] = -1.5F;
        std::vector<float> sinks{0.5F, 1.0F, -INFINITY, 2.0F};
        std::vector<float> slopes{0.1F, 0.05F, 0.0F, 0.2F};
        score_options score{.scale = 0.3F, .softcap = 20};
        if (t % 2 == 0) {
            score.sinks = sinks;
        }
        if (t >= 2) {
            score.alibi_slopes = slopes; // with sinks at t = 2: done at once
        }
        const visibility v = additive_row{{mask.data(), {seen}}};
        online.add({.token = t}, attention_row(m.query(t, 0), m.source(0, seen), score, v));
        deferred.add({.token = t}, attention_row(m.query(t, 0), m.source(0, seen), score, v));
        std::fill(mask.begin(), mask.end(), 9.0F); // the host reuses its buffers
        std::fill(sinks.begin(), sinks.end(), 9.0F);
        std::fill(slopes.begin(), slopes.end(), 9.0F);
    }
    CHECK(deferred.pending() == 3);
    REQUIRE(deferred.flush(0, m.source(0, m.prompt + m.tokens)));
    check_near(*deferred.maps(), *online.maps(), 1e-5);
    CHECK((*online.maps())(0, 1) == 0); // key 3
}

TEST_CASE("truncate, copies and merges with kept queries") {
    const decoder m(23, 2, 4, 2, 8, 12, 6);
    const matrix<float> want = m.oracle();
    const auto keys = [&](int layer) { return m.source(layer, m.prompt + m.tokens); };
    recorder r(m.options(recording::deferred));
    m.decode(r, 0, 6);
    r.truncate(3);
    CHECK(r.tokens() == 3);
    CHECK(r.pending() == 6);
    recorder fork = r;
    m.decode(r, 3, 6);
    r.copy_sequence(0, 4);
    REQUIRE(r.flush_all(keys));
    check_near(*r.maps(), want, 1e-5);
    CHECK(*r.maps(query_convention::predicting, 4) == *r.maps());
    REQUIRE(fork.flush_all(keys));
    CHECK(fork.maps()->rows() == 3);

    recorder a(m.options(recording::deferred));
    recorder b(m.options(recording::deferred));
    for (index t = 0; t < 6; ++t) {
        a.add({.layer = 0, .token = t}, attention_row(m.query(t, 0), m.source(0, m.prompt + t)));
        b.add({.layer = 1, .token = t}, attention_row(m.query(t, 1), m.source(1, m.prompt + t)));
    }
    CHECK(says(failure(a.merge(b)), "6 queries of the other recorder wait for a flush"));
    REQUIRE(b.flush_all(keys));
    REQUIRE(a.merge(b)); // a's own may still wait
    REQUIRE(a.flush_all(keys));
    CHECK(*a.maps() == *r.maps());
}

TEST_CASE("keys that moved or went before a flush are errors, never a wrong map") {
    const decoder m(24, 2, 4, 2, 8, 12, 6);
    recorder r(m.options(recording::deferred));
    m.decode(r, 0, 3, 7);
    const status moved = r.flush(0, m.source(0, 18), 8);
    CHECK(says(failure(moved), "token 0 in layer 0: the keys moved from epoch 7 to 8"));
    CHECK(r.flush(1, m.source(1, 18), 7)); // the other layer's did not move
    CHECK(says(failure(r.maps()), "token 0 in layer 0: the keys moved from epoch 7 to 8"));
    r.truncate(0);
    CHECK(r.check());

    m.decode(r, 0, 3, 1);
    m.decode(r, 3, 4, 2); // moved without a flush
    CHECK(says(failure(r.check()), "the keys moved from epoch 1 to 2"));
    r.truncate(0);

    m.decode(r, 0, 3);
    CHECK(says(failure(r.flush(0, m.source(0, 13))), "its query saw 14 keys, of which 13 are left"));
    CHECK(says(failure(r.maps()), "of which 13 are left"));
}

TEST_CASE("a query with wrong data costs only its own token, and a flush says so") {
    decoder m(25, 1, 2, 1, 4, 12, 5);
    recorder good(m.options(recording::deferred));
    m.decode(good, 0, 5);
    REQUIRE(good.flush(0, m.source(0, 17)));
    m.q[static_cast<std::size_t>(4 * m.heads * m.d + 3)] = nan_value; // token 4, head 0, element 3
    recorder r(m.options(recording::deferred));
    m.decode(r, 0, 5);
    const status done = r.flush(0, m.source(0, 17));
    CHECK(says(failure(done), "token 4 in layer 0: element 3 of"));
    CHECK(says(failure(r.maps()), "token 4 in layer 0: element 3 of"));
    r.truncate(4);
    good.truncate(4);
    check_near(*r.maps(), *good.maps(), 1e-5);
}

/// Adds all that it hears to a recorder of every head, and keeps count.
class second_recorder : public attention_listener {
public:
    explicit second_recorder(recorder_options options) : heard(std::move(options)) {}
    void on_queries(const row_key& key, const qk_block& block, const key_selection& image) override {
        heard.add(key, block, image);
        queries += block.q.extent(0);
    }
    void on_rows(const row_key& key, const tensor_view<const float, 3>& rows,
                 const key_selection& image) override {
        heard.add(key, rows, image);
        queries += rows.extent(1);
    }
    recorder heard;
    index queries = 0;
};

TEST_CASE("a listener hears every layer and head, before any choice, and changes nothing") {
    const decoder m(31, 3, 4, 2, 8, 12, 6);
    for (const auto mode : {recording::online, recording::deferred}) {
        second_recorder ear(m.options(recording::online));
        recorder_options options = m.options(mode);
        options.heads_used = head_selection::pairs({{1, 2}});
        recorder alone(options);
        options.listener = &ear;
        recorder r(options);
        m.decode(alone, 0, m.tokens);
        m.decode(r, 0, m.tokens);
        recorder whole(m.options(recording::online));
        m.decode(whole, 0, m.tokens);
        CHECK(ear.queries == 18);
        CHECK(*ear.heard.maps() == *whole.maps());
        for (recorder* each : {&alone, &r}) {
            REQUIRE(each->flush_all([&](int layer) { return m.source(layer, m.prompt + m.tokens); }));
        }
        CHECK(*r.maps() == *alone.maps());
    }
}

TEST_CASE("a listener hears rows of any type, strides and block as f32") {
    const dump d(32, 5, 2, 3, 15);
    std::vector<f16> half; // [layers, keys, heads, tokens]: every axis elsewhere
    for (index layer = 0; layer < 2; ++layer) {
        for (index key = 0; key < 15; ++key) {
            for (index head = 0; head < 3; ++head) {
                for (index token = 0; token < 5; ++token) {
                    half.push_back(to_f16(d.row(token, layer)(head, key)));
                }
            }
        }
    }
    const tensor_view<const f16, 4> turned(half.data(), {2, 15, 3, 5});
    second_recorder ear(options_for(d, {1, 12}));
    recorder_options options = options_for(d, {1, 12});
    options.listener = &ear;
    recorder r(options);
    for (int layer = 0; layer < 2; ++layer) {
        const auto block = turned[layer].permuted({1, 2, 0}); // [heads, tokens, keys]
        r.add({.layer = layer, .token = -1}, block.range(1, 0, 4));
        r.add({.layer = layer, .token = 3}, block.slice(1, 4));
    }
    CHECK(ear.queries == 10);
    CHECK(*ear.heard.maps() == *r.maps());
    CHECK_EXPECTS(r.add({.layer = 0, .token = 3}, d.row(3, 0)), "was added before");
    CHECK(ear.queries == 10); // a refused add is not told
}

TEST_CASE("shapes of queries and keys that do not fit are refused") {
    const decoder m(26, 2, 4, 2, 8, 12, 3);
    recorder r(m.options(recording::online));
    CHECK_EXPECTS(r.add({.layer = 0}, attention_row(m.query(0, 0).range(0, 0, 2), m.source(0, 12))),
                  "attention of 2 heads, the model has 4");
    CHECK_EXPECTS(r.add({.layer = 0}, attention_row(m.query(0, 0), m.source(0, 10))),
                  "image keys end at 11, the attention has 10");
    CHECK_EXPECTS(r.add({.layer = 2}, attention_row(m.query(0, 0), m.source(0, 12))),
                  "layer 2 of a model of 2");
    CHECK_EXPECTS(r.flush(5, m.source(0, 12)), "layer 5 of a model of 2");
    r.add({.layer = 0}, attention_row(m.query(0, 0), m.source(0, 12)));
    CHECK_EXPECTS(r.add({.layer = 0}, attention_row(m.query(0, 0), m.source(0, 12))), "was added before");
}

} // namespace
