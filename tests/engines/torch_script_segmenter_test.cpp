// torch_script_segmenter on modules written here as TorchScript: what goes in, what comes out, and every
// wrong file, module and output as a sentence.
#include "ostend/adapt/torch_script_segmenter.hpp"
#include "ostend/host/ground_checks.hpp"
#include "ostend/mask/encode.hpp"
#include "support/errors.hpp"
#include "support/scratch_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace ostend_test;

namespace {

using ostend::index;
using options = ostend::torch_script_segmenter_options;

static_assert(ostend::segmenter<ostend::torch_script_segmenter>);

/// A module of these methods and a number, `calls`, in a file.
std::string save(const scratch_folder& folder, const std::string& methods) {
    torch::jit::Module module("segmenter");
    module.register_attribute("calls", c10::IntType::get(), 0);
    module.define(methods);
    const auto file = (folder.path() / "segmenter.pt").string();
    module.save(file);
    return file;
}
ostend::result<ostend::torch_script_segmenter> load(const scratch_folder& folder, const std::string& methods,
                                                    const options& how = {}) {
    return ostend::torch_script_segmenter::load(save(folder, methods), how);
}

/// Not scaled, so that tests see the image's own numbers.
const ostend::pixel_scale plain{.mean = {0, 0, 0}, .deviation = {1, 1, 1}};

std::vector<std::uint8_t> random_pixels(index height, index width, unsigned seed) {
    std::mt19937 draw(seed);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * 3));
    for (auto& value : pixels) {
        value = static_cast<std::uint8_t>(draw());
    }
    return pixels;
}
ostend::prompt point(double x, double y, bool inside = true) {
    ostend::prompt asked;
    asked.points.push_back({{x, y}, inside});
    return asked;
}

/// A disc around each first point over a square of a quarter of the image's, two radii; and how often it
/// encoded.
const std::string discs = R"(
def forward(self, image, points, labels, mask: Optional[Tensor]):
    side = image.size(2) // 4
    at = (torch.arange(side).float() + 0.5) * 4.0 - 0.5
    x = at.view(1, 1, 1, side) - points[:, :1, 0].view(1, 1, 1, 1)
    y = at.view(1, 1, side, 1) - points[:, :1, 1].view(1, 1, 1, 1)
    distance = torch.sqrt(x * x + y * y)
    radii = torch.tensor([10.0, 24.0]).view(1, 2, 1, 1)
    return (radii - distance, torch.tensor([[0.25, 0.75]]))
)";

TEST_CASE("candidates over the padded square, in the image's own size") {
    const scratch_folder folder;
    auto segmenter = load(folder, discs, {.side = 128});
    REQUIRE_MESSAGE(segmenter, segmenter.error().message());
    const index height = 50;
    const index width = 80; // scaled by 1.6
    const auto pixels = random_pixels(height, width, 1);
    const ostend::image_view image(pixels.data(), {height, width, 3});
    const std::vector<ostend::prompt> asked{point(20.5, 30.5), point(61.0, 12.0)};
    const auto found = segmenter->segment(image, asked);
    REQUIRE_MESSAGE(found, found.error().message());
    REQUIRE(found->size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        REQUIRE((*found)[i].size() == 2);
        CHECK((*found)[i][0].score == 0.25F);
        CHECK((*found)[i][1].score == 0.75F);
        for (std::size_t k = 0; k < 2; ++k) {
            const double radius = (k == 0 ? 10.0 : 24.0) / 1.6;
            const ostend::bitmap mask = ostend::decode((*found)[i][k].mask);
            REQUIRE(mask.height == height);
            REQUIRE(mask.width == width);
            for (index y = 0; y < height; ++y) {
                for (index x = 0; x < width; ++x) {
                    const double distance =
                        std::hypot(static_cast<double>(x) + 0.5 - asked[i].points[0].at.x,
                                   static_cast<double>(y) + 0.5 - asked[i].points[0].at.y);
                    if (std::abs(distance - radius) > 1.0) { // interpolation rounds the rim
                        REQUIRE((mask(y, x) != 0) == (distance < radius));
                    }
                }
            }
        }
    }
    const auto chosen =
        ostend::choose_candidate((*found)[0], ostend::candidate_rule::best_score, {width, height});
    REQUIRE(chosen);
    CHECK(chosen->score == 0.75F);
}

