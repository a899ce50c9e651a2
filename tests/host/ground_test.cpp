// ground() with hosts written here: the whole flow against a plain calculation, and every way in which a host
// can fail it.
#include "ostend/geometry/letterbox.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/mask/encode.hpp"

#include "support/expects.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <random>

namespace {

using namespace ostend;
using ostend::index;

constexpr int layers = 2;
constexpr int heads = 3;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// What a fake model says: tokens, and for each the attention [layer][head][key] of the query that predicts
/// it.
struct script {
    std::vector<token_text> tokens;
    layout grid;
    key_selection image;
    index keys = 0;
    std::vector<matrix<float>> attention; ///< [token * layers + layer] of [heads, keys]
};

struct fake_lmm {
    script said;
    std::optional<error> failure = {};
    int calls = 0;
    generate_request asked = {};

    result<generation> generate(const image_view&, const generate_request& request) {
        ++calls;
        asked = request;
        if (failure) {
            return *failure;
        }
        recorder_options recording = request.recording;
        recording.layers = layers;
        recording.heads = heads;
        recording.image = said.image;
        recorder rows(recording);
        for (std::size_t i = 0; i < said.attention.size(); ++i) {
            rows.add({.layer = static_cast<int>(i) % layers, .token = static_cast<index>(i) / layers},
                     said.attention[i]);
        }
        return generation{.tokens = said.tokens, .attention = std::move(rows), .grid = said.grid};
    }
};
static_assert(language_model<fake_lmm>);

struct fake_segmenter {
    using answer = result<std::vector<std::vector<mask_candidate>>>;
    std::function<answer(std::span<const prompt>)> answers;
    std::vector<prompt> asked = {};
    int calls = 0;

