// What surrounds a segmenter's two networks: when each is asked, and what is refused before.
#include "ostend/adapt/sam_segment.hpp"
#include "ostend/mask/encode.hpp"
#include "support/errors.hpp"
#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

namespace {

using namespace ostend;
using ostend::index; // not the one of <strings.h>

const std::vector<std::uint8_t> grey(3 * 5000, 90);
const image_view image(grey.data(), {40, 50, 3});

prompt point(double x, double y) {
    prompt asked;
    asked.points.push_back({{x, y}, true});
    return asked;
}
prompt masked(index side, bool with_point = true) {
    prompt asked = with_point ? point(3, 4) : prompt{};
    asked.mask = mask_logits{matrix<float>(side, side), {side, side}};
    return asked;
}
sam_proposal proposal(float predicted) { return {{encode(bitmap(40, 50, true)), 2000, {}, 0.75}, predicted}; }

/// Counts what the networks are asked.
struct networks {
    int encoded = 0;
    int decoded = 0;
    status encoder = success{};
    status decoder = success{};

    result<std::vector<std::vector<sam_proposal>>> run(const image_view& of, std::span<const prompt> prompts,
                                                       const sam_asking& how = {}) {
        return sam_proposals(
            of, prompts, how, [](image_size size) { return make_sam_frame(size, 1024); },
            [this](const sam_frame& frame) {
                CHECK(frame.side == 1024);
                ++encoded;
                return encoder;
            },
            [this](const prompt& asked, const sam_frame&) -> result<std::vector<sam_proposal>> {
                ++decoded;
                if (!decoder) {
                    return decoder.error();
                }
                return std::vector<sam_proposal>(asked.points.size(), proposal(static_cast<float>(decoded)));
            });
    }
};

TEST_CASE("the image is encoded once, each prompt decoded in its turn") {
    networks nets;
    prompt two = point(1, 2);
    two.points.push_back({{9, 9}, true});
    const std::vector<prompt> prompts{point(1, 1), two, masked(256)};
    const auto found = nets.run(image, prompts);
    REQUIRE_MESSAGE(found, found.error().message());
    CHECK(nets.encoded == 1);
    CHECK(nets.decoded == 3);
    REQUIRE(found->size() == 3);
    CHECK((*found)[0].size() == 1);
    CHECK((*found)[1].size() == 2);
    CHECK((*found)[2][0].predicted_iou == 3.0F);
    CHECK(nets.run(image, {})->empty());
    CHECK(nets.encoded == 1); // nothing is asked: nothing is seen

    const auto scored = sam_candidates(sam_rule::stability, *found, prompts);
    REQUIRE(scored.size() == 3);
    CHECK(scored[1].size() == 2);
    CHECK(scored[1][1].score == 0.75F);
    CHECK(scored[1][1].mask == proposal(0).found.mask);
    CHECK_EXPECTS(sam_candidates(sam_rule::last, *found, std::span(prompts).first(2)), "of 3 prompts");
    CHECK_EXPECTS(sam_candidates(sam_rule::attention_mass, *found, prompts), "without a map");
}

TEST_CASE("errors of the networks name the encoder or the prompt") {
    networks blind;
    blind.encoder = error{"saw nothing", "image"};
    const std::vector<prompt> prompts{point(1, 1), point(2, 2)};
    CHECK_ERROR(blind.run(image, prompts), "encoder: image", "saw nothing");
    CHECK(blind.decoded == 0);
    networks dumb;
    dumb.decoder = error{"said nothing"};
    CHECK_ERROR(dumb.run(image, prompts), "prompts[0]", "said nothing");
}

TEST_CASE("images that are refused before anything is seen") {
    networks nets;
    const std::vector<prompt> prompts{point(0, 0)};
    CHECK_ERROR(nets.run({}, prompts), "image", "0 x 0 pixels");
    CHECK_ERROR(nets.run({grey.data(), {40, 25, 4}}, prompts), "image", "40 x 25 pixels of 4 channels");
    CHECK_ERROR(nets.run({grey.data(), {5000, 1, 3}}, prompts), "image", "too narrow");
    CHECK_ERROR(nets.run({grey.data(), {1 << 20, 1 << 20, 3}, {0, 0, 1}}, prompts), "image", "");
    CHECK(nets.encoded == 0);
}

TEST_CASE("prompts that are refused, by what the decoder takes and the rule reads") {
    networks nets;
    const auto ask = [&nets](const prompt& asked, const sam_asking& how = {}) {
        const std::vector<prompt> prompts{point(0, 0), asked};
        return nets.run(image, prompts, how);
    };
    CHECK_ERROR(ask({}), "prompts[1]", "no point on the object");
    CHECK_ERROR(ask(point(51, 3)), "prompts[1]: points", "outside the image");
    CHECK_ERROR(ask(masked(128)), "prompts[1]: mask", "logits of 128 x 128; the decoder wants 256 x 256");
    CHECK(ask(masked(128), {.mask_side = 128}));
    CHECK(ask(masked(128), {.mask_prompt = false})); // not given, so its side does not matter
    CHECK(ask(masked(128), {.mask_input = false}));
    CHECK(ask(masked(256, false)));
    CHECK_ERROR(ask(masked(256, false), {.mask_prompt = false}), "prompts[1]", "is not to be given");
    CHECK_ERROR(ask(masked(256, false), {.mask_input = false, .name = "EfficientSAM"}), "prompts[1]",
                "nothing but a mask, which EfficientSAM does not take");
    // The rule that reads the map wants one with every prompt, given to the decoder or not.
    const sam_asking by_map{.rule = sam_rule::attention_mass, .mask_prompt = false};
    const std::vector<prompt> with_maps{masked(256), masked(256)};
    CHECK(nets.run(image, with_maps, by_map));
    CHECK_ERROR(ask(masked(256), by_map), "prompts[0]", "attention_mass reads the prompt's mask");
}

} // namespace
