// A page to test with: an image of any size, its layout, and phrases with random maps.
#pragma once

#include "ostend/geometry/stretch.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/report/page.hpp"

#include <deque>
#include <random>
#include <string>
#include <vector>

namespace ostend_test {

class page_fixture {
public:
    explicit page_fixture(unsigned seed = 1) : random_(seed) {}

    std::vector<float> map(ostend::index count) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (float& v : values) {
            v = std::uniform_real_distribution<float>(-1, 1)(random_);
        }
        return values;
    }
    /// An image of noise under a grid of 3 rows x 4 columns, without phrases.
    ostend::page_image image(ostend::index height, ostend::index width, const std::string& caption) {
        auto& pixels = pixels_.emplace_back(static_cast<std::size_t>(height * width * 3));
        for (auto& p : pixels) {
            p = static_cast<std::uint8_t>(random_() & 0xFFU);
        }
        return {.name = "image.png",
                .image = {pixels.data(), {height, width, 3}},
                .caption = caption,
                .grid =
                    ostend::geometry::stretch({.width = width, .height = height}, {.rows = 3, .columns = 4})};
    }
    /// A phrase of the image's caption with maps, a peak and a mask.
    void add_phrase(ostend::page_image& to, ostend::text_span span, const std::string& text) {
        const auto size = to.grid.original;
        ostend::bitmap mask(size.height, size.width);
        for (auto& p : mask.pixels) {
            p = random_() % 2 == 0 ? 1 : 0;
        }
        mask.pixels.front() = 1;
        to.phrases.push_back({.text = text,
                              .span = span,
                              .raw_map = map(12),
                              .map = map(12),
                              .at = {.at = {static_cast<ostend::index>(random_()) % size.width,
                                            static_cast<ostend::index>(random_()) % size.height},
                                     .value = 0.5F,
                                     .confidence = 0.75},
                              .mask = ostend::encode(mask)});
    }
    std::mt19937& random() { return random_; }

private:
    std::mt19937 random_;
    std::deque<std::vector<std::uint8_t>> pixels_; ///< stay where they are
};

} // namespace ostend_test
