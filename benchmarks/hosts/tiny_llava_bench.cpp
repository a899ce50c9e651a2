// Times of the Eigen host and of grounding with it, on one core: the parts and the whole, for a checked-in
// scene of 144 x 144 pixels with four objects. ground.tiny-llava.144 is all that a user waits for: the
// caption, and maps, peaks and masks of every phrase.
#include "../run.hpp"
#include "io/image_file.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/host/ground.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>

namespace {

using ostend_hosts::tiny_llava;

[[noreturn]] void fail(const ostend::error& e) {
    std::fprintf(stderr, "tiny_llava_bench: %s\n", e.message().c_str());
    std::exit(1);
}

template <class T>
T value_of(ostend::result<T> made) {
    if (!made) {
        fail(made.error());
    }
    return *std::move(made);
}

} // namespace

int main(int argc, char** argv) {
    const auto scene =
        value_of(ostend_tools::read_image(OSTEND_SOURCE_DIR "/tests/data/scenes/scene_0000.png"));
    const ostend::image_view image = scene.view();
    const tiny_llava siglip = value_of(tiny_llava::load(OSTEND_SOURCE_DIR "/models/tiny-llava"));
    const tiny_llava clip = value_of(tiny_llava::load(OSTEND_SOURCE_DIR "/models/tiny-llava-clip"));
    const ostend::graph_cut_segmenter segmenter;

    const auto whole = value_of(ostend::ground(image, siglip, segmenter));
    std::fprintf(stderr, "\"%s\": %zu tokens, %zu phrases\n", whole.caption.c_str(), whole.tokens.size(),
                 whole.phrases.size());
    ostend::prompt point;
    point.points.push_back(ostend::point_of(whole.phrases.empty() ? ostend::peak{} : whole.phrases[0].at));

    add_call("ground.tiny-llava.144",
             [&] { return value_of(ostend::ground(image, siglip, segmenter)).phrases.size(); });
    add_call("ground.tiny-llava-clip.144",
             [&] { return value_of(ostend::ground(image, clip, segmenter)).phrases.size(); });
    add_call("generate.tiny-llava.144", [&] { return value_of(siglip.generate(image, {})).tokens.size(); });
    add_call("generate.tiny-llava.144/impl:ostend-unrecorded",
             [&] { return value_of(siglip.generate(image, {.record = false})).tokens.size(); });
    add_call("see.tiny-llava.144", [&] { return value_of(siglip.see(image)).size(); });
    add_call("segment.point.144", [&] {
        return value_of(segmenter.segment(image, std::span<const ostend::prompt>(&point, 1))).size();
    });

    return run_benchmarks(argc, argv);
}
