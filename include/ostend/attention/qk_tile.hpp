// qk_tile: one tile of rows against all keys that are read, block by block, and its share of the sums.
//
// Against each block the raw products are made, the running maximum is raised, exponentials are taken once,
// and those of image keys are kept with the maximum they were taken at; they are put right when the rows are
// whole. The order of every sum is fixed by the shape. Longer than most headers: all steps share the tile's
// state.
#pragma once

#include "ostend/attention/qk_plan.hpp"
#include "ostend/attention/select_heads.hpp"
#include "ostend/core/result.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

class qk_tile {
public:
    qk_tile(const qk_plan& plan, qk_workspace::tile& memory, const qk_workspace::rows& rows,
            head_reduction reduce)
        : p_(plan), w_(memory), rows_(rows), mean_(reduce == head_reduction::mean) {}

    /// Makes the rows' exponentials and factors. all_log_sum_exp [queries * heads], or null, receives theirs.
    status run(float* all_log_sum_exp) {
        place_rows();
        reserve();
        pack_rows();
        for (index b = 0; b < p_.blocks; ++b) {
            p_.many ? read_many(b) : read_few(b);
        }
        return finish_rows(all_log_sum_exp);
    }

    /// Adds image keys [from, to) of all rows to the sums, after run().
    void add_to_sums(index from, index to) const {
        const index row_size = p_.many ? 0 : p_.images;
        for (const auto& run : w_.runs) {
            v0::detail::finished_rows f{.rows = w_.image_rows.data() + run.slot,
                                        .stride = stride_,
                                        .factors = w_.peaks.data() + run.slot,
                                        .image = p_.w.image.data(),
                                        .blocks = p_.w.image_blocks.data(),
                                        .from = from,
                                        .to = to,
                                        .in_order = p_.in_order,
                                        .count = run.count,
                                        .sums = p_.w.sums.data() + run.first_query,
                                        .sums_stride = p_.queries,
                                        .mean = mean_};
            if (p_.many) {
                p_.k.finish_many(f);
                continue;
            }
            for (index i = 0; i < run.count; ++i) {
                f.rows = w_.image_rows.data() + (run.slot + i) * row_size;
                f.factors = w_.peaks.data() + (run.slot + i) * p_.blocks;
                f.sums = p_.w.sums.data() + (run.first_query + i) * static_cast<index>(p_.w.image.size());
                p_.k.finish_few(f);
            }
        }
    }

private:
    static constexpr float nothing = -std::numeric_limits<float>::infinity();
    static constexpr index most_keys = v0::detail::keys_of_few;
    static std::size_t at(index i) { return static_cast<std::size_t>(i); }
    static index round_up(index n, index to) { return (n + to - 1) / to * to; }

    // ---- which row is where
    // --------------------------------------------------------------------------------

    void place_rows() {
        w_.runs.clear();
        w_.segments.clear();
        for (index row = rows_.first; row < rows_.first + rows_.count;) {
            const index head = p_.head(row);
            const index query = row % p_.queries;
            const index count = std::min(p_.queries - query, rows_.first + rows_.count - row);
            const index slot = row - rows_.first;
            const index kv_head = kv_head_of(p_.block, head);
            if (w_.segments.empty() || w_.segments.back().kv_head != kv_head) {
                w_.segments.push_back({kv_head, slot, 0});
            }
            w_.segments.back().rows += count;
            w_.runs.push_back({head, query, count, slot});
            row += count;
        }
        stride_ = round_up(rows_.count, p_.k.lanes);
    }

