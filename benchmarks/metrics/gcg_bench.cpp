// Times of metrics/gcg.hpp, one image of 8 predictions and 6 truths: mIoU and mask recall from COCO's strings
// (reading them is part of the work, as decoding them is of the peers'), and from run lengths.
#include "../run.hpp"
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/metrics/gcg.hpp"

#include <benchmark/benchmark.h>

#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using ostend::index;
using ostend::rle;

struct image {
    index height = 0;
    index width = 0;
    std::vector<rle> predictions;
    std::vector<rle> truths;
    std::vector<std::string> prediction_strings;
    std::vector<std::string> truth_strings;
};

/// Ellipses; a prediction is a truth that has moved, or one of its own.
image make_image(index height, index width) {
    std::mt19937 random(5);
    std::uniform_real_distribution<double> unit(0, 1);
    struct ellipse {
        double x, y, rx, ry;
    };
    const auto draw = [&](const ellipse& e) {
        ostend::bitmap mask(height, width);
        for (index y = 0; y < height; ++y) {
            for (index x = 0; x < width; ++x) {
                const double dx = (static_cast<double>(x) - e.x) / e.rx;
                const double dy = (static_cast<double>(y) - e.y) / e.ry;
                mask(y, x) = dx * dx + dy * dy < 1 ? 1 : 0;
            }
        }
        return encode(mask);
    };
    const auto h = static_cast<double>(height);
    const auto w = static_cast<double>(width);
    image out{height, width, {}, {}, {}, {}};
    std::vector<ellipse> truths;
    for (int t = 0; t < 6; ++t) {
        truths.push_back({unit(random) * w, unit(random) * h, (0.05 + 0.2 * unit(random)) * w,
                          (0.05 + 0.2 * unit(random)) * h});
        out.truths.push_back(draw(truths.back()));
    }
    for (std::size_t p = 0; p < 8; ++p) {
        ellipse e = truths[p % 6];
        e.x += (unit(random) - 0.5) * 0.1 * w;
        e.y += (unit(random) - 0.5) * 0.1 * h;
        out.predictions.push_back(draw(e));
    }
    for (const rle& mask : out.predictions) {
        out.prediction_strings.push_back(to_coco_string(mask));
    }
    for (const rle& mask : out.truths) {
        out.truth_strings.push_back(to_coco_string(mask));
    }
    return out;
}

std::vector<rle> read(const image& from, const std::vector<std::string>& strings) {
    std::vector<rle> out;
    for (const std::string& text : strings) {
        out.push_back(ostend::from_coco_string(text, from.height, from.width).value());
    }
    return out;
}

double miou(std::span<const rle> predictions, std::span<const rle> truths) {
    return ostend::gcg_paired_iou(ostend::gcg_iou(predictions, truths)).value();
}

std::size_t recall(std::span<const rle> predictions, std::span<const rle> truths) {
    const auto iou = ostend::gcg_iou(predictions, truths);
    ostend::matrix<double> turned(iou.columns(), iou.rows());
    for (index t = 0; t < turned.rows(); ++t) {
        for (index p = 0; p < turned.columns(); ++p) {
            turned(t, p) = iou(p, t);
        }
    }
    const ostend::matrix<double> text(turned.rows(), turned.columns(), 1.0);
    return ostend::gcg_matches(std::move(turned), text).size();
}

} // namespace

int main(int argc, char** argv) {
    for (const auto& [height, width] : {std::pair<ostend::index, ostend::index>{480, 640}, {1024, 1024}}) {
        const image one = make_image(height, width);
        const std::string size =
            ".8x6." + std::to_string(height) + "x" + std::to_string(width) + ".per-image";
        add_call("gcg.miou" + size,
                 [one] { return miou(read(one, one.prediction_strings), read(one, one.truth_strings)); });
        add_call("gcg.miou" + size + "/impl:ostend-rle", [one] { return miou(one.predictions, one.truths); });
        add_call("gcg.recall" + size,
                 [one] { return recall(read(one, one.prediction_strings), read(one, one.truth_strings)); });
        add_call("gcg.recall" + size + "/impl:ostend-rle",
                 [one] { return recall(one.predictions, one.truths); });
    }
    return run_benchmarks(argc, argv);
}
