// before_decode(recorder, context, batch): which rows a llama_batch is to leave behind. Needs <llama.h>.
//
// The rows that a batch asks logits of are the queries that predict tokens; the first of a sequence predicts
// token 0 of its answer, and one at a position further on a token further on.
#pragma once

#include "ostend/adapt/ggml_recorder.hpp"
#include "ostend/core/expects.hpp"

#include <llama.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// Call it before llama_decode(context, batch). A token that is decoded again at a position forgets the rows
/// from there on; before where the answer started, another answer starts there. A batch of embeddings is no
/// text, and leaves none. Complexity O(tokens of the batch).
/// Precondition: a token that asks for logits is of one sequence; what several share, the prompt's last token
/// say, is decoded for one of them, and copy_sequence makes the others.
inline void before_decode(ggml_recorder& recorder, llama_context* context, const llama_batch& batch) {
    std::vector<ggml_column> columns;
    std::map<int, index> next; // positions, where the batch has none
    for (std::int32_t i = 0; i < batch.n_tokens; ++i) {
        const int sequence = batch.seq_id != nullptr ? batch.seq_id[i][0] : 0;
        const int sequences = batch.n_seq_id != nullptr ? batch.n_seq_id[i] : 1;
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
            OSTEND_EXPECTS(sequences == 1, "before_decode: token " + std::to_string(i) +
                                               " of the batch asks for logits and is of " +
                                               std::to_string(sequences) +
                                               " sequences; decode it for one, and copy_sequence");
            if (position < recorder.answer_starts(sequence, position)) {
                recorder.begin_answer(sequence);
            }
            columns.back().token = position - recorder.answer_starts(sequence, position);
        }
    }
    recorder.before_decode(columns);
}

} // namespace ostend::inline OSTEND_KERNELS
