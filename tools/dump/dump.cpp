#include "dump/dump.hpp"

#include "io/files.hpp"
#include "io/json.hpp"
#include "tiny_llava/safetensors.hpp"

#include "ostend/geometry/grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

namespace ostend_tools {
namespace {

using ostend::element_type;
using ostend::error;
using ostend::index;
using ostend::result;
using ostend::status;
using ostend_hosts::safetensors;
using shape = std::vector<index>;

constexpr const char* format_name = "ostend.dump";
constexpr const char* format_version = "1";

std::string text(const shape& extents) {
    std::string out = "[";
    for (const index extent : extents) {
        out += (out.size() > 1 ? ", " : "") + std::to_string(extent);
    }
    return out + "]";
}

std::size_t count(index n) { return static_cast<std::size_t>(n); }

/// Whether n is the product of the extents; no product is formed, so none overflows.
bool is_size(std::size_t n, const shape& extents) {
    for (const index extent : extents) {
        if (extent < 1 || n % count(extent) != 0) {
            return false;
        }
        n /= count(extent);
    }
    return n == 1;
}

// ---- reading --------------------------------------------------------------------------------------------

/// Tensors by name. The first error stays; what is read after it is empty.
class tensor_reader {
public:
    explicit tensor_reader(const safetensors& file) : file_(file) {}

    [[nodiscard]] const std::optional<error>& failure() const { return failure_; }
    [[nodiscard]] bool has(const std::string& name) const { return file_.entries().count(name) != 0; }

    /// The shape of a tensor of that rank whose extents are all at least 1.
    shape shape_of(const std::string& name, std::size_t rank) {
        const auto found = file_.entries().find(name);
        if (found == file_.entries().end()) {
            fail(name, "there is no such tensor");
            return shape(rank);
        }
        const shape& extents = found->second.shape;
        if (extents.size() != rank || std::find(extents.begin(), extents.end(), 0) != extents.end()) {
            fail(name, "shape " + text(extents) + " where " + std::to_string(rank) +
                           " extents of at least 1 are wanted");
            return shape(rank);
        }
        return extents;
    }

    /// Whole numbers of exactly this type.
    template <class T>
    std::vector<T> numbers(const std::string& name, element_type type, const shape& extents) {
        const auto found = file_.entries().find(name);
        if (failure_) {
            return {};
        }
        if (found == file_.entries().end() || found->second.type != type || found->second.shape != extents) {
            fail(name, found == file_.entries().end() ? "there is no such tensor"
                       : found->second.type != type
                           ? "is of another element type than the format says"
                           : "shape " + text(found->second.shape) + " where " + text(extents) + " is wanted");
            return {};
        }
        const std::string_view bytes = file_.bytes(found->second);
        std::vector<T> out(bytes.size() / sizeof(T));
        if (!out.empty()) {
            std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
        }
        return out;
    }

    /// F16, BF16, F32 or F64, widened.
    std::vector<float> floats(const std::string& name, const shape& extents) {
        if (failure_) {
            return {};
        }
        auto values = file_.values(name, extents);
        if (!values) {
            failure_ = values.error();
            return {};
        }
        return *std::move(values);
    }

