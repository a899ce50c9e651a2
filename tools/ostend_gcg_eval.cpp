// ostend_gcg_eval: GCG's AP, AP50, mIoU and mask recall from the files of GLaMM's and groundLMM's scripts.
#include "gcg/gcg_evaluation.hpp"
#include "io/files.hpp"
#include "io/progress.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <optional>
#include <string>

namespace {

using ostend_tools::gcg_failure;
using ostend_tools::json;

int fail(const ostend::error& e) {
    std::fprintf(stderr, "ostend_gcg_eval: %s\n", e.message().c_str());
    return 1;
}

void print_figures(const json& figures) {
    const json& counts = figures.at("counts");
    const auto number = [](const json& value) { return value.get<double>(); };
    std::printf("%zu images, %zu predicted masks\n", figures.at("images").get<std::size_t>(),
                figures.at("predicted_masks").get<std::size_t>());
    std::printf("  %-12s %.4f\n", "AP", number(figures.at("ap")));
    std::printf("  %-12s %.4f\n", "AP50", number(figures.at("ap50")));
    std::printf("  %-12s %.4f  sum of the images' %.4f of %.0f images\n", "mIoU", number(figures.at("miou")),
                number(counts.at("miou").at("numerator")), number(counts.at("miou").at("denominator")));
    std::printf("  %-12s %.4f  %.0f of %.0f labels\n", "mask recall", number(figures.at("recall")),
                number(counts.at("recall").at("numerator")), number(counts.at("recall").at("denominator")));
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Evaluates grounded conversation generation: AP, AP50, mIoU and mask recall, the numbers of GLaMM's\n"
        "and groundLMM's evaluation scripts, from the files that those scripts read."};
    ostend_tools::gcg_evaluation_options options;
    std::string json_file;
    app.add_option("--predictions", options.predictions,
                   "folder with <image id>.json: caption, phrases, pred_masks (RLE); plain or under one key")
        ->required();
    app.add_option("--gt-mask", options.masks, "COCO annotations with the masks")->required();
    app.add_option("--gt-caption", options.captions, "captions whose annotations have `labels`")->required();
    app.add_option(
        "--text-similarity", options.similarity,
        "{label: {phrase: cosine}}, see tools/text_similarity.py; without it a text fits when the\n"
        "strings are equal");
    app.add_option("--json", json_file, "file to write the figures to");
    const std::map<std::string, gcg_failure> failures{{"stop", gcg_failure::stop},
                                                      {"miss", gcg_failure::miss}};
    const auto named = [](const auto& names) { return CLI::CheckedTransformer(names).description(""); };
    app.add_option(
           "--on-failure", options.on_failure,
           "an image with more masks than texts, or without a caption: stop (groundLMM's script), or\n"
           "miss (GLaMM's: its labels are missed)")
        ->transform(named(failures))
        ->type_name("stop|miss")
        ->default_str("stop");
    app.add_option("--on-missing", options.on_missing,
                   "an image without a prediction file: stop (both scripts), or miss (no masks)")
        ->transform(named(failures))
        ->type_name("stop|miss")
        ->default_str("stop");
    const std::map<std::string, ostend::gcg_text_failure> texts{{"stop", ostend::gcg_text_failure::stop},
                                                                {"skip", ostend::gcg_text_failure::skip}};
    app.add_option(
           "--on-text-failure", options.metric.on_text_failure,
           "recall, at the pair of greatest IoU whose text does not fit: stop (both scripts), or skip it")
        ->transform(named(texts))
        ->type_name("stop|skip")
        ->default_str("stop");
    const std::map<std::string, ostend::gcg_empty_pair> pairs{{"nan", ostend::gcg_empty_pair::nan},
                                                              {"zero", ostend::gcg_empty_pair::zero},
                                                              {"one", ostend::gcg_empty_pair::one}};
    app.add_option("--empty-pair", options.metric.empty_pair,
                   "IoU of two empty masks: nan (both scripts), zero or one")
        ->transform(named(pairs))
        ->type_name("nan|zero|one")
        ->default_str("nan");
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);

    if (!json_file.empty()) { // said before the work, not after it
        if (const auto possible = ostend_tools::check_writable(json_file); !possible) {
            return fail(possible.error());
        }
    }
    std::optional<ostend_tools::progress> progress;
    const auto done =
        ostend_tools::evaluate_gcg(options, {.begin = [&](std::size_t n) { progress.emplace("images", n); },
                                             .step = [&] { progress->step(); }});
    progress.reset();
    if (!done) {
        return fail(done.error());
    }
    for (const std::string& note : done->notes) {
        std::fprintf(stderr, "note: %s\n", note.c_str());
    }
    print_figures(done->figures);
    if (options.similarity.empty()) {
        std::printf("  Texts were compared for equality (no --text-similarity): the recall is not the "
                    "published one.\n");
    }
    if (!json_file.empty()) {
        if (const auto written = ostend_tools::write_file(json_file, ostend_tools::dump_json(done->figures));
            !written) {
            return fail(written.error());
        }
        std::printf("figures: %s\n", json_file.c_str());
    }
    return 0;
}
