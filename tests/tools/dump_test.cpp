// dump: bytes there and back, what a listener collects against an oracle, and files that are cut or lie.
#include "dump/dump_listener.hpp"
#include "io/files.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include "ostend/attention/aggregate.hpp"
#include "ostend/attention/from_qk.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/peak/argmax.hpp"
#include "support/expects.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace {

using namespace ostend_tools;
using ostend::index;

/// Whether a result is an error that holds both parts.
template <class T>
bool says(const ostend::result<T>& outcome, const std::string& where, const std::string& what) {
    if (outcome) {
        return false;
    }
    const std::string said = outcome.error().message();
    const bool both = said.find(where) != std::string::npos && said.find(what) != std::string::npos;
    if (!both) {
        MESSAGE(said);
    }
    return both;
}

std::vector<float> random_floats(index count, std::mt19937& draw) {
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> out(static_cast<std::size_t>(count));
    for (float& v : out) {
        v = normal(draw);
    }
    return out;
}

/// A dump of an image of 5 x 4 pixels seen as 3 x 3 cells; tokens with split characters and a special one.
attention_dump small_dump(unsigned seed, bool rows) {
    std::mt19937 draw(seed);
    attention_dump d{.made_with = "a test", .image = {.height = 4, .width = 5, .pixels = {}}};
    for (int i = 0; i < 60; ++i) {
        d.image.pixels.push_back(static_cast<std::uint8_t>(draw()));
    }
    d.tokens = {{7, "Gr\xC3"}, {8, "\xBC\xC3\x9F"}, {-1, "e"}, {2, "</s>", true}};
    d.grid = ostend::geometry::llava_pad({.width = 5, .height = 4}, {.grid = 3, .cell = 2.5});
    d.grid.tokens.insert(d.grid.tokens.begin() + 3, {ostend::token_kind::newline, 0, 0, 0});
    if (rows) {
        dumped_rows a{
            .layers = 2, .heads = 3, .image_tokens = 10, .values = random_floats(4 * 2 * 3 * 10, draw)};
        for (float& v : a.values) {
            v = std::abs(v) / 100;
        }
        d.attention = a;
    } else {
        d.attention = dumped_queries{.layers = 2,
                                     .heads = 4,
                                     .kv_heads = 2,
                                     .head_dim = 3,
                                     .keys = 16,
                                     .q = random_floats(4 * 2 * 4 * 3, draw),
                                     .k = random_floats(2 * 16 * 2 * 3, draw),
                                     .visible = {13, 14, 15, 16},
                                     .image_keys = {1, 2, 3, 4, 5, 6, 7, 9, 10, 12},
                                     .scale = 0.5F,
                                     .softcap = 20.0F};
    }
    return d;
}

std::string bytes_of(const attention_dump& d) {
    auto bytes = dump_bytes(d);
    REQUIRE_MESSAGE(bytes, bytes.error().message());
    return *std::move(bytes);
}

void check_equal(const attention_dump& a, const attention_dump& b) {
    CHECK(a.made_with == b.made_with);
    CHECK(a.image.height == b.image.height);
    CHECK(a.image.width == b.image.width);
    CHECK(a.image.pixels == b.image.pixels);
    REQUIRE(a.tokens.size() == b.tokens.size());
    for (std::size_t t = 0; t < a.tokens.size(); ++t) {
        CHECK(a.tokens[t].id == b.tokens[t].id);
        CHECK(a.tokens[t].bytes == b.tokens[t].bytes);
        CHECK(a.tokens[t].special == b.tokens[t].special);
    }
    CHECK(a.grid == b.grid);
    CHECK(a.attention == b.attention);
}

