// key_source: the keys of one layer where the host's cache has them: pages, strides, element type, cells.
//
// A view cannot hold pages or cells out of order, so a cache is described by pages of cells with byte strides
// and, where the order of the cells is not the order of the keys, a list that names each key's cell. It owns
// nothing: the cache, the pages and the list must outlive it. Copies are cheap; const access is shared-safe.
// Reading a key means finding its page (one step when there is one page, else a binary search).
#pragma once

#include "ostend/attention/key_codec.hpp"
#include "ostend/core/expects.hpp"
#include "ostend/tensor/traits.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

namespace ostend::inline v0 {

namespace detail {
template <class T>
constexpr element_type codec_of() {
    static_assert(float_element<T>, "ostend: keys are read as f32, f64, f16 or bf16");
    return std::is_same_v<T, float>    ? element_type::f32
           : std::is_same_v<T, double> ? element_type::f64
           : std::is_same_v<T, f16>    ? element_type::f16
                                       : element_type::bf16;
}
} // namespace detail

/// count cells that lie a fixed distance apart. Strides in bytes, any sign; the data may be unaligned.
struct key_page {
    const void* data = nullptr; ///< element 0 of key/value head 0 of the page's first cell
    index first = 0;            ///< the cell that data points to
    index count = 0;            ///< number of cells
    index key_stride = 0;       ///< from one cell to the next
    index head_stride = 0;      ///< from one key/value head to the next
    index element_stride = 0;   ///< from one element of a head vector to the next; 0: they are contiguous
    element_type codec = element_type::f32; ///< f32, f64, f16 or bf16, or ggml's q8_0 or q4_0
};

/// One key of all key/value heads.
struct key_place {
    key_address head0 = {};
    index head_stride = 0; ///< bytes

    [[nodiscard]] key_address head(index kv_head) const noexcept {
        return {head0.data + kv_head * head_stride, head0.element_stride, head0.codec};
    }
};

class key_source {
public:
    key_source() = default;

    /// Pages in order, without gaps: the first starts at cell 0, each at the end of the one before.
    /// cells: key i lives in cell cells[i]; empty: key i is cell i.
    /// Preconditions: kv_heads >= 1, d >= 1, cells inside the pages, page codecs as above; a quantised one
    /// wants d to be a multiple of 32 and contiguous elements. Complexity O(pages + cells).
    key_source(std::span<const key_page> pages, index kv_heads, index d, std::span<const index> cells = {})
        : many_(pages), cells_(cells), kv_heads_(kv_heads), d_(d) {
        require();
    }
    /// One page, copied.
    key_source(const key_page& page, index kv_heads, index d, std::span<const index> cells = {})
        : one_(page), cells_(cells), kv_heads_(kv_heads), d_(d) {
        require();
    }

    /// Keys [kv_heads, keys, d] of any strides, in anything that as_view accepts.
    template <tensor_like K>
    [[nodiscard]] static key_source contiguous(K&& k, std::span<const index> cells = {}) {
        return from_view(as_view(std::forward<K>(k)), 0, 1, cells);
    }
    /// Keys [cells, kv_heads, d] of any strides (llama.cpp, paged caches).
    template <tensor_like K>
    [[nodiscard]] static key_source cell_major(K&& k, std::span<const index> cells = {}) {
        return from_view(as_view(std::forward<K>(k)), 1, 0, cells);
    }

    [[nodiscard]] index kv_heads() const noexcept { return kv_heads_; }
    [[nodiscard]] index d() const noexcept { return d_; } ///< size of a head vector
    /// Number of logical keys.
    [[nodiscard]] index keys() const noexcept {
        return cells_.empty() ? cell_count_ : static_cast<index>(cells_.size());
    }
    [[nodiscard]] std::span<const key_page> pages() const noexcept {
        return many_.empty() ? std::span<const key_page>(&one_, 1) : many_;
    }
    [[nodiscard]] std::span<const index> cells() const noexcept { return cells_; }

