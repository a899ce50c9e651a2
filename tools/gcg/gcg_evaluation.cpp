#include "gcg/gcg_evaluation.hpp"

#include "ostend/metrics/gcg_ap.hpp"

#include <set>
#include <system_error>

namespace ostend_tools {

using ostend::error;
using ostend::index;
using ostend::result;
using ostend::status;
using ostend::success;

namespace {

/// Every cosine of an image's labels and phrases is looked up, used or not, as the scripts compute them all.
result<ostend::matrix<double>> cosines(const text_similarity& similarity,
                                       const std::vector<std::string>& labels,
                                       const std::vector<std::string>& phrases) {
    ostend::matrix<double> out(static_cast<index>(labels.size()), static_cast<index>(phrases.size()));
    for (std::size_t l = 0; l < labels.size(); ++l) {
        for (std::size_t p = 0; p < phrases.size(); ++p) {
            const auto cosine = similarity(labels[l], phrases[p]);
            if (!cosine) {
                return cosine.error();
            }
            out(static_cast<index>(l), static_cast<index>(p)) = *cosine;
        }
    }
    return out;
}

/// The matches of mask recall. Where there are more masks than texts the scripts read past their table of
/// cosines, and fail, as soon as they get to a mask without a text: an error here.
result<std::vector<ostend::gcg_match>> matches_of(const ostend::matrix<double>& iou, // [predictions, truths]
                                                  const ostend::matrix<double>& cosine, // [labels, phrases]
                                                  const ostend::gcg_options& options) {
    ostend::matrix<double> turned(iou.columns(), iou.rows());
    ostend::matrix<double> text(iou.columns(), iou.rows(), 1.0); // a mask without text is taken, to be seen
    for (index t = 0; t < turned.rows(); ++t) {
        for (index p = 0; p < turned.columns(); ++p) {
            turned(t, p) = iou(p, t);
            if (t < cosine.rows() && p < cosine.columns()) {
                text(t, p) = cosine(t, p);
            }
        }
    }
    auto matches = ostend::gcg_matches(std::move(turned), text, options);
    for (const ostend::gcg_match& match : matches) {
        if (match.truth >= cosine.rows()) {
            return error{"mask " + std::to_string(match.truth) +
                         " of the truth is found and has no label: " + std::to_string(iou.columns()) +
                         " masks, " + std::to_string(cosine.rows()) + " labels"};
        }
        if (match.prediction >= cosine.columns()) {
            return error{"mask " + std::to_string(match.prediction) +
                         " of the prediction is matched and has no phrase: " + std::to_string(iou.rows()) +
                         " masks, " + std::to_string(cosine.columns()) + " phrases"};
        }
    }
    return matches;
}

/// The evaluation of all images, one after the other.
class evaluator {
public:
    evaluator(const gcg_evaluation_options& options, text_similarity similarity)
        : options_(options), similarity_(std::move(similarity)), recall_(options.metric) {}

    status add(const image_id& id, std::int64_t number, const gcg_image& truth) {
        const std::string name = to_string(id);
        gcg_prediction predicted;
        if (truth.has_caption) {
            const auto path = options_.predictions / (name + ".json");
            std::error_code ignored;
            if (std::filesystem::exists(path, ignored) || options_.on_missing == gcg_failure::stop) {
                auto read = read_gcg_prediction(path);
                if (!read) {
                    return read.error();
                }
                predicted = *std::move(read);
                if (status good = add_caption(name, path.string(), truth, predicted); !good) {
                    return good;
                }
            } else {
                missing_.push_back(name);
                if (status good =
                        recall_.add_failed(name, truth.labels ? static_cast<index>(truth.labels->size()) : 0);
                    !good) {
                    return good;
                }
            }
        }
        masks_ += predicted.masks.size();
        if (!truth.has_masks) {
            return predicted.masks.empty() ? status(success{})
                                           : error{"has predicted masks, but the file does not list it",
                                                   options_.masks.string() + ": images: " + name};
        }
        std::vector<ostend::coco_truth> annotations;
        for (const gcg_annotation& one : truth.annotations) {
            annotations.push_back(
                {.id = one.id, .category = one.category, .area = one.area, .crowd = one.crowd});
        }
        const status added = precision_.update(number, truth.masks, predicted.masks, annotations);
        return added ? added : added.error().in(name);
    }