    answer segment(const image_view&, std::span<const prompt> prompts) {
        ++calls;
        asked.assign(prompts.begin(), prompts.end());
        return answers(prompts);
    }
};
static_assert(segmenter<fake_segmenter>);

/// The same mask for every prompt: the whole image, of score 0.5.
fake_segmenter whole_image(image_size size) {
    return {[size](std::span<const prompt> prompts) {
        const mask_candidate all{encode(bitmap(size.height, size.width, true)), 0.5F};
        return std::vector<std::vector<mask_candidate>>(prompts.size(), {all});
    }};
}

struct picture {
    image_size size;
    std::vector<std::uint8_t> bytes;
    explicit picture(image_size s) : size(s), bytes(static_cast<std::size_t>(s.area() * 3), 100) {}
    [[nodiscard]] image_view view() const { return {bytes.data(), {size.height, size.width, 3}}; }
};

class dice {
public:
    explicit dice(unsigned seed) : engine_(seed) {}
    index below(index n) { return static_cast<index>(engine_() % static_cast<unsigned>(n)); }
    index between(index low, index high) { return low + below(high - low + 1); }
    float unit() { return static_cast<float>(engine_() % 10000U) / 10000.0F; }

private:
    std::mt19937 engine_;
};

/// A layout of one of the families, of several views with markers between their tokens, or shuffled.
layout draw_layout(dice& draw, image_size image) {
    const index rows = draw.between(2, 7);
    const index columns = draw.between(2, 7);
    switch (draw.below(5)) {
    case 0:
        return geometry::llava_pad(image, {.grid = rows, .cell = 14});
    case 1:
        return geometry::stretch(image, {.rows = rows, .columns = columns, .cell_width = 12});
    case 2:
        return geometry::letterbox(image, {.rows = rows, .columns = columns});
    case 3:
        return geometry::letterbox(image,
                                   {.rows = rows, .columns = columns, .place = letterbox_place::top_left});
    default:
        break;
    }
    layout grid = geometry::stretch(image, {.rows = rows, .columns = columns});
    const layout second = geometry::llava_pad(image, {.grid = columns, .cell = 10});
    grid.views.push_back(second.views[0]);
    for (std::size_t t = 0; t < second.tokens.size(); ++t) {
        if (t % static_cast<std::size_t>(columns) == 0) {
            grid.tokens.push_back({token_kind::newline, 0, 0, 0});
        }
        grid.tokens.push_back(second.tokens[t]);
        grid.tokens.back().view = 1;
    }
    for (std::size_t t = grid.tokens.size(); t > 1; --t) {
        std::swap(grid.tokens[t - 1],
                  grid.tokens[static_cast<std::size_t>(draw.below(static_cast<index>(t)))]);
    }
    return grid;
}

// The plain calculation.

using plain_map = std::vector<double>;

/// Keys' cubic with a = -0.75, or the triangle.
double kernel(interpolation kind, double x) {
    x = std::abs(x);
    if (kind == interpolation::bilinear) {
        return x < 1 ? 1 - x : 0.0;
    }
    const double a = -0.75;
    if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0.0;
}

/// The map at a continuous position (in pixels of the image), or none where the view shows nothing.
std::optional<double> value_at(const plain_map& map, const layout& grid, const peak_options& options,
                               double x, double y) {
    const grid_view& view = grid.views[static_cast<std::size_t>(options.view)];
    const double u = (x * view.x.scale + view.x.shift) / view.cell_width;
    const double v = (y * view.y.scale + view.y.shift) / view.cell_height;
    if (u < 0 || v < 0 || u >= static_cast<double>(view.columns) || v >= static_cast<double>(view.rows)) {
        return std::nullopt;
    }
    std::vector<double> cells(static_cast<std::size_t>(view.rows * view.columns));
    for (std::size_t t = 0; t < map.size(); ++t) {
        const layout_token& place = grid.tokens[t];
        if (place.kind == token_kind::cell && place.view == options.view) {
            cells[static_cast<std::size_t>(place.row * view.columns + place.column)] = map[t];
        }
    }
    double sum = 0;
    const auto row = static_cast<index>(std::floor(v - 0.5));
    const auto column = static_cast<index>(std::floor(u - 0.5));
    for (index r = row - 1; r <= row + 2; ++r) {
        for (index c = column - 1; c <= column + 2; ++c) {
            const index at = std::clamp<index>(r, 0, view.rows - 1) * view.columns +
                             std::clamp<index>(c, 0, view.columns - 1);
            sum += kernel(options.kernel, v - 0.5 - static_cast<double>(r)) *
                   kernel(options.kernel, u - 0.5 - static_cast<double>(c)) *
                   cells[static_cast<std::size_t>(at)];
        }
    }
    return sum;
}

double largest_value(const plain_map& map, const layout& grid, const peak_options& options) {
    double most = -std::numeric_limits<double>::infinity();
    for (index y = 0; y < grid.original.height; ++y) {
        for (index x = 0; x < grid.original.width; ++x) {
            const auto v =
                value_at(map, grid, options, static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5);
            most = v ? std::max(most, *v) : most;
        }
    }
    return most;
}

/// The mean over the preset's heads of the attention that token t's query (by convention) pays to the image.
plain_map token_map(const script& s, const preset& rules, index t) {
    const index query = rules.query == query_convention::token_itself ? t + 1 : t;
    plain_map map(s.grid.tokens.size(), 0.0);
    const bool one_head = rules.name == "groundlmm_de8b74d";
    for (int layer = 0; layer < layers; ++layer) {
        const matrix<float>& rows = s.attention[static_cast<std::size_t>(query * layers + layer)];
        for (int head = 0; head < heads; ++head) {
            if (one_head && head != heads - 2) {
                continue;
            }
            for (std::size_t i = 0; i < map.size(); ++i) {
                map[i] += static_cast<double>(rows(head, s.image.key(static_cast<index>(i)))) /
                          (one_head ? layers : layers * heads);
            }
        }
    }
    return map;
}

plain_map reduce(const std::vector<plain_map>& maps, token_reduction rule) {
    plain_map out = maps.front();
    for (std::size_t k = 1; k < maps.size() && rule != token_reduction::first; ++k) {
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = rule == token_reduction::max ? std::max(out[i], maps[k][i]) : out[i] + maps[k][i];
        }
    }
    for (double& v : out) {
        v /= rule == token_reduction::mean ? static_cast<double>(maps.size()) : 1.0;
    }
    return out;
}

plain_map mean_of(const std::vector<plain_map>& maps) { return reduce(maps, token_reduction::mean); }

plain_map difference(plain_map a, const plain_map& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] -= b[i];
    }
    return a;
}

std::vector<plain_map> normalised(const std::vector<plain_map>& phrases, const std::vector<plain_map>& tokens,
                                  normalisation rule) {
    std::vector<plain_map> out;
    for (std::size_t p = 0; p < phrases.size(); ++p) {
        std::vector<plain_map> others = phrases;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(p));
        if (rule == normalisation::mean_token) {
            out.push_back(difference(phrases[p], mean_of(tokens)));
        } else if (rule == normalisation::other_phrases && !others.empty()) {
            out.push_back(difference(phrases[p], mean_of(others)));
        } else {
            out.push_back(phrases[p]);
        }
    }
    return out;
}

/// A phrase of the caption in bytes: article, adjective, noun.
struct written_phrase {
    std::string text;
    std::size_t begin = 0;
    std::size_t words = 0; ///< where the adjective begins
    std::size_t root = 0;  ///< where the noun begins
    std::size_t end = 0;
};

struct written_caption {
    std::string text;
    std::vector<written_phrase> phrases;
};

