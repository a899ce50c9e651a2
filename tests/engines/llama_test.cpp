// llama_cpp_host against the Eigen host on the same weights: tokens, maps, peaks, point accuracy, with and
// without flash attention, for every type of cached keys; the class-token defect met and mended; wrong files.
#include "engines/ggml_server.hpp"
#include "evaluate/evaluation.hpp"
#include "llama_cpp/llama_cpp_host.hpp"
#include "support/errors.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include "ostend/host/ground.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/peak/resample.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace {

using ostend_hosts::llama_cpp_host;
using ostend_hosts::llama_cpp_options;

const bool is_mended = std::getenv("OSTEND_MENDED") != nullptr; // the libmtmd that this run was given

std::string gguf(const std::string& name, const char* part) {
    return std::string(OSTEND_GGUF) + "/" + name + "/" + part + ".gguf";
}
llama_cpp_options files_of(const std::string& name) {
    return {.model = gguf(name, "model"), .mmproj = gguf(name, "mmproj"), .threads = 1};
}
llama_cpp_host load(const llama_cpp_options& options) {
    auto host = llama_cpp_host::load(options);
    REQUIRE_MESSAGE(host, ostend_test::complaint_of(host));
    return *std::move(host);
}
ostend_hosts::tiny_llava eigen(const std::string& name) {
    auto host = ostend_hosts::tiny_llava::load(std::string(OSTEND_SOURCE_DIR) + "/models/" + name);
    REQUIRE_MESSAGE(host, ostend_test::complaint_of(host));
    return *std::move(host);
}
std::vector<ostend_tools::known_scene> scenes() {
    auto all = ostend_tools::read_scenes(std::string(OSTEND_TEST_DATA) + "/scenes");
    REQUIRE_MESSAGE(all, ostend_test::complaint_of(all));
    return *std::move(all);
}
/// Points are looked at here, not masks: every prompt is answered with its own pixel.
struct pixel_segmenter {
    static ostend::result<std::vector<std::vector<ostend::mask_candidate>>>
    segment(const ostend::image_view& image, std::span<const ostend::prompt> prompts) {
        std::vector<std::vector<ostend::mask_candidate>> out;
        for (const ostend::prompt& p : prompts) {
            ostend::bitmap one(image.extent(0), image.extent(1));
            const auto& at = p.points.at(0).at;
            one(static_cast<ostend::index>(at.y), static_cast<ostend::index>(at.x)) = 1;
            out.push_back({{.mask = ostend::encode(one), .score = 1}});
        }
        return out;
    }
};

template <class Lmm>
ostend::grounding ground(Lmm& lmm, const ostend::image_view& image,
                         const ostend::ground_options& options = {}) {
    pixel_segmenter segmenter;
    auto found = ostend::ground(image, lmm, segmenter, options);
    REQUIRE_MESSAGE(found, ostend_test::complaint_of(found));
    return *std::move(found);
}
std::vector<std::int32_t> ids_of(const ostend::grounding& g) {
    std::vector<std::int32_t> ids;
    for (const auto& t : g.tokens) {
        ids.push_back(t.id);
    }
    return ids;
}
ostend::matrix<float> maps_of(const ostend::grounding& g) {
    auto maps = g.attention.maps();
    REQUIRE_MESSAGE(maps, ostend_test::complaint_of(maps));
    return *std::move(maps);
}
double difference(const ostend::matrix<float>& a, const ostend::matrix<float>& b) {
    REQUIRE((a.rows() == b.rows() && a.columns() == b.columns()));
    double worst = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i) {
        worst = std::max(worst,
                         std::abs(static_cast<double>(a.values()[i]) - static_cast<double>(b.values()[i])));
    }
    return worst;
}
/// Phrases whose peak lies elsewhere; those whose place is not as high, up to `tie`, in the other map too.
struct moved {
    ostend::index all = 0;
    ostend::index clearly = 0;
};
moved moved_peaks(const ostend::grounding& a, const ostend::grounding& b, double tie) {
    REQUIRE(a.phrases.size() == b.phrases.size());
    moved out;
    for (std::size_t i = 0; i < a.phrases.size(); ++i) {
        const auto& here = a.phrases[i].at.at;
        const auto& there = b.phrases[i].at.at;
        if (here.x == there.x && here.y == there.y) {
            continue;
        }
        ++out.all;
        const auto map = ostend::upsample(b.phrases[i].map, b.grid, b.conventions.peak);
        REQUIRE(map);
        out.clearly += static_cast<double>((*map)(there.y, there.x) - (*map)(here.y, here.x)) > tie ? 1 : 0;
    }
    return out;
}
double point_accuracy(const ostend_tools::evaluation& e) {
    return e.compute().at("point_accuracy").at("mean_token").get<double>();
}

