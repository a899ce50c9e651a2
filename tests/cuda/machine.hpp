// Where the cases of this folder run: host_machine here, a GPU in device_machine.cuh. What a case needs of
// one: upload, a stream, and reading back.
//
// host_machine runs a kernel's body thread after thread. Blocks, and threads within a phase, come in an order
// that the seed decides, and a block's memory starts as garbage that it decides too: a body that needs
// another thread's work in the same phase, or memory nobody wrote, gives other bits under another seed, and
// the cases compare two.
#pragma once

#include "ostend/cuda/launch.hpp"
#include "ostend/cuda/workspace.hpp"
#include "ostend/tensor/matrix.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace ostend_test {

/// A byte of garbage. As f32 four of them are a small negative number, 0.75, NaN and a very large number.
inline int garbage(unsigned seed) {
    constexpr std::array<int, 4> bytes = {0xA5, 0x3F, 0xFF, 0x7E};
    return bytes[seed % bytes.size()];
}

struct host_stream {
    unsigned seed = 0;

    template <class Body>
    [[nodiscard]] ostend::status launch(const Body& body, const ostend::launch_grid& grid) const {
        static_assert(ostend::kernel_body<Body>);
        std::mt19937 random(seed);
        std::vector<ostend::thread_place> blocks;
        for (ostend::index z = 0; z < grid.z; ++z) {
            for (ostend::index y = 0; y < grid.y; ++y) {
                for (ostend::index x = 0; x < grid.x; ++x) {
                    blocks.push_back({x, y, z, 0});
                }
            }
        }
        std::shuffle(blocks.begin(), blocks.end(), random);
        std::vector<int> threads(static_cast<std::size_t>(Body::threads));
        std::iota(threads.begin(), threads.end(), 0);
        const auto shared = std::make_unique<typename Body::shared>();
        for (ostend::thread_place at : blocks) {
            std::memset(static_cast<void*>(shared.get()), garbage(seed), sizeof(typename Body::shared));
            std::vector<typename Body::own> own(threads.size());
            for (int phase = 0; phase < body.phases(); ++phase) {
                std::shuffle(threads.begin(), threads.end(), random);
                for (const int thread : threads) {
                    at.thread = thread;
                    body.run(phase, at, *shared, own[static_cast<std::size_t>(thread)]);
                }
            }
        }
        return ostend::success{};
    }
};

/// Refuses every launch and counts them.
struct refusing_stream {
    int* launched;

    template <class Body>
    [[nodiscard]] ostend::status launch(const Body& /*body*/, const ostend::launch_grid& /*grid*/) const {
        ++*launched;
        return ostend::error{"launch: no room", "cuda"};
    }
};

template <class T>
class host_buffer {
public:
    explicit host_buffer(std::vector<T> values) : values_(std::move(values)) {}
    [[nodiscard]] T* data() { return values_.data(); }
    [[nodiscard]] ostend::index size() const { return static_cast<ostend::index>(values_.size()); }
    [[nodiscard]] std::vector<T> read() const { return values_; }

private:
    std::vector<T> values_;
};

class host_workspace {
public:
    explicit host_workspace(ostend::index bytes)
        : pages_(static_cast<std::size_t>(bytes / 256 + 1)), bytes_(bytes) {}
    /// Full of garbage, each time other garbage: no call finds there what one before it left.
    [[nodiscard]] ostend::device_workspace view() {
        std::memset(static_cast<void*>(pages_.data()), garbage(views_++), pages_.size() * sizeof(page));
        return {pages_.data()->bytes.data(), {bytes_}};
    }

private:
    struct alignas(256) page {
        std::array<std::byte, 256> bytes;
    };
    std::vector<page> pages_;
    ostend::index bytes_;
    unsigned views_ = 0;
};

struct host_machine {
    static constexpr float slack = 1; ///< of tolerances of sums in another order
    [[nodiscard]] host_stream stream(unsigned seed) const { return {seed}; }
    template <class T>
    [[nodiscard]] host_buffer<T> upload(std::vector<T> values) const {
        return host_buffer<T>(std::move(values));
    }
    [[nodiscard]] host_workspace workspace(ostend::index bytes) const { return host_workspace(bytes); }
};

