#include "ground/chosen_segmenter.hpp"

#include <filesystem>

namespace ostend_tools {

ostend::result<chosen_segmenter> chosen_segmenter::load(const std::string& name) {
    if (name == built_in_segmenter) {
        return chosen_segmenter(ostend::graph_cut_segmenter(), "built-in graph cut");
    }
    std::error_code failed;
    if (!std::filesystem::is_directory(name, failed)) {
        return ostend::error{"there is no folder '" + name + "'; wanted one like models/tiny-sam, or " +
                                 built_in_segmenter,
                             "--segmenter"};
    }
    auto loaded = ostend_hosts::tiny_sam::load(name);
    if (!loaded) {
        return loaded.error();
    }
    return chosen_segmenter(*std::move(loaded), name);
}

std::string chosen_segmenter::title() const {
    return chosen_.index() == 0 ? "built-in graph-cut segmenter" : "segmenter " + name_;
}

} // namespace ostend_tools
