// ostend_evaluate: how well does a model point at what it names? On scenes whose objects are known.
#include "evaluate/evaluation.hpp"
#include "evaluate/scene_source.hpp"
#include "ground/chosen_segmenter.hpp"
#include "ground/ground_files.hpp"
#include "io/files.hpp"
#include "io/progress.hpp"
#include "ostend/core/bytes.hpp"
#include "ostend/report/html.hpp"
#include "parallel/ranks.hpp"
#include "parallel/state_files.hpp"
#include "parallel/stop_signal.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using ostend_tools::json;
using ostend_tools::known_scene;

int fail(const ostend::error& e) {
    std::fprintf(stderr, "ostend_evaluate: %s\n", e.message().c_str());
    return 1;
}

/// Adds to each phrase whether its point is right, and to the image how many are.
void add_outcomes(ostend::page_image& image, const std::vector<ostend_tools::phrase_outcome>& outcomes) {
    std::size_t hits = 0;
    for (const auto& o : outcomes) {
        image.phrases[o.phrase].note = o.hit       ? "on the object"
                                       : o.present ? "beside the object"
                                                   : "there is no such object";
        image.phrases[o.phrase].verdict = o.hit ? ostend::page_verdict::right : ostend::page_verdict::wrong;
        hits += o.hit ? 1 : 0;
    }
    image.note = std::to_string(hits) + " of " + std::to_string(outcomes.size()) + " points right";
}

struct evaluated {
    ostend_tools::evaluation sums;         ///< of this rank's scenes
    std::vector<known_scene> shown;        ///< the pages' images refer to these
    std::vector<ostend::page_image> pages; ///< of the first scenes, on the first rank
    double seconds = 0;
    bool stopped = false; ///< by a signal, before the last scene
};

/// Sums that are kept in files while ranks work. Nothing is kept without a file.
struct kept_sums {
    std::filesystem::path file;
    std::string origin;                 ///< model, segmenter, scenes and conventions
    ostend_tools::evaluation sums = {}; ///< what was there at the start

    /// Every rank reads what all have left.
    ostend::status read() {
        for (const auto& path : ostend_tools::saved_states(file)) {
            const auto bytes = ostend_tools::read_file(path);
            if (!bytes) {
                return bytes.error();
            }
            const auto part = ostend_tools::evaluation::from_bytes(*bytes, origin);
            if (!part) {
                return part.error().in(path.string());
            }
            if (const auto united = sums.unite(*part); !united) {
                return united.error().in(path.string());
            }
        }
        return ostend::success{};
    }
    /// One file in place of the others.
    [[nodiscard]] ostend::status write() const {
        if (file.empty()) {
            return ostend::success{};
        }
        const auto written = ostend_tools::write_file(file, sums.to_bytes(origin));
        if (written) {
            ostend_tools::remove_rank_states(file);
        }
        return written;
    }
    [[nodiscard]] ostend::status save(const ostend_tools::evaluation& mine, int rank) const {
        return ostend_tools::write_file(ostend_tools::rank_state(file, rank), mine.to_bytes(origin));
    }
};

/// This rank's scenes, those that are kept excepted. The scenes of pages are the first rank's, the others
/// dealt in turn.
ostend::result<evaluated> evaluate(const ostend_tools::scene_source& scenes, ostend_hosts::tiny_llava& lmm,
                                   const ostend_tools::chosen_segmenter& segmenter,
                                   const ostend::ground_options& options, std::size_t pages,
                                   const ostend_tools::ranks& all, const kept_sums& kept) {
    constexpr double save_seconds = 30;
    evaluated out;
    out.shown.reserve(std::min(pages, scenes.count));
    const auto is_mine = [&](std::size_t i) {
        return i < pages ? all.first()
                         : i % static_cast<std::size_t>(all.size()) == static_cast<std::size_t>(all.rank());
    };
    std::size_t count = 0;
    for (std::size_t i = 0; i < scenes.count; ++i) {
        count += is_mine(i) ? 1U : 0U;
    }
    ostend_tools::progress progress("scenes", count);
    double saved = 0;
    std::size_t done = 0;
    for (std::size_t i = 0; i < scenes.count && !out.stopped; ++i) {
        if (!is_mine(i)) {
            continue;
        }
        known_scene scene = scenes.at(i);
        if (!kept.sums.contains(scene.name)) {
            const auto found = ostend::ground(scene.image.view(), lmm, segmenter, options);
            if (!found) {
                return found.error().in(scene.name);
            }
            const auto outcomes = out.sums.update(scene, *found);
            if (!outcomes) {
                return outcomes.error();
            }
            if (i < pages) {
                out.shown.push_back(std::move(scene));
                out.pages.push_back(ostend_tools::grounding_to_page(*found, out.shown.back().name,
                                                                    out.shown.back().image.view()));
                add_outcomes(out.pages.back(), *outcomes);
            }
        }
        if (!kept.file.empty() && progress.seconds() - saved >= save_seconds) {
            saved = progress.seconds();
            if (const auto written = kept.save(out.sums, all.rank()); !written) {
                return written.error();
            }
        }
        if (all.first()) {
            progress.step();
        }
        out.stopped = ++done < count && ostend_tools::stop_asked();
    }
    out.seconds = progress.seconds();
    return out;
}

