// language_model: what ground() asks of a large multimodal model, in one function.
//
// A host models it in a few lines: it decodes as it always does and hands attention rows (or q and k) to the
// recorder; see examples/hosts/tiny_llava and examples/08_*.
#pragma once

#include "ostend/attention/recorder.hpp"
#include "ostend/core/result.hpp"
#include "ostend/geometry/layout.hpp"
#include "ostend/phrase/text_span.hpp"

#include <concepts>
#include <optional>
#include <string>
#include <vector>

namespace ostend::inline v0 {

struct generate_request {
    std::string prompt = {};              ///< empty: the model's own default prompt
    std::optional<std::string> text = {}; ///< teacher-forced answer: read instead of generated
    index max_tokens = 64;
    bool record = true;              ///< false: no attention is read; the tokens must be the same
    recorder_options recording = {}; ///< the host fills in layers, heads and the image keys
};

struct generation {
    std::vector<token_text> tokens; ///< what was generated, in order; the end token included, as special
    recorder attention;             ///< one row a token: that of the query that predicts it
    layout grid;                    ///< where each image token lies in the original image
};

/// generate() answers for one image ([rows, cols, 3] RGB bytes, any size) or says why it cannot.
template <class M>
concept language_model = requires(M& model, const image_view& image, const generate_request& request) {
    { model.generate(image, request) } -> std::same_as<result<generation>>;
};

} // namespace ostend::inline v0
