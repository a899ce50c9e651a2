// The recorder's part of ostend.h, and what all parts share.
#include "handles.hpp"

#include "ostend/attention/from_qk.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace ostend_c {

std::string& last_error() {
    thread_local std::string text;
    return text;
}

namespace {

[[maybe_unused]] const auto handler_set = ostend::set_expects_handler(
    [](const std::string& sentence, const ostend::source_place&) { throw misuse(sentence); });

/// Calls f with a view of a tensor in its own element type.
template <std::size_t Rank, class F>
void visit(const ostend_tensor& t, F&& f) {
    std::array<ostend::index, Rank> extents{};
    std::array<ostend::index, Rank> strides{};
    ostend::index elements = 1;
    for (std::size_t i = 0; i < Rank; ++i) {
        require(t.extents[i] >= 0, "a tensor has a negative extent");
        extents[i] = t.extents[i];
        strides[i] = t.strides[i];
        elements *= extents[i];
    }
    require(t.data != nullptr || elements == 0, "a tensor has no data");
    switch (t.type) {
    case OSTEND_F32:
        return f(ostend::tensor_view<const float, Rank>(static_cast<const float*>(t.data), extents, strides));
    case OSTEND_F64:
        return f(
            ostend::tensor_view<const double, Rank>(static_cast<const double*>(t.data), extents, strides));
    case OSTEND_F16:
        return f(ostend::tensor_view<const ostend::f16, Rank>(static_cast<const ostend::f16*>(t.data),
                                                              extents, strides));
    case OSTEND_BF16:
        return f(ostend::tensor_view<const ostend::bf16, Rank>(static_cast<const ostend::bf16*>(t.data),
                                                               extents, strides));
    }
    throw misuse("a tensor has an unknown element type");
}

ostend::key_selection selection_of(const ostend_recorder_options& o) {
    if (o.image_key_list == nullptr) {
        return {o.first_image_key, o.image_keys};
    }
    require(o.image_keys >= 0, "image_keys is negative");
    return ostend::key_selection::from_indices({o.image_key_list, o.image_key_list + o.image_keys});
}

/// One visibility a query: all keys, or one more for each query.
std::vector<ostend::visibility> visible_to(const ostend_score& score, ostend::index queries) {
    std::vector<ostend::visibility> all;
    for (ostend::index i = 0; score.first_visible_keys > 0 && i < queries; ++i) {
        all.push_back(ostend::causal_limit{score.first_visible_keys + i});
    }
    return all;
}

} // namespace
} // namespace ostend_c

using namespace ostend_c;

const char* ostend_version() { return OSTEND_VERSION; }
const char* ostend_last_error() { return last_error().c_str(); }

ostend_tensor ostend_contiguous(const void* data, ostend_type type, int rank, const int64_t* extents) {
    ostend_tensor t{data, type, rank, {1, 1, 1, 1}, {1, 1, 1, 1}};
    int64_t stride = 1;
    for (int i = std::min(rank, 4) - 1; extents != nullptr && i >= 0; --i) {
        t.extents[i] = extents[i];
        t.strides[i] = stride;
        stride *= extents[i];
    }
    return t;
}

ostend_recorder* ostend_recorder_new(const ostend_recorder_options* options) {
    return made([&] {
        require(options != nullptr, "ostend_recorder_new: options are null");
        require(options->layers >= 1 && options->heads >= 1, "ostend_recorder_new: no layers or no heads");
        return std::unique_ptr<ostend_recorder>(new ostend_recorder{ostend::recorder(
            {.layers = options->layers, .heads = options->heads, .image = selection_of(*options)})});
    });
}
void ostend_recorder_free(ostend_recorder* recorder) { delete recorder; }
ostend_recorder* ostend_recorder_copy(const ostend_recorder* recorder) {
    return made([&] {
        require(recorder != nullptr, "ostend_recorder_copy: the recorder is null");
        return std::make_unique<ostend_recorder>(*recorder);
    });
}

