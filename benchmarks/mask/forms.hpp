// The forms in which an operation on masks is timed: on pixels, as users of OpenCV and numpy have their
// masks, on COCO's strings, as users of pycocotools have theirs, and on run lengths (impl ostend-runs).
#pragma once

#include "shapes.hpp"

#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"

#include <string>
#include <vector>

namespace ostend_bench {

/// A mask as a string.
struct text_of {
    std::string text;
    index height;
    index width;

    explicit text_of(const ostend::bitmap& mask) : text_of(encode(mask)) {}
    explicit text_of(const ostend::rle& mask)
        : text(to_coco_string(mask)), height(mask.height), width(mask.width) {}
    [[nodiscard]] ostend::rle read() const { return ostend::from_coco_string(text, height, width).value(); }
};

/// Masks as strings.
struct texts_of {
    std::vector<text_of> texts;

    explicit texts_of(const std::vector<ostend::rle>& masks) : texts(masks.begin(), masks.end()) {}
    [[nodiscard]] std::vector<ostend::rle> read() const {
        std::vector<ostend::rle> out;
        out.reserve(texts.size());
        for (const text_of& one : texts) {
            out.push_back(one.read());
        }
        return out;
    }
};

/// A hundred masks, most of them apart.
inline std::vector<ostend::rle> hundred(index side) {
    std::vector<ostend::rle> masks;
    for (std::uint32_t i = 0; i < 100; ++i) {
        masks.push_back(encode(ellipses(side, 10 + i, 1)));
    }
    return masks;
}

/// add_masks(size, make) for ellipses and for noise, of both sizes.
template <class F>
void add_ellipses_and_noise(F add_masks) {
    for (const index side : {1024, 2048}) {
        add_masks(std::to_string(side), [side] { return ellipses(side, 1, 6); });
        add_masks("noise" + std::to_string(side), [side] { return noise(side); });
    }
}

/// A result in pixels where it is a mask, else as it is.
template <class T>
T in_pixels(T got) {
    return got;
}
inline ostend::bitmap in_pixels(const ostend::rle& got) { return decode(got); }

/// A result as a string where it is a mask, else as it is.
template <class T>
T in_text(T got) {
    return got;
}
inline std::string in_text(const ostend::rle& got) { return to_coco_string(got); }

/// f of the run lengths of a mask: from pixels (and to pixels), and from runs.
template <class MakeMask, class F>
void add_pixels(const std::string& op, MakeMask mask, F f) {
    add(op, [=] { return [f, dense = mask()] { return in_pixels(f(encode(dense))); }; });
    add(op + "/impl:ostend-runs", [=] { return [f, runs = encode(mask())] { return f(runs); }; });
}

/// The same from a string (and to a string).
template <class MakeMask, class F>
void add_strings(const std::string& op, MakeMask mask, F f) {
    add(op, [=] { return [f, text = text_of(mask())] { return in_text(f(text.read())); }; });
}

/// f of the run lengths of many masks: from strings (and to a string), and from runs.
template <class MakeMasks, class F>
void add_many(const std::string& op, MakeMasks masks, F f) {
    add(op, [=] { return [f, texts = texts_of(masks())] { return in_text(f(texts.read())); }; });
    add(op + "/impl:ostend-runs", [=] { return [f, runs = masks()] { return f(runs); }; });
}

} // namespace ostend_bench
