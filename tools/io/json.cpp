#include "io/json.hpp"

#include "io/files.hpp"
#include "ostend/mask/coco_string.hpp"

#include <algorithm>

namespace ostend_tools {

using ostend::error;

ostend::result<json> parse_json(std::string_view text) {
    // The library recurses when it copies and destroys, so nesting is bounded before parsing.
    constexpr int deepest = 256;
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            }
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest) {
                return error{"JSON nested deeper than 256 levels", "", i};
            }
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    try {
        return json::parse(text);
    } catch (const json::parse_error& failure) {
        const std::string_view rest = text.substr(std::min(text.size(), failure.byte - 1));
        for (const char* word : {"NaN", "Infinity"}) { // Python writes them
            if (rest.starts_with(word)) {
                return error{std::string(word) + " is not a number in JSON", "", failure.byte - 1};
            }
        }
        return error{"this is not JSON", "", failure.byte};
    } catch (const json::exception&) {
        return error{"a number beyond the range of double precision"};
    }
}

ostend::result<json> read_json(const std::filesystem::path& path) {
    const auto text = read_file(path);
    if (!text) {
        return text.error();
    }
    auto value = parse_json(*text);
    if (!value) {
        return value.error().in(path.string());
    }
    return value;
}

std::string dump_json(const json& value) {
    return value.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

json to_json(const ostend::rle& mask) {
    return {{"size", {mask.height, mask.width}}, {"counts", ostend::to_coco_string(mask)}};
}

ostend::result<ostend::rle> rle_from_json(const json& value) {
    const auto size = field(value, "size");
    if (!size) {
        return size.error();
    }
    const auto counts = field(value, "counts");
    if (!counts) {
        return counts.error();
    }
    const json& s = **size;
    if (!s.is_array() || s.size() != 2 || !s[0].is_number_unsigned() || !s[1].is_number_unsigned() ||
        std::max(s[0].get<std::uint64_t>(), s[1].get<std::uint64_t>()) > 0xFFFFFFFFU) {
        return error{"expected [height, width]", "size"};
    }
    const auto side = [&](std::size_t i) { return static_cast<ostend::index>(s[i].get<std::uint32_t>()); };
    if ((*counts)->is_string()) {
        auto mask = ostend::from_coco_string((*counts)->get_ref<const std::string&>(), side(0), side(1));
        if (!mask) {
            return mask.error().in("counts");
        }
        return mask;
    }
    if (!(*counts)->is_array()) {
        return error{"expected a string or an array of run lengths", "counts"};
    }
    std::vector<std::uint32_t> runs;
    for (const json& run : **counts) {
        if (!run.is_number_unsigned() || run.get<std::uint64_t>() > 0xFFFFFFFFU) {
            return error{"a run length is not a number from 0 to 2^32 - 1", "counts", runs.size()};
        }
        runs.push_back(run.get<std::uint32_t>());
    }
    auto mask = ostend::from_counts(runs, side(0), side(1));
    if (!mask) {
        return mask.error().in("counts");
    }
    return mask;
}

ostend::result<const json*> field(const json& object, const char* name) {
    if (!object.is_object()) {
        return error{"expected an object", name};
    }
    const auto it = object.find(name);
    if (it == object.end()) {
        return error{"the field is missing", name};
    }
    return &*it;
}

} // namespace ostend_tools
