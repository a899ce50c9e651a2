// Kernels with fixed inputs, whose instructions tools/check/instructions.py counts: kernels NAME runs one of
// them in the function measured(), kernels alone lists their names.
#include "ostend/attention/aggregate.hpp"
#include "ostend/attention/from_qk.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/peak/maxima.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

/// The same numbers with every library, in [0, 1).
class numbers {
public:
    float operator()() {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<float>(state_ >> 40U) * 0x1p-24F;
    }

private:
    std::uint64_t state_ = 1;
};

std::vector<float> random_values(std::size_t count) {
    numbers random;
    std::vector<float> values(count);
    for (float& v : values) {
        v = random() - 0.3F;
    }
    return values;
}

using work = std::function<void()>;

/// 2 tokens, 4 layers, 8 heads, 576 keys.
work aggregate_f16() {
    std::vector<ostend::f16> values;
    for (const float v : random_values(2 * 4 * 8 * 576)) {
        values.push_back(ostend::to_f16(v));
    }
    return [values = std::move(values)] {
        const ostend::tensor_view<const ostend::f16, 4> view(values.data(), {2, 4, 8, 576});
        (void)ostend::aggregate(view, ostend::key_selection(0, 576));
    };
}

/// 8 queries, 4 heads of 64, 512 keys.
work from_qk(ostend::index queries) {
    constexpr ostend::index heads = 4, keys = 512, d = 64;
    const auto q = random_values(static_cast<std::size_t>(queries * heads * d));
    const auto k = random_values(static_cast<std::size_t>(heads * keys * d));
    return [q, k, queries] {
        const ostend::key_page page{.data = reinterpret_cast<const std::byte*>(k.data()),
                                    .count = keys,
                                    .key_stride = d * 4,
                                    .head_stride = keys * d * 4,
                                    .codec = ostend::element_type::f32};
        const ostend::qk_block block{.q = {q.data(), {queries, heads, d}},
                                     .keys = ostend::key_source(page, heads, d)};
        const std::vector<float> weights(heads, 1.0F / heads);
        ostend::matrix<float> out(queries, keys);
        ostend::qk_workspace workspace;
        (void)ostend::reduce_qk(ostend::blocked, block, ostend::key_selection(0, keys), weights,
                                ostend::head_reduction::mean, out.view(), workspace);
    };
}

/// A blob over noise, brought to 1024 x 1024.
std::vector<float> blob() {
    auto map = random_values(576);
    for (std::size_t i = 0; i < map.size(); ++i) {
        const float y = static_cast<float>(i / 24) - 9.3F;
        const float x = static_cast<float>(i % 24) - 14.2F;
        map[i] = 0.05F * map[i] + std::exp(-(x * x + y * y) / 20);
    }
    return map;
}

work find_peak() {
    return [map = blob(), grid = ostend::geometry::stretch({1024, 1024})] {
        (void)ostend::find_peak(map, grid);
    };
}

work find_peaks() {
    return [map = blob(), grid = ostend::geometry::stretch({1024, 1024})] {
        (void)ostend::find_peaks(map, grid);
    };
}

/// An ellipse with a ragged edge.
ostend::bitmap ellipse(ostend::index cx, ostend::index cy) {
    ostend::bitmap mask(200, 300);
    for (ostend::index y = 0; y < 200; ++y) {
        for (ostend::index x = 0; x < 300; ++x) {
            const ostend::index far = 4 * (x - cx) * (x - cx) + 9 * (y - cy) * (y - cy);
            mask(y, x) = far + (x * y) % 7 * 500 < 40000 ? 1 : 0;
        }
    }
    return mask;
}

work rle_encode() {
    return [mask = ellipse(140, 90)] { (void)ostend::encode(mask); };
}

work rle_iou() {
    std::vector<ostend::rle> masks;
    for (const ostend::index cx : {40, 90, 140, 190, 240}) {
        for (const ostend::index cy : {40, 100, 160}) {
            masks.push_back(ostend::encode(ellipse(cx, cy)));
        }
    }
    return [masks] { (void)ostend::iou_matrix(masks, masks); };
}

const std::vector<std::pair<std::string, work (*)()>> kernels = {
    {"aggregate.f16", aggregate_f16},
    {"from_qk.8_queries", [] { return from_qk(8); }},
    {"from_qk.1_query", [] { return from_qk(1); }},
    {"find_peak", find_peak},
    {"find_peaks", find_peaks},
    {"rle.encode", rle_encode},
    {"rle.iou", rle_iou},
};

} // namespace

/// The counter counts while this function runs, and knows it by its name.
extern "C" [[gnu::noinline]] void measured(const work& run) { run(); }

int main(int argc, char** argv) {
    for (const auto& [name, make] : kernels) {
        if (argc < 2) {
            std::puts(name.c_str());
        } else if (name == argv[1]) {
            const work run = make();
            run(); // what is done once for a program is not counted
            measured(run);
            return 0;
        }
    }
    return argc < 2 ? 0 : 1;
}
