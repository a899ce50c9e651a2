// Times of html_page: one image of 480 x 640 with six phrases, each with two maps of 24 x 24, a peak and a
// mask: html.6phrases.480x640, PNGs encoded by tools/io; and without their encoding
// (/impl:ostend-without-png). `bytes` is the page's size.
#include "../run.hpp"
#include "io/image_file.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/report/html.hpp"
#include "pictures.hpp"

namespace {

using namespace ostend_bench;

void make_page(benchmark::State& state, const ostend::png_encoder& png) {
    const ostend::picture pixels = image(480, 640);
    const ostend::matrix<float> cells = hill(24, 24);
    ostend::page_image one{.name = "image.png",
                           .image = view(pixels),
                           .caption = "a man, two dogs, a bench, a tree, a car and a cloud",
                           .grid = ostend::geometry::stretch({640, 480})};
    const std::vector<float> map(cells.values().begin(), cells.values().end());
    const std::vector<ostend::text_span> spans{{0, 5}, {7, 15}, {17, 24}, {26, 32}, {34, 39}, {44, 51}};
    for (const ostend::text_span& span : spans) {
        one.phrases.push_back({.text = one.caption.substr(static_cast<std::size_t>(span.begin),
                                                          static_cast<std::size_t>(span.size())),
                               .span = span,
                               .raw_map = map,
                               .map = map,
                               .at = {.at = {320, 240}, .value = 1, .confidence = 0.8},
                               .mask = encode(rings(480, 640))});
    }
    ostend::page report;
    report.images.push_back(std::move(one));
    std::size_t size = 0;
    for ([[maybe_unused]] auto step : state) {
        const auto page = ostend::html_page(report, png);
        if (!page) {
            state.SkipWithError(page.error().message().c_str());
            return;
        }
        size = page->size();
        benchmark::DoNotOptimize(page->data());
    }
    state.counters["bytes"] = static_cast<double>(size);
}

} // namespace

int main(int argc, char** argv) {
    const std::string op = "html.6phrases.480x640";
    benchmark::RegisterBenchmark(op.c_str(), make_page, [](const ostend::picture& p) {
        return ostend_tools::encode_png(p.bytes.data(), p.width, p.height, p.channels);
    })->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((op + "/impl:ostend-without-png").c_str(), make_page,
                                 [](const ostend::picture&) {
                                     return std::string(20000, 'x'); // about what a map's PNG has
                                 })
        ->Unit(benchmark::kMillisecond);
    return run_benchmarks(argc, argv);
}
