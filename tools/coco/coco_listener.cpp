#include "coco/coco_listener.hpp"

#include "coco/json_stream.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/coco_string.hpp"

#include <cmath>

namespace ostend_tools {

using ostend::error;
using ostend::success;

struct coco_listener::known_member {
    const char* name;
    member what;
    unsigned sections; ///< a bit a section that has it
};

namespace {

constexpr std::size_t deepest = 100;

constexpr double largest_whole = 9007199254740992.0; // 2^53: floats beyond do not name one number

} // namespace

ostend::status coco_listener::complete() const {
    if (truth_ != nullptr) {
        for (const auto& [what, name] : {std::pair{section::images, "images"},
                                         {section::annotations, "annotations"},
                                         {section::categories, "categories"}}) {
            if ((seen_sections_ & (1U << static_cast<unsigned>(what))) == 0) {
                return error{"the list is missing", name};
            }
        }
    }
    return success{};
}

std::string coco_listener::path() const {
    std::string text = section_name_;
    const auto append_at = [&](std::size_t at) { text += "[" + std::to_string(at) + "]"; };
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const bool innermost = i + 1 == places_.size();
        switch (places_[i]) {
        case place::list:
            append_at(record_);
            break;
        case place::record:
            text += key_.empty() ? "" : "." + key_;
            break;
        case place::rings:
            if (!rings_.empty()) {
                append_at(rings_.size() - 1);
            }
            break;
        case place::runs:
            text += runs_key_.empty() ? "" : "." + runs_key_;
            break;
        case place::box:
        case place::ring:
        case place::size:
        case place::counts:
            if (innermost) {
                append_at(at_);
            }
            break;
        case place::nothing:
        case place::file:
            break;
        }
    }
    return text;
}

bool coco_listener::fail(const std::string& what, std::optional<std::size_t> at) {
    failure_ = error{what, path(), at};
    return false;
}

bool coco_listener::fail_expected() {
    switch (where()) {
    case place::nothing:
        return fail(truth_ != nullptr ? "expected an object with images, annotations and categories"
                                      : "expected a list of results");
    case place::file:
        return fail("expected a list");
    case place::list:
        return fail("expected an object");
    case place::rings:
        return fail("expected a list of polygons, each a list of numbers");
    case place::runs:
        return fail(runs_key_ == "size" ? "expected [height, width]"
                                        : "expected a string or a list of run lengths");
    case place::size:
    case place::counts:
        return fail("expected a whole number");
    case place::box:
    case place::ring:
        return fail("expected a number");
    case place::record:
        break;
    }
    switch (member_) {
    case member::bbox:
        return fail("expected [x, y, width, height]");
    case member::segmentation:
        return fail("expected polygons or run lengths");
    case member::file_name:
    case member::name:
    case member::supercategory:
        return fail("expected a string");
    case member::score:
    case member::area:
    case member::iscrowd:
    case member::ignore:
        return fail("expected a number");
    default:
        return fail("expected a whole number");
    }
}

bool coco_listener::wants_masks() const {
    return options_.masks == masks_wanted::always ||
           (options_.masks == masks_wanted::unless_boxes && results_ != nullptr &&
            (record_ == 0 || !results_->boxes));
}

