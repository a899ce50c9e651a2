// openvino_sam: an LMM on one engine, a segmenter on another: a small LLaVA on Eigen says what an image shows
// and where it looked, SAM's ONNX files on OpenVINO make masks of its points.
#include "ostend/adapt/openvino_sam.hpp"
#include "ground/ground_files.hpp"
#include "io/files.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/report/html.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

int fail(const ostend::error& e) {
    std::fprintf(stderr, "openvino_sam: %s\n", e.message().c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Grounds every noun phrase that a model says about images, with a segmenter in SAM's ONNX form:\n"
        "report.html, and for each image a folder with overlay PNGs and grounding.json."};
    std::string model_dir;
    std::string segmenter_dir;
    std::vector<std::string> image_files;
    std::string out_dir;
    std::string rule_name = "predicted_iou";
    bool no_prior = false;
    bool check_layout = false;
    ostend::ground_options options;
    app.add_option("--model", model_dir, "folder of the language model")->required();
    app.add_option("--segmenter", segmenter_dir, "folder with *encoder*.onnx and *decoder*.onnx")->required();
    app.add_option("--image", image_files, "image files: PNG, JPEG, BMP, TGA, GIF or PNM")->required();
    app.add_option("--out", out_dir, "folder to write; made if missing")->required();
    app.add_option("--prompt", options.request.prompt, "what to ask instead of the model's own prompt");
    app.add_option("--rule", rule_name,
                   "which candidate mask: predicted_iou, stability, last or attention_mass")
        ->capture_default_str();
    app.add_flag("--no-prior", no_prior,
                 "give the segmenter the point alone, without the map as mask prompt");
    app.add_flag("--check-layout", check_layout, ostend_tools::check_layout_help);
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);

    // What cannot be written is said before the work, not after it.
    const std::filesystem::path out(out_dir);
    if (const auto good = ostend_tools::check_arguments(out_dir, std::nullopt); !good) {
        return fail(good.error());
    }
    const auto rule = ostend::find_sam_rule(rule_name);
    if (!rule) {
        return fail(rule.error());
    }
    auto lmm = ostend_hosts::tiny_llava::load(model_dir);
    if (!lmm) {
        return fail(lmm.error());
    }
    auto segmenter = ostend::openvino_sam::load(segmenter_dir, {.rule = *rule, .mask_prompt = !no_prior});
    if (!segmenter) {
        return fail(segmenter.error());
    }
    std::fprintf(stderr, "segmenter: %s\n", std::string(segmenter->kind().name).c_str());

    std::vector<ostend_tools::rgb_image> images; // the page refers to them
    for (const std::string& file : image_files) {
        auto image = ostend_tools::read_image(file);
        if (!image) {
            return fail(image.error());
        }
        if (check_layout) {
            const auto right =
                ostend_tools::report_layout(lmm->check_layout({image->width, image->height}), file);
            if (!right) {
                return fail(right.error());
            }
        }
        images.push_back(*std::move(image));
    }
    ostend::page page{.title = "Which pixels does each phrase mean?",
                      .made_with = model_dir + ", " + segmenter_dir + " on OpenVINO (" +
                                   std::string(segmenter->kind().name) + ", " + rule_name +
                                   (no_prior ? ", points alone)" : ", points and maps)")};
    ostend::ground_options used = options; // the map goes no further than the segmenter with --no-prior
    used.map_as_prior = !no_prior;
    ostend_tools::output_files files(out);
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto found = ostend::ground(images[i].view(), *lmm, *segmenter, options);
        if (!found) {
            return fail(found.error().in(image_files[i]));
        }
        const std::string folder =
            std::to_string(i + 1) + "-" + std::filesystem::path(image_files[i]).stem().string() + "/";
        const auto added = ostend_tools::add_grounding(
            files, folder, *found, {image_files[i], model_dir, segmenter_dir + ", " + rule_name, used},
            images[i].view());
        if (!added) {
            return fail(added.error().in(image_files[i]));
        }
        page.images.push_back(ostend_tools::grounding_to_page(*found, image_files[i], images[i].view()));
        std::printf("%s: %s", image_files[i].c_str(), ostend_tools::grounding_text(*found).c_str());
    }
    auto html = ostend::html_page(page, ostend_tools::picture_to_png);
    if (!html) {
        return fail(html.error());
    }
    files.add("report.html", *std::move(html));
    if (const auto written = files.write(); !written) {
        return fail(written.error());
    }
    std::printf("report: %s\n", (out / "report.html").string().c_str());
    return 0;
}
