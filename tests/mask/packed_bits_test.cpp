#include "ostend/mask/encode.hpp"
#include "ostend/mask/packed_bits.hpp"

#include "mask/random_masks.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

/// Bit by bit, in the order of the lines.
std::vector<std::uint8_t> pack(const bitmap& mask, packed_layout layout, index line_bits) {
    const bool rows = layout.lines == bit_lines::rows;
    const index lines = rows ? mask.height : mask.width;
    const index line = rows ? mask.width : mask.height;
    std::vector<std::uint8_t> out(
        static_cast<std::size_t>(lines == 0 ? 0 : ((lines - 1) * line_bits + line + 7) / 8));
    for (index l = 0; l < lines; ++l) {
        for (index i = 0; i < line; ++i) {
            const index at = l * line_bits + i;
            const index bit = layout.order == bit_order::highest_first ? 7 - at % 8 : at % 8;
            const unsigned v = rows ? mask(l, i) : mask(i, l);
            out[static_cast<std::size_t>(at / 8)] |= static_cast<std::uint8_t>(v << bit);
        }
    }
    return out;
}

TEST_CASE("bits in every order, in lines that begin at bytes or not, there and back") {
    std::mt19937 random(61);
    for (int round = 0; round < 400; ++round) {
        const index h = random_side(random);
        const index w = random() % 20 == 0 ? 250 + random_side(random) : random_side(random);
        const bitmap mask = random_mask(random, h, w);
        packed_layout layout;
        layout.order = random() % 2 == 0 ? bit_order::highest_first : bit_order::lowest_first;
        layout.lines = random() % 2 == 0 ? bit_lines::rows : bit_lines::columns;
        const index line = layout.lines == bit_lines::rows ? w : h;
        index line_bits = (line + 7) / 8 * 8;
        if (random() % 2 == 0) {
            line_bits = layout.line_bits = line + static_cast<index>(random() % 12);
        }
        CAPTURE(h);
        CAPTURE(w);
        CAPTURE(line_bits);
        std::vector<std::uint8_t> bytes = pack(mask, layout, line_bits);
        REQUIRE(decode_packed(encode(mask), layout) == bytes);
        for (index l = 0; line_bits > line && l + 1 < (layout.lines == bit_lines::rows ? h : w); ++l) {
            const index at = l * line_bits + line; // a bit between two lines: it is nobody's
            bytes[static_cast<std::size_t>(at / 8)] |= static_cast<std::uint8_t>(
                1U << static_cast<unsigned>(layout.order == bit_order::highest_first ? 7 - at % 8 : at % 8));
        }
        REQUIRE(encode_packed(bytes, h, w, layout) == encode(mask));
    }
}

TEST_CASE("sides about the blocks of 64 rows and 256 columns, in every layout") {
    std::mt19937 random(62);
    for (const index h : {1, 7, 63, 64, 65, 128, 200}) {
        for (const index w : {1, 8, 63, 64, 65, 191, 192, 255, 256, 257, 320, 513}) {
            const bitmap mask = h == 64   ? bitmap(h, w, true)
                                : w == 65 ? bitmap(h, w)
                                          : random_mask(random, h, w);
            for (const bit_order order : {bit_order::highest_first, bit_order::lowest_first}) {
                for (const bit_lines lines : {bit_lines::rows, bit_lines::columns}) {
                    const index line = lines == bit_lines::rows ? w : h;
                    for (const index more : {0, 1, 3, 64}) {
                        CAPTURE(h);
                        CAPTURE(w);
                        CAPTURE(more);
                        const packed_layout layout{order, lines, line + more};
                        const std::vector<std::uint8_t> bytes = pack(mask, layout, line + more);
                        REQUIRE(encode_packed(bytes, h, w, layout) == encode(mask));
                        REQUIRE(decode_packed(encode(mask), layout) == bytes);
                    }
                }
            }
        }
    }
}

TEST_CASE("counts with empty runs among them") {
    const rle canonical{3, 3, {0, 5, 1, 3}};
    CHECK(decode_packed(rle{3, 3, {0, 2, 0, 3, 1, 0, 0, 3, 0, 0}}) == decode_packed(canonical));
    const packed_layout columns{bit_order::lowest_first, bit_lines::columns, 3};
    CHECK(decode_packed(rle{3, 3, {0, 2, 0, 3, 1, 0, 0, 3, 0, 0}}, columns) ==
          decode_packed(canonical, columns));
}

TEST_CASE("np.packbits, by hand") {
    // [[1,0,0,0,0,0,0,0,1],[0,1,1,0,0,0,0,0,1]] with axis=1, then without an axis.
    const rle mask{2, 9, {0, 1, 2, 1, 1, 1, 10, 2}};
    CHECK(encode_packed(std::vector<std::uint8_t>{0x80, 0x80, 0x60, 0x80}, 2, 9) == mask);
    CHECK(encode_packed(std::vector<std::uint8_t>{0x80, 0xB0, 0x40}, 2, 9, {.line_bits = 9}) == mask);
    CHECK(decode_packed(mask) == std::vector<std::uint8_t>{0x80, 0x80, 0x60, 0x80});
}

TEST_CASE("no pixels, and misuse") {
    CHECK(encode_packed({}, 0, 5).counts == std::vector<std::uint32_t>{0});
    CHECK(decode_packed(rle{5, 0, {0}}).empty());
    const std::vector<std::uint8_t> bytes(3);
    CHECK_EXPECTS(encode_packed(bytes, 2, 9), "3 bytes for a mask of 2 x 9");
    CHECK_EXPECTS(encode_packed(bytes, 2, 9, {.line_bits = 8}), "lines of 9 pixels in 8 bits");
    CHECK_EXPECTS(encode_packed(bytes, -2, 9), "negative");
    CHECK_EXPECTS(decode_packed(rle{2, 2, {5}}), "beyond the 4 pixels");
}

} // namespace