    void fail(const std::string& name, std::string what) {
        if (!failure_) {
            failure_ = error{.what = std::move(what), .field = file_.file() + ": " + name};
        }
    }

private:
    const safetensors& file_;
    std::optional<error> failure_;
};

std::vector<ostend::token_text> read_tokens(tensor_reader& in) {
    const index tokens = in.shape_of("token_ids", 1)[0];
    const auto ids = in.numbers<std::int32_t>("token_ids", element_type::i32, {tokens});
    const auto ends = in.numbers<std::int64_t>("token_ends", element_type::i64, {tokens});
    const auto special = in.numbers<std::uint8_t>("token_special", element_type::u8, {tokens});
    const auto size = ends.empty() ? 0 : static_cast<index>(ends.back());
    const auto bytes = in.numbers<char>("token_bytes", element_type::u8, {size});
    std::vector<ostend::token_text> out;
    std::int64_t begin = 0;
    for (std::size_t t = 0; t < count(tokens) && !in.failure(); ++t) {
        if (ends[t] < begin || ends[t] > size) {
            in.fail("token_ends", "token " + std::to_string(t) + " ends at byte " + std::to_string(ends[t]) +
                                      ", before it begins or after the text");
            break;
        }
        out.push_back({ids[t], std::string(bytes.data() + begin, bytes.data() + ends[t]), special[t] != 0});
        begin = ends[t];
    }
    return out;
}

/// A whole number in a tensor of F64, within [0, 2^31).
index whole(tensor_reader& in, double value) {
    if (!(value >= 0 && value < 0x1p31 && value == std::floor(value))) {
        in.fail("views", "rows, columns and images are whole numbers, not " + std::to_string(value));
        return 0;
    }
    return static_cast<index>(value);
}

ostend::layout read_layout(tensor_reader& in, ostend::image_size image) {
    ostend::layout grid{.original = image};
    const index views = in.shape_of("views", 2)[0];
    const auto v = in.numbers<double>("views", element_type::f64, {views, 9});
    for (std::size_t i = 0; i < v.size(); i += 9) {
        grid.views.push_back({.x = {v[i], v[i + 1]},
                              .y = {v[i + 2], v[i + 3]},
                              .rows = whole(in, v[i + 4]),
                              .columns = whole(in, v[i + 5]),
                              .cell_width = v[i + 6],
                              .cell_height = v[i + 7],
                              .image = static_cast<int>(whole(in, v[i + 8]))});
    }
    const index tokens = in.shape_of("image_tokens", 2)[0];
    const auto place = in.numbers<std::int32_t>("image_tokens", element_type::i32, {tokens, 4});
    for (std::size_t i = 0; i < place.size(); i += 4) {
        if (place[i] < 0 || place[i] > static_cast<int>(ostend::token_kind::reg)) {
            in.fail("image_tokens", "there is no kind " + std::to_string(place[i]));
            break;
        }
        grid.tokens.push_back(
            {static_cast<ostend::token_kind>(place[i]), place[i + 1], place[i + 2], place[i + 3]});
    }
    return grid;
}

dumped_rows read_rows(tensor_reader& in, const attention_dump& dump) {
    const shape s = in.shape_of("rows", 4);
    const auto tokens = static_cast<index>(dump.tokens.size());
    const auto image_tokens = static_cast<index>(dump.grid.tokens.size());
    return {.layers = s[1],
            .heads = s[2],
            .image_tokens = image_tokens,
            .values = in.floats("rows", {tokens, s[1], s[2], image_tokens})};
}

dumped_queries read_queries(tensor_reader& in) {
    const shape q = in.shape_of("q", 4);
    const shape k = in.shape_of("k", 4);
    const auto to_indices = [](const std::vector<std::int64_t>& from) {
        return std::vector<index>(from.begin(), from.end());
    };
    dumped_queries out{.layers = q[1],
                       .heads = q[2],
                       .kv_heads = k[2],
                       .head_dim = q[3],
                       .keys = k[1],
                       .q = in.floats("q", q),
                       .k = in.floats("k", {q[1], k[1], k[2], q[3]})};
    out.visible = to_indices(in.numbers<std::int64_t>("visible", element_type::i64, {q[0]}));
    const index image_tokens = in.shape_of("image_keys", 1)[0];
    out.image_keys = to_indices(in.numbers<std::int64_t>("image_keys", element_type::i64, {image_tokens}));
    if (in.has("score")) {
        const auto score = in.floats("score", {2});
        out.scale = score.empty() ? 0 : score[0];
        out.softcap = score.empty() ? 0 : score[1];
    }
    return out;
}

// ---- checking -------------------------------------------------------------------------------------------

status check_layout(const attention_dump& dump) {
    const ostend::layout& grid = dump.grid;
    if (grid.original != ostend::image_size{dump.image.width, dump.image.height}) {
        return error{"the layout is of an image of another size", "image"};
    }
    if (const status good = validate(grid); !good) {
        const bool of_tokens = good.error().field == "tokens";
        return error{good.error().what, of_tokens ? "image_tokens" : good.error().field, good.error().at};
    }
    if (grid.views.empty() || grid.tokens.empty()) {
        return error{"there is no view or no image token", "views"};
    }
    // Beyond these no picture lies, and the arithmetic of single precision stays safe within them.
    const auto sane = [](double v) { return v > 1e-6 && v < 1e6; };
    for (std::size_t i = 0; i < grid.views.size(); ++i) {
        const ostend::grid_view& v = grid.views[i];
        if (!sane(v.x.scale) || !sane(v.y.scale) || !sane(v.cell_width) || !sane(v.cell_height) ||
            std::abs(v.x.shift) > 1e9 || std::abs(v.y.shift) > 1e9) {
            return error{"scales and cells lie within [1e-6, 1e6], shifts within 1e9", "views", i};
        }
    }
    return ostend::success{};
}

status check_model(index layers, index heads) {
    constexpr index most = index{1} << 20;
    if (layers < 1 || heads < 1 || layers > most || heads > most) {
        return error{std::to_string(layers) + " layers and " + std::to_string(heads) +
                         " heads; wanted are 1 to 2^20 of each",
                     "attention"};
    }
    return ostend::success{};
}

status check_attention(const dumped_rows& rows, index tokens, index image_tokens) {
    if (const status good = check_model(rows.layers, rows.heads); !good) {
        return good;
    }
    const shape wanted{tokens, rows.layers, rows.heads, image_tokens};
    if (rows.image_tokens != image_tokens || !is_size(rows.values.size(), wanted)) {
        return error{std::to_string(rows.values.size()) +
                         " values are not [tokens, layers, heads, image_tokens] = " + text(wanted),
                     "rows"};
    }
    return ostend::success{};
}

status check_attention(const dumped_queries& a, index tokens, index image_tokens) {
    if (const status good = check_model(a.layers, a.heads); !good) {
        return good;
    }
    if (a.kv_heads < 1 || a.heads % a.kv_heads != 0 || a.head_dim < 1 || a.keys < 1) {
        return error{std::to_string(a.heads) + " query heads for " + std::to_string(a.kv_heads) +
                         " key/value heads of size " + std::to_string(a.head_dim) + ", " +
                         std::to_string(a.keys) + " keys",
                     "k"};
    }
    const shape q{tokens, a.layers, a.heads, a.head_dim};
    const shape k{a.layers, a.keys, a.kv_heads, a.head_dim};
    if (!is_size(a.q.size(), q)) {
        return error{std::to_string(a.q.size()) +
                         " values are not [tokens, layers, heads, head_dim] = " + text(q),
                     "q"};
    }
    if (!is_size(a.k.size(), k)) {
        return error{std::to_string(a.k.size()) +
                         " values are not [layers, keys, kv_heads, head_dim] = " + text(k),
                     "k"};
    }
    const auto all_within = [&](const std::vector<index>& values, const char* name, index wanted, index least,
                                index most) -> status {
        if (values.size() != count(wanted)) {
            return error{std::to_string(values.size()) + " numbers; wanted are " + std::to_string(wanted),
                         name};
        }
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] < least || values[i] > most) {
                return error{std::to_string(values[i]) + " lies outside [" + std::to_string(least) + ", " +
                                 std::to_string(most) + "]",
                             name, i};
            }
        }
        return ostend::success{};
    };
    if (const status good = all_within(a.visible, "visible", tokens, 1, a.keys); !good) {
        return good;
    }
    if (const status good = all_within(a.image_keys, "image_keys", image_tokens, 0, a.keys - 1); !good) {
        return good;
    }
    if (!std::isfinite(a.scale) || !std::isfinite(a.softcap) || a.softcap < 0) {
        return error{"the scale is not finite, or the soft cap is negative or not finite", "score"};
    }
    return ostend::success{};
}