/// All scenes on llama.cpp and on Eigen: what differs at most.
struct comparison {
    double maps = 0;
    ostend::index peaks_moved = 0;
    ostend::index peaks_wrong = 0; ///< and not because two places are as high
    ostend::index phrases = 0;
    ostend::index captions = 0; ///< that differ
    double points = 0;          ///< accuracy on llama.cpp
    double eigen_points = 0;
};
comparison compare(const std::string& name, const llama_cpp_options& options, ostend::recording mode) {
    auto there = load(options);
    static std::map<std::string, std::vector<ostend::grounding>> eigens; // the same for every comparison
    static const std::vector<ostend_tools::known_scene> all = scenes();
    if (eigens[name].empty()) {
        auto here = eigen(name);
        for (const auto& scene : all) {
            eigens[name].push_back(ground(here, scene.image.view()));
        }
    }
    ostend::ground_options how;
    how.request.recording.mode = mode;
    how.request.recording.flush_every = 5;
    comparison out;
    ostend_tools::evaluation theirs;
    ostend_tools::evaluation ours;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const ostend_tools::known_scene& scene = all[i];
        CAPTURE(scene.name);
        const auto a = ground(there, scene.image.view(), how);
        const ostend::grounding& b = eigens[name][i];
        REQUIRE(theirs.update(scene, a));
        REQUIRE(ours.update(scene, b));
        if (ids_of(a) != ids_of(b)) {
            ++out.captions;
            continue;
        }
        CHECK(a.caption == b.caption);
        out.maps = std::max(out.maps, difference(maps_of(a), maps_of(b)));
        const auto peaks = moved_peaks(a, b, 1e-3);
        out.peaks_moved += peaks.all;
        out.peaks_wrong += peaks.clearly;
        out.phrases += static_cast<ostend::index>(a.phrases.size());
    }
    out.points = point_accuracy(theirs);
    out.eigen_points = point_accuracy(ours);
    MESSAGE(name << std::string(options.flash_attention ? ", flash attention" : ", softmax") << ", keys "
                 << std::string(ggml_type_name(options.key_type)) << ": maps differ by " << out.maps << ", "
                 << out.peaks_moved << " of " << out.phrases << " peaks elsewhere, " << out.captions
                 << " other captions, points " << out.points << " (Eigen " << out.eigen_points << ")");
    return out;
}

std::string message_of(const llama_cpp_options& options) {
    const auto host = llama_cpp_host::load(options);
    return host ? "none" : host.error().message();
}
std::string read_bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
std::string write_bytes(const std::string& name, const std::string& bytes) {
    const std::string file = std::string(OSTEND_GGUF) + "/" + name + (is_mended ? "-mended" : "");
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
}
/// A string as GGUF has it: its length, its bytes.
std::string gguf_string(const std::string& text) {
    std::uint64_t size = text.size();
    std::string out(sizeof(size), '\0');
    std::memcpy(out.data(), &size, sizeof(size));
    return out + text;
}
/// The file with `after` in place of the one `before` that it holds.
std::string replaced(std::string bytes, const std::string& before, const std::string& after) {
    const std::size_t at = bytes.find(before);
    REQUIRE(at != std::string::npos);
    return bytes.replace(at, before.size(), after);
}
/// The file with other bytes in the value of a key; behind the key its type is named, 4 bytes.
template <class T>
std::string with_value(std::string bytes, const std::string& key, T value, std::size_t skip = 0) {
    const std::size_t at = bytes.find(gguf_string(key));
    REQUIRE_MESSAGE(at != std::string::npos, key);
    std::memcpy(bytes.data() + at + gguf_string(key).size() + 4 + skip, &value, sizeof(value));
    return bytes;
}

} // namespace

TEST_CASE("tiny-llava: captions, maps and peaks are those of the Eigen host, fused or not, kept or at once") {
    for (const bool fused : {true, false}) {
        for (const auto mode : {ostend::recording::online, ostend::recording::deferred}) {
            auto options = files_of("tiny-llava");
            options.flash_attention = fused;
            const auto found = compare("tiny-llava", options, mode);
            CHECK(found.captions == 0);
            CHECK(found.maps < 1e-3);
            CHECK(found.peaks_wrong == 0);
            CHECK(found.peaks_moved <= 2);
            CHECK(found.phrases > 60);
            CHECK(found.points == doctest::Approx(found.eigen_points));
        }
    }
}