written_caption write_caption(dice& draw) {
    const char* const articles[] = {"a ", "the "};
    const char* const adjectives[] = {"", "small ", "red ", "na\xC3\xAFve "};
    const char* const nouns[] = {"dog", "car", "apple", "train"};
    const char* const joints[] = {" and ", " next to ", " \xE2\x80\x94 "};
    written_caption caption;
    const index count = draw.between(1, 4);
    for (index i = 0; i < count; ++i) {
        written_phrase p;
        caption.text += i > 0 ? joints[draw.below(3)] : "";
        p.begin = caption.text.size();
        caption.text += articles[draw.below(2)];
        p.words = caption.text.size();
        caption.text += adjectives[draw.below(4)];
        p.root = caption.text.size();
        caption.text += nouns[draw.below(4)];
        p.end = caption.text.size();
        p.text = caption.text.substr(p.begin);
        caption.phrases.push_back(p);
    }
    caption.text += ".";
    return caption;
}

/// Pieces of one to five bytes, some special tokens, characters cut in the middle.
std::vector<token_text> cut(dice& draw, const std::string& text) {
    std::vector<token_text> tokens;
    const std::string bytes = draw.below(2) == 0 ? " " + text : text;
    for (std::size_t at = 0; at < bytes.size();) {
        if (draw.below(12) == 0) {
            tokens.push_back({.id = 1, .bytes = "<s>", .special = true});
        }
        const auto size = static_cast<std::size_t>(draw.between(1, 5));
        tokens.push_back({.id = 7, .bytes = bytes.substr(at, size)});
        at += size;
    }
    tokens.push_back({.id = 2, .special = true});
    return tokens;
}

/// Code points that begin in the first `bytes` bytes.
index code_points(const std::string& text, std::size_t bytes) {
    return std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bytes),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

/// Tokens whose characters (those whose first byte is the token's) overlap the bytes [begin, end).
std::vector<index> tokens_over(const std::vector<token_text>& tokens, const std::string& caption,
                               std::size_t begin, std::size_t end) {
    std::vector<index> found;
    std::size_t at = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        std::size_t size = tokens[t].special ? 0 : tokens[t].bytes.size();
        size -=
            at == 0 && size > 0 && tokens[t].bytes.front() == ' ' ? 1 : 0; // the detokeniser's first space
        const index from = code_points(caption, at);
        const index to = code_points(caption, at + size);
        if (from < code_points(caption, end) && to > code_points(caption, begin)) {
            found.push_back(static_cast<index>(t));
        }
        at += size;
    }
    return found;
}

/// Random attention; a query that predicts a token of phrase p pays more to one place, p's own.
script draw_script(dice& draw, const layout& grid, const std::vector<token_text>& tokens) {
    script s;
    s.grid = grid;
    s.tokens = tokens;
    const auto image = static_cast<index>(grid.tokens.size());
    s.image =
        draw.below(2) == 0
            ? key_selection(3, image)
            : key_selection({{.first = image + 9, .count = image - 1, .step = 1}, {.first = 2, .count = 1}});
    s.keys = 2 * image + 12;
    for (std::size_t i = 0; i < tokens.size() * layers; ++i) {
        matrix<float> rows(heads, s.keys);
        for (int head = 0; head < heads; ++head) {
            double sum = 0;
            const index lit = draw.below(image);
            for (index k = 0; k < s.keys; ++k) {
                rows(head, k) = draw.unit();
            }
            rows(head, s.image.key(lit)) += 5 * draw.unit();
            for (const float v : rows.row(head)) {
                sum += static_cast<double>(v);
            }
            for (float& v : rows.row(head)) {
                v = static_cast<float>(static_cast<double>(v) / sum);
            }
        }
        s.attention.push_back(rows);
    }
    return s;
}

preset draw_preset(dice& draw, int views) {
    preset rules = *find_preset(preset_names[static_cast<std::size_t>(draw.below(4))]);
    const normalisation norms[] = {normalisation::none, normalisation::mean_token,
                                   normalisation::other_phrases};
    const phrase_words words[] = {phrase_words::whole, phrase_words::without_article, phrase_words::root};
    const token_reduction reductions[] = {token_reduction::mean, token_reduction::max,
                                          token_reduction::first};
    if (draw.below(2) == 0) {
        rules.normalise = norms[draw.below(3)];
        rules.words = words[draw.below(3)];
        rules.tokens = reductions[draw.below(3)];
        rules.query = draw.below(2) == 0 ? query_convention::predicting : query_convention::token_itself;
        rules.candidate = draw.below(2) == 0 ? candidate_rule::best_score : candidate_rule::last;
        rules.map_as_prior = draw.below(2) == 0;
        rules.peak.kernel = draw.below(2) == 0 ? interpolation::bicubic : interpolation::bilinear;
    }
    rules.peak.view = static_cast<int>(draw.below(views));
    return rules;
}