// ---- writing --------------------------------------------------------------------------------------------

/// Tensors by name; as usual in safetensors, those of large elements lie first, so that all are aligned.
class tensor_writer {
public:
    void metadata(const std::string& key, const std::string& value) { header_["__metadata__"][key] = value; }
    template <class T>
    void add(const std::string& name, const char* dtype, const shape& extents, const std::vector<T>& values) {
        const std::size_t size = values.size() * sizeof(T);
        tensors_.push_back({name, dtype, extents, sizeof(T), std::string(size, '\0')});
        if (size > 0) {
            std::memcpy(tensors_.back().bytes.data(), values.data(), size);
        }
    }
    void add_floats(const std::string& name, element_type type, const shape& extents,
                    const std::vector<float>& values) {
        if (type == element_type::f32) {
            return add(name, "F32", extents, values);
        }
        std::vector<ostend::f16> rounded;
        for (const float v : values) {
            rounded.push_back(ostend::to_f16(v));
        }
        add(name, "F16", extents, rounded);
    }
    [[nodiscard]] std::string bytes() {
        std::sort(tensors_.begin(), tensors_.end(), [](const tensor& a, const tensor& b) {
            return a.element != b.element ? a.element > b.element : a.name < b.name;
        });
        std::string data;
        for (const tensor& t : tensors_) {
            const std::size_t begin = data.size();
            data += t.bytes;
            header_[t.name] = {
                {"dtype", t.dtype}, {"shape", t.extents}, {"data_offsets", {begin, data.size()}}};
        }
        std::string header = header_.dump(-1, ' ', false, json::error_handler_t::replace);
        header.resize((header.size() + 7) / 8 * 8, ' ');
        const std::uint64_t length = header.size(); // little-endian, as is every machine that we build for
        std::string out(sizeof length, '\0');
        std::memcpy(out.data(), &length, sizeof length);
        return out + header + data;
    }

private:
    struct tensor {
        std::string name;
        std::string dtype;
        shape extents;
        std::size_t element;
        std::string bytes;
    };
    json header_ = {{"__metadata__", json::object()}};
    std::vector<tensor> tensors_;
};