TEST_CASE("the image as it is: its own pixels, scaled, and masks of its size") {
    const scratch_folder folder;
    auto segmenter = load(folder, R"(
def forward(self, image, points, labels):
    return (image, torch.tensor([[1.0, 2.0, 3.0]]))
)",
                          {.side = 0, .scale = {.mean = {100, 150, 60}, .deviation = {2, 3, 4}}});
    REQUIRE_MESSAGE(segmenter, segmenter.error().message());
    const auto pixels = random_pixels(9, 70, 2);
    const ostend::image_view image(pixels.data(), {9, 70, 3});
    const std::vector<ostend::prompt> asked{point(1, 1)};
    const auto found = segmenter->segment(image, asked);
    REQUIRE_MESSAGE(found, found.error().message());
    REQUIRE(found->front().size() == 3);
    for (index c = 0; c < 3; ++c) {
        const std::uint8_t mean = c == 0 ? 100 : c == 1 ? 150 : 60;
        const ostend::bitmap mask = ostend::decode(found->front()[static_cast<std::size_t>(c)].mask);
        for (index y = 0; y < 9; ++y) {
            for (index x = 0; x < 70; ++x) {
                REQUIRE((mask(y, x) != 0) == (image(y, x, c) > mean));
            }
        }
    }
}

TEST_CASE("points, labels and mask as the contract has them") {
    const scratch_folder folder;
    // Scores are the points, the labels, the mask's first row, or -1 without a mask; the masks say nothing.
    const std::string echo = R"(
def forward(self, image, points, labels, mask: Optional[Tensor]):
    said = torch.full([1, 1], -1.0)
    if mask is not None:
        said = mask[:, 0, 0]
    scores = torch.cat([points.reshape(1, -1), labels, said], 1)
    return (torch.zeros([1, scores.size(1), 1, 1]), scores)
)";
    auto segmenter = load(folder, echo, {.side = 200, .mask_side = 4});
    REQUIRE_MESSAGE(segmenter, segmenter.error().message());
    const auto pixels = random_pixels(50, 100, 3); // scaled by 2
    const ostend::image_view image(pixels.data(), {50, 100, 3});
    ostend::prompt both = point(10.5, 20.5);
    both.points.push_back({{40, 30}, false});
    both.box = ostend::box_in<ostend::original_frame>{4, 8, 60, 40};
    ostend::prompt mask;
    mask.mask = ostend::mask_logits{ostend::matrix<float>(4, 4), {4, 2}};
    for (index x = 0; x < 4; ++x) {
        mask.mask->values(0, x) = static_cast<float>(x) - 1.5F;
    }
    const std::vector<ostend::prompt> asked{point(10.5, 20.5), both, mask};
    const auto scores = [&](ostend::torch_script_segmenter& of, std::size_t i) {
        const auto found = of.segment(image, std::span(asked).subspan(i, 1));
        REQUIRE_MESSAGE(found, found.error().message());
        std::vector<float> all;
        for (const auto& candidate : found->front()) {
            all.push_back(candidate.score);
        }
        return all;
    };
    CHECK(scores(*segmenter, 0) == std::vector<float>{20.5F, 40.5F, 1, -1});
    CHECK(scores(*segmenter, 1) ==
          std::vector<float>{20.5F, 40.5F, 79.5F, 59.5F, 7.5F, 15.5F, 119.5F, 79.5F, 1, 0, 2, 3, -1});
    CHECK(scores(*segmenter, 2) == std::vector<float>{-1.5F, -0.5F, 0.5F, 1.5F});

    // Where the image stays as it is, the mask's content is stretched over it.
    auto own_size = load(folder, R"(
def forward(self, image, points, labels, mask: Optional[Tensor]):
    if mask is None:
        return (image[:, :1], torch.zeros([1, 1]))
    said = mask[:, 0, :, 0]
    return (image[:, :1].expand(1, said.size(1), -1, -1), said)
)",
                         {.side = 0, .mask_side = 4});
    REQUIRE(own_size);
    ostend::prompt rows;
    rows.mask = ostend::mask_logits{ostend::matrix<float>(4, 4, 3.0F), {4, 2}};
    for (index x = 0; x < 4; ++x) {
        rows.mask->values(2, x) = rows.mask->values(3, x) = -9; // beyond the content
    }
    const auto stretched = own_size->segment(image, std::span(&rows, 1));
    REQUIRE_MESSAGE(stretched, stretched.error().message());
    REQUIRE(stretched->front().size() == 4);
    for (const auto& candidate : stretched->front()) {
        CHECK(candidate.score == doctest::Approx(3.0F));
    }

    // Kept from the module, a mask alone is nothing to ask with.
    auto without = load(folder, echo, {.side = 200, .mask_side = 4, .mask_prompt = false});
    REQUIRE(without);
    CHECK_ERROR(without->segment(image, std::span(asked).subspan(2)), "prompts[0]: ", "nothing but a mask");
    auto larger = load(folder, echo, {.side = 200, .mask_side = 8});
    REQUIRE(larger);
    CHECK_ERROR(larger->segment(image, std::span(asked).subspan(2)),
                "prompts[0]: mask: ", "logits of 4 x 4; the module wants 8 x 8");
}

