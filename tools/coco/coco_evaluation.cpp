#include "coco/coco_evaluation.hpp"

#include "ostend/mask/polygon.hpp"
#include "ostend/metrics/coco_overlap.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <vector>

namespace ostend_tools {

using ostend::coco_detection;
using ostend::coco_truth;
using ostend::error;
using ostend::index;
using ostend::result;
using ostend::rle;
using ostend::status;
using ostend::success;

namespace {

error missing(const char* list, const coco_object& o, const char* member) {
    return error{"missing", std::string(list) + "[" + std::to_string(o.record) + "]." + member};
}

/// Objects image by image, in the order of the file within one.
class by_image {
public:
    explicit by_image(const std::vector<coco_object>& objects) : objects_(objects), order_(objects.size()) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::stable_sort(order_.begin(), order_.end(),
                         [&](std::size_t a, std::size_t b) { return objects_[a].image < objects_[b].image; });
    }
    /// Positions of an image's objects. Images are asked for in ascending order.
    [[nodiscard]] std::span<const std::size_t> next(std::int64_t image) {
        while (at_ < order_.size() && objects_[order_[at_]].image < image) {
            ++at_;
        }
        const std::size_t first = at_;
        while (at_ < order_.size() && objects_[order_[at_]].image == image) {
            ++at_;
        }
        return std::span(order_).subspan(first, at_ - first);
    }

private:
    const std::vector<coco_object>& objects_;
    std::vector<std::size_t> order_;
    std::size_t at_ = 0;
};

/// Masks of one image, all of its size. An image without a size has that of its first run lengths.
class mask_maker {
public:
    explicit mask_maker(const coco_image& image) : height_(image.height), width_(image.width) {}

    result<rle> make(const char* list, coco_object& o) {
        const std::string record = std::string(list) + "[" + std::to_string(o.record) + "]";
        if (auto* runs = std::get_if<coco_runs>(&o.segmentation)) {
            height_ = height_.value_or(runs->mask.height);
            width_ = width_.value_or(runs->mask.width);
            if (runs->mask.height != *height_ || runs->mask.width != *width_) {
                return error{"is " + std::to_string(runs->mask.height) + " x " +
                                 std::to_string(runs->mask.width) + ", but the image is " +
                                 std::to_string(*height_) + " x " + std::to_string(*width_),
                             record + ".segmentation.size"};
            }
            return std::move(runs->mask);
        }
        coco_polygons polygons;
        if (auto* rings = std::get_if<coco_polygons>(&o.segmentation)) {
            polygons = std::move(*rings);
        } else if (o.box) { // what pycocotools makes of a result without a mask
            const double right = o.box->x + o.box->width;
            const double lower = o.box->y + o.box->height;
            polygons = {{o.box->x, o.box->y, o.box->x, lower, right, lower, right, o.box->y}};
        } else {
            return missing(list, o, "segmentation");
        }
        if (!height_ || !width_) {
            return error{"polygons need the width and height of image " + std::to_string(o.image), record};
        }
        auto mask = ostend::from_polygons(polygons, *height_, *width_);
        if (!mask) {
            return mask.error().in(record + ".segmentation");
        }
        return mask;
    }

private:
    std::optional<index> height_;
    std::optional<index> width_;
};

/// One image's objects, ready for the accumulator.
struct image_objects {
    std::vector<coco_truth> truths;
    std::vector<coco_detection> detections;
    std::vector<rle> truth_masks;
    std::vector<rle> detection_masks;
    std::vector<ostend::coco_box> truth_boxes;
    std::vector<ostend::coco_box> detection_boxes;

    void clear() {
        truths.clear();
        detections.clear();
        truth_masks.clear();
        detection_masks.clear();
        truth_boxes.clear();
        detection_boxes.clear();
    }

    status add_truth(coco_object& o, coco_iou iou, mask_maker& masks) {
        if (!o.area) {
            return missing("annotations", o, "area");
        }
        truths.push_back(
            {.id = o.id, .category = o.category, .area = *o.area, .crowd = o.crowd, .ignore = o.ignore});
        if (iou == coco_iou::bbox) {
            if (!o.box) {
                return missing("annotations", o, "bbox");
            }
            truth_boxes.push_back(*o.box);
            return success{};
        }
        if (std::holds_alternative<std::monostate>(o.segmentation)) {
            return missing("annotations", o, "segmentation");
        }
        auto mask = masks.make("annotations", o);
        if (!mask) {
            return mask.error();
        }
        truth_masks.push_back(*std::move(mask));
        return success{};
    }