TEST_CASE("cached keys of other types: the tolerance of each") {
    struct tolerance {
        ggml_type type;
        double maps;
        ostend::index captions;
    };
    for (const tolerance& t : {tolerance{GGML_TYPE_F32, 5e-4, 0}, tolerance{GGML_TYPE_BF16, 3e-3, 0},
                               tolerance{GGML_TYPE_Q8_0, 5e-3, 2}, tolerance{GGML_TYPE_Q4_0, 8e-2, 4}}) {
        for (const bool fused : {true, false}) {
            CAPTURE(std::string(ggml_type_name(t.type)) + (fused ? ", fused" : ", softmax"));
            auto options = files_of("tiny-llava");
            options.key_type = t.type;
            options.flash_attention = fused;
            const auto found = compare("tiny-llava", options, ostend::recording::online);
            CHECK(found.maps < t.maps);
            CHECK(found.captions <= t.captions);
            CHECK(std::abs(found.points - found.eigen_points) < 0.05);
            if (t.type == GGML_TYPE_F32) {
                CHECK(found.peaks_moved == 0);
            }
        }
    }
}

TEST_CASE("tiny-llava-clip: the maps follow the build that was met, and the points are as good") {
    for (const bool fused : {true, false}) {
        auto options = files_of("tiny-llava-clip");
        options.flash_attention = fused;
        auto host = load(options);
        CHECK(host.met().find(is_mended ? "stands where LLaVA has it" : "class-token defect") !=
              std::string::npos);
        CHECK(host.token_order().empty() == is_mended);
        const auto checked = host.check_layout({200, 120});
        REQUIRE(checked);
        CHECK_MESSAGE(checked->fault == ostend::layout_fault::none, checked->says);

        const auto found = compare("tiny-llava-clip", options, ostend::recording::online);
        CHECK(found.points > found.eigen_points - (is_mended ? 0.01 : 0.05));
        if (is_mended) {
            CHECK(found.captions == 0);
            CHECK(found.maps < 1e-3);
            CHECK(found.peaks_wrong == 0);
            CHECK(found.peaks_moved <= 2);
        }
    }
}

TEST_CASE("keys and queries in a device's memory: the maps are as good, some layers there or all") {
    // Another process' memory, which this one cannot read. llama.cpp finds a device once it is registered.
    static const ostend_test::ggml_server server;
    ggml_backend_register(server.registry());
    const auto all = scenes();
    auto here = eigen("tiny-llava");
    for (const bool fused : {true, false}) {
        for (const int layers : {2, 99}) {
            auto options = files_of("tiny-llava");
            options.flash_attention = fused;
            options.gpu_layers = layers;
            auto there = load(options);
            for (const auto mode : {ostend::recording::online, ostend::recording::deferred}) {
                CAPTURE(std::to_string(layers) + (fused ? " layers, fused" : " layers, softmax"));
                ostend::ground_options how;
                how.request.recording.mode = mode;
                how.request.recording.flush_every = 5;
                for (std::size_t i = 0; i < 2; ++i) {
                    const auto a = ground(there, all[i].image.view(), how);
                    const auto b = ground(here, all[i].image.view());
                    REQUIRE(ids_of(a) == ids_of(b));
                    CHECK(difference(maps_of(a), maps_of(b)) < 1e-3);
                }
            }
        }
    }
}

TEST_CASE("teacher-forced text, odd shapes, and no token that recording changes") {
    auto there = load(files_of("tiny-llava"));
    auto here = eigen("tiny-llava");
    ostend::ground_options how;
    for (const char* name : {"scene_0031", "scene_0000"}) {
        const auto all = scenes();
        const auto scene = std::find_if(
            all.begin(), all.end(), [&](const auto& s) { return s.name.find(name) != std::string::npos; });
        REQUIRE(scene != all.end());
        const auto off = there.generate(scene->image.view(), {.record = false});
        REQUIRE(off);
        const auto on = ground(there, scene->image.view());
        CHECK(off->attention.tokens() == 0);
        std::vector<std::int32_t> ids;
        for (const auto& t : off->tokens) {
            ids.push_back(t.id);
        }
        CHECK(ids == ids_of(on));

        how.request.text = scene->caption;
        const auto a = ground(there, scene->image.view(), how);
        const auto b = ground(here, scene->image.view(), how);
        CHECK(ids_of(a) == ids_of(b));
        CHECK(difference(maps_of(a), maps_of(b)) < 1e-3);
        CHECK(moved_peaks(a, b, 1e-3).clearly == 0);
    }
    const std::vector<std::uint8_t> bytes(3 * 4000, 90);
    for (const auto& [height, width] :
         std::vector<std::pair<ostend::index, ostend::index>>{{1, 2}, {1, 4000}, {4000, 1}}) {
        CHECK(there.generate({bytes.data(), {height, width, 3}}, {.max_tokens = 2}));
    }
}

