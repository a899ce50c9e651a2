// max_flow: the minimum cut of a grid of pixels with eight neighbours, for binary labelling.
//
// Augmenting paths from two growing search trees that are repaired and not rebuilt (Boykov and Kolmogorov
// 2004), on arrays with a margin of one node, so that a neighbour is an offset and no border is tested.
// Capacities are integers: the flow is exact and the cut the same on every machine. Worst case O(V^2 E flow);
// in practice close to linear for images. Not for general graphs. Longer than most headers: one algorithm,
// whose steps all work on the same arrays.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/expects.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// Usage: add_terminal and add_edge for all pixels, solve() once, then is_source_side. reset() starts anew
/// and keeps the memory (about 50 bytes a node). Const access after solve() is safe from several threads.
class grid_cut {
public:
    using capacity = std::int32_t;

    grid_cut() = default;
    grid_cut(index height, index width) { reset(height, width); }

    /// A grid without edges. Preconditions: height, width >= 0, together below 2^31 nodes with the margin.
    void reset(index height, index width) {
        constexpr index most = std::numeric_limits<std::int32_t>::max();
        OSTEND_EXPECTS(height >= 0 && width >= 0 && height < most && width < most &&
                           (height + 2) * (width + 2) < most,
                       "grid_cut: a grid of " + std::to_string(height) + " x " + std::to_string(width));
        height_ = height;
        width_ = width;
        const auto pitch = static_cast<std::int32_t>(width + 2);
        step_ = {1, -1, pitch, -pitch, pitch + 1, -pitch - 1, pitch - 1, -pitch + 1};
        const auto n = static_cast<std::size_t>((height + 2) * (width + 2));
        terminal_.assign(n, 0);
        edges_.assign(n, {});
        nodes_.assign(n, {});
        flow_ = 0;
    }

    /// Costs of the two labels: cutting the pixel off the source costs `source`, off the sink `sink`, added
    /// to what is there. Only the difference is kept, the common part goes into the flow. Preconditions: both
    /// >= 0; all costs of a pixel together below 2^30.
    void add_terminal(index y, index x, capacity source, capacity sink) {
        OSTEND_EXPECTS(y >= 0 && y < height_ && x >= 0 && x < width_ && source >= 0 && sink >= 0,
                       "grid_cut::add_terminal: costs " + std::to_string(source) + " and " +
                           std::to_string(sink) + " at row " + std::to_string(y) + ", column " +
                           std::to_string(x));
        const std::size_t i = node(y, x);
        const std::int64_t before = terminal_[i];
        const std::int64_t s = source + std::max<std::int64_t>(before, 0);
        const std::int64_t t = sink + std::max<std::int64_t>(-before, 0);
        flow_ += std::min(s, t);
        OSTEND_EXPECTS(std::max(s, t) - std::min(s, t) <= largest,
                       "grid_cut::add_terminal: the costs of a pixel reach 2^30");
        terminal_[i] = static_cast<capacity>(s - t);
    }

    /// An undirected edge to the neighbour in one of four directions: 0 right, 1 down, 2 down right, 3 down
    /// left. Preconditions: the neighbour exists; the capacity is >= 0, that of all edges between the two
    /// below 2^30.
    void add_edge(index y, index x, int direction, capacity both) {
        OSTEND_EXPECTS(direction >= 0 && direction < 4 && y >= 0 && x >= (direction == 3 ? 1 : 0) &&
                           y + (direction == 0 ? 0 : 1) < height_ &&
                           x + (direction == 0 || direction == 2 ? 1 : 0) < width_ && both >= 0,
                       "grid_cut::add_edge: capacity " + std::to_string(both) + ", direction " +
                           std::to_string(direction) + " at row " + std::to_string(y) + ", column " +
                           std::to_string(x));
        const std::size_t i = node(y, x);
        const auto d = 2 * static_cast<std::size_t>(direction);
        OSTEND_EXPECTS(both <= largest - edges_[i][d], "grid_cut::add_edge: the capacity reaches 2^30");
        edges_[i][d] += both;
        edges_[i + static_cast<std::size_t>(step_[d])][d + 1] += both;
    }

