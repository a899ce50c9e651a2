#include "tiny_sam/decoder.hpp"

#include "ostend/core/expects.hpp"

#include <algorithm>
#include <cmath>

namespace ostend_hosts {
namespace {

constexpr Index cells = 32; // a side of the prompt's pictures
constexpr Index width = 48; // channels inside the decoder
enum picture : Index { on, on_wide, off, off_wide, box, has_box, has_point, prior, has_mask, pictures };

using axis = Eigen::Array<float, cells, 1>;

/// The prompt as pictures [cells^2, pictures]: spots on and off the object at two widths, the box, the mask,
/// and whether there are any.
feature_map draw(const ostend::sam_points& points, const ostend::matrix<float>* mask) {
    feature_map drawn{cells, cells, matrix::Zero(cells * cells, pictures)};
    const axis centres = axis::LinSpaced(0.5F / cells, (cells - 0.5F) / cells);
    const auto add = [&drawn](picture to, const axis& across, const axis& down) {
        for (Index y = 0; y < cells; ++y) {
            drawn.values.block(y * cells, to, cells, 1).array() += down[y] * across;
        }
    };
    const auto logistic = [](const axis& a) -> axis { return (1.0F + (-a).exp()).inverse(); };
    matrix beyond = matrix::Zero(cells * cells, 1); // right of and below a box's first corner
    float corners = 0;
    float inside = 0;
    for (std::size_t i = 0; i < points.labels.size(); ++i) {
        const float label = points.labels[i];
        const axis dx = centres - (points.coordinates[2 * i] + 0.5F) / sam_decoder::square;
        const axis dy = centres - (points.coordinates[2 * i + 1] + 0.5F) / sam_decoder::square;
        if (label == 0 || label == 1) {
            add(label == 1 ? on : off, (dx.square() * -400.0F).exp(), (dy.square() * -400.0F).exp());
            add(label == 1 ? on_wide : off_wide, (dx.square() * -40.0F).exp(), (dy.square() * -40.0F).exp());
            inside += label;
        } else if (label == 2) {
            const axis across = logistic(300.0F * dx);
            const axis down = logistic(300.0F * dy);
            for (Index y = 0; y < cells; ++y) {
                beyond.col(0).segment(y * cells, cells).array() += down[y] * across;
            }
            ++corners;
        } else if (label == 3) {
            add(box, logistic(-300.0F * dx), logistic(-300.0F * dy));
        }
    }
    drawn.values.col(box).array() *= beyond.col(0).array();
    drawn.values.col(has_box).setConstant(std::min(corners, 1.0F));
    drawn.values.col(has_point).setConstant(std::min(inside, 1.0F));
    if (mask != nullptr) {
        const Eigen::Map<const matrix> given(mask->values().data(), mask->rows() * mask->columns(), 1);
        feature_map shares{mask->rows(), mask->columns(), given};
        squash(shares.values);
        drawn.values.col(prior) = average(shares, sam_decoder::mask_side / cells).values;
        drawn.values.col(has_mask).setOnes();
    }
    return drawn;
}

/// Features inside each candidate beside those of everywhere: [candidates, 2 * width].
matrix seen_inside(const feature_map& x, const matrix& inside) {
    matrix seen(inside.cols(), 2 * width);
    seen.leftCols(width).noalias() = inside.transpose() * x.values;
    seen.leftCols(width).array().colwise() /= inside.colwise().sum().transpose().array() + 1.0F;
    seen.rightCols(width).rowwise() = x.values.colwise().mean();
    return seen;
}

} // namespace

sam_decoder::sam_decoder(sam_weights& weights)
    : enter_deep_(weights.read_convolution("decoder.enter_deep", width, sam_encoder::deep)),
      enter_prompt_(weights.read_convolution("decoder.enter_prompt", width, pictures, false)),
      think_(read_residual(weights, "decoder.think.0", width, 2)),
      think_wide_(read_residual(weights, "decoder.think.1", width, 4)),
      place_(weights.read_convolution("decoder.place", candidates, width)),
      weights_in_(weights.read_linear("decoder.weights.0", width, 2 * width)),
      weights_out_(weights.read_linear("decoder.weights.2", sam_encoder::fine, width)),
      judge_in_(weights.read_linear("decoder.judge.0", 32, 2 * width + 2)),
      judge_out_(weights.read_linear("decoder.judge.2", 1, 32)) {}

sam_answer sam_decoder::operator()(const sam_features& seen, const feature_map& entered,
                                   const ostend::sam_points& points,
                                   const ostend::matrix<float>* mask) const {
    OSTEND_EXPECTS(mask == nullptr || (mask->rows() == mask_side && mask->columns() == mask_side),
                   "sam_decoder: a mask prompt of another side than 256");
    feature_map x = enter_prompt_(draw(points, mask));
    x.values += entered.values;
    rectify(x.values);
    x = think_wide_(think_(std::move(x)));
    const feature_map place = place_(x);

    matrix inside = place.values;
    squash(inside);
    matrix hidden = weights_in_(seen_inside(x, inside));
    rectify(hidden);
    const matrix weights = weights_out_(hidden); // [candidates, fine]
    feature_map logits = enlarge(place, seen.fine.height / place.height);
    logits.values.noalias() += seen.fine.values * weights.transpose();
    return {enlarge(logits, mask_side / logits.height), judge(x, logits.values)};
}

/// The predicted IoU of each candidate: [candidates].
row_vector sam_decoder::judge(const feature_map& x, const matrix& logits) const {
    constexpr Index fine_side = 128;
    feature_map p{fine_side, fine_side, logits};
    squash(p.values);
    const matrix inside = average(p, fine_side / cells).values;
    p.values = (2.0F * p.values.array() - 1.0F).abs();
    const matrix sure = average(p, fine_side / cells).values;
    const Eigen::ArrayXf area = inside.colwise().sum().transpose();
    matrix read(candidates, 2 * width + 2);
    read.leftCols(2 * width) = seen_inside(x, inside);
    read.col(2 * width) = area / 100.0F;
    read.col(2 * width + 1) = sure.cwiseProduct(inside).colwise().sum().transpose().array() / (area + 1.0F);
    matrix hidden = judge_in_(read);
    rectify(hidden);
    matrix judged = judge_out_(hidden);
    squash(judged);
    return judged.col(0).transpose();
}

} // namespace ostend_hosts