ostend_status ostend_recorder_add_rows(ostend_recorder* recorder, int layer, int64_t token,
                                       const ostend_tensor* rows) {
    return guarded([&] {
        require(recorder != nullptr && rows != nullptr, "ostend_recorder_add_rows: an argument is null");
        require(rows->rank == 2 || rows->rank == 3,
                "ostend_recorder_add_rows: rows are [heads, keys] or [heads, queries, keys]");
        const ostend::row_key key{.layer = layer, .token = token};
        const auto add = [&](const auto& view) { recorder->recorder.add(key, view); };
        rows->rank == 2 ? visit<2>(*rows, add) : visit<3>(*rows, add);
        take(recorder->recorder.check());
    });
}

ostend_status ostend_recorder_add_qk(ostend_recorder* recorder, int layer, int64_t token,
                                     const ostend_tensor* q, const ostend_tensor* k, int cell_major,
                                     const ostend_score* score) {
    return guarded([&] {
        require(recorder != nullptr && q != nullptr && k != nullptr,
                "ostend_recorder_add_qk: an argument is null");
        require(q->rank == 3 && k->rank == 3, "ostend_recorder_add_qk: q and k have three axes");
        const ostend_score asked = score != nullptr ? *score : ostend_score{};
        const auto heads = static_cast<std::size_t>(std::max<int64_t>(0, q->extents[1]));
        ostend::score_options rule{.scale = asked.scale, .softcap = asked.softcap};
        if (asked.alibi_slopes != nullptr) {
            rule.alibi_slopes = {asked.alibi_slopes, heads};
        }
        if (asked.sinks != nullptr) {
            rule.sinks = {asked.sinks, heads};
        }
        visit<3>(*q, [&](const auto& queries) {
            visit<3>(*k, [&](const auto& keys) {
                const auto source = cell_major != 0 ? ostend::key_source::cell_major(keys)
                                                    : ostend::key_source::contiguous(keys);
                recorder->recorder.add(
                    {.layer = layer, .token = token},
                    ostend::attention_rows(queries, source, rule, visible_to(asked, queries.extent(0))));
            });
        });
        take(recorder->recorder.check());
    });
}

ostend_status ostend_recorder_truncate(ostend_recorder* recorder, int64_t tokens) {
    return guarded([&] {
        require(recorder != nullptr, "ostend_recorder_truncate: the recorder is null");
        recorder->recorder.truncate(tokens);
    });
}
ostend_status ostend_recorder_merge(ostend_recorder* recorder, const ostend_recorder* other) {
    return guarded([&] {
        require(recorder != nullptr && other != nullptr, "ostend_recorder_merge: an argument is null");
        take(recorder->recorder.merge(other->recorder));
    });
}
int64_t ostend_recorder_tokens(const ostend_recorder* recorder) {
    return recorder != nullptr ? recorder->recorder.tokens() : 0;
}
int64_t ostend_recorder_image_tokens(const ostend_recorder* recorder) {
    return recorder != nullptr ? recorder->recorder.image_tokens() : 0;
}

ostend_status ostend_recorder_maps(const ostend_recorder* recorder, ostend_query query, float* out,
                                   size_t capacity, int64_t* rows) {
    return guarded([&] {
        require(recorder != nullptr, "ostend_recorder_maps: the recorder is null");
        require(query == OSTEND_PREDICTING || query == OSTEND_TOKEN_ITSELF,
                "ostend_recorder_maps: an unknown query convention");
        const auto maps = take(recorder->recorder.maps(query == OSTEND_PREDICTING
                                                           ? ostend::query_convention::predicting
                                                           : ostend::query_convention::token_itself));
        require(capacity >= maps.values().size(), "ostend_recorder_maps: out is too small");
        require(out != nullptr || maps.values().empty(), "ostend_recorder_maps: out is null");
        std::copy(maps.values().begin(), maps.values().end(), out);
        if (rows != nullptr) {
            *rows = maps.rows();
        }
    });
}
