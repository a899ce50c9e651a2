#include "scenes/scene_files.hpp"

#include "ostend/mask/encode.hpp"
#include "scenes/classes.hpp"

namespace ostend::scenes {

std::string scene_file_name(std::uint64_t number) {
    std::string digits = std::to_string(number);
    if (digits.size() < 4) {
        digits.insert(0, 4 - digits.size(), '0');
    }
    return "scene_" + digits + ".png";
}

ostend_tools::json to_json(const scene& s, const std::string& file) {
    ostend_tools::json objects = ostend_tools::json::array();
    for (const scene_object& object : s.objects) {
        const emoji_class& kind = classes.at(static_cast<std::size_t>(object.class_index));
        objects.push_back({{"class", object.class_index},
                           {"article", kind.article},
                           {"phrase", kind.phrase},
                           {"root", kind.root},
                           {"box", {object.box.x0, object.box.y0, object.box.x1, object.box.y1}},
                           {"mask", ostend_tools::to_json(encode(object.mask))}});
    }
    return {{"file", file},
            {"width", s.width},
            {"height", s.height},
            {"caption", s.caption},
            {"objects", objects}};
}

} // namespace ostend::scenes
