#include "coco/coco_run.hpp"

#include "coco/coco_files.hpp"
#include "io/files.hpp"
#include "ostend/metrics/coco_state.hpp"
#include "parallel/state_files.hpp"

#include <chrono>

namespace ostend_tools {

using ostend::coco_accumulator;
using ostend::error;
using ostend::result;
using ostend::status;
using ostend::success;

namespace {

namespace fs = std::filesystem;

constexpr std::string_view state_magic = "ostend_coco_eval";
constexpr std::uint32_t state_version = 1;

/// What a state belongs to: it is of no use to other files or another overlap.
struct origin {
    std::uint64_t truth = 0;
    std::uint64_t results = 0;
    std::string iou;
};

std::string state_bytes(const origin& from, const coco_accumulator& metric) {
    ostend::byte_writer out;
    out.put(state_magic);
    out.put(state_version);
    out.put(from.truth);
    out.put(from.results);
    out.put(std::string_view(from.iou));
    out.put(std::string_view(coco_to_bytes(metric)));
    return std::move(out).finish();
}

result<coco_accumulator> read_state(std::string_view bytes, const origin& expected,
                                    const ostend::coco_options& options) {
    ostend::byte_reader in(bytes);
    if (!in.failed() && in.get_text() != state_magic) {
        return error{"this is not a state of ostend_coco_eval"};
    }
    if (!in.failed() && in.get<std::uint32_t>() != state_version) {
        return error{"a state of another version"};
    }
    const auto truth = in.get<std::uint64_t>();
    const auto results = in.get<std::uint64_t>();
    const std::string iou = in.get_text();
    const std::string accumulator = in.get_text();
    in.expect_end();
    if (in.failed()) {
        return in.failure();
    }
    if (truth != expected.truth || results != expected.results) {
        return error{truth != expected.truth ? "a state of another annotation file"
                                             : "a state of another result file"};
    }
    if (iou != expected.iou) {
        return error{"a state of --iou " + iou};
    }
    auto metric = ostend::coco_from_bytes(accumulator);
    if (metric && !(metric->options() == options)) {
        return error{"a state of other options"};
    }
    return metric;
}

status merge_bytes(coco_accumulator& metric, std::string_view bytes, const origin& expected) {
    const auto part = read_state(bytes, expected, metric.options());
    return part ? metric.merge(*part) : status(part.error());
}

/// A part of the images. A run that was cut off may have left an image in two of its own files: the same
/// record again is welcome there, and another one is an error.
status unite_bytes(coco_accumulator& metric, std::string_view bytes, const origin& expected) {
    const auto part = read_state(bytes, expected, metric.options());
    if (!part) {
        return part.error();
    }
    for (const auto& [image, record] : part->records()) {
        const auto* known = metric.records().find(image);
        if (known == nullptr) {
            if (const status added = metric.add(image, record); !added) {
                return added;
            }
        } else if (!(*known == record)) {
            return error{"this image was evaluated differently before", ostend::image_name(image)};
        }
    }
    return success{};
}

template <class Take>
status take_file(coco_accumulator& metric, const fs::path& path, const origin& expected, Take&& take) {
    const auto bytes = read_file(path, std::uintmax_t{1} << 40U);
    if (!bytes) {
        return bytes.error();
    }
    const status taken = take(metric, *bytes, expected);
    return taken ? taken : status(taken.error().in(path.string()));
}

/// Spreads ids evenly, however they are numbered (Steele et al., SplitMix64).
std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
}

/// One rank's work, step by step; each step returns what all ranks then agree on.
class coco_run {
public:
    coco_run(const coco_run_options& options, ranks& all)
        : options_(options), all_(all), saved_(options.metric), merged_(options.metric),
          mine_(options.metric) {}

    status read() {
        if (!options_.state.empty()) {
            if (const status writable = check_writable(options_.state); !writable) {
                return writable;
            }
        }
        auto truth =
            read_coco_truth(options_.truth, {.masks = truth_masks(options_.iou),
                                             .keep = [this](std::int64_t id) { return is_mine(id); }});
        if (!truth) {
            return truth.error();
        }
        auto results =
            read_coco_results(options_.results, {.masks = result_masks(options_.iou),
                                                 .keep = [this](std::int64_t id) { return is_mine(id); }});
        if (!results) {
            return results.error();
        }
        out.truth = *std::move(truth);
        results_ = *std::move(results);
        for (const coco_object& a : out.truth.annotations) {
            out.zero_ids = out.zero_ids || a.id == 0;
        }
        if (options_.skip_unknown_categories) {
            out.left_out = drop_unknown_categories(results_, out.truth);
        }
        if (const status good = check_results(results_, out.truth); !good) {
            return good.error().in(options_.results.string());
        }
        from_ = {out.truth.digest, results_.digest, std::string(to_name(options_.iou))};
        return success{};
    }

    /// Every rank reads the states, so that each knows what is done; the first one passes them on.
    status resume() {
        for (const fs::path& path : saved_states(options_.state)) {
            if (const status taken = take_file(saved_, path, from_, unite_bytes); !taken) {
                return taken;
            }
        }
        for (const fs::path& path : options_.merge) {
            if (const status taken = take_file(merged_, path, from_, merge_bytes); !taken) {
                return taken;
            }
        }
        return success{};
    }

