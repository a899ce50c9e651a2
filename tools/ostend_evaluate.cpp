// ostend_evaluate: how well does a model point at what it names? On scenes whose objects are known.
#include "evaluate/evaluation.hpp"
#include "ground/ground_files.hpp"
#include "io/files.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/report/html.hpp"
#include "scenes/scene.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace {

using ostend_tools::known_scene;

int fail(const ostend::error& e) {
    std::fprintf(stderr, "\nostend_evaluate: %s\n", e.message().c_str());
    return 1;
}

known_scene to_known(const ostend::scenes::scene& drawn, std::size_t number) {
    known_scene scene{.name = "scene " + std::to_string(number),
                      .image = {.height = drawn.height, .width = drawn.width, .pixels = drawn.rgb},
                      .caption = drawn.caption,
                      .objects = {}};
    for (const auto& object : drawn.objects) {
        scene.objects.push_back(
            {std::string(ostend::scenes::classes[static_cast<std::size_t>(object.class_index)].phrase),
             ostend::encode(object.mask)});
    }
    return scene;
}

std::string percent(const ostend_tools::json& figures, const char* name) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", 100 * figures.at(name).get<double>());
    return text;
}

/// The figures that lead the report page.
std::vector<ostend::page_figure> page_figures(const ostend_tools::json& figures) {
    const auto& points = figures.at("point_accuracy");
    return {{"nouns named", percent(figures, "noun_recall"), "objects whose class the caption names"},
            {"points right", percent(points, "mean_token"), "normalised against the mean map"},
            {"points right, raw", percent(points, "raw"), "the same without normalisation"},
            {"chance", percent(figures, "chance"), "a random point on a random object"},
            {"mask recall", percent(figures, "mask_recall"), "GCG: IoU at least 0.5 and the right class"},
            {"mask recall, oracle", percent(figures, "oracle_mask_recall"),
             "a perfect segmenter from these points"}};
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Grounds scenes whose objects are known and writes the figures as JSON: noun recall and precision,\n"
        "point accuracy of five kinds, mask recall and mIoU; each with numerator and denominator."};
    std::string model_dir;
    std::string scenes_dir;
    std::string json_file;
    std::string report_dir;
    std::string preset_name = "ostend";
    std::string aspect_text = "1:1";
    std::uint64_t seed = 0;
    std::size_t count = 300;
    std::size_t pages = 12;
    app.add_option("--model", model_dir, "folder of the model")->required();
    auto* from = app.add_option("--scenes", scenes_dir, "folder with scenes.json and its images");
    auto* seeded = app.add_option("--seed", seed, "draw new scenes from this seed instead");
    seeded->excludes(from);
    app.add_option("--count", count, "how many to draw")
        ->needs(seeded)
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    app.add_option("--aspect", aspect_text, "canvas of drawn scenes, W:H")
        ->needs(seeded)
        ->capture_default_str();
    app.add_option("--json", json_file, "file to write the figures to")->required();
    app.add_option("--report", report_dir, "folder to write a report page to");
    app.add_option("--report-scenes", pages, "scenes that the page shows")->capture_default_str();
    app.add_option("--preset", preset_name,
                   "conventions: ostend, paper, groundlmm_de8b74d, groundlmm_b77f889")
        ->capture_default_str();
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);
    if (from->count() + seeded->count() == 0) {
        return fail({"give --scenes DIR or --seed N"});
    }

    const auto preset = ostend::find_preset(preset_name);
    if (!preset) {
        return fail(preset.error());
    }
    auto lmm = ostend_hosts::tiny_llava::load(model_dir);
    if (!lmm) {
        return fail(lmm.error());
    }

    // Where scene i comes from: a folder that was read, or the generator, one at a time.
    std::function<known_scene(std::size_t)> scene_at;
    std::vector<known_scene> read;
    if (from->count() > 0) {
        auto scenes = ostend_tools::read_scenes(scenes_dir);
        if (!scenes) {
            return fail(scenes.error());
        }
        read = *std::move(scenes);
        count = read.size();
        scene_at = [&read](std::size_t i) { return read[i]; };
    } else {
        const auto aspect = ostend::scenes::parse_aspect(aspect_text);
        if (!aspect) {
            return fail(aspect.error());
        }
        const auto canvas = ostend::scenes::canvas_of(*aspect);
        if (!canvas) {
            return fail(canvas.error());
        }
        auto glyphs = ostend::scenes::load_glyphs();
        if (!glyphs) {
            return fail(glyphs.error());
        }
        scene_at = [sheet = *std::move(glyphs), size = *canvas, seed](std::size_t i) {
            return to_known(ostend::scenes::make_scene(sheet, size, seed, i), i);
        };
    }

    const auto start = std::chrono::steady_clock::now();
    const auto elapsed = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    ostend::ground_options options{.conventions = *preset};
    ostend::graph_cut_segmenter segmenter;
    ostend_tools::evaluation evaluation;
    ostend::page page{.title = "ostend: which pixels does each phrase mean?",
                      .made_with = model_dir + ", preset " + preset->name +
                                   ", built-in graph-cut segmenter, " + std::to_string(count) + " scenes"};
    std::vector<known_scene> shown;
    shown.reserve(std::min(pages, count));
    for (std::size_t i = 0; i < count; ++i) {
        known_scene scene = scene_at(i);
        const auto found = ostend::ground(scene.image.view(), *lmm, segmenter, options);
        if (!found) {
            return fail(found.error().in(scene.name));
        }
        const auto outcomes = evaluation.update(scene, *found);
        if (!outcomes) {
            return fail(outcomes.error());
        }
        if (!report_dir.empty() && i < pages) {
            shown.push_back(std::move(scene));
            page.images.push_back(
                ostend_tools::grounding_to_page(*found, shown.back().name, shown.back().image.view()));
            for (const auto& o : *outcomes) {
                page.images.back().phrases[o.phrase].note = o.hit       ? "on the object"
                                                            : o.present ? "beside the object"
                                                                        : "there is no such object";
            }
        }
        if ((i + 1) % 10 == 0 || i + 1 == count) {
            std::fprintf(stderr, "\r%zu of %zu scenes, %.1f s", i + 1, count, elapsed());
        }
    }
    std::fprintf(stderr, "\n");

    ostend_tools::json figures = evaluation.compute();
    figures["seconds"] = elapsed();
    figures["scenes"] = count;
    figures["model"] = model_dir;
    figures["preset"] = preset->name;
    if (seeded->count() > 0) {
        figures["seed"] = seed;
        figures["aspect"] = aspect_text;
    }
    if (!report_dir.empty()) {
        page.figures = page_figures(figures);
        const auto html = ostend::html_page(page, ostend_tools::picture_to_png);
        if (!html) {
            return fail(html.error());
        }
        const auto written = ostend_tools::write_file(report_dir + "/report.html", *html);
        if (!written) {
            return fail(written.error());
        }
    }
    if (const auto written = ostend_tools::write_file(json_file, ostend_tools::dump_json(figures));
        !written) {
        return fail(written.error());
    }
    std::printf("noun recall     %s\n", percent(figures, "noun_recall").c_str());
    for (const auto& [kind, value] : figures["point_accuracy"].items()) {
        std::printf("points          %s  %s\n", percent(figures["point_accuracy"], kind.c_str()).c_str(),
                    kind.c_str());
    }
    std::printf("oracle recall   %s\nmask recall     %s\nmask mIoU       %s\nchance          %s\n",
                percent(figures, "oracle_mask_recall").c_str(), percent(figures, "mask_recall").c_str(),
                percent(figures, "mask_miou").c_str(), percent(figures, "chance").c_str());
    std::printf("figures: %s\n", json_file.c_str());
    if (!report_dir.empty()) {
        std::printf("report: %s/report.html\n", report_dir.c_str());
    }
    return 0;
}