/// On the first rank: everyone's sums and what was kept become one.
ostend::status merge_all(kept_sums& kept, const ostend_tools::evaluation& mine,
                         const std::vector<std::string>& parts) {
    if (const auto merged = kept.sums.merge(mine); !merged) {
        return merged;
    }
    for (std::size_t r = 1; r < parts.size(); ++r) {
        const auto part = ostend_tools::evaluation::from_bytes(parts[r], kept.origin);
        const auto merged = part ? kept.sums.merge(*part) : ostend::status(part.error());
        if (!merged) {
            return merged.error().in("of rank " + std::to_string(r));
        }
    }
    return kept.write();
}

/// The bytes of a file as a number, to tell states apart.
ostend::result<std::string> digest_of(const std::filesystem::path& path) {
    const auto bytes = ostend_tools::read_file(path);
    if (!bytes) {
        return bytes.error();
    }
    char text[20];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(ostend::fnv1a(*bytes)));
    return std::string(text);
}

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
    return text;
}

/// "101 of 102": what a ratio was made of, or nothing when it does not count whole things.
std::string made_of(const json& count) {
    const json& numerator = count.at("numerator");
    return numerator.is_number_integer() ? numerator.dump() + " of " + count.at("denominator").dump() : "";
}

/// The figures that lead the report page.
std::vector<ostend::page_figure> page_figures(const json& figures) {
    const auto figure = [](const json& values, const json& counts, const char* key, const char* name,
                           const char* meaning) {
        const auto share = values.at(key).get<double>();
        const std::string count = made_of(counts.at(key));
        return ostend::page_figure{name, percent(share), count.empty() ? meaning : count + " " + meaning,
                                   share};
    };
    const json& counts = figures.at("counts");
    const json& points = figures.at("point_accuracy");
    const json& point_counts = counts.at("point_accuracy");
    return {figure(figures, counts, "noun_recall", "Objects named", "objects are in the caption"),
            figure(points, point_counts, "mean_token", "Points right", "phrases, less the mean map"),
            figure(points, point_counts, "raw", "Points right, raw", "phrases, the map as it is"),
            figure(figures, counts, "mask_recall", "Masks right", "objects, IoU 0.5 or more (GCG recall)"),
            figure(figures, counts, "oracle_mask_recall", "Masks, oracle",
                   "objects: a perfect segmenter at the points"),
            figure(figures, counts, "chance", "Chance", "a random point on a random object")};
}