TEST_CASE("one token, no token, too many, prompts without choice") {
    auto host = load(files_of("tiny-llava"));
    const auto image = scenes()[0].image;
    const auto said = [&](const ostend::generate_request& request) {
        const auto made = host.generate(image.view(), request);
        return made ? std::to_string(made->tokens.size()) + " tokens, " +
                          std::to_string(made->attention.tokens()) + " recorded"
                    : made.error().message();
    };
    CHECK(said({.max_tokens = 0}) == "0 tokens, 0 recorded");
    CHECK(said({.max_tokens = 1}) == "1 tokens, 1 recorded");
    CHECK(said({.text = ""}) == "1 tokens, 1 recorded");
    std::string endless;
    for (int i = 0; i < 400; ++i) {
        endless += " dog";
    }
    CHECK(said({.text = endless}).find("more than the model's 512 positions") != std::string::npos);
    CHECK(said({.prompt = "<image> and <image>"}).find("prompt: has more than one image") !=
          std::string::npos);
    CHECK(said({.prompt = "describe:<image>"}).find("prompt: ends with the image") != std::string::npos);
    const auto empty = host.generate({}, {});
    REQUIRE_FALSE(empty);
    CHECK(empty.error().message().find("image: an image of 0 x 0 pixels") != std::string::npos);
}

TEST_CASE("texts of more tokens than bytes, and pieces of any length") {
    const auto good = files_of("tiny-llava");
    const std::string model = read_bytes(good.model);
    const auto image = scenes()[0].image;
    auto options = good;
    { // without the piece of a space its three bytes are tokens
        options.model = write_bytes(
            "spaces.gguf", replaced(model, gguf_string("\xE2\x96\x81"), gguf_string("\xE2\x96\x82")));
        auto host = load(options);
        const auto made = host.generate(image.view(), {.text = "    "});
        REQUIRE_MESSAGE(made, ostend_test::complaint_of(made));
        CHECK(made->tokens.size() == 16); // the four, and the one that opens a text, and the end
        std::string said;
        for (const auto& t : made->tokens) {
            said += t.bytes;
        }
        CHECK(said == "\xE2\x96\x81\xE2\x96\x81\xE2\x96\x81\xE2\x96\x81\xE2\x96\x81");
    }
    auto plain = load(good);
    const auto short_words = plain.generate(image.view(), {});
    REQUIRE(short_words);
    std::size_t word = 1; // one that the prompt has no part of
    while (short_words->tokens.at(word).bytes.size() < 4 ||
           std::string(" describe:").find(short_words->tokens[word].bytes) != std::string::npos) {
        ++word;
    }
    const std::string bytes = short_words->tokens[word].bytes;
    const std::string more(320, 'x'); // a multiple of what tensors are aligned to
    REQUIRE(bytes.front() == ' ');
    const std::string piece = "\xE2\x96\x81" + bytes.substr(1);
    options.model = write_bytes("long.gguf", replaced(model, gguf_string(piece), gguf_string(piece + more)));
    auto host = load(options);
    const auto long_words = host.generate(image.view(), {});
    REQUIRE_MESSAGE(long_words, ostend_test::complaint_of(long_words));
    REQUIRE(long_words->tokens.size() == short_words->tokens.size());
    CHECK(long_words->tokens[word].id == short_words->tokens[word].id);
    CHECK(long_words->tokens[word].bytes == bytes + more);
}

