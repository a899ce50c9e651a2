// The kernels of cuda/from_logits.hpp, run on the host, against from_logits on the host.
#include "cuda/from_logits_cases.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

TEST_CASE("from_logits on a stream: shapes, types, strides, thresholds, little room") {
    host_machine machine;
    from_logits_cases(machine);
}

TEST_CASE("a mask with more counts than there was room for is an error") {
    const std::vector<std::uint32_t> counts = {0, 1};
    device_mask found;
    found.counts = 3;
    const auto mask = to_result(found, 1, 3, counts);
    REQUIRE(!mask);
    CHECK(mask.error().message() == "counts: a mask of 3 counts, room for 2 (at 2)");
}

TEST_CASE("preconditions of from_logits on a stream") {
    const std::vector<float> values(6);
    std::vector<std::uint32_t> counts(7);
    std::vector<device_mask> found(1);
    host_workspace memory(workspace_bytes(masks_shape{1, 2, 3}));
    const device_view<const float, 3> logits(values.data(), {1, 2, 3});
    const device_view<std::uint32_t, 2> to(counts.data(), {1, 7});
    const device_view<device_mask, 1> measured(found.data(), {1});
    const host_stream on;
    CHECK(from_logits(on, logits, to, measured, memory.view()));
    CHECK(counts[0] == 6);
    CHECK_EXPECTS(from_logits(on, logits, to.range(0, 0, 0), measured, memory.view()), "counts for 0");
    CHECK_EXPECTS(from_logits(on, logits, to, measured.range(0, 0, 0), memory.view()), "results for 0");
    CHECK_EXPECTS(from_logits(on, logits, to, measured, device_workspace{}), "has 0 bytes");
    const device_view<const float, 3> tall(values.data(), {1, 65535 * 64 + 1, 1}, {0, 0, 0});
    CHECK_EXPECTS(from_logits(on, tall, to, measured, memory.view()), "too long a side");
    const device_view<const float, 3> large(values.data(), {1, 70000, 70000}, {0, 0, 0});
    CHECK_EXPECTS(from_logits(on, large, to, measured, memory.view()), "more pixels than a run can count");
}

} // namespace