bool coco_listener::key(string_t& name) {
    static constexpr auto in = [](auto... s) { return ((1U << static_cast<unsigned>(s)) | ...); };
    static constexpr known_member members[] = {
        {"id", member::id, in(section::images, section::categories, section::annotations)},
        {"image_id", member::image_id, in(section::annotations, section::results)},
        {"category_id", member::category_id, in(section::annotations, section::results)},
        {"height", member::height, in(section::images)},
        {"width", member::width, in(section::images)},
        {"file_name", member::file_name, in(section::images)},
        {"name", member::name, in(section::categories)},
        {"supercategory", member::supercategory, in(section::categories)},
        {"score", member::score, in(section::results)},
        {"area", member::area, in(section::annotations)},
        {"iscrowd", member::iscrowd, in(section::annotations)},
        {"ignore", member::ignore, in(section::annotations)},
        {"bbox", member::bbox, in(section::annotations, section::results)},
        {"segmentation", member::segmentation, in(section::annotations, section::results)},
    };
    if (skipped_ > 0) {
        return true;
    }
    const auto bit = [](auto what) { return 1U << static_cast<unsigned>(what); };
    switch (where()) {
    case place::file: {
        section_ = name == "images"        ? section::images
                   : name == "categories"  ? section::categories
                   : name == "annotations" ? section::annotations
                                           : section::none;
        section_name_ = name;
        record_ = 0;
        const bool again = section_ != section::none && (seen_sections_ & bit(section_)) != 0;
        seen_sections_ |= bit(section_);
        return !again || fail("the list is given twice");
    }
    case place::record: {
        key_ = name;
        member_ = member::none;
        for (const known_member& known : members) {
            if ((known.sections & bit(section_)) != 0 && name == known.name) {
                member_ = known.what;
            }
        }
        if (member_ == member::none) {
            return true;
        }
        const bool again = (seen_ & bit(member_)) != 0;
        seen_ |= bit(member_);
        present_ |= bit(member_);
        return !again || fail("given twice");
    }
    case place::runs:
        runs_key_ = name;
        return (name == "size" ? size_.empty() : name != "counts" || (!counts_text_ && !counts_list_)) ||
               fail("given twice");
    default:
        return true;
    }
}

bool coco_listener::enter(place where) {
    places_.push_back(where);
    at_ = 0;
    return true;
}

bool coco_listener::start(bool object) {
    if (skipped_ > 0) {
        return ++skipped_ < deepest || fail("nested deeper than " + std::to_string(deepest) + " levels");
    }
    switch (where()) {
    case place::nothing:
        if (object != (truth_ != nullptr)) {
            return fail_expected();
        }
        if (results_ != nullptr) {
            section_ = section::results;
            section_name_ = "results";
        }
        return enter(object ? place::file : place::list);
    case place::file:
        if (section_ == section::none) {
            skipped_ = 1;
            return true;
        }
        return object ? fail_expected() : enter(place::list);
    case place::list:
        if (!object) {
            return fail_expected();
        }
        key_.clear();
        member_ = member::none;
        seen_ = 0;
        present_ = 0;
        image_ = {};
        category_ = {};
        object_ = {};
        return enter(place::record);
    case place::record:
        if (member_ == member::none || (member_ == member::segmentation && !wants_masks())) {
            skipped_ = 1;
            return true;
        }
        if (member_ == member::bbox && !object) {
            return enter(place::box);
        }
        if (member_ == member::segmentation) {
            rings_.clear();
            runs_key_.clear();
            size_.clear();
            counts_text_.reset();
            counts_list_.reset();
            return enter(object ? place::runs : place::rings);
        }
        return fail_expected();
    case place::rings:
        if (object) {
            return fail_expected();
        }
        rings_.emplace_back();
        return enter(place::ring);
    case place::runs:
        if (runs_key_ == "size" && !object) {
            return enter(place::size);
        }
        if (runs_key_ == "counts" && !object) {
            counts_list_.emplace();
            return enter(place::counts);
        }
        if (runs_key_ == "size" || runs_key_ == "counts") {
            return fail_expected();
        }
        skipped_ = 1;
        return true;
    default:
        return fail_expected();
    }
}

