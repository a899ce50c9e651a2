// line_vector: memory that starts at a cache line, as engines align their tensors. What malloc gives does not
// for large blocks, and then every vector that is read crosses a line.
#pragma once

#include "ostend/attention/line_floats.hpp"

#include <vector>

template <class T>
using line_vector = std::vector<T, ostend::v0::detail::line_allocator<T>>;
