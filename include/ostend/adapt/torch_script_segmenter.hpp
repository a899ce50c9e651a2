// torch_script_segmenter: a segmenter of ostend's concept that runs a TorchScript file.
//
//     auto segmenter = ostend::torch_script_segmenter::load("segmenter.pt");
//     auto found = ostend::ground(image, lmm, *segmenter);
//
// The file's module has forward(image, points, labels, mask), or encode(image) and decode(embedding, points,
// labels, mask), so that an image is encoded once for all its prompts:
//
//     image   [1, 3, H, W]  f32, RGB, (value - mean) / deviation; H = W = side, the image in the upper left
//     with
//                           zeros to the right and below, or the image's own size where side is 0
//     points  [1, n, 2]     f32, x and y by pixel index of that image (the first pixel's centre is 0); n may
//     be 0 labels  [1, n]        f32: 1 on the object, 0 off it, 2 and 3 the corners of a box mask    [1, 1,
//     s, s]  f32 logits over the same square, or None; a module may do without this argument gives   ([1, m,
//     h, w], [1, m])  f32 mask logits over the square, of any size (of the image's own where side
//                           is 0), and scores; m >= 1
//
// TorchScript is a program: load files of people whom you trust.
#pragma once

#include "ostend/adapt/sam_inputs.hpp"
#include "ostend/adapt/torch.hpp"
#include "ostend/host/check_prompt.hpp"
#include "ostend/host/segmenter.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/from_sam_logits.hpp"

#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct torch_script_segmenter_options {
    index side = 1024;       ///< of the square that the image is fitted into; 0: the image stays as it is
    pixel_scale scale = {};  ///< SAM's mean and deviation
    index mask_side = 256;   ///< s, of the mask prompt
    bool mask_prompt = true; ///< false: a prompt's mask is kept from the module
    logits_options logits = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Models the segmenter concept. One thread at a time, as torch wants it for a module.
class torch_script_segmenter {
public:
    /// Errors name the file: one that cannot be read or is no TorchScript, a module without the methods or
    /// with other arguments. Preconditions: side >= 0, mask_side >= 1.
    [[nodiscard]] static result<torch_script_segmenter> load(const std::string& file,
                                                             torch_script_segmenter_options options = {}) {
        OSTEND_EXPECTS(options.side >= 0 && options.mask_side >= 1,
                       "torch_script_segmenter: side " + std::to_string(options.side) + ", mask_side " +
                           std::to_string(options.mask_side));
        auto module = torch_result([&] {
            auto read = torch::jit::load(file, at::kCPU);
            read.eval();
            return read;
        });
        if (!module) {
            return error{module.error().what, file};
        }
        torch_script_segmenter out(*std::move(module), std::move(options));
        if (const status good = out.find_methods(); !good) {
            return good.error().in(file);
        }
        return out;
    }

    /// The candidates of each prompt in the module's order, with its scores. Errors name the prompt: an image
    /// that is empty, not RGB or too narrow for the square; a prompt that says nothing or contradicts itself;
    /// a mask of another side; what the module throws; outputs of another form, with a NaN, or without a
    /// mask.
    [[nodiscard]] result<std::vector<std::vector<mask_candidate>>> segment(const image_view& image,
                                                                           std::span<const prompt> prompts) {
        if (image.empty() || image.extent(2) != 3) {
            return error{"the image has " + std::to_string(image.extent(0)) + " x " +
                             std::to_string(image.extent(1)) + " pixels of " +
                             std::to_string(image.extent(2)) + " channels; wanted at least one, of 3",
                         "image"};
        }
        const image_size size{.width = image.extent(1), .height = image.extent(0)};
        if (const auto pixels = mask_pixels(size.height, size.width); !pixels) {
            return pixels.error().in("image");
        }
        const sam_frame frame = frame_of(size);
        if (frame.resized.width < 1 || frame.resized.height < 1) {
            return error{"too narrow: nothing is left of its shorter side when the longer has " +
                             std::to_string(frame.side) + " pixels",
                         "image"};
        }
        const image_size canvas = options_.side == 0 ? size : image_size{frame.side, frame.side};
        std::vector<float> planes = sam_image(image, frame.resized, canvas, options_.scale);
        const tensor_view<float, 4> view(planes.data(), {1, 3, canvas.height, canvas.width});
        at::IValue seen = to_torch(view);
        if (encodes_ && !prompts.empty()) {
            auto encoded = run("encode", {std::move(seen)});
            if (!encoded) {
                return encoded.error().in("encode");
            }
            seen = *std::move(encoded);
        }
        std::vector<std::vector<mask_candidate>> all;
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            auto found = answer(seen, prompts[i], frame);
            if (!found) {
                return found.error().in("prompts[" + std::to_string(i) + "]");
            }
            all.push_back(*std::move(found));
        }
        return all;
    }

    [[nodiscard]] const torch_script_segmenter_options& options() const noexcept { return options_; }