bool coco_listener::end() {
    if (skipped_ > 0) {
        --skipped_;
        return true;
    }
    const place left = where();
    switch (left) {
    case place::box:
        if (at_ != 4 && at_ != 0) {
            return fail("expected four numbers, x, y, width and height");
        }
        if (at_ == 0) { // pycocotools takes an empty box for no box
            present_ &= ~(1U << static_cast<unsigned>(member::bbox));
        } else {
            object_.box = ostend::coco_box{box_[0], box_[1], box_[2], box_[3]};
        }
        break;
    case place::ring:
        if (rings_.back().size() % 2 != 0) {
            return fail("an odd count of numbers");
        }
        if (rings_.back().size() < 6) {
            return fail("a polygon of " + std::to_string(rings_.back().size() / 2) + " points");
        }
        rings_.back().shrink_to_fit();
        break;
    case place::rings:
        if (rings_.empty()) {
            return fail("an object without polygons");
        }
        object_.segmentation = std::move(rings_);
        rings_.clear();
        break;
    case place::size:
        if (at_ != 2) {
            return fail("expected [height, width]");
        }
        break;
    case place::runs:
        if (!finish_runs()) {
            return false;
        }
        break;
    case place::record:
        if (!finish_record()) {
            return false;
        }
        ++record_;
        break;
    default:
        break;
    }
    places_.pop_back();
    if (left == place::list) {
        record_ = 0;
        section_ = section::none;
        section_name_.clear();
    }
    return true;
}

bool coco_listener::null() {
    if (skipped_ > 0 || (where() == place::file && section_ == section::none)) {
        return true;
    }
    if (where() == place::record) {
        present_ &= ~(1U << static_cast<unsigned>(member_));
        return true;
    }
    return (where() == place::runs && runs_key_ != "size" && runs_key_ != "counts") || fail_expected();
}

bool coco_listener::boolean(bool yes) {
    if (skipped_ == 0 && where() == place::record && member_ == member::iscrowd) {
        object_.crowd = yes;
        return true;
    }
    if (skipped_ == 0 && where() == place::record && member_ == member::ignore) {
        object_.ignore = yes;
        return true;
    }
    const bool passed_over = skipped_ > 0 || (where() == place::file && section_ == section::none) ||
                             (where() == place::record && member_ == member::none) ||
                             (where() == place::runs && runs_key_ != "size" && runs_key_ != "counts");
    return passed_over || fail_expected();
}

bool coco_listener::string(string_t& text) {
    if (skipped_ > 0 || (where() == place::file && section_ == section::none)) {
        return true;
    }
    if (where() == place::runs) {
        if (runs_key_ == "counts") {
            counts_text_ = std::move(text);
        }
        return runs_key_ != "size" || fail_expected();
    }
    if (where() != place::record) {
        return fail_expected();
    }
    switch (member_) {
    case member::none:
        return true;
    case member::file_name:
        image_.file_name = std::move(text);
        return true;
    case member::name:
        category_.name = std::move(text);
        return true;
    case member::supercategory:
        category_.supercategory = std::move(text);
        return true;
    default:
        return fail_expected();
    }
}

bool coco_listener::number_integer(number_integer_t n) { return number(static_cast<double>(n), n); }

bool coco_listener::number_unsigned(number_unsigned_t n) {
    const bool fits = n <= static_cast<std::uint64_t>(INT64_MAX);
    return number(static_cast<double>(n), fits ? std::optional(static_cast<std::int64_t>(n)) : std::nullopt);
}

bool coco_listener::number_float(number_float_t n, const string_t&) {
    const bool whole = std::trunc(n) == n && std::abs(n) <= largest_whole;
    return number(n, whole ? std::optional(static_cast<std::int64_t>(n)) : std::nullopt);
}

bool coco_listener::number(double value, std::optional<std::int64_t> whole) {
    if (skipped_ > 0 || (where() == place::file && section_ == section::none)) {
        return true;
    }
    switch (where()) {
    case place::record:
        return member_number(value, whole);
    case place::box:
        if (at_ == 4) {
            return fail("expected four numbers, x, y, width and height");
        }
        box_[at_++] = value;
        return true;
    case place::ring:
        rings_.back().push_back(value);
        ++at_;
        return true;
    case place::size:
        if (!whole) {
            return fail_expected();
        }
        if (at_ == 2) {
            return fail("expected [height, width]");
        }
        size_.push_back(*whole);
        ++at_;
        return true;
    case place::counts:
        if (!whole || *whole < 0 || *whole > std::int64_t{0xFFFFFFFF}) {
            return fail("a run length is a whole number from 0 to 2^32 - 1");
        }
        counts_list_->push_back(static_cast<std::uint32_t>(*whole));
        ++at_;
        return true;
    case place::runs:
        return (runs_key_ != "size" && runs_key_ != "counts") || fail_expected();
    default:
        return fail_expected();
    }
}

