// openvino_sam_files: the two files of a segmenter found, read, recognised and compiled, or a sentence that
// says what is wrong with them.
#pragma once

#include "ostend/adapt/openvino.hpp"
#include "ostend/adapt/sam_export.hpp"
#include "ostend/geometry/frames.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// A segmenter's files, compiled.
struct openvino_sam_files {
    sam_export kind = {};
    ov::CompiledModel encoder = {};
    ov::CompiledModel decoder = {};
    std::string image_name = {}; ///< the encoder's input
    index side = 1024;           ///< of the square that the encoder sees
    bool planes = true;          ///< [1, 3, height, width]; else [height, width, 3] in [0, 255]
    index mask_side = 256;       ///< of a mask prompt
    bool sized = false;          ///< the decoder takes orig_im_size
    ov::element::Type size_type = ov::element::f32; ///< of that
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The longest side of an image or a mask prompt that a file may ask for.
inline constexpr index openvino_sam_most_side = 16384;

/// The one file of a folder whose name holds a word and ends with .onnx or .xml.
[[nodiscard]] inline result<std::string> find_model_file(const std::filesystem::path& folder,
                                                         const std::string& word) {
    std::error_code failed;
    std::vector<std::string> found;
    std::filesystem::directory_iterator entry(folder, failed);
    for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
        const std::string name = entry->path().filename().string();
        const std::string kind = entry->path().extension().string();
        if ((kind == ".onnx" || kind == ".xml") && name.find(word) != std::string::npos) {
            found.push_back(entry->path().string());
        }
    }
    if (failed) {
        return error{"cannot be read: " + failed.message(), folder.string()};
    }
    if (found.size() != 1) {
        return error{"holds " + std::to_string(found.size()) + " models with '" + word +
                         "' in their name (.onnx, .xml); wanted one",
                     folder.string()};
    }
    return found.front();
}

[[nodiscard]] inline std::string shape_of(const ov::Output<ov::Node>& port) {
    return port.get_partial_shape().to_string();
}

/// The encoder's one input: an image of fixed size in planes, or of any size.
[[nodiscard]] inline status read_encoder(ov::Model& model, openvino_sam_files& files) {
    const auto inputs = openvino_names(model.inputs());
    if (inputs.size() != 1) {
        return error{"has " + std::to_string(inputs.size()) + " inputs (" + listed(inputs) +
                         "); wanted one, the image",
                     "encoder"};
    }
    const auto image = model.inputs()[0];
    const auto outputs = openvino_names(model.outputs());
    for (const std::string_view name : files.kind.embeddings) {
        if (!has_name(outputs, name)) {
            return error{"has no output '" + std::string(name) + "', which the decoder of " +
                             std::string(files.kind.name) + " takes; its outputs: " + listed(outputs),
                         "encoder"};
        }
    }
    const ov::PartialShape& shape = image.get_partial_shape();
    const bool ranked = shape.rank().is_static();
    const auto axis = [&shape](std::size_t i) { return shape[static_cast<std::ptrdiff_t>(i)]; };
    files.image_name = inputs[0];
    files.planes = ranked && shape.size() == 4 && axis(1).compatible(3);
    const bool pixels = ranked && shape.size() == 3 && axis(2).compatible(3) && !files.kind.any_size;
    if (image.get_element_type() != ov::element::f32 || !(files.planes || pixels)) {
        return error{"takes " + image.get_element_type().to_string() + " " + shape_of(image) +
                         "; wanted f32 images, [1, 3, height, width] or [height, width, 3]",
                     "encoder"};
    }
    if (files.planes && !files.kind.any_size) {
        if (axis(2).is_static() != axis(3).is_static() ||
            (axis(2).is_static() && axis(2).get_length() != axis(3).get_length())) {
            return error{"takes images of " + shape_of(image) + "; wanted a square", "encoder"};
        }
        files.side = axis(2).is_static() ? axis(2).get_length() : files.side;
        if (files.side < 1 || files.side > openvino_sam_most_side) {
            return error{"takes images of " + shape_of(image) + "; wanted sides of 1 to " +
                             std::to_string(openvino_sam_most_side),
                         "encoder"};
        }
    }
    return success{};
}

/// The decoder's inputs, against the encoder's outputs. Outputs that are not read are cut off.
[[nodiscard]] inline status read_decoder(ov::Model& model, ov::Model& encoder, openvino_sam_files& files) {
    for (const auto& port : model.inputs()) {
        const std::string name = port.get_any_name();
        if (name == "orig_im_size") {
            files.sized = true;
            files.size_type = port.get_element_type();
            if (files.size_type != ov::element::f32 && files.size_type != ov::element::i64 &&
                files.size_type != ov::element::i32) {
                return error{"takes the image's size as " + files.size_type.to_string(), "decoder: " + name};
            }
        } else if (port.get_element_type() != ov::element::f32) {
            return error{"takes " + port.get_element_type().to_string() + "; wanted f32", "decoder: " + name};
        }
        if (name == "mask_input" && port.get_partial_shape().rank().is_static() &&
            port.get_partial_shape().size() == 4 && port.get_partial_shape()[3].is_static()) {
            files.mask_side = port.get_partial_shape()[3].get_length();
            if (files.mask_side < 1 || files.mask_side > openvino_sam_most_side) {
                return error{"takes masks of " + shape_of(port) + "; wanted sides of 1 to " +
                                 std::to_string(openvino_sam_most_side),
                             "decoder: " + name};
            }
        }
        for (const std::string_view embedding : files.kind.embeddings) {
            if (name == embedding) {
                const auto given = encoder.output(name);
                if (!given.get_partial_shape().compatible(port.get_partial_shape())) {
                    return error{"takes " + shape_of(port) + ", but the encoder gives " + shape_of(given),
                                 "decoder: " + name};
                }
            }
        }
    }
    for (const auto& result : ov::ResultVector(model.get_results())) {
        const auto& names = result->output(0).get_names();
        if (names.count(std::string(files.kind.masks)) + names.count("iou_predictions") == 0) {
            model.remove_result(result);
        }
    }
    return success{};
}

} // namespace detail

/// Reads, recognises and compiles an encoder and a decoder. Errors name the file, or the part that does not
/// fit.
[[nodiscard]] inline result<openvino_sam_files> load_openvino_sam(const std::string& encoder_file,
                                                                  const std::string& decoder_file,
                                                                  const std::string& device,
                                                                  const ov::AnyMap& properties) {
    auto core = openvino_result([] { return std::make_shared<ov::Core>(); });
    if (!core) {
        return core.error();
    }
    const auto encoder = read_openvino_model(**core, encoder_file);
    if (!encoder) {
        return encoder.error();
    }
    const auto decoder = read_openvino_model(**core, decoder_file);
    if (!decoder) {
        return decoder.error();
    }
    const auto kind =
        recognise_sam(openvino_names((*decoder)->inputs()), openvino_names((*decoder)->outputs()));
    if (!kind) {
        return kind.error().in(decoder_file);
    }
    openvino_sam_files files{.kind = *kind};
    if (const status good = detail::read_encoder(**encoder, files); !good) {
        return good.error().in(encoder_file);
    }
    if (const status good = detail::read_decoder(**decoder, **encoder, files); !good) {
        return good.error().in(decoder_file);
    }
    const auto compiled = openvino_result([&] {
        files.encoder = (*core)->compile_model(*encoder, device, properties);
        files.decoder = (*core)->compile_model(*decoder, device, properties);
        return true;
    });
    if (!compiled) {
        return compiled.error();
    }
    return files;
}

} // namespace ostend::inline OSTEND_KERNELS
