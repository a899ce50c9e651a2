// openvino_sam: a segmenter of ostend's concept that runs SAM's two ONNX files on OpenVINO.
//
//     auto sam = ostend::openvino_sam::load("models/tiny-sam");
//     auto found = ostend::ground(image, lmm, *sam);
//
// SAM, MobileSAM, EfficientSAM and SAM2 are told apart by their names (sam_export.hpp). Masks come from the
// low-resolution logits where the file gives them: the decoder's own enlargement is cut off, not computed.
#pragma once

#include "ostend/adapt/openvino_sam_files.hpp"
#include "ostend/adapt/sam_inputs.hpp"
#include "ostend/adapt/sam_segment.hpp"
#include "ostend/mask/from_sam_logits.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct openvino_sam_options {
    std::string device = "CPU";
    /// Of compile_model. In f32 the masks are the same on every processor; without, some compute in bf16.
    ov::AnyMap properties = {ov::hint::inference_precision(ov::element::f32)};
    sam_rule rule = sam_rule::predicted_iou; ///< what a candidate's score is
    bool mask_prompt =
        true; ///< false: a prompt's mask is kept from the decoder; attention_mass reads it still
    logits_options logits = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Models the segmenter concept. One thread at a time: a segmenter keeps the requests that it runs.
class openvino_sam {
public:
    /// Reads a folder with one encoder and one decoder (*encoder*.onnx, *decoder*.onnx; .xml too).
    /// Errors: a folder with none or several, and those of load_openvino_sam.
    [[nodiscard]] static result<openvino_sam> load(const std::filesystem::path& folder,
                                                   openvino_sam_options options = {}) {
        const auto encoder = detail::find_model_file(folder, "encoder");
        if (!encoder) {
            return encoder.error();
        }
        const auto decoder = detail::find_model_file(folder, "decoder");
        if (!decoder) {
            return decoder.error();
        }
        return load(*encoder, *decoder, std::move(options));
    }
    [[nodiscard]] static result<openvino_sam> load(const std::string& encoder_file,
                                                   const std::string& decoder_file,
                                                   openvino_sam_options options = {}) {
        auto files = load_openvino_sam(encoder_file, decoder_file, options.device, options.properties);
        if (!files) {
            return files.error();
        }
        return openvino_result([&] { return openvino_sam(*std::move(files), std::move(options)); });
    }

    /// The candidates of each prompt in the decoder's order, their score by options.rule. A decoder that
    /// gives SAM's four masks is asked as SAM's predictor asks it: the last three for up to two points (a
    /// padding point or a box's corners counted), the first alone for more. Errors name the prompt: an image
    /// that is empty, not RGB or too narrow for the square; a prompt that says nothing or contradicts itself;
    /// mask logits of another side than the decoder's; attention_mass without a mask; masks that the decoder
    /// gives in a size that fits nothing; what OpenVINO says.
    [[nodiscard]] result<std::vector<std::vector<mask_candidate>>> segment(const image_view& image,
                                                                           std::span<const prompt> prompts) {
        auto proposals = propose(image, prompts);
        if (!proposals) {
            return proposals.error();
        }
        return sam_candidates(options_.rule, *std::move(proposals), prompts);
    }

    /// What segment() scores, for those who compare rules (sam_candidates). Errors as segment's.
    [[nodiscard]] result<std::vector<std::vector<sam_proposal>>> propose(const image_view& image,
                                                                         std::span<const prompt> prompts) {
        const sam_asking how{.rule = options_.rule,
                             .mask_input = files_.kind.mask_input,
                             .mask_prompt = options_.mask_prompt,
                             .mask_side = files_.mask_side,
                             .name = files_.kind.name};
        const auto encoded = [&](const sam_frame& frame) -> status {
            const auto seen = openvino_result([&] { return encode(image, frame); });
            return seen ? status(success{}) : status(seen.error());
        };
        const auto decoded = [this](const prompt& asked,
                                    const sam_frame& frame) -> result<std::vector<sam_proposal>> {
            auto found = openvino_result([&] { return decode(asked, frame); });
            if (!found) {
                return found.error();
            }
            return *std::move(found);
        };
        return sam_proposals(
            image, prompts, how, [this](image_size size) { return frame_of(size); }, encoded, decoded);
    }

