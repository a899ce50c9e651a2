// Bounds of patches and of their pieces against the pixels of the filled image.
#include "ostend/peak/argmax.hpp"
#include "ostend/peak/patch.hpp"

#include "peak/random_maps.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

namespace {

using namespace ostend;
using namespace ostend_test;
namespace inner = ostend::OSTEND_KERNELS::detail;
using ostend::index;

struct shape {
    index rows, columns;
    image_size image;
    interpolation kernel;
};

shape random_shape(int i, std::mt19937& random) {
    std::uniform_int_distribution<index> grid_side(1, 9);
    std::uniform_int_distribution<index> image_side(1, 150);
    return {grid_side(random),
            grid_side(random),
            {image_side(random), image_side(random)},
            i % 2 == 0 ? interpolation::bicubic : interpolation::bilinear};
}

float largest_of(const matrix<float>& image, index_span y, index_span x) {
    float most = image(y.begin, x.begin);
    for (index r = y.begin; r < y.end; ++r) {
        for (index c = x.begin; c < x.end; ++c) {
            most = std::max(most, image(r, c));
        }
    }
    return most;
}

TEST_CASE("a patch's bound is never below a pixel of the patch") {
    std::mt19937 random(23);
    for (int i = 0; i < 300; ++i) {
        const shape s = random_shape(i, random);
        const auto cells = make_map(static_cast<kind>(i % kinds), s.rows, s.columns, random);
        const auto on = make_resampling(s.rows, s.columns, s.image, s.kernel);
        // A quarter of the margin must do: the other three are in hand.
        const float margin = 0.25F * inner::rounding_margin(inner::largest_magnitude(cells.values()));
        const auto bounds = inner::patch_bounds(on, cells, margin);
        const auto image = resample(cells, on);
        bool below = false;
        for (std::size_t p = 0; p < on.y.runs.size(); ++p) {
            for (std::size_t q = 0; q < on.x.runs.size(); ++q) {
                const auto& rows = on.y.runs[p];
                const auto& columns = on.x.runs[q];
                const float most = largest_of(image, {rows.begin, rows.end}, {columns.begin, columns.end});
                below = below || most > bounds(static_cast<index>(p), static_cast<index>(q));
            }
        }
        CHECK(!below);
    }
}

/// Cuts a piece down to single pixels and checks each of its parts.
void check_pieces(const resampling& on, const matrix<float>& image, const axis_run& rows,
                  const axis_run& columns, const inner::patch_piece& piece, double margin, int& wrong) {
    wrong += largest_of(image, piece.y, piece.x) > piece.bound() + margin;
    if (piece.pixels() > 1) {
        const auto half = inner::halves(on, rows, columns, piece);
        wrong += half[0].pixels() + half[1].pixels() != piece.pixels();
        wrong += half[0].pixels() < 1 || half[1].pixels() < 1;
        check_pieces(on, image, rows, columns, half[0], margin, wrong);
        check_pieces(on, image, rows, columns, half[1], margin, wrong);
    }
}

TEST_CASE("nor is the bound of any piece, down to single pixels") {
    std::mt19937 random(24);
    for (int i = 0; i < 100; ++i) {
        const shape s = random_shape(i, random);
        const auto cells = make_map(static_cast<kind>(i % kinds), s.rows, s.columns, random);
        const auto on = make_resampling(s.rows, s.columns, s.image, s.kernel);
        const double margin = 0.25 * inner::rounding_margin(inner::largest_magnitude(cells.values()));
        const auto image = resample(cells, on);
        int wrong = 0;
        for (const axis_run& rows : on.y.runs) {
            for (const axis_run& columns : on.x.runs) {
                const auto piece = inner::whole_patch(on, cells, rows, columns);
                check_pieces(on, image, rows, columns, piece, margin, wrong);
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("equal rows or columns of cells give equal pixels, and one is kept") {
    std::mt19937 random(25);
    std::normal_distribution<float> normal;
    for (int i = 0; i < 60; ++i) {
        const shape s = random_shape(i, random);
        matrix<float> cells(s.rows, s.columns);
        for (index c = 0; c < s.columns; ++c) {
            const float v = std::ldexp(normal(random), i - 30);
            for (index r = 0; r < s.rows; ++r) {
                cells(r, c) = v;
            }
        }
        const auto on = make_resampling(s.rows, s.columns, s.image, s.kernel);
        const auto image = resample(cells, on);
        for (index y = 1; y < image.rows(); ++y) {
            CHECK(std::memcmp(image.row(y).data(), image.row(0).data(), image.row(0).size_bytes()) == 0);
        }
        for (const axis_run& rows : on.y.runs) {
            for (const axis_run& columns : on.x.runs) {
                const auto piece = inner::whole_patch(on, cells, rows, columns);
                CHECK(piece.y == index_span{rows.begin, rows.begin + 1});
            }
        }
    }
}

TEST_CASE("pixels of a piece are those of the filled image") {
    std::mt19937 random(26);
    for (int i = 0; i < 60; ++i) {
        const shape s = random_shape(i, random);
        const auto cells = make_map(static_cast<kind>(i % kinds), s.rows, s.columns, random);
        const auto on = make_resampling(s.rows, s.columns, s.image, s.kernel);
        const auto image = resample(cells, on);
        for (const axis_run& rows : on.y.runs) {
            for (const axis_run& columns : on.x.runs) {
                const index_span y{rows.begin + (rows.end - rows.begin) / 3, rows.end};
                const index_span x{columns.begin,
                                   std::min(columns.end, columns.begin + inner::small_piece + 2)};
                const index stride = x.end - x.begin + 3;
                std::vector<float> out(static_cast<std::size_t>((y.end - y.begin) * stride), -7.0F);
                inner::fill_pixels(on, cells, rows, columns, y, x, out.data(), stride);
                bool same = true;
                for (index r = y.begin; r < y.end; ++r) {
                    const float* row = out.data() + (r - y.begin) * stride;
                    same =
                        same && std::memcmp(row, &image(r, x.begin),
                                            sizeof(float) * static_cast<std::size_t>(x.end - x.begin)) == 0;
                    same = same && row[stride - 1] == -7.0F;
                }
                CHECK(same);
            }
        }
    }
}

} // namespace