TEST_CASE("wrong files are errors that name the file and what is wrong with it") {
    const auto good = files_of("tiny-llava");
    const auto with = [&](std::string model, std::string mmproj) {
        auto options = good;
        options.model = std::move(model);
        options.mmproj = std::move(mmproj);
        return message_of(options);
    };
    const auto contains = [](const std::string& text, const std::string& part) {
        CHECK_MESSAGE(text.find(part) != std::string::npos, text);
    };
    contains(with("nowhere.gguf", good.mmproj), "nowhere.gguf: cannot be read");
    contains(with(good.model, good.model),
             "model.gguf: is a model of architecture 'llama', not a vision tower");
    contains(with(good.mmproj, good.mmproj), "mmproj.gguf: is a vision tower (mmproj), not a language model");
    const std::string page = write_bytes("page.gguf", "<html></html>");
    contains(with(page, good.mmproj), "is no GGUF file");
    contains(with(good.model, page), "is no GGUF file");

    const std::string model = read_bytes(good.model);
    const std::string mmproj = read_bytes(good.mmproj);
    for (const std::size_t size :
         {std::size_t{100}, std::size_t{5000}, model.size() / 2, model.size() - 1000}) {
        const std::string cut = write_bytes("cut.gguf", model.substr(0, size));
        contains(with(cut, good.mmproj), "cut short");
    }
    for (const std::size_t size : {std::size_t{100}, mmproj.size() / 2, mmproj.size() - 1000}) {
        const std::string cut = write_bytes("cut.gguf", mmproj.substr(0, size));
        contains(with(good.model, cut), "cut short");
    }
    // Another width: a tower's file with other numbers in the same place.
    std::string narrow = mmproj;
    const std::size_t name = narrow.find("mm.2.weight");
    REQUIRE(name != std::string::npos);
    narrow[name + 11 + 4 + 8] = 96; // ne[1] of 192 becomes 96,
    narrow[name + 11 + 4 + 16] = 0; // and f16 f32, which is as many bytes
    contains(with(good.model, write_bytes("narrow.gguf", narrow)),
             "the features are 96 wide, but the language model reads 192");
    std::string other = mmproj;
    const std::size_t kind = other.find("clip.projector_type");
    REQUIRE(kind != std::string::npos);
    other.replace(kind + 19 + 4 + 8, 3, "ldp");
    contains(with(good.model, write_bytes("other.gguf", other)), "clip.projector_type: is 'ldp'");
}

TEST_CASE("numbers that llama.cpp would abort over are errors that name the file and the field") {
    struct damage {
        const char* key;
        std::uint32_t value;
        const char* said;
    };
    for (const char* name : {"tiny-llava", "tiny-llava-clip"}) {
        const auto good = files_of(name);
        const std::string model = read_bytes(good.model);
        const std::string mmproj = read_bytes(good.mmproj);
        const auto check = [&](const llama_cpp_options& options, const std::string& file,
                               const std::string& said) {
            const std::string message = message_of(options);
            CHECK_MESSAGE(message.find(file) != std::string::npos, message);
            CHECK_MESSAGE(message.find(said) != std::string::npos, message);
        };
        for (const damage& d :
             {damage{"llama.block_count", 0, "llama.block_count: is missing, or not a number from 1 to 512"},
              damage{"llama.block_count", 513, "llama.block_count"},
              damage{"llama.block_count", 0xffffffffU, "llama.block_count"},
              damage{"llama.context_length", 0,
                     "llama.context_length: is missing, or not a number from 1 to"},
              damage{"llama.context_length", 0x80000000U, "llama.context_length"},
              damage{"llama.context_length", 0xffffffffU, "from 1 to 2147483647"}}) {
            auto options = good;
            options.model = write_bytes("damaged.gguf", with_value(model, d.key, d.value));
            check(options, "damaged.gguf", d.said);
        }
        const std::string heads = "clip.vision.attention.head_count";
        for (const damage& d :
             {damage{heads.c_str(), 0,
                     "head_count: is missing, or no divisor of clip.vision.embedding_length"},
              damage{heads.c_str(), 5, "clip.vision.attention.head_count: "},
              damage{heads.c_str(), 0xffffffffU, "clip.vision.attention.head_count: "},
              damage{"clip.vision.embedding_length", 0, "clip.vision.embedding_length: is missing"},
              damage{"clip.vision.embedding_length", 64,
                     "v.patch_embd.weight: is of 12 x 12 x 3 x 192; clip.vision.patch_size is 12 and "
                     "embedding_length 64"},
              damage{"clip.vision.patch_size", 6, "v.patch_embd.weight: is of 12 x 12 x 3 x 192"},
              damage{"clip.vision.patch_size", 0, "clip.vision.image_size: is not a multiple"},
              damage{"clip.vision.image_size", 288, "v.position_embd.weight: is of 192 x 14"}, // 144 or 145
              damage{"clip.vision.image_size", 0, "clip.vision.image_size: is not a multiple"}}) {
            auto options = good;
            options.mmproj = write_bytes("damaged.gguf", with_value(mmproj, d.key, d.value));
            check(options, "damaged.gguf", d.said);
        }
        // An array: the type of its elements and their number stand before them.
        for (const std::string key : {"clip.vision.image_mean", "clip.vision.image_std"}) {
            for (const float value : {std::numeric_limits<float>::quiet_NaN(), 1e30F, 0.0F, -0.5F, 1.5F}) {
                auto options = good;
                options.mmproj = write_bytes("damaged.gguf", with_value(mmproj, key, value, 4 + 8 + 4));
                check(options, "damaged.gguf", key + ": is not three numbers above 0 and up to 1");
            }
        }
    }
}
