// The kernels of cuda/normalise.hpp, run on the host, against subtract_mean on the host.
#include "cuda/maps_cases.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

TEST_CASE("subtract_mean on a stream: random shapes, none of either, in place") {
    host_machine machine;
    subtract_mean_cases(machine);
}

TEST_CASE("preconditions of subtract_mean on a stream") {
    std::vector<float> values(8);
    const device_view<const float, 2> maps(values.data(), {2, 4});
    const device_view<const float, 2> narrow(values.data(), {2, 3});
    const device_view<float, 2> out(values.data(), {2, 4});
    const device_view<float, 2> low(values.data(), {1, 4});
    host_workspace memory(workspace_bytes(subtract_mean_shape{2, 4}));
    CHECK_EXPECTS(subtract_mean(host_stream{}, maps, narrow, out, memory.view()), "token maps of 3");
    CHECK_EXPECTS(subtract_mean(host_stream{}, maps, maps, low, memory.view()), "expected [2, 4]");
    CHECK_EXPECTS(subtract_mean(host_stream{}, maps, maps, out, device_workspace{}), "has 0 bytes");
    int launched = 0;
    CHECK(!subtract_mean(refusing_stream{&launched}, maps, maps, out, memory.view()));
    CHECK(launched == 1);
}

} // namespace
