// coco_summary: COCO's twelve numbers out of curves, in the order of sums that NumPy takes.
#pragma once

#include "ostend/metrics/coco_curve.hpp"
#include "ostend/metrics/pairwise_sum.hpp"

#include <algorithm>
#include <optional>

namespace ostend::inline v0 {

using coco_stats = std::array<double, coco_stat_names.size()>; ///< -1 where there is no truth

struct coco_category_result {
    std::int64_t category = 0;
    std::array<std::int64_t, coco_areas> truths{}; ///< that count in each area range
    coco_stats stats{};                            ///< the twelve numbers of this category alone
    coco_curve curve = {};                         ///< of all areas and the greatest limit, if kept
};

struct coco_compute_options {
    bool curves = true; ///< keep each category's curve: 16 KB at ten thresholds
};

struct coco_result {
    coco_stats stats{};
    std::vector<coco_category_result> categories = {}; ///< that any image has, by id
    std::size_t images = 0;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Values [categories][thresholds][inner] gathered so that one mean covers thresholds, inner, categories in
/// that order, which is how NumPy walks pycocotools' arrays.
class coco_mean {
public:
    explicit coco_mean(const coco_options& options)
        : thresholds_(options.iou_thresholds.size()), sums_(options.sums) {}
    void add(std::span<const double> values) {
        parts_.insert(parts_.end(), values.begin(), values.end()), ++n_;
    }
    /// The mean over all thresholds, or over the one given.
    [[nodiscard]] double mean(std::optional<std::size_t> only = {}) const {
        if (n_ == 0) {
            return -1;
        }
        const std::size_t each = parts_.size() / n_;
        const std::size_t inner = each / thresholds_;
        std::vector<double> flat;
        flat.reserve(parts_.size());
        for (std::size_t i = only ? *only * inner : 0; i < (only ? (*only + 1) * inner : each); ++i) {
            for (std::size_t k = 0; k < n_; ++k) {
                flat.push_back(parts_[k * each + i]);
            }
        }
        return numpy_mean(flat, -1, sums_);
    }

private:
    std::size_t thresholds_;
    numpy_sums sums_;
    std::size_t n_ = 0;
    std::vector<double> parts_;
};

/// Collects the curves of one category or of all, and reads the twelve numbers from them.
class coco_summary {
public:
    explicit coco_summary(const coco_options& options)
        : thresholds_(options.iou_thresholds), precision_(coco_areas, coco_mean(options)),
          recall_(coco_areas, coco_mean(options)), limited_(coco_limits, coco_mean(options)) {}
    void add_area(std::size_t area, const coco_curve& curve) {
        if (curve.truths != 0) {
            precision_[area].add(curve.precision.values());
            recall_[area].add(curve.recall);
        }
    }
    void add_limit(std::size_t limit, const coco_curve& curve) {
        if (curve.truths != 0) {
            limited_[limit].add(curve.recall);
        }
    }
    [[nodiscard]] coco_stats stats() const {
        return {precision_[0].mean(),
                at(0.5),
                at(0.75),
                precision_[1].mean(),
                precision_[2].mean(),
                precision_[3].mean(),
                limited_[0].mean(),
                limited_[1].mean(),
                limited_[2].mean(),
                recall_[1].mean(),
                recall_[2].mean(),
                recall_[3].mean()};
    }

private:
    [[nodiscard]] double at(double threshold) const {
        const auto found = std::find(thresholds_.begin(), thresholds_.end(), threshold);
        return found == thresholds_.end()
                   ? -1
                   : precision_[0].mean(static_cast<std::size_t>(found - thresholds_.begin()));
    }
    std::vector<double> thresholds_;
    std::vector<coco_mean> precision_;
    std::vector<coco_mean> recall_;
    std::vector<coco_mean> limited_;
};

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
