// reduce_qk(blocked, ...): attention over the image keys out of q and k in f32, without the attention matrix.
//
// Rows (one query of one head) are taken in tiles of up to 64, in head order; a tile may span key/value
// heads, so that a cell-major cache is read cell by cell. Against each block of 64 keys the tile's scores are
// made, the running maximum is raised, exponentials are taken once, and those of image keys are kept with the
// maximum they were taken at; they are put right when the whole row is known. The order of every sum is fixed
// by the shape. Workspace, in floats: image_tokens * (rows of a tile + queries) + 64 * (d + 2 rows of a tile)
// + small terms, where a tile has at most max(16, min(64, 98304 / image_tokens)) rows: the
// image scores of a tile take at most 384 KiB, and 64 bytes an image token beyond 6,144 of them.
// Longer than most headers: one class, because all steps of a pass share the state of its tile.
#pragma once

#include "ostend/attention/qk_block.hpp"
#include "ostend/attention/qk_tile.hpp"
#include "ostend/attention/select_heads.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace ostend::inline v0 {

/// Memory that reduce_qk(blocked, ...) grows to what it needs and leaves for the next call. One per thread.
struct qk_workspace {
    struct image_key {
        index key = 0; ///< then: the position of the key among those that are read
        index token = 0;
    };
    struct run { ///< consecutive queries of one head in consecutive slots of a tile
        index head = 0, first_query = 0, count = 0, slot = 0;
    };
    struct segment { ///< consecutive slots that share a key/value head
        index kv_head = 0, slot = 0, width = 0;
        bool by_rows = false;
    };
    std::vector<float> q, key_tile, scores, added, peaks, image_rows, sums, row_values;
    std::vector<double> totals;
    std::vector<std::int32_t> row_limits;
    std::vector<image_key> image;
    std::vector<index> keys_read, heads;
    std::vector<run> runs;
    std::vector<segment> segments;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

class blocked_pass {
public:
    /// known may be null. all_log_sum_exp [queries * heads], may be null, receives the rows' own.
    blocked_pass(const qk_block& block, const key_selection& image, std::span<const float> head_weights,
                 head_reduction reduce, const known_log_sum_exp* known, float* all_log_sum_exp,
                 qk_workspace& workspace)
        : block_(block), image_(image), weights_(head_weights), reduce_(reduce), known_(known),
          all_log_sum_exp_(all_log_sum_exp), w_(workspace), queries_(block.q.extent(0)), d_(block.keys.d()),
          d_padded_(round_up_to_lanes(d_)) {}

    status run() {
        plan();
        while (head_ < w_.heads.size()) {
            fill_tile();
            pack_rows();
            for (index b = 0; b < blocks_; ++b) {
                read_block(b);
            }
            if (status done = finish_tile(); !done) {
                return done;
            }
        }
        return success{};
    }

    /// The sum (or maximum) over heads of one query and image token, after run().
    [[nodiscard]] float sum(index query, index token) const { return w_.sums[at(token * queries_ + query)]; }

private:
    static constexpr float nothing = -std::numeric_limits<float>::infinity();
    static std::size_t at(index i) { return static_cast<std::size_t>(i); }

