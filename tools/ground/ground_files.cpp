#include "ground/ground_files.hpp"

#include "ostend/report/html.hpp"
#include "ostend/report/overlay.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace ostend_tools {

namespace {

const char* name_of(ostend::phrase_words w) {
    switch (w) {
    case ostend::phrase_words::whole:
        return "whole";
    case ostend::phrase_words::root:
        return "root";
    default:
        return "without_article";
    }
}
const char* name_of(ostend::token_reduction r) {
    switch (r) {
    case ostend::token_reduction::max:
        return "max";
    case ostend::token_reduction::first:
        return "first";
    default:
        return "mean";
    }
}
const char* name_of(ostend::normalisation n) {
    switch (n) {
    case ostend::normalisation::none:
        return "none";
    case ostend::normalisation::other_phrases:
        return "other_phrases";
    default:
        return "mean_token";
    }
}

/// Letters and digits of a phrase joined by '-', for a file name.
std::string slug(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            out += c;
        } else if (!out.empty() && out.back() != '-') {
            out += '-';
        }
    }
    while (!out.empty() && out.back() == '-') {
        out.pop_back();
    }
    return out.substr(0, 40);
}

} // namespace

std::string picture_to_png(const ostend::picture& p) {
    return encode_png(p.bytes.data(), p.width, p.height, p.channels);
}

std::string overlay_name(const ostend::grounding& g, std::size_t phrase) {
    return std::to_string(phrase + 1) + "-" + slug(g.phrases[phrase].phrase.text) + ".png";
}

json grounding_to_json(const ostend::grounding& g, const grounding_run& run) {
    const ostend::preset& c = g.conventions;
    const ostend::ground_options& asked = run.options;
    const ostend::recorder_options& recorded = g.attention.options();
    std::ptrdiff_t used = 0; // heads that enter the maps
    if (recorded.layers > 0 && recorded.heads > 0) {
        const auto weights = c.heads.weights(recorded.layers, recorded.heads);
        used = std::count_if(weights.values().begin(), weights.values().end(), [](float w) { return w > 0; });
    }
    json out = {{"image", run.image},
                {"run",
                 {{"model", run.model},
                  {"segmenter", run.segmenter},
                  {"prompt", asked.request.prompt.empty() ? json(nullptr) : json(asked.request.prompt)},
                  {"text", asked.request.text ? json(*asked.request.text) : json(nullptr)},
                  {"phrases", asked.phrases},
                  {"max_tokens", asked.request.max_tokens},
                  {"map_as_prior", c.map_as_prior && asked.map_as_prior},
                  {"heads", {{"layers", recorded.layers}, {"in_each", recorded.heads}, {"used", used}}}}},
                {"size", {{"width", g.grid.original.width}, {"height", g.grid.original.height}}},
                {"caption", g.caption},
                {"preset", c.name},
                {"options",
                 {{"words", name_of(c.words)},
                  {"tokens", name_of(c.tokens)},
                  {"normalise", name_of(c.normalise)},
                  {"query", c.query == ostend::query_convention::predicting ? "predicting" : "token_itself"},
                  {"upsample", c.peak.kernel == ostend::interpolation::bicubic ? "bicubic" : "bilinear"},
                  {"remove_corners", c.peak.remove_corners},
                  {"candidate", c.candidate == ostend::candidate_rule::last ? "last" : "best_score"}}},
                {"tokens", json::array()},
                {"phrases", json::array()},
                {"dropped", json::array()}};
    for (const ostend::token_text& t : g.tokens) {
        out["tokens"].push_back({{"id", t.id}, {"text", t.bytes}});
    }
    for (std::size_t i = 0; i < g.phrases.size(); ++i) {
        const ostend::grounded_phrase& p = g.phrases[i];
        out["phrases"].push_back(
            {{"text", p.phrase.text},
             {"characters", {p.phrase.span.begin, p.phrase.span.end}},
             {"tokens", p.tokens},
             {"token_span",
              {p.tokens.empty() ? 0 : p.tokens.front(), p.tokens.empty() ? 0 : p.tokens.back() + 1}},
             {"peak", {{"x", p.at.at.x}, {"y", p.at.at.y}, {"value", p.at.value}}},
             {"confidence", p.at.confidence},
             {"box", {p.box.x0, p.box.y0, p.box.x1, p.box.y1}},
             {"mask", to_json(p.mask)},
             {"mask_score", p.mask_score},
             {"overlay", "overlays/" + overlay_name(g, i)}});
    }
    for (const ostend::dropped_phrase& d : g.dropped) {
        out["dropped"].push_back({{"text", d.phrase.text}, {"reason", d.reason}});
    }
    return out;
}

