// ggml_image_cells: which cells of which cache hold the keys of which sequence's images.
//
// Learnt while an image is decoded, from the rows that are written into each key cache (the cells are
// arbitrary, and a sliding-window cache has others than the full one), or given by the host. A cell that is
// written again has lost its image token; that is remembered, never read over.
#pragma once

#include "ostend/attention/key_selection.hpp"
#include "ostend/core/expects.hpp"
#include "ostend/core/result.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

class ggml_image_cells {
public:
    /// From here on what is written is image `image` of `sequence`, in image-token order. Image 0 begins the
    /// sequence anew.
    void begin(int sequence, int image) {
        if (image == 0) {
            forget(sequence);
        }
        sequence_ = sequence;
        image_ = image;
        learning_ = true;
    }
    /// order: image token i is the order[i]-th of those that were written; empty: as they were written.
    /// Precondition: what it names was written.
    void end(std::span<const index> order = {}) {
        for (auto& [key, place] : places_) {
            if (learning_ && !order.empty() && key.second == sequence_) {
                reorder(place, order);
            }
        }
        learning_ = false;
    }
    [[nodiscard]] bool learning() const noexcept { return learning_; }
    [[nodiscard]] int sequence() const noexcept { return sequence_; } ///< of the image that is learnt
    /// Whether any sequence has an image in this cache, as far as is known: what was given may be in any.
    [[nodiscard]] bool knows(const void* cache) const {
        if (!given_.empty()) {
            return true;
        }
        const auto at = places_.lower_bound({cache, std::numeric_limits<int>::min()});
        return at != places_.end() && at->first.first == cache;
    }

    /// Rows of a cache (identified by its address) that a graph writes, in order. O(rows + image cells).
    void on_write(const void* cache, std::span<const index> rows) {
        for (const auto& [sequence, cells] : given_) {
            places_.try_emplace({cache, sequence}, known{cells});
        }
        for (auto& [key, place] : places_) {
            if (key.first == cache) {
                drop(place, rows);
            }
        }
        if (learning_) {
            known& place = places_[{cache, sequence_}];
            for (const index row : rows) {
                place.cells.push_back({row, image_});
            }
            place.is_built = false;
        }
    }
    /// The host's own knowledge of rows that were written, for every cache that has none of this sequence;
    /// an image but the first is added where the sequence has some. Image 0 begins the sequence anew.
    void give(int sequence, int image, std::span<const index> rows) {
        if (image == 0) {
            forget(sequence);
        }
        std::vector<cell>& given = given_[sequence];
        for (const index row : rows) {
            given.push_back({row, image});
        }
        for (auto& [key, place] : places_) {
            if (key.second == sequence) {
                place.cells.insert(place.cells.end(), given.end() - std::ssize(rows), given.end());
                place.is_built = false;
            }
        }
    }
    /// `to` sees the cells of `from` (llama_memory_seq_cp in a unified cache).
    void copy(int from, int to) {
        if (from == to) {
            return;
        }
        forget(to);
        std::map<std::pair<const void*, int>, known> copies;
        for (const auto& [key, place] : places_) {
            if (key.second == from) {
                copies.emplace(std::pair{key.first, to}, place);
            }
        }
        places_.merge(copies);
        if (const auto found = given_.find(from); found != given_.end()) {
            const std::vector<cell> cells = found->second;
            given_[to] = cells;
        }
    }
    void forget(int sequence) {
        given_.erase(sequence);
        for (auto at = places_.begin(); at != places_.end();) {
            at = at->first.second == sequence ? places_.erase(at) : std::next(at);
        }
    }

    /// The image keys among keys [0, keys) of an attention whose key 0 is row first_row of the cache. The
    /// reference holds until the next change. Errors: no image of the sequence; image tokens that were
    /// overwritten, or that lie outside these keys. O(1), or O(cells) after a change.
    [[nodiscard]] result<const key_selection*> find(const void* cache, int sequence, index first_row,
                                                    index keys) {
        auto at = places_.find({cache, sequence});
        if (at == places_.end()) {
            const auto given = given_.find(sequence);
            if (given == given_.end()) {
                return error{"no image was decoded between begin_image and end_image, and none was given",
                             "image cells"};
            }
            at = places_.emplace(std::pair{cache, sequence}, known{given->second}).first;
        }
        known& place = at->second;
        if (place.lost > 0) {
            return error{std::to_string(place.lost) +
                             " image tokens were overwritten in this layer's cache; select the heads of "
                             "layers that keep the whole image (no sliding window)",
                         "image cells"};
        }
        if (!place.is_built || place.first_row != first_row) {
            std::vector<key_range> ranges;
            for (const cell& c : place.cells) {
                if (c.row < first_row) {
                    return error{"an image token lies in another stream of the cache", "image cells"};
                }
                if (!ranges.empty() && ranges.back().image == c.image &&
                    ranges.back().first + ranges.back().count == c.row - first_row) {
                    ++ranges.back().count;
                } else {
                    ranges.push_back({.first = c.row - first_row, .count = 1, .image = c.image});
                }
            }
            place.selection = key_selection(std::move(ranges));
            place.first_row = first_row;
            place.is_built = true;
        }
        if (place.selection.end() > keys) {
            return error{"the image ends at key " + std::to_string(place.selection.end()) +
                             ", the attention reads " + std::to_string(keys) + " keys",
                         "image cells"};
        }
        return &place.selection;
    }

private:
    struct cell {
        index row = 0;
        int image = 0;
    };
    struct known {
        std::vector<cell> cells = {};
        index lost = 0;
        key_selection selection = {};
        index first_row = 0;
        bool is_built = false;
    };
    void reorder(known& place, std::span<const index> order) const {
        const auto first = std::find_if(place.cells.begin(), place.cells.end(),
                                        [this](const cell& c) { return c.image == image_; });
        const std::vector<cell> written(first, place.cells.end());
        place.cells.erase(first, place.cells.end());
        for (const index i : order) {
            OSTEND_EXPECTS_ALWAYS(i >= 0 && i < static_cast<index>(written.size()),
                                  "ggml_image_cells::end: image token " + std::to_string(i) + " of " +
                                      std::to_string(written.size()));
            place.cells.push_back(written[static_cast<std::size_t>(i)]);
        }
        place.is_built = false;
    }
    static void drop(known& place, std::span<const index> rows) {
        for (const index row : rows) {
            const auto end = std::remove_if(place.cells.begin(), place.cells.end(),
                                            [row](const cell& c) { return c.row == row; });
            place.lost += place.cells.end() - end;
            place.cells.erase(end, place.cells.end());
        }
    }

    std::map<std::pair<const void*, int>, known> places_ = {};
    std::map<int, std::vector<cell>> given_ = {};
    int sequence_ = 0;
    int image_ = 0;
    bool learning_ = false;
};

} // namespace ostend::inline v0
