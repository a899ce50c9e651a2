#include "evaluate/evaluation.hpp"

#include "ostend/mask/runs.hpp"
#include "ostend/peak/argmax.hpp"
#include "ostend/phrase/text_span.hpp"
#include "scenes/classes.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

namespace ostend_tools {

using ostend::index;

namespace {

/// A sum as a number, whole where it counts things.
json sum_of(double value) {
    const auto whole = static_cast<std::int64_t>(value);
    return static_cast<double>(whole) == value ? json(whole) : json(value);
}

/// A figure as a number, and what it was made of under "counts".
void put(json& figures, json& counts, const std::string& name, const ostend::ratio& r) {
    figures[name] = r.value();
    counts[name] = {{"numerator", sum_of(r.numerator)}, {"denominator", sum_of(r.denominator)}};
}

/// Does the phrase occur in the text as whole words?
bool names(const std::string& text, std::string_view phrase) {
    const auto is_word = [&](std::size_t at) {
        return at < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '-');
    };
    for (auto at = text.find(phrase); at != std::string::npos; at = text.find(phrase, at + 1)) {
        if ((at == 0 || !is_word(at - 1)) && !is_word(at + phrase.size())) {
            return true;
        }
    }
    return false;
}

bool is_class(std::string_view words) {
    return std::any_of(ostend::scenes::classes.begin(), ostend::scenes::classes.end(),
                       [&](const auto& c) { return c.phrase == words; });
}

bool hits(const known_scene& scene, const std::string& words, ostend::pixel at) {
    return std::any_of(scene.objects.begin(), scene.objects.end(), [&](const known_object& object) {
        return object.phrase == words && ostend::contains(object.mask, at);
    });
}

ostend::result<known_object> object_from_json(const json& value) {
    const auto phrase = field(value, "phrase");
    if (!phrase) {
        return phrase.error();
    }
    if (!(*phrase)->is_string()) {
        return ostend::error{"expected a string", "phrase"};
    }
    const auto mask = field(value, "mask");
    if (!mask) {
        return mask.error();
    }
    auto runs = rle_from_json(**mask);
    if (!runs) {
        return runs.error().in("mask");
    }
    return known_object{(*phrase)->get<std::string>(), *std::move(runs)};
}

ostend::result<known_scene> scene_from_json(const json& value, const std::filesystem::path& folder) {
    const auto file = field(value, "file");
    if (!file) {
        return file.error();
    }
    const auto objects = field(value, "objects");
    if (!objects) {
        return objects.error();
    }
    if (!(*file)->is_string()) {
        return ostend::error{"expected a string", "file"};
    }
    if (!(*objects)->is_array()) {
        return ostend::error{"expected a list", "objects"};
    }
    const auto caption = value.find("caption"); // may be missing: nothing is compared with it
    if (caption != value.end() && !caption->is_string()) {
        return ostend::error{"expected a string", "caption"};
    }
    known_scene scene{.name = (*file)->get<std::string>(),
                      .image = {},
                      .caption = caption == value.end() ? "" : caption->get<std::string>(),
                      .objects = {}};
    if (std::filesystem::path(scene.name).filename() != scene.name) {
        return ostend::error{"the file must lie in the scenes' own folder", "file"};
    }
    auto image = read_image(folder / scene.name);
    if (!image) {
        return image.error();
    }
    scene.image = *std::move(image);
    for (const json& object : **objects) {
        auto known = object_from_json(object);
        const std::string where = "objects[" + std::to_string(scene.objects.size()) + "]";
        if (!known) {
            return known.error().in(where);
        }
        if (known->mask.height != scene.image.height || known->mask.width != scene.image.width) {
            return ostend::error{"the mask has another size than the image", where};
        }
        scene.objects.push_back(*std::move(known));
    }
    return scene;
}

} // namespace

ostend::result<std::vector<known_scene>> read_scenes(const std::string& folder) {
    const std::filesystem::path path = std::filesystem::path(folder) / "scenes.json";
    const auto file = read_json(path);
    if (!file) {
        return file.error();
    }
    const auto list = field(*file, "scenes");
    if (!list) {
        return list.error().in(path.string());
    }
    if (!(*list)->is_array()) {
        return ostend::error{"expected a list", path.string() + ": scenes"};
    }
    std::vector<known_scene> scenes;
    for (const json& value : **list) {
        auto scene = scene_from_json(value, folder);
        if (!scene) {
            return scene.error().in(path.string() + ": scenes[" + std::to_string(scenes.size()) + "]");
        }
        scenes.push_back(*std::move(scene));
    }
    if (scenes.empty()) {
        return ostend::error{"there is no scene", path.string()};
    }
    return scenes;
}