image_size draw_size(dice& draw) {
    const index shorter = draw.between(1, 12);
    const index longer = std::max<index>(2, shorter * draw.between(1, 20));
    return draw.below(2) == 0 ? image_size{shorter, longer} : image_size{longer, shorter};
}

double largest_difference(const std::vector<float>& a, const plain_map& b) {
    REQUIRE(a.size() == b.size());
    double most = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
    }
    return most;
}

/// The mask prompt holds the map at a longer side of 256, stretched to [0, 1]: compared at the centres.
void check_prior(const mask_logits& prior, const plain_map& map, const layout& grid,
                 const peak_options& options) {
    const image_size content = prior.content;
    const auto longer = static_cast<double>(std::max(grid.original.width, grid.original.height));
    const auto side = [&](index n) {
        return std::max<index>(1, static_cast<index>(static_cast<double>(n) / longer * 256));
    };
    REQUIRE(content == image_size{side(grid.original.width), side(grid.original.height)});
    std::vector<std::optional<double>> values;
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    const double sx = static_cast<double>(grid.original.width) / static_cast<double>(content.width);
    const double sy = static_cast<double>(grid.original.height) / static_cast<double>(content.height);
    for (index y = 0; y < content.height; ++y) {
        for (index x = 0; x < content.width; ++x) {
            values.push_back(value_at(map, grid, options, (static_cast<double>(x) + 0.5) * sx,
                                      (static_cast<double>(y) + 0.5) * sy));
            if (values.back()) {
                least = std::min(least, *values.back());
                most = std::max(most, *values.back());
            }
        }
    }
    double error = 0;
    for (index y = 0; y < content.height; ++y) {
        for (index x = 0; x < content.width; ++x) {
            const auto v = values[static_cast<std::size_t>(y * content.width + x)];
            if (!v) {
                continue;
            }
            const double wanted =
                most - least > 1e-6 ? std::clamp((*v - least) / (most - least), 1e-3, 1 - 1e-3) : 0.5;
            error = std::max(error,
                             std::abs(1 / (1 + std::exp(-static_cast<double>(prior.values(y, x)))) - wanted));
        }
    }
    if (most - least > 1e-4) { // else rounding fills the range
        CHECK(error < 2e-2 * std::max(1.0, 1e-3 / (most - least)));
    }
}

