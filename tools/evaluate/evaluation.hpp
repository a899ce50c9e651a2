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
    [[nodiscard]] ostend::ratio as_ratio() const {
        return {static_cast<double>(hits), static_cast<double>(of)};
    }
};

/// The kinds of point accuracy: all over the phrase's words without its article and with the predicting
/// query, raw, unless the name says otherwise.
inline constexpr std::array<std::string_view, 5> point_kinds{"raw", "mean_token", "other_phrases",
                                                             "token_itself", "with_article"};

/// What a phrase of the caption that names a class did, for the report.
struct phrase_outcome {
    std::size_t phrase = 0; ///< index into grounding::phrases
    bool present = false;   ///< its class is in the scene
    bool hit = false;       ///< the preset's point lies on an object of its class
};

/// Sums over scenes; const access is safe from several threads.
class evaluation {
public:
    /// Adds a scene and what ground() found in it. Errors: maps that were not recorded whole, a scene twice.
    ostend::result<std::vector<phrase_outcome>> update(const known_scene& scene,
                                                       const ostend::grounding& found);
    /// The figures as numbers; the numerator and denominator of each under "counts".
    [[nodiscard]] json compute() const;

private:
    hit_count recall_;
    hit_count precision_;
    hit_count oracle_;
    std::array<hit_count, point_kinds.size()> points_;
    ostend::ratio chance_; ///< sum over objects of mask area / image area
    ostend::gcg_accumulator masks_;
};

} // namespace ostend_tools
