// Reading a dump: every tensor is looked for by name, type and shape before its values are believed.
#include "dump/dump.hpp"
#include "dump/format.hpp"

#include "io/files.hpp"
#include "tiny_llava/safetensors.hpp"

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

std::size_t count(index n) { return static_cast<std::size_t>(n); }

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
            fail(name, "shape " + shape_text(extents) + " where " + std::to_string(rank) +
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
                       : found->second.type != type   ? "is of another element type than the format says"
                                                    : "shape " + shape_text(found->second.shape) + " where " +
                                                          shape_text(extents) + " is wanted");
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

} // namespace

result<attention_dump> parse_dump(std::string bytes, const std::string& name) {
    const auto file = safetensors::parse(std::move(bytes), name);
    if (!file) {
        return file.error();
    }
    const auto said = [&](const char* key) {
        const auto found = file->metadata().find(key);
        return found == file->metadata().end() ? std::string() : found->second;
    };
    if (said("format") != dump_format_name || said("version") != dump_format_version) {
        return error{"is of format '" + said("format") + "', version '" + said("version") + "'; wanted is '" +
                         dump_format_name + "', version '" + dump_format_version + "'",
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

} // namespace ostend_tools