TEST_CASE("an image is encoded once where the module has encode and decode") {
    const scratch_folder folder;
    auto segmenter = load(folder, R"(
def encode(self, image):
    self.calls = self.calls + 1
    return [image.mean([2, 3]), image]
def decode(self, embedding: List[Tensor], points, labels):
    mean = embedding[0]
    return (embedding[1][:, :1], mean[:, :1] + 100 * self.calls)
)",
                          {.side = 0, .scale = plain});
    REQUIRE_MESSAGE(segmenter, segmenter.error().message());
    const std::vector<std::uint8_t> pixels{10, 0, 0, 20, 0, 0, 0, 0, 0, 30, 0, 0};
    const ostend::image_view image(pixels.data(), {2, 2, 3});
    const std::vector<ostend::prompt> asked{point(1, 1), point(0.5, 0.5)};
    for (const float calls : {1.0F, 2.0F}) {
        const auto found = segmenter->segment(image, asked);
        REQUIRE_MESSAGE(found, found.error().message());
        REQUIRE(found->size() == 2);
        for (const auto& candidates : *found) {
            REQUIRE(candidates.size() == 1);
            CHECK(candidates[0].score == 15.0F + 100 * calls);
            CHECK(candidates[0].mask.counts == std::vector<std::uint32_t>{0, 1, 1, 2}); // column by column
        }
        const auto none = segmenter->segment(image, {});
        REQUIRE(none);
        CHECK(none->empty());
    }
    auto failing = load(folder, R"(
def encode(self, image):
    return image.view(1, 2, 3)
def decode(self, embedding, points, labels):
    return (embedding, labels)
)",
                        {.side = 0});
    REQUIRE(failing);
    CHECK_ERROR(failing->segment(image, asked), "encode: torch: ", "shape '[1, 2, 3]' is invalid");
}

