// Times of mask/ on one core: encode and decode beside a memset of the same size, IoU of 100 x 100 masks,
// NMS, small regions.
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/nms.hpp"
#include "ostend/mask/small_regions.hpp"

#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using ostend::bitmap;
using ostend::rle;

/// An operation; bytes are what it has to read or write, where that is what counts.
template <class F>
void add(const std::string& op, F f, double bytes = 0) {
    benchmark::RegisterBenchmark(op.c_str(), [f, bytes](benchmark::State& state) {
        for ([[maybe_unused]] auto step : state) {
            benchmark::DoNotOptimize(f());
        }
        if (bytes > 0) {
            state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
        }
    })->Unit(benchmark::kMillisecond);
}

/// Ellipses at random places, with a little noise along a few of them.
bitmap blobs(std::mt19937& random, int side, int count) {
    bitmap out(side, side);
    std::uniform_real_distribution<double> unit(0, 1);
    for (int k = 0; k < count; ++k) {
        const double cx = unit(random) * side;
        const double cy = unit(random) * side;
        const double rx = (0.02 + 0.15 * unit(random)) * side;
        const double ry = (0.02 + 0.15 * unit(random)) * side;
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                const double dx = (x - cx) / rx;
                const double dy = (y - cy) / ry;
                out(y, x) |= dx * dx + dy * dy < 1 ? 1 : 0;
            }
        }
    }
    return out;
}

} // namespace

int main(int argc, char** argv) {
    std::mt19937 random(1);
    const int side = 1024;
    const double bytes = double(side) * side;
    const bitmap smooth = blobs(random, side, 6);
    bitmap noise(side, side);
    for (auto& v : noise.pixels) {
        v = random() % 2;
    }
    std::vector<std::uint8_t> columns(noise.pixels.size());
    const ostend::tensor_view<std::uint8_t, 2> down(columns.data(), {side, side}, {1, side});
    const rle runs = encode(smooth);
    const rle noisy = encode(noise);
    decode(runs, down);
    bitmap room(side, side);

    add(
        "memset.1024", [&] { return std::memset(room.pixels.data(), 1, room.pixels.size()); }, bytes);
    add(
        "rle.encode.1024", [&] { return encode(smooth).counts.size(); }, bytes);
    add(
        "rle.encode.columns.1024", [&] { return encode(down).counts.size(); }, bytes);
    add(
        "rle.encode.noise1024", [&] { return encode(noise).counts.size(); }, bytes);
    add(
        "rle.decode.1024", [&] { return decode(runs).pixels.size(); }, bytes);
    add(
        "rle.decode.into.1024",
        [&] {
            decode(runs, room.view());
            return room.pixels.data();
        },
        bytes);
    add(
        "rle.decode.noise1024", [&] { return decode(noisy).pixels.size(); }, bytes);
    add("rle.area.1024", [&] { return ostend::area(runs); });
    add("rle.toBbox.1024", [&] { return ostend::to_coco_box(runs).x; });
    const std::string text = ostend::to_coco_string(noisy);
    add(
        "rle.string.write.noise1024", [&] { return ostend::to_coco_string(noisy).size(); },
        double(text.size()));
    add(
        "rle.string.read.noise1024",
        [&] { return ostend::from_coco_string(text, side, side)->counts.size(); }, double(text.size()));

    std::vector<rle> masks;
    for (int i = 0; i < 100; ++i) {
        masks.push_back(encode(blobs(random, side, 1)));
    }
    add("iou.rle.100x100.1024", [&] { return ostend::iou_matrix(masks, masks).values().size(); });
    add("nms.rle.100.1024", [&] { return ostend::nms(masks).size(); });

    bitmap speckled = smooth;
    for (int i = 0; i < 2000; ++i) {
        speckled.pixels[random() % speckled.pixels.size()] ^= 1;
    }
    const rle dirty = encode(speckled);
    add("regions.holes.1024", [&] {
        return ostend::remove_small_regions(dirty, 100, ostend::small_regions::holes).mask.counts.size();
    });
    add("regions.islands.1024", [&] {
        return ostend::remove_small_regions(dirty, 100, ostend::small_regions::islands).mask.counts.size();
    });

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
