// prompted_scenes: what training/train_segmenter.py learns from: scenes, the masks of their objects, and the
// prompts that a language model's attention gives for them.
#include "io/files.hpp"
#include "io/npy.hpp"
#include "io/progress.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/mask/encode.hpp"
#include "scenes/scene.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace {

int fail(const ostend::error& e) {
    std::fprintf(stderr, "prompted_scenes: %s\n", e.message().c_str());
    return 1;
}

/// Proposes nothing but the whole image: the masks are not looked at here.
struct no_segmenter {
    [[nodiscard]] ostend::result<std::vector<std::vector<ostend::mask_candidate>>>
    segment(const ostend::image_view& image, std::span<const ostend::prompt> prompts) const {
        const auto pixels = static_cast<std::uint32_t>(image.extent(0) * image.extent(1));
        const ostend::mask_candidate all{{image.extent(0), image.extent(1), {0, pixels}}, 1.0F};
        return std::vector<std::vector<ostend::mask_candidate>>(prompts.size(), {all});
    }
};

std::string bytes_of(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Draws square scenes and reads their captions with a model. Writes images.npy [scenes, 144, 144, 3]\n"
        "and labels.npy [scenes, 144, 144] (bytes; object i of a scene is i + 1), and prompts.npy: a row of\n"
        "floats for each object: scene, object, the peak's x and y, the normalised map [image tokens]."};
    std::string model_dir;
    std::string out;
    std::uint64_t seed = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 1000;
    app.add_option("--model", model_dir, "folder of the language model")->required();
    app.add_option("--seed", seed, "which scenes, as ostend_scenes draws them")->required();
    app.add_option("--first", first, "number of the first scene")->capture_default_str();
    app.add_option("--count", count, "how many scenes")->check(CLI::Range(1, 20000))->capture_default_str();
    app.add_option("--out", out, "folder to write; made if missing")->required();
    CLI11_PARSE(app, argc, argv);

    const std::filesystem::path folder(out);
    if (const auto possible = ostend_tools::check_writable(folder / "images.npy"); !possible) {
        return fail(possible.error());
    }
    auto lmm = ostend_hosts::tiny_llava::load(model_dir);
    if (!lmm) {
        return fail(lmm.error());
    }
    const auto glyphs = ostend::scenes::load_glyphs();
    if (!glyphs) {
        return fail(glyphs.error());
    }

    const ostend::image_size canvas{.width = 144, .height = 144};
    const no_segmenter segmenter;
    std::string images;
    std::string labels;
    std::vector<float> prompts;
    ostend::index rows = 0;
    ostend_tools::progress progress("scenes", count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto scene = ostend::scenes::make_scene(*glyphs, canvas, seed, first + i);
        ostend::ground_options options;
        options.request.text = scene.caption;
        options.map_as_prior = false;
        const auto found = ostend::ground(scene.image(), *lmm, segmenter, options);
        if (!found) {
            return fail(found.error().in("scene " + std::to_string(first + i)));
        }
        images.append(reinterpret_cast<const char*>(scene.rgb.data()), scene.rgb.size());
        std::string label(static_cast<std::size_t>(canvas.area()), '\0');
        const ostend::text_index caption(found->caption);
        for (std::size_t k = 0; k < scene.objects.size(); ++k) {
            const auto& object = scene.objects[k];
            for (std::size_t p = 0; p < label.size(); ++p) {
                label[p] = object.mask.pixels[p] != 0 ? static_cast<char>(k + 1) : label[p];
            }
            const auto& kind = ostend::scenes::classes.at(static_cast<std::size_t>(object.class_index));
            for (const auto& p : found->phrases) {
                if (std::string(caption.substring(p.phrase.words)) == kind.phrase) {
                    prompts.insert(prompts.end(),
                                   {static_cast<float>(i), static_cast<float>(k),
                                    static_cast<float>(p.at.at.x), static_cast<float>(p.at.at.y)});
                    prompts.insert(prompts.end(), p.map.begin(), p.map.end());
                    ++rows;
                    break;
                }
            }
        }
        labels += label;
        progress.step();
    }

    ostend_tools::staged_files files;
    const auto scenes = static_cast<ostend::index>(count);
    const auto width = rows == 0 ? 0 : static_cast<ostend::index>(prompts.size()) / rows;
    using ostend::element_type;
    using ostend_tools::npy_array;
    for (const auto& [name, array] :
         {std::pair{"images.npy", npy_array{element_type::u8, {scenes, 144, 144, 3}, std::move(images)}},
          std::pair{"labels.npy", npy_array{element_type::u8, {scenes, 144, 144}, std::move(labels)}},
          std::pair{"prompts.npy", npy_array{element_type::f32, {rows, width}, bytes_of(prompts)}}}) {
        if (const auto added = files.add(folder / name, ostend_tools::npy_file(array)); !added) {
            return fail(added.error());
        }
    }
    if (const auto written = files.commit(); !written) {
        return fail(written.error());
    }
    return 0;
}
