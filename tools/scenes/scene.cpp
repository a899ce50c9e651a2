#include "scenes/scene.hpp"

#include "scenes/background.hpp"
#include "scenes/caption.hpp"
#include "scenes/classes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace ostend::scenes {
namespace {

constexpr int model_side = 144;
constexpr int tries = 30;
constexpr double most_overlap = 0.12; // of the smaller box

struct placed {
    raster sprite = {};
    int x = 0;
    int y = 0;
    int class_index = 0;
};

double overlap(const placed& a, const placed& b) {
    const double width = std::min(a.x + a.sprite.width, b.x + b.sprite.width) - std::max(a.x, b.x);
    const double height = std::min(a.y + a.sprite.height, b.y + b.sprite.height) - std::max(a.y, b.y);
    if (width <= 0 || height <= 0) {
        return 0.0;
    }
    const double smaller = std::min(static_cast<double>(a.sprite.width) * a.sprite.height,
                                    static_cast<double>(b.sprite.width) * b.sprite.height);
    return width * height / smaller;
}

/// 32, 36, ..., 72; in a crowd smaller ones after failures, so that four objects mostly find room.
int draw_size(int attempt, bool crowded, random& draw) {
    if (crowded && attempt >= 20) {
        return 32;
    }
    return 32 + 4 * draw.below(crowded && attempt >= 10 ? 5 : 11);
}

std::optional<placed> place(const raster& glyph, int class_index, const std::vector<placed>& before,
                            bool crowded, const image_size& canvas, random& draw) {
    constexpr std::array<double, 7> angles{-15, -8, 0, 0, 0, 8, 15};
    const double scale = static_cast<double>(std::max(canvas.width, canvas.height)) / model_side;
    const bool mirror = draw.chance(0.5);
    for (int attempt = 0; attempt < tries; ++attempt) {
        const int size = static_cast<int>(std::floor(draw_size(attempt, crowded, draw) * scale + 0.5));
        const double angle = angles[static_cast<std::size_t>(draw.below(7))];
        placed p{make_sprite(glyph, size, mirror, angle), 0, 0, class_index};
        if (p.sprite.width > canvas.width || p.sprite.height > canvas.height) {
            continue;
        }
        p.x = draw.below(static_cast<int>(canvas.width) - p.sprite.width + 1);
        p.y = draw.below(static_cast<int>(canvas.height) - p.sprite.height + 1);
        if (std::none_of(before.begin(), before.end(),
                         [&](const placed& other) { return overlap(p, other) > most_overlap; })) {
            return p;
        }
    }
    return std::nullopt;
}

std::vector<placed> place_all(const glyph_sheet& glyphs, const image_size& canvas, random& draw) {
    const int count = 2 + draw.below(3);
    std::array<int, classes.size()> order{};
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = static_cast<int>(i);
    }
    std::vector<placed> all;
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        std::swap(order[at],
                  order[at + static_cast<std::size_t>(draw.below(static_cast<int>(order.size()) - i))]);
        auto p = place(glyphs.glyph(order[at]), order[at], all, count == 4, canvas, draw);
        if (p) {
            all.push_back(std::move(*p));
        }
    }
    return all;
}

/// Paints over the image; the new mask takes its pixels from the masks before.
void paint(raster& image, const placed& p, std::vector<scene_object>& objects) {
    scene_object object{p.class_index,
                        {static_cast<double>(p.x), static_cast<double>(p.y),
                         static_cast<double>(p.x + p.sprite.width),
                         static_cast<double>(p.y + p.sprite.height)},
                        bitmap(image.height, image.width)};
    for (int y = 0; y < p.sprite.height; ++y) {
        for (int x = 0; x < p.sprite.width; ++x) {
            const float* from = p.sprite.at(y, x);
            float* to = image.at(p.y + y, p.x + x);
            for (int c = 0; c < 3; ++c) {
                to[c] = to[c] * (1.0F - from[3]) + 255.0F * from[c];
            }
            if (from[3] > 0.5F) {
                for (scene_object& earlier : objects) {
                    earlier.mask(p.y + y, p.x + x) = 0;
                }
                object.mask(p.y + y, p.x + x) = 1;
            }
        }
    }
    objects.push_back(std::move(object));
}

} // namespace

result<image_size> canvas_of(const aspect_ratio& aspect) {
    if (aspect.width < 1 || aspect.height < 1) {
        return error{"each side must be at least 1", "aspect"};
    }
    const int shorter = std::min(aspect.width, aspect.height);
    const int longer = std::max(aspect.width, aspect.height);
    if (longer / 4 > shorter || (longer / 4 == shorter && longer % 4 != 0)) {
        return error{"beyond 4:1 the objects do not fit into the shorter side", "aspect"};
    }
    const index length = (2LL * model_side * longer + shorter) / (2LL * shorter);
    return aspect.width >= aspect.height ? image_size{length, model_side} : image_size{model_side, length};
}

result<aspect_ratio> parse_aspect(const std::string& text) {
    aspect_ratio aspect;
    const char* const end = text.data() + text.size();
    const auto width = std::from_chars(text.data(), end, aspect.width);
    if (width.ec == std::errc{} && width.ptr != end && *width.ptr == ':') {
        const auto height = std::from_chars(width.ptr + 1, end, aspect.height);
        if (height.ec == std::errc{} && height.ptr == end) {
            return aspect;
        }
    }
    return error{"'" + text + "' is not of the form W:H", "aspect"};
}

scene make_scene(const glyph_sheet& glyphs, const image_size& canvas, std::uint64_t seed,
                 std::uint64_t number) {
    random draw(seed, number);
    raster image = make_background(static_cast<int>(canvas.width), static_cast<int>(canvas.height), draw);
    std::vector<placed> all;
    while (all.size() < 2) {
        all = place_all(glyphs, canvas, draw);
    } // again only on long, narrow canvases
    scene s{image.width, image.height, {}, {}, {}};
    for (const placed& p : all) {
        paint(image, p, s.objects);
    }
    for (const float v : image.values) {
        s.rgb.push_back(static_cast<std::uint8_t>(std::clamp(v, 0.0F, 255.0F) + 0.5F));
    }
    std::stable_sort(s.objects.begin(), s.objects.end(), [](const scene_object& a, const scene_object& b) {
        return a.box.x0 + a.box.x1 < b.box.x0 + b.box.x1;
    });
    std::vector<int> things;
    for (const scene_object& object : s.objects) {
        things.push_back(object.class_index);
    }
    s.caption = make_caption(things, draw);
    return s;
}

} // namespace ostend::scenes
