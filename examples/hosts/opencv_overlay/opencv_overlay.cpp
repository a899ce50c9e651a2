// opencv_overlay: frames as OpenCV has them. A small LLaVA says what a cv::Mat shows, and masks and peaks of
// its phrases are drawn onto the same Mat.
#include "ostend/adapt/opencv_overlay.hpp"
#include "ground/ground_files.hpp"
#include "io/files.hpp"
#include "ostend/adapt/opencv.hpp"
#include "ostend/host/graph_cut.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

namespace {

int fail(const ostend::error& e) {
    std::fprintf(stderr, "opencv_overlay: %s\n", e.message().c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Draws what a model says about an image onto it: mask and peak of each noun phrase."};
    std::string model_dir;
    std::string image_file;
    std::string out_file;
    bool check_layout = false;
    app.add_option("--model", model_dir, "folder of the language model")->required();
    app.add_option("--image", image_file, "image file: PNG, JPEG, BMP, TGA, GIF or PNM")->required();
    app.add_option("--out", out_file, "PNG file to write")->required();
    app.add_flag("--check-layout", check_layout, ostend_tools::check_layout_help);
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);
    if (const auto writable = ostend_tools::check_writable(out_file); !writable) {
        return fail(writable.error());
    }
    const auto image = ostend_tools::read_image(image_file);
    if (!image) {
        return fail(image.error());
    }
    const auto lmm = ostend_hosts::tiny_llava::load(model_dir);
    if (!lmm) {
        return fail(lmm.error());
    }
    if (check_layout) {
        const auto right =
            ostend_tools::report_layout(lmm->check_layout({image->width, image->height}), model_dir);
        if (!right) {
            return fail(right.error());
        }
    }

    // A frame as a camera or cv::imread gives it: blue first.
    const ostend::image_view blue_first(image->pixels.data() + 2, {image->height, image->width, 3},
                                        {3 * image->width, 3, -1});
    cv::Mat frame = ostend::copy_to_opencv(blue_first);

    const auto seen = ostend::opencv_image(frame); // a view, red first; nothing is copied
    if (!seen) {
        return fail(seen.error());
    }
    const ostend::graph_cut_segmenter segmenter;
    const auto found = ostend::ground(*seen, *lmm, segmenter);
    if (!found) {
        return fail(found.error());
    }
    for (std::size_t i = 0; i < found->phrases.size(); ++i) {
        const auto& phrase = found->phrases[i];
        const auto at = phrase.at.at.centre();
        auto drawn = ostend::draw_mask(frame, phrase.mask, ostend::phrase_colour(i));
        drawn = drawn ? ostend::draw_peak(frame, at.x, at.y) : drawn;
        if (!drawn) {
            return fail(drawn.error());
        }
    }
    std::printf("%s", ostend_tools::grounding_text(*found).c_str());
    if (const auto written = ostend_tools::write_file(out_file, ostend_tools::encode_png(*seen)); !written) {
        return fail(written.error());
    }
    std::printf("overlay: %s\n", out_file.c_str());
    return 0;
}
