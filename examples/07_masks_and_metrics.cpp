// 07: masks and metrics. From points to masks, and from masks to the figures that papers print.
//
// A mask travels as run lengths in COCO's order: small, quick to compare, with pycocotools' string form. The
// segmenter here needs no weights (colours and a graph cut); SAM would stand in the same line. Metrics are
// accumulators: update them image by image, merge those of several processes, compute at the end.
//
// Prints each mask against the true one, then mask recall and point accuracy; draws the masks (07.png).
#include "dump/dump.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "ostend/ostend.hpp"

#include <cstdio>

int main() {
    const auto dump = *ostend_tools::read_dump(EXAMPLE_DATA "/broccoli_rows.safetensors");
    const auto said = ostend_tools::replay(dump);
    const auto phrases = ostend::noun_phrases(ostend::join_text(said.tokens)).kept;
    const auto token_maps = *said.attention.maps();
    const auto raw = *ostend::phrase_maps(token_maps, ostend::token_spans(said.tokens), phrases);
    const auto maps = ostend::subtract_mean(raw, token_maps); // as in 04 and 05

    std::vector<ostend::prompt> prompts;
    std::vector<ostend::category_point> points;
    for (ostend::index i = 0; i < maps.rows(); ++i) {
        const ostend::peak peak = *ostend::find_peak(maps.row(i), said.grid);
        prompts.push_back(ostend::point_prompt(peak));
        points.push_back({.category = i, .at = peak.at});
    }
    ostend::graph_cut_segmenter segmenter;
    const auto candidates = *segmenter.segment(dump.image.view(), prompts); // several a prompt, with scores

    const auto file = *ostend_tools::read_json(EXAMPLE_DATA "/broccoli_masks.json");
    const std::vector<ostend::rle> truths{*ostend_tools::rle_from_json(file["broccoli"]),
                                          *ostend_tools::rle_from_json(file["bunch of grapes"])};
    std::vector<ostend::rle> masks;
    ostend::picture picture = ostend::shrink(dump.image.view(), 216);
    for (std::size_t i = 0; i < phrases.size(); ++i) {
        const auto best = ostend::candidate_rule::best_score;
        masks.push_back(ostend::choose_candidate(candidates[i], best, said.grid.original)->mask);
        std::printf("%-18s %td pixels, IoU %.3f, \"%.12s...\"\n", phrases[i].text.c_str(),
                    static_cast<ostend::index>(ostend::area(masks[i])), ostend::iou(masks[i], truths[i]),
                    ostend::to_coco_string(masks[i]).c_str());
        compose(picture, ostend::mask_layer(masks[i], ostend::phrase_colour(i), 144, 216));
    }

    ostend::gcg_accumulator gcg; // masks matched by IoU, where the texts agree
    ostend::pointing_accumulator pointing;
    const std::vector<std::string> names{"broccoli", "grapes"};
    const std::vector<ostend::object_mask> objects{{0, truths[0]}, {1, truths[1]}};
    if (!gcg.update("scene 30", truths, masks, ostend::label_equality(names, names)) ||
        !pointing.update("scene 30", objects, points)) {
        return 1; // an image that was given twice, masks of different sizes
    }
    const ostend::ratio recall = gcg.compute().recall, accuracy = pointing.compute().accuracy;
    std::printf("mask recall %g of %g, point accuracy %g of %g\n", recall.numerator, recall.denominator,
                accuracy.numerator, accuracy.denominator);
    const auto png = ostend_tools::encode_png(picture.bytes.data(), 216, 144, 3);
    return ostend_tools::write_file("07.png", png) ? 0 : 1;
}
