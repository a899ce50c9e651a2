// refuses: the rank of this tensor is known only at run time.
#include "ostend/adapt/xtensor.hpp"

#include <vector>

/// The structure of xarray, so that this file needs no xtensor.
struct array {
    float* data();
    std::size_t data_offset() const;
    std::vector<std::size_t> shape() const;
    std::vector<std::ptrdiff_t> strides() const;
};

auto refused(array& x) { return ostend::as_view(x); }
