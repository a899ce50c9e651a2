// What the readers and writers of a dump share.
#pragma once

#include "ostend/core/element.hpp"

#include <string>
#include <vector>

namespace ostend_tools {

inline constexpr const char* dump_format_name = "ostend.dump";
inline constexpr const char* dump_format_version = "1";

/// "[2, 3]"
inline std::string shape_text(const std::vector<ostend::index>& extents) {
    std::string out = "[";
    for (const ostend::index extent : extents) {
        out += (out.size() > 1 ? ", " : "") + std::to_string(extent);
    }
    return out + "]";
}

} // namespace ostend_tools