TEST_CASE("the whole flow equals a plain calculation") {
    dice draw(1);
    int priors = 0;
    int dropped = 0;
    for (int round = 0; round < 150; ++round) {
        const picture image(draw_size(draw));
        const layout grid = draw_layout(draw, image.size);
        const written_caption caption = write_caption(draw);
        fake_lmm lmm{draw_script(draw, grid, cut(draw, caption.text))};
        const script& s = lmm.said;
        ground_options options;
        options.conventions = draw_preset(draw, static_cast<int>(grid.views.size()));
        options.map_as_prior = draw.below(3) != 0;
        const preset& rules = options.conventions;
        CAPTURE(round);
        CAPTURE(caption.text);
        CAPTURE(rules.name);

        // All phrases, or some of them by name (a repeated one means its next occurrence).
        std::vector<written_phrase> wanted = caption.phrases;
        const bool by_name = draw.below(2) == 0;
        if (by_name) {
            for (const written_phrase& p : wanted) {
                options.phrases.push_back(p.text);
            }
        }

        // Candidates: random rectangles, as many as it likes, scores of which some are equal or NaN.
        std::vector<std::vector<mask_candidate>> answers;
        fake_segmenter masks{[&](std::span<const prompt> prompts) -> fake_segmenter::answer {
            for (std::size_t i = 0; i < prompts.size(); ++i) {
                std::vector<mask_candidate> list;
                const index count = draw.between(1, 4);
                for (index k = 0; k < count; ++k) {
                    bitmap mask(image.size.height, image.size.width);
                    for (auto& v : mask.pixels) {
                        v = static_cast<std::uint8_t>(draw.below(2));
                    }
                    const float score = draw.below(4) == 0 ? nan : static_cast<float>(draw.below(3));
                    list.push_back({encode(mask), score});
                }
                answers.push_back(list);
            }
            return answers;
        }};

        const auto found = ground(image.view(), lmm, masks, options);
        REQUIRE_MESSAGE(found, found.error().message());
        CHECK(lmm.asked.recording.heads_used == rules.heads);
        CHECK(found->caption == caption.text);
        CHECK(found->tokens.size() == s.tokens.size());
        CHECK(found->grid == grid);
        CHECK(found->attention.tokens() == static_cast<index>(s.tokens.size()));
        REQUIRE(found->phrases.size() == wanted.size());
        dropped += static_cast<int>(found->dropped.size());

        std::vector<plain_map> tokens;
        const index rows =
            static_cast<index>(s.tokens.size()) - (rules.query == query_convention::token_itself ? 1 : 0);
        for (index t = 0; t < rows; ++t) {
            tokens.push_back(token_map(s, rules, t));
        }
        std::vector<plain_map> raw;
        for (std::size_t p = 0; p < wanted.size(); ++p) {
            const written_phrase& w = wanted[p];
            const std::size_t begin = rules.words == phrase_words::whole  ? w.begin
                                      : rules.words == phrase_words::root ? w.root
                                                                          : w.words;
            const auto own = tokens_over(s.tokens, caption.text, begin, w.end);
            CHECK(found->phrases[p].phrase.text == w.text);
            CHECK(found->phrases[p].tokens == own);
            std::vector<plain_map> maps;
            for (const index t : own) {
                maps.push_back(tokens[static_cast<std::size_t>(t)]);
            }
            raw.push_back(reduce(maps, rules.tokens));
        }
        const auto maps = normalised(raw, tokens, rules.normalise);
        REQUIRE(masks.asked.size() == wanted.size());
        for (std::size_t p = 0; p < wanted.size(); ++p) {
            const grounded_phrase& g = found->phrases[p];
            CHECK(largest_difference(g.raw_map, raw[p]) < 1e-6);
            CHECK(largest_difference(g.map, maps[p]) < 1e-6);

            const point_in<original_frame> centre = g.at.at.centre();
            const auto there = value_at(maps[p], grid, rules.peak, centre.x, centre.y);
            REQUIRE(there.has_value());
            CHECK(*there == doctest::Approx(largest_value(maps[p], grid, rules.peak)).epsilon(1e-5));
            CHECK(std::abs(static_cast<double>(g.at.value) - *there) < 1e-5);

            const prompt& asked = masks.asked[p];
            REQUIRE(asked.points.size() == 1);
            CHECK(asked.points[0] == labelled_point{centre, true});
            CHECK(!asked.box);
            CHECK(asked.mask.has_value() == (rules.map_as_prior && options.map_as_prior));
            if (asked.mask && round % 5 == 0) {
                check_prior(*asked.mask, maps[p], grid, rules.peak);
                ++priors;
            }

            std::size_t chosen = answers[p].size() - 1;
            if (rules.candidate == candidate_rule::best_score) {
                chosen = 0;
                for (std::size_t k = 1; k < answers[p].size(); ++k) {
                    const float best = answers[p][chosen].score;
                    const float score = answers[p][k].score;
                    chosen = score > best || (std::isnan(best) && !std::isnan(score)) ? k : chosen;
                }
            }
            CHECK(g.mask == answers[p][chosen].mask);
            CHECK((g.mask_score == answers[p][chosen].score || std::isnan(answers[p][chosen].score)));
            CHECK(g.box == bounding_box(g.mask));
        }
    }
    CHECK(priors > 10);
    CHECK(dropped == 0);
}

/// A model that says a caption, a token a word, and attends with the words of its phrase to one cell each.
fake_lmm pointing_lmm(image_size image, const std::vector<std::pair<std::string, index>>& words) {
    script s;
    s.grid = geometry::llava_pad(image, {.grid = 6, .cell = 10});
    s.image = key_selection(1, 36);
    s.keys = 40;
    for (const auto& [word, cell] : words) {
        s.tokens.push_back({.id = 5, .bytes = " " + word});
        for (int layer = 0; layer < layers; ++layer) {
            matrix<float> rows(heads, s.keys, 0.01F);
            for (int head = 0; head < heads; ++head) {
                rows(head, s.image.key(cell)) = 0.5F;
            }
            s.attention.push_back(rows);
        }
    }
    return {s};
}

