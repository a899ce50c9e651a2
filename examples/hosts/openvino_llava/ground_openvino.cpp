// ground_openvino: ostend_ground on OpenVINO: the same folder of a model, the same report.
#include "openvino_llava/openvino_llava.hpp"

#include "ground/ground_files.hpp"
#include "io/files.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/report/html.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

namespace {

int fail(const ostend::error& e) {
    std::fprintf(stderr, "ground_openvino: %s\n", e.message().c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Grounds every noun phrase that a small LLaVA says about an image, on OpenVINO: "
                 "report.html, overlay\n"
                 "PNGs and grounding.json."};
    ostend_hosts::openvino_llava_options engine;
    ostend::ground_options options;
    std::string model_dir;
    std::string image_file;
    std::string out_dir;
    std::string text;
    std::string preset_name = "ostend";
    std::string keys = "states";
    int threads = 0;
    bool check_layout = false;
    app.add_option("--model", model_dir, "folder of the model: config.json, model.safetensors, ...")
        ->required();
    app.add_option("--image", image_file, "image file: PNG, JPEG, BMP, TGA, GIF or PNM, of any shape")
        ->required();
    app.add_option("--out", out_dir, "folder to write; made if missing")->required();
    app.add_option("--prompt", options.request.prompt, "what to ask instead of the model's own prompt");
    auto* forced = app.add_option("--text", text, "ground this text instead of a generated answer");
    app.add_option("--preset", preset_name,
                   "conventions: ostend, paper, groundlmm_de8b74d, groundlmm_b77f889")
        ->capture_default_str();
    app.add_option("--max-tokens", options.request.max_tokens, "longest answer, in tokens")
        ->capture_default_str()
        ->check(CLI::Range(1, 400));
    app.add_option("--keys", keys,
                   "where keys are read: states (once, the fused attention stays) or outputs (in each run)")
        ->capture_default_str()
        ->check(CLI::IsMember({"states", "outputs"}));
    app.add_option("--threads", threads, "0: as OpenVINO chooses")
        ->capture_default_str()
        ->check(CLI::Range(0, 256));
    app.add_flag("--check-layout", check_layout, ostend_tools::check_layout_help);
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);
    engine.keys = keys == "states" ? ostend::openvino_keys::states : ostend::openvino_keys::outputs;
    if (threads > 0) {
        engine.properties.insert(ov::inference_num_threads(threads));
    }
    if (forced->count() > 0) {
        options.request.text = text;
    }
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

    auto lmm = ostend_hosts::openvino_llava::load(model_dir, engine);
    if (!lmm) {
        return fail(lmm.error());
    }
    if (check_layout) {
        const auto right =
            ostend_tools::report_layout(lmm->check_layout({image->width, image->height}), model_dir);
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
                      .made_with = "OpenVINO, " + model_dir + ", preset " + preset->name +
                                   ", built-in graph-cut segmenter"};
    page.images.push_back(ostend_tools::grounding_to_page(*found, image_file, image->view()));
    const auto html = ostend::html_page(page, ostend_tools::picture_to_png);
    if (!html) {
        return fail(html.error());
    }
    ostend_tools::output_files outputs(out_dir);
    if (const auto added = ostend_tools::add_grounding(
            outputs, "", *found, {image_file, model_dir, "built-in graph cut", options}, image->view());
        !added) {
        return fail(added.error());
    }
    outputs.add("report.html", *html);
    if (const auto written = outputs.write(); !written) {
        return fail(written.error());
    }
    std::printf("%sreport: %s\n", ostend_tools::grounding_text(*found).c_str(),
                (std::filesystem::path(out_dir) / "report.html").string().c_str());
    return 0;
}