    status add_result(coco_object& o, coco_iou iou, bool boxes, mask_maker& masks) {
        if (boxes && !o.box) {
            return error{"missing, though the first result has one", missing("results", o, "bbox").field};
        }
        if (!boxes && std::holds_alternative<std::monostate>(o.segmentation)) {
            return missing("results", o, o.record == 0 ? "bbox or segmentation" : "segmentation");
        }
        coco_detection d{.category = o.category, .score = o.score};
        rle mask;
        if (!boxes || iou != coco_iou::bbox) {
            auto made = masks.make("results", o);
            if (!made) {
                return made.error();
            }
            mask = *std::move(made);
        }
        d.area = boxes ? o.box->width * o.box->height : static_cast<double>(ostend::area(mask));
        detections.push_back(d);
        if (iou == coco_iou::bbox) {
            detection_boxes.push_back(o.box ? *o.box : ostend::to_coco_box(mask));
        } else {
            detection_masks.push_back(std::move(mask));
        }
        return success{};
    }

    status update(std::int64_t image, coco_iou iou, ostend::coco_accumulator& metric) const {
        switch (iou) {
        case coco_iou::bbox:
            return metric.update(image, truths, detections,
                                 ostend::coco_box_overlap(detection_boxes, truth_boxes));
        case coco_iou::segm:
            return metric.update(image, truths, detections,
                                 ostend::coco_mask_overlap(detection_masks, truth_masks));
        case coco_iou::boundary:
            return metric.update(
                image, truths, detections,
                ostend::coco_boundary_overlap(detection_masks, truth_masks, {},
                                              *std::min_element(metric.options().iou_thresholds.begin(),
                                                                metric.options().iou_thresholds.end())));
        }
        return success{};
    }
};

} // namespace

std::string_view to_name(coco_iou iou) {
    return iou == coco_iou::segm ? "segm" : iou == coco_iou::bbox ? "bbox" : "boundary";
}

std::optional<coco_iou> find_coco_iou(std::string_view name) {
    for (const coco_iou iou : {coco_iou::segm, coco_iou::bbox, coco_iou::boundary}) {
        if (name == to_name(iou)) {
            return iou;
        }
    }
    return {};
}

masks_wanted truth_masks(coco_iou iou) {
    return iou == coco_iou::bbox ? masks_wanted::never : masks_wanted::always;
}

masks_wanted result_masks(coco_iou iou) {
    return iou == coco_iou::bbox ? masks_wanted::unless_boxes : masks_wanted::always;
}

status evaluate_coco(coco_truth_file& truth, coco_result_file& results,
                     const coco_evaluation_options& options, ostend::coco_accumulator& metric) {
    std::vector<const coco_image*> images;
    for (const coco_image& image : truth.images) {
        images.push_back(&image);
    }
    std::sort(images.begin(), images.end(),
              [](const coco_image* a, const coco_image* b) { return a->id < b->id; });
    by_image annotations_of(truth.annotations);
    by_image results_of(results.results);
    image_objects objects;
    for (const coco_image* image : images) {
        if (options.skip && options.skip(image->id)) {
            continue;
        }
        objects.clear();
        mask_maker masks(*image);
        for (const std::size_t i : annotations_of.next(image->id)) {
            if (const status added = objects.add_truth(truth.annotations[i], options.iou, masks); !added) {
                return added;
            }
        }
        for (const std::size_t i : results_of.next(image->id)) {
            if (const status added =
                    objects.add_result(results.results[i], options.iou, results.boxes, masks);
                !added) {
                return added;
            }
        }
        if (const status updated = objects.update(image->id, options.iou, metric); !updated) {
            return updated;
        }
        if (options.done) {
            if (const status go_on = options.done(image->id); !go_on) {
                return go_on;
            }
        }
    }
    return success{};
}

} // namespace ostend_tools
