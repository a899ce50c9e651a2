// line_floats: memory that starts at a cache line. A vector that crosses lines costs twice, and a sum that
// the kernels add to again and again is loaded and stored by such vectors.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace ostend::inline v0 {
namespace detail {

template <class T>
struct line_allocator {
    using value_type = T;
    static constexpr std::align_val_t line{64};
    line_allocator() = default;
    template <class U>
    line_allocator(const line_allocator<U>&) noexcept {}
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), line)); }
    void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, line); }
    friend bool operator==(line_allocator, line_allocator) { return true; }
};
using line_floats = std::vector<float, line_allocator<float>>;

} // namespace detail

} // namespace ostend::inline v0
