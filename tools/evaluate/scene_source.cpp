#include "evaluate/scene_source.hpp"

#include "ostend/mask/encode.hpp"
#include "scenes/scene.hpp"

#include <utility>

namespace ostend_tools {

ostend::result<scene_source> scenes_of_folder(const std::string& folder) {
    auto scenes = read_scenes(folder);
    if (!scenes) {
        return scenes.error();
    }
    const std::size_t count = scenes->size();
    return scene_source{count, [read = *std::move(scenes)](std::size_t i) { return read[i]; }};
}

ostend::result<scene_source> drawn_scenes(std::uint64_t seed, std::size_t count, const std::string& aspect) {
    const auto shape = ostend::scenes::parse_aspect(aspect);
    if (!shape) {
        return shape.error();
    }
    const auto canvas = ostend::scenes::canvas_of(*shape);
    if (!canvas) {
        return canvas.error();
    }
    auto glyphs = ostend::scenes::load_glyphs();
    if (!glyphs) {
        return glyphs.error();
    }
    return scene_source{
        count, [sheet = *std::move(glyphs), size = *canvas, seed](std::size_t number) {
            const auto drawn = ostend::scenes::make_scene(sheet, size, seed, number);
            known_scene scene{.name = "scene " + std::to_string(number),
                              .image = {.height = drawn.height, .width = drawn.width, .pixels = drawn.rgb},
                              .caption = drawn.caption,
                              .objects = {}};
            for (const auto& object : drawn.objects) {
                const auto& kind = ostend::scenes::classes.at(static_cast<std::size_t>(object.class_index));
                scene.objects.push_back({std::string(kind.phrase), ostend::encode(object.mask)});
            }
            return scene;
        }};
}

} // namespace ostend_tools
