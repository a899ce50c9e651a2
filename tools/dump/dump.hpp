// dump: one generation in one file: the image, the tokens, where image tokens lie, and the attention, either
// as rows or as the queries and keys that make them. Every later step runs from it without the model.
//
// The file is safetensors, so NumPy reads and writes it in a few lines; docs/dump.md describes every tensor.
// A dump that was read is untrusted: parse_dump checks all that could break a later step, but for values that
// are not finite, which the recorder reports by token and layer.
#pragma once

#include "io/image_file.hpp"

#include "ostend/host/language_model.hpp"

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace ostend_tools {

/// Attention after the softmax, [tokens, layers, heads, image_tokens]; row t is of the query that predicts
/// token t. One layer and one head where a host has averaged them already.
struct dumped_rows {
    ostend::index layers = 0;
    ostend::index heads = 0;
    ostend::index image_tokens = 0;
    std::vector<float> values = {};

    /// The attention of one query in one layer, [heads, image_tokens].
    [[nodiscard]] ostend::tensor_view<const float, 2> row(ostend::index token, ostend::index layer) const {
        return {values.data() + (token * layers + layer) * heads * image_tokens, {heads, image_tokens}};
    }
    friend bool operator==(const dumped_rows&, const dumped_rows&) = default;
};

/// Queries and keys after the rotary embedding. Query t predicts token t and sees the keys [0, visible[t]).
struct dumped_queries {
    ostend::index layers = 0;
    ostend::index heads = 0;
    ostend::index kv_heads = 0;
    ostend::index head_dim = 0;
    ostend::index keys = 0;
    std::vector<float> q = {};                  ///< [tokens, layers, heads, head_dim]
    std::vector<float> k = {};                  ///< [layers, keys, kv_heads, head_dim]
    std::vector<ostend::index> visible = {};    ///< [tokens]
    std::vector<ostend::index> image_keys = {}; ///< [image_tokens], the key of each
    float scale = 0;                            ///< 0: 1 / sqrt(head_dim)
    float softcap = 0;                          ///< 0: none

    /// One query of one layer, [heads, head_dim].
    [[nodiscard]] ostend::tensor_view<const float, 2> query(ostend::index token, ostend::index layer) const {
        return {q.data() + (token * layers + layer) * heads * head_dim, {heads, head_dim}};
    }
    /// The keys of one layer, [keys, kv_heads, head_dim].
    [[nodiscard]] ostend::tensor_view<const float, 3> keys_of(ostend::index layer) const {
        return {k.data() + layer * keys * kv_heads * head_dim, {keys, kv_heads, head_dim}};
    }
    friend bool operator==(const dumped_queries&, const dumped_queries&) = default;
};

struct attention_dump {
    std::string made_with = {}; ///< which model and program, for people
    rgb_image image = {};
    std::vector<ostend::token_text> tokens = {};
    ostend::layout grid = {};
    std::variant<dumped_rows, dumped_queries> attention = {};
};

/// Whether the parts fit together: shapes, ranges, a valid layout. An error names the tensor of the file.
ostend::status check(const attention_dump& dump);

ostend::result<attention_dump> read_dump(const std::filesystem::path& path);
/// The same from bytes in memory; errors call them by this name.
ostend::result<attention_dump> parse_dump(std::string bytes, const std::string& name);

/// The bytes of the file. rows, q and k are stored as f32 or f16. Error: as check.
ostend::result<std::string> dump_bytes(const attention_dump& dump,
                                       ostend::element_type type = ostend::element_type::f32);

/// The generation that was dumped, its attention recorded anew. options: what a recorder may choose (heads,
/// reduction, mode); layers, heads and image keys come from the dump. Precondition: check(dump).
[[nodiscard]] ostend::generation replay(const attention_dump& dump, ostend::recorder_options options = {});

} // namespace ostend_tools
