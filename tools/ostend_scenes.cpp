// ostend_scenes: draws emoji scenes with captions and exact masks.
#include "io/files.hpp"
#include "io/image_file.hpp"
#include "io/progress.hpp"
#include "scenes/scene.hpp"
#include "scenes/scene_files.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

namespace {

int fail(const ostend::error& e) {
    std::fprintf(stderr, "ostend_scenes: %s\n", e.message().c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Draws scenes of two to four emoji on a background, with a caption and the exact mask of each\n"
        "object: scene_0000.png, scene_0001.png, ... and scenes.json. The same seed gives the same files."};
    std::string out;
    std::string aspect_text = "1:1";
    std::string font = ostend::scenes::default_font;
    std::uint64_t seed = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 30;
    app.add_option("--seed", seed, "which scenes; scene i of a seed does not depend on --count")->required();
    app.add_option("--count", count, "how many scenes")->check(CLI::Range(1, 1000000))->capture_default_str();
    app.add_option("--first", first, "number of the first scene")
        ->check(CLI::Range(0, 100000000))
        ->capture_default_str();
    app.add_option(
           "--aspect", aspect_text,
           "canvas, W:H up to 4:1; 144 pixels on the shorter side, objects as large in the model's view\n"
           "(padded to a square) as in square scenes")
        ->capture_default_str();
    app.add_option("--font", font, "Noto Color Emoji with bitmaps")->capture_default_str();
    app.add_option("--out", out, "folder to write; made if missing")->required();
    app.footer("Exit status: 0 done, 1 bad input, 100 and more bad arguments.");
    CLI11_PARSE(app, argc, argv);

    const auto aspect = ostend::scenes::parse_aspect(aspect_text);
    if (!aspect) {
        return fail(aspect.error());
    }
    const auto canvas = ostend::scenes::canvas_of(*aspect);
    if (!canvas) {
        return fail(canvas.error());
    }
    const auto glyphs = ostend::scenes::load_glyphs(font);
    if (!glyphs) {
        return fail(glyphs.error());
    }

    const std::filesystem::path folder(out);
    if (const auto possible = ostend_tools::check_writable(folder / "scenes.json"); !possible) {
        return fail(possible.error());
    }
    ostend_tools::progress progress("scenes", count);
    ostend_tools::json list = ostend_tools::json::array();
    for (std::uint64_t i = first; i < first + count; ++i) {
        const auto scene = ostend::scenes::make_scene(*glyphs, *canvas, seed, i);
        const std::string name = ostend::scenes::scene_file_name(i);
        const auto written = ostend_tools::write_file(folder / name, ostend_tools::encode_png(scene.image()));
        if (!written) {
            return fail(written.error());
        }
        list.push_back(ostend::scenes::to_json(scene, name));
        progress.step();
    }
    // The list goes last: a folder with scenes.json is complete.
    const auto written = ostend_tools::write_file(
        folder / "scenes.json",
        ostend_tools::dump_json(
            {{"generator", "ostend_scenes"}, {"seed", seed}, {"aspect", aspect_text}, {"scenes", list}}));
    if (!written) {
        return fail(written.error());
    }
    return 0;
}
