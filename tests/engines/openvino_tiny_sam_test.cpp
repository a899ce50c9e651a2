// The segmenter on Eigen against the same network on OpenVINO, asked as ground() asks: points and maps of the
// checked-in scenes.
#include "evaluate/evaluation.hpp"
#include "ostend/adapt/openvino_sam.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/mask/encode.hpp"
#include "tiny_llava/tiny_llava.hpp"
#include "tiny_sam/tiny_sam.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using ostend::index;

std::size_t best_of(const std::vector<ostend::sam_proposal>& all) {
    const auto best = std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.predicted_iou < b.predicted_iou;
    });
    return static_cast<std::size_t>(best - all.begin());
}

TEST_CASE("masks of the segmenter on Eigen are those of its ONNX files on OpenVINO") {
    const std::string folder = OSTEND_SOURCE_DIR "/models/";
    const auto lmm = ostend_hosts::tiny_llava::load(folder + "tiny-llava");
    REQUIRE_MESSAGE(lmm, lmm.error().message());
    auto theirs = ostend::openvino_sam::load(folder + "tiny-sam");
    REQUIRE_MESSAGE(theirs, theirs.error().message());
    const auto ours = ostend_hosts::tiny_sam::load(folder + "tiny-sam");
    REQUIRE_MESSAGE(ours, ours.error().message());
    const auto scenes = ostend_tools::read_scenes(OSTEND_TEST_DATA "/scenes");
    REQUIRE_MESSAGE(scenes, scenes.error().message());

    int masks = 0;
    int other_masks = 0;
    index other_pixels = 0;
    double iou_error = 0;
    for (const auto& scene : *scenes) {
        CAPTURE(scene.name);
        const auto found = ostend::ground(scene.image.view(), *lmm, *ours);
        REQUIRE_MESSAGE(found, found.error().message());
        std::vector<ostend::prompt> prompts;
        for (const auto& p : found->phrases) {
            prompts.push_back(ostend::point_prompt(p.at));
            prompts.back().mask = *ostend::map_prior(p.map, found->grid, found->conventions.peak);
            prompts.push_back(ostend::point_prompt(p.at));
        }
        const auto a = ours->propose(scene.image.view(), prompts);
        const auto b = theirs->propose(scene.image.view(), prompts);
        REQUIRE_MESSAGE(a, a.error().message());
        REQUIRE_MESSAGE(b, b.error().message());
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const auto& mine = (*a)[i];
            const auto& other = (*b)[i];
            REQUIRE(mine.size() == other.size());
            CHECK(best_of(mine) == best_of(other));
            for (std::size_t k = 0; k < mine.size(); ++k) {
                iou_error = std::max(iou_error, std::abs(static_cast<double>(mine[k].predicted_iou) -
                                                         static_cast<double>(other[k].predicted_iou)));
                ++masks;
                if (mine[k].found.mask == other[k].found.mask) {
                    continue;
                }
                ++other_masks;
                const auto x = ostend::decode(mine[k].found.mask);
                const auto y = ostend::decode(other[k].found.mask);
                for (std::size_t p = 0; p < x.pixels.size(); ++p) {
                    other_pixels += x.pixels[p] != y.pixels[p] ? 1 : 0;
                }
            }
        }
    }
    MESSAGE(masks << " masks, " << other_masks << " of them other in " << other_pixels
                  << " pixels; largest error of predicted IoU " << iou_error);
    CHECK(masks > 500);
    CHECK(iou_error < 1e-4);
    CHECK(other_pixels < 10); // on the threshold
}

} // namespace
