// A grounding as files: grounding.json, overlay PNGs, and a page of the report.
#pragma once

#include "io/files.hpp"
#include "io/image_file.hpp"
#include "io/json.hpp"
#include "ostend/geometry/probe.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/report/page.hpp"
#include "ostend/report/picture.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ostend_tools {

/// What made a grounding.
struct grounding_run {
    std::string image;
    std::string model;
    std::string segmenter;
    ostend::ground_options options;
};

/// Caption; per phrase its text, token span, peak, confidence, box, RLE mask; preset, options and the run.
json grounding_to_json(const ostend::grounding& grounding, const grounding_run& run);

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

/// Before the work: the folder --out has a name and report.html can be written there; --text, where given,
/// is not blank. Errors name the option or the path.
ostend::status check_arguments(const std::string& out_dir, const std::optional<std::string>& text);

/// For --check-layout: says on stderr that the layout is right, as a host's check_layout found. The error,
/// where image tokens lie elsewhere or nothing can be told, is of `file`.
ostend::status report_layout(const ostend::result<ostend::layout_finding>& found, const std::string& file);
inline constexpr const char* check_layout_help =
    "first light the cells of the image by a code and see which image token moves with which";

/// Adds grounding.json and overlays/*.png in `folder`, which is empty or ends in a slash.
ostend::status add_grounding(output_files& files, const std::string& folder,
                             const ostend::grounding& grounding, const grounding_run& run,
                             const ostend::image_view& image);

/// What programs print: the caption, and a line for each phrase, those that were not grounded last.
std::string grounding_text(const ostend::grounding& grounding);

/// PNG bytes of a picture, for html_page.
std::string picture_to_png(const ostend::picture& p);

} // namespace ostend_tools
