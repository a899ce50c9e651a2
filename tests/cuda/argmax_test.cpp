// The kernel of cuda/argmax.hpp, run on the host, against find_peak: the same pixel and bits.
#include "cuda/argmax_cases.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

TEST_CASE("find_peak_of_each on a stream: grids, padding, tiles, kernels, ties, values that are not finite") {
    host_machine machine;
    peak_cases(machine);
}

TEST_CASE("a view that shows no pixel is an error; preconditions") {
    const layout grid = geometry::stretch({20, 10});
    packed_resampling packed = pack_resampling(grid);
    std::vector<float> values(static_cast<std::size_t>(packed.shape.tokens));
    std::vector<device_peak> found(1);
    host_workspace memory(workspace_bytes(peaks_shape{1, packed.shape}));
    const device_view<const float, 2> maps(values.data(), {1, packed.shape.tokens});
    const device_view<device_peak, 1> to(found.data(), {1});
    const device_view<const std::int32_t, 1> words(packed.words.data(),
                                                   {static_cast<index>(packed.words.size())});
    const host_stream on;
    CHECK(find_peak_of_each(on, maps, {packed.shape, words}, to, memory.view()));
    CHECK_EXPECTS(find_peak_of_each(on, maps.range(1, 0, 5), {packed.shape, words}, to, memory.view()),
                  "maps of 5 image tokens");
    CHECK_EXPECTS(find_peak_of_each(on, maps, {packed.shape, words.range(0, 0, 5)}, to, memory.view()),
                  "the resampling's words are 5");
    CHECK_EXPECTS(find_peak_of_each(on, maps, {packed.shape, words}, to.range(0, 0, 0), memory.view()),
                  "room for 0 peaks");
    CHECK_EXPECTS(find_peak_of_each(on, maps, {packed.shape, words}, to, device_workspace{}), "has 0 bytes");

    layout away = two_tiles({60, 56});
    away.views[1].x.shift = -1000; // beyond the image
    const packed_resampling none = pack_resampling(away, {.view = 1});
    CHECK(none.shape.patches() == 0);
    std::vector<float> tile(away.tokens.size());
    const status outcome = find_peak_of_each(
        on, device_view<const float, 2>(tile.data(), {1, static_cast<index>(tile.size())}),
        {none.shape, {none.words.data(), {static_cast<index>(none.words.size())}}}, to, memory.view());
    REQUIRE(!outcome);
    CHECK(outcome.error().message() == "layout: the view shows no pixel of the image");

    layout missing = two_tiles({60, 56});
    missing.tokens.pop_back();
    missing.tokens.pop_back();
    CHECK_EXPECTS(pack_resampling(missing, {.view = 1}), "a cell of the view has no token");
}

TEST_CASE("errors of a peak name the map") {
    CHECK(to_result({1, 2, 3, peak_state::found}).value() == highest_pixel{{1, 2}, 3});
    CHECK(to_result({-1, -1, 0, peak_state::not_finite}).error().message() ==
          "map: the map holds a NaN or an infinity");
    CHECK(to_result({-1, -1, 0, peak_state::too_large}).error().field == "map");
}

} // namespace