void print_figures(const json& figures) {
    const auto line = [](const char* name, const json& value, const json& count) {
        const std::string of = made_of(count);
        std::printf("  %-32s %8s%s%s\n", name, percent(value.get<double>()).c_str(), of.empty() ? "" : "  ",
                    of.c_str());
    };
    const json& counts = figures.at("counts");
    const auto top = [&](const char* name, const char* key) { line(name, figures.at(key), counts.at(key)); };
    std::printf("%s, %s%s, preset %s, %zu scenes, %zu phrases\n",
                figures.at("model").get<std::string>().c_str(),
                figures.at("segmenter").get<std::string>().c_str(),
                figures.at("map_as_prior").get<bool>() ? "" : " (points alone)",
                figures.at("preset").get<std::string>().c_str(), figures.at("scenes").get<std::size_t>(),
                figures.at("phrases").get<std::size_t>());
    top("noun recall", "noun_recall");
    top("noun precision", "noun_precision");
    for (const auto& [kind, value] : figures.at("point_accuracy").items()) {
        line(("point accuracy, " + kind).c_str(), value, counts.at("point_accuracy").at(kind));
    }
    top("chance", "chance");
    top("mask recall", "mask_recall");
    top("mask recall, perfect segmenter", "oracle_mask_recall");
    for (const auto& [kind, value] : figures.at("oracle_by_point").items()) {
        line(("  at " + kind).c_str(), value, counts.at("oracle_by_point").at(kind));
    }
    top("mask mIoU", "mask_miou");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Grounds scenes whose objects are known and prints the figures: noun recall and precision, point\n"
        "accuracy of five kinds, mask recall and mIoU, and the recall that a perfect segmenter would reach "
        "at\n"
        "each kind of point. As JSON each has its numerator and denominator.\n"
        "Runs alone or under mpirun, with the same figures."};
    std::string model_dir;
    std::string scenes_dir;
    std::string json_file;
    std::string report_dir;
    std::string state_file;
    std::string segmenter_dir = ostend_tools::built_in_segmenter;
    std::string preset_name = "ostend";
    std::string aspect = "1:1";
    std::uint64_t seed = 0;
    std::size_t count = 300;
    std::size_t pages = 12;
    bool no_prior = false;
    app.add_option("--model", model_dir, "folder of the model")->required();
    app.add_option("--segmenter", segmenter_dir, ostend_tools::segmenter_help)->capture_default_str();
    auto* from = app.add_option("--scenes", scenes_dir, "folder with scenes.json and its images");
    auto* seeded = app.add_option("--seed", seed, "draw new scenes from this seed instead");
    seeded->excludes(from);
    app.add_option("--count", count, "how many to draw")
        ->needs(seeded)
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    app.add_option("--aspect", aspect, "canvas of drawn scenes, W:H")->needs(seeded)->capture_default_str();
    app.add_option("--json", json_file, "file to write the figures to");
    auto* report = app.add_option("--report", report_dir, "folder to write a report page to");
    app.add_option(
           "--state", state_file,
           "file that keeps what is evaluated: a run that was cut off goes on from it when started again")
        ->excludes(report);
    app.add_option("--report-scenes", pages, "scenes that the page shows")->capture_default_str();
    app.add_option("--preset", preset_name,
                   "conventions: ostend, paper, groundlmm_de8b74d, groundlmm_b77f889")
        ->capture_default_str();
    app.add_flag("--no-prior", no_prior,
                 "do not give the segmenter the map beside the point, whatever the preset");
    app.footer(
        "Exit status: 0 done, 1 bad input, 3 stopped by a signal (the state is saved), 100 and more bad "
        "arguments.");
    CLI11_PARSE(app, argc, argv);
    if (from->count() + seeded->count() == 0) {
        return app.exit(CLI::RequiredError("--scenes DIR or --seed N"));
    }

    auto joined = ostend_tools::join_ranks();
    if (!joined) {
        return fail(joined.error());
    }
    ostend_tools::ranks& all = **joined;
    // A step has succeeded when it has on every rank; the first one says what is wrong.
    const auto agreed = [&all](const auto& step) {
        const auto outcome =
            all.agree(step ? ostend::status(ostend::success{}) : ostend::status(step.error()));
        if (!outcome && all.first()) {
            fail(outcome.error());
        }
        return outcome.has_value();
    };

    const auto preset = ostend::find_preset(preset_name);
    if (!agreed(preset)) {
        return 1;
    }
    // What cannot be written is said before the work, not after it.
    const std::string report_file =
        report_dir.empty() ? "" : (std::filesystem::path(report_dir) / "report.html").string();
    ostend::status writable = ostend::success{};
    for (const std::string& file : {json_file, report_file, state_file}) {
        if (!file.empty() && writable && all.first()) {
            writable = ostend_tools::check_writable(file);
        }
    }
    if (!agreed(writable)) {
        return 1;
    }
    const auto segmenter = ostend_tools::chosen_segmenter::load(segmenter_dir);
    if (!agreed(segmenter)) {
        return 1;
    }
    auto lmm = ostend_hosts::tiny_llava::load(model_dir);
    if (!agreed(lmm)) {
        return 1;
    }
    const auto scenes = from->count() > 0 ? ostend_tools::scenes_of_folder(scenes_dir)
                                          : ostend_tools::drawn_scenes(seed, count, aspect);
    if (!agreed(scenes)) {
        return 1;
    }
    const auto weights = digest_of(std::filesystem::path(model_dir) / "model.safetensors");
    if (!agreed(weights)) {
        return 1;
    }
    const auto masks = segmenter_dir == ostend_tools::built_in_segmenter
                           ? ostend::result<std::string>(segmenter_dir)
                           : digest_of(std::filesystem::path(segmenter_dir) / "model.safetensors");
    if (!agreed(masks)) {
        return 1;
    }
    const auto drawn = from->count() > 0
                           ? digest_of(std::filesystem::path(scenes_dir) / "scenes.json")
                           : ostend::result<std::string>("seed " + std::to_string(seed) + " " + aspect);
    if (!agreed(drawn)) {
        return 1;
    }
    if (!state_file.empty()) {
        ostend_tools::remember_stop_signals();
    }
    kept_sums kept{.file = state_file,
                   .origin = "model " + *weights + ", segmenter " + *masks + ", scenes " + *drawn +
                             ", preset " + preset->name + (no_prior ? ", no prior" : "")};
    if (!agreed(kept.read()) || !agreed(all.first() ? kept.write() : ostend::success{})) {
        return 1;
    }

    auto done = evaluate(*scenes, *lmm, *segmenter, {.conventions = *preset, .map_as_prior = !no_prior},
                         report_dir.empty() ? 0 : pages, all, kept);
    if (!agreed(done)) {
        return 1;
    }
    // One rank that is stopped stops all, each with its work saved.
    if (!all.agree(done->stopped ? ostend::status(ostend::error{"stopped"}) : ostend::success{})) {
        if (!agreed(kept.save(done->sums, all.rank()))) {
            return 1;
        }
        return all.first() ? ostend_tools::say_stopped("ostend_evaluate", state_file)
                           : ostend_tools::stopped_status;
    }
    const auto parts = all.gather(all.first() ? "" : done->sums.to_bytes(kept.origin));
    if (!agreed(parts) || !agreed(all.first() ? merge_all(kept, done->sums, *parts) : ostend::success{})) {
        return 1;
    }
    if (!all.first()) {
        return 0;
    }
    if (kept.sums.scenes() != scenes->count) {
        return fail({"has " + std::to_string(kept.sums.scenes()) + " scenes, but " +
                         std::to_string(scenes->count) + " are asked for",
                     state_file});
    }
    json figures = kept.sums.compute();
    figures["seconds"] = done->seconds;
    figures["scenes"] = scenes->count;
    figures["model"] = model_dir;
    figures["segmenter"] = segmenter->name();
    figures["preset"] = preset->name;
    figures["map_as_prior"] = preset->map_as_prior && !no_prior;
    if (seeded->count() > 0) {
        figures["seed"] = seed;
        figures["aspect"] = aspect;
    }

    ostend_tools::staged_files files;
    if (!report_file.empty()) {
        const auto html = ostend::html_page(
            {.title = "Which pixels does each phrase mean?",
             .made_with = model_dir + ", preset " + preset->name + ", " + segmenter->title() +
                          (figures.at("map_as_prior").get<bool>() ? ", " : " (points alone), ") +
                          std::to_string(scenes->count) + " scenes" +
                          (pages < scenes->count ? ", the first " + std::to_string(pages) + " shown" : ""),
             .figures = page_figures(figures),
             .images = std::move(done->pages)},
            ostend_tools::picture_to_png);
        if (!html) {
            return fail(html.error());
        }
        if (const auto added = files.add(report_file, *html); !added) {
            return fail(added.error());
        }
    }
    if (!json_file.empty()) {
        if (const auto added = files.add(json_file, ostend_tools::dump_json(figures)); !added) {
            return fail(added.error());
        }
    }
    if (const auto written = files.commit(); !written) {
        return fail(written.error());
    }
    print_figures(figures);
    if (!json_file.empty()) {
        std::printf("figures: %s\n", json_file.c_str());
    }
    if (!report_file.empty()) {
        std::printf("report: %s\n", report_file.c_str());
    }
    return 0;
}