TEST_CASE("outputs that are not as the contract has them") {
    const scratch_folder folder;
    const auto pixels = random_pixels(20, 20, 5);
    const ostend::image_view image(pixels.data(), {20, 20, 3});
    const std::vector<ostend::prompt> asked{point(5, 5)};
    const auto gives = [&](const std::string& what, const options& how = {.side = 64}) {
        auto segmenter =
            load(folder, "def forward(self, image, points, labels):\n    return " + what + "\n", how);
        REQUIRE_MESSAGE(segmenter, segmenter.error().message());
        return segmenter->segment(image, asked);
    };
    const std::string zeros = "torch.zeros([1, 1, 8, 8])";
    CHECK(gives("(" + zeros + ", torch.zeros([1, 1]))"));
    CHECK_ERROR(gives(zeros), "prompts[0]: output: ", "gives Tensor; wanted masks and scores");
    CHECK_ERROR(gives("(" + zeros + ", torch.zeros([1, 1]), labels)"), "output: ", "a tuple of two tensors");
    CHECK_ERROR(gives("(" + zeros + ", 1.0)"), "output: ", "a tuple of two tensors");
    CHECK_ERROR(gives("(torch.zeros([1, 8, 8]), torch.zeros([1, 1]))"),
                "masks: at::Tensor.sizes: ", "[1, 8, 8] where 4 axes");
    CHECK_ERROR(gives("(" + zeros + ", torch.zeros([1]))"), "scores: at::Tensor.sizes: ", "[1] where 2 axes");
    CHECK_ERROR(gives("(" + zeros + ".half(), torch.zeros([1, 1]))"),
                "masks: at::Tensor.dtype: ", "Half where Float");
    CHECK_ERROR(gives("(" + zeros + ", torch.zeros([1, 1]).long())"),
                "scores: at::Tensor.dtype: ", "Long where Float");
    CHECK_ERROR(gives("(" + zeros + ", torch.zeros([1, 2]))"), "output: ", "[1, 1, 8, 8] and scores [1, 2]");
    CHECK_ERROR(gives("(torch.zeros([2, 1, 8, 8]), torch.zeros([2, 1]))"), "output: ", "wanted [1, m, h, w]");
    CHECK_ERROR(gives("(torch.zeros([1, 0, 8, 8]), torch.zeros([1, 0]))"), "output: ", "wanted [1, m, h, w]");
    CHECK_ERROR(gives("(torch.zeros([1, 1, 0, 8]), torch.zeros([1, 1]))"), "output: ", "masks of 8 x 0");
    CHECK_ERROR(gives("(torch.zeros([1, 1, 8, 129]), torch.zeros([1, 1]))"),
                "output: ", "masks of 129 x 8 over a square of 64; wanted at most twice its side");
    CHECK_ERROR(gives("(" + zeros + ", torch.zeros([1, 1]))", {.side = 0}),
                "output: ", "masks of 8 x 8 for an image of 20 x 20");
    CHECK_ERROR(gives("(" + zeros + ".log().log().abs() * 0.0, torch.zeros([1, 1]))"),
                "masks: ", "a NaN (at 0)");
    CHECK_ERROR(gives("(" + zeros + ", torch.full([1, 1], float('nan')))"), "scores: ", "a NaN (at 0)");
    CHECK_ERROR(gives("(torch.zeros([3, 4]).matmul(points), labels)"), "prompts[0]: torch: ", "size");
}

TEST_CASE("images and prompts that cannot be") {
    const scratch_folder folder;
    auto segmenter = load(folder, discs, {.side = 64});
    REQUIRE(segmenter);
    const auto pixels = random_pixels(10, 300, 6);
    const std::vector<ostend::prompt> asked{point(5, 5), ostend::prompt{}};
    CHECK_ERROR(segmenter->segment({pixels.data(), {10, 300, 3}}, asked),
                "prompts[1]: ", "no point on the object");
    CHECK_ERROR(segmenter->segment({pixels.data(), {10, 75, 4}}, asked), "image: ", "4 channels");
    CHECK_ERROR(segmenter->segment({nullptr, {0, 75, 3}}, asked), "image: ", "0 x 75 pixels");
    CHECK_ERROR(segmenter->segment({pixels.data(), {1, 300, 3}}, asked), "image: ", "too narrow");
}

TEST_CASE("files that are no such module") {
    const scratch_folder folder;
    const auto loads = [](const std::string& file) { return ostend::torch_script_segmenter::load(file); };
    CHECK_ERROR(loads("/nowhere/segmenter.pt"), "/nowhere/segmenter.pt: ", "open file failed");
    const auto text = folder.write("text.pt", "this is no archive");
    CHECK_ERROR(loads(text.string()), text.string(), "failed reading zip archive");
    const auto empty = folder.write("empty.pt", "");
    CHECK_ERROR(loads(empty.string()), empty.string(), ": ");
    const std::string whole = save(folder, discs);
    REQUIRE(loads(whole));
    std::ostringstream bytes;
    bytes << std::ifstream(whole, std::ios::binary).rdbuf();
    for (const std::size_t part : {bytes.str().size() / 2, bytes.str().size() - 10}) {
        const auto cut = folder.write("cut.pt", bytes.str().substr(0, part));
        CHECK_ERROR(loads(cut.string()), cut.string(), ": ");
    }
    CHECK_ERROR(load(folder, "def other(self, x):\n    return x\n"),
                "segmenter.pt: ", "neither forward nor encode and decode");
    CHECK_ERROR(load(folder, "def forward(self, image, points):\n    return (image, points)\n"),
                "segmenter.pt: ", "forward takes 2 arguments; wanted an image, points, labels");
    CHECK_ERROR(load(folder, "def encode(self, image):\n    return image\n"
                             "def decode(self, a, b, c, d, e):\n    return a\n"),
                "segmenter.pt: ", "decode takes 5 arguments; wanted an embedding");
}

} // namespace