/// The mean over layers and heads, one value after the other in double.
std::vector<double> oracle_maps(const attention_dump& d) {
    const auto image_tokens = static_cast<index>(d.grid.tokens.size());
    const auto tokens = static_cast<index>(d.tokens.size());
    std::vector<double> maps(static_cast<std::size_t>(tokens * image_tokens), 0.0);
    const auto add = [&](index token, index i, double value) {
        maps[static_cast<std::size_t>(token * image_tokens + i)] += value;
    };
    if (const auto* a = std::get_if<dumped_rows>(&d.attention)) {
        const double share = 1.0 / static_cast<double>(a->layers * a->heads);
        std::size_t at = 0;
        for (index t = 0; t < tokens; ++t) {
            for (index lh = 0; lh < a->layers * a->heads; ++lh) {
                for (index i = 0; i < image_tokens; ++i) {
                    add(t, i, share * static_cast<double>(a->values[at++]));
                }
            }
        }
        return maps;
    }
    const auto& a = std::get<dumped_queries>(d.attention);
    const double share = 1.0 / static_cast<double>(a.layers * a.heads);
    const double scale =
        a.scale != 0 ? static_cast<double>(a.scale) : 1.0 / std::sqrt(static_cast<double>(a.head_dim));
    for (index t = 0; t < tokens; ++t) {
        for (index layer = 0; layer < a.layers; ++layer) {
            for (index head = 0; head < a.heads; ++head) {
                std::vector<double> p;
                double sum = 0;
                for (index key = 0; key < a.visible[static_cast<std::size_t>(t)]; ++key) {
                    double dot = 0;
                    for (index x = 0; x < a.head_dim; ++x) {
                        const index q = ((t * a.layers + layer) * a.heads + head) * a.head_dim + x;
                        const index k =
                            ((layer * a.keys + key) * a.kv_heads + head / (a.heads / a.kv_heads)) *
                                a.head_dim +
                            x;
                        dot += static_cast<double>(a.q[static_cast<std::size_t>(q)]) *
                               static_cast<double>(a.k[static_cast<std::size_t>(k)]);
                    }
                    const double capped =
                        a.softcap > 0 ? a.softcap * std::tanh(scale * dot / a.softcap) : scale * dot;
                    p.push_back(std::exp(capped));
                    sum += p.back();
                }
                for (index i = 0; i < image_tokens; ++i) {
                    const index key = a.image_keys[static_cast<std::size_t>(i)];
                    add(t, i,
                        key < static_cast<index>(p.size()) ? share * p[static_cast<std::size_t>(key)] / sum
                                                           : 0);
                }
            }
        }
    }
    return maps;
}

void check_maps(const ostend::generation& said, const std::vector<double>& want) {
    const auto maps = said.attention.maps();
    REQUIRE_MESSAGE(maps, maps.error().message());
    REQUIRE(maps->values().size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
        REQUIRE(static_cast<double>(maps->values()[i]) == doctest::Approx(want[i]).epsilon(1e-5));
    }
}

/// A file's header as JSON, changed by f, over the same data.
template <class F>
std::string with_header(const std::string& file, F f) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    auto header = nlohmann::ordered_json::parse(file.substr(8, length));
    f(header);
    const std::string text = header.dump();
    const std::uint64_t now = text.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &now, 8);
    return out + text + file.substr(8 + length);
}

/// The value of a tensor overwritten where it lies.
template <class T>
std::string with_value(std::string file, const std::string& name, index at, T value) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    const auto header = nlohmann::json::parse(file.substr(8, length));
    const auto begin = header.at(name).at("data_offsets").at(0).get<std::size_t>();
    std::memcpy(file.data() + 8 + length + begin + static_cast<std::size_t>(at) * sizeof(T), &value,
                sizeof value);
    return file;
}

// ---- a host ---------------------------------------------------------------------------------------------

/// Decodes from given queries and keys [layers, keys, kv_heads, d] as a model would: the keys grow.
struct toy_host {
    const attention_dump& from;
    bool in_prefill = false; ///< all tokens as one block, begun two queries before the first token