ostend::result<std::vector<phrase_outcome>> evaluation::update(const known_scene& scene,
                                                               const ostend::grounding& found) {
    scene_record record;
    // Phrases that name a class; the others (a wrong word, "the picture") are not counted here.
    std::vector<std::size_t> naming;
    std::vector<ostend::noun_phrase> phrases;
    std::vector<std::string> words;
    const ostend::text_index caption(found.caption);
    for (std::size_t i = 0; i < found.phrases.size(); ++i) {
        const ostend::noun_phrase& p = found.phrases[i].phrase;
        const std::string without_article(caption.substring(p.words));
        if (!is_class(without_article)) {
            continue;
        }
        naming.push_back(i);
        phrases.push_back(p);
        words.push_back(without_article);
    }

    const ostend::token_span_options text_rule{.leading_space_stripped = true};
    const auto spans = ostend::token_spans(found.tokens, text_rule);
    const auto predicting = found.attention.maps(ostend::query_convention::predicting);
    if (!predicting) {
        return predicting.error().in(scene.name);
    }
    const auto itself = found.attention.maps(ostend::query_convention::token_itself);
    if (!itself) {
        return itself.error().in(scene.name);
    }

    // Whether an object has a point of each kind on it.
    std::vector<std::array<bool, oracle_kinds.size()>> pointed_at(scene.objects.size());
    for (std::size_t k = 0; k < oracle_kinds.size(); ++k) {
        const std::string_view kind = oracle_kinds[k];
        const bool whole = kind.starts_with("with_article");
        const ostend::matrix<float>& tokens = kind == "token_itself" ? *itself : *predicting;
        const auto raw = ostend::phrase_maps(
            tokens, spans, phrases,
            {.words = whole ? ostend::phrase_words::whole : ostend::phrase_words::without_article});
        if (!raw) {
            return raw.error().in(scene.name);
        }
        const auto rule = kind == "mean_token"              ? ostend::normalisation::mean_token
                          : kind.ends_with("other_phrases") ? ostend::normalisation::other_phrases
                                                            : ostend::normalisation::none;
        const auto maps = ostend::normalise(rule, *raw, tokens);
        for (std::size_t i = 0; i < phrases.size(); ++i) {
            const auto peak = ostend::find_peak(maps.row(static_cast<index>(i)), found.grid);
            if (!peak) {
                return peak.error().in(scene.name);
            }
            if (k < point_kinds.size()) {
                record.points[k].add(hits(scene, words[i], peak->at));
            }
            for (std::size_t o = 0; o < scene.objects.size(); ++o) {
                const known_object& object = scene.objects[o];
                pointed_at[o][k] = pointed_at[o][k] ||
                                   (words[i] == object.phrase && ostend::contains(object.mask, peak->at));
            }
        }
    }

    std::vector<phrase_outcome> outcomes;
    std::vector<ostend::rle> predictions;
    for (std::size_t i = 0; i < naming.size(); ++i) {
        const ostend::grounded_phrase& p = found.phrases[naming[i]];
        const bool present = std::any_of(scene.objects.begin(), scene.objects.end(),
                                         [&](const known_object& o) { return o.phrase == words[i]; });
        record.precision.add(present);
        predictions.push_back(p.mask);
        outcomes.push_back({naming[i], present, hits(scene, words[i], p.at.at)});
    }

    std::vector<ostend::rle> truths;
    std::vector<std::string> labels;
    for (const auto& kinds : pointed_at) {
        for (std::size_t k = 0; k < oracle_kinds.size(); ++k) {
            record.oracles[k].add(kinds[k]);
        }
    }
    for (const known_object& object : scene.objects) {
        record.recall.add(names(found.caption, object.phrase));
        bool pointed = false;
        for (std::size_t i = 0; i < naming.size(); ++i) {
            pointed = pointed || (words[i] == object.phrase &&
                                  ostend::contains(object.mask, found.phrases[naming[i]].at.at));
        }
        record.oracle.add(pointed);
        record.chance.numerator += static_cast<double>(ostend::area(object.mask)) /
                                   static_cast<double>(object.mask.height * object.mask.width);
        record.chance.denominator += 1;
        truths.push_back(object.mask);
        labels.push_back(object.phrase);
    }
    ostend::gcg_accumulator masks;
    if (const auto added =
            masks.update(scene.name, truths, predictions, ostend::label_equality(labels, words));
        !added) {
        return added.error();
    }
    record.masks = masks.records().begin()->second;
    if (const auto added = records_.add(scene.name, std::move(record)); !added) {
        return added.error();
    }
    return outcomes;
}

json evaluation::compute() const {
    scene_record all;
    ostend::gcg_accumulator all_masks;
    for (const auto& [scene, record] : records_) {
        all.recall.add(record.recall);
        all.precision.add(record.precision);
        all.oracle.add(record.oracle);
        for (std::size_t k = 0; k < point_kinds.size(); ++k) {
            all.points[k].add(record.points[k]);
        }
        for (std::size_t k = 0; k < oracle_kinds.size(); ++k) {
            all.oracles[k].add(record.oracles[k]);
        }
        all.chance.numerator += record.chance.numerator;
        all.chance.denominator += record.chance.denominator;
        static_cast<void>(all_masks.add(scene, record.masks)); // names are unique here
    }
    const ostend::gcg_result masks = all_masks.compute();
    json out = json::object();
    json counts = json::object();
    put(out, counts, "noun_recall", all.recall.as_ratio());
    put(out, counts, "noun_precision", all.precision.as_ratio());
    put(out, counts, "chance", all.chance);
    out["point_accuracy"] = json::object();
    counts["point_accuracy"] = json::object();
    for (std::size_t k = 0; k < point_kinds.size(); ++k) {
        put(out["point_accuracy"], counts["point_accuracy"], std::string(point_kinds[k]),
            all.points[k].as_ratio());
    }
    put(out, counts, "oracle_mask_recall", all.oracle.as_ratio());
    out["oracle_by_point"] = json::object();
    counts["oracle_by_point"] = json::object();
    for (std::size_t k = 0; k < oracle_kinds.size(); ++k) {
        put(out["oracle_by_point"], counts["oracle_by_point"], std::string(oracle_kinds[k]),
            all.oracles[k].as_ratio());
    }
    put(out, counts, "mask_recall", masks.recall);
    put(out, counts, "mask_miou", masks.miou);
    out["phrases"] = all.precision.of;
    out["counts"] = counts;
    return out;
}

} // namespace ostend_tools
