// 06: prompts. What a segmenter is asked, out of a map: a point, a box, or logits of a mask.
//
// Prompts are in pixels of the original image, and their types say so; SAM wants them in its own frame, where
// the longer side is 1024. A pixel is a square; the point that stands for it is its centre, at a half.
//
// Prints each prompt of "a bunch of grapes" in both frames.
#include "dump/dump.hpp"
#include "ostend/ostend.hpp"

#include <algorithm>
#include <cstdio>

int main() {
    const auto dump = *ostend_tools::read_dump(EXAMPLE_DATA "/broccoli_rows.safetensors");
    const auto said = ostend_tools::replay(dump);
    const auto token_maps = *said.attention.maps();
    const std::array phrases{*ostend::find_phrase(ostend::join_text(said.tokens), "a bunch of grapes")};
    const auto raw = *ostend::phrase_maps(token_maps, ostend::token_spans(said.tokens), phrases);
    const auto maps = ostend::subtract_mean(raw, token_maps);
    const std::span<const float> map = maps.row(0); // as in 04 and 05

    const ostend::sam_frame sam = ostend::make_sam_frame(said.grid.original);
    std::printf("the image is %td x %td; SAM sees %td x %td\n", sam.original.width, sam.original.height,
                sam.resized.width, sam.resized.height);

    // A point: the centre of the peak's pixel.
    const ostend::prompt point = ostend::point_prompt(*ostend::find_peak(map, said.grid));
    const auto at = point.points[0].at;
    const auto at_sam = to_segmenter(sam, at);
    std::printf("point   (%.1f, %.1f)         for SAM (%.1f, %.1f)\n", at.x, at.y, at_sam.x, at_sam.y);

    // A box: around all that exceeds a threshold, here half of the highest value.
    const ostend::matrix<float> image = *ostend::upsample(map, said.grid); // [height, width]
    const float highest = *std::max_element(image.values().begin(), image.values().end());
    const auto box = *ostend::box_from_map(image.view(), {.threshold = 0.5F * highest});
    const auto box_sam = to_segmenter(sam, box);
    std::printf("box     x %g-%g, y %g-%g   for SAM x %.1f-%.1f, y %.1f-%.1f\n", box.x0, box.x1, box.y0,
                box.y1, box_sam.x0, box_sam.x1, box_sam.y0, box_sam.y1);

    // A mask: logits on SAM's 256 x 256 grid, the image in its upper left and zeros below.
    const ostend::mask_logits logits = *ostend::map_prior(map, said.grid);
    const auto x = static_cast<ostend::index>(at_sam.x / 4);
    const auto y = static_cast<ostend::index>(at_sam.y / 4);
    std::printf("logits  %td x %td, of which the image covers %td x %td\n", logits.values.columns(),
                logits.values.rows(), logits.content.width, logits.content.height);
    std::printf("        %.1f at the point, %.1f in the corner, %.1f below the image\n",
                double{logits.values(y, x)}, double{logits.values(0, 0)}, double{logits.values(255, 0)});

    // One prompt holds any of them, or all; a segmenter takes what it understands.
    const ostend::prompt all{.points = point.points, .box = box, .mask = logits};
}