    void reserve() {
        const auto grow = [](auto& memory, index size) {
            if (memory.size() < at(size)) {
                memory.resize(at(size));
            }
        };
        padded_d_ = p_.many ? p_.d : round_up(p_.d, 32);
        grow(w_.q, stride_ * padded_d_);
        grow(w_.scores, p_.many ? p_.keys_per_block * stride_ : rows_.count * most_keys);
        grow(w_.peaks, p_.blocks * (p_.many ? stride_ : rows_.count));
        // Many: after the image keys, a row that takes the exponentials of other keys.
        grow(w_.image_rows, p_.many ? (p_.images + 1) * stride_ : p_.images * rows_.count);
        grow(w_.row_values, 7 * stride_);
        grow(w_.key_values, scratch_size() + (p_.one_codec ? 0 : most_keys * p_.d));
        grow(w_.keys, p_.one_codec ? 0 : most_keys + 16);
        grow(w_.head_strides, p_.one_codec ? 0 : most_keys + 16);
        grow(w_.totals, stride_);
        grow(w_.limits, stride_);
        grow(w_.numbers, most_keys + 16);
        std::fill_n(w_.row_values.begin(), 7 * stride_, 0.0F);
        std::fill_n(w_.totals.begin(), stride_, 0.0);
        std::fill_n(w_.limits.begin(), stride_, std::numeric_limits<std::int32_t>::max());
    }

    static constexpr index keys_of_many = v0::detail::keys_of_many;
    [[nodiscard]] float* values(index which) const { return w_.row_values.data() + which * stride_; }
    [[nodiscard]] v0::detail::soft_rows state() const {
        return {.peak = values(0),
                .poison = values(1),
                .highest = values(2),
                .lowest = values(3),
                .slope = values(4),
                .position = values(5),
                .limit = w_.limits.data(),
                .total = w_.totals.data()};
    }
    [[nodiscard]] float* factors() const { return values(6); }

    /// Floats that the kernels work in; after them the keys that a kernel cannot read as they are.
    [[nodiscard]] index scratch_size() const { return 16 * (p_.d + 32) + 64 * stride_; }

    // ---- queries into the form that the kernels want
    // -------------------------------------------------------

    [[nodiscard]] index panel_of(index slot) const { return slot / (2 * p_.k.lanes) * (2 * p_.k.lanes); }
    [[nodiscard]] index panel_width(index slot) const {
        return std::min(2 * p_.k.lanes, stride_ - panel_of(slot));
    }
    /// Where the first number of a slot lies in q, in words of 4 bytes: a float, or a pair of bf16.
    [[nodiscard]] index packed(index slot) const {
        const index words = p_.by_pairs ? padded_d_ / 2 : padded_d_;
        return p_.many ? panel_of(slot) * words + slot - panel_of(slot) : slot * words;
    }

    void pack_rows() {
        const float scale = scale_of(p_.block);
        // A negative scale goes into q, so that the largest product is the largest score.
        const float sign = scale < 0 ? -1.0F : 1.0F;
        scale_ = std::abs(scale);
        least_limit_ = p_.block.keys.keys();
        has_added_ = false;
        has_low_ = false;
        if (padded_d_ != p_.d || stride_ != rows_.count) {
            std::fill_n(w_.q.begin(), stride_ * padded_d_, 0.0F);
        }
        for (const auto& run : w_.runs) {
            for (index i = 0; i < run.count; ++i) {
                const index query = run.first_query + i;
                const index slot = run.slot + i;
                p_.by_pairs ? pack_pairs(query, run.head, slot, sign)
                            : pack_floats(query, run.head, slot, sign);
                const visible_keys seen = resolve_visibility(p_.block, query);
                least_limit_ = std::min(least_limit_, seen.limit);
                has_added_ = has_added_ || seen.has_added;
                w_.limits[at(slot)] = static_cast<std::int32_t>(seen.limit);
                state().peak[slot] = p_.known != nullptr ? p_.known->values.load(query, run.head) : nothing;
                values(4)[slot] = slope_of(p_.block, run.head);
                values(5)[slot] = static_cast<float>(seen.limit - 1);
            }
        }
        if (has_added_) {
            w_.added.assign(at(p_.many ? keys_of_many * stride_ : most_keys + 16), 0.0F);
        }
        changes_all_ = p_.block.score.softcap != 0 || !p_.block.score.alibi_slopes.empty() || has_added_;
    }

