// Grounding in ostend.h: the library's ground() with what the C host has already generated.
#include "handles.hpp"

#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/host/graph_cut.hpp"

#include <vector>

using namespace ostend_c;

namespace {

/// A language model that has answered already.
struct answered {
    ostend::generation answer;
    ostend::result<ostend::generation> generate(const ostend::image_view&, const ostend::generate_request&) {
        return answer;
    }
};

/// Points are asked for, masks are not: each prompt gets an empty one.
struct no_segmenter {
    ostend::result<std::vector<std::vector<ostend::mask_candidate>>>
    segment(const ostend::image_view& image, std::span<const ostend::prompt> prompts) const {
        const ostend::index height = image.extent(0);
        const ostend::index width = image.extent(1);
        const ostend::rle empty{height, width, {static_cast<std::uint32_t>(height * width)}};
        return std::vector<std::vector<ostend::mask_candidate>>(prompts.size(), {{empty, 0.0F}});
    }
};

ostend::layout layout_of(const ostend_ground_options& o) {
    const ostend::image_size size{o.width, o.height};
    require(o.width >= 1 && o.height >= 1 && o.width < (1 << 30) / o.height,
            "the image's size is not possible");
    require(o.layout == OSTEND_PAD_TO_SQUARE || o.layout == OSTEND_STRETCH, "an unknown layout");
    if (o.layout == OSTEND_STRETCH) {
        return ostend::geometry::stretch(size, {.rows = o.rows, .columns = o.columns});
    }
    require(o.rows == o.columns, "a padded square has as many rows as columns");
    return ostend::geometry::llava_pad(size, {.grid = o.rows});
}

} // namespace

ostend_grounding* ostend_ground(const ostend_recorder* recorder, const char* const* tokens,
                                size_t token_count, const ostend_ground_options* options) {
    return made([&] {
        require(recorder != nullptr && options != nullptr && (tokens != nullptr || token_count == 0),
                "ostend_ground: an argument is null");
        answered host{{.tokens = {}, .attention = recorder->recorder, .grid = layout_of(*options)}};
        for (size_t i = 0; i < token_count; ++i) {
            require(tokens[i] != nullptr, "ostend_ground: a token's text is null");
            const std::string text = tokens[i];
            host.answer.tokens.push_back(
                {.id = static_cast<std::int32_t>(i), .bytes = text, .special = text.empty()});
        }
        ostend::ground_options asked;
        asked.conventions =
            take(ostend::find_preset(options->preset != nullptr ? options->preset : "ostend"));
        asked.map_as_prior = false;
        for (size_t i = 0; options->phrases != nullptr && i < options->phrase_count; ++i) {
            require(options->phrases[i] != nullptr, "ostend_ground: a phrase is null");
            asked.phrases.emplace_back(options->phrases[i]);
        }
        // Nobody looks at the pixels: a single one stands for all, repeated by strides of 0.
        const std::uint8_t pixel = 0;
        const ostend::image_view image(&pixel, {options->height, options->width, 3}, {0, 0, 0});
        const no_segmenter none;
        return std::unique_ptr<ostend_grounding>(
            new ostend_grounding{take(ostend::ground(image, host, none, asked))});
    });
}
void ostend_grounding_free(ostend_grounding* grounding) { delete grounding; }
const char* ostend_grounding_caption(const ostend_grounding* grounding) {
    return grounding != nullptr ? grounding->grounding.caption.c_str() : "";
}
size_t ostend_grounding_count(const ostend_grounding* grounding) {
    return grounding != nullptr ? grounding->grounding.phrases.size() : 0;
}
ostend_status ostend_grounding_phrase(const ostend_grounding* grounding, size_t i, ostend_phrase* out) {
    return guarded([&] {
        require(grounding != nullptr && out != nullptr, "ostend_grounding_phrase: an argument is null");
        require(i < grounding->grounding.phrases.size(), "ostend_grounding_phrase: there are fewer phrases");
        const ostend::grounded_phrase& p = grounding->grounding.phrases[i];
        *out = {
            p.phrase.text.c_str(), p.phrase.span.begin, p.phrase.span.end, p.at.at.x, p.at.at.y, p.at.value,
            p.at.confidence,       p.map.data()};
    });
}
