// Bytes of a stranger as COCO's files: a byte of options, an annotation file, a zero byte, a result file, a
// zero byte, the saved state of an accumulator. What reads must be written and read again as it is; what fits
// together must be evaluated to numbers between -1 and 1; a state that reads must be written as the same
// bytes.
// clang-format off
// fuzz-with: tools/coco/coco_evaluation.cpp tools/coco/coco_files.cpp tools/coco/coco_listener.cpp tools/coco/json_stream.cpp
// clang-format on
#include "coco/coco_evaluation.hpp"
#include "coco/coco_files.hpp"
#include "ostend/metrics/coco_state.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace ostend_tools;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// Everything up to a zero byte, which is taken away too.
std::string_view next_part(std::string_view& bytes) {
    const std::string_view part = bytes.substr(0, bytes.find('\0'));
    bytes.remove_prefix(std::min(bytes.size(), part.size() + 1));
    return part;
}

/// Polygons and bands of masks cost as much as their images are large.
bool is_cheap(const coco_truth_file& truth, const coco_result_file& results, coco_iou iou) {
    const auto small = [&](ostend::index height, ostend::index width) {
        return width <= 4000 && height <= 4000 && (iou != coco_iou::boundary || height * width <= 20000);
    };
    bool cheap = true;
    for (const coco_image& image : truth.images) {
        cheap = cheap && small(image.height.value_or(1), image.width.value_or(1));
    }
    for (const auto* objects : {&truth.annotations, &results.results}) {
        for (const coco_object& o : *objects) {
            const auto* runs = std::get_if<coco_runs>(&o.segmentation);
            cheap = cheap && (runs == nullptr || small(runs->mask.height, runs->mask.width));
        }
    }
    return cheap;
}

void check_state(const ostend::coco_accumulator& metric) {
    const std::string bytes = coco_to_bytes(metric);
    const auto back = ostend::coco_from_bytes(bytes);
    require(back.has_value() && coco_to_bytes(*back) == bytes);
    for (const double figure : back->compute().stats) {
        require(figure >= -1 && figure <= 1 + 1e-9);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const unsigned choice = data[0];
    std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::string_view gt = next_part(bytes);
    const std::string_view dt = next_part(bytes);
    const coco_iou iou = choice % 3 == 0   ? coco_iou::segm
                         : choice % 3 == 1 ? coco_iou::bbox
                                           : coco_iou::boundary;
    ostend::coco_options options = choice % 2 == 0 ? ostend::coco_options{} : ostend::coco_options::clean();
    options.by_category = choice % 5 != 0;

    auto truth = read_coco_truth(json_source(gt), {.masks = truth_masks(iou)});
    auto results = read_coco_results(json_source(dt), {.masks = result_masks(iou)});
    if (truth) {
        const auto again = read_coco_truth(json_source(coco_truth_text(*truth)), {.masks = truth_masks(iou)});
        require(again.has_value() && again->annotations == truth->annotations &&
                again->images == truth->images);
    } else {
        require(!truth.error().message().empty());
    }
    if (results) {
        const auto again =
            read_coco_results(json_source(coco_results_text(*results)), {.masks = result_masks(iou)});
        require(again.has_value() && again->results == results->results);
    } else {
        require(!results.error().message().empty());
    }
    if (truth && results && check_results(*results, *truth) && is_cheap(*truth, *results, iou)) {
        ostend::coco_accumulator metric(options);
        if (evaluate_coco(*truth, *results, {.iou = iou}, metric)) {
            check_state(metric);
        }
    }

    // The state's checksum is put right, or nothing would get beyond it.
    std::string state(bytes.substr(0, bytes.size() - std::min<std::size_t>(bytes.size(), 8)));
    const std::uint64_t sum = ostend::fnv1a(state);
    for (unsigned i = 0; i < 8; ++i) {
        state.push_back(static_cast<char>((sum >> (8 * i)) & 0xFFU));
    }
    if (const auto metric = ostend::coco_from_bytes(state)) {
        require(coco_to_bytes(*metric) == state);
        check_state(*metric);
    }
    return 0;
}
