// Device views: what converts, what a kernel gets of one, elements as f32.
#include "ostend/cuda/device_view.hpp"

#include "ostend/cuda/workspace.hpp"

#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

using namespace ostend;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

static_assert(!std::is_convertible_v<tensor_view<float, 2>, device_view<const float, 2>>);
static_assert(!std::is_convertible_v<device_view<float, 2>, tensor_view<const float, 2>>);
static_assert(std::is_convertible_v<device_view<float, 2>, device_view<const float, 2>>);

TEST_CASE("a kernel's form of a view has its pointer and strides") {
    std::vector<float> values(24);
    const device_view<float, 4> view(values.data() + 23, {2, 3, 2, 2}, {-12, -4, -2, -1});
    const auto tensor = inner::for_reading(view);
    CHECK(tensor.at(1, 2, 1, 0) == values.data() + 23 - 12 - 8 - 2);
    CHECK(inner::for_kernel(view[1]).at(2, 1, 1) == values.data() + 23 - 12 - 8 - 2 - 1);
    CHECK(inner::for_kernel(view[0][0]).at(1, 1) == values.data() + 23 - 3);
    CHECK(inner::for_kernel(view[0][0][0]).at(1) == values.data() + 22);
    CHECK(as_device_view<4>(view).data() == view.data());
}

TEST_CASE("every f16 and bf16 becomes the same f32 as on the host; what is finite") {
    int checked = 0;
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const f16 h{static_cast<std::uint16_t>(bits)};
        const bf16 b{static_cast<std::uint16_t>(bits)};
        checked += std::bit_cast<std::uint32_t>(inner::widen(h)) == std::bit_cast<std::uint32_t>(to_float(h));
        checked += std::bit_cast<std::uint32_t>(inner::widen(b)) == std::bit_cast<std::uint32_t>(to_float(b));
        checked += inner::is_finite(to_float(b)) == std::isfinite(to_float(b));
    }
    CHECK(checked == 3 * 65536);
    CHECK(inner::widen(1.5F) == 1.5F);
    CHECK(std::isinf(inner::infinity()));
    CHECK(std::isnan(inner::not_a_number()));
}

TEST_CASE("a workspace is cut into aligned pieces") {
    CHECK(inner::workspace_room<double>(0) == 0);
    CHECK(inner::workspace_room<double>(1) == 256);
    CHECK(inner::workspace_room<double>(33) == 512);
    struct alignas(256) page {
        std::byte bytes[256];
    };
    std::vector<page> pages(3);
    inner::workspace_cutter cutter("test", {pages.data()->bytes, {768}}, 768);
    CHECK(static_cast<void*>(cutter.take<float>(65)) == &pages[0]);
    CHECK(static_cast<void*>(cutter.take<char>(1)) == &pages[2]);
    CHECK_EXPECTS(inner::workspace_cutter("test", {pages.data()->bytes, {384}, {2}}, 384),
                  "test: the workspace has gaps between its bytes");
}

} // namespace
