// The layout self-test on the two models: their own layout is right, and every usual mistake in it is found.
#include "hosts/reference.hpp"
#include "ostend/geometry/letterbox.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/probe.hpp"
#include "ostend/geometry/stretch.hpp"
#include "tiny_llava/tiny_llava.hpp"

namespace {

using namespace ostend_test;

ostend::result<ostend::matrix<float>> features_of(const ostend_hosts::tiny_llava& model,
                                                  const ostend::image_view& image) {
    const auto seen = model.see(image);
    if (!seen) {
        return seen.error();
    }
    ostend::matrix<float> out(seen->rows(), seen->cols());
    for (ostend::index t = 0; t < out.rows(); ++t) {
        for (ostend::index x = 0; x < out.columns(); ++x) {
            out(t, x) = (*seen)(t, x);
        }
    }
    return out;
}

TEST_CASE("the layout of tiny_llava is right for both towers; wrong ones are found out") {
    for (const char* name : {"tiny-llava", "tiny-llava-clip"}) {
        const auto model = ostend_hosts::tiny_llava::load(model_folder(name));
        REQUIRE(model);
        const ostend::probe_options few{.pairs = 24};
        const auto see = [&](const ostend::image_view& image) { return features_of(*model, image); };
        for (const ostend::image_size size :
             {ostend::image_size{144, 144}, ostend::image_size{300, 200}, ostend::image_size{90, 260}}) {
            CAPTURE(std::string(name) + ", " + std::to_string(size.width) + " x " +
                    std::to_string(size.height));
            const auto right = model->check_layout(size, few);
            REQUIRE(right);
            CHECK_MESSAGE(right->fault == ostend::layout_fault::none, right->says);
            CHECK(right->judged >= 40);
        }
        const auto stretched = ostend::probe_layout(
            ostend::geometry::stretch({144, 288},
                                      {.rows = 12, .columns = 12, .cell_width = 12, .cell_height = 12}),
            see, few);
        REQUIRE(stretched);
        CHECK_MESSAGE(stretched->fault == ostend::layout_fault::scaled, stretched->says);
        const auto corner = ostend::probe_layout(
            ostend::geometry::letterbox({144, 288}, {.rows = 12,
                                                     .columns = 12,
                                                     .cell_width = 12,
                                                     .cell_height = 12,
                                                     .place = ostend::letterbox_place::top_left}),
            see, few);
        REQUIRE(corner);
        CHECK_MESSAGE(corner->fault == ostend::layout_fault::displaced, corner->says);
        CHECK(corner->columns == -3);

        // As a tower that counts its class token as the first patch.
        const auto rotated = [&](const ostend::image_view& image) -> ostend::result<ostend::matrix<float>> {
            auto seen = features_of(*model, image);
            std::rotate(seen->values().begin(), seen->values().begin() + seen->columns(),
                        seen->values().end());
            return seen;
        };
        const auto one_off = ostend::probe_layout(
            ostend::geometry::llava_pad({144, 144}, {.grid = 12, .cell = 12}), rotated, few);
        REQUIRE(one_off);
        CHECK_MESSAGE(one_off->fault == ostend::layout_fault::shifted, one_off->says);
        CHECK(one_off->shift == 1);
    }
}

} // namespace
