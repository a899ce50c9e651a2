// html_page: one self-contained page. Pointing at a phrase of the caption shows its map, peak and mask.
//
// Pictures are embedded as PNG made by the host's encoder, so the library depends on no image library; images
// and layers are shrunk to max_side, peaks and areas stay in original pixels.
#pragma once

#include "ostend/geometry/resized.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/peak/resample.hpp"
#include "ostend/phrase/utf8.hpp"
#include "ostend/report/html_assets.hpp"
#include "ostend/report/overlay.hpp"
#include "ostend/report/page.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ostend::inline v0 {

/// Encodes a picture (3 or 4 channels) as the bytes of a PNG file.
using png_encoder = std::function<std::string(const picture&)>;

struct html_options {
    index max_side = 640; ///< of embedded pictures, pixels
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

[[nodiscard]] inline std::string html_escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

[[nodiscard]] inline std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned block = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            block = (block << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += i + k <= bytes.size() ? digits[(block >> (18U - 6U * k)) & 63U] : '=';
        }
    }
    return out;
}

namespace detail {

inline std::string number(double value, const char* format) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

inline std::string embedded(const picture& p, const png_encoder& png) {
    return "data:image/png;base64," + base64(png(p));
}

inline std::string says(const page_phrase& p) {
    std::string text = p.text + ": peak at x " + std::to_string(p.at.at.x) + ", y " +
                       std::to_string(p.at.at.y) + ", confidence " + number(p.at.confidence, "%.2f");
    if (p.mask.height > 0) {
        text += ", mask of " + std::to_string(area(p.mask)) + " pixels";
    }
    return p.note.empty() ? text : text + "; " + p.note;
}

/// The caption with a button for each phrase, in the order of the text; a phrase inside another is left
/// plain.
inline std::string caption_html(const page_image& image) {
    std::vector<std::size_t> order(image.phrases.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return image.phrases[a].span.begin < image.phrases[b].span.begin;
    });
    const text_index text(image.caption);
    std::string out;
    index written = 0;
    for (const std::size_t i : order) {
        const page_phrase& p = image.phrases[i];
        if (p.span.begin < written) {
            continue;
        }
        const std::string id = std::to_string(i);
        out += html_escape(text.substring({written, p.span.begin}));
        out += R"(<button type="button" class="phrase" aria-pressed="false" data-phrase=")" + id +
               R"(" style="--c:)" + css(phrase_colour(i)) + R"(" data-says=")" + html_escape(says(p)) +
               "\">" + html_escape(text.substring(p.span)) + "</button>";
        written = p.span.end;
    }
    return out + html_escape(text.substring({written, text.size()}));
}

inline result<std::string> layers_html(const page_image& image, image_size shown, const png_encoder& png) {
    const layout grid = resized(image.grid, shown);
    std::string out;
    for (std::size_t i = 0; i < image.phrases.size(); ++i) {
        const page_phrase& p = image.phrases[i];
        const auto add = [&](std::string_view kind, const picture& layer) {
            out += R"(<img class="layer" hidden alt="" data-kind=")" + std::string(kind) +
                   R"(" data-phrase=")" + std::to_string(i) + R"(" src=")" + embedded(layer, png) + "\">\n";
        };
        const auto raw = upsample(p.raw_map, grid);
        if (!raw) {
            return raw.error().in("the raw map of '" + p.text + "'");
        }
        const auto map = upsample(p.map, grid);
        if (!map) {
            return map.error().in("the map of '" + p.text + "'");
        }
        add("raw", heat_layer(*raw));
        add("normalised", heat_layer(*map));
        if (p.mask.height > 0) {
            add("mask", mask_layer(p.mask, phrase_colour(i), shown.height, shown.width));
        }
        const double left = 100.0 * p.at.at.centre().x / static_cast<double>(image.grid.original.width);
        const double top = 100.0 * p.at.at.centre().y / static_cast<double>(image.grid.original.height);
        out += R"(<span class="peak" hidden data-phrase=")" + std::to_string(i) + R"(" style="left:)" +
               number(left, "%.3f") + "%;top:" + number(top, "%.3f") + "%\"></span>\n";
    }
    return out;
}

inline std::string table_html(const page_image& image) {
    std::string out =
        "<details><summary>All phrases as a table</summary><table><thead><tr><th>phrase<th>peak x, y"
        "<th>confidence<th>mask pixels<th>note</tr></thead><tbody>\n";
    for (const page_phrase& p : image.phrases) {
        out += "<tr><td>" + html_escape(p.text) + "<td>" + std::to_string(p.at.at.x) + ", " +
               std::to_string(p.at.at.y) + "<td>" + number(p.at.confidence, "%.2f") + "<td>" +
               (p.mask.height > 0 ? std::to_string(area(p.mask)) : std::string("none")) + "<td>" +
               html_escape(p.note) + "</tr>\n";
    }
    out += "</tbody></table>";
    for (const std::string& reason : image.left_out) {
        out += "<p>Not grounded: " + html_escape(reason) + "</p>";
    }
    return out + "</details>\n";
}

} // namespace detail

/// The report as one HTML file without outside references. Errors: a map that does not fit its layout or is
/// not finite. Complexity O(phrases x shown pixels).
[[nodiscard]] inline result<std::string> html_page(const page& report, const png_encoder& png,
                                                   const html_options& options = {}) {
    std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
                      html_escape(report.title) + "</title>\n<style>" + std::string(v0::detail::page_css) +
                      "</style></head>\n<body><header><h1>" + html_escape(report.title) +
                      "</h1><p class=\"made\">" + html_escape(report.made_with) + "</p>\n";
    if (!report.figures.empty()) {
        out += "<ul class=\"figures\">\n";
        for (const page_figure& f : report.figures) {
            out += "<li>" + html_escape(f.name) + "<strong>" + html_escape(f.value) + "</strong><small>" +
                   html_escape(f.meaning) + "</small></li>\n";
        }
        out += "</ul>\n";
    }
    out += R"(</header>
<form class="controls" onsubmit="return false">
<fieldset><legend>Show</legend>
<label><input type="radio" name="show" value="map" checked> map</label>
<label><input type="radio" name="show" value="mask"> mask</label></fieldset>
<fieldset><legend>Map</legend>
<label><input type="radio" name="map" value="normalised" checked> normalised</label>
<label><input type="radio" name="map" value="raw"> raw</label></fieldset></form>
<main class="scenes)" +
           std::string(report.images.size() == 1 ? " single" : "") + "\">\n";
    for (const page_image& image : report.images) {
        const picture base = shrink(image.image, options.max_side);
        auto layers = detail::layers_html(image, {.width = base.width, .height = base.height}, png);
        if (!layers) {
            return layers.error().in(image.name);
        }
        out += "<article class=\"scene\"><h2>" + html_escape(image.name) + "</h2>\n<div class=\"stage\">" +
               "<img class=\"base\" alt=\"" +
               html_escape("The image that the model describes as: " + image.caption) + "\" src=\"" +
               detail::embedded(base, png) + "\">\n" + *layers + "</div>\n<p class=\"caption\">" +
               detail::caption_html(image) +
               "</p>\n<p class=\"status\" role=\"status\" aria-live=\"polite\"></p>\n" +
               detail::table_html(image) + "</article>\n";
    }
    return out + "</main>\n<script>" + std::string(v0::detail::page_script) + "</script></body></html>\n";
}

} // namespace ostend::inline OSTEND_KERNELS
