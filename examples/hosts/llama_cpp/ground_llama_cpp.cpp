// ground_llama_cpp: ostend_ground on llama.cpp: any LLaVA in two GGUF files, the same report.
#include "llama_cpp/llama_cpp_host.hpp"

#include "ground/ground_files.hpp"
#include "io/files.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/report/html.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

namespace {

int fail(const ostend::error& e) {
    std::fprintf(stderr, "ground_llama_cpp: %s\n", e.message().c_str());
    return 1;
}

// The maps of all tokens, for those who compare hosts: [tokens, image tokens], row by row.
ostend::result<ostend_tools::json> maps_to_json(const ostend::recorder& attention) {
    const auto maps = attention.maps();
    if (!maps) {
        return maps.error();
    }
    ostend_tools::json rows = ostend_tools::json::array();
    for (ostend::index t = 0; t < maps->rows(); ++t) {
        rows.push_back(std::vector<float>(maps->row(t).begin(), maps->row(t).end()));
    }
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Grounds every noun phrase that a LLaVA says about an image, on llama.cpp: report.html, overlay\n"
        "PNGs, grounding.json, and maps.json with the attention of every token."};
    ostend_hosts::llama_cpp_options files;
    ostend::ground_options options;
    std::string image_file;
    std::string out_dir;
    std::string text;
    std::string preset_name = "ostend";
    std::string flash = "on";
    std::string cache = "f16";
    bool check_layout = false;
    bool deferred = false;
    const std::map<std::string, ggml_type> types{{"f32", GGML_TYPE_F32},
                                                 {"f16", GGML_TYPE_F16},
                                                 {"bf16", GGML_TYPE_BF16},
                                                 {"q8_0", GGML_TYPE_Q8_0},
                                                 {"q4_0", GGML_TYPE_Q4_0}};
    app.add_option("--model", files.model, "language model, GGUF")->required();
    app.add_option("--mmproj", files.mmproj, "its vision tower and projector, GGUF")->required();
    app.add_option("--image", image_file, "image file: PNG, JPEG, BMP, TGA, GIF or PNM, of any shape")
        ->required();
    app.add_option("--out", out_dir, "folder to write; made if missing")->required();
    app.add_option(
        "--prompt", options.request.prompt,
        "what to ask, <image> where the picture goes; else the prompt that the model file names, or "
        "LLaVA-1.5's");
    auto* forced = app.add_option("--text", text, "ground this text instead of a generated answer");
    app.add_option("--preset", preset_name,
                   "conventions: ostend, paper, groundlmm_de8b74d, groundlmm_b77f889")
        ->capture_default_str();
    app.add_option("--max-tokens", options.request.max_tokens, "longest answer, in tokens")
        ->capture_default_str()
        ->check(CLI::Range(1, 400));
    app.add_option("--flash-attn", flash, "llama.cpp's fused attention")
        ->capture_default_str()
        ->check(CLI::IsMember({"on", "off"}));
    app.add_option("--cache-type-k", cache, "type of the cached keys: f32, f16, bf16, q8_0, q4_0")
        ->capture_default_str()
        ->check(CLI::IsMember(types));
    app.add_flag("--deferred", deferred, "keep the queries and read the keys once at the end");
    app.add_option("--gpu-layers", files.gpu_layers,
                   "layers whose work and keys a device has, if llama.cpp knows one")
        ->capture_default_str()
        ->check(CLI::Range(0, 512));
    app.add_option("--threads", files.threads, "0: as many as the processor has")
        ->capture_default_str()
        ->check(CLI::Range(0, 256));
    app.add_flag("--check-layout", check_layout, ostend_tools::check_layout_help);
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);
    files.flash_attention = flash == "on";
    files.key_type = types.at(cache);
    options.request.recording.mode = deferred ? ostend::recording::deferred : ostend::recording::online;
    if (forced->count() > 0) {
        options.request.text = text;
    }
    const std::string report_file = (std::filesystem::path(out_dir) / "report.html").string();
    if (const auto good = ostend_tools::check_arguments(out_dir, options.request.text); !good) {
        return fail(good.error());
    }
    const auto preset = ostend::find_preset(preset_name);
    if (!preset) {
        return fail(preset.error());
    }
    options.conventions = *preset;
    const auto image = ostend_tools::read_image(image_file);
    if (!image) {
        return fail(image.error());
    }

    auto lmm = ostend_hosts::llama_cpp_host::load(files);
    if (!lmm) {
        return fail(lmm.error());
    }
    if (!lmm->met().empty()) {
        std::fprintf(stderr, "vision tower: %s\n", lmm->met().c_str());
    }
    if (check_layout) {
        const auto right =
            ostend_tools::report_layout(lmm->check_layout({image->width, image->height}), files.mmproj);
        if (!right) {
            return fail(right.error());
        }
    }
    ostend::graph_cut_segmenter segmenter;
    const auto found = ostend::ground(image->view(), *lmm, segmenter, options);
    if (!found) {
        return fail(found.error());
    }

    ostend::page page{.title = "Which pixels does each phrase mean?",
                      .made_with = "llama.cpp, " + files.model + ", preset " + preset->name +
                                   ", built-in graph-cut segmenter"};
    page.images.push_back(ostend_tools::grounding_to_page(*found, image_file, image->view()));
    const auto html = ostend::html_page(page, ostend_tools::picture_to_png);
    const auto maps = maps_to_json(found->attention);
    if (!html || !maps) {
        return fail(!html ? html.error() : maps.error());
    }
    ostend_tools::output_files outputs(out_dir);
    if (const auto added = ostend_tools::add_grounding(
            outputs, "", *found, {image_file, files.model, "built-in graph cut", options}, image->view());
        !added) {
        return fail(added.error());
    }
    outputs.add("maps.json", ostend_tools::dump_json(*maps));
    outputs.add("report.html", *html);
    if (const auto written = outputs.write(); !written) {
        return fail(written.error());
    }
    std::printf("%sreport: %s\n", ostend_tools::grounding_text(*found).c_str(), report_file.c_str());
    return 0;
}
