// What cuda/launch.hpp queues: kernels in order, none after an error, none without blocks; too many are
// refused.
#include "ostend/cuda/launch.hpp"

#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace {

using namespace ostend;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

/// Notes the blocks of each launch and refuses the one after `room`.
struct noting_stream {
    std::vector<index>* blocks;
    std::size_t room = 100;

    template <class Body>
    [[nodiscard]] status launch(const Body& /*body*/, const launch_grid& grid) const {
        blocks->push_back(grid.x * grid.y * grid.z);
        return blocks->size() <= room ? status(success{}) : status(error{"launch: no room", "cuda"});
    }
};

const v0::detail::no_work body;

TEST_CASE("kernels are queued in order, none without blocks, none after an error") {
    std::vector<index> blocks;
    const noting_stream on{&blocks};
    CHECK(inner::launches(on).then(body, {2, 3}).then(body, {0}).then(body, {4, 5, 6}).outcome());
    CHECK(blocks == std::vector<index>{6, 120});
    blocks.clear();
    const noting_stream full{&blocks, 1};
    const status outcome = inner::launches(full).then(body, {1}).then(body, {2}).then(body, {3}).outcome();
    REQUIRE(!outcome);
    CHECK(outcome.error().message() == "cuda: launch: no room");
    CHECK(blocks == std::vector<index>{1, 2});
}

TEST_CASE("more blocks than a kernel can have are refused") {
    std::vector<index> blocks;
    const noting_stream on{&blocks};
    constexpr index most_x = (index{1} << 31U) - 1;
    CHECK(inner::launches(on).then(body, {most_x, 65535, 1}).then(body, {1, 1, 65535}).outcome());
    CHECK(blocks.size() == 2);
    CHECK_EXPECTS(inner::launches(on).then(body, {most_x + 1}),
                  "launch: 2147483648 x 1 x 1 blocks are more than a kernel can have");
    CHECK_EXPECTS(inner::launches(on).then(body, {1, 65536}), "1 x 65536 x 1 blocks");
    CHECK_EXPECTS(inner::launches(on).then(body, {1, 1, 65536}), "1 x 1 x 65536 blocks");
    CHECK(blocks.size() == 2);
}

} // namespace
