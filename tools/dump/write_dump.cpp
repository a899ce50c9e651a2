// Writing a dump: tensors by name, the header last, when their places are known.
#include "dump/dump.hpp"
#include "dump/format.hpp"

#include "io/json.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ostend_tools {
namespace {

using ostend::element_type;
using ostend::index;
using ostend::result;
using ostend::status;
using shape = std::vector<index>;

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

} // namespace

result<std::string> dump_bytes(const attention_dump& dump, element_type type) {
    OSTEND_EXPECTS(type == element_type::f32 || type == element_type::f16, "dump_bytes: f32 or f16");
    if (const status good = check(dump); !good) {
        return good.error();
    }
    tensor_writer out;
    out.metadata("format", dump_format_name);
    out.metadata("version", dump_format_version);
    out.metadata("made_with", dump.made_with);
    write_layout(out, dump.grid);
    write_tokens(out, dump.tokens);
    std::visit([&](const auto& a) { write_attention(out, a, dump, type); }, dump.attention);
    out.add("image", "U8", {dump.image.height, dump.image.width, 3}, dump.image.pixels);
    return out.bytes();
}

} // namespace ostend_tools
