// Times of layouts of 24 x 24 tokens over a 640 x 480 image: layout.<what>.24x24. Making one (stretch,
// letterbox, llava_pad), the same over another size (resized), checking it (validate); the cells' boxes of
// all tokens (boxes), the tokens at all cells' middles (tokens_at), and a map as a grid (view_map).
#include "../run.hpp"
#include "ostend/geometry/grid.hpp"
#include "ostend/geometry/letterbox.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/resized.hpp"
#include "ostend/geometry/stretch.hpp"

#include <benchmark/benchmark.h>

namespace {

constexpr ostend::image_size image{640, 480};

template <class F>
void add(const std::string& what, F f) {
    add_call("layout." + what + ".24x24", f);
}

double area_of_boxes(const ostend::layout& grid) {
    double sum = 0;
    for (ostend::index t = 0; t < static_cast<ostend::index>(grid.tokens.size()); ++t) {
        sum += ostend::cell_box(grid, t).area();
    }
    return sum;
}

ostend::index sum_of_tokens(const ostend::layout& grid) {
    ostend::index sum = 0;
    for (int row = 0; row < 24; ++row) {
        for (int column = 0; column < 24; ++column) {
            const ostend::point_in<ostend::cell_frame> middle{column + 0.5, row + 0.5};
            sum += ostend::token_at(grid, ostend::to_original(grid.views[0], middle)).value_or(0);
        }
    }
    return sum;
}

} // namespace

int main(int argc, char** argv) {
    const ostend::layout grid = ostend::geometry::stretch(image);
    const std::vector<float> map(grid.tokens.size(), 0.5F);
    add("stretch", [] { return ostend::geometry::stretch(image); });
    add("letterbox", [] { return ostend::geometry::letterbox(image); });
    add("llava_pad", [] { return ostend::geometry::llava_pad(image); });
    add("resized", [&grid] { return ostend::resized(grid, {320, 240}); });
    add("validate", [&grid] { return ostend::validate(grid).has_value(); });
    add("boxes", [&grid] { return area_of_boxes(grid); });
    add("tokens_at", [&grid] { return sum_of_tokens(grid); });
    add("view_map", [&grid, &map] { return ostend::view_map(map, grid); });
    return run_benchmarks(argc, argv);
}
