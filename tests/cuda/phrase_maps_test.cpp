// The kernel of cuda/phrase_maps.hpp, run on the host, against group_maps on the host.
#include "cuda/maps_cases.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

TEST_CASE("group_maps on a stream: random groups, empty ones, NaN") {
    host_machine machine;
    group_maps_cases(machine);
}

TEST_CASE("a row or a start that does not exist gives NaN and reads nothing") {
    const std::vector<float> values = {1, 2, 3, 4};
    const device_view<const float, 2> maps(values.data(), {2, 2});
    const std::vector<std::int32_t> starts = {0, 1, 2, 3, 9, 2};
    const std::vector<std::int32_t> members = {1, 2, -1};
    std::vector<float> out(10);
    const device_groups groups{{starts.data(), {6}}, {members.data(), {3}}};
    REQUIRE(group_maps(host_stream{}, maps, groups, device_view<float, 2>(out.data(), {5, 2})));
    CHECK(out[0] == 3);
    CHECK(out[1] == 4);
    for (std::size_t i = 2; i < out.size(); ++i) {
        CHECK(std::isnan(out[i]));
    }
}

TEST_CASE("pack_groups; preconditions") {
    const std::vector<std::vector<index>> groups = {{3, 1}, {}, {2}};
    const packed_groups packed = pack_groups(groups);
    CHECK(packed.starts == std::vector<std::int32_t>{0, 2, 2, 3});
    CHECK(packed.members == std::vector<std::int32_t>{3, 1, 2});
    const std::vector<std::vector<index>> below = {{-1}};
    CHECK_EXPECTS(pack_groups(below), "row -1");
    std::vector<float> values(4);
    const device_view<const float, 2> maps(values.data(), {2, 2});
    const device_view<float, 2> out(values.data(), {2, 2});
    const device_groups of{{packed.starts.data(), {4}}, {packed.members.data(), {3}}};
    CHECK_EXPECTS(group_maps(host_stream{}, maps, of, out), "expected [3, 2]");
    CHECK_EXPECTS(group_maps(host_stream{}, maps, device_groups{}, out), "expected [-1, 2]");
}

} // namespace
