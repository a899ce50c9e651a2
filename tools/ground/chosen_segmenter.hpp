// The segmenter that a program's --segmenter names: the built-in graph cut, or a folder like models/tiny-sam.
#pragma once

#include "ostend/host/graph_cut.hpp"
#include "tiny_sam/tiny_sam.hpp"

#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ostend_tools {

/// What --segmenter says for the graph cut.
inline constexpr const char* built_in_segmenter = "built-in";
inline constexpr const char* segmenter_help =
    "folder of a segmenter (as models/tiny-sam), or built-in: a graph cut, without weights";

/// Models ostend::segmenter. Const use is safe from several threads.
class chosen_segmenter {
public:
    /// Errors name --segmenter when there is no such folder, and the file and tensor when it holds something
    /// else.
    [[nodiscard]] static ostend::result<chosen_segmenter> load(const std::string& name);

    [[nodiscard]] ostend::result<std::vector<std::vector<ostend::mask_candidate>>>
    segment(const ostend::image_view& image, std::span<const ostend::prompt> prompts) const {
        return std::visit([&](const auto& one) { return one.segment(image, prompts); }, chosen_);
    }

    /// For grounding.json and figures: "built-in graph cut", or the folder.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// For a report page: "built-in graph-cut segmenter", or "segmenter FOLDER".
    [[nodiscard]] std::string title() const;

private:
    using any = std::variant<ostend::graph_cut_segmenter, ostend_hosts::tiny_sam>;
    chosen_segmenter(any chosen, std::string name) : chosen_(std::move(chosen)), name_(std::move(name)) {}

    any chosen_;
    std::string name_;
};

static_assert(ostend::segmenter<const chosen_segmenter>);

} // namespace ostend_tools