TEST_CASE("the point lies in the cell that the phrase's words attend to, in images of any shape") {
    dice draw(2);
    for (int round = 0; round < 300; ++round) {
        const picture image(round == 0   ? image_size{40, 2}
                            : round == 1 ? image_size{2, 40}
                                         : draw_size(draw));
        if (std::max(image.size.width, image.size.height) < 12) {
            continue; // cells smaller than half a pixel: a pixel's centre can lie between two
        }
        // Cells that show a part of the image: their tokens' boxes, clipped to it, hold a pixel's centre.
        const layout grid = geometry::llava_pad(image.size, {.grid = 6, .cell = 10});
        std::vector<index> cells;
        for (index t = 0; t < 36; ++t) {
            const auto box = cell_box(grid, t);
            if (std::ceil(box.x0 - 0.5) + 0.5 < box.x1 && std::ceil(box.y0 - 0.5) + 0.5 < box.y1) {
                cells.push_back(t);
            }
        }
        REQUIRE(!cells.empty());
        const auto any = [&] {
            return cells[static_cast<std::size_t>(draw.below(static_cast<index>(cells.size())))];
        };
        const index dog = any();
        const index car = any();
        auto lmm = pointing_lmm(image.size, {{"a", 0}, {"dog", dog}, {"and", 3}, {"the", 9}, {"car", car}});
        auto masks = whole_image(image.size);
        const auto found = ground(image.view(), lmm, masks);
        REQUIRE_MESSAGE(found, found.error().message());
        REQUIRE(found->phrases.size() == 2);
        if (dog == car) {
            continue;
        }
        CHECK(cell_box(grid, dog).contains(found->phrases[0].at.at.centre()));
        CHECK(cell_box(grid, car).contains(found->phrases[1].at.at.centre()));
        CHECK(found->phrases[0].mask_score == 0.5F);
    }
}

TEST_CASE("phrases that are not worth a mask are listed with the reason; a caller can decide") {
    const picture image({30, 20});
    const auto lmm_of = [&] {
        return pointing_lmm(image.size, {{"this", 0}, {"picture", 1}, {"shows", 2}, {"a", 3}, {"dog", 20}});
    };
    auto masks = whole_image(image.size);
    auto lmm = lmm_of();
    auto found = ground(image.view(), lmm, masks);
    REQUIRE(found);
    REQUIRE(found->phrases.size() == 1);
    CHECK(found->phrases[0].phrase.text == "a dog");
    REQUIRE(found->dropped.size() == 1);
    CHECK(found->dropped[0].phrase.text == "this picture");
    CHECK(found->dropped[0].reason == "names the picture itself");

    found = ground(image.view(), lmm, masks, {}, keep_all_phrases{});
    REQUIRE(found);
    CHECK(found->phrases.size() == 2);
    found = ground(image.view(), lmm, masks, {}, [](const noun_phrase& p) { return p.text != "a dog"; });
    REQUIRE(found);
    REQUIRE(found->phrases.size() == 1);
    CHECK(found->phrases[0].phrase.text == "this picture");
    CHECK(found->dropped[0].reason == "was refused by the caller's keep_phrase");

    found = ground(image.view(), lmm, masks, {.phrases = {"this picture"}}); // asked for: not dropped
    REQUIRE(found);
    CHECK(found->phrases.size() == 1);
    CHECK(found->dropped.empty());
}

TEST_CASE("the host's own parser finds the phrases") {
    const picture image({30, 30});
    auto lmm = pointing_lmm(image.size, {{"a", 0}, {"dog", 0}, {"and", 3}, {"ein", 9}, {"Hund", 35}});
    auto masks = whole_image(image.size);
    ground_options options;
    std::string seen;
    options.find_spans = [&](const std::string& caption) {
        seen = caption;
        return std::vector<text_span>{{10, 18}};
    };
    const auto found = ground(image.view(), lmm, masks, options, [](const noun_phrase&) { return false; });
    REQUIRE(found);
    CHECK(seen == found->caption);
    REQUIRE(found->phrases.size() == 1);
    CHECK(found->phrases[0].phrase.text == "ein Hund");
    CHECK(found->phrases[0].at.at.x > 20);
    options.phrases = {"a dog"}; // what is asked for goes first
    const auto asked = ground(image.view(), lmm, masks, options);
    REQUIRE(asked);
    CHECK(asked->phrases[0].phrase.text == "a dog");
    options.phrases = {};
    for (const text_span bad : {text_span{3, 3}, {-1, 2}, {0, 99}, {5, 2}}) {
        options.find_spans = [bad](const std::string&) { return std::vector<text_span>{{0, 5}, bad}; };
        const auto refused = ground(image.view(), lmm, masks, options);
        REQUIRE(!refused);
        CHECK(refused.error().at == 1);
        CHECK(refused.error().message().starts_with("noun phrase: code points ["));
    }
}

TEST_CASE("a phrase asked for twice means its second occurrence") {
    const picture image({30, 30});
    auto lmm = pointing_lmm(image.size, {{"a", 0}, {"dog", 0}, {"and", 3}, {"a", 9}, {"dog", 35}});
    auto masks = whole_image(image.size);
    const auto found = ground(image.view(), lmm, masks, {.phrases = {"a dog", "a dog"}});
    REQUIRE(found);
    CHECK(found->phrases[0].tokens == std::vector<index>{1});
    CHECK(found->phrases[1].tokens == std::vector<index>{4});
    CHECK(found->phrases[1].at.at.x > 20);
    const auto three = ground(image.view(), lmm, masks, {.phrases = {"a dog", "a dog", "a dog"}});
    REQUIRE(!three);
    CHECK(three.error().at == 2);
}