    /// What is constant over tiles: heads in use, keys to read, where image tokens are among them, memory.
    void plan() {
        w_.heads.clear();
        for (index h = 0; queries_ > 0 && h < block_.q.extent(1); ++h) {
            if (weights_[at(h)] != 0) {
                w_.heads.push_back(h);
            }
        }
        w_.image.clear();
        index token = 0;
        for (const key_range& range : image_.ranges()) {
            for (index i = 0; i < range.count; ++i) {
                w_.image.push_back({range.first + i * range.step, token++});
            }
        }
        const auto by_key = [](const qk_workspace::image_key& a, const qk_workspace::image_key& b) {
            return a.key != b.key ? a.key < b.key : a.token < b.token;
        };
        if (!std::is_sorted(w_.image.begin(), w_.image.end(), by_key)) {
            std::sort(w_.image.begin(), w_.image.end(), by_key);
        }
        index limit = 0;
        for (index i = 0; i < queries_; ++i) {
            limit = std::max(limit, resolve_visibility(block_, i).limit);
        }
        w_.keys_read.clear();
        read_ = limit;
        if (known_ != nullptr) {
            for (auto& image : w_.image) {
                if (image.key < limit && (w_.keys_read.empty() || w_.keys_read.back() != image.key)) {
                    w_.keys_read.push_back(image.key);
                }
                image.key = image.key < limit ? static_cast<index>(w_.keys_read.size()) - 1 : limit;
            }
            read_ = static_cast<index>(w_.keys_read.size());
        }
        images_ = 0; // image tokens that some query may see
        while (images_ < static_cast<index>(w_.image.size()) && w_.image[at(images_)].key < read_) {
            ++images_;
        }
        blocks_ = (read_ + keys_per_block - 1) / keys_per_block;

        const index tokens = static_cast<index>(w_.image.size());
        slots_max_ = std::clamp<index>(98304 / std::max<index>(tokens, 1) / lanes * lanes, 16, 64);
        w_.sums.assign(at(tokens * queries_), 0.0F);
        w_.key_tile.assign(at(keys_per_block * d_padded_), 0.0F); // padding of head vectors stays 0
        w_.scores.assign(at(keys_per_block * slots_max_), 0.0F);  // and so do unused slots
        w_.q.resize(at(slots_max_ * d_padded_));
        w_.peaks.resize(at(blocks_ * slots_max_));
        w_.image_rows.resize(at(images_ * slots_max_));
        w_.row_values.resize(at(5 * slots_max_));
        w_.row_limits.resize(at(slots_max_));
        w_.totals.resize(at(slots_max_));
    }

    [[nodiscard]] float* row_values(index which) { return w_.row_values.data() + which * slots_max_; }
    [[nodiscard]] float* peak() { return row_values(0); }     // running maximum, or the known log-sum-exp
    [[nodiscard]] float* poison() { return row_values(1); }   // 0, or NaN once a visible score was not finite
    [[nodiscard]] float* slope() { return row_values(2); }    // ALiBi
    [[nodiscard]] float* position() { return row_values(3); } // of the query, for ALiBi
    [[nodiscard]] float* factor() { return row_values(4); }

    [[nodiscard]] index key_read(index i) const { return w_.keys_read.empty() ? i : w_.keys_read[at(i)]; }

    /// Takes the next rows in order of head, then query.
    void fill_tile() {
        w_.runs.clear();
        w_.segments.clear();
        index slot = 0;
        while (head_ < w_.heads.size() && slot < slots_max_) {
            const index kv_head = kv_head_of(block_, w_.heads[head_]);
            index rows = queries_ - query_;
            for (std::size_t h = head_ + 1; h < w_.heads.size() && kv_head_of(block_, w_.heads[h]) == kv_head;
                 ++h) {
                rows += queries_;
            }
            const index space = slots_max_ - slot;
            rows = std::min(rows, space);
            index width = rows;
            const bool by_rows = rows >= lanes / 2;
            if (by_rows) {
                width = round_up_to_lanes(rows);
                if (width > space) {
                    rows = width = space / lanes * lanes;
                }
                if (rows == 0) {
                    break;
                }
            }
            w_.segments.push_back({kv_head, slot, width, by_rows});
            for (index taken = 0; taken < rows;) {
                const index count = std::min(rows - taken, queries_ - query_);
                w_.runs.push_back({w_.heads[head_], query_, count, slot + taken});
                taken += count;
                query_ += count;
                if (query_ == queries_) {
                    query_ = 0;
                    ++head_;
                }
            }
            slot += width;
        }
        stride_ = round_up_to_lanes(slot);
    }