    void pack_floats(index query, index head, index slot, float sign) {
        const index step = p_.many ? panel_width(slot) : 1;
        float* to = w_.q.data() + packed(slot);
        for (index x = 0; x < p_.d; ++x, to += step) {
            *to = p_.block.q.load(query, head, x) * sign;
        }
    }

    /// The high parts, and the low ones once one of them is not 0.
    void pack_pairs(index query, index head, index slot, float sign) {
        const auto d = at(p_.d);
        w_.row.resize(2 * d);
        w_.halves.resize(4 * d);
        for (index x = 0; x < p_.d; ++x) {
            w_.row[at(x)] = p_.block.q.load(query, head, x);
        }
        std::uint16_t* const high = w_.halves.data();
        if (p_.k.split(w_.row.data(), sign, p_.d, high, high + d) && !has_low_) {
            has_low_ = true;
            w_.q_low.assign(at(stride_ * padded_d_ / 2), 0.0F);
        }
        place_pairs(high, slot, w_.q);
        if (has_low_) {
            place_pairs(high + d, slot, w_.q_low);
        }
    }
    void place_pairs(const std::uint16_t* from, index slot, v0::detail::line_floats& to) const {
        auto* place = reinterpret_cast<std::byte*>(to.data()) + packed(slot) * 4;
        if (!p_.many) {
            std::memcpy(place, from, at(p_.d) * 2);
            return;
        }
        const index step = panel_width(slot) * 4;
        for (index x = 0; x < p_.d; x += 2, place += step) {
            std::memcpy(place, from + x, 4);
        }
    }

    // ---- one block of keys
    // ---------------------------------------------------------------------------------

    /// Keys [first, first + count), and what is wanted after them.
    [[nodiscard]] v0::detail::score_keys keys_at(index first, index count) const {
        v0::detail::score_keys keys{.count = round_up(count, 8),
                                    .d = p_.d,
                                    .bytes = bytes_of_codec(p_.codec, p_.d),
                                    .codec = p_.codec,
                                    .scratch = w_.key_values.data()};
        if (p_.regular) {
            const key_page& page = p_.block.keys.pages().front();
            keys.first = static_cast<const std::byte*>(page.data) + first * page.key_stride;
            keys.key_stride = page.key_stride;
            keys.head_stride = page.head_stride;
            keys.last = p_.read - 1 - first;
        } else {
            keys.keys = p_.w.keys.data() + first;
            keys.head_strides = p_.w.head_strides.data() + first;
        }
        return keys;
    }

    /// The same widened for one head, where the kernels cannot read the keys as they are.
    [[nodiscard]] v0::detail::score_keys widened_keys(index kv_head, index first, index count) const {
        const index padded = round_up(count, 8);
        for (index j = 0; j < padded + 8; ++j) {
            float* const wide = w_.key_values.data() + scratch_size() + std::min(j, count - 1) * p_.d;
            const key_address key = p_.block.keys.address(kv_head, p_.key(first + std::min(j, count - 1)));
            for (index x = 0; j < count && x < p_.d; ++x) {
                wide[x] = key.load(x);
            }
            w_.keys[at(j)] = reinterpret_cast<const std::byte*>(wide);
            w_.head_strides[at(j)] = 0;
        }
        return {.keys = w_.keys.data(),
                .head_strides = w_.head_strides.data(),
                .count = padded,
                .d = p_.d,
                .bytes = p_.d * 4,
                .codec = element_type::f32,
                .scratch = w_.key_values.data()};
    }

    /// What the block's scores need beside the scale; whether they need anything.
    bool change_of(index first, index count, v0::detail::score_change& change) {
        if (!changes_all_ && p_.key(first + count - 1) < least_limit_) {
            return false;
        }
        for (index j = 0; j < count + 16; ++j) {
            w_.numbers[at(j)] = j < count ? static_cast<std::int32_t>(p_.key(first + j))
                                          : std::numeric_limits<std::int32_t>::max();
        }
        change = {.scale = scale_,
                  .softcap = p_.block.score.softcap,
                  .has_slopes = !p_.block.score.alibi_slopes.empty(),
                  .keys = w_.numbers.data(),
                  .added = has_added_ ? w_.added.data() : nullptr};
        return true;
    }

