// ostend_coco_eval: COCO's average precision and recall of a result file, as pycocotools computes them.
#include "coco/coco_run.hpp"
#include "io/files.hpp"
#include "parallel/stop_signal.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

int fail(const ostend::error& e) {
    std::fprintf(stderr, "ostend_coco_eval: %s\n", e.message().c_str());
    return 1;
}

/// Nothing in the first two seconds, then a line every ten seconds.
class slow_progress {
public:
    void operator()(std::size_t done, std::size_t of) {
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        if (seconds >= due_) {
            std::fprintf(stderr, "%zu of %zu images, %.0f s\n", done, of, seconds);
            due_ = seconds + 10;
        }
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    double due_ = 2;
};

/// "2/4": the second of four parts.
ostend::status read_part(const std::string& text, ostend_tools::coco_run_options& options) {
    int read = 0;
    if (std::sscanf(text.c_str(), "%d/%d%n", &options.part, &options.parts, &read) != 2 ||
        static_cast<std::size_t>(read) != text.size() || options.part < 1 || options.part > options.parts) {
        return ostend::error{"expected I/N, as 1/4", "--part"};
    }
    --options.part;
    return ostend::success{};
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Average precision and recall of COCO results, equal to pycocotools' numbers to the last bit.\n"
        "GT.json has images, annotations and categories; DT.json is a list of results with scores.\n"
        "Runs alone or under mpirun; several ranks, parts or resumed runs give the same bits as one."};
    ostend_tools::coco_run_options options;
    std::string iou = "segm";
    std::string json_file;
    std::string part;
    std::string numpy = "2.2";
    bool per_class = false;
    bool class_agnostic = false;
    bool clean = false;
    std::vector<ostend::index> limits;
    app.add_option("GT", options.truth, "annotation file")->required();
    app.add_option("DT", options.results, "result file")->required();
    app.add_option("--iou", iou, "what overlaps: masks, boxes, or the lesser of mask and boundary IoU")
        ->check(CLI::IsMember({"segm", "bbox", "boundary"}))
        ->capture_default_str();
    app.add_option("--json", json_file,
                   "file to write stats, per-class values and curves to, in full precision");
    auto* table = app.add_flag("--per-class", per_class, "print a line a category");
    app.add_flag("--class-agnostic", class_agnostic, "all objects are of one category (useCats = 0)")
        ->excludes(table);
    app.add_option("--max-detections", limits, "the three limits of detections an image and category")
        ->expected(3)
        ->check(CLI::Range(1, 1000000))
        ->default_str("1 10 100");
    app.add_flag(
        "--clean", clean,
        "without two quirks of pycocotools: obey the field `ignore`, and let an annotation with id 0 match");
    app.add_option("--numpy", numpy,
                   "add up means as NumPy up to 2.2 or from 2.3 on; differs in the last bit")
        ->check(CLI::IsMember({"2.2", "2.3"}))
        ->capture_default_str();
    app.add_flag(
        "--skip-unknown-categories", options.skip_unknown_categories,
        "leave out results of categories that GT does not list, as pycocotools does (else an error)");
    auto* state = app.add_option(
        "--state", options.state,
        "file that keeps what is evaluated: a run that was cut off goes on from it when started again");
    app.add_option("--part", part, "evaluate only the I-th of N parts of the images, I/N, into the state")
        ->needs(state);
    app.add_option("--merge", options.merge, "states of other parts, to be counted too");
    app.footer(
        "Exit status: 0 done, 1 bad input, 3 stopped by a signal (the state is saved), 100 and more bad "
        "arguments.");
    CLI11_PARSE(app, argc, argv);

    options.iou = *ostend_tools::find_coco_iou(iou);
    if (clean) {
        options.metric = ostend::coco_options::clean();
    }
    options.metric.by_category = !class_agnostic;
    options.metric.sums = numpy == "2.3" ? ostend::numpy_sums::whole : ostend::numpy_sums::buffered;
    options.curves = !json_file.empty();
    if (!limits.empty()) {
        std::copy(limits.begin(), limits.end(), options.metric.max_detections.begin());
        if (!std::is_sorted(limits.begin(), limits.end())) {
            return fail({"the limits must ascend", "--max-detections"});
        }
    }
    if (!part.empty()) {
        if (const auto good = read_part(part, options); !good) {
            return fail(good.error());
        }
    }

    auto ranks = ostend_tools::join_ranks();
    if (!ranks) {
        return fail(ranks.error());
    }
    const bool first = (*ranks)->first();
    options.progress = slow_progress();
    if (!options.state.empty()) {
        ostend_tools::remember_stop_signals();
        options.interrupted = ostend_tools::stop_asked;
    }
    if (!json_file.empty()) {
        const auto writable = first ? ostend_tools::check_writable(json_file) : ostend::success{};
        if (const auto agreed = (*ranks)->agree(writable); !agreed) {
            return first ? fail(agreed.error()) : 1;
        }
    }

    const auto run = ostend_tools::run_coco(options, **ranks);
    if (!run) {
        return first ? fail(run.error()) : 1;
    }
    if (!first) {
        return run->interrupted ? ostend_tools::stopped_status : 0;
    }
    if (run->interrupted) {
        return ostend_tools::say_stopped("ostend_coco_eval", options.state);
    }
    if (run->left_out > 0) {
        std::fprintf(stderr, "%zu results of categories that GT does not list are left out\n", run->left_out);
    }
    if (run->zero_ids && options.metric.zero_id_never_matches) {
        std::fprintf(stderr,
                     "the annotation with id 0 counts as never found, as in pycocotools (see --clean)\n");
    }
    if (!run->complete()) {
        std::fprintf(stderr, "%zu of %zu images are in the state; figures need the other parts (--merge)\n",
                     run->images, run->truth.images.size());
        return 0;
    }
    if (!json_file.empty()) {
        const auto figures =
            ostend_tools::coco_to_json(run->figures, options.metric, options.iou, run->truth);
        if (const auto written = ostend_tools::write_file(json_file, figures.dump() + "\n"); !written) {
            return fail(written.error());
        }
    }
    std::fputs(ostend_tools::coco_lines(run->figures.stats, options.metric).c_str(), stdout);
    if (per_class) {
        std::fputs(("\n" + ostend_tools::coco_table(run->figures, run->truth)).c_str(), stdout);
    }
    return 0;
}
