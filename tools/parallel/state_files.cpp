#include "parallel/state_files.hpp"

#include <algorithm>
#include <string>

namespace ostend_tools {

namespace fs = std::filesystem;

fs::path rank_state(const fs::path& state, int rank) {
    fs::path path = state;
    path += ".rank" + std::to_string(rank);
    return path;
}

std::vector<fs::path> saved_states(const fs::path& state) {
    std::vector<fs::path> found;
    std::error_code ignored;
    if (state.empty()) {
        return found;
    }
    if (fs::exists(state, ignored)) {
        found.push_back(state);
    }
    const fs::path folder = state.has_parent_path() ? state.parent_path() : fs::path(".");
    const std::string start = state.filename().string() + ".rank";
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.size() > start.size() && name.starts_with(start) &&
            name.find_first_not_of("0123456789", start.size()) == std::string::npos) {
            found.push_back(entry.path());
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

void remove_rank_states(const fs::path& state) {
    std::error_code ignored;
    for (const fs::path& path : saved_states(state)) {
        if (path != state) {
            fs::remove(path, ignored);
        }
    }
}

} // namespace ostend_tools