    void read_many(index b) {
        const index first = b * keys_of_many;
        const index count = std::min(keys_of_many, p_.read - first);
        const v0::detail::kv_rows& rows = w_.segments.front();
        const auto keys = p_.one_codec ? keys_at(first, count) : widened_keys(rows.kv_head, first, count);
        const auto score = p_.by_pairs ? p_.k.score_many_bf16 : p_.k.score_many;
        score(keys, rows, w_.q.data(), has_low_ ? w_.q_low.data() : nullptr, w_.scores.data(), stride_,
              state());
        v0::detail::score_change change;
        const bool changed = change_of(first, count, change);
        if (changed) {
            fill_added_many(first, count);
            p_.k.adjust_many(change, w_.scores.data(), stride_, count, stride_, state());
        }
        std::array<float*, keys_of_many> to;
        to.fill(w_.image_rows.data() + p_.images * stride_);
        const v0::detail::image_key* const image = p_.w.image.data();
        const v0::detail::image_block& images = p_.w.image_blocks[at(b)];
        for (index i = images.first; i < images.last; ++i) {
            to[at(image[i].key - first)] = w_.image_rows.data() + i * stride_;
        }
        p_.k.soften_many(w_.scores.data(), stride_, count, stride_, changed ? 1.0F : scale_,
                         p_.known != nullptr, to.data(), w_.peaks.data() + b * stride_, state());
        for (index i = images.first; !images.in_a_row && i < images.last; ++i) {
            float* const row = w_.image_rows.data() + i * stride_;
            const float* const made = to[at(image[i].key - first)];
            if (made != row) { // a key that is several image tokens
                std::copy_n(made, stride_, row);
            }
        }
    }

    void fill_added_many(index first, index count) {
        for (const auto& run : w_.runs) {
            for (index i = 0; has_added_ && i < run.count; ++i) {
                const visible_keys seen = resolve_visibility(p_.block, run.first_query + i);
                for (index j = 0; seen.has_added && j < count; ++j) {
                    w_.added[at(j * stride_ + run.slot + i)] = seen.added.load(p_.key(first + j));
                }
            }
        }
    }

    void read_few(index b) {
        const index first = b * most_keys;
        const index count = std::min(most_keys, p_.read - first);
        score_few(first, count);
        v0::detail::score_change change;
        const bool changed = change_of(first, count, change);
        const v0::detail::image_key* const image = p_.w.image.data();
        const v0::detail::image_block& images = p_.w.image_blocks[at(b)];
        for (const auto& run : w_.runs) {
            for (index slot = run.slot; slot < run.slot + run.count; ++slot) {
                float* const scores = w_.scores.data() + slot * most_keys;
                if (changed) {
                    fill_added_few(run.first_query + slot - run.slot, first, count);
                    p_.k.adjust_few(change, scores, count, slot, state());
                }
                w_.peaks[at(slot * p_.blocks + b)] = p_.k.soften_few(
                    scores, count, changed ? 1.0F : scale_, changed, p_.known != nullptr, slot, state());
                float* const row = w_.image_rows.data() + slot * p_.images;
                if (images.in_a_row && images.first < images.last) {
                    std::copy_n(scores + image[images.first].key - first, images.last - images.first,
                                row + images.first);
                    continue;
                }
                for (index i = images.first; i < images.last; ++i) {
                    row[i] = scores[image[i].key - first];
                }
            }
        }
    }

