// refuses: ostend: this tensor lies in host memory, which a CUDA kernel cannot read.
#include "ostend/cuda/aggregate.hpp"

struct stream {
    template <class Body>
    ostend::status launch(const Body&, const ostend::launch_grid&) const {
        return ostend::success{};
    }
};

ostend::status refused(const ostend::tensor_view<const float, 4>& attention,
                       const ostend::device_view<const float, 2>& weights,
                       const ostend::device_view<float, 2>& out, const ostend::device_workspace& workspace) {
    return ostend::aggregate(stream{}, attention, {.count = 6}, weights, out, workspace);
}