    void run(ostend::recorder& r) const {
        const auto& a = std::get<dumped_queries>(from.attention);
        const auto tokens = static_cast<index>(from.tokens.size());
        const ostend::tensor_view<const float, 4> q(a.q.data(), {tokens, a.layers, a.heads, a.head_dim});
        const ostend::tensor_view<const float, 4> k(a.k.data(), {a.layers, a.keys, a.kv_heads, a.head_dim});
        const ostend::score_options score{.scale = a.scale, .softcap = a.softcap};
        for (int layer = 0; in_prefill && layer < a.layers; ++layer) {
            std::vector<ostend::visibility> visible;
            for (const index seen : a.visible) {
                visible.emplace_back(ostend::causal_limit{seen});
            }
            r.add(
                {.layer = layer, .token = 0},
                attention_rows(q.slice(1, layer), ostend::key_source::cell_major(k[layer]), score, visible));
        }
        for (index t = 0; !in_prefill && t < tokens; ++t) {
            step(r, t, q, k, score, a);
        }
    }
    static void step(ostend::recorder& r, index t, const ostend::tensor_view<const float, 4>& q,
                     const ostend::tensor_view<const float, 4>& k, const ostend::score_options& score,
                     const dumped_queries& a) {
        for (int layer = 0; layer < a.layers; ++layer) {
            const auto now = k[layer].range(0, 0, a.visible[static_cast<std::size_t>(t)]);
            r.add({.layer = layer, .token = t},
                  attention_row(q[t][layer], ostend::key_source::cell_major(now), score));
        }
    }
};

ostend::recorder_options options_of(const attention_dump& d, ostend::attention_listener* ear) {
    const auto& a = std::get<dumped_queries>(d.attention);
    return {.layers = static_cast<int>(a.layers),
            .heads = static_cast<int>(a.heads),
            .image = ostend::key_selection::from_indices(a.image_keys),
            .listener = ear};
}

TEST_CASE("what is written is read, to the bit, and written to the same bytes again") {
    for (unsigned seed = 0; seed < 6; ++seed) {
        const attention_dump d = small_dump(seed, seed % 2 == 0);
        const std::string bytes = bytes_of(d);
        const auto read = parse_dump(bytes, "d");
        REQUIRE_MESSAGE(read, read.error().message());
        check_equal(*read, d);
        CHECK(bytes_of(*read) == bytes);
    }
}

TEST_CASE("in f16 values are rounded and nothing else changes") {
    for (const bool rows : {true, false}) {
        const attention_dump d = small_dump(3, rows);
        const auto bytes = dump_bytes(d, ostend::element_type::f16);
        REQUIRE(bytes);
        CHECK(bytes->size() < bytes_of(d).size());
        const auto read = parse_dump(*bytes, "d");
        REQUIRE_MESSAGE(read, read.error().message());
        attention_dump rounded = d;
        const auto round = [](std::vector<float>& values) {
            for (float& v : values) {
                v = ostend::to_float(ostend::to_f16(v));
            }
        };
        if (rows) {
            round(std::get<dumped_rows>(rounded.attention).values);
        } else {
            round(std::get<dumped_queries>(rounded.attention).q);
            round(std::get<dumped_queries>(rounded.attention).k);
        }
        check_equal(*read, rounded);
    }
}

TEST_CASE("a replayed generation has the dump's tokens, layout and attention") {
    for (unsigned seed = 0; seed < 6; ++seed) {
        const attention_dump d = small_dump(seed, seed % 2 == 0);
        for (const auto mode : {ostend::recording::online, ostend::recording::deferred}) {
            const auto said = replay(d, {.mode = mode, .flush_every = 3});
            CHECK(said.tokens.size() == 4);
            CHECK(said.grid == d.grid);
            check_maps(said, oracle_maps(d));
        }
        const auto one_head = replay(d, {.heads_used = ostend::head_selection::pairs({{1, 0}})});
        CHECK(*one_head.attention.maps() != *replay(d).attention.maps());
    }
}

TEST_CASE("a value that is not finite is an error of its token, not of the file") {
    attention_dump d = small_dump(1, false);
    std::get<dumped_queries>(d.attention).q[2 * 2 * 4 * 3] = std::numeric_limits<float>::quiet_NaN();
    const auto read = parse_dump(bytes_of(d), "d");
    REQUIRE(read);
    CHECK(says(replay(*read).attention.maps(), "token 2 in layer 0", "not finite"));
}

TEST_CASE("a listener collects from any host: decoding, or all in the prefill") {
    for (unsigned seed = 0; seed < 4; ++seed) {
        const attention_dump d = small_dump(seed, false);
        const std::vector<double> want = oracle_maps(d);
        for (const bool in_prefill : {false, true}) {
            for (const auto content : {dump_content::queries, dump_content::rows}) {
                dump_listener ear(content);
                ostend::recorder r(options_of(d, &ear));
                toy_host{d, in_prefill}.run(r);
                const auto heard = ear.finish(d.image.view(), d.tokens, d.grid, d.made_with);
                REQUIRE_MESSAGE(heard, heard.error().message());
                CHECK(std::holds_alternative<dumped_rows>(heard->attention) ==
                      (content == dump_content::rows));
                if (content == dump_content::queries) {
                    check_equal(*heard, d);
                }
                check_maps(replay(*parse_dump(bytes_of(*heard), "d")), want);
            }
        }
    }
}