void write_tokens(tensor_writer& out, const std::vector<ostend::token_text>& tokens) {
    std::vector<std::int32_t> ids;
    std::vector<std::int64_t> ends;
    std::vector<std::uint8_t> special;
    std::vector<char> bytes;
    for (const ostend::token_text& token : tokens) {
        ids.push_back(token.id);
        bytes.insert(bytes.end(), token.bytes.begin(), token.bytes.end());
        ends.push_back(static_cast<std::int64_t>(bytes.size()));
        special.push_back(token.special ? 1 : 0);
    }
    const auto n = static_cast<index>(tokens.size());
    out.add("token_ends", "I64", {n}, ends);
    out.add("token_ids", "I32", {n}, ids);
    out.add("token_special", "U8", {n}, special);
    out.add("token_bytes", "U8", {static_cast<index>(bytes.size())}, bytes);
}

void write_layout(tensor_writer& out, const ostend::layout& grid) {
    std::vector<double> views;
    for (const ostend::grid_view& v : grid.views) {
        for (const double value :
             {v.x.scale, v.x.shift, v.y.scale, v.y.shift, static_cast<double>(v.rows),
              static_cast<double>(v.columns), v.cell_width, v.cell_height, static_cast<double>(v.image)}) {
            views.push_back(value);
        }
    }
    std::vector<std::int32_t> places;
    for (const ostend::layout_token& t : grid.tokens) {
        for (const index value : {static_cast<index>(t.kind), index{t.view}, t.row, t.column}) {
            places.push_back(static_cast<std::int32_t>(value));
        }
    }
    out.add("views", "F64", {static_cast<index>(grid.views.size()), 9}, views);
    out.add("image_tokens", "I32", {static_cast<index>(grid.tokens.size()), 4}, places);
}

void write_attention(tensor_writer& out, const dumped_rows& a, const attention_dump& dump,
                     element_type type) {
    const auto tokens = static_cast<index>(dump.tokens.size());
    const auto image_tokens = static_cast<index>(dump.grid.tokens.size());
    out.add_floats("rows", type, {tokens, a.layers, a.heads, image_tokens}, a.values);
}

void write_attention(tensor_writer& out, const dumped_queries& a, const attention_dump& dump,
                     element_type type) {
    const auto tokens = static_cast<index>(dump.tokens.size());
    const auto image_tokens = static_cast<index>(dump.grid.tokens.size());
    const auto to_i64 = [](const std::vector<index>& from) {
        return std::vector<std::int64_t>(from.begin(), from.end());
    };
    out.add("visible", "I64", {tokens}, to_i64(a.visible));
    out.add("image_keys", "I64", {image_tokens}, to_i64(a.image_keys));
    out.add("score", "F32", {2}, std::vector<float>{a.scale, a.softcap});
    out.add_floats("q", type, {tokens, a.layers, a.heads, a.head_dim}, a.q);
    out.add_floats("k", type, {a.layers, a.keys, a.kv_heads, a.head_dim}, a.k);
}

// ---- replaying ------------------------------------------------------------------------------------------

void record(ostend::recorder& into, const dumped_rows& a, index tokens) {
    for (index token = 0; token < tokens; ++token) {
        for (int layer = 0; layer < a.layers; ++layer) {
            into.add({.layer = layer, .token = token}, a.row(token, layer));
        }
    }
}

