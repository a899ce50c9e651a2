#include "io/image_file.hpp"
#include "ostend/ostend.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <cstdio>

int main() {
    auto model = *ostend_hosts::tiny_llava::load("models/tiny-llava");
    auto image = *ostend_tools::read_image("tests/data/scenes/scene_0030.png");
    ostend::graph_cut_segmenter segmenter;

    auto found = *ostend::ground(image.view(), model, segmenter, {.phrases = {"broccoli"}});
    auto& broccoli = found.phrases[0];
    std::printf("The model says: %s\n", found.caption.c_str());
    std::printf("It sees the broccoli at pixel (%td, %td).\n", broccoli.at.at.x, broccoli.at.at.y);
}
