#include "tiny_llava/safetensors.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

namespace ostend_hosts {
namespace {

using nlohmann::json;
using ostend::element_type;
using ostend::error;
using ostend::index;

struct type_name {
    const char* name;
    element_type type;
    std::size_t bytes;
};
constexpr type_name type_names[] = {
    {"F16", element_type::f16, 2},      {"BF16", element_type::bf16, 2}, {"F32", element_type::f32, 4},
    {"F64", element_type::f64, 8},      {"U8", element_type::u8, 1},     {"I8", element_type::i8, 1},
    {"I16", element_type::i16, 2},      {"I32", element_type::i32, 4},   {"I64", element_type::i64, 8},
    {"BOOL", element_type::boolean, 1},
};

std::string to_text(const std::vector<index>& shape) {
    std::string text = "[";
    for (const index extent : shape) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    }
    return text + "]";
}

// A JSON number as a size; the parser keeps numbers too big for 64 bits as floating point.
std::optional<std::size_t> as_size(const json& number) {
    if (!number.is_number_unsigned()) {
        return std::nullopt;
    }
    return number.get<std::size_t>();
}

ostend::result<safetensors::entry> parse_entry(const json& value, std::size_t data_bytes) {
    const auto part = [&](const char* key) { return value.is_object() ? value.value(key, json()) : json(); };
    const json dtype = part("dtype");
    const json shape = part("shape");
    const json offsets = part("data_offsets");
    if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2) {
        return error{.what = "has no dtype, shape or pair of data_offsets"};
    }
    const auto* const type =
        std::find_if(std::begin(type_names), std::end(type_names),
                     [&](const type_name& t) { return dtype.get_ref<const std::string&>() == t.name; });
    if (type == std::end(type_names)) {
        return error{.what = "dtype " + dtype.dump(-1, ' ', true, json::error_handler_t::replace) +
                             " is not one of F16, BF16, F32, F64, U8, I8, I16, I32, I64, BOOL"};
    }
    safetensors::entry entry{.type = type->type};
    std::size_t bytes = type->bytes;
    for (const json& extent : shape) {
        const auto size = as_size(extent);
        // No extent can exceed the bytes of the file, so the product cannot overflow unnoticed.
        if (!size || *size > data_bytes || (*size != 0 && bytes > data_bytes / *size)) {
            return error{.what = "shape is not a list of extents that fit into the file"};
        }
        bytes *= *size;
        entry.shape.push_back(static_cast<index>(*size));
    }
    const auto begin = as_size(offsets[0]);
    const auto end = as_size(offsets[1]);
    if (!begin || !end || *begin > *end || *end > data_bytes) {
        return error{.what = "data_offsets leave the file, which holds " + std::to_string(data_bytes) +
                             " bytes of data"};
    }
    if (*end - *begin != bytes) {
        return error{.what = "data_offsets span " + std::to_string(*end - *begin) + " bytes, but shape " +
                             to_text(entry.shape) + " takes " + std::to_string(bytes)};
    }
    entry.begin = *begin;
    entry.end = *end;
    return entry;
}

template <class T>
std::vector<float> widen(const char* bytes, std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        T value; // the bytes need not be aligned
        std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
        values[i] = ostend::to_float(value);
    }
    return values;
}

} // namespace

ostend::result<std::string> read_file(const std::filesystem::path& path) {
    std::error_code failed;
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path, failed)) {
        return error{.what = "the file cannot be opened", .field = path.string()};
    }
    std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file.bad()) {
        return error{.what = "the file cannot be read", .field = path.string()};
    }
    return bytes;
}

ostend::result<safetensors> safetensors::read(const std::filesystem::path& path) {
    auto bytes = read_file(path);
    if (!bytes) {
        return bytes.error();
    }
    return parse(*std::move(bytes), path.string());
}

ostend::result<safetensors> safetensors::parse(std::string bytes, std::string name_of_file) {
    safetensors file;
    file.file_ = std::move(name_of_file);
    file.bytes_ = std::move(bytes);
    const auto fail = [&](std::string what, const std::string& field) {
        return error{.what = std::move(what), .field = file.file_ + ": " + field};
    };

    std::uint64_t header_bytes = 0; // little-endian, as is every machine that we build for
    if (file.bytes_.size() < sizeof header_bytes) {
        return fail("the file ends before the header's length", "header");
    }
    std::memcpy(&header_bytes, file.bytes_.data(), sizeof header_bytes);
    if (header_bytes > file.bytes_.size() - sizeof header_bytes) {
        return fail("the header says it has " + std::to_string(header_bytes) + " bytes, but the file has " +
                        std::to_string(file.bytes_.size()),
                    "header");
    }
    file.data_ = sizeof header_bytes + static_cast<std::size_t>(header_bytes);
    const json header = json::parse(file.bytes_.begin() + sizeof header_bytes,
                                    file.bytes_.begin() + static_cast<std::ptrdiff_t>(file.data_), nullptr,
                                    /*allow_exceptions=*/false);
    if (!header.is_object()) {
        return fail("the header is not a JSON object", "header");
    }

    const std::size_t data_bytes = file.bytes_.size() - file.data_;
    for (const auto& [name, value] : header.items()) {
        if (name == "__metadata__") {
            for (const auto& [key, text] : value.items()) {
                if (!value.is_object() || !text.is_string()) {
                    return fail("is not an object of strings", name);
                }
                file.metadata_.emplace(key, text);
            }
            continue;
        }
        auto entry = parse_entry(value, data_bytes);
        if (!entry) {
            return entry.error().in(name).in(file.file_);
        }
        file.entries_.emplace(name, *std::move(entry));
    }

    // Sorted by place, each tensor begins where the one before ends: no overlap and no hidden bytes.
    std::vector<const std::pair<const std::string, safetensors::entry>*> in_order;
    for (const auto& named : file.entries_) {
        in_order.push_back(&named);
    }
    std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) {
        return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
    });
    std::size_t expected = 0;
    for (const auto* named : in_order) {
        if (named->second.begin != expected) {
            return fail(named->second.begin < expected ? "overlaps the tensor before it in the file"
                                                       : "leaves a gap to the tensor before it in the file",
                        named->first);
        }
        expected = named->second.end;
    }
    if (expected != data_bytes) {
        return fail("the tensors end at byte " + std::to_string(expected) + " of " +
                        std::to_string(data_bytes),
                    "header");
    }
    return file;
}

ostend::result<std::vector<float>> safetensors::values(const std::string& name,
                                                       const std::vector<index>& shape) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
        return error{.what = "there is no such tensor", .field = file_ + ": " + name};
    }
    const entry& e = found->second;
    if (e.shape != shape) {
        return error{.what = "shape " + to_text(e.shape) + " where " + to_text(shape) + " is wanted",
                     .field = file_ + ": " + name};
    }
    const char* const bytes = bytes_.data() + data_ + e.begin;
    switch (e.type) {
    case element_type::f16:
        return widen<ostend::f16>(bytes, (e.end - e.begin) / 2);
    case element_type::bf16:
        return widen<ostend::bf16>(bytes, (e.end - e.begin) / 2);
    case element_type::f64:
        return widen<double>(bytes, (e.end - e.begin) / 8);
    case element_type::f32:
        return widen<float>(bytes, (e.end - e.begin) / 4);
    default:
        return error{.what = "holds whole numbers where F16, BF16, F32 or F64 is wanted",
                     .field = file_ + ": " + name};
    }
}

} // namespace ostend_hosts
