// before_decode(recorder, context, batch): which rows a llama_batch is to leave behind. Needs <llama.h>.
//
// The rows that a batch asks logits of are the queries that predict tokens; the first of a sequence predicts
// token 0 of its answer, and one at a position further on a token further on.
#pragma once

#include "ostend/adapt/ggml_recorder.hpp"

#include <llama.h>

#include <cstdint>
#include <map>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// Call it before llama_decode(context, batch). A token that is decoded again at a position forgets the rows
/// from there on. A batch of embeddings is no text, and leaves none. Complexity O(tokens of the batch).
inline void before_decode(ggml_recorder& recorder, llama_context* context, const llama_batch& batch) {
    std::vector<ggml_column> columns;
    std::map<int, index> next; // positions, where the batch has none
    for (std::int32_t i = 0; i < batch.n_tokens; ++i) {
        const int sequence = batch.seq_id != nullptr ? batch.seq_id[i][0] : 0;
        index position = 0;
        if (batch.pos != nullptr) {
            position = batch.pos[i];
        } else {
            auto found = next.find(sequence);
            if (found == next.end()) {
                const llama_pos last = llama_memory_seq_pos_max(llama_get_memory(context), sequence);
                found = next.emplace(sequence, last + 1).first;
            }
            position = found->second++;
        }
        const bool wanted = batch.token != nullptr &&
                            (batch.logits != nullptr ? batch.logits[i] != 0 : i + 1 == batch.n_tokens);
        columns.push_back({sequence, {}});
        if (wanted) {
            columns.back().token = position - recorder.answer_starts(sequence, position);
        }
    }
    recorder.before_decode(columns);
}

} // namespace ostend::inline OSTEND_KERNELS
