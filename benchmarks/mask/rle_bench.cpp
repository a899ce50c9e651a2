// Times of mask/ on one core: encode and decode, IoU of 100 x 100 masks, small regions. Prints milliseconds
// (the median of repetitions) and, where bytes are what counts, GB/s beside a memset of the same size.
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/nms.hpp"
#include "ostend/mask/small_regions.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

namespace {

using ostend::bitmap;
using ostend::rle;

/// Median milliseconds of one call.
template <class F>
double time_of(F&& f) {
    using clock = std::chrono::steady_clock;
    std::vector<double> times;
    const auto start = clock::now();
    while (times.size() < 5 ||
           (times.size() < 1000 && clock::now() - start < std::chrono::milliseconds(300))) {
        const auto before = clock::now();
        f();
        times.push_back(std::chrono::duration<double, std::milli>(clock::now() - before).count());
    }
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                     times.end());
    return times[times.size() / 2];
}

void print(const char* name, double milliseconds, double bytes = 0) {
    if (bytes > 0) {
        std::printf("%-28s %9.4f ms  %7.2f GB/s\n", name, milliseconds, bytes / milliseconds / 1e6);
    } else {
        std::printf("%-28s %9.4f ms\n", name, milliseconds);
    }
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

volatile std::size_t sink = 0; // keeps results alive

} // namespace

int main() {
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

    print("memset.1024", time_of([&] { std::memset(room.pixels.data(), int(sink), room.pixels.size()); }),
          bytes);
    print("rle.encode.1024", time_of([&] { sink = encode(smooth).counts.size(); }), bytes);
    print("rle.encode.columns.1024", time_of([&] { sink = encode(down).counts.size(); }), bytes);
    print("rle.encode.noise1024", time_of([&] { sink = encode(noise).counts.size(); }), bytes);
    print("rle.decode.1024", time_of([&] { sink = decode(runs).pixels.size(); }), bytes);
    print("rle.decode.into.1024", time_of([&] { decode(runs, room.view()); }), bytes);
    print("rle.decode.noise1024", time_of([&] { sink = decode(noisy).pixels.size(); }), bytes);
    print("rle.area.1024", time_of([&] { sink = ostend::area(runs); }));
    print("rle.toBbox.1024", time_of([&] { sink = std::size_t(ostend::to_coco_box(runs).x); }));
    const std::string text = ostend::to_coco_string(noisy);
    print("rle.string.write.noise1024", time_of([&] { sink = ostend::to_coco_string(noisy).size(); }),
          double(text.size()));
    print("rle.string.read.noise1024",
          time_of([&] { sink = ostend::from_coco_string(text, side, side)->counts.size(); }),
          double(text.size()));

    std::vector<rle> masks;
    for (int i = 0; i < 100; ++i) {
        masks.push_back(encode(blobs(random, side, 1)));
    }
    print("iou.rle.100x100.1024", time_of([&] { sink = ostend::iou_matrix(masks, masks).values().size(); }));
    print("nms.rle.100.1024", time_of([&] { sink = ostend::nms(masks).size(); }));

    bitmap speckled = smooth;
    for (int i = 0; i < 2000; ++i) {
        speckled.pixels[random() % speckled.pixels.size()] ^= 1;
    }
    const rle dirty = encode(speckled);
    print("regions.holes.1024", time_of([&] {
              sink =
                  ostend::remove_small_regions(dirty, 100, ostend::small_regions::holes).mask.counts.size();
          }));
    print("regions.islands.1024", time_of([&] {
              sink =
                  ostend::remove_small_regions(dirty, 100, ostend::small_regions::islands).mask.counts.size();
          }));
}
