// page: what a report shows, as plain data: images with their caption, and for each phrase its maps, peak,
// mask.
#pragma once

#include "ostend/geometry/layout.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/peak/peak.hpp"
#include "ostend/phrase/text_span.hpp"
#include "ostend/tensor/view.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ostend::inline v0 {

/// Whether a phrase's point is known to be right; none where nobody knows.
enum class page_verdict : std::uint8_t { none, right, wrong };

struct page_phrase {
    std::string text = {};
    text_span span = {};             ///< in the caption, code points
    std::vector<float> raw_map = {}; ///< [image_tokens], before normalisation
    std::vector<float> map = {};     ///< [image_tokens], after it
    peak at = {};
    rle mask = {};         ///< original pixels; no rows: no mask
    std::string note = {}; ///< one more fact to show (a hit, a miss); may be empty
    page_verdict verdict = page_verdict::none;
};

struct page_image {
    std::string name = {};
    image_view image = {};
    std::string caption = {};
    layout grid = {};
    peak_options reading = {}; ///< how the peaks were read, so that the maps shown are those
    std::vector<page_phrase> phrases = {};
    std::vector<std::string> left_out = {}; ///< phrases that were not grounded, with the reason
    std::string note = {};                  ///< beside the name; may be empty
};

/// A measured figure: its name, its value as text, and what it counts.
struct page_figure {
    std::string name = {};
    std::string value = {};
    std::string meaning = {};
    std::optional<double> share = {}; ///< from 0 to 1: drawn as a bar
};

struct page {
    std::string title = "ostend";
    std::string made_with = {}; ///< model, preset and options that made it
    std::vector<page_figure> figures = {};
    std::vector<page_image> images = {};
};

} // namespace ostend::inline v0