    [[nodiscard]] json figures() const {
        const ostend::gcg_ap_result ap = precision_.compute();
        const ostend::gcg_result found = recall_.compute();
        const auto counts = [](const ostend::ratio& r) {
            return json{{"numerator", r.numerator}, {"denominator", r.denominator}};
        };
        return {{"ap", ap.ap},
                {"ap50", ap.ap50},
                {"miou", found.miou.value()},
                {"recall", found.recall.value()},
                {"counts", {{"miou", counts(found.miou)}, {"recall", counts(found.recall)}}},
                {"images", recall_.records().size()},
                {"predicted_masks", masks_},
                {"failed_images", failed_},
                {"missing_predictions", missing_}};
    }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

private:
    status add_caption(const std::string& name, const std::string& path, const gcg_image& truth,
                       const gcg_prediction& predicted) {
        if (predicted.phrases.size() != predicted.masks.size()) {
            notes_.push_back(path + ": " + std::to_string(predicted.phrases.size()) + " phrases, " +
                             std::to_string(predicted.masks.size()) + " masks");
        }
        ostend::gcg_record record;
        record.predictions = static_cast<index>(predicted.masks.size());
        if (const rle* first = !truth.masks.empty() ? &truth.masks.front() : nullptr; first != nullptr) {
            if (const status good = ostend::check_like(predicted.masks, *first, "pred_masks"); !good) {
                return good.error().in(path);
            }
        }
        const auto iou = ostend::gcg_iou(predicted.masks, truth.masks, options_.metric.empty_pair);
        record.paired_iou = ostend::gcg_paired_iou(iou);
        std::string failure;
        if (!truth.labels) {
            failure = options_.captions.string() + ": annotations: image " + name + " has no caption";
        } else {
            if (truth.labels->size() != truth.masks.size()) {
                notes_.push_back(name + ": " + std::to_string(truth.labels->size()) + " labels, " +
                                 std::to_string(truth.masks.size()) + " masks of the truth");
            }
            const auto cosine = cosines(similarity_, *truth.labels, predicted.phrases);
            if (!cosine) {
                return cosine.error();
            }
            record.truths = static_cast<index>(truth.labels->size()); // the scripts' denominator
            auto matches = matches_of(iou, *cosine, options_.metric);
            if (matches) {
                record.matches = *std::move(matches);
            } else {
                failure = matches.error().in(path).message();
            }
        }
        if (!failure.empty()) {
            if (options_.on_failure == gcg_failure::stop) {
                return error{failure};
            }
            notes_.push_back("counted as missed: " + failure);
            failed_.push_back(name);
        }
        return recall_.add(name, std::move(record));
    }

    using rle = ostend::rle;
    const gcg_evaluation_options& options_;
    text_similarity similarity_;
    ostend::gcg_accumulator recall_;
    ostend::gcg_ap_accumulator precision_;
    std::size_t masks_ = 0;
    std::vector<std::string> notes_;
    std::vector<std::string> failed_;
    std::vector<std::string> missing_;
};

/// Files of the folder that belong to no image of the caption file.
result<std::vector<std::string>> other_files(const std::filesystem::path& folder, const gcg_truth& truth) {
    std::set<std::string> known;
    for (const auto& [id, image] : truth) {
        if (image.has_caption) {
            known.insert(to_string(id) + ".json");
        }
    }
    std::set<std::string> others;
    std::error_code failure;
    std::filesystem::directory_iterator entry(folder, failure);
    for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
        const std::string name = entry->path().filename().string();
        if (entry->path().extension() == ".json" && known.count(name) == 0) {
            others.insert(name);
        }
    }
    if (failure) {
        return error{"the folder cannot be read: " + failure.message(), folder.string()};
    }
    return std::vector<std::string>(others.begin(), others.end());
}

} // namespace

result<gcg_evaluation> evaluate_gcg(const gcg_evaluation_options& options, const gcg_progress& progress) {
    const auto truth = read_gcg_truth(options.masks, options.captions);
    if (!truth) {
        return truth.error();
    }
    text_similarity similarity;
    if (!options.similarity.empty()) {
        auto read = text_similarity::read(options.similarity);
        if (!read) {
            return read.error();
        }
        similarity = *std::move(read);
    }
    const auto others = other_files(options.predictions, *truth);
    if (!others) {
        return others.error();
    }
    progress.begin(truth->size());
    evaluator all(options, std::move(similarity));
    std::int64_t number = 0;
    for (const auto& [id, image] : *truth) {
        if (const status good = all.add(id, number++, image); !good) {
            return good.error();
        }
        progress.step();
    }
    const auto word = [](gcg_failure what) { return what == gcg_failure::stop ? "stop" : "miss"; };
    const char* const empty[] = {"nan", "zero", "one"};
    gcg_evaluation out{all.figures(), all.notes()};
    out.figures["other_files"] = *others;
    out.figures["text_similarity"] =
        options.similarity.empty() ? "equality of the strings" : options.similarity.string();
    out.figures["protocol"] = {
        {"on_failure", word(options.on_failure)},
        {"on_missing", word(options.on_missing)},
        {"iou_threshold", options.metric.iou_threshold},
        {"text_threshold", options.metric.text_threshold},
        {"on_text_failure",
         options.metric.on_text_failure == ostend::gcg_text_failure::stop ? "stop" : "skip"},
        {"empty_pair", empty[static_cast<std::size_t>(options.metric.empty_pair)]}};
    if (!others->empty()) {
        out.notes.push_back(std::to_string(others->size()) + " files of no image in " +
                            options.captions.filename().string() + " were not read: " + others->front() +
                            (others->size() > 1 ? ", ..." : ""));
    }
    return out;
}

} // namespace ostend_tools