private:
    torch_script_segmenter(torch::jit::Module module, torch_script_segmenter_options options)
        : module_(std::move(module)), options_(std::move(options)) {}

    [[nodiscard]] status find_methods() {
        const auto decode = module_.find_method("decode");
        encodes_ = decode && module_.find_method("encode");
        const auto method = encodes_ ? decode : module_.find_method("forward");
        if (!method) {
            return error{"the module has neither forward nor encode and decode"};
        }
        const auto& arguments = method->function().getSchema().arguments(); // the first is the module itself
        if (arguments.size() != 4 && arguments.size() != 5) {
            return error{method->name() + " takes " + std::to_string(arguments.size() - 1) +
                         " arguments; wanted " + (encodes_ ? "an embedding" : "an image") +
                         ", points, labels and, if it likes, a mask"};
        }
        takes_mask_ = arguments.size() == 5;
        return success{};
    }

    [[nodiscard]] sam_frame frame_of(image_size size) const {
        return options_.side == 0 ? sam_frame{size, size, std::max(size.width, size.height)}
                                  : make_sam_frame(size, options_.side);
    }

    [[nodiscard]] result<at::IValue> run(const char* method, std::vector<at::IValue> inputs) {
        return torch_result([&] {
            const c10::InferenceMode no_grad;
            return module_.get_method(method)(std::move(inputs));
        });
    }

    [[nodiscard]] result<std::vector<mask_candidate>> answer(const at::IValue& seen, const prompt& asked,
                                                             const sam_frame& frame) {
        if (const status good = detail::check_prompt(asked, frame.original); !good) {
            return good.error();
        }
        const bool with_mask = asked.mask && takes_mask_ && options_.mask_prompt;
        if (!with_mask && asked.points.empty() && !asked.box) {
            return error{"there is nothing but a mask, which is not given to the module"};
        }
        sam_points points = make_sam_points(asked, frame, false);
        const auto count = static_cast<index>(points.labels.size());
        std::vector<at::IValue> inputs{
            seen, to_torch(tensor_view<float, 3>(points.coordinates.data(), {1, count, 2})),
            to_torch(tensor_view<float, 2>(points.labels.data(), {1, count}))};
        matrix<float> mask;
        if (with_mask) {
            mask = sam_mask_input(*asked.mask, options_.side == 0);
            if (mask.rows() != options_.mask_side || mask.columns() != options_.mask_side) {
                return error{"logits of " + std::to_string(mask.columns()) + " x " +
                                 std::to_string(mask.rows()) + "; the module wants " +
                                 std::to_string(options_.mask_side) + " x " +
                                 std::to_string(options_.mask_side),
                             "mask"};
            }
            inputs.emplace_back(
                to_torch(tensor_view<float, 4>(mask.values().data(), {1, 1, mask.rows(), mask.columns()})));
        } else if (takes_mask_) {
            inputs.emplace_back();
        }
        const auto given = run(encodes_ ? "decode" : "forward", std::move(inputs));
        if (!given) {
            return given.error();
        }
        return read_candidates(*given, frame);
    }

    [[nodiscard]] result<std::vector<mask_candidate>> read_candidates(const at::IValue& given,
                                                                      const sam_frame& frame) const {
        const bool pair = given.isTuple() && given.toTupleRef().elements().size() == 2 &&
                          given.toTupleRef().elements()[0].isTensor() &&
                          given.toTupleRef().elements()[1].isTensor();
        if (!pair) {
            return error{"gives " + given.type()->str() + "; wanted masks and scores, a tuple of two tensors",
                         "output"};
        }
        const at::Tensor& masks = given.toTupleRef().elements()[0].toTensor();
        const at::Tensor& rated = given.toTupleRef().elements()[1].toTensor();
        const auto logits = from_torch<float, 4>(masks);
        const auto scores = from_torch<float, 2>(rated);
        if (!logits || !scores) {
            return logits ? scores.error().in("scores") : logits.error().in("masks");
        }
        const index count = logits->extent(1);
        if (logits->extent(0) != 1 || scores->extent(0) != 1 || count < 1 || scores->extent(1) != count) {
            return error{"masks " + torch_shape_text(masks.sizes()) + " and scores " +
                             torch_shape_text(rated.sizes()) + "; wanted [1, m, h, w] and [1, m]",
                         "output"};
        }
        const image_size size = frame.original;
        const image_size low{.width = logits->extent(3), .height = logits->extent(2)};
        if (options_.side == 0 ? !(low == size)
                               : logits->empty() || std::max(low.width, low.height) > 2 * frame.side) {
            return error{"masks of " + std::to_string(low.width) + " x " + std::to_string(low.height) +
                             (options_.side == 0 ? " for an image of " + std::to_string(size.width) + " x " +
                                                       std::to_string(size.height)
                                                 : " over a square of " + std::to_string(frame.side) +
                                                       "; wanted at most twice its side"),
                         "output"};
        }
        std::vector<mask_candidate> out;
        for (index k = 0; k < count; ++k) {
            const float score = scores->load(0, k);
            if (std::isnan(score)) {
                return error{"a NaN", "scores", static_cast<std::size_t>(k)};
            }
            const tensor_view<const float, 2> one = (*logits)[0][k];
            for (index y = 0; y < low.height; ++y) {
                for (index x = 0; x < low.width; ++x) {
                    if (std::isnan(one.load(y, x))) {
                        return error{"a NaN", "masks",
                                     static_cast<std::size_t>((k * low.height + y) * low.width + x)};
                    }
                }
            }
            logits_mask found = options_.side == 0 ? from_logits(one, options_.logits)
                                                   : from_sam_logits(one, frame, options_.logits);
            out.push_back({std::move(found.mask), score});
        }
        return out;
    }

    torch::jit::Module module_;
    torch_script_segmenter_options options_;
    bool encodes_ = false;
    bool takes_mask_ = false;
};

} // namespace ostend::inline OSTEND_KERNELS