    /// Where a key lies, in every head. Unchecked: 0 <= key < keys().
    [[nodiscard]] key_place place(index key) const noexcept {
        const index cell = cells_.empty() ? key : cells_[static_cast<std::size_t>(key)];
        const key_page* page = &one_;
        if (!many_.empty()) {
            page = &*std::prev(std::upper_bound(many_.begin(), many_.end(), cell,
                                                [](index c, const key_page& p) { return c < p.first; }));
        }
        return {{static_cast<const std::byte*>(page->data) + (cell - page->first) * page->key_stride,
                 page->element_stride != 0 ? page->element_stride : bytes_of_codec(page->codec), page->codec},
                page->head_stride};
    }
    /// Where one head's vector of a key lies. Unchecked: 0 <= kv_head < kv_heads(), 0 <= key < keys().
    [[nodiscard]] key_address address(index kv_head, index key) const noexcept {
        return place(key).head(kv_head);
    }

private:
    template <class T>
    static key_source from_view(const tensor_view<T, 3>& k, std::size_t head_axis, std::size_t key_axis,
                                std::span<const index> cells) {
        constexpr auto bytes = static_cast<index>(sizeof(T));
        // A stride of 0 means "contiguous" in a page; a broadcast element axis of extent > 1 has no page
        // form.
        OSTEND_EXPECTS_ALWAYS(k.stride(2) != 0 || k.extent(2) <= 1,
                              "key_source: the elements of a head vector have stride 0");
        const key_page page{.data = k.data(),
                            .first = 0,
                            .count = k.extent(key_axis),
                            .key_stride = k.stride(key_axis) * bytes,
                            .head_stride = k.stride(head_axis) * bytes,
                            .element_stride = k.stride(2) * bytes,
                            .codec = detail::codec_of<std::remove_const_t<T>>()};
        return {page, k.extent(head_axis), k.extent(2), cells};
    }

    void require() {
        OSTEND_EXPECTS_ALWAYS(kv_heads_ >= 1 && d_ >= 1,
                              "key_source: " + std::to_string(kv_heads_) + " key/value heads of size " +
                                  std::to_string(d_) + "; both must be at least 1");
        for (const key_page& page : pages()) {
            OSTEND_EXPECTS_ALWAYS(page.first == cell_count_ && page.count >= 0,
                                  "key_source: a page starts at cell " + std::to_string(page.first) +
                                      " with " + std::to_string(page.count) + " cells; expected cell " +
                                      std::to_string(cell_count_) + " and no negative count");
            OSTEND_EXPECTS_ALWAYS(page.data != nullptr || page.count == 0, "key_source: the page at cell " +
                                                                               std::to_string(page.first) +
                                                                               " has no data");
            OSTEND_EXPECTS_ALWAYS(is_key_codec(page.codec),
                                  "key_source: keys are read as f32, f64, f16, bf16, q8_0 or q4_0");
            OSTEND_EXPECTS_ALWAYS(!is_quantised(page.codec) ||
                                      (d_ % quantised_block == 0 && page.element_stride == 0),
                                  "key_source: quantised keys of head size " + std::to_string(d_) +
                                      " with element stride " + std::to_string(page.element_stride) +
                                      "; they come in blocks of 32 without gaps, stride 0");
            cell_count_ += page.count;
        }
        for (const index cell : cells_) {
            OSTEND_EXPECTS_ALWAYS(cell >= 0 && cell < cell_count_,
                                  "key_source: cell " + std::to_string(cell) + " is outside the pages' " +
                                      std::to_string(cell_count_) + " cells");
        }
    }

    key_page one_; // used when many_ is empty
    std::span<const key_page> many_;
    std::span<const index> cells_;
    index kv_heads_ = 0;
    index d_ = 0;
    index cell_count_ = 0;
};

} // namespace ostend::inline v0
