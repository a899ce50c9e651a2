// openvino_sam_evaluate: the masks of SAM's ONNX files beside the built-in segmenter's, from the same points
// and maps: with and without the map as mask prompt, by each rule of choice, and what the best choice would
// give.
#include "evaluate/evaluation.hpp"
#include "evaluate/scene_source.hpp"
#include "io/files.hpp"
#include "io/progress.hpp"
#include "ostend/adapt/openvino_sam.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/mask/iou.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace {

using candidates = std::vector<std::vector<ostend::mask_candidate>>; // of each phrase
using ostend_tools::json;
using ostend_tools::known_scene;

int fail(const ostend::error& e) {
    std::fprintf(stderr, "openvino_sam_evaluate: %s\n", e.message().c_str());
    return 1;
}

std::string fraction(const json& of) {
    return std::to_string(of.at("numerator").get<int>()) + "/" +
           std::to_string(of.at("denominator").get<int>());
}

/// One line of the table.
struct variant {
    std::string name;
    ostend_tools::evaluation sums = {};
    double seconds = 0; ///< in the segmenter
};

/// The prompts that ground() makes of what it found.
ostend::result<std::vector<ostend::prompt>> prompts_of(const ostend::grounding& found) {
    std::vector<ostend::prompt> prompts;
    for (const auto& p : found.phrases) {
        prompts.push_back(ostend::point_prompt(p.at));
        auto prior = ostend::map_prior(p.map, found.grid, found.conventions.peak);
        if (!prior) {
            return prior.error();
        }
        prompts.back().mask = *std::move(prior);
    }
    return prompts;
}

/// The candidate that overlaps most with an object of the phrase's name; the first where there is no such
/// object. Precondition: there is one.
const ostend::mask_candidate& best_of(const std::vector<ostend::mask_candidate>& list,
                                      const known_scene& scene, const std::string& phrase) {
    std::size_t best = 0;
    double most = -1;
    for (std::size_t k = 0; k < list.size(); ++k) {
        for (const auto& object : scene.objects) {
            const double overlap =
                phrase.ends_with(object.phrase) ? ostend::iou(list[k].mask, object.mask) : 0.0;
            if (overlap > most) {
                most = overlap;
                best = k;
            }
        }
    }
    return list[best];
}

/// Adds what a scene gives with the candidate that `choose` takes for each phrase.
template <class Choose>
ostend::status add(variant& to, const known_scene& scene, const ostend::grounding& found, Choose&& choose) {
    ostend::grounding with = found;
    for (std::size_t i = 0; i < with.phrases.size(); ++i) {
        const ostend::result<ostend::mask_candidate> chosen = choose(i);
        if (!chosen) {
            return chosen.error().in(scene.name);
        }
        with.phrases[i].mask = chosen->mask;
        with.phrases[i].mask_score = chosen->score;
    }
    const auto added = to.sums.update(scene, with);
    return added ? ostend::status(ostend::success{}) : ostend::status(added.error());
}

