// 03: the recorder. It stands in a decode loop and keeps one map a token, whatever the layers and heads.
//
// For each layer a host gives it either the query's row of attention, or the query and the keys (fast kernels
// never write the row); both are read once and forgotten. A row is filed under the token that its query
// PREDICTS: that look at the image decided what was said. The dumps hold one generation both ways.
//
// Prints that both ways give the same maps, and what the other query convention would see.
#include "dump/dump.hpp"
#include "ostend/attention/from_qk.hpp"
#include "ostend/attention/recorder.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

int main() {
    const auto of_queries = *ostend_tools::read_dump(EXAMPLE_DATA "/broccoli_queries.safetensors");
    const auto of_rows = *ostend_tools::read_dump(EXAMPLE_DATA "/broccoli_rows.safetensors");
    const auto& qk = std::get<ostend_tools::dumped_queries>(of_queries.attention);
    const auto& rows = std::get<ostend_tools::dumped_rows>(of_rows.attention);

    // A recorder knows the model's size, and which keys are image tokens.
    const int layers = 4;
    const auto image_keys = ostend::key_selection::from_indices(qk.image_keys);
    ostend::recorder from_qk({.layers = layers, .heads = 6, .image = image_keys});
    ostend::recorder from_rows({.layers = layers, .heads = 6, .image = {0, rows.image_tokens}});

    for (int token = 0; token < 16; ++token) { // the decode loop: this step's query predicts `token`
        for (int layer = 0; layer < layers; ++layer) {
            const auto keys = ostend::key_source::cell_major(qk.keys_of(layer)); // a cache: [keys, heads, d]
            const ostend::causal_limit seen{qk.visible[token]};
            from_qk.add({.layer = layer, .token = token},
                        ostend::attention_row(qk.query(token, layer), keys, {}, seen));
            from_rows.add({.layer = layer, .token = token}, rows.row(token, layer));
        }
    }

    const auto maps = *from_qk.maps(); // [tokens, image tokens]; `*` ends the program if there is an error
    const auto same = *from_rows.maps();
    double apart = 0;
    for (std::size_t i = 0; i < maps.values().size(); ++i) {
        apart = std::max(apart, std::abs(double{maps.values()[i]} - double{same.values()[i]}));
    }
    std::printf("%td maps of %td cells, equal from rows: %s\n", maps.rows(), maps.columns(),
                apart < 1e-6 ? "yes" : "no");

    // The other convention: the token's own query, which already looks for what comes after it.
    const auto own = *from_qk.maps(ostend::query_convention::token_itself);
    for (const auto& [name, map] : {std::pair{"predicting", &maps}, std::pair{"token itself", &own}}) {
        const auto cells = map->row(13); // " grapes"
        const auto best = std::max_element(cells.begin(), cells.end()) - cells.begin();
        std::printf("%-12s: \"%s\" looks most at row %td, column %td of 12 x 12\n", name,
                    of_queries.tokens[13].bytes.c_str(), best / 12, best % 12);
    }
}