TEST_CASE("nothing to ground: an empty list, and no segmenter is called") {
    const picture image({30, 30});
    auto masks = whole_image(image.size);
    for (const auto& words : {std::vector<std::pair<std::string, index>>{},
                              {{"the", 1}, {"picture", 2}},
                              {{".", 1}, {"and", 2}}}) {
        auto lmm = pointing_lmm(image.size, words);
        const auto found = ground(image.view(), lmm, masks);
        REQUIRE_MESSAGE(found, found.error().message());
        CHECK(found->phrases.empty());
        CHECK(masks.calls == 0);
    }
}

TEST_CASE("the request reaches the model, and other conventions can be read from what was recorded") {
    const picture image({30, 30});
    auto lmm = pointing_lmm(image.size, {{"a", 3}, {"dog", 8}});
    auto masks = whole_image(image.size);
    ground_options options{.conventions = *find_preset("groundlmm_de8b74d")};
    options.request = {.prompt = "say", .text = "a dog", .max_tokens = 9};
    const auto found = ground(image.view(), lmm, masks, options);
    REQUIRE(found);
    CHECK(found->conventions.name == "groundlmm_de8b74d");
    CHECK(lmm.asked.prompt == "say");
    CHECK(lmm.asked.text == "a dog");
    CHECK(lmm.asked.max_tokens == 9);
    CHECK(lmm.asked.record);
    CHECK(found->attention.maps(query_convention::token_itself)->rows() == 1);
    CHECK(!masks.asked[0].mask); // published presets prompt with the point alone
    options.request.record = false;
    CHECK_EXPECTS(ground(image.view(), lmm, masks, options), "request.record is off");
}

/// The error of grounding "a dog", with something changed in the model's answer.
template <class Change>
error failing(Change&& change, const ground_options& options = {}, image_size size = {30, 20}) {
    const picture image(size);
    auto lmm = pointing_lmm(size, {{"a", 3}, {"dog", 20}});
    auto masks = whole_image(size);
    change(lmm, masks);
    const auto found = ground(image.view(), lmm, masks, options);
    REQUIRE(!found);
    return found.error();
}

#define CHECK_FAILS(part, ...)                                                                               \
    do {                                                                                                     \
        const std::string said_ = failing(__VA_ARGS__).message();                                            \
        CHECK_MESSAGE(said_.find(part) != std::string::npos, said_);                                         \
    } while (false)

TEST_CASE("images that cannot be grounded are refused before the model is asked") {
    for (const image_size size : {image_size{0, 0}, image_size{0, 5}, image_size{5, 0}, image_size{1, 1}}) {
        const picture image(size);
        fake_lmm lmm{};
        auto masks = whole_image(size);
        const auto found = ground(image.view(), lmm, masks);
        REQUIRE(!found);
        CHECK(found.error().field == "image");
        CHECK(lmm.calls == 0);
    }
    const picture image({4, 4});
    fake_lmm lmm{};
    auto masks = whole_image(image.size);
    const auto grey = ground({image.bytes.data(), {4, 4, 1}}, lmm, masks);
    REQUIRE(!grey);
    CHECK(grey.error().message() ==
          "image: an image of 4 x 4 pixels of 1 channels; wanted at least two pixels of 3");
    CHECK(!ground({}, lmm, masks));
}

TEST_CASE("a failing model, or one whose answer does not fit") {
    CHECK_FAILS("weights: are gone", [](auto& lmm, auto&) { lmm.failure = error{"are gone", "weights"}; });
    CHECK_FAILS("layout: the layout is of an image of 20 x 30 pixels, not 30 x 20", [](auto& lmm, auto&) {
        lmm.said.grid = geometry::llava_pad({20, 30}, {.grid = 6, .cell = 10});
    });
    CHECK_FAILS("attention over 36 image tokens, a layout of 25", [](auto& lmm, auto&) {
        lmm.said.grid = geometry::llava_pad({30, 20}, {.grid = 5, .cell = 10});
    });
    CHECK_FAILS("layout: tokens: two tokens show the same cell (at 1)",
                [](auto& lmm, auto&) { lmm.said.grid.tokens[1] = lmm.said.grid.tokens[0]; });
    CHECK_FAILS("layout: views: ", [](auto& lmm, auto&) { lmm.said.grid.views[0].x.scale = 0; });
    CHECK_FAILS("the layout has 0 views; view 0", [](auto& lmm, auto&) {
        lmm.said.grid.views.clear();
        for (auto& t : lmm.said.grid.tokens) {
            t.kind = token_kind::marker;
        }
    });
    ground_options second;
    second.conventions.peak.view = 1;
    CHECK_FAILS(
        "the layout has 1 views; view 1", [](auto&, auto&) {}, second);
    CHECK_FAILS("the view shows no pixel", [](auto& lmm, auto&) { lmm.said.grid.views[0].x.shift = 1000; });
}