TEST_CASE("rows of a host are cut to the image's keys") {
    const attention_dump d = small_dump(4, true);
    const auto& a = std::get<dumped_rows>(d.attention);
    const ostend::tensor_view<const float, 4> rows(a.values.data(), {4, 2, 3, 10});
    dump_listener ear(dump_content::rows);
    ostend::recorder r({.layers = 2,
                        .heads = 3,
                        .image = ostend::key_selection({{.first = 1, .count = 4}, {.first = 6, .count = 6}}),
                        .listener = &ear});
    for (index t = 0; t < 4; ++t) {
        for (int layer = 0; layer < 2; ++layer) {
            ostend::matrix<double> whole(3, 14); // keys 0, 5, 12 and 13 are text
            for (index head = 0; head < 3; ++head) {
                for (index i = 0; i < 10; ++i) {
                    whole(head, i < 4 ? i + 1 : i + 2) = rows(t, layer, head, i);
                }
            }
            r.add({.layer = layer, .token = t}, whole);
        }
    }
    const auto heard = ear.finish(d.image.view(), d.tokens, d.grid, d.made_with);
    REQUIRE_MESSAGE(heard, heard.error().message());
    check_equal(*heard, d);
}

TEST_CASE("a token that is generated anew replaces the old one, its keys too") {
    const attention_dump d = small_dump(5, false);
    const attention_dump draft = small_dump(6, false);
    const auto& a = std::get<dumped_queries>(d.attention);
    auto rejected = std::get<dumped_queries>(draft.attention);
    for (index layer = 0; layer < 2; ++layer) { // the same prompt, other keys from the first token on
        const auto first = static_cast<std::ptrdiff_t>(layer * 16 * 6);
        std::copy_n(a.k.begin() + first, 13 * 6, rejected.k.begin() + first);
    }
    const auto view_q = [](const dumped_queries& of) {
        return ostend::tensor_view<const float, 4>(of.q.data(), {4, 2, 4, 3});
    };
    const auto view_k = [](const dumped_queries& of) {
        return ostend::tensor_view<const float, 4>(of.k.data(), {2, 16, 2, 3});
    };
    const ostend::score_options score{.scale = 0.5F, .softcap = 20.0F};
    dump_listener ear(dump_content::queries);
    ostend::recorder r(options_of(d, &ear));
    for (index t = 0; t < 4; ++t) {
        toy_host::step(r, t, view_q(rejected), view_k(rejected), score, rejected);
    }
    r.truncate(0);
    for (index t = 0; t < 4; ++t) {
        toy_host::step(r, t, view_q(a), view_k(a), score, a);
    }
    const auto heard = ear.finish(d.image.view(), d.tokens, d.grid, d.made_with);
    REQUIRE_MESSAGE(heard, heard.error().message());
    check_equal(*heard, d);
}

