// ostend_ground: says what an image shows, and where: caption, and a point and a mask for each noun phrase.
#include "dump/dump_listener.hpp"
#include "ground/chosen_segmenter.hpp"
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
    std::fprintf(stderr, "ostend_ground: %s\n", e.message().c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Grounds every noun phrase that a model says about an image: report.html, overlay PNGs and\n"
        "grounding.json (caption; per phrase its text, token span, peak, confidence, box, RLE mask)."};
    std::string model_dir;
    std::string image_file;
    std::string out_dir;
    std::string segmenter_dir = ostend_tools::built_in_segmenter;
    std::string preset_name = "ostend";
    ostend::ground_options options;
    std::string text;
    bool no_prior = false;
    bool check_layout = false;
    std::string dump_file;
    std::string dump_content = "queries";
    app.add_option("--model", model_dir, "folder of the model (config.json, model.safetensors, tokenizer)")
        ->required();
    app.add_option("--image", image_file, "image file: PNG, JPEG, BMP, TGA, GIF or PNM, of any shape")
        ->required();
    app.add_option("--out", out_dir, "folder to write; made if missing")->required();
    app.add_option("--segmenter", segmenter_dir, ostend_tools::segmenter_help)->capture_default_str();
    app.add_option("--prompt", options.request.prompt, "what to ask instead of the model's own prompt");
    auto* forced = app.add_option("--text", text, "ground this text instead of a generated answer");
    app.add_option("--phrases", options.phrases,
                   "ground these phrases of the answer instead of all noun phrases");
    app.add_option("--preset", preset_name,
                   "conventions: ostend, paper, groundlmm_de8b74d, groundlmm_b77f889")
        ->capture_default_str();
    app.add_option("--max-tokens", options.request.max_tokens, "longest answer, in tokens")
        ->capture_default_str()
        ->check(CLI::Range(1, 400));
    app.add_flag("--no-prior", no_prior,
                 "give the segmenter the point alone, without the map as mask logits");
    app.add_flag("--check-layout", check_layout, ostend_tools::check_layout_help);
    auto* dumped =
        app.add_option("--dump", dump_file,
                       "write the generation's attention to this file, to be replayed without the model");
    app.add_option("--dump-content", dump_content,
                   "what the dump holds: queries (with keys) or rows of attention")
        ->capture_default_str()
        ->check(CLI::IsMember({"queries", "rows"}));
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);
    options.map_as_prior = !no_prior;
    if (forced->count() > 0) {
        options.request.text = text;
    }
    // What cannot be written is said before the work, not after it.
    const std::string report_file = (std::filesystem::path(out_dir) / "report.html").string();
    if (const auto good = ostend_tools::check_arguments(out_dir, options.request.text); !good) {
        return fail(good.error());
    }
    if (dumped->count() > 0) {
        const auto writable = dump_file.empty()
                                  ? ostend::status(ostend::error{"the file has no name", "--dump"})
                                  : ostend_tools::check_writable(dump_file);
        if (!writable) {
            return fail(writable.error());
        }
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
    const auto segmenter = ostend_tools::chosen_segmenter::load(segmenter_dir);
    if (!segmenter) {
        return fail(segmenter.error());
    }
    std::fprintf(stderr, "reading the model in %s\n", model_dir.c_str());
    auto lmm = ostend_hosts::tiny_llava::load(model_dir);
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
    std::fprintf(stderr, "grounding %s (%td x %td)\n", image_file.c_str(), image->width, image->height);
    ostend_tools::dump_listener ear(dump_content == "rows" ? ostend_tools::dump_content::rows
                                                           : ostend_tools::dump_content::queries);
    if (!dump_file.empty()) {
        options.request.recording.listener = &ear;
    }
    const auto found = ostend::ground(image->view(), *lmm, *segmenter, options);
    if (!found) {
        return fail(found.error());
    }

    ostend::page page{.title = "Which pixels does each phrase mean?",
                      .made_with = model_dir + ", preset " + preset->name + ", " + segmenter->title()};
    page.images.push_back(ostend_tools::grounding_to_page(*found, image_file, image->view()));
    const auto html = ostend::html_page(page, ostend_tools::picture_to_png);
    if (!html) {
        return fail(html.error());
    }

    ostend_tools::output_files files(out_dir);
    if (const auto added = ostend_tools::add_grounding(
            files, "", *found, {image_file, model_dir, segmenter->name(), options}, image->view());
        !added) {
        return fail(added.error());
    }
    files.add("report.html", *html);
    if (!dump_file.empty()) {
        const auto dump =
            ear.finish(image->view(), found->tokens, found->grid, "ostend_ground, " + model_dir);
        if (!dump) {
            return fail(dump.error());
        }
        auto bytes = ostend_tools::dump_bytes(*dump);
        if (!bytes) {
            return fail(bytes.error());
        }
        files.add(std::filesystem::absolute(dump_file).string(), *std::move(bytes));
    }
    if (const auto written = files.write(); !written) {
        return fail(written.error());
    }

    std::printf("%sreport: %s\n", ostend_tools::grounding_text(*found).c_str(), report_file.c_str());
    return 0;
}
