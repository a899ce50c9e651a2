// Evaluation on scenes whose objects are known: what the model names, where it points, what the masks recall.
#pragma once

#include "io/image_file.hpp"
#include "io/json.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/metrics/gcg.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_tools {

struct known_object {
    std::string phrase; ///< the class by name, without article
    ostend::rle mask;   ///< original pixels
};

struct known_scene {
    std::string name;
    rgb_image image;
    std::string caption;
    std::vector<known_object> objects;
};

/// The scenes of a folder: scenes.json and the PNG files that it names.
ostend::result<std::vector<known_scene>> read_scenes(const std::string& folder);

struct hit_count {
    ostend::index hits = 0;
    ostend::index of = 0;
    void add(bool hit) {
        ++of;
        hits += hit ? 1 : 0;
    }
    void add(const hit_count& more) {
        hits += more.hits;
        of += more.of;
    }
    [[nodiscard]] ostend::ratio as_ratio() const {
        return {static_cast<double>(hits), static_cast<double>(of)};
    }
};

/// The kinds of point accuracy: all over the phrase's words without its article and with the predicting
/// query, raw, unless the name says otherwise.
inline constexpr std::array<std::string_view, 5> point_kinds{"raw", "mean_token", "other_phrases",
                                                             "token_itself", "with_article"};

/// The kinds of point that a perfect segmenter is asked at: those, and what the last gives less the mean map
/// of the other phrases, article and all.
inline constexpr std::array<std::string_view, 6> oracle_kinds{
    "raw", "mean_token", "other_phrases", "token_itself", "with_article", "with_article_other_phrases"};

/// What a phrase of the caption that names a class did, for the report.
struct phrase_outcome {
    std::size_t phrase = 0; ///< index into grounding::phrases
    bool present = false;   ///< its class is in the scene
    bool hit = false;       ///< the preset's point lies on an object of its class
};

/// What one scene adds to the figures.
struct scene_record {
    hit_count recall;
    hit_count precision;
    hit_count oracle; ///< at the preset's points
    std::array<hit_count, oracle_kinds.size()> oracles;
    std::array<hit_count, point_kinds.size()> points;
    ostend::ratio chance; ///< sum over objects of mask area / image area
    ostend::gcg_record masks;
};

/// Figures over scenes, which may be split over processes and runs in any way: records are reduced in the
/// order of the scenes' names. Const access is safe from several threads.
class evaluation {
public:
    /// Adds a scene and what ground() found in it. Errors: maps that were not recorded whole, a scene twice.
    /// Nothing is added then.
    ostend::result<std::vector<phrase_outcome>> update(const known_scene& scene,
                                                       const ostend::grounding& found);
    /// Disjoint union: a scene in both is an error, and then nothing has changed.
    ostend::status merge(const evaluation& other) { return records_.merge(other.records_); }
    /// The figures as numbers; the numerator and denominator of each under "counts".
    [[nodiscard]] json compute() const;

    [[nodiscard]] bool contains(const std::string& scene) const { return records_.contains(scene); }
    [[nodiscard]] std::size_t scenes() const { return records_.size(); }

    /// The records as bytes. `origin` says what they belong to: model, scenes, conventions.
    [[nodiscard]] std::string to_bytes(const std::string& origin) const;
    /// Reads such bytes. Errors say what is wrong: another origin, damage, counts that contradict each other.
    static ostend::result<evaluation> from_bytes(std::string_view bytes, const std::string& origin);
    /// merge, but a scene that is in both with the same record is welcome (a run that was cut off between two
    /// files).
    ostend::status unite(const evaluation& other);

private:
    ostend::image_records<scene_record> records_;
};

} // namespace ostend_tools