TEST_CASE("what a dump of queries cannot hold is refused with the way out") {
    const attention_dump d = small_dump(7, false);
    const auto& a = std::get<dumped_queries>(d.attention);
    const ostend::tensor_view<const float, 4> q(a.q.data(), {4, 2, 4, 3});
    const ostend::tensor_view<const float, 4> k(a.k.data(), {2, 16, 2, 3});
    const auto keys = ostend::key_source::cell_major(k[0]);
    const std::vector<float> four(4, 0.5F);
    const std::vector<float> mask(16, 0.0F);
    const auto heard = [&](auto&& feed) {
        dump_listener ear(dump_content::queries);
        ostend::recorder r(options_of(d, &ear));
        feed(r);
        return ear.finish(d.image.view(), d.tokens, d.grid, "");
    };
    const auto row = [&](const ostend::score_options& score, const ostend::visibility& visible) {
        return heard([&](ostend::recorder& r) { r.add({}, attention_row(q[0][0], keys, score, visible)); });
    };
    CHECK(says(row({.alibi_slopes = four}, ostend::all_keys{}), "dump", "ALiBi slopes or sinks; dump rows"));
    CHECK(says(row({.sinks = four}, ostend::all_keys{}), "dump", "ALiBi slopes or sinks; dump rows"));
    CHECK(says(row({}, ostend::additive_row{{mask.data(), {16}}}), "dump", "mask rows; dump rows"));
    CHECK(says(heard([&](ostend::recorder& r) {
                   r.add({.layer = 0}, attention_row(q[0][0], keys));
                   r.add({.layer = 1, .epoch = 1}, attention_row(q[0][1], keys));
               }),
               "dump", "places of the keys change"));
    CHECK(says(heard([&](ostend::recorder& r) {
                   r.add({.layer = 0}, attention_row(q[0][0], keys));
                   r.add({.layer = 1}, attention_row(q[0][1], keys), ostend::key_selection(2, 10));
               }),
               "dump", "places of the keys change"));
    CHECK(says(heard([&](ostend::recorder& r) { r.add({}, ostend::matrix<float>(4, 16)); }), "dump",
               "rows of attention, not queries"));
    CHECK(says(heard([&](ostend::recorder&) {}), "q", "nothing was recorded"));
    CHECK(says(heard([&](ostend::recorder& r) { r.add({.layer = 1}, attention_row(q[0][1], keys)); }), "q",
               "token 0 in layer 0 was not recorded"));
    CHECK(says(heard([&](ostend::recorder& r) { r.add({}, attention_row(q[0][0], keys)); }), "q",
               "token 1 in layer 0 was not recorded"));
}

