// The kernels of cuda/aggregate.hpp run thread after thread on the host, against aggregate on the host.
#include "cuda/aggregate_cases.hpp"
#include "support/expects.hpp"

#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

TEST_CASE("aggregate on a stream: random shapes, strides, types, keys and heads") {
    host_machine machine;
    aggregate_cases(machine);
}

struct small {
    std::vector<float> attention = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    std::vector<float> weights = {0.5F, 0.5F};
    std::vector<float> out = std::vector<float>(6, 0.0F);
    host_workspace memory{workspace_bytes(aggregate_shape{1, 1, 6})};

    device_view<const float, 4> from() { return {attention.data(), {1, 1, 2, 6}}; }
    device_view<const float, 2> by() { return {weights.data(), {1, 2}}; }
    device_view<float, 2> to(index columns) { return {out.data(), {1, columns}}; }
};

TEST_CASE("a weight of 0 means that the head is not read; a key that does not exist gives NaN") {
    small s;
    s.weights = {0, 1};
    s.attention[0] = std::numeric_limits<float>::quiet_NaN();
    std::vector<std::int32_t> list = {0, 5, 6, -1};
    device_keys image;
    image.list = {list.data(), {4}};
    REQUIRE(aggregate(host_stream{}, s.from(), image, s.by(), s.to(4), s.memory.view()));
    CHECK(s.out[0] == 7);
    CHECK(s.out[1] == 12);
    CHECK(std::isnan(s.out[2]));
    CHECK(std::isnan(s.out[3]));
}

TEST_CASE("layers are shared out where tokens and keys are few") {
    namespace inner = ostend::OSTEND_KERNELS::detail;
    CHECK(inner::layer_parts({1, 32, 576}) == 32);
    CHECK(inner::layer_parts({64, 32, 704}) == 6);
    CHECK(inner::layer_parts({512, 32, 704}) == 1);
    CHECK(workspace_bytes(aggregate_shape{64, 32, 704}) == 64 * 6 * 704 * 8);
}

TEST_CASE("no token, no image key: nothing to do") {
    small s;
    CHECK(aggregate(host_stream{}, s.from(), device_keys{}, s.by(), s.to(0), s.memory.view()));
    const device_view<const float, 4> none(nullptr, {0, 1, 2, 6});
    const device_view<float, 2> nowhere(nullptr, {0, 6});
    CHECK(aggregate(host_stream{}, none, {.count = 6}, s.by(), nowhere, device_workspace{}));
}

TEST_CASE("the error of a launch comes back, and no kernel is queued after it") {
    small s;
    int launched = 0;
    const status outcome =
        aggregate(refusing_stream{&launched}, s.from(), {.count = 6}, s.by(), s.to(6), s.memory.view());
    REQUIRE(!outcome);
    CHECK(outcome.error().message() == "cuda: launch: no room");
    CHECK(launched == 1);
}

TEST_CASE("preconditions of aggregate on a stream") {
    small s;
    const host_stream on;
    CHECK_EXPECTS(aggregate(on, s.from(), {.count = 7}, s.by(), s.to(7), s.memory.view()),
                  "image keys end at 7");
    CHECK_EXPECTS(aggregate(on, s.from(), {.first = -1, .count = 2}, s.by(), s.to(2), s.memory.view()),
                  "start below 0");
    CHECK_EXPECTS(aggregate(on, s.from(), {.count = 5}, s.by(), s.to(6), s.memory.view()), "expected [1, 5]");
    CHECK_EXPECTS(aggregate(on, s.from(), {.count = 6}, device_view<const float, 2>(s.weights.data(), {2, 1}),
                            s.to(6), s.memory.view()),
                  "weights of 2 and 1");
    CHECK_EXPECTS(aggregate(on, s.from(), {.count = 6}, s.by(), s.to(6), device_workspace{}),
                  "the workspace has 0 bytes");
    const auto whole = s.memory.view();
    const device_workspace shifted(whole.data() + 8, {whole.extent(0)});
    CHECK_EXPECTS(aggregate(on, s.from(), {.count = 6}, s.by(), s.to(6), shifted),
                  "not aligned to 256 bytes");
}

TEST_CASE("the key list of a selection") {
    const key_selection image(std::vector<key_range>{{5, 3}, {20, 2, 4}, {1, 0}});
    CHECK(key_list(image) == std::vector<std::int32_t>{5, 6, 7, 20, 24});
}

} // namespace