TEST_CASE("attention that is not finite, not a probability, or not there") {
    for (const float bad : {nan, std::numeric_limits<float>::infinity(), -1.0F, 1e30F}) {
        CHECK_FAILS("attention", [&](auto& lmm, auto&) { lmm.said.attention[2](1, 7) = bad; });
    }
    CHECK_FAILS("token 0 in layer 1", [](auto& lmm, auto&) { lmm.said.attention[1](0, 1) = nan; });
    // Beside the image keys anything goes: it is not read.
    const picture image({30, 20});
    auto lmm = pointing_lmm(image.size, {{"a", 3}, {"dog", 20}});
    lmm.said.attention[2](1, 0) = nan;
    auto masks = whole_image(image.size);
    CHECK(ground(image.view(), lmm, masks));

    // The model recorded fewer tokens than it said, or not every layer.
    CHECK_FAILS("phrase 0 \"a dog\": token 1 has no map; there are 1",
                [](auto& m, auto&) { m.said.attention.resize(layers); });
    CHECK_FAILS("token 1 in layer 1 was not added", [](auto& m, auto&) { m.said.attention.pop_back(); });
    CHECK_FAILS("token 1 has no map; there are 0", [](auto& m, auto&) { m.said.attention.clear(); });
    ground_options itself;
    itself.conventions.query = query_convention::token_itself;
    CHECK_FAILS(
        "token 1 has no map; there are 1", [](auto&, auto&) {}, itself);
}

TEST_CASE("phrases that are empty or not in the caption") {
    const auto none = [](auto&, auto&) {};
    CHECK_FAILS("the phrase is empty (at 0)", none, ground_options{.phrases = {""}});
    CHECK_FAILS("the phrase is empty (at 1)", none, ground_options{.phrases = {"a dog", " \n"}});
    CHECK_FAILS("phrase \"a cat\": the caption has it 0 times", none, ground_options{.phrases = {"a cat"}});
    CHECK_FAILS("\"do\"", none, ground_options{.phrases = {"do"}}); // no whole word
    CHECK_FAILS("phrase", none, ground_options{.phrases = {"\xFF"}});
}

TEST_CASE("a failing segmenter, or one whose answer does not fit") {
    using lists = std::vector<std::vector<mask_candidate>>;
    const mask_candidate whole{encode(bitmap(20, 30, true)), 1};
    const auto answering = [](const fake_segmenter::answer& answer) {
        return [answer](auto&, auto& masks) {
            masks.answers = [answer](std::span<const prompt>) { return answer; };
        };
    };
    CHECK_FAILS("out of memory", answering(error{"out of memory"}));
    CHECK_FAILS("segmenter: the segmenter answered 0 of 1 prompts", answering(lists{}));
    CHECK_FAILS("segmenter: the segmenter answered 2 of 1 prompts", answering(lists{{whole}, {whole}}));
    CHECK_FAILS("the masks of 'a dog': the segmenter proposed no mask", answering(lists{{}}));
    CHECK_FAILS("the masks of 'a dog': the segmenter's mask has 20 x 30 pixels, the image 30 x 20",
                answering(lists{{{encode(bitmap(30, 20, true)), 1}}}));
    CHECK_FAILS("the masks of 'a dog': counts: ", answering(lists{{{rle{20, 30, {0, 601}}, 1}}}));
    CHECK_FAILS("the masks of 'a dog': counts: ", answering(lists{{{rle{20, 30, {}}, 1}}}));
}

TEST_CASE("choose_candidate: first of the best, last, and scores that are NaN") {
    const auto mask = [](int runs) {
        return rle{1, 4, {static_cast<std::uint32_t>(runs), static_cast<std::uint32_t>(4 - runs)}};
    };
    const std::vector<mask_candidate> list{{mask(0), nan}, {mask(1), 2}, {mask(2), 2}, {mask(3), nan}};
    CHECK(choose_candidate(list, candidate_rule::best_score, {4, 1})->mask == mask(1));
    CHECK(choose_candidate(list, candidate_rule::last, {4, 1})->mask == mask(3));
    const std::vector<mask_candidate> nans{{mask(0), nan}, {mask(1), nan}};
    CHECK(choose_candidate(nans, candidate_rule::best_score, {4, 1})->mask == mask(0));
    CHECK(!choose_candidate({}, candidate_rule::last, {4, 1}));
}

} // namespace