    /// q times the scale into the form its segment wants, and each row's own values.
    void pack_rows() {
        std::fill(w_.q.begin(), w_.q.end(), 0.0F);
        std::fill(w_.row_values.begin(), w_.row_values.end(), 0.0F);
        std::fill(w_.row_limits.begin(), w_.row_limits.end(), std::numeric_limits<std::int32_t>::max());
        std::fill(w_.totals.begin(), w_.totals.end(), 0.0);
        const float scale = scale_of(block_);
        least_limit_ = block_.keys.keys();
        has_added_ = false;
        auto segment = w_.segments.begin();
        for (const auto& run : w_.runs) {
            while (run.slot >= segment->slot + segment->width) {
                ++segment;
            }
            float* packed = w_.q.data() + segment->slot * d_padded_;
            for (index i = 0; i < run.count; ++i) {
                const index row = run.slot + i - segment->slot;
                const index query = run.first_query + i;
                for (index x = 0; x < d_; ++x) {
                    packed[segment->by_rows ? x * segment->width + row : row * d_padded_ + x] =
                        block_.q.load(query, run.head, x) * scale;
                }
                const visible_keys seen = resolve_visibility(block_, query);
                const index slot = run.slot + i;
                least_limit_ = std::min(least_limit_, seen.limit);
                has_added_ = has_added_ || seen.has_added;
                w_.row_limits[at(slot)] = static_cast<std::int32_t>(seen.limit);
                peak()[slot] = known_ != nullptr ? known_->values.load(query, run.head) : nothing;
                slope()[slot] = slope_of(block_, run.head);
                position()[slot] = static_cast<float>(seen.limit - 1);
            }
        }
        if (has_added_) {
            w_.added.assign(at(keys_per_block * slots_max_), 0.0F);
        }
    }

    void read_block(index b) {
        const index first = b * keys_per_block;
        const index count = std::min(keys_per_block, read_ - first);
        score_block(first, count);
        const bool plain = block_.score.softcap == 0 && block_.score.alibi_slopes.empty() && !has_added_ &&
                           key_read(first + count - 1) < least_limit_;
        if (!plain) {
            adjust_block(first, count);
        }
        float* peaks = w_.peaks.data() + b * stride_;
        for (index slot = 0; slot < stride_; slot += lanes) {
            soften(slot, count, plain, peaks);
        }
        for (; next_image_ < images_ && w_.image[at(next_image_)].key < first + count; ++next_image_) {
            const float* from = w_.scores.data() + (w_.image[at(next_image_)].key - first) * stride_;
            std::copy_n(from, stride_, w_.image_rows.data() + next_image_ * stride_);
        }
    }

    void score_block(index first, index count) {
        std::array<const float*, keys_per_block> keys{};
        for (const auto& segment : w_.segments) {
            for (index j = 0; j < count; ++j) {
                const key_address key = block_.keys.address(segment.kv_head, key_read(first + j));
                if (readable_in_place(key, d_)) {
                    keys[at(j)] = reinterpret_cast<const float*>(key.data);
                } else {
                    float* decoded = w_.key_tile.data() + j * d_padded_;
                    decode_key(key, d_, decoded);
                    keys[at(j)] = decoded;
                }
            }
            const index padded = (count + 3) / 4 * 4;
            for (index j = count; j < padded; ++j) {
                keys[at(j)] = keys[at(count - 1)];
            }
            const float* q = w_.q.data() + segment.slot * d_padded_;
            float* scores = w_.scores.data() + segment.slot;
            if (segment.by_rows) {
                score_many_rows(keys.data(), padded, q, d_, segment.width, scores, stride_);
            } else {
                score_few_rows(keys.data(), padded, q, d_padded_, segment.width, scores, stride_);
            }
        }
    }

