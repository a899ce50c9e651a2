// html_page: one self-contained page. Pointing at a phrase of the caption shows its map, peak and mask.
//
// Pictures are embedded as PNG made by the host's encoder, so the library depends on no image library; images
// and maps are shrunk (html_options), masks become paths, peaks and areas stay in original pixels.
#pragma once

#include "ostend/geometry/grid.hpp"
#include "ostend/geometry/resized.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/peak/resample.hpp"
#include "ostend/phrase/utf8.hpp"
#include "ostend/report/caption.hpp"
#include "ostend/report/html_assets.hpp"
#include "ostend/report/markup.hpp"
#include "ostend/report/outline.hpp"
#include "ostend/report/overlay.hpp"
#include "ostend/report/page.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// Encodes a picture (3 or 4 channels) as the bytes of a PNG file.
using png_encoder = std::function<std::string(const picture&)>;

struct html_options {
    index max_side = 720; ///< of embedded images and masks, pixels
    index cell_pixels =
        8; ///< of embedded maps, which are smooth: at most so many for a cell of the longer side
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

inline std::string embedded_png(const picture& p, const png_encoder& png) {
    return " src=\"data:image/png;base64," + base64(png(p)) + "\"";
}

/// Where a peak lies in its image, in percent.
inline std::string peak_place(const page_image& image, const page_phrase& p) {
    const auto centre = p.at.at.centre();
    const image_size size = image.grid.original;
    return "left:" + decimal(100.0 * centre.x / static_cast<double>(size.width), 4) +
           "%;top:" + decimal(100.0 * centre.y / static_cast<double>(size.height), 4) + "%";
}

/// The image, over it all outlines and peaks at rest, and hidden until it is pointed at what each phrase has.
inline result<std::string> stage_html(const page_image& image, const png_encoder& png,
                                      const html_options& options) {
    const image_size size = image.grid.original;
    const grid_view& view = image.grid.views[static_cast<std::size_t>(image.reading.view)];
    const image_size map_size = fit_into(size, options.cell_pixels * std::max(view.rows, view.columns));
    const picture base = shrink(image.image, options.max_side);
    const layout grid = resized(image.grid, map_size);
    const std::string svg = " aria-hidden=\"true\" preserveAspectRatio=\"none\" viewBox=\"0 0 " +
                            std::to_string(base.width) + " " + std::to_string(base.height) + "\">";
    std::string layers;
    std::string outlines;
    std::string dots;
    for (std::size_t i = 0; i < image.phrases.size(); ++i) {
        const page_phrase& p = image.phrases[i];
        const std::string colour = "--c:" + css(phrase_colour(i));
        for (const auto& [kind, values] : {std::pair{"raw", &p.raw_map}, std::pair{"normalised", &p.map}}) {
            const auto map = upsample(*values, grid, image.reading);
            if (!map) {
                return map.error().in(std::string("the ") + kind + " map of '" + p.text + "'");
            }
            layers += "<img class=\"layer\" hidden alt=\"\"" + html_attribute("data-kind", kind) +
                      data_phrase(i) + embedded_png(heat_layer(*map), png) + ">\n";
        }
        if (p.mask.height > 0) {
            const std::string path = outline_path(resampled(p.mask, base.height, base.width));
            layers += "<svg class=\"layer\" hidden data-kind=\"mask\"" + data_phrase(i) +
                      html_attribute("style", colour) + svg + "<path d=\"" + path + "\"/></svg>\n";
            outlines +=
                "<path" + data_phrase(i) + html_attribute("style", colour) + " d=\"" + path + "\"/>\n";
        }
        dots += "<span class=\"dot\"" + data_phrase(i) +
                html_attribute("style", colour + ";" + peak_place(image, p)) + "></span>\n";
        layers += "<span class=\"peak\" hidden" + data_phrase(i) +
                  html_attribute("style", peak_place(image, p)) + "></span>\n";
    }
    return "<div class=\"frame\"><div class=\"stage\"" +
           html_attribute("style",
                          "--w:" + std::to_string(size.width) + ";--h:" + std::to_string(size.height)) +
           ">\n<img class=\"base\"" + html_attribute("alt", "The image, described as: " + image.caption) +
           embedded_png(base, png) + ">\n" + layers + "<svg class=\"overview\"" + svg + "\n" + outlines +
           "</svg>\n" + dots + "</div></div>\n";
}

inline std::string table_html(const page_image& image, bool open) {
    const bool notes = std::any_of(image.phrases.begin(), image.phrases.end(),
                                   [](const page_phrase& p) { return !p.note.empty(); });
    std::string out =
        std::string("<details") + (open ? " open" : "") +
        "><summary>All phrases as a table</summary>\n<table><thead><tr><th scope=\"col\">Phrase</th>"
        "<th scope=\"col\">Peak x, y</th><th scope=\"col\">Confidence</th><th scope=\"col\">Mask "
        "pixels</th>" +
        std::string(notes ? "<th scope=\"col\">Note</th>" : "") + "</tr></thead><tbody>\n";
    for (std::size_t i = 0; i < image.phrases.size(); ++i) {
        const page_phrase& p = image.phrases[i];
        const std::string confidence = decimal(p.at.confidence, 2);
        out += "<tr" + data_phrase(i) + html_attribute("style", "--c:" + css(phrase_colour(i))) +
               "><th scope=\"row\">" + html_escape(p.text) + "</th><td>" + std::to_string(p.at.at.x) + ", " +
               std::to_string(p.at.at.y) + "</td><td class=\"bar\"" +
               html_attribute("style", "--v:" + confidence) + ">" + confidence + "</td><td>" +
               (p.mask.height > 0 ? std::to_string(area(p.mask)) : "none") + "</td>" +
               (notes ? "<td" + html_attribute("data-verdict", verdict_name(p.verdict)) + ">" +
                            html_escape(p.note) + "</td>"
                      : "") +
               "</tr>\n";
    }
    out += image.phrases.empty() ? "</tbody></table>\n<p class=\"left-out\">No phrase was grounded.</p>\n"
                                 : "</tbody></table>\n";
    for (const std::string& reason : image.left_out) {
        out += "<p class=\"left-out\">Not grounded: " + html_escape(reason) + "</p>\n";
    }
    return out + "</details>\n";
}

/// Do the parts of an image fit each other?
inline status check_page_image(const page_image& image) {
    if (const status good = validate(image.grid); !good) {
        return good.error().in("the layout");
    }
    if (image.reading.view < 0 || image.reading.view >= static_cast<int>(image.grid.views.size())) {
        return error{"the layout has no view " + std::to_string(image.reading.view)};
    }
    const image_size size = image.grid.original;
    const auto text_of = [](index width, index height) {
        return std::to_string(width) + " x " + std::to_string(height);
    };
    if (image.image.extent(1) != size.width || image.image.extent(0) != size.height) {
        return error{"the layout is of an image of " + text_of(size.width, size.height) + ", this one has " +
                         text_of(image.image.extent(1), image.image.extent(0)),
                     "the layout"};
    }
    const index characters = count_code_points(image.caption);
    for (const page_phrase& p : image.phrases) {
        const std::string who = "phrase '" + p.text + "'";
        if (p.span.begin < 0 || p.span.end < p.span.begin || p.span.end > characters) {
            return error{"its span leaves the caption of " + std::to_string(characters) + " characters", who};
        }
        if (p.map.size() != image.grid.tokens.size() || p.raw_map.size() != image.grid.tokens.size()) {
            return error{"its maps need " + std::to_string(image.grid.tokens.size()) + " values", who};
        }
        if (p.at.at.x < 0 || p.at.at.y < 0 || p.at.at.x >= size.width || p.at.at.y >= size.height) {
            return error{"its peak lies outside the image", who};
        }
        if (p.mask.height > 0 && (p.mask.height != size.height || p.mask.width != size.width)) {
            return error{"its mask is of " + text_of(p.mask.width, p.mask.height) + ", the image of " +
                             text_of(size.width, size.height),
                         who};
        }
        if (const status good = check(p.mask); p.mask.height > 0 && !good) {
            return error{"its mask: " + good.error().message(), who};
        }
    }
    return success{};
}

inline bool any_wrong(const page& report) {
    return std::any_of(report.images.begin(), report.images.end(), [](const page_image& image) {
        return std::any_of(image.phrases.begin(), image.phrases.end(),
                           [](const page_phrase& p) { return p.verdict == page_verdict::wrong; });
    });
}

inline std::string header_html(const page& report) {
    std::string out = "<header>\n<h1>" + html_escape(report.title) + "</h1>\n<p class=\"made\">" +
                      html_escape(report.made_with) + "</p>\n";
    if (!report.figures.empty()) {
        out += "<ul class=\"figures\">\n";
        for (const page_figure& f : report.figures) {
            out += "<li>" + html_escape(f.name) + "<strong>" + html_escape(f.value) + "</strong>" +
                   (f.share ? "<i" + html_attribute("style", "--v:" + decimal(*f.share, 4)) + "></i>" : "") +
                   "<small>" + html_escape(f.meaning) + "</small></li>\n";
        }
        out += "</ul>\n";
    }
    return out + "</header>\n";
}

/// A group of radio buttons, the first one chosen.
inline std::string choice_html(const char* legend, const char* name,
                               std::initializer_list<const char*> values) {
    std::string out = std::string("<fieldset><legend>") + legend + "</legend><div class=\"choice\">";
    for (const char* value : values) {
        out += std::string("<label><input type=\"radio\"") + html_attribute("name", name) +
               html_attribute("value", value) + (value == *values.begin() ? " checked" : "") + "><span>" +
               value + "</span></label>";
    }
    return out + "</div></fieldset>\n";
}

} // namespace detail