/// All lines of a segmenter for one scene: segment(r) gives the candidates as rule r scores them, a line
/// each, and the best possible choice is another. lines: as many as rules, and one.
template <class Segment>
ostend::status add_all(std::span<variant> lines, const known_scene& scene, const ostend::grounding& found,
                       Segment&& segment) {
    const ostend::image_size size{scene.image.width, scene.image.height};
    for (std::size_t r = 0; r + 1 < lines.size(); ++r) {
        const auto start = std::chrono::steady_clock::now();
        const ostend::result<candidates> masks = segment(r);
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        lines[r].seconds += r == 0 ? spent.count() : 0.0;
        if (!masks) {
            return masks.error().in(scene.name);
        }
        const auto chosen = add(lines[r], scene, found, [&](std::size_t i) {
            return ostend::choose_candidate((*masks)[i], ostend::candidate_rule::best_score, size);
        });
        if (!chosen) {
            return chosen;
        }
        if (r == 0) {
            const auto best = add(lines.back(), scene, found, [&](std::size_t i) {
                return best_of((*masks)[i], scene, found.phrases[i].phrase.text);
            });
            if (!best) {
                return best;
            }
        }
    }
    return ostend::success{};
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Grounds drawn scenes once and asks two segmenters for the masks: the built-in graph cut and SAM's "
        "ONNX\n"
        "files on OpenVINO. Prints mask recall and mIoU (GCG, IoU of 0.5) of each way to ask and to choose."};
    std::string model_dir;
    std::string segmenter_dir;
    std::string aspect = "1:1";
    std::string json_file;
    std::uint64_t seed = 0;
    std::uint64_t count = 300;
    int threads = 1;
    app.add_option("--model", model_dir, "folder of the language model")->required();
    app.add_option("--segmenter", segmenter_dir, "folder with *encoder*.onnx and *decoder*.onnx")->required();
    app.add_option("--seed", seed, "which scenes, as ostend_scenes draws them")->required();
    app.add_option("--count", count, "how many scenes")->check(CLI::Range(1, 100000))->capture_default_str();
    app.add_option("--aspect", aspect, "canvas, W:H")->capture_default_str();
    app.add_option("--threads", threads, "of OpenVINO")->check(CLI::Range(1, 256))->capture_default_str();
    app.add_option("--json", json_file, "file to write the figures to");
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);

    const auto scenes = ostend_tools::drawn_scenes(seed, count, aspect);
    if (!scenes) {
        return fail(scenes.error());
    }
    if (!json_file.empty()) {
        if (const auto possible = ostend_tools::check_writable(json_file); !possible) {
            return fail(possible.error());
        }
    }
    auto lmm = ostend_hosts::tiny_llava::load(model_dir);
    if (!lmm) {
        return fail(lmm.error());
    }
    auto sam = ostend::openvino_sam::load(segmenter_dir,
                                          {.properties = {ov::hint::inference_precision(ov::element::f32),
                                                          ov::inference_num_threads(threads)}});
    if (!sam) {
        return fail(sam.error());
    }

    const std::string name(sam->kind().name);
    const ostend::graph_cut_segmenter built_in;
    std::vector<variant> lines;
    for (const std::string asked : {"points and maps", "points alone"}) {
        lines.push_back({"built-in, " + asked});
        lines.push_back({"built-in, " + asked + ", best of all"});
    }
    for (const std::string asked : {"points and maps", "points alone"}) {
        for (const std::string_view rule : ostend::sam_rule_names) {
            lines.push_back({name + ", " + asked + ", " + std::string(rule)});
        }
        lines.push_back({name + ", " + asked + ", best of all"});
    }

    ostend_tools::progress progress("scenes", count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const known_scene scene = scenes->at(i);
        const auto found = ostend::ground(scene.image.view(), *lmm, built_in);
        if (!found) {
            return fail(found.error().in(scene.name));
        }
        const auto prompts = prompts_of(*found);
        if (!prompts) {
            return fail(prompts.error().in(scene.name));
        }
        std::vector<ostend::prompt> alone = *prompts;
        for (auto& p : alone) {
            p.mask.reset();
        }
        const std::span<variant> all(lines);
        const std::size_t rules = ostend::sam_rule_names.size();
        for (const bool with_map : {true, false}) {
            const auto cut = add_all(all.subspan(with_map ? 0 : 2, 2), scene, *found, [&](std::size_t) {
                return built_in.segment(scene.image.view(), with_map ? *prompts : alone);
            });
            if (!cut) {
                return fail(cut.error());
            }
            sam->set(ostend::sam_rule::predicted_iou, with_map);
            std::vector<std::vector<ostend::sam_proposal>> proposals; // the same masks for every rule
            const auto by_rule = [&](std::size_t number) -> ostend::result<candidates> {
                if (number == 0) {
                    auto proposed = sam->propose(scene.image.view(), *prompts);
                    if (!proposed) {
                        return proposed.error();
                    }
                    proposals = *std::move(proposed);
                }
                candidates scored;
                for (std::size_t p = 0; p < proposals.size(); ++p) {
                    scored.push_back(ostend::sam_candidates(static_cast<ostend::sam_rule>(number),
                                                            proposals[p], &*(*prompts)[p].mask));
                }
                return scored;
            };
            const auto masks =
                add_all(all.subspan(with_map ? 4 : 5 + rules, rules + 1), scene, *found, by_rule);
            if (!masks) {
                return fail(masks.error());
            }
        }
        progress.step();
    }

    json out = {{"model", model_dir}, {"segmenter", segmenter_dir}, {"seed", seed},
                {"count", count},     {"aspect", aspect},           {"variants", json::array()}};
    std::printf("%-48s %18s %8s %10s\n", "", "mask recall", "mIoU", "ms/scene");
    for (const variant& line : lines) {
        const json figures = line.sums.compute();
        const json& of = figures.at("counts").at("mask_recall");
        const auto recall = figures.at("mask_recall").get<double>();
        const auto miou = figures.at("mask_miou").get<double>();
        const double milliseconds = 1000 * line.seconds / static_cast<double>(count);
        const std::string counts = fraction(of);
        std::printf("%-48s %8.3f %9s %8.3f", line.name.c_str(), recall, counts.c_str(), miou);
        std::printf(line.seconds > 0 ? " %10.1f\n" : "\n", milliseconds);
        out["variants"].push_back({{"name", line.name},
                                   {"mask_recall", recall},
                                   {"mask_recall_counts", of},
                                   {"mask_miou", miou},
                                   {"milliseconds", milliseconds}});
        if (&line == &lines.back()) {
            const auto oracle = figures.at("oracle_mask_recall").get<double>();
            std::printf("%-48s %8.3f %9s\n", "a perfect segmenter at the points", oracle,
                        fraction(figures.at("counts").at("oracle_mask_recall")).c_str());
            out["oracle_mask_recall"] = oracle;
        }
    }
    if (!json_file.empty()) {
        if (const auto written = ostend_tools::write_file(json_file, ostend_tools::dump_json(out));
            !written) {
            return fail(written.error());
        }
    }
    return 0;
}
