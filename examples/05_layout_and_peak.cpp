// 05: layout and peak. From a phrase's map to a pixel of the image as you gave it.
//
// The model saw 216 x 144 pixels pasted into a square and cut into 12 x 12 cells. The layout remembers how,
// so the way back needs no thought: the map is upsampled onto the ORIGINAL image, and its peak is a pixel
// there. Before that the mean map of all tokens is taken away: what all look at tells nothing about one.
//
// Prints where each phrase points; draws the map of "a broccoli" and its peak (05.png).
#include "dump/dump.hpp"
#include "io/files.hpp"
#include "ostend/attention/normalise.hpp"
#include "ostend/peak/maxima.hpp"
#include "ostend/phrase/group.hpp"
#include "ostend/phrase/noun_phrases.hpp"
#include "ostend/phrase/token_spans.hpp"
#include "ostend/report/overlay.hpp"

#include <cstdio>

int main() {
    const auto dump = *ostend_tools::read_dump(EXAMPLE_DATA "/broccoli_rows.safetensors");
    const auto said = ostend_tools::replay(dump);
    const auto phrases = ostend::noun_phrases(ostend::join_text(said.tokens)).kept;
    const auto token_maps = *said.attention.maps();
    const auto raw = *ostend::phrase_maps(token_maps, ostend::token_spans(said.tokens), phrases);
    const auto maps = ostend::subtract_mean(raw, token_maps);

    const ostend::layout& layout = said.grid;
    const ostend::grid_view& square = layout.views[0]; // LLaVA shows the image once; others show tiles too
    const auto corner = to_model(square, ostend::point_in<ostend::original_frame>{0, 0});
    std::printf("the image's corner lies at (%g, %g) of the model's %g x %g pixels\n", corner.x, corner.y,
                static_cast<double>(square.columns) * square.cell_width,
                static_cast<double>(square.rows) * square.cell_height);
    const auto box = cell_box(layout, 6 * 12 + 1);
    std::printf("the cell in row 6, column 1 shows x %g to %g, y %g to %g\n", box.x0, box.x1, box.y0, box.y1);

    for (std::size_t i = 0; i < phrases.size(); ++i) {
        const ostend::peak peak = *ostend::find_peak(maps.row(i), layout);
        std::printf("%-18s points at (%td, %td), confidence %.2f\n", phrases[i].text.c_str(), peak.at.x,
                    peak.at.y, peak.confidence);
    }
    for (const ostend::peak& peak : *ostend::find_peaks(maps.row(1), layout, {.count = 3})) {
        std::printf("  a peak of its map  (%td, %td), height %.3f\n", peak.at.x, peak.at.y,
                    static_cast<double>(peak.value));
    }

    ostend::picture picture = ostend::shrink(dump.image.view(), 216); // its own size, as a picture
    compose(picture, ostend::heat_layer(*ostend::upsample(maps.row(0), layout)));
    const auto centre = ostend::find_peak(maps.row(0), layout)->at.centre();
    draw_peak(picture, centre.x, centre.y);
    const auto png = ostend_tools::encode_png(picture.bytes.data(), picture.width, picture.height, 3);
    return ostend_tools::write_file("05.png", png) ? 0 : 1;
}
