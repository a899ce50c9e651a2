// A grounding as files: grounding.json, overlay PNGs, and a page of the report.
#pragma once

#include "io/image_file.hpp"
#include "io/json.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/report/page.hpp"
#include "ostend/report/picture.hpp"

#include <string>
#include <vector>

namespace ostend_tools {

/// Caption; per phrase its text, token span, peak, confidence, box, RLE mask; preset and options.
json grounding_to_json(const ostend::grounding& grounding, const std::string& image_name);

/// The grounding as one image of a report page; it keeps a view of the image.
ostend::page_image grounding_to_page(const ostend::grounding& grounding, const std::string& name,
                                     const ostend::image_view& image);

/// The file name of a phrase's overlay: its number and its letters.
std::string overlay_name(const ostend::grounding& grounding, std::size_t phrase);

/// One PNG for each phrase: the image with the normalised map, the mask's outline and the peak.
struct overlay_file {
    std::string name;
    std::string png;
};
ostend::result<std::vector<overlay_file>> overlays(const ostend::grounding& grounding,
                                                   const ostend::image_view& image);

/// PNG bytes of a picture, for html_page.
std::string picture_to_png(const ostend::picture& p);

} // namespace ostend_tools
