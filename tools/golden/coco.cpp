// Golden category cocoeval: COCO's twelve numbers, through the reader of COCO's files.
#include "golden/golden.hpp"

#include "coco/coco_evaluation.hpp"
#include "coco/coco_files.hpp"

namespace ostend_tools {

void check_cocoeval(golden_case& c) {
    const json data = c.file_json("data");
    if (!c.why().empty()) {
        return;
    }
    const auto figures = [&](coco_iou iou, bool by_category) {
        // The masks are used up by an evaluation, so each one reads again.
        const std::string gt = data.at("gt").dump();
        const std::string dt = data.at("dt").dump();
        auto truth = c.take(read_coco_truth(json_source(gt)), "gt");
        auto results = c.take(read_coco_results(json_source(dt)), "dt");
        ostend::coco_options options;
        options.by_category = by_category;
        ostend::coco_accumulator metric(options);
        for (const auto& done :
             {check_results(results, truth), evaluate_coco(truth, results, {.iou = iou}, metric)}) {
            c.require(done.has_value(), done ? "" : done.error().message());
        }
        return std::pair(metric.compute(), std::move(truth));
    };
    const auto [masks, truth] = figures(coco_iou::segm, true);
    c.compare(masks.stats, c.expected_value("segm"), "segm");
    c.compare(figures(coco_iou::bbox, true).first.stats, c.expected_value("bbox"), "bbox");
    c.compare(figures(coco_iou::segm, false).first.stats, c.expected_value("segm_class_agnostic"),
              "segm_class_agnostic");
    const json each = coco_to_json(masks, {}, coco_iou::segm, truth);
    std::vector<double> average_precision;
    for (const json& one : each.at("per_class")) {
        average_precision.push_back(one.at("AP").get<double>());
    }
    c.compare(average_precision, c.expected_value("per_category_AP"), "per_category_AP");
}

} // namespace ostend_tools
