// Times of union, intersection, difference and complement: from pixels to pixels, as numpy and OpenCV have
// them, from strings to a string, as pycocotools has them (set.rle), of two masks and of a hundred, and on
// run lengths.
#include "forms.hpp"

#include "ostend/mask/set_operations.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;
using ostend::rle;

template <class F>
void add_pair(const std::string& name, index side, F f) {
    const auto a = [side] { return ellipses(side, 1, 6); };
    const auto b = [side] { return ellipses(side, 1, 6, 7); };
    const std::string op = "set." + name + ".2." + std::to_string(side);
    add(op, [=] { return [f, x = a(), y = b()] { return decode(f(encode(x), encode(y))); }; });
    add(op + "/impl:ostend-runs", [=] { return [f, x = encode(a()), y = encode(b())] { return f(x, y); }; });
}

/// Of two masks and of a hundred, as strings.
template <class F>
void add_strings_of_many(const std::string& name, index side, F f) {
    const auto two = [side] {
        return std::vector<rle>{encode(ellipses(side, 1, 6)), encode(ellipses(side, 1, 6, 7))};
    };
    const std::string size = std::to_string(side);
    add_many("set.rle." + name + ".2." + size, two, f);
    add_many(
        "set.rle." + name + ".100." + size, [side] { return hundred(side); }, f);
}

void add_size(index side) {
    add_pair("union", side, [](const rle& a, const rle& b) { return unite(a, b); });
    add_pair("intersection", side, [](const rle& a, const rle& b) { return intersect(a, b); });
    add_pair("difference", side, [](const rle& a, const rle& b) { return subtract(a, b); });
    add_pixels(
        "set.complement." + std::to_string(side), [side] { return ellipses(side, 1, 6); },
        [](const rle& m) { return complement(m); });
    add_strings_of_many("union", side, [](const std::vector<rle>& m) { return unite(m); });
    add_strings_of_many("intersection", side, [](const std::vector<rle>& m) { return intersect(m); });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
