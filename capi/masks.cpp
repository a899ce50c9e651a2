// Masks and metrics of ostend.h.
#include "handles.hpp"

#include "ostend/host/graph_cut.hpp"
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/runs.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace ostend_c;

namespace {

std::unique_ptr<ostend_mask> own(ostend::rle runs) {
    return std::make_unique<ostend_mask>(ostend_mask{std::move(runs)});
}

std::vector<ostend::rle> all_runs(const ostend_mask* const* masks, size_t count) {
    require(masks != nullptr || count == 0, "ostend_gcg_update: masks are null");
    std::vector<ostend::rle> out;
    for (size_t i = 0; i < count; ++i) {
        require(masks[i] != nullptr, "ostend_gcg_update: a mask is null");
        out.push_back(masks[i]->runs);
    }
    return out;
}
std::vector<std::string> all_texts(const char* const* texts, size_t count) {
    require(texts != nullptr || count == 0, "ostend_gcg_update: texts are null");
    std::vector<std::string> out;
    for (size_t i = 0; i < count; ++i) {
        require(texts[i] != nullptr, "ostend_gcg_update: a text is null");
        out.emplace_back(texts[i]);
    }
    return out;
}

} // namespace

ostend_mask* ostend_mask_from_bytes(const uint8_t* data, int64_t height, int64_t width, int64_t row_stride,
                                    int64_t column_stride) {
    return made([&] {
        require(height >= 0 && width >= 0 && (width == 0 || height < (int64_t{1} << 32) / width),
                "ostend_mask_from_bytes: the size is negative or has more than 2^32 - 1 pixels");
        require(data != nullptr || height * width == 0, "ostend_mask_from_bytes: data is null");
        return own(ostend::encode(
            ostend::tensor_view<const std::uint8_t, 2>(data, {height, width}, {row_stride, column_stride})));
    });
}
ostend_mask* ostend_mask_from_string(const char* text, size_t size, int64_t height, int64_t width) {
    return made([&] {
        require(text != nullptr, "ostend_mask_from_string: text is null");
        return own(take(ostend::from_coco_string({text, size}, height, width)));
    });
}
ostend_mask* ostend_mask_from_point(const uint8_t* rgb, int64_t height, int64_t width, int64_t x, int64_t y) {
    return made([&] {
        require(rgb != nullptr && height >= 1 && width >= 1, "ostend_mask_from_point: there is no image");
        require(x >= 0 && x < width && y >= 0 && y < height,
                "ostend_mask_from_point: the point lies outside");
        const std::vector<ostend::prompt> prompts{ostend::point_prompt({.at = {x, y}})};
        const auto candidates =
            take(ostend::graph_cut_segmenter().segment(ostend::image_view(rgb, {height, width, 3}), prompts));
        return own(take(ostend::choose_candidate(candidates.front(), ostend::candidate_rule::best_score,
                                                 {width, height}))
                       .mask);
    });
}
void ostend_mask_free(ostend_mask* mask) { delete mask; }
int64_t ostend_mask_height(const ostend_mask* mask) { return mask != nullptr ? mask->runs.height : 0; }
int64_t ostend_mask_width(const ostend_mask* mask) { return mask != nullptr ? mask->runs.width : 0; }
uint64_t ostend_mask_area(const ostend_mask* mask) { return mask != nullptr ? ostend::area(mask->runs) : 0; }
const char* ostend_mask_string(const ostend_mask* mask) {
    if (mask == nullptr) {
        return "";
    }
    guarded([&] { mask->text = ostend::to_coco_string(mask->runs); });
    return mask->text.c_str();
}
ostend_status ostend_mask_to_bytes(const ostend_mask* mask, uint8_t* out, size_t capacity) {
    return guarded([&] {
        require(mask != nullptr, "ostend_mask_to_bytes: the mask is null");
        const auto pixels = mask->runs.height * mask->runs.width;
        require(out != nullptr || pixels == 0, "ostend_mask_to_bytes: out is null");
        require(capacity >= static_cast<size_t>(pixels), "ostend_mask_to_bytes: out is too small");
        ostend::decode(mask->runs,
                       ostend::tensor_view<std::uint8_t, 2>(out, {mask->runs.height, mask->runs.width}));
    });
}
ostend_status ostend_mask_iou(const ostend_mask* a, const ostend_mask* b, double* iou) {
    return guarded([&] {
        require(a != nullptr && b != nullptr && iou != nullptr, "ostend_mask_iou: an argument is null");
        *iou = ostend::iou(a->runs, b->runs);
    });
}
int ostend_mask_contains(const ostend_mask* mask, int64_t x, int64_t y) {
    return mask != nullptr && x >= 0 && y >= 0 && x < mask->runs.width && y < mask->runs.height &&
                   ostend::contains(mask->runs, {x, y})
               ? 1
               : 0;
}

ostend_gcg* ostend_gcg_new() {
    return made([] { return std::make_unique<ostend_gcg>(); });
}
void ostend_gcg_free(ostend_gcg* gcg) { delete gcg; }
ostend_status ostend_gcg_update(ostend_gcg* gcg, const char* key, const ostend_mask* const* predictions,
                                const char* const* prediction_texts, size_t prediction_count,
                                const ostend_mask* const* truths, const char* const* truth_texts,
                                size_t truth_count) {
    return guarded([&] {
        require(gcg != nullptr && key != nullptr, "ostend_gcg_update: an argument is null");
        const auto said = all_texts(prediction_texts, prediction_count);
        const auto named = all_texts(truth_texts, truth_count);
        take(gcg->sums.update(key, all_runs(truths, truth_count), all_runs(predictions, prediction_count),
                              ostend::label_equality(named, said)));
    });
}
ostend_status ostend_gcg_merge(ostend_gcg* gcg, const ostend_gcg* other) {
    return guarded([&] {
        require(gcg != nullptr && other != nullptr, "ostend_gcg_merge: an argument is null");
        take(gcg->sums.merge(other->sums));
    });
}
ostend_status ostend_gcg_compute(const ostend_gcg* gcg, double* mask_recall, double* miou) {
    return guarded([&] {
        require(gcg != nullptr, "ostend_gcg_compute: the accumulator is null");
        const ostend::gcg_result result = gcg->sums.compute();
        if (mask_recall != nullptr) {
            *mask_recall = result.recall.value();
        }
        if (miou != nullptr) {
            *miou = result.miou.value();
        }
    });
}
