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

struct ratio {
    ostend::index numerator = 0;
    ostend::index denominator = 0;
    void add(bool hit) {
        ++denominator;
        numerator += hit ? 1 : 0;
    }
};

/// The kinds of point accuracy, in the order of evaluation::points.
inline constexpr std::array<std::string_view, 5> point_kinds{"raw", "mean_token", "other_phrases", "token_itself",
                                                             "with_article"};

/// What one phrase of a caption did, for the report.
struct phrase_outcome {
    std::string phrase;
    bool present = false; ///< its class is in the scene
    bool hit = false;     ///< the preset's point lies on an object of its class
};

/// Sums over scenes. Every figure is a ratio of counts, but chance and the two of metrics/gcg.
class evaluation {
public:
    /// Adds a scene: the model's grounding of it under the preset, and its token maps by query convention.
    /// predicting has a row for each generated token, the end token's included.
    ostend::result<std::vector<phrase_outcome>> update(const known_scene& scene, const ostend::grounding& found,
                                                       const ostend::matrix<float>& predicting,
                                                       const ostend::matrix<float>& itself);
    [[nodiscard]] ostend::result<json> compute() const;
    [[nodiscard]] ostend::index phrases() const { return precision_.denominator; }

private:
    ratio recall_;
    ratio precision_;
    ratio oracle_;
    std::array<ratio, point_kinds.size()> points_;
    double area_share_ = 0; ///< sum over objects of mask area / image area
    ostend::metrics::gcg_masks masks_;
};

} // namespace ostend_tools