ostend::page_image grounding_to_page(const ostend::grounding& g, const std::string& name,
                                     const ostend::image_view& image) {
    ostend::page_image out{
        .name = name, .image = image, .caption = g.caption, .grid = g.grid, .reading = g.conventions.peak};
    for (const ostend::grounded_phrase& p : g.phrases) {
        out.phrases.push_back({.text = p.phrase.text,
                               .span = p.phrase.span,
                               .raw_map = p.raw_map,
                               .map = p.map,
                               .at = p.at,
                               .mask = p.mask});
    }
    for (const ostend::dropped_phrase& d : g.dropped) {
        out.left_out.push_back(d.phrase.text + ": " + d.reason);
    }
    return out;
}

ostend::result<std::vector<overlay_file>> overlays(const ostend::grounding& g,
                                                   const ostend::image_view& image) {
    std::vector<overlay_file> files;
    const ostend::index longest = std::max(image.extent(0), image.extent(1));
    const ostend::mask_style outline{.fill = 0, .outline = 1 + longest / 400};
    for (std::size_t i = 0; i < g.phrases.size(); ++i) {
        const ostend::grounded_phrase& p = g.phrases[i];
        const auto map = ostend::upsample(p.map, g.grid, g.conventions.peak);
        if (!map) {
            return map.error().in("the map of '" + p.phrase.text + "'");
        }
        ostend::picture flat = ostend::shrink(image, longest);
        ostend::compose(flat, ostend::heat_layer(*map));
        ostend::compose(
            flat, ostend::mask_layer(p.mask, ostend::phrase_colour(i), flat.height, flat.width, outline));
        const auto centre = p.at.at.centre();
        ostend::draw_peak(flat, centre.x, centre.y);
        files.push_back({overlay_name(g, i), picture_to_png(flat)});
    }
    return files;
}

ostend::status check_arguments(const std::string& out_dir, const std::optional<std::string>& text) {
    if (text && text->find_first_not_of(" \t\r\n") == std::string::npos) {
        return ostend::error{"the text is empty", "--text"};
    }
    if (out_dir.empty()) {
        return ostend::error{"the folder has no name", "--out"};
    }
    return check_writable(std::filesystem::path(out_dir) / "report.html");
}

ostend::status report_layout(const ostend::result<ostend::layout_finding>& found, const std::string& file) {
    if (!found) {
        return found.error();
    }
    if (found->fault != ostend::layout_fault::none) {
        return ostend::error{found->says, file};
    }
    std::fprintf(stderr, "layout: %s\n", found->says.c_str());
    return ostend::success{};
}

ostend::status add_grounding(output_files& files, const std::string& folder, const ostend::grounding& g,
                             const grounding_run& run, const ostend::image_view& image) {
    auto pictures = overlays(g, image);
    if (!pictures) {
        return pictures.error();
    }
    files.add(folder + "grounding.json", dump_json(grounding_to_json(g, run)));
    for (auto& [name, png] : *pictures) {
        files.add(folder + "overlays/" + name, std::move(png));
    }
    return ostend::success{};
}

std::string grounding_text(const ostend::grounding& g) {
    std::string text = g.caption + "\n";
    for (const ostend::grounded_phrase& p : g.phrases) {
        std::array<char, 96> place{};
        std::snprintf(place.data(), place.size(), " (%td, %td)  confidence %.2f\n", p.at.at.x, p.at.at.y,
                      p.at.confidence);
        std::string name = p.phrase.text;
        name.resize(std::max<std::size_t>(name.size(), 24), ' ');
        text += "  " + name + place.data();
    }
    for (const ostend::dropped_phrase& d : g.dropped) {
        text += "  not grounded: " + d.phrase.text + " (" + d.reason + ")\n";
    }
    return text;
}

} // namespace ostend_tools
