// Families of exports told apart by names.
#include "ostend/adapt/sam_export.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace ostend;
using names = std::vector<std::string>;

const names sam_inputs{"image_embeddings", "point_coords",   "point_labels",
                       "mask_input",       "has_mask_input", "orig_im_size"};
const names sam_outputs{"masks", "iou_predictions", "low_res_masks"};

TEST_CASE("the published exports") {
    const auto sam = recognise_sam(sam_inputs, sam_outputs);
    REQUIRE(sam);
    CHECK(sam->name == "SAM");
    CHECK(sam->mask_input);
    CHECK(!sam->stretched);
    const auto efficient = recognise_sam(
        names{"image_embeddings", "batched_point_coords", "batched_point_labels", "orig_im_size"},
        names{"output_masks", "iou_predictions"});
    REQUIRE(efficient);
    CHECK(efficient->name == "EfficientSAM");
    CHECK(efficient->any_size);
    CHECK(!efficient->mask_input);
    names sam2_inputs{"image_embed",  "high_res_feats_0", "high_res_feats_1", "point_coords",
                      "point_labels", "mask_input",       "has_mask_input"};
    const auto sam2 = recognise_sam(sam2_inputs, names{"masks", "iou_predictions"});
    REQUIRE(sam2);
    CHECK(sam2->name == "SAM2");
    CHECK(sam2->stretched);
    sam2_inputs.push_back("orig_im_size"); // as older exports have it
    CHECK(recognise_sam(sam2_inputs, names{"masks", "iou_predictions"}));
}

TEST_CASE("what is not one of them: a name too few, one too many, an output that is missing") {
    for (std::size_t i = 0; i < sam_inputs.size(); ++i) {
        names fewer = sam_inputs;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        CHECK(!recognise_sam(fewer, sam_outputs));
    }
    names more = sam_inputs;
    more.push_back("text");
    CHECK(!recognise_sam(more, sam_outputs));
    CHECK(recognise_sam(names{"tokens"}, names{"logits"}).error().message() ==
          "decoder: not a decoder of SAM, MobileSAM, EfficientSAM or SAM2; its inputs: tokens");
    CHECK(recognise_sam({}, {}).error().message().find("its inputs: none") != std::string::npos);
    CHECK(
        recognise_sam(sam_inputs, names{"masks", "iou_predictions"}).error().message() ==
        "decoder: has the inputs of SAM, but no output 'low_res_masks'; its outputs: masks, iou_predictions");
}

} // namespace