TEST_CASE("a file whose parts do not fit names the tensor that does not") {
    const std::string rows = bytes_of(small_dump(0, true));
    const std::string qk = bytes_of(small_dump(0, false));
    const auto header = [](const std::string& file, auto f) {
        return parse_dump(with_header(file, f), "bad");
    };
    using json = nlohmann::ordered_json;

    CHECK(says(header(qk, [](json& h) { h["__metadata__"]["format"] = "pt"; }), "bad: __metadata__",
               "format 'pt'"));
    CHECK(says(header(qk, [](json& h) { h["__metadata__"]["version"] = "2"; }), "bad: __metadata__",
               "version '2'"));
    CHECK(says(header(qk, [](json& h) { h.erase("__metadata__"); }), "bad: __metadata__", "format ''"));
    for (const char* name : {"image", "token_ids", "token_ends", "token_special", "token_bytes", "views",
                             "image_tokens", "visible", "image_keys", "k"}) {
        CHECK(says(header(qk,
                          [&](json& h) {
                              h["gone"] = h[name];
                              h.erase(name);
                          }),
                   std::string("bad: ") + name, "no such tensor"));
    }
    CHECK(says(header(qk,
                      [&](json& h) {
                          h["gone"] = h["q"];
                          h.erase("q");
                      }),
               "bad: rows", "either rows or q and k"));
    CHECK(says(header(qk, [](json& h) { h["image"]["shape"] = {4, 15}; }), "bad: image", "3 extents"));
    CHECK(says(header(qk, [](json& h) { h["image"]["shape"] = {4, 3, 5}; }), "bad: image", "[4, 3, 3]"));
    CHECK(says(header(qk, [](json& h) { h["image"]["dtype"] = "I8"; }), "bad: image", "element type"));
    CHECK(
        says(header(qk, [](json& h) { h["token_ids"]["dtype"] = "F32"; }), "bad: token_ids", "element type"));
    CHECK(says(header(qk, [](json& h) { h["views"]["shape"] = {3, 3}; }), "bad: views", "[3, 9]"));
    CHECK(says(header(qk,
                      [](json& h) {
                          h["k"]["shape"] = {2, 8, 4, 3};
                      }),
               "bad: visible", "outside [1, 8]"));
    CHECK(says(header(qk, [](json& h) { h["q"]["shape"] = {4, 4, 2, 3}; }), "bad: k", "shape"));
    CHECK(says(header(qk, [](json& h) { h["q"]["shape"] = {4, 2, 3, 4}; }), "bad: k", "shape"));
    CHECK(says(header(qk,
                      [](json& h) {
                          h["q"]["shape"] = {4, 2, 6, 2};
                          h["k"]["shape"] = {2, 12, 4, 2};
                      }),
               "bad: k", "6 query heads for 4"));
    CHECK(says(header(qk, [](json& h) { h["q"]["dtype"] = "I32"; }), "bad: q", "whole numbers"));
    for (const auto& shape : {std::vector<int>{2, 4, 3, 10}, std::vector<int>{10, 2, 3, 4}}) {
        CHECK(says(header(rows, [&](json& h) { h["rows"]["shape"] = shape; }), "bad: rows", "is wanted"));
    }
    CHECK(says(header(rows, [](json& h) { h["rows"]["shape"] = {0, 2, 3, 10}; }), "bad: rows", "takes 0"));

    const auto value = [](const std::string& file, const char* name, index at, auto v) {
        return parse_dump(with_value(file, name, at, v), "bad");
    };
    CHECK(says(value(qk, "token_ends", 1, std::int64_t{2}), "bad: token_ends", "token 1 ends at byte 2"));
    CHECK(says(value(qk, "token_ends", 3, std::int64_t{1} << 60), "bad: token_bytes", "is wanted"));
    CHECK(says(value(qk, "token_ends", 1, std::int64_t{-1}), "bad: token_ends", "ends at byte -1"));
    CHECK(says(value(qk, "visible", 2, std::int64_t{0}), "bad: visible", "0 lies outside [1, 16] (at 2)"));
    CHECK(says(value(qk, "visible", 2, std::int64_t{17}), "bad: visible", "17 lies outside"));
    CHECK(says(value(qk, "image_keys", 9, std::int64_t{16}), "bad: image_keys", "16 lies outside [0, 15]"));
    CHECK(says(value(qk, "image_keys", 0, std::int64_t{-1}), "bad: image_keys", "-1 lies outside"));
    CHECK(says(value(qk, "score", 0, std::numeric_limits<float>::infinity()), "bad: score", "not finite"));
    CHECK(says(value(qk, "score", 1, -1.0F), "bad: score", "negative"));
    CHECK(says(value(qk, "image_tokens", 0, std::int32_t{5}), "bad: image_tokens", "no kind 5"));
    CHECK(
        says(value(qk, "image_tokens", 2, std::int32_t{3}), "bad: image_tokens", "outside the view's grid"));
    CHECK(says(value(qk, "image_tokens", 1, std::int32_t{1}), "bad: image_tokens", "view 1 does not exist"));
    CHECK(says(value(qk, "image_tokens", 7, std::int32_t{0}), "bad: image_tokens", "the same cell"));
    CHECK(says(value(qk, "views", 0, 0.0), "bad: views", "scales"));
    CHECK(says(value(qk, "views", 0, 1e-300), "bad: views", "within"));
    CHECK(says(value(qk, "views", 1, 1e300), "bad: views", "within"));
    CHECK(says(value(qk, "views", 4, 2.5), "bad: views", "whole numbers, not 2.5"));
    CHECK(says(value(qk, "views", 5, 1e300), "bad: views", "whole numbers"));
    CHECK(says(value(qk, "views", 4, std::nan("")), "bad: views", "whole numbers"));
    CHECK(says(value(qk, "views", 7, -1.0), "bad: views", "sides"));
}

TEST_CASE("a dump that does not hold together is not written") {
    attention_dump d = small_dump(0, true);
    d.grid.original.width = 6;
    CHECK(says(dump_bytes(d), "image", "another size"));
    d = small_dump(0, true);
    d.tokens.clear();
    CHECK(says(dump_bytes(d), "token_ids", "no token"));
    d = small_dump(0, true);
    std::get<dumped_rows>(d.attention).layers = 3;
    CHECK(says(dump_bytes(d), "rows", "240 values are not"));
    d = small_dump(0, true);
    d.image.pixels.pop_back();
    CHECK(says(dump_bytes(d), "image", "height * width * 3"));
    d = small_dump(0, true);
    d.grid.views.clear();
    d.grid.tokens.assign(10, {ostend::token_kind::marker, 0, 0, 0});
    CHECK(says(dump_bytes(d), "views", "no view"));
    d = small_dump(0, false);
    std::get<dumped_queries>(d.attention).heads = 1 << 30;
    CHECK(says(dump_bytes(d), "attention", "2^20"));
    CHECK_EXPECTS(dump_bytes(d, ostend::element_type::u8), "f32 or f16");
}

