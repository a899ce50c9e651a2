// ggml_copy: parts of tensors that lie in a device's memory, copied to where the host reads them; what lies
// on the host is viewed.
//
// ggml_backend_tensor_get waits for its own transfer, not for the device's work. In a callback that is
// enough: the scheduler has waited for the node and all before it, and a graph's inputs are there before it
// is asked.
#pragma once

#include "ostend/adapt/ggml_tensor.hpp"
#include "ostend/attention/key_source.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// The values at (i1, i3) of a tensor of ne = {n, n1, m, n3}, as [m, n]: one query of all heads, a row of a
/// mask. They are the tensor's own, or a copy in `room`, and valid while either lives.
/// Errors: as from_ggml; data in slices on several devices; on a device, elements with gaps.
/// Preconditions: 0 <= i1 < n1, 0 <= i3 < n3. Complexity O(1), or O(m * n) and a transfer for each of m where
/// they do not touch.
template <element T>
[[nodiscard]] result<tensor_view<const T, 2>> ggml_plane(const ggml_tensor& tensor, index i1, index i3,
                                                         std::vector<T>& room) {
    OSTEND_EXPECTS(i1 >= 0 && i1 < tensor.ne[1] && i3 >= 0 && i3 < tensor.ne[3],
                   "ggml_plane: (" + std::to_string(i1) + ", " + std::to_string(i3) + ") of " +
                       detail::ggml_place(tensor));
    const auto here = detail::ggml_is_on_host(tensor);
    if (!here) {
        return here.error();
    }
    if (*here) {
        const auto all = from_ggml<T, 4>(tensor); // [n3, m, n1, n]
        if (!all) {
            return all.error();
        }
        return (*all)[i3].slice(1, i1);
    }
    const auto wrong = [&](std::string what) { return error{std::move(what), detail::ggml_place(tensor)}; };
    if (tensor.type != detail::ggml_type_of<T>()) {
        return wrong("it is of type " + std::string(ggml_type_name(tensor.type)) + " where " +
                     ggml_type_name(detail::ggml_type_of<T>()) + " is expected");
    }
    if (tensor.nb[0] != sizeof(T)) {
        return wrong("its elements have gaps, and lie on a device");
    }
    const auto columns = static_cast<std::size_t>(tensor.ne[0]);
    const auto rows = static_cast<std::size_t>(tensor.ne[2]);
    room.resize(rows * columns);
    const std::size_t at =
        static_cast<std::size_t>(i1) * tensor.nb[1] + static_cast<std::size_t>(i3) * tensor.nb[3];
    if (rows == 1 || tensor.nb[2] == columns * sizeof(T)) {
        ggml_backend_tensor_get(&tensor, room.data(), at, rows * columns * sizeof(T));
    } else {
        for (std::size_t row = 0; row < rows; ++row) {
            ggml_backend_tensor_get(&tensor, room.data() + row * columns, at + row * tensor.nb[2],
                                    columns * sizeof(T));
        }
    }
    return tensor_view<const T, 2>(room.data(), {tensor.ne[2], tensor.ne[0]});
}

/// Keys whose one page lies in a cache on a device, copied to `room`, as they are now: one transfer of
/// keys * bytes of a cell. Preconditions: the page starts at a cell of the cache, which has as many behind
/// it.
[[nodiscard]] inline key_source ggml_copied_keys(const key_source& keys, const ggml_tensor& cache,
                                                 std::vector<std::byte>& room) {
    key_page page = keys.pages()[0];
    const auto at = static_cast<std::size_t>(static_cast<const std::byte*>(page.data) -
                                             static_cast<const std::byte*>(cache.data));
    room.resize(static_cast<std::size_t>(page.count * page.key_stride));
    ggml_backend_tensor_get(&cache, room.data(), at, room.size());
    page.data = room.data();
    return key_source(page, keys.kv_heads(), keys.d(), keys.cells());
}

namespace detail {

/// The rows that a GGML_OP_SET_ROWS writes. Errors: as ggml_plane; more than one list of them.
[[nodiscard]] inline result<std::vector<index>> ggml_rows_written(const ggml_tensor& rows) {
    if (ggml_nelements(&rows) != rows.ne[0]) {
        return error{"the rows that a graph writes are no single list", ggml_place(rows)};
    }
    std::vector<index> out;
    const auto take = [&](auto room) -> status {
        const auto list = ggml_plane(rows, 0, 0, room); // [1, rows]
        if (!list) {
            return list.error();
        }
        for (index i = 0; i < list->extent(1); ++i) {
            out.push_back(static_cast<index>(list->load(0, i)));
        }
        return success{};
    };
    const status read =
        rows.type == GGML_TYPE_I32 ? take(std::vector<std::int32_t>()) : take(std::vector<std::int64_t>());
    if (!read) {
        return read.error();
    }
    return out;
}

} // namespace detail

} // namespace ostend::inline v0