    /// Soft cap, ALiBi, mask and limit, where a block has any of them.
    void adjust_block(index first, index count) {
        if (has_added_) {
            for (const auto& run : w_.runs) {
                for (index i = 0; i < run.count; ++i) {
                    const visible_keys seen = resolve_visibility(block_, run.first_query + i);
                    for (index j = 0; seen.has_added && j < count; ++j) {
                        w_.added[at(j * stride_ + run.slot + i)] = seen.added.load(key_read(first + j));
                    }
                }
            }
        }
        const float cap = block_.score.softcap;
        const bool has_slopes = !block_.score.alibi_slopes.empty();
        for (index j = 0; j < count; ++j) {
            const index key = key_read(first + j);
            for (index slot = 0; slot < stride_; slot += lanes) {
                float* place = w_.scores.data() + j * stride_ + slot;
                f32_lanes s = load_lanes(place);
                f32_lanes bad = s * 0.0F; // an infinite score must not be hidden by the cap
                if (cap > 0) {
                    for (index lane = 0; lane < lanes; ++lane) {
                        s[lane] = cap * std::tanh(s[lane] / cap);
                    }
                }
                if (has_slopes) {
                    s += load_lanes(slope() + slot) *
                         (static_cast<float>(key) - load_lanes(position() + slot));
                }
                i32_lanes seen = load_ints(w_.row_limits.data() + slot) > static_cast<std::int32_t>(key);
                if (has_added_) {
                    const f32_lanes mask = load_lanes(w_.added.data() + j * stride_ + slot);
                    s += mask;
                    seen = seen & (mask != nothing);
                }
                bad += s * 0.0F;
                const f32_lanes poisoned = load_lanes(poison() + slot);
                store_lanes(poison() + slot, seen ? poisoned + bad : poisoned);
                store_lanes(place, seen ? s : splat(nothing));
            }
        }
    }

    /// Scores of one vector of rows become exponentials below the new maximum; sums and maxima follow.
    void soften(index slot, index count, bool plain, float* peaks) {
        float* column = w_.scores.data() + slot;
        const f32_lanes before = load_lanes(peak() + slot);
        f32_lanes highest = before;
        f32_lanes bad = load_lanes(poison() + slot);
        for (index j = 0; j < count; ++j) {
            const f32_lanes s = load_lanes(column + j * stride_);
            highest = s > highest ? s : highest;
            if (plain) {
                bad += s * 0.0F;
            }
        }
        store_lanes(poison() + slot, bad);
        highest = known_ != nullptr ? before : highest;
        // While a row has seen no key its maximum is -inf; 0 then keeps -inf - -inf away.
        const f32_lanes base = highest == nothing ? splat(0.0F) : highest;
        const f32_lanes shrink = exp_lanes(before - base);
        f32_lanes sum{};
        for (index j = 0; j < count; ++j) {
            const f32_lanes e = exp_lanes(load_lanes(column + j * stride_) - base);
            sum += e;
            store_lanes(column + j * stride_, e);
        }
        store_lanes(peak() + slot, highest);
        store_lanes(peaks + slot, highest);
        for (index lane = 0; lane < lanes; ++lane) {
            double& total = w_.totals[at(slot + lane)];
            total = total * static_cast<double>(shrink[lane]) + static_cast<double>(sum[lane]);
        }
    }