    [[nodiscard]] const sam_export& kind() const noexcept { return files_.kind; }
    [[nodiscard]] const openvino_sam_options& options() const noexcept { return options_; }
    /// Another rule or prompt for what comes; device and properties stay as they were.
    void set(sam_rule rule, bool mask_prompt) {
        options_.rule = rule;
        options_.mask_prompt = mask_prompt;
    }

private:
    openvino_sam(openvino_sam_files files, openvino_sam_options options)
        : files_(std::move(files)), options_(std::move(options)),
          encoder_(files_.encoder.create_infer_request()), decoder_(files_.decoder.create_infer_request()) {}

    [[nodiscard]] sam_frame frame_of(image_size size) const {
        if (files_.kind.stretched || files_.kind.any_size) {
            return {size, {files_.side, files_.side}, files_.side};
        }
        return make_sam_frame(size, files_.side);
    }

    bool encode(const image_view& image, const sam_frame& frame) {
        const image_size original = frame.original;
        const pixel_scale unscaled{.mean = {0, 0, 0}, .deviation = {1, 1, 1}};
        const pixel_scale unit{.mean = {0, 0, 0}, .deviation = {255, 255, 255}};
        const pixel_scale scale = !files_.planes ? unscaled : files_.kind.scaled ? pixel_scale{} : unit;
        const image_size seen = files_.kind.any_size ? original : frame.resized;
        const image_size canvas =
            files_.kind.any_size || !files_.planes ? seen : image_size{frame.side, frame.side};
        const std::vector<float> planes = sam_image(image, seen, canvas, scale);
        const tensor_view<const float, 4> view(planes.data(), {1, 3, canvas.height, canvas.width});
        encoder_.set_tensor(files_.image_name, files_.planes ? to_openvino(view)
                                                             : copy_to_openvino(view[0].permuted({1, 2, 0})));
        encoder_.infer();
        for (const std::string_view name : files_.kind.embeddings) {
            decoder_.set_tensor(std::string(name), encoder_.get_tensor(std::string(name)));
        }
        set_size(original);
        return true;
    }

    /// orig_im_size, where the decoder has it.
    void set_size(image_size original) {
        if (!files_.sized) {
            return;
        }
        ov::Tensor size(files_.size_type, {2});
        const std::array<index, 2> sides{original.height, original.width};
        for (std::size_t i = 0; i < 2; ++i) {
            if (files_.size_type == ov::element::f32) {
                size.data<float>()[i] = static_cast<float>(sides[i]);
            } else if (files_.size_type == ov::element::i64) {
                size.data<std::int64_t>()[i] = sides[i];
            } else {
                size.data<std::int32_t>()[i] = static_cast<std::int32_t>(sides[i]);
            }
        }
        decoder_.set_tensor("orig_im_size", size);
    }

