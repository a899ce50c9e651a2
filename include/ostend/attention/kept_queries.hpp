// kept_queries: queries of one layer and sequence that wait for their keys, with all that a score needs.
//
// Everything is copied, since the host's buffers are gone by the time of the flush: queries as f32, mask
// rows, slopes, sinks. The keys are not: the host gives them at the flush, and says by an epoch that they are
// still the same. Memory a query: heads * d floats, and a float a key where its mask is an additive row.
#pragma once

#include "ostend/attention/qk_block.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace ostend::inline v0 {
namespace detail {

class kept_queries {
public:
    /// most: queries that are kept at most; memory for up to 64 of them is taken at once, so that it does not
    /// double.
    kept_queries(const qk_block& block, key_selection image, std::uint64_t epoch, index most)
        : image_(std::move(image)), epoch_(epoch), heads_(block.q.extent(1)), d_(block.q.extent(2)),
          scale_(block.score.scale), softcap_(block.score.softcap),
          slopes_(block.score.alibi_slopes.begin(), block.score.alibi_slopes.end()),
          sinks_(block.score.sinks.begin(), block.score.sinks.end()) {
        q_.reserve(static_cast<std::size_t>(std::min<index>(most, 64) * heads_ * d_));
    }

    [[nodiscard]] const std::vector<index>& tokens() const noexcept { return tokens_; }
    [[nodiscard]] const key_selection& image() const noexcept { return image_; }
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
    /// Keys that must still be there at the flush.
    [[nodiscard]] index needed_keys() const {
        return limits_.empty() ? 0
                               : std::max(image_.end(), *std::max_element(limits_.begin(), limits_.end()));
    }

    /// Whether a query of this block may join: the same image keys, score and shape.
    [[nodiscard]] bool fits(const qk_block& block, const key_selection& image) const {
        const score_options& s = block.score;
        return heads_ == block.q.extent(1) && d_ == block.q.extent(2) && scale_ == s.scale &&
               softcap_ == s.softcap && image_ == image &&
               std::equal(slopes_.begin(), slopes_.end(), s.alibi_slopes.begin(), s.alibi_slopes.end()) &&
               std::equal(sinks_.begin(), sinks_.end(), s.sinks.begin(), s.sinks.end());
    }

    /// Copies one query of the block. Its visibility is the one of now: a query that sees all keys sees those
    /// that are in the block's key source, not the ones that come later.
    void keep(index token, const qk_block& block, index query) {
        tokens_.push_back(token);
        const std::size_t first = q_.size();
        q_.resize(first + static_cast<std::size_t>(heads_ * d_));
        float* to = q_.data() + first;
        for (index head = 0; head < heads_; ++head, to += d_) {
            const auto from = block.q.slice(0, query).slice(0, head);
            if (from.stride(0) == 1) {
                std::copy_n(from.data(), d_, to);
                continue;
            }
            for (index x = 0; x < d_; ++x) {
                to[x] = from.load(x);
            }
        }
        index keys = block.keys.keys();
        std::vector<float> mask;
        if (!block.visible.empty()) {
            const auto& v = block.visible[block.visible.size() == 1 ? 0 : static_cast<std::size_t>(query)];
            if (const auto* causal = std::get_if<causal_limit>(&v)) {
                keys = causal->keys;
            } else if (const auto* added = std::get_if<additive_row>(&v)) {
                for (index key = 0; key < keys; ++key) {
                    mask.push_back(added->row.load(key));
                }
            }
        }
        limits_.push_back(keys);
        masks_.push_back(std::move(mask));
    }

    /// Forgets the queries of tokens from `tokens` on.
    void truncate(index tokens) {
        const auto size = static_cast<std::size_t>(heads_ * d_);
        std::size_t to = 0;
        for (std::size_t from = 0; from < tokens_.size(); ++from) {
            if (tokens_[from] >= tokens) {
                continue;
            }
            if (to != from) {
                tokens_[to] = tokens_[from];
                limits_[to] = limits_[from];
                masks_[to] = std::move(masks_[from]);
                std::copy_n(q_.begin() + static_cast<index>(from * size), size,
                            q_.begin() + static_cast<index>(to * size));
            }
            ++to;
        }
        tokens_.resize(to);
        limits_.resize(to);
        masks_.resize(to);
        q_.resize(to * size);
    }

    /// The block of all kept queries over the keys. Valid until the next change of this object.
    /// Precondition: keys.keys() >= needed_keys(). Mask rows are lengthened to the keys: later keys hidden.
    [[nodiscard]] qk_block block(const key_source& keys) {
        std::vector<visibility> visible;
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (masks_[i].empty()) {
                visible.push_back(causal_limit{limits_[i]});
            } else {
                masks_[i].resize(static_cast<std::size_t>(keys.keys()),
                                 -std::numeric_limits<float>::infinity());
                visible.push_back(additive_row{{masks_[i].data(), {keys.keys()}}});
            }
        }
        return {tensor_view<const float, 3>(q_.data(), {static_cast<index>(tokens_.size()), heads_, d_}),
                keys, score_options{scale_, softcap_, slopes_, sinks_}, std::move(visible)};
    }

private:
    key_selection image_;
    std::uint64_t epoch_;
    index heads_;
    index d_;
    float scale_;
    float softcap_;
    std::vector<float> slopes_;
    std::vector<float> sinks_;
    std::vector<index> tokens_ = {};
    std::vector<float> q_ = {};
    std::vector<index> limits_ = {};
    std::vector<std::vector<float>> masks_ = {};
};

} // namespace detail
} // namespace ostend::inline v0
