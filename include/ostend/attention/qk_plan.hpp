// qk_plan: what a call of reduce_qk(blocked, ...) decides once: heads in use, keys to read, form, tiles.
//
// Rows (one query of one head) are numbered by selected head, then query. Where a key/value head has many of
// them a vector holds rows; where it has few, a vector holds keys. The form, and with it every bit of a row,
// depends on the shape alone; which rows make a tile together does not matter to their bits, so that a tile
// of few rows may span key/value heads to read a cell-major cache cell by cell.
#pragma once

#include "ostend/attention/kernels.hpp"
#include "ostend/attention/qk_block.hpp"
#include "ostend/attention/qk_workspace.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

class qk_plan {
public:
    /// known may be null. Everything must outlive the plan; rows of a tile: at most tile_rows where few.
    qk_plan(const qk_block& a_block, const key_selection& selection, std::span<const float> head_weights,
            const known_log_sum_exp* a_known, index tile_rows, const attention_kernels& table,
            qk_workspace& workspace)
        : block(a_block), weights(head_weights), known(a_known), k(table), w(workspace),
          queries(a_block.q.extent(0)), d(a_block.keys.d()) {
        choose_heads();
        choose_keys(selection);
        choose_form();
        find_keys();
        find_image_blocks();
        cut_tiles(tile_rows);
    }

    const qk_block& block;
    std::span<const float> weights;
    const known_log_sum_exp* known;
    const attention_kernels& k;
    qk_workspace& w;
    index queries, d;
    index read = 0;        ///< keys that are read
    index images = 0;      ///< image tokens whose keys are read
    bool in_order = false; ///< image key i of w.image is image token i
    bool many = false;     ///< a vector holds rows
    bool by_pairs = false; ///< bf16 keys as they are
    bool one_codec = false;
    bool regular = false;                   ///< keys are a fixed distance apart
    element_type codec = element_type::f32; ///< of all keys, where one_codec
    index slots = 0;                        ///< rows of a tile at most
    index keys_per_block = 0, blocks = 0;

    /// The number of key i of those that are read.
    [[nodiscard]] index key(index i) const {
        return w.keys_read.empty() ? i : w.keys_read[static_cast<std::size_t>(i)];
    }
    [[nodiscard]] index head(index row) const { return w.heads[static_cast<std::size_t>(row / queries)]; }

private:
    void choose_heads() {
        w.heads.clear();
        for (index h = 0; queries > 0 && h < block.q.extent(1); ++h) {
            if (weights[static_cast<std::size_t>(h)] != 0) {
                w.heads.push_back(h);
            }
        }
    }

    void choose_keys(const key_selection& selection) {
        w.image.clear();
        index token = 0;
        for (const key_range& range : selection.ranges()) {
            for (index i = 0; i < range.count; ++i) {
                w.image.push_back({range.first + i * range.step, token++});
            }
        }
        const auto by_key = [](const v0::detail::image_key& a, const v0::detail::image_key& b) {
            return a.key != b.key ? a.key < b.key : a.token < b.token;
        };
        in_order = std::is_sorted(w.image.begin(), w.image.end(), by_key);
        if (!in_order) {
            std::sort(w.image.begin(), w.image.end(), by_key);
        }
        for (index i = 0; i < queries; ++i) {
            read = std::max(read, resolve_visibility(block, i).limit);
        }
        // Image keys that no query sees stay 0.
        while (images < static_cast<index>(w.image.size()) &&
               w.image[static_cast<std::size_t>(images)].key < read) {
            ++images;
        }
        w.keys_read.clear();
        if (known == nullptr) {
            return;
        }
        for (index i = 0; i < images; ++i) {
            v0::detail::image_key& image = w.image[static_cast<std::size_t>(i)];
            if (w.keys_read.empty() || w.keys_read.back() != image.key) {
                w.keys_read.push_back(image.key);
            }
            image.key = static_cast<index>(w.keys_read.size()) - 1;
        }
        read = static_cast<index>(w.keys_read.size());
    }

