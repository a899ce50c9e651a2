// exact_rows: rows of a sequence whose layers add up to the same bits in any order and any split.
//
// A layer's row is computed in f32 (heads in index order) and turned into integers whose combination is exact
// and commutative: for the mean, fixed point of 2^-60, which holds every f32 from 2^-37 up exactly and cuts
// smaller ones by less than 2^-60 a layer; for the maximum, the float's bits in numerical order. Eight bytes
// an image token while layers of a token are missing; four, the f32 that is read from them, once all have
// come. And one bit a token and layer that says which layers are in.
#pragma once

#include "ostend/attention/select_heads.hpp"
#include "ostend/core/result.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace ostend::inline v0 {
namespace detail {

/// Mean: 0 <= x <= 2 and the sum of all layers <= 2. Maximum: finite x.
inline std::int64_t to_exact(float x, head_reduction reduce) {
    if (reduce == head_reduction::mean) {
        return static_cast<std::int64_t>(static_cast<double>(x) * 0x1p60);
    }
    const auto bits = std::bit_cast<std::int32_t>(x);
    return bits < 0 ? bits ^ 0x7FFFFFFF : bits;
}
inline float from_exact(std::int64_t n, head_reduction reduce) {
    if (reduce == head_reduction::mean) {
        return static_cast<float>(static_cast<double>(n) * 0x1p-60);
    }
    const auto bits = static_cast<std::int32_t>(n);
    return std::bit_cast<float>(bits < 0 ? bits ^ 0x7FFFFFFF : bits);
}

/// What went wrong with a token's row, in the lowest layer where something did.
struct row_failure {
    int layer = 0;
    error why = {};
};

class exact_rows {
public:
    /// needed: layers whose rows make a token whole.
    exact_rows(index image_tokens, int layers, int needed, head_reduction reduce)
        : columns_(image_tokens), words_((layers + 63) / 64), needed_(needed), reduce_(reduce) {}

    [[nodiscard]] index rows() const noexcept { return static_cast<index>(values_.size()); }

    /// Makes room for rows [0, rows); keeps what is there. A row takes memory when its first layer comes.
    void grow(index rows) {
        if (rows > this->rows()) {
            values_.resize(static_cast<std::size_t>(rows));
            layers_.resize(static_cast<std::size_t>(rows * words_), 0);
        }
    }
    /// Keeps rows [0, rows).
    void truncate(index rows) {
        if (rows < this->rows()) {
            values_.resize(static_cast<std::size_t>(rows));
            layers_.resize(static_cast<std::size_t>(rows * words_));
            failures_.erase(failures_.lower_bound(rows), failures_.end());
        }
    }

    [[nodiscard]] bool has(index row, int layer) const {
        return row < rows() && (layers_[word(row, layer)] >> (layer % 64) & 1U) != 0;
    }
    void mark(index row, int layer) { layers_[word(row, layer)] |= std::uint64_t{1} << (layer % 64); }

    /// Precondition: fewer than `needed` rows were added to this one.
    void add(index row, std::span<const float> layer_row) {
        row_values& r = values_[static_cast<std::size_t>(row)];
        if (r.layers == 0) {
            r.sum.assign(static_cast<std::size_t>(columns_), start());
        }
        for (std::size_t i = 0; i < layer_row.size(); ++i) {
            r.sum[i] = combine(r.sum[i], to_exact(layer_row[i], reduce_));
        }
        ++r.layers;
        finish(r);
    }
    void fail(index row, int layer, error why) {
        const auto found = failures_.find(row);
        if (found == failures_.end()) {
            failures_.emplace(row, row_failure{layer, std::move(why)});
        } else if (layer < found->second.layer) {
            found->second = {layer, std::move(why)};
        }
    }
    [[nodiscard]] const std::map<index, row_failure>& failures() const noexcept { return failures_; }

    /// Whether every needed layer's row was added.
    [[nodiscard]] bool is_whole(index row) const {
        return values_[static_cast<std::size_t>(row)].layers == needed_;
    }
    /// Precondition: the row is whole.
    void read(index row, std::span<float> out) const {
        const std::vector<float>& whole = values_[static_cast<std::size_t>(row)].whole;
        std::copy(whole.begin(), whole.end(), out.begin());
    }

    /// Adds the rows of another state of the same shape. Precondition: no layer of a token is in both.
    void merge(const exact_rows& other) {
        grow(other.rows());
        for (std::size_t row = 0; row < other.values_.size(); ++row) {
            const row_values& from = other.values_[row];
            row_values& to = values_[row];
            if (from.layers == 0) {
                continue;
            }
            if (to.layers == 0) {
                to = from;
                continue;
            }
            for (std::size_t i = 0; i < from.sum.size(); ++i) {
                to.sum[i] = combine(to.sum[i], from.sum[i]);
            }
            to.layers += from.layers;
            finish(to);
        }
        for (std::size_t i = 0; i < other.layers_.size(); ++i) {
            layers_[i] |= other.layers_[i];
        }
        for (const auto& [row, failure] : other.failures_) {
            fail(row, failure.layer, failure.why);
        }
    }

private:
    struct row_values {
        int layers = 0;                ///< added so far
        std::vector<std::int64_t> sum; ///< while layers are missing
        std::vector<float> whole;      ///< afterwards
    };

    [[nodiscard]] std::size_t word(index row, int layer) const {
        return static_cast<std::size_t>(row * words_ + layer / 64);
    }
    [[nodiscard]] std::int64_t start() const {
        return reduce_ == head_reduction::mean ? 0 : std::numeric_limits<std::int64_t>::min();
    }
    [[nodiscard]] std::int64_t combine(std::int64_t a, std::int64_t b) const {
        return reduce_ == head_reduction::mean ? a + b : std::max(a, b);
    }
    void finish(row_values& r) const {
        if (r.layers == needed_) {
            r.whole.resize(r.sum.size());
            for (std::size_t i = 0; i < r.sum.size(); ++i) {
                r.whole[i] = from_exact(r.sum[i], reduce_);
            }
            std::vector<std::int64_t>().swap(r.sum); // its memory too
        }
    }

    index columns_;
    index words_;
    int needed_;
    head_reduction reduce_;
    std::vector<row_values> values_ = {};
    std::vector<std::uint64_t> layers_ = {};
    std::map<index, row_failure> failures_ = {};
};

} // namespace detail
} // namespace ostend::inline v0