/// The report as one HTML file without outside references; the page itself forbids the browser any.
/// Errors: parts of an image that do not fit each other, a map that is not finite; they name image and
/// phrase. Precondition: an encoder. Complexity O(phrases x shown pixels).
[[nodiscard]] inline result<std::string> html_page(const page& report, const png_encoder& png,
                                                   const html_options& options = {}) {
    OSTEND_EXPECTS(static_cast<bool>(png), "html_page: no PNG encoder");
    const bool single = report.images.size() == 1;
    std::string out =
        std::string("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n") +
        std::string(v0::detail::page_meta) + "<title>" + html_escape(report.title) + "</title>\n<style>" +
        std::string(v0::detail::page_css) + "</style></head>\n<body class=\"" + (single ? "single" : "many") +
        "\">\n" + detail::header_html(report) + "<div class=\"controls\">\n" +
        detail::choice_html("Show", "show", {"map", "mask", "both"}) +
        detail::choice_html("Map", "map", {"normalised", "raw"}) + std::string(v0::detail::page_hint) +
        (detail::any_wrong(report) ? "A dashed line marks a wrong point." : "") +
        "</p>\n</div>\n<main class=\"scenes\">\n";
    for (const page_image& image : report.images) {
        if (const status good = detail::check_page_image(image); !good) {
            return good.error().in(image.name);
        }
        const auto stage = detail::stage_html(image, png, options);
        if (!stage) {
            return stage.error().in(image.name);
        }
        out += "<article class=\"scene\">\n" + *stage + "<div class=\"text\">\n<h2>" +
               html_escape(image.name) +
               (image.note.empty() ? "" : " <small>" + html_escape(image.note) + "</small>") + "</h2>\n" +
               caption_html(image) + "<p class=\"status\" role=\"status\" aria-live=\"polite\"></p>\n" +
               detail::table_html(image, single) + "</div>\n</article>\n";
    }
    return out + "</main>\n<script>" + std::string(v0::detail::page_script) + "</script>\n</body></html>\n";
}

} // namespace ostend::inline OSTEND_KERNELS