    /// Finds the maximum flow, which is the cost of the minimum cut.
    std::int64_t solve() {
        queue_.clear();
        orphans_.clear();
        head_ = 0;
        time_ = 0;
        for (index y = 0; y < height_; ++y) {
            for (index x = 0; x < width_; ++x) {
                const std::size_t i = node(y, x);
                if (terminal_[i] != 0) {
                    nodes_[i] = {terminal_[i] > 0 ? tree::source : tree::sink, at_terminal, false, 1, 0};
                    activate(static_cast<std::int32_t>(i));
                }
            }
        }
        while (head_ < queue_.size()) {
            const std::int32_t i = queue_[head_++];
            nodes_[at(i)].queued = false;
            grow(i);
            if (head_ > 4096 && 2 * head_ > queue_.size()) {
                queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head_));
                head_ = 0;
            }
        }
        return flow_;
    }

    /// After solve(): is the pixel on the source's side of the cut? Pixels that neither tree reached are not.
    [[nodiscard]] bool is_source_side(index y, index x) const {
        return nodes_[node(y, x)].side == tree::source;
    }
    [[nodiscard]] index height() const noexcept { return height_; }
    [[nodiscard]] index width() const noexcept { return width_; }

private:
    static constexpr capacity largest = (1 << 30) - 1; ///< an edge's two directions add up in one residual
    enum class tree : std::uint8_t { none, source, sink };
    static constexpr std::uint8_t at_terminal = 8; ///< the parent is the terminal itself
    static constexpr std::uint8_t no_parent = 9;   ///< an orphan, or not in a tree
    struct state {
        tree side = tree::none;
        std::uint8_t parent = no_parent; ///< direction of the parent
        bool queued = false;
        std::int32_t distance = 0; ///< to the terminal, as known at `time`
        std::int32_t time = 0;
    };

    [[nodiscard]] static std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }
    [[nodiscard]] std::size_t node(index y, index x) const {
        return static_cast<std::size_t>((y + 1) * (width_ + 2) + x + 1);
    }
    void activate(std::int32_t i) {
        if (!nodes_[at(i)].queued) {
            nodes_[at(i)].queued = true;
            queue_.push_back(i);
        }
    }
    /// Residual capacity in the tree's direction of flow: away from a node of the source's tree, towards one
    /// of the sink's.
    [[nodiscard]] capacity residual(tree side, std::int32_t i, std::size_t d) const {
        return side == tree::source ? edges_[at(i)][d] : edges_[at(i + step_[d])][d ^ 1U];
    }

    void grow(std::int32_t i) {
        for (std::size_t d = 0; d < 8; ++d) {
            const tree side = nodes_[at(i)].side;
            if (side == tree::none) {
                return;
            } // lost its tree while augmenting
            if (residual(side, i, d) == 0) {
                continue;
            }
            const std::int32_t j = i + step_[d];
            state& other = nodes_[at(j)];
            if (other.side == tree::none) {
                other.side = side;
                other.parent = static_cast<std::uint8_t>(d ^ 1U);
                other.distance = nodes_[at(i)].distance + 1;
                other.time = nodes_[at(i)].time;
                activate(j);
            } else if (other.side != side) {
                const std::int32_t from = side == tree::source ? i : j;
                augment(from, side == tree::source ? d : d ^ 1U);
                ++time_;
                adopt();
                --d; // the edge may carry more; wraps to 0 on the next turn
            } else if (other.parent < at_terminal && other.time <= nodes_[at(i)].time &&
                       other.distance > nodes_[at(i)].distance + 1) { // a shorter way to the root
                other.parent = static_cast<std::uint8_t>(d ^ 1U);
                other.distance = nodes_[at(i)].distance + 1;
                other.time = nodes_[at(i)].time;
            }
        }
    }

    /// Sends what the path through the edge (from, d) can carry; nodes cut off become orphans.
    void augment(std::int32_t from, std::size_t d) {
        const std::int32_t to = from + step_[d];
        capacity amount = edges_[at(from)][d];
        std::int32_t i = from;
        for (; nodes_[at(i)].parent != at_terminal; i += step_[nodes_[at(i)].parent]) {
            const std::size_t up = nodes_[at(i)].parent;
            amount = std::min(amount, edges_[at(i + step_[up])][up ^ 1U]);
        }
        amount = std::min(amount, terminal_[at(i)]);
        for (i = to; nodes_[at(i)].parent != at_terminal; i += step_[nodes_[at(i)].parent]) {
            amount = std::min(amount, edges_[at(i)][nodes_[at(i)].parent]);
        }
        amount = std::min(amount, -terminal_[at(i)]);

        push(from, d, amount);
        for (i = from; nodes_[at(i)].parent != at_terminal;) {
            const std::size_t up = nodes_[at(i)].parent;
            const std::int32_t parent = i + step_[up];
            push(parent, up ^ 1U, amount);
            if (edges_[at(parent)][up ^ 1U] == 0) {
                orphan(i);
            }
            i = parent;
        }
        terminal_[at(i)] -= amount;
        if (terminal_[at(i)] == 0) {
            orphan(i);
        }
        for (i = to; nodes_[at(i)].parent != at_terminal;) {
            const std::size_t up = nodes_[at(i)].parent;
            const std::int32_t parent = i + step_[up];
            push(i, up, amount);
            if (edges_[at(i)][up] == 0) {
                orphan(i);
            }
            i = parent;
        }
        terminal_[at(i)] += amount;
        if (terminal_[at(i)] == 0) {
            orphan(i);
        }
        flow_ += amount;
    }
    void push(std::int32_t i, std::size_t d, capacity amount) {
        edges_[at(i)][d] -= amount;
        edges_[at(i + step_[d])][d ^ 1U] += amount;
    }
    void orphan(std::int32_t i) {
        nodes_[at(i)].parent = no_parent;
        orphans_.push_back(i);
    }

    /// Distance to the terminal along the parents, or -1 when the way ends at an orphan. Marks the way.
    std::int32_t distance_to_root(std::int32_t i) {
        std::int32_t length = 0;
        for (std::int32_t j = i;; j += step_[nodes_[at(j)].parent]) {
            const state& s = nodes_[at(j)];
            if (s.time == time_ && s.parent != no_parent) {
                length += s.distance;
                break;
            }
            if (s.parent == no_parent) {
                return -1;
            }
            ++length;
            if (s.parent == at_terminal) {
                break;
            }
        }
        std::int32_t left = length;
        for (std::int32_t j = i; nodes_[at(j)].time != time_; j += step_[nodes_[at(j)].parent]) {
            nodes_[at(j)].time = time_;
            nodes_[at(j)].distance = left--;
            if (nodes_[at(j)].parent == at_terminal) {
                break;
            }
        }
        return length;
    }

    /// Every orphan finds the nearest valid parent of its tree or leaves it.
    void adopt() {
        for (std::size_t k = 0; k < orphans_.size(); ++k) {
            const std::int32_t i = orphans_[k];
            const tree side = nodes_[at(i)].side;
            std::int32_t best = std::numeric_limits<std::int32_t>::max();
            std::uint8_t parent = no_parent;
            for (std::size_t d = 0; d < 8; ++d) {
                const std::int32_t j = i + step_[d];
                if (nodes_[at(j)].side != side || residual(side, j, d ^ 1U) == 0) {
                    continue;
                }
                const std::int32_t distance = distance_to_root(j);
                if (distance >= 0 && distance < best) {
                    best = distance;
                    parent = static_cast<std::uint8_t>(d);
                }
            }
            if (parent != no_parent) {
                nodes_[at(i)].parent = parent;
                nodes_[at(i)].time = time_;
                nodes_[at(i)].distance = best + 1;
                continue;
            }
            for (std::size_t d = 0; d < 8; ++d) {
                const std::int32_t j = i + step_[d];
                if (nodes_[at(j)].side != side) {
                    continue;
                }
                if (residual(side, j, d ^ 1U) > 0) {
                    activate(j);
                }
                if (nodes_[at(j)].parent == (d ^ 1U)) {
                    orphan(j);
                }
            }
            nodes_[at(i)].side = tree::none;
        }
        orphans_.clear();
    }

    index height_ = 0;
    index width_ = 0;
    std::array<std::int32_t, 8> step_{}; ///< opposite directions differ in the lowest bit
    std::vector<capacity> terminal_;     ///< > 0: left towards the source; < 0: towards the sink
    std::vector<std::array<capacity, 8>> edges_;
    std::vector<state> nodes_;
    std::vector<std::int32_t> queue_;
    std::vector<std::int32_t> orphans_;
    std::size_t head_ = 0;
    std::int32_t time_ = 0;
    std::int64_t flow_ = 0;
};

} // namespace ostend::inline OSTEND_KERNELS