/// All tokens of a layer as one block, as in a prefill.
void record(ostend::recorder& into, const dumped_queries& a, index tokens) {
    const ostend::tensor_view<const float, 4> q(a.q.data(), {tokens, a.layers, a.heads, a.head_dim});
    ostend::qk_block block{.score = {.scale = a.scale, .softcap = a.softcap}};
    for (const index keys : a.visible) {
        block.visible.emplace_back(ostend::causal_limit{keys});
    }
    for (int layer = 0; layer < a.layers; ++layer) {
        block.q = q.slice(1, layer);
        block.keys = ostend::key_source::cell_major(a.keys_of(layer));
        into.add({.layer = layer, .token = 0}, block);
        (void)into.flush(layer, block.keys); // a recorder may keep queries; maps() tells what went wrong
    }
}

} // namespace

status check(const attention_dump& dump) {
    if (dump.tokens.empty()) {
        return error{"there is no token", "token_ids"};
    }
    if (dump.image.pixels.size() != count(dump.image.height * dump.image.width * 3)) {
        return error{"its bytes are not height * width * 3", "image"};
    }
    if (const status good = check_layout(dump); !good) {
        return good;
    }
    return std::visit(
        [&](const auto& a) {
            return check_attention(a, static_cast<index>(dump.tokens.size()),
                                   static_cast<index>(dump.grid.tokens.size()));
        },
        dump.attention);
}

result<attention_dump> parse_dump(std::string bytes, const std::string& name) {
    const auto file = safetensors::parse(std::move(bytes), name);
    if (!file) {
        return file.error();
    }
    const auto said = [&](const char* key) {
        const auto found = file->metadata().find(key);
        return found == file->metadata().end() ? std::string() : found->second;
    };
    if (said("format") != format_name || said("version") != format_version) {
        return error{"is of format '" + said("format") + "', version '" + said("version") + "'; wanted is '" +
                         format_name + "', version '" + format_version + "'",
                     name + ": __metadata__"};
    }
    tensor_reader in(*file);
    attention_dump dump{.made_with = said("made_with")};
    const shape size = in.shape_of("image", 3);
    dump.image = {.height = size[0],
                  .width = size[1],
                  .pixels = in.numbers<std::uint8_t>("image", element_type::u8, {size[0], size[1], 3})};
    dump.tokens = read_tokens(in);
    dump.grid = read_layout(in, {.width = size[1], .height = size[0]});
    if (in.has("rows") == in.has("q")) {
        in.fail("rows", "a dump holds either rows or q and k");
    } else if (in.has("rows")) {
        dump.attention = read_rows(in, dump);
    } else {
        dump.attention = read_queries(in);
    }
    if (in.failure()) {
        return *in.failure();
    }
    if (const status good = check(dump); !good) {
        return good.error().in(name);
    }
    return dump;
}

result<attention_dump> read_dump(const std::filesystem::path& path) {
    auto bytes = read_file(path);
    if (!bytes) {
        return bytes.error();
    }
    return parse_dump(*std::move(bytes), path.string());
}

result<std::string> dump_bytes(const attention_dump& dump, element_type type) {
    OSTEND_EXPECTS(type == element_type::f32 || type == element_type::f16, "dump_bytes: f32 or f16");
    if (const status good = check(dump); !good) {
        return good.error();
    }
    tensor_writer out;
    out.metadata("format", format_name);
    out.metadata("version", format_version);
    out.metadata("made_with", dump.made_with);
    write_layout(out, dump.grid);
    write_tokens(out, dump.tokens);
    std::visit([&](const auto& a) { write_attention(out, a, dump, type); }, dump.attention);
    out.add("image", "U8", {dump.image.height, dump.image.width, 3}, dump.image.pixels);
    return out.bytes();
}

ostend::generation replay(const attention_dump& dump, ostend::recorder_options options) {
    const auto tokens = static_cast<index>(dump.tokens.size());
    std::visit(
        [&](const auto& a) {
            options.layers = static_cast<int>(a.layers);
            options.heads = static_cast<int>(a.heads);
        },
        dump.attention);
    if (const auto* a = std::get_if<dumped_queries>(&dump.attention)) {
        options.image = ostend::key_selection::from_indices(a->image_keys);
    } else {
        options.image = {0, static_cast<index>(dump.grid.tokens.size())};
    }
    ostend::recorder attention(options);
    std::visit([&](const auto& a) { record(attention, a, tokens); }, dump.attention);
    return {.tokens = dump.tokens, .attention = std::move(attention), .grid = dump.grid};
}

} // namespace ostend_tools
