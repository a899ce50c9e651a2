// Golden categories of attention/ and phrase/: aggregate, qk, groups.
#include "golden/golden.hpp"

#include "ostend/attention/aggregate.hpp"
#include "ostend/attention/from_qk.hpp"
#include "ostend/attention/normalise.hpp"
#include "ostend/phrase/group.hpp"
#include "ostend/phrase/token_spans.hpp"

#include <cmath>

namespace ostend_tools {

using ostend::index;

namespace {

/// A view of f32 values in C order with as many axes as asked, or a failure.
template <std::size_t Rank>
ostend::tensor_view<const float, Rank> view_of(golden_case& c, const std::vector<float>& values,
                                               const npy_array& from, const char* what) {
    std::array<index, Rank> extents{};
    if (from.shape.size() != Rank) {
        c.fail(std::string(what) + ": expected " + std::to_string(Rank) + " axes");
        return {};
    }
    std::copy(from.shape.begin(), from.shape.end(), extents.begin());
    return {values.data(), extents};
}

ostend::head_selection pairs_of(const json& list) {
    std::vector<ostend::head_id> pairs;
    for (const json& pair : list) {
        pairs.push_back({pair.at(0).get<int>(), pair.at(1).get<int>()});
    }
    return ostend::head_selection::pairs(pairs);
}

/// The image keys that each expected output covers.
ostend::key_selection image_keys(golden_case& c, bool base_view) {
    const auto first = c.param("img_start", index{0});
    const index rows = c.param("grid").at(0).get<index>();
    const index columns = c.param("grid").at(1).get<index>();
    const auto base = c.param("base_tokens", index{0});
    if (base_view) {
        return {first, base};
    }
    const index start = first + base + c.param("reg_tokens", index{0});
    if (!c.param("newline_column", false)) {
        return {start, rows * columns};
    }
    std::vector<ostend::key_range> ranges;
    for (index r = 0; r < rows; ++r) {
        ranges.push_back({.first = start + r * (columns + 1), .count = columns});
    }
    return ostend::key_selection(ranges);
}

} // namespace

void check_aggregate(golden_case& c) {
    const npy_array file = c.input("attn");
    const std::vector<float> values = file.as_floats();
    const auto attention = view_of<4>(c, values, file, "attn");
    if (!c.why().empty()) {
        return;
    }
    const auto compare = [&](const char* key, const ostend::head_selection& heads, bool base_view = false) {
        if (!c.has_expected(key)) {
            return;
        }
        const auto keys = image_keys(c, base_view);
        if (keys.end() > attention.extent(3)) {
            return c.fail("the image keys leave the attention");
        }
        const auto ours = ostend::aggregate(attention, keys, {.heads = heads});
        c.compare(ours.values(), c.expected(key).as_floats(), key);
    };
    const auto all = ostend::head_selection::all();
    for (const char* key : {"mean_all", "mean_all_f16out", "mean_all_f32acc"}) {
        compare(key, all);
    }
    compare("mean_base", all, true);
    compare("shipped_head_minus2", ostend::head_selection::from_end(2));
    if (c.has_expected("mean_subset")) {
        compare("mean_subset", ostend::head_selection::grid(c.param("layer_subset").get<std::vector<int>>(),
                                                            c.param("head_subset").get<std::vector<int>>()));
    }
    if (c.has_expected("mean_pairs")) {
        compare("mean_pairs", pairs_of(c.param("pairs")));
    }
    if (c.has_expected("normalized_all")) {
        const auto ours =
            ostend::subtract_mean_token(ostend::aggregate(attention, image_keys(c, false), {.heads = all}));
        c.compare(ours.values(), c.expected("normalized_all").as_floats(), "normalized_all");
    }
    // The same attention stored as f16 must give the same means: the values are representable.
    if (c.has_expected("mean_all_f32acc")) {
        std::vector<ostend::f16> halves;
        for (const float v : values) {
            halves.push_back(ostend::to_f16(v));
        }
        const ostend::tensor_view<const ostend::f16, 4> half_view(halves.data(), attention.extents());
        const auto ours = ostend::aggregate(half_view, image_keys(c, false), {.heads = all});
        c.compare(ours.values(), c.expected("mean_all_f32acc").as_floats(), "mean_all_f32acc from f16");
    }
}

void check_qk(golden_case& c) {
    const npy_array q_file = c.input("q");
    const npy_array k_file = c.input("k");
    const std::vector<float> q_values = q_file.as_floats();
    const std::vector<float> k_values = k_file.as_floats();
    const auto q = view_of<4>(c, q_values, q_file, "q"); // [layers, heads, queries, d]
    const auto k = view_of<4>(c, k_values, k_file, "k"); // [layers, kv_heads, keys, d]
    if (!c.why().empty()) {
        return;
    }
    const index layers = q.extent(0);
    const index queries = q.extent(2);
    const index keys = k.extent(2);
    const std::vector<float> weights(static_cast<std::size_t>(q.extent(1)),
                                     1.0F / static_cast<float>(q.extent(1)));
    std::vector<ostend::visibility> visible;
    for (index t = 0; t < queries; ++t) {
        visible.emplace_back(ostend::causal_limit{keys - queries + t + 1});
    }

    const auto rows = [&](auto tag, const ostend::key_selection& image, ostend::matrix<float>& sum,
                          index layer) {
        const ostend::qk_block block{.q = q[layer].permuted({1, 0, 2}),
                                     .keys = ostend::key_source::contiguous(k[layer]),
                                     .score = {.scale = c.param("scale").get<float>()},
                                     .visible = visible};
        const auto done =
            ostend::reduce_qk(tag, block, image, weights, ostend::head_reduction::mean, sum.view());
        if (!done) {
            c.fail("reduce_qk: " + done.error().message());
        }
    };
    const auto check = [&](auto tag, const std::string& form) {
        const ostend::key_selection all(0, keys);
        const index from = c.param("cols").at(0).get<index>();
        const ostend::key_selection columns(from, c.param("cols").at(1).get<index>() - from);
        ostend::matrix<float> mean_rows(queries, all.size());
        ostend::matrix<float> mean_columns(queries, columns.size());
        std::vector<float> layer_means;
        for (index layer = 0; layer < layers; ++layer) {
            ostend::matrix<float> one(queries, all.size());
            rows(tag, all, one, layer);
            layer_means.insert(layer_means.end(), one.values().begin(), one.values().end());
            rows(tag, all, mean_rows, layer);
            rows(tag, columns, mean_columns, layer);
        }
        for (float& v : mean_rows.values()) {
            v /= static_cast<float>(layers);
        }
        for (float& v : mean_columns.values()) {
            v /= static_cast<float>(layers);
        }
        c.compare(layer_means, c.expected("layer_means").as_floats(), form + " layer_means");
        c.compare(mean_rows.values(), c.expected("mean_rows").as_floats(), form + " mean_rows");
        c.compare(mean_columns.values(), c.expected("mean_cols").as_floats(), form + " mean_cols");
    };
    check(ostend::scalar, "scalar");
    check(ostend::blocked, "blocked");
}

void check_groups(golden_case& c) {
    std::vector<ostend::token_text> tokens;
    for (const json& hex : c.param("token_bytes_hex")) {
        ostend::token_text token{.special = hex.is_null()};
        const std::string digits = hex.is_null() ? "" : hex.get<std::string>();
        for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
            token.bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
        }
        tokens.push_back(token);
    }
    const ostend::token_span_options options{.leading_space_stripped =
                                                 c.param("leading_space_stripped", false)};
    const auto spans = ostend::token_spans(tokens, options);
    std::vector<double> begins;
    std::vector<double> ends;
    for (const ostend::text_span& s : spans) {
        begins.push_back(static_cast<double>(s.begin));
        ends.push_back(static_cast<double>(s.end));
    }
    c.compare(begins, c.param("token_char_start"), "token_char_start");
    c.compare(ends, c.param("token_char_end"), "token_char_end");

    std::vector<std::vector<index>> groups;
    for (const json& span : c.param("noun_char_spans")) {
        groups.push_back(ostend::tokens_of(spans, {span.at(0).get<index>(), span.at(1).get<index>()}));
    }
    const json& theirs = c.expected_value("groups");
    c.require(groups.size() == theirs.size(), "another number of groups");
    for (std::size_t g = 0; c.why().empty() && g < groups.size(); ++g) {
        c.require(groups[g] == theirs[g].get<std::vector<index>>(),
                  "group " + std::to_string(g) + " has other tokens");
    }
    const npy_array maps = c.input("maps");
    if (!c.why().empty() || maps.shape.size() != 3) {
        return c.fail("maps: expected 3 axes");
    }
    ostend::matrix<float> token_maps(maps.shape[0], maps.shape[1] * maps.shape[2]);
    const std::vector<float> values = maps.as_floats();
    std::copy(values.begin(), values.end(), token_maps.values().begin());
    const auto ours = c.take(
        ostend::group_maps(token_maps, groups, ostend::token_reduction::mean, ostend::nan_policy::propagate),
        "group_maps");
    c.compare(ours.values(), c.expected("group_maps").as_floats(), "group_maps");
}

} // namespace ostend_tools
