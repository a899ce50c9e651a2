// torch_attention: the attention of a scaled_dot_product_attention call, recorded from what goes into it.
//
//     auto out = at::scaled_dot_product_attention(q, k, v, mask, 0.0, false);
//     ostend::record_torch_attention(recorder, {.layer = l, .token = t}, q, k, {.mask = mask});
//
// The fused kernel never shows its probabilities and stays as it is; q and k are read where they lie, in f32,
// f64, f16 or bf16, transposed or sliced, the whole cache or a part of it.
#pragma once

#include "ostend/adapt/torch.hpp"
#include "ostend/attention/recorder.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// The arguments of the call that say what a query sees, as torch has them.
struct torch_attention_call {
    std::optional<at::Tensor> mask = {}; ///< attn_mask: booleans (true: seen) or floats that are added
    bool causal = false;                 ///< is_causal: query i sees keys [0, i]
    std::optional<double> scale = {};    ///< none: 1 / sqrt(d)
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The mask as rows [queries, keys] that are added. The axes before must be of one position.
[[nodiscard]] inline result<at::Tensor> torch_mask_rows(const at::Tensor& mask, index queries, index keys) {
    const auto wrong = [&mask](const std::string& why) {
        return error{torch_shape_text(mask.sizes()) + why, "mask"};
    };
    if (const status good = v0::detail::check_torch_form(mask); !good) {
        return good.error().in("mask");
    }
    for (std::int64_t axis = 0; axis + 2 < mask.dim(); ++axis) {
        if (mask.size(axis) != 1) {
            return wrong(": masks of each head or sequence are not read");
        }
    }
    const bool fits = mask.dim() >= 2 && (mask.size(-2) == 1 || mask.size(-2) == queries) &&
                      (mask.size(-1) == 1 || mask.size(-1) == keys);
    if (!fits) {
        return wrong(" for " + std::to_string(queries) + " queries and " + std::to_string(keys) + " keys");
    }
    if (mask.scalar_type() != at::kBool && !mask.is_floating_point()) {
        return error{std::string("a mask of ") + at::toString(mask.scalar_type()), "mask"};
    }
    return torch_result([&] {
        const c10::InferenceMode no_grad;
        const at::Tensor rows = mask.reshape({mask.size(-2), mask.size(-1)}).expand({queries, keys});
        if (mask.scalar_type() == at::kBool) {
            const auto hidden = at::full({}, -std::numeric_limits<double>::infinity(), at::kFloat);
            return at::where(rows, at::zeros({}, at::kFloat), hidden).contiguous();
        }
        return rows.to(at::kFloat).contiguous();
    });
}

/// q or k as [heads, positions, d]: an axis of one sequence in front may be there or not.
[[nodiscard]] inline result<at::Tensor> torch_one_sequence(const at::Tensor& tensor, const char* name) {
    if (const status good = v0::detail::check_torch_form(tensor); !good) {
        return good.error().in(name);
    }
    if (tensor.dim() == 4 && tensor.size(0) == 1) {
        return torch_result([&] {
            const c10::InferenceMode no_grad;
            return tensor.select(0, 0);
        });
    }
    if (tensor.dim() == 3) {
        return tensor;
    }
    return error{torch_shape_text(tensor.sizes()) +
                     " is not one sequence's [1, heads, positions, d]; select() each of a batch",
                 name};
}

/// Calls f with the view of q or k, of any of the four float types.
template <class F>
[[nodiscard]] status visit_torch_floats(const at::Tensor& tensor, const char* name, F&& f) {
    status done = error{std::string("elements of ") + at::toString(tensor.scalar_type()), name};
    const status read = visit_torch<3>(tensor, [&](const auto& view) {
        if constexpr (float_element<typename std::remove_cvref_t<decltype(view)>::value_type>) {
            f(view);
            done = success{};
        }
    });
    return read ? done : status(read.error().in(name));
}

/// Keys [kv_heads, keys, d] where they lie.
[[nodiscard]] inline result<key_source> torch_keys(const at::Tensor& k) {
    if (k.stride(2) == 0 && k.size(2) > 1) {
        return error{"the elements of a head vector are one, expanded; contiguous() it first", "k"};
    }
    key_source source;
    const status read =
        visit_torch_floats(k, "k", [&](const auto& view) { source = key_source::contiguous(view); });
    return read ? result<key_source>(std::move(source)) : read.error();
}

} // namespace detail