TEST_CASE("cut anywhere, or with bits flipped, a file is refused or as good as any other") {
    for (const bool rows : {true, false}) {
        const std::string whole = bytes_of(small_dump(9, rows));
        for (std::size_t length = 0; length < whole.size(); length += length < 200 ? 1 : 7) {
            CHECK_FALSE(parse_dump(whole.substr(0, length), "cut").has_value());
        }
        std::mt19937 draw(11);
        int survived = 0;
        for (int round = 0; round < 3000; ++round) {
            std::string bytes = whole;
            for (unsigned flips = 1 + draw() % 3; flips > 0; --flips) {
                bytes[draw() % bytes.size()] ^= static_cast<char>(1U << draw() % 8);
            }
            const auto read = parse_dump(std::move(bytes), "flipped");
            if (!read) {
                CHECK_FALSE(read.error().message().empty());
                continue;
            }
            ++survived; // then every later step works or says why not
            const auto said = replay(*read);
            const auto maps = said.attention.maps();
            if (maps) {
                const auto peak = find_peak(maps->row(0), said.grid);
                CHECK((!peak || (peak->at.x >= 0 && peak->at.x < 5 && peak->at.y < 4)));
            }
            CHECK(dump_bytes(*read));
        }
        CHECK(survived > 100);
    }
}

TEST_CASE("a dump that Python wrote is read (dump_python_test.py compares its bytes)") {
    const auto d = read_dump(std::filesystem::path(OSTEND_TEST_DATA) / "dump/python.safetensors");
    REQUIRE_MESSAGE(d, d.error().message());
    CHECK(d->made_with == "größer, in Python");
    CHECK(d->image.view().load(2, 3, 0) == 33);
    REQUIRE(d->tokens.size() == 3);
    CHECK(d->tokens[1].bytes == "ü");
    CHECK(d->tokens[1].id == -1);
    CHECK(d->grid == ostend::geometry::stretch({.width = 4, .height = 3}, {2, 3, 1, 1}));
    const auto maps = *replay(*d).attention.maps();
    for (index t = 0; t < 3; ++t) {
        for (index i = 0; i < 6; ++i) { // the mean of rows t * 12 + i and t * 12 + 6 + i
            CHECK(maps(t, i) == static_cast<float>(t * 12 + i + 3) / 256);
        }
    }
}

TEST_CASE("the checked-in dumps are what the model gives") {
    const std::filesystem::path root = OSTEND_SOURCE_DIR;
    const auto image = read_image(root / "tests/data/scenes/scene_0030.png");
    REQUIRE_MESSAGE(image, image.error().message());
    const auto model = ostend_hosts::tiny_llava::load(root / "models/tiny-llava");
    REQUIRE_MESSAGE(model, model.error().message());
    for (const auto& [file, content] : {std::pair{"broccoli_queries.safetensors", dump_content::queries},
                                        std::pair{"broccoli_rows.safetensors", dump_content::rows}}) {
        dump_listener ear(content);
        ostend::generate_request request;
        request.recording.listener = &ear;
        const auto said = model->generate(image->view(), request);
        REQUIRE_MESSAGE(said, said.error().message());
        const auto now = ear.finish(image->view(), said->tokens, said->grid, "");
        REQUIRE_MESSAGE(now, now.error().message());
        const auto then = read_dump(root / "examples/data" / file);
        REQUIRE_MESSAGE(then, then.error().message());
        REQUIRE(then->tokens.size() == now->tokens.size());
        for (std::size_t t = 0; t < now->tokens.size(); ++t) {
            CHECK(then->tokens[t].bytes == now->tokens[t].bytes);
        }
        CHECK(then->image.pixels == image->pixels);
        CHECK(then->grid == now->grid);
        const auto before = *replay(*then).attention.maps();
        const auto after = *said->attention.maps();
        REQUIRE(before.values().size() == after.values().size());
        for (std::size_t i = 0; i < before.values().size(); ++i) {
            REQUIRE(std::abs(before.values()[i] - after.values()[i]) < 2e-6F);
        }
    }
}

} // namespace