    void score_few(index first, index count) {
        const auto score = p_.by_pairs ? p_.k.score_few_bf16 : p_.k.score_few;
        const float* const low = has_low_ ? w_.q_low.data() : nullptr;
        if (p_.one_codec) {
            score(keys_at(first, count), w_.segments.data(), static_cast<index>(w_.segments.size()),
                  w_.q.data(), low, w_.scores.data(), most_keys);
            return;
        }
        for (const v0::detail::kv_rows& rows : w_.segments) {
            const auto keys = widened_keys(rows.kv_head, first, count);
            score(keys, &rows, 1, w_.q.data(), low, w_.scores.data(), most_keys);
        }
    }

    void fill_added_few(index query, index first, index count) {
        if (!has_added_) {
            return;
        }
        const visible_keys seen = resolve_visibility(p_.block, query);
        for (index j = 0; j < count; ++j) {
            w_.added[at(j)] = seen.has_added ? seen.added.load(p_.key(first + j)) : 0.0F;
        }
    }

    // ---- whole rows
    // ----------------------------------------------------------------------------------------

    /// Checks the rows, and turns each block's peak into the factor from its exponentials to the weighted
    /// probabilities.
    status finish_rows(float* all_log_sum_exp) {
        const v0::detail::soft_rows rows = state();
        for (const auto& run : w_.runs) {
            const float weight = mean_ ? p_.weights[at(run.head)] : 1.0F;
            for (index i = 0; i < run.count; ++i) {
                const index query = run.first_query + i;
                const index slot = run.slot + i;
                const double total = w_.totals[at(slot)];
                float& peak = rows.peak[slot];
                const float sink = sink_of(p_.block, run.head);
                if (p_.known != nullptr) {
                    if (rows.poison[slot] != 0 || (std::isfinite(peak) && std::isnan(total))) {
                        return failed_row(p_.block, query, run.head);
                    }
                    if (!std::isfinite(peak) || !(total >= 0 && total <= image_mass_limit)) {
                        return failed_mass(query, run.head, total);
                    }
                    factors()[slot] = weight;
                    continue;
                }
                if (rows.poison[slot] != 0 || peak == nothing || !std::isfinite(total) ||
                    !(sink < std::numeric_limits<float>::infinity())) {
                    return failed_row(p_.block, query, run.head);
                }
                const float top = std::max(peak, sink);
                const double all = total * std::exp(static_cast<double>(peak) - top) +
                                   std::exp(static_cast<double>(sink) - top);
                if (all_log_sum_exp != nullptr) {
                    all_log_sum_exp[query * p_.block.q.extent(1) + run.head] =
                        static_cast<float>(top + std::log(all));
                }
                factors()[slot] = static_cast<float>(weight / all);
                peak = top;
            }
        }
        if (p_.images > 0) {
            correct_peaks(rows);
        }
        return success{};
    }

    void correct_peaks(const v0::detail::soft_rows& rows) {
        const bool known = p_.known != nullptr;
        for (index b = 0; p_.many && b < p_.blocks; ++b) {
            p_.k.correct(w_.peaks.data() + b * stride_, rows.peak, factors(), stride_, known);
        }
        // Few rows have few blocks of many keys: one value at a time, padded to a vector.
        for (index slot = 0; !p_.many && slot < rows_.count; ++slot) {
            std::array<float, 16> to{}, peak{}, factor{};
            for (index b = 0; b < p_.blocks; b += 16) {
                const index count = std::min<index>(16, p_.blocks - b);
                float* const place = w_.peaks.data() + slot * p_.blocks + b;
                peak.fill(rows.peak[slot]);
                factor.fill(factors()[slot]);
                std::copy_n(place, count, to.begin());
                p_.k.correct(to.data(), peak.data(), factor.data(), 16, known);
                std::copy_n(to.begin(), count, place);
            }
        }
    }

    const qk_plan& p_;
    qk_workspace::tile& w_;
    qk_workspace::rows rows_;
    bool mean_;
    index stride_ = 0, padded_d_ = 0, least_limit_ = 0;
    float scale_ = 1;
    bool has_added_ = false, has_low_ = false, changes_all_ = false;
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