/// Adds the attention of one call to a recorder: query i predicts `key.token + i` (rows of negative tokens, a
/// prompt's, are skipped by the recorder). q is [1, heads, queries, d] or without the first axis, k
/// [1, kv_heads, keys, d]; grouped heads as enable_gqa has them. A layer that the recorder does not use is
/// not looked at, unless somebody listens. Deferred recorders keep q, and read k at flush_torch_attention, or
/// here when as many queries wait as they keep. Errors name the tensor: one that is not plain memory of the
/// host; other heads or fewer keys than the recorder was made for; a mask of each head; a causal call with a
/// mask, which torch refuses too.
[[nodiscard]] inline status record_torch_attention(recorder& to, const row_key& key, const at::Tensor& q,
                                                   const at::Tensor& k,
                                                   const torch_attention_call& call = {}) {
    const recorder_options& model = to.options();
    if (key.layer < 0 || key.layer >= model.layers) {
        return error{"layer " + std::to_string(key.layer) + "; the recorder has " +
                         std::to_string(model.layers),
                     "layer"};
    }
    if (!to.uses(key.layer) && model.listener == nullptr) {
        return success{};
    }
    const auto queries_of = detail::torch_one_sequence(q, "q");
    const auto keys_of = detail::torch_one_sequence(k, "k");
    if (!queries_of || !keys_of) {
        return (queries_of ? keys_of : queries_of).error();
    }
    const at::IntArrayRef shape = queries_of->sizes();
    const at::IntArrayRef key_shape = keys_of->sizes();
    if (shape[2] != key_shape[2] || shape[2] < 1 || shape[1] < 1 || key_shape[0] < 1 ||
        shape[0] % key_shape[0] != 0) {
        return error{torch_shape_text(shape) + " and k " + torch_shape_text(key_shape) +
                         " are not the [heads, positions, d] of one attention",
                     "q"};
    }
    if (shape[0] != model.heads) {
        return error{std::to_string(shape[0]) + " heads; the recorder has " + std::to_string(model.heads),
                     "q"};
    }
    const index queries = shape[1];
    const index keys = key_shape[1];
    if (model.image.end() > keys) {
        return error{std::to_string(keys) + " keys; the image's end at " + std::to_string(model.image.end()),
                     "k"};
    }
    if (call.causal && call.mask) {
        return error{"a causal call has no mask", "mask"};
    }
    score_options score;
    if (call.scale) {
        score.scale = static_cast<float>(*call.scale);
        if (!std::isfinite(score.scale) || score.scale == 0) {
            return error{"the scale is " + std::to_string(*call.scale), "scale"};
        }
    }
    at::Tensor rows; // lives until the rows are reduced
    std::vector<visibility> visible;
    if (call.mask) {
        auto added = detail::torch_mask_rows(*call.mask, queries, keys);
        if (!added) {
            return added.error();
        }
        rows = *std::move(added);
    }
    for (index i = 0; i < queries; ++i) {
        if (call.causal) {
            visible.emplace_back(causal_limit{std::min(i + 1, keys)});
        } else if (call.mask) {
            visible.emplace_back(
                additive_row{{static_cast<const float*>(rows.const_data_ptr()) + i * keys, {keys}}});
        }
    }
    const auto source = detail::torch_keys(*keys_of);
    if (!source) {
        return source.error();
    }
    return detail::visit_torch_floats(*queries_of, "q", [&](const auto& view) {
        to.add(key, attention_rows(view.permuted({1, 0, 2}), *source, score, std::move(visible)));
    });
}

/// Deferred recorders: the queries of a layer that wait, with its cache k [1, kv_heads, keys, d] (or without
/// the first axis) as it is now; keys that those queries did not see may have come after. Errors: as
/// record_torch_attention has them of k, and the recorder's (keys that moved, or are fewer).
[[nodiscard]] inline status flush_torch_attention(recorder& to, int layer, const at::Tensor& k) {
    const auto keys_of = detail::torch_one_sequence(k, "k");
    if (!keys_of) {
        return keys_of.error();
    }
    const auto source = detail::torch_keys(*keys_of);
    return source ? to.flush(layer, *source) : status(source.error());
}

} // namespace ostend::inline OSTEND_KERNELS