    /// Checks the tile's rows and adds them to the sums.
    status finish_tile() {
        next_image_ = 0;
        const bool mean = reduce_ == head_reduction::mean;
        for (const auto& run : w_.runs) {
            const float weight = mean ? weights_[at(run.head)] : 1.0F;
            for (index i = 0; i < run.count; ++i) {
                const index query = run.first_query + i;
                const index slot = run.slot + i;
                const double total = w_.totals[at(slot)];
                float& highest = peak()[slot];
                const float sink = sink_of(block_, run.head);
                if (known_ != nullptr) {
                    if (poison()[slot] != 0) {
                        return failed_row(block_, query, run.head);
                    }
                    if (!std::isfinite(highest) || !(total <= image_mass_limit)) {
                        return failed_mass(query, run.head, total);
                    }
                    factor()[slot] = weight;
                    continue;
                }
                if (poison()[slot] != 0 || highest == nothing || !std::isfinite(total) ||
                    !(sink < std::numeric_limits<float>::infinity())) {
                    return failed_row(block_, query, run.head);
                }
                const float top = std::max(highest, sink);
                const double all = total * std::exp(static_cast<double>(highest) - top) +
                                   std::exp(static_cast<double>(sink) - top);
                if (all_log_sum_exp_ != nullptr) {
                    all_log_sum_exp_[query * block_.q.extent(1) + run.head] =
                        static_cast<float>(top + std::log(all));
                }
                factor()[slot] = static_cast<float>(weight / all);
                highest = top;
            }
        }
        if (images_ > 0) {
            correct_peaks();
        }
        for (index i = 0; i < images_; ++i) {
            const auto& image = w_.image[at(i)];
            const float* row = w_.image_rows.data() + i * stride_;
            const float* factors = w_.peaks.data() + image.key / keys_per_block * stride_;
            float* sums = w_.sums.data() + image.token * queries_;
            for (const auto& run : w_.runs) {
                for (index n = 0; n < run.count; ++n) {
                    float& total = sums[run.first_query + n];
                    const float p = row[run.slot + n] * factors[run.slot + n];
                    total = mean ? total + p : std::max(total, p);
                }
            }
        }
        return success{};
    }

    /// Each block's maximum becomes the factor from its exponentials to weighted probabilities.
    void correct_peaks() {
        for (index b = 0; b < blocks_; ++b) {
            for (index slot = 0; slot < stride_; slot += lanes) {
                float* place = w_.peaks.data() + b * stride_ + slot;
                const f32_lanes below =
                    known_ != nullptr ? splat(0.0F) : load_lanes(place) - load_lanes(peak() + slot);
                store_lanes(place, exp_lanes(below) * load_lanes(factor() + slot));
            }
        }
    }

    const qk_block& block_;
    const key_selection& image_;
    std::span<const float> weights_;
    head_reduction reduce_;
    const known_log_sum_exp* known_;
    float* all_log_sum_exp_;
    qk_workspace& w_;
    index queries_, d_, d_padded_;
    index read_ = 0, images_ = 0, blocks_ = 0, slots_max_ = 0, stride_ = 0, least_limit_ = 0, next_image_ = 0;
    bool has_added_ = false;
    std::size_t head_ = 0; // the next row's head, in w_.heads, and query
    index query_ = 0;
};

inline status blocked_reduce(const qk_block& block, const key_selection& image,
                             std::span<const float> head_weights, head_reduction reduce,
                             const tensor_view<float, 2>& out, const known_log_sum_exp* known,
                             qk_workspace& workspace) {
    expect_reduction(block, image, head_weights, out);
    blocked_pass pass(block, image, head_weights, reduce, known, nullptr, workspace);
    if (status done = pass.run(); !done) {
        return done;
    }
    for (index query = 0; query < out.extent(0); ++query) {
        for (index token = 0; token < out.extent(1); ++token) {
            float& value = out(query, token);
            const float sum = pass.sum(query, token);
            value = reduce == head_reduction::mean ? value + sum : std::max(value, sum);
        }
    }
    return success{};
}

} // namespace detail

/// As reduce_qk(scalar, ...), in f32. Allocates only while the workspace grows.
/// Error of one row's probability p against exact arithmetic, with u = 2^-24: at most u (2 (d + 6) m + 80) p,
/// m the largest scale * sum|q_x k_x| + |bias| of a visible key, or |sink|; probabilities below e^-87 of the
/// row's largest are 0. A score that leaves f32 is an error, which the scalar form need not meet.
inline status reduce_qk(blocked_tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce, tensor_view<float, 2> out,
                        qk_workspace& workspace) {
    return detail::blocked_reduce(block, image, head_weights, reduce, out, nullptr, workspace);
}
/// With a workspace of its own: allocates.
inline status reduce_qk(blocked_tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce,
                        tensor_view<float, 2> out) {
    qk_workspace workspace;
    return detail::blocked_reduce(block, image, head_weights, reduce, out, nullptr, workspace);
}

} // namespace ostend::inline OSTEND_KERNELS
