#include "tiny_sam/tiny_sam.hpp"

#include "ostend/mask/from_sam_logits.hpp"

#include <utility>

namespace ostend_hosts {
namespace {

using ostend::error;
using ostend::index;
using ostend::sam_frame;
using ostend::sam_proposal;

/// The pixels of an image under each of 256 cells of an axis, through the resize to the square; `covered`:
/// the part of the cell that the image covers.
struct cell_taps {
    index first = 0;
    std::vector<float> weights;
    float covered = 0;
};
std::vector<cell_taps> make_cell_taps(index from, const sam_frame& frame, index resized) {
    const index group = frame.side / sam_encoder::side;
    const auto fine = ostend::make_triangle_taps(from, resized);
    std::vector<cell_taps> all(sam_encoder::side);
    for (index at = 0; at < resized; ++at) {
        const auto& taps = fine[static_cast<std::size_t>(at)];
        cell_taps& cell = all[static_cast<std::size_t>(at / group)];
        cell.first = cell.weights.empty() ? taps.first : cell.first;
        const auto offset = static_cast<std::size_t>(taps.first - cell.first);
        cell.weights.resize(std::max(cell.weights.size(), offset + taps.weights.size()));
        for (std::size_t k = 0; k < taps.weights.size(); ++k) {
            cell.weights[offset + k] += taps.weights[k] / static_cast<float>(group);
        }
        cell.covered += 1.0F / static_cast<float>(group);
    }
    return all;
}

} // namespace

feature_map sam_picture(const ostend::image_view& image, const sam_frame& frame) {
    OSTEND_EXPECTS(frame.side == sam_decoder::square && frame.original.width == image.extent(1) &&
                       frame.original.height == image.extent(0),
                   "sam_picture: the frame is of another image or side");
    constexpr Index side = sam_encoder::side;
    const ostend::pixel_scale scale;
    const auto columns = make_cell_taps(image.extent(1), frame, frame.resized.width);
    const auto rows = make_cell_taps(image.extent(0), frame, frame.resized.height);
    matrix wide(image.extent(0), side * 3);
    for (index y = 0; y < image.extent(0); ++y) {
        float* to = wide.row(y).data();
        for (const cell_taps& cell : columns) {
            for (std::size_t c = 0; c < 3; ++c) {
                float sum = 0;
                index at = cell.first;
                for (const float w : cell.weights) {
                    sum += w * static_cast<float>(image(y, at++, static_cast<index>(c)));
                }
                *to++ = (sum - cell.covered * scale.mean[c]) / scale.deviation[c];
            }
        }
    }
    feature_map picture{side, side, matrix::Zero(side * side, 3)};
    for (Index y = 0; y < side; ++y) {
        const cell_taps& cell = rows[std::size_t(y)];
        Eigen::Map<row_vector> line(picture.values.row(y * side).data(), side * 3);
        for (std::size_t k = 0; k < cell.weights.size(); ++k) {
            line += cell.weights[k] * wide.row(cell.first + Index(k));
        }
    }
    return picture;
}

ostend::result<tiny_sam> tiny_sam::load(const std::filesystem::path& directory, tiny_sam_options options) {
    const auto file = safetensors::read(directory / "model.safetensors");
    if (!file) {
        return file.error();
    }
    sam_weights weights(*file);
    tiny_sam segmenter(weights, options);
    if (const auto good = weights.finish(); !good) {
        return good.error();
    }
    return segmenter;
}

ostend::result<std::vector<std::vector<sam_proposal>>>
tiny_sam::propose(const ostend::image_view& image, std::span<const ostend::prompt> prompts) const {
    sam_features seen;
    feature_map entered;
    const auto encode = [&](const sam_frame& frame) -> ostend::status {
        seen = encoder_(sam_picture(image, frame));
        entered = decoder_.enter(seen);
        return ostend::success{};
    };
    const auto decode = [&](const ostend::prompt& asked,
                            const sam_frame& frame) -> ostend::result<std::vector<sam_proposal>> {
        const bool with_mask = options_.mask_prompt && asked.mask.has_value();
        const auto points = ostend::make_sam_points(asked, frame, true);
        const sam_answer answer = decoder_(seen, entered, points, with_mask ? &asked.mask->values : nullptr);
        if (!answer.logits.values.allFinite() || !answer.iou.allFinite()) {
            return error{.what = "the segmenter's logits are not finite", .field = "logits"};
        }
        std::vector<sam_proposal> found;
        for (Index k = 0; k < sam_decoder::candidates; ++k) {
            const ostend::tensor_view<const float, 2> logits(
                answer.logits.values.data() + k, {answer.logits.height, answer.logits.width},
                {answer.logits.width * sam_decoder::candidates, sam_decoder::candidates});
            found.push_back({ostend::from_sam_logits(logits, frame, options_.logits), answer.iou[k]});
        }
        return found;
    };
    return ostend::sam_proposals(
        image, prompts, {.rule = options_.rule, .mask_prompt = options_.mask_prompt},
        [](ostend::image_size size) { return ostend::make_sam_frame(size, sam_decoder::square); }, encode,
        decode);
}

ostend::result<std::vector<std::vector<ostend::mask_candidate>>>
tiny_sam::segment(const ostend::image_view& image, std::span<const ostend::prompt> prompts) const {
    auto proposals = propose(image, prompts);
    if (!proposals) {
        return proposals.error();
    }
    return ostend::sam_candidates(options_.rule, *std::move(proposals), prompts);
}

} // namespace ostend_hosts
