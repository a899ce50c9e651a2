#include "scenes/caption.hpp"

#include "scenes/classes.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace ostend::scenes {

std::string make_caption(std::span<const int> things, random& draw) {
    constexpr std::array<std::string_view, 6> openings{"",       "there is ",   "this image shows ",
                                                       "i see ", "we can see ", "the picture contains "};
    constexpr std::array<std::string_view, 4> between_two{" and ", " next to ", " near ", " with "};
    std::string text(openings[static_cast<std::size_t>(draw.below(6))]);

    std::vector<std::string_view> joints(things.empty() ? 0 : things.size() - 1, " and ");
    if (joints.size() == 1) {
        joints[0] = between_two[static_cast<std::size_t>(draw.below(4))];
    } else if (joints.size() > 1) {
        switch (draw.below(3)) {
        case 0:
            for (std::size_t i = 0; i + 1 < joints.size(); ++i) {
                joints[i] = " , ";
            }
            break;
        case 1:
            joints[0] = " next to ";
            break;
        default:
            joints[0] = " with ";
            break;
        }
    }
    for (std::size_t i = 0; i < things.size(); ++i) {
        const emoji_class& thing = classes.at(static_cast<std::size_t>(things[i]));
        if (i > 0) {
            text += joints[i - 1];
        }
        text.append(thing.article).append(" ").append(thing.phrase);
    }
    return text + " .";
}

} // namespace ostend::scenes
