// exact_rows: rows of a sequence whose layers add up to the same bits in any order and any split.
//
// A layer's row is computed in f32 (heads in index order) and turned into integers whose combination is exact
// and commutative: for the mean, fixed point of 2^-60, which holds every f32 from 2^-37 up exactly and cuts
// smaller ones by less than 2^-60 a layer; for the maximum, the float's bits in numerical order. Eight bytes
// a token and image token, and one bit a token and layer that says which layers are in.
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
    exact_rows(index image_tokens, int layers, head_reduction reduce)
        : columns_(image_tokens), words_((layers + 63) / 64), reduce_(reduce) {}

    [[nodiscard]] index rows() const noexcept { return rows_; }

    /// Makes room for rows [0, rows); keeps what is there.
    void grow(index rows) {
        if (rows > rows_) {
            rows_ = rows;
            const std::int64_t start =
                reduce_ == head_reduction::mean ? 0 : std::numeric_limits<std::int64_t>::min();
            values_.resize(static_cast<std::size_t>(rows * columns_), start);
            layers_.resize(static_cast<std::size_t>(rows * words_), 0);
        }
    }
    /// Keeps rows [0, rows).
    void truncate(index rows) {
        if (rows < rows_) {
            rows_ = rows;
            values_.resize(static_cast<std::size_t>(rows * columns_));
            layers_.resize(static_cast<std::size_t>(rows * words_));
            failures_.erase(failures_.lower_bound(rows), failures_.end());
        }
    }

    [[nodiscard]] bool has(index row, int layer) const {
        return row < rows_ && (layers_[word(row, layer)] >> (layer % 64) & 1U) != 0;
    }
    void mark(index row, int layer) { layers_[word(row, layer)] |= std::uint64_t{1} << (layer % 64); }

    void add(index row, std::span<const float> layer_row) {
        std::int64_t* const values = values_.data() + row * columns_;
        for (std::size_t i = 0; i < layer_row.size(); ++i) {
            values[i] = combine(values[i], to_exact(layer_row[i], reduce_));
        }
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

    void read(index row, std::span<float> out) const {
        const std::int64_t* const values = values_.data() + row * columns_;
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = from_exact(values[i], reduce_);
        }
    }

    /// Adds the rows of another state of the same shape. Precondition: no layer of a token is in both.
    void merge(const exact_rows& other) {
        grow(other.rows_);
        for (std::size_t i = 0; i < other.values_.size(); ++i) {
            values_[i] = combine(values_[i], other.values_[i]);
        }
        for (std::size_t i = 0; i < other.layers_.size(); ++i) {
            layers_[i] |= other.layers_[i];
        }
        for (const auto& [row, failure] : other.failures_) {
            fail(row, failure.layer, failure.why);
        }
    }

private:
    [[nodiscard]] std::size_t word(index row, int layer) const {
        return static_cast<std::size_t>(row * words_ + layer / 64);
    }
    [[nodiscard]] std::int64_t combine(std::int64_t a, std::int64_t b) const {
        return reduce_ == head_reduction::mean ? a + b : std::max(a, b);
    }

    index columns_;
    index words_;
    head_reduction reduce_;
    index rows_ = 0;
    std::vector<std::int64_t> values_ = {};
    std::vector<std::uint64_t> layers_ = {};
    std::map<index, row_failure> failures_ = {};
};

} // namespace detail
} // namespace ostend::inline v0
