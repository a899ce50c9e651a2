// Images to point into: 200 of 480 x 640 with 7 objects of 3 of 80 categories, and 5 points each.
#pragma once

#include "cases.hpp"
#include "ostend/metrics/pointing.hpp"

#include <vector>

namespace ostend_bench {

struct pointed_image {
    std::string name;
    std::vector<std::int64_t> categories;
    std::vector<stored_mask> masks;
    std::vector<ostend::category_point> points;

    [[nodiscard]] std::vector<ostend::object_mask> truths(bool from_text) const {
        std::vector<ostend::object_mask> out;
        for (std::size_t i = 0; i < masks.size(); ++i) {
            out.push_back({categories[i], masks[i].read(from_text)});
        }
        return out;
    }
};

/// Half of the points lie in the middle of an object, the others anywhere; each is of an object's category.
inline const std::vector<pointed_image>& pointed_images() {
    static const std::vector<pointed_image> all = [] {
        generator random;
        std::vector<pointed_image> made;
        for (int i = 0; i < 200; ++i) {
            pointed_image& one = made.emplace_back();
            one.name = "image " + std::to_string(i);
            std::int64_t classes[3];
            for (std::int64_t& c : classes) {
                c = 1 + random.below(80);
            }
            std::vector<ellipse> objects;
            for (int k = 0; k < 7; ++k) {
                objects.push_back(anywhere(random));
                one.categories.push_back(classes[random.below(3)]);
                one.masks.emplace_back(draw(objects.back()));
            }
            for (int k = 0; k < 5; ++k) {
                const auto at = static_cast<std::size_t>(random.below(7));
                const bool middle = random.below(2) == 0;
                const ellipse e = middle ? objects[at] : anywhere(random);
                one.points.push_back({one.categories[at], {e.x, e.y}});
            }
        }
        return made;
    }();
    return all;
}

} // namespace ostend_bench