/// The view of a buffer of the device.
template <class Buffer, std::size_t Rank>
[[nodiscard]] auto view_of(Buffer& buffer, const std::array<ostend::index, Rank>& extents) {
    return ostend::device_view<std::remove_pointer_t<decltype(buffer.data())>, Rank>(buffer.data(), extents);
}

// ---- random inputs --------------------------------------------------------------------------------------

/// A tensor in the host's memory whose axes lie in a random order and with gaps: the values and their view.
template <class T, std::size_t Rank>
struct strided_values {
    std::vector<T> storage;
    std::array<ostend::index, Rank> extents = {};
    std::array<ostend::index, Rank> strides = {};

    [[nodiscard]] ostend::tensor_view<const T, Rank> host() const {
        return {storage.data(), extents, strides};
    }
    [[nodiscard]] ostend::device_view<T, Rank> on(T* data) const { return {data, extents, strides}; }
    [[nodiscard]] T& at(const std::array<ostend::index, Rank>& place) {
        return storage[static_cast<std::size_t>(
            std::inner_product(place.begin(), place.end(), strides.begin(), ostend::index{0}))];
    }
};

/// The values of a matrix's view without gaps, row after row.
inline ostend::matrix<float> without_gaps(const ostend::tensor_view<const float, 2>& view) {
    ostend::matrix<float> made(view.extent(0), view.extent(1));
    for (ostend::index r = 0; r < made.rows(); ++r) {
        for (ostend::index c = 0; c < made.columns(); ++c) {
            made(r, c) = view.load(r, c);
        }
    }
    return made;
}

/// values(): the next value. last_innermost: the last axis is contiguous.
template <class T, std::size_t Rank, class F>
[[nodiscard]] strided_values<T, Rank>
random_tensor(std::mt19937& random, const std::array<ostend::index, Rank>& extents, bool last_innermost,
              ostend::index row_multiple, F values) {
    strided_values<T, Rank> made;
    made.extents = extents;
    std::array<std::size_t, Rank> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end() - (last_innermost ? 1 : 0), random);
    ostend::index stride = last_innermost ? 1 : 1 + static_cast<ostend::index>(random() % 2);
    for (std::size_t i = Rank; i-- > 0;) {
        made.strides[order[i]] = stride;
        stride *= std::max<ostend::index>(1, extents[order[i]]) + static_cast<ostend::index>(random() % 3);
        stride = (stride + row_multiple - 1) / row_multiple * row_multiple;
    }
    made.storage.resize(static_cast<std::size_t>(stride));
    for (T& value : made.storage) {
        value = ostend::from_float<T>(values());
    }
    return made;
}

/// f32 rows with gaps between them, in a machine's memory: what kernels write to.
template <class Machine>
class padded_rows {
public:
    padded_rows(Machine& machine, ostend::index rows, ostend::index columns)
        : rows_(rows), columns_(columns),
          buffer_(
              machine.upload(std::vector<float>(static_cast<std::size_t>(rows * (columns + gap)), kept))) {}
    [[nodiscard]] ostend::device_view<float, 2> view() {
        return {buffer_.data(), {rows_, columns_}, {columns_ + gap, 1}};
    }
    /// The rows' values, once it is checked that nothing was written between them.
    [[nodiscard]] std::vector<float> read() const {
        std::vector<float> values;
        bool untouched = true;
        const std::vector<float> all = buffer_.read();
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (static_cast<ostend::index>(i) % (columns_ + gap) < columns_) {
                values.push_back(all[i]);
            } else {
                untouched = untouched && all[i] == kept;
            }
        }
        CHECK(untouched);
        return values;
    }

private:
    static constexpr ostend::index gap = 3;
    static constexpr float kept = -7;
    ostend::index rows_;
    ostend::index columns_;
    decltype(std::declval<Machine&>().upload(std::vector<float>{})) buffer_;
};

} // namespace ostend_test