    /// On the first rank, when all have read: one state file in place of the old ones.
    status write_state() const {
        if (options_.state.empty()) {
            return success{};
        }
        if (const status written = write_file(options_.state, state_bytes(from_, saved_)); !written) {
            return written;
        }
        remove_rank_states(options_.state);
        return success{};
    }

    /// What this rank has done so far, beside the state.
    status save_mine() const {
        return options_.state.empty()
                   ? status(success{})
                   : write_file(rank_state(options_.state, all_.rank()), state_bytes(from_, mine_));
    }

    status evaluate() {
        std::size_t to_do = 0;
        for (const coco_image& image : out.truth.images) {
            to_do += is_to_do(image.id) ? 1U : 0U;
        }
        std::size_t done = 0;
        auto saved_at = std::chrono::steady_clock::now();
        bool stopped = false;
        const auto after_image = [&](std::int64_t) -> status {
            ++done;
            if (options_.progress && all_.first()) {
                options_.progress(done, to_do);
            }
            const auto now = std::chrono::steady_clock::now();
            if (!options_.state.empty() &&
                std::chrono::duration<double>(now - saved_at).count() >= options_.save_seconds) {
                saved_at = now;
                if (const status saved = save_mine(); !saved) {
                    return saved;
                }
            }
            if (options_.interrupted && options_.interrupted() && done < to_do) {
                stopped = true;
                return error{"interrupted"};
            }
            return success{};
        };
        const status evaluated = evaluate_coco(out.truth, results_,
                                               {.iou = options_.iou,
                                                .skip = [this](std::int64_t id) { return !is_to_do(id); },
                                                .done = after_image},
                                               mine_);
        if (stopped) {
            out.interrupted = true;
            return success{};
        }
        if (!evaluated) {
            const bool of_results = evaluated.error().field.starts_with("results");
            return evaluated.error().in((of_results ? options_.results : options_.truth).string());
        }
        return success{};
    }

    /// For the first rank, which has its own work at hand.
    [[nodiscard]] std::string my_bytes() const { return all_.first() ? "" : state_bytes(from_, mine_); }

    /// On the first rank: everyone's work becomes the state, and the figures.
    status finish(const std::vector<std::string>& parts) {
        if (const status merged = saved_.merge(mine_); !merged) {
            return merged;
        }
        for (std::size_t r = 1; r < parts.size(); ++r) {
            if (const status merged = merge_bytes(saved_, parts[r], from_); !merged) {
                return merged.error().in("rank " + std::to_string(r));
            }
        }
        if (const status written = write_state(); !written) {
            return written;
        }
        if (const status merged = merged_.merge(saved_); !merged) {
            return merged;
        }
        out.images = merged_.records().size();
        if (out.complete()) {
            out.figures = merged_.compute({.curves = options_.curves});
        }
        return success{};
    }

    coco_run_result out;

private:
    [[nodiscard]] bool is_mine(std::int64_t image) const {
        const std::uint64_t at = mixed(static_cast<std::uint64_t>(image));
        const auto parts = static_cast<std::uint64_t>(options_.parts);
        const auto size = static_cast<std::uint64_t>(all_.size());
        return at % parts == static_cast<std::uint64_t>(options_.part) &&
               at / parts % size == static_cast<std::uint64_t>(all_.rank());
    }

    [[nodiscard]] bool is_to_do(std::int64_t image) const {
        return is_mine(image) && !saved_.records().contains(image) && !merged_.records().contains(image);
    }

    const coco_run_options& options_;
    ranks& all_;
    coco_result_file results_;
    origin from_;
    coco_accumulator saved_;  ///< what the state had; at the end, and all ranks' work
    coco_accumulator merged_; ///< what other parts' states have; at the end, everything
    coco_accumulator mine_;
};

} // namespace

result<coco_run_result> run_coco(const coco_run_options& options, ranks& all) {
    coco_run run(options, all);
    const auto on_first = [&](auto&& step) { return all.first() ? step() : status(success{}); };
    if (const status read = all.agree(run.read()); !read) {
        return read.error();
    }
    if (const status resumed = all.agree(run.resume()); !resumed) {
        return resumed.error();
    }
    if (const status written = all.agree(on_first([&] { return run.write_state(); })); !written) {
        return written.error();
    }
    if (const status evaluated = all.agree(run.evaluate()); !evaluated) {
        return evaluated.error();
    }
    if (!all.agree(run.out.interrupted ? status(error{"interrupted"}) : status(success{}))) {
        run.out.interrupted = true;
        if (const status saved = all.agree(run.save_mine()); !saved) {
            return saved.error();
        }
        return std::move(run.out);
    }
    const auto parts = all.gather(run.my_bytes());
    if (const status gathered = all.agree(parts ? status(success{}) : status(parts.error())); !gathered) {
        return gathered.error();
    }
    if (const status finished = all.agree(on_first([&] { return run.finish(*parts); })); !finished) {
        return finished.error();
    }
    return std::move(run.out);
}

} // namespace ostend_tools