bool coco_listener::member_number(double value, std::optional<std::int64_t> whole) {
    const auto set = [&](std::int64_t& to) {
        to = whole.value_or(0);
        return whole || fail_expected();
    };
    const auto set_side = [&](std::optional<ostend::index>& to) {
        to = static_cast<ostend::index>(whole.value_or(0));
        return (whole && *whole > 0) || fail("expected a number of pixels");
    };
    switch (member_) {
    case member::none:
        return true;
    case member::id:
        return set(section_ == section::images       ? image_.id
                   : section_ == section::categories ? category_.id
                                                     : object_.id);
    case member::image_id:
        return set(object_.image);
    case member::category_id:
        return set(object_.category);
    case member::height:
        return set_side(image_.height);
    case member::width:
        return set_side(image_.width);
    case member::score:
        object_.score = value;
        return true;
    case member::area:
        object_.area = value;
        return true;
    case member::iscrowd:
        object_.crowd = value != 0;
        return true;
    case member::ignore:
        object_.ignore = value != 0;
        return true;
    default:
        return fail_expected();
    }
}

bool coco_listener::finish_runs() {
    const auto missing = [&](const char* name) {
        runs_key_ = name;
        return fail("missing");
    };
    if (size_.empty()) {
        return missing("size");
    }
    if (!counts_text_ && !counts_list_) {
        return missing("counts");
    }
    auto mask = counts_text_ ? ostend::from_coco_string(*counts_text_, size_[0], size_[1])
                             : ostend::from_counts(*counts_list_, size_[0], size_[1]);
    if (!mask) {
        runs_key_ = mask.error().field;
        return fail(mask.error().what, mask.error().at);
    }
    object_.segmentation = coco_runs{*std::move(mask), counts_list_.has_value()};
    return true;
}

bool coco_listener::require(member m, const char* name) {
    if (has(m)) {
        return true;
    }
    key_ = name;
    return fail("missing");
}

bool coco_listener::finish_record() {
    switch (section_) {
    case section::images:
        if (!require(member::id, "id")) {
            return false;
        }
        if (image_.height && image_.width) {
            if (const auto pixels = ostend::mask_pixels(*image_.height, *image_.width); !pixels) {
                key_ = "height";
                return fail(pixels.error().what);
            }
        }
        truth_->images.push_back(std::move(image_));
        return true;
    case section::categories:
        if (!require(member::id, "id")) {
            return false;
        }
        truth_->categories.push_back(std::move(category_));
        return true;
    default:
        break;
    }
    if (!require(member::image_id, "image_id") || !require(member::category_id, "category_id") ||
        (truth_ != nullptr && !require(member::id, "id")) ||
        (results_ != nullptr && !require(member::score, "score"))) {
        return false;
    }
    if (results_ != nullptr && record_ == 0) {
        results_->boxes = object_.box.has_value();
    }
    if (!options_.keep || options_.keep(object_.image)) {
        object_.record = record_;
        if (truth_ != nullptr) {
            truth_->annotations.push_back(std::move(object_));
        } else if (results_ != nullptr) {
            results_->results.push_back(std::move(object_));
        }
    }
    return true;
}

bool coco_listener::parse_error(std::size_t position, const std::string& token,
                                const nlohmann::detail::exception& why) {
    mistake_of_json_ = true;
    return fail(json_mistake(token, why), position);
}

} // namespace ostend_tools
