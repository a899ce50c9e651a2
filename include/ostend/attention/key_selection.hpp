// key_selection: which keys are image tokens, in image-token order.
//
// Ranges where the tokens lie together, indices where they do not; both may be mixed and both may name an
// image and a view (tile) of it, for hosts with several images or any-resolution models.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/expects.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// count keys from first on, each step apart; they are consecutive image tokens.
struct key_range {
    index first = 0;
    index count = 0;
    index step = 1;
    int image = 0; ///< which image of the conversation
    int view = 0;  ///< which view (tile, thumbnail, frame) of that image

    friend bool operator==(const key_range&, const key_range&) = default;
};

/// Consecutive image tokens: columns [first, first + count) of a map.
struct token_range {
    index first = 0;
    index count = 0;

    friend bool operator==(const token_range&, const token_range&) = default;
};

/// The image keys of one attention row. Memory O(ranges); reading key(i) O(ranges).
class key_selection {
public:
    key_selection() = default;
    /// Consecutive keys of one image: [first, first + count).
    key_selection(index first, index count) : key_selection(std::vector<key_range>{{first, count}}) {}
    /// Precondition: counts >= 0, steps >= 1, first >= 0.
    explicit key_selection(std::vector<key_range> ranges) : ranges_(std::move(ranges)) {
        for (const key_range& r : ranges_) {
            OSTEND_EXPECTS_ALWAYS(
                r.first >= 0 && r.count >= 0 && r.step >= 1,
                "key_selection: a range starts below 0, has a negative count or a step below 1");
            size_ += r.count;
            if (r.count > 0) {
                end_ = std::max(end_, r.first + (r.count - 1) * r.step + 1);
            }
        }
    }
    /// Scattered keys of one image, in image-token order. Neighbouring indices are joined into ranges.
    static key_selection from_indices(const std::vector<index>& keys) {
        std::vector<key_range> ranges;
        for (const index key : keys) {
            if (!ranges.empty() && ranges.back().first + ranges.back().count == key) {
                ++ranges.back().count;
            } else {
                ranges.push_back({.first = key, .count = 1});
            }
        }
        return key_selection(std::move(ranges));
    }

    [[nodiscard]] index size() const noexcept { return size_; } ///< number of image tokens
    [[nodiscard]] index end() const noexcept { return end_; }   ///< one past the largest key
    [[nodiscard]] const std::vector<key_range>& ranges() const noexcept { return ranges_; }

    /// The key of an image token. Precondition: 0 <= token < size().
    [[nodiscard]] index key(index token) const {
        for (const key_range& r : ranges_) {
            if (token < r.count) {
                return r.first + token * r.step;
            }
            token -= r.count;
        }
        OSTEND_EXPECTS_ALWAYS(false, "key_selection::key: there is no such image token");
        return -1;
    }

    /// The image tokens of one image of the conversation; count 0 where it has none.
    /// Precondition: they are consecutive. Complexity O(ranges).
    [[nodiscard]] token_range tokens_of_image(int image) const {
        return consecutive([image](const key_range& r) { return r.image == image; });
    }
    /// The image tokens of one view of one image, as above.
    [[nodiscard]] token_range tokens_of_view(int image, int view) const {
        return consecutive([image, view](const key_range& r) { return r.image == image && r.view == view; });
    }

    friend bool operator==(const key_selection&, const key_selection&) = default;

private:
    template <class Belongs>
    [[nodiscard]] token_range consecutive(Belongs belongs) const {
        token_range out;
        index token = 0;
        for (const key_range& r : ranges_) {
            if (r.count > 0 && belongs(r)) {
                OSTEND_EXPECTS_ALWAYS(out.count == 0 || out.first + out.count == token,
                                      "key_selection: the image tokens asked for are not consecutive; others "
                                      "stand before token " +
                                          std::to_string(token));
                out = {out.count == 0 ? token : out.first, out.count + r.count};
            }
            token += r.count;
        }
        return out;
    }

    std::vector<key_range> ranges_;
    index size_ = 0;
    index end_ = 0;
};

} // namespace ostend::inline v0