    [[nodiscard]] result<std::vector<sam_proposal>> decode(const prompt& asked, const sam_frame& frame) {
        const sam_export& kind = files_.kind;
        const bool nothing = asked.points.empty() && !asked.box;
        sam_points points = make_sam_points(asked, frame, kind.padding_point || nothing);
        const std::size_t count = points.labels.size();
        ov::Shape shape{1, count, 2};
        if (kind.any_size) { // a query axis, and coordinates of the image as it is
            shape = {1, 1, count, 2};
            for (std::size_t i = 0; i < count; ++i) {
                points.coordinates[2 * i] *=
                    static_cast<float>(frame.original.width) / static_cast<float>(frame.side);
                points.coordinates[2 * i + 1] *=
                    static_cast<float>(frame.original.height) / static_cast<float>(frame.side);
            }
        }
        decoder_.set_tensor(std::string(kind.points),
                            ov::Tensor(ov::element::f32, shape, points.coordinates.data()));
        shape.pop_back();
        decoder_.set_tensor(std::string(kind.labels),
                            ov::Tensor(ov::element::f32, shape, points.labels.data()));
        const bool with_mask = kind.mask_input && options_.mask_prompt && asked.mask.has_value();
        matrix<float> mask;
        float has_mask = with_mask ? 1.0F : 0.0F;
        if (kind.mask_input) {
            mask = with_mask ? sam_mask_input(*asked.mask, kind.stretched)
                             : matrix<float>(files_.mask_side, files_.mask_side);
            const auto side = static_cast<std::size_t>(files_.mask_side);
            decoder_.set_tensor("mask_input",
                                ov::Tensor(ov::element::f32, {1, 1, side, side}, mask.values().data()));
            decoder_.set_tensor("has_mask_input", ov::Tensor(ov::element::f32, {1}, &has_mask));
        }
        decoder_.infer();
        return read_candidates(frame, count);
    }

    [[nodiscard]] result<std::vector<sam_proposal>> read_candidates(const sam_frame& frame,
                                                                    std::size_t points) {
        const ov::Tensor masks = decoder_.get_tensor(std::string(files_.kind.masks));
        const ov::Tensor predicted = decoder_.get_tensor("iou_predictions");
        const ov::Shape& shape = masks.get_shape();
        if (masks.get_element_type() != ov::element::f32 ||
            predicted.get_element_type() != ov::element::f32 || shape.size() < 3 || masks.get_size() == 0 ||
            masks.get_size() / (shape.rbegin()[0] * shape.rbegin()[1]) != predicted.get_size()) {
            return error{"gives masks " + masks.get_element_type().to_string() + " " +
                             openvino_shape_text(shape) + " and IoU " +
                             predicted.get_element_type().to_string() + " " +
                             openvino_shape_text(predicted.get_shape()),
                         "decoder"};
        }
        const tensor_view<const float, 3> logits(masks.data<float>(),
                                                 {static_cast<index>(predicted.get_size()),
                                                  static_cast<index>(shape.rbegin()[1]),
                                                  static_cast<index>(shape.rbegin()[0])});
        const index given = logits.extent(0);
        const index first = given == 4 && points <= 2 ? 1 : 0;
        const index end = given == 4 && points > 2 ? 1 : given;
        const image_size size = frame.original;
        const bool own_size =
            files_.kind.any_size ||
            (logits.extent(1) == size.height && logits.extent(2) == size.width && files_.kind.stretched);
        if (!own_size && std::max(logits.extent(1), logits.extent(2)) > 2 * frame.side) {
            return error{"gives masks of " + std::to_string(logits.extent(2)) + " x " +
                             std::to_string(logits.extent(1)) + " over a square of " +
                             std::to_string(frame.side) + "; wanted at most twice its side",
                         "decoder"};
        }
        std::vector<sam_proposal> out;
        for (index k = first; k < end; ++k) {
            if (own_size && (logits.extent(1) != size.height || logits.extent(2) != size.width)) {
                return error{"gives masks of " + std::to_string(logits.extent(2)) + " x " +
                                 std::to_string(logits.extent(1)) + " for an image of " +
                                 std::to_string(size.width) + " x " + std::to_string(size.height),
                             "decoder"};
            }
            out.push_back({own_size ? from_logits(logits[k], options_.logits)
                                    : from_sam_logits(logits[k], frame, options_.logits),
                           predicted.data<float>()[k]});
        }
        return out;
    }

    openvino_sam_files files_;
    openvino_sam_options options_;
    ov::InferRequest encoder_;
    ov::InferRequest decoder_;
};

} // namespace ostend::inline OSTEND_KERNELS