    /// Rows of the selected heads that share the key/value head of heads[i], from heads[i] on.
    [[nodiscard]] index heads_together(std::size_t i) const {
        std::size_t end = i;
        while (end < w.heads.size() && kv_head_of(block, w.heads[end]) == kv_head_of(block, w.heads[i])) {
            ++end;
        }
        return static_cast<index>(end - i);
    }

    void choose_form() {
        index most = 0;
        for (std::size_t i = 0; i < w.heads.size(); i += static_cast<std::size_t>(heads_together(i))) {
            most = std::max(most, heads_together(i) * queries);
        }
        // Below three quarters of a vector, a dot product for each row and key is cheaper than empty lanes.
        many = most * 4 >= k.lanes * 3;
        regular = block.keys.cells().empty() && w.keys_read.empty() && block.keys.pages().size() == 1;
        one_codec = true;
        const std::span<const key_page> pages = block.keys.pages();
        codec = pages.empty() ? element_type::f32 : pages.front().codec;
        for (const key_page& page : pages) {
            one_codec = one_codec && page.codec == codec && codec != element_type::f64 &&
                        (page.element_stride == 0 || page.element_stride == bytes_of_codec(codec));
        }
        by_pairs =
            one_codec && codec == element_type::bf16 &&
            (many ? k.score_many_bf16 != nullptr && d % k.pair_step == 0 : k.score_few_bf16 != nullptr);
        keys_per_block = many ? v0::detail::keys_of_many : v0::detail::keys_of_few;
        blocks = (read + keys_per_block - 1) / keys_per_block;
    }

    /// Where the keys lie, once for all tiles.
    void find_keys() {
        const auto size = static_cast<std::size_t>(read) + 16;
        if (!one_codec || regular || read == 0) {
            return;
        }
        if (w.keys.size() < size) {
            w.keys.resize(size);
            w.head_strides.resize(size);
        }
        for (std::size_t j = 0; j < size; ++j) {
            const key_place place = block.keys.place(key(std::min(static_cast<index>(j), read - 1)));
            w.keys[j] = place.head0.data;
            w.head_strides[j] = place.head_stride;
        }
    }

    void find_image_blocks() {
        w.image_blocks.clear();
        index at = 0;
        for (index b = 0; b < blocks; ++b) {
            v0::detail::image_block found{at, at, true};
            for (; at < images && w.image[static_cast<std::size_t>(at)].key < (b + 1) * keys_per_block;
                 ++at) {
                const v0::detail::image_key* image = w.image.data() + at;
                found.in_a_row = found.in_a_row && (at == found.first || image[-1].key + 1 == image->key);
            }
            found.last = at;
            w.image_blocks.push_back(found);
        }
    }

    void cut_tiles(index tile_rows) {
        w.plan.clear();
        constexpr index image_floats = 196608; // 768 KiB: the image scores of a tile stay in the L2 cache
        const index wanted = std::clamp<index>(image_floats / std::max<index>(images, 1), 32, 64) / 32 * 32;
        slots = many ? wanted : std::min(wanted, tile_rows);
        const std::span<const key_page> pages = block.keys.pages();
        const bool cell_major =
            !pages.empty() && std::abs(pages.front().head_stride) < std::abs(pages.front().key_stride);
        index row = 0;
        for (std::size_t i = 0; i < w.heads.size();) {
            const index together = heads_together(i);
            index left = together * queries;
            i += static_cast<std::size_t>(together);
            // Heads that lie side by side are read together.
            if (!many && cell_major && !w.plan.empty() && w.plan.back().count + left <= slots) {
                w.plan.back().count += left;
                row += left;
                continue;
            }
            for (; left > 0; left -= w.plan.back().count, row += w.plan.back().count) {
                w.plan.push_back({row, std::min(left, slots)});
            }
        }
    }
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
