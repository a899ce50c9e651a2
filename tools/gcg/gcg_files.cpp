#include "gcg/gcg_files.hpp"

#include "ostend/mask/polygon.hpp"
#include "ostend/mask/runs.hpp"

#include <cmath>
#include <set>

namespace ostend_tools {

using ostend::error;
using ostend::result;
using ostend::status;
using ostend::success;

namespace {

result<std::string> string_of(const json& object, const char* name) {
    const auto value = field(object, name);
    if (!value) {
        return value.error();
    }
    if (!(*value)->is_string()) {
        return error{"expected a string", name};
    }
    return (*value)->get<std::string>();
}

result<std::vector<std::string>> strings_of(const json& object, const char* name) {
    const auto value = field(object, name);
    if (!value) {
        return value.error();
    }
    std::vector<std::string> out;
    bool good = (*value)->is_array();
    for (std::size_t i = 0; good && i < (*value)->size(); ++i) {
        good = (**value)[i].is_string();
        out.push_back(good ? (**value)[i].get<std::string>() : "");
    }
    if (!good) {
        return error{"expected an array of strings", name};
    }
    return out;
}

result<image_id> id_of(const json& object, const char* name) {
    const auto value = field(object, name);
    if (!value) {
        return value.error();
    }
    const json& id = **value;
    if (id.is_string()) {
        return image_id(id.get<std::string>());
    }
    if (id.is_number_integer() && !(id.is_number_unsigned() && id.get<std::uint64_t>() > INT64_MAX)) {
        return image_id(id.get<std::int64_t>());
    }
    return error{"expected a string or a whole number", name};
}

result<std::int64_t> number_of(const json& object, const char* name) {
    const auto id = id_of(object, name);
    if (!id) {
        return id.error();
    }
    if (const auto* number = std::get_if<std::int64_t>(&*id)) {
        return *number;
    }
    return error{"expected a whole number", name};
}

/// Calls f(record, its place for errors) for each record of a list in the file.
template <class F>
status for_each_record(const json& file, const char* list, F&& f) {
    const auto records = field(file, list);
    if (!records) {
        return records.error();
    }
    if (!(*records)->is_array()) {
        return error{"expected an array", list};
    }
    for (std::size_t i = 0; i < (*records)->size(); ++i) {
        if (const status good = f((**records)[i]); !good) {
            return good.error().in(std::string(list) + ": " + std::to_string(i));
        }
    }
    return success{};
}

status read_images(const json& file, gcg_truth& truth, bool gcg_image::*listed) {
    return for_each_record(file, "images", [&](const json& record) -> status {
        const auto id = id_of(record, "id");
        if (!id) {
            return id.error();
        }
        if (truth[*id].*listed) {
            return error{to_string(*id) + " is listed twice", "id"};
        }
        truth[*id].*listed = true;
        return success{};
    });
}

/// Run lengths, or polygons of an image whose size is known.
result<ostend::rle> mask_of(const json& segmentation, const gcg_image& image) {
    if (!segmentation.is_array()) {
        return rle_from_json(segmentation);
    }
    if (image.height == 0 || image.width == 0) {
        return error{"polygons, and no height and width among the images"};
    }
    std::vector<std::vector<double>> rings;
    for (const json& polygon : segmentation) {
        std::vector<double>& ring = rings.emplace_back();
        for (const json& number : polygon) {
            if (!polygon.is_array() || !number.is_number()) {
                return error{"expected arrays of numbers", "polygon " + std::to_string(rings.size() - 1)};
            }
            ring.push_back(number.get<double>());
        }
    }
    return ostend::from_polygons(rings, image.height, image.width);
}

status read_sizes(const json& file, gcg_truth& truth) {
    return for_each_record(file, "images", [&](const json& record) -> status {
        gcg_image& image = truth[*id_of(record, "id")];
        for (const auto& [name, side] :
             {std::pair{"height", &gcg_image::height}, std::pair{"width", &gcg_image::width}}) {
            const auto found = record.find(name);
            if (found == record.end()) {
                continue;
            }
            if (!found->is_number_unsigned() || found->get<std::uint64_t>() > ostend::max_mask_pixels) {
                return error{"expected a number of pixels", name};
            }
            image.*side = found->get<ostend::index>();
        }
        return success{};
    });
}

status read_masks(const json& file, gcg_truth& truth) {
    if (status good = read_images(file, truth, &gcg_image::has_masks); !good) {
        return good;
    }
    if (status good = read_sizes(file, truth); !good) {
        return good;
    }
    std::set<std::int64_t> ids;
    return for_each_record(file, "annotations", [&](const json& record) -> status {
        const auto image = id_of(record, "image_id");
        if (!image) {
            return image.error();
        }
        const auto found = truth.find(*image);
        if (found == truth.end()) {
            return error{to_string(*image) + " is not among the images", "image_id"};
        }
        const auto id = number_of(record, "id");
        if (!id) {
            return id.error();
        }
        if (!ids.insert(*id).second) {
            return error{std::to_string(*id) + " is there twice", "id"};
        }
        const auto category = number_of(record, "category_id");
        if (!category) {
            return category.error();
        }
        const auto segmentation = field(record, "segmentation");
        if (!segmentation) {
            return segmentation.error();
        }
        auto mask = mask_of(**segmentation, found->second);
        if (!mask) {
            return mask.error().in("segmentation");
        }
        gcg_annotation annotation{.id = *id, .category = *category};
        annotation.area = static_cast<double>(ostend::area(*mask));
        if (const auto area = record.find("area"); area != record.end()) {
            if (!area->is_number()) {
                return error{"expected a number", "area"};
            }
            annotation.area = area->get<double>();
        }
        if (const auto crowd = record.find("iscrowd"); crowd != record.end()) {
            if (!crowd->is_number_integer() && !crowd->is_boolean()) {
                return error{"expected 0 or 1", "iscrowd"};
            }
            annotation.crowd = crowd->is_boolean() ? crowd->get<bool>() : crowd->get<std::int64_t>() != 0;
        }
        gcg_image& one = found->second;
        if (!one.masks.empty() &&
            (one.masks[0].height != mask->height || one.masks[0].width != mask->width)) {
            return error{"another size than the image's first mask", "segmentation: size"};
        }
        one.masks.push_back(*std::move(mask));
        one.annotations.push_back(annotation);
        return success{};
    });
}

status read_captions(const json& file, gcg_truth& truth) {
    if (status good = read_images(file, truth, &gcg_image::has_caption); !good) {
        return good;
    }
    return for_each_record(file, "annotations", [&](const json& record) -> status {
        const auto image = id_of(record, "image_id");
        if (!image) {
            return image.error();
        }
        const auto found = truth.find(*image);
        if (found == truth.end()) {
            return error{to_string(*image) + " is not among the images", "image_id"};
        }
        auto labels = strings_of(record, "labels");
        if (!labels) {
            return labels.error();
        }
        if (!found->second.labels) { // the scripts take the first
            found->second.labels = *std::move(labels);
        }
        return success{};
    });
}

} // namespace

std::string to_string(const image_id& id) {
    const auto* number = std::get_if<std::int64_t>(&id);
    return number != nullptr ? std::to_string(*number) : std::get<std::string>(id);
}

result<gcg_truth> read_gcg_truth(const std::filesystem::path& masks, const std::filesystem::path& captions) {
    gcg_truth truth;
    for (const auto& [path, read] : {std::pair{&masks, &read_masks}, std::pair{&captions, &read_captions}}) {
        const auto file = read_json(*path);
        if (!file) {
            return file.error();
        }
        if (const status good = read(*file, truth); !good) {
            return good.error().in(path->string());
        }
    }
    return truth;
}

result<gcg_prediction> read_gcg_prediction(const std::filesystem::path& path) {
    const auto file = read_json(path);
    if (!file) {
        return file.error();
    }
    const json* record = &*file;
    if (record->is_object() && !record->empty()) {
        const json& first = record->begin().value();
        if (first.is_object() && first.contains("caption") && first.contains("phrases")) {
            record = &first;
        }
    }
    const auto caption = string_of(*record, "caption");
    if (!caption) {
        return caption.error().in(path.string());
    }
    const auto phrases = strings_of(*record, "phrases");
    if (!phrases) {
        return phrases.error().in(path.string());
    }
    gcg_prediction out{*caption, *phrases, {}};
    const status masks = for_each_record(*record, "pred_masks", [&](const json& value) -> status {
        auto mask = rle_from_json(value);
        if (!mask) {
            return mask.error();
        }
        out.masks.push_back(*std::move(mask));
        return success{};
    });
    if (!masks) {
        return masks.error().in(path.string());
    }
    return out;
}

result<text_similarity> text_similarity::read(const std::filesystem::path& path) {
    const auto file = read_json(path);
    if (!file) {
        return file.error();
    }
    if (!file->is_object()) {
        return error{"expected {label: {phrase: cosine}}", path.string()};
    }
    text_similarity out;
    out.file_ = path.string();
    for (const auto& [label, phrases] : file->items()) {
        if (!phrases.is_object()) {
            return error{"expected {phrase: cosine}", out.file_ + ": " + label};
        }
        auto& mine = out.cosines_[label];
        for (const auto& [phrase, cosine] : phrases.items()) {
            if (!cosine.is_number()) {
                return error{"expected a number", phrase}.in(label).in(out.file_);
            }
            mine[phrase] = cosine.get<double>();
        }
    }
    return out;
}

result<double> text_similarity::operator()(const std::string& label, const std::string& phrase) const {
    if (file_.empty()) {
        return label == phrase ? 1.0 : 0.0;
    }
    if (const auto mine = cosines_.find(label); mine != cosines_.end()) {
        if (const auto found = mine->second.find(phrase); found != mine->second.end()) {
            return found->second;
        }
    }
    return error{"there is no cosine of label \"" + label + "\" and phrase \"" + phrase + "\"", file_};
}

} // namespace ostend_tools
