// The figures of COCO's evaluation as text and as JSON.
#include "coco/coco_evaluation.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace ostend_tools {

using ostend::index;

namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
    std::vector<char> text(static_cast<std::size_t>(std::snprintf(nullptr, 0, pattern, values...)) + 1);
    std::snprintf(text.data(), text.size(), pattern, values...);
    return text.data();
}

/// The categories of the truth by id, each with its result where any image has it.
template <class F>
void for_each_category(const ostend::coco_result& result, const coco_truth_file& truth, F&& f) {
    std::vector<const coco_category*> categories;
    for (const coco_category& category : truth.categories) {
        categories.push_back(&category);
    }
    std::sort(categories.begin(), categories.end(),
              [](const coco_category* a, const coco_category* b) { return a->id < b->id; });
    for (const coco_category* category : categories) {
        const auto found = std::find_if(result.categories.begin(), result.categories.end(),
                                        [&](const auto& one) { return one.category == category->id; });
        f(*category, found == result.categories.end() ? nullptr : &*found);
    }
}

json rows_of(const ostend::matrix<double>& values) {
    json rows = json::array();
    for (index r = 0; r < values.rows(); ++r) {
        rows.push_back(std::vector<double>(values.row(r).begin(), values.row(r).end()));
    }
    return rows;
}

json to_json(const ostend::coco_curve& curve, json head) {
    head["recall"] = curve.recall;
    head["precision"] = rows_of(curve.precision);
    head["score"] = rows_of(curve.score);
    return head;
}

} // namespace

std::string coco_lines(const ostend::coco_stats& stats, const ostend::coco_options& options) {
    struct line {
        const char* iou;
        std::size_t area;
        std::size_t limit;
    };
    const std::string range =
        format("%.2f:%.2f", options.iou_thresholds.front(), options.iou_thresholds.back());
    const line lines[] = {{nullptr, 0, 2}, {"0.50", 0, 2},  {"0.75", 0, 2},  {nullptr, 1, 2},
                          {nullptr, 2, 2}, {nullptr, 3, 2}, {nullptr, 0, 0}, {nullptr, 0, 1},
                          {nullptr, 0, 2}, {nullptr, 1, 2}, {nullptr, 2, 2}, {nullptr, 3, 2}};
    std::string text;
    for (std::size_t i = 0; i < stats.size(); ++i) {
        text += format(" %-18s %s @[ IoU=%-9s | area=%6s | maxDets=%3td ] = %.3f\n",
                       i < 6 ? "Average Precision" : "Average Recall", i < 6 ? "(AP)" : "(AR)",
                       lines[i].iou != nullptr ? lines[i].iou : range.c_str(),
                       std::string(ostend::coco_area_names[lines[i].area]).c_str(),
                       options.max_detections[lines[i].limit], stats[i]);
    }
    return text;
}

std::string coco_table(const ostend::coco_result& result, const coco_truth_file& truth) {
    std::size_t widest = 8;
    for (const coco_category& category : truth.categories) {
        widest = std::max(widest, category.name.size());
    }
    std::string text = format("%8s  %-*s %8s", "id", static_cast<int>(widest), "category", "truths");
    for (const std::string_view name : ostend::coco_stat_names) {
        text += format(" %6s", std::string(name).c_str());
    }
    text += "\n";
    for_each_category(result, truth, [&](const coco_category& category, const auto* one) {
        text += format("%8lld  %-*s %8lld", static_cast<long long>(category.id), static_cast<int>(widest),
                       category.name.c_str(), one != nullptr ? static_cast<long long>(one->truths[0]) : 0LL);
        for (std::size_t i = 0; i < ostend::coco_stat_names.size(); ++i) {
            text +=
                one == nullptr || one->stats[i] < 0 ? format(" %6s", "-") : format(" %6.3f", one->stats[i]);
        }
        text += "\n";
    });
    return text;
}

json coco_to_json(const ostend::coco_result& result, const ostend::coco_options& options, coco_iou iou,
                  const coco_truth_file& truth) {
    json out;
    out["iou"] = to_name(iou);
    out["stats"] = result.stats;
    out["stat_names"] = ostend::coco_stat_names;
    out["images"] = result.images;
    json& made_with = out["options"];
    made_with["iou_thresholds"] = options.iou_thresholds;
    for (std::size_t a = 0; a < ostend::coco_areas; ++a) {
        made_with["area_ranges"][std::string(ostend::coco_area_names[a])] = {options.areas[a].low,
                                                                             options.areas[a].high};
    }
    made_with["max_detections"] = options.max_detections;
    made_with["by_category"] = options.by_category;
    made_with["honour_ignore"] = options.honour_ignore;
    made_with["zero_id_never_matches"] = options.zero_id_never_matches;
    made_with["sums"] = options.sums == ostend::numpy_sums::buffered ? "numpy 2.2" : "numpy 2.3";
    json& per_class = out["per_class"] = json::array();
    json& curves = out["curves"];
    curves["area"] = "all";
    curves["max_detections"] = options.max_detections.back();
    std::vector<double> recalls;
    for (std::size_t i = 0; i < ostend::coco_recalls; ++i) {
        recalls.push_back(ostend::coco_recall(i));
    }
    curves["recall_thresholds"] = recalls;
    json& list = curves["categories"] = json::array();
    const auto add = [&](json head, const ostend::coco_category_result* one) {
        json figures = head;
        figures["truths"] = one != nullptr ? one->truths : std::array<std::int64_t, ostend::coco_areas>{};
        for (std::size_t i = 0; i < ostend::coco_stat_names.size(); ++i) {
            figures[std::string(ostend::coco_stat_names[i])] = one != nullptr ? one->stats[i] : -1.0;
        }
        per_class.push_back(std::move(figures));
        if (one != nullptr && one->curve.truths != 0) {
            list.push_back(to_json(one->curve, std::move(head)));
        }
    };
    if (options.by_category) {
        for_each_category(result, truth, [&](const coco_category& category, const auto* one) {
            add({{"category_id", category.id}, {"name", category.name}}, one);
        });
    } else {
        add({{"category_id", -1}, {"name", "(all)"}},
            result.categories.empty() ? nullptr : &result.categories.front());
    }
    return out;
}

} // namespace ostend_tools
