#include "io/npy.hpp"

#include "io/files.hpp"
#include "ostend/core/expects.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

namespace ostend_tools {

using ostend::element_type;
using ostend::error;
using ostend::index;

namespace {

struct type_name {
    std::string_view descr;
    element_type type;
    std::size_t size;
};
constexpr type_name types[] = {
    {"<f4", element_type::f32, 4}, {"<f8", element_type::f64, 8},     {"<f2", element_type::f16, 2},
    {"|u1", element_type::u8, 1},  {"|b1", element_type::boolean, 1}, {"<i4", element_type::i32, 4},
    {"<i8", element_type::i64, 8},
};

/// The text behind 'key': in the header's Python dictionary, up to the next comma outside parentheses.
std::string_view value_of(std::string_view header, std::string_view key) {
    const auto at = header.find("'" + std::string(key) + "'");
    if (at == std::string_view::npos) {
        return {};
    }
    const auto colon = header.find(':', at);
    if (colon == std::string_view::npos) {
        return {};
    }
    auto rest = header.substr(colon + 1);
    while (!rest.empty() && rest.front() == ' ') {
        rest.remove_prefix(1);
    }
    const auto end = rest.starts_with('(') ? rest.find(')') : rest.find_first_of(",}");
    return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

template <class T, class Out>
std::vector<Out> convert(const std::string& bytes, Out (*to)(T)) {
    std::vector<Out> out(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < out.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        out[i] = to(value);
    }
    return out;
}

template <class T>
std::vector<float> floats(const std::string& bytes) {
    return convert<T, float>(bytes, [](T v) { return ostend::to_float(v); });
}

} // namespace

index npy_array::size() const {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
        return 0;
    }
    index n = 1;
    for (const index e : shape) {
        n *= e;
    }
    return n;
}

std::vector<float> npy_array::as_floats() const {
    switch (type) {
    case element_type::f32:
        return floats<float>(bytes);
    case element_type::f64:
        return floats<double>(bytes);
    case element_type::f16:
        return floats<ostend::f16>(bytes);
    case element_type::i32:
        return floats<std::int32_t>(bytes);
    case element_type::i64:
        return floats<std::int64_t>(bytes);
    default:
        return floats<std::uint8_t>(bytes);
    }
}

std::vector<std::uint8_t> npy_array::as_bytes() const {
    std::vector<std::uint8_t> out;
    out.reserve(bytes.size());
    for (const float v : as_floats()) {
        out.push_back(static_cast<std::uint8_t>(v > 0 ? std::min(v, 255.0F) : 0.0F)); // NaN is 0
    }
    return out;
}

ostend::result<npy_array> parse_npy(std::string_view file) {
    constexpr std::string_view magic("\x93NUMPY", 6);
    if (file.size() < 10 || !file.starts_with(magic)) {
        return error{"this is not a .npy file"};
    }
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(file[i]); };
    const bool wide = byte(6) >= 2;
    const std::size_t start = wide ? 12 : 10;
    if (file.size() < start) {
        return error{"the file ends inside its header", "", file.size()};
    }
    std::size_t length = std::size_t{byte(8)} | (std::size_t{byte(9)} << 8U);
    if (wide) {
        length |= (std::size_t{byte(10)} << 16U) | (std::size_t{byte(11)} << 24U);
    }
    if (length > file.size() - start) {
        return error{"the file ends inside its header", "", file.size()};
    }
    const std::string_view header = file.substr(start, length);

    npy_array array;
    const std::string_view descr = value_of(header, "descr");
    std::size_t element_size = 0;
    for (const type_name& t : types) {
        if (descr == "'" + std::string(t.descr) + "'") {
            array.type = t.type;
            element_size = t.size;
        }
    }
    if (element_size == 0) {
        return error{"unknown element type " + std::string(descr), "descr"};
    }
    if (value_of(header, "fortran_order") != "False") {
        return error{"only C order can be read", "fortran_order"};
    }

    std::string_view shape = value_of(header, "shape");
    if (!shape.starts_with('(')) {
        return error{"the header has no shape", "shape"};
    }
    shape.remove_prefix(1);
    while (!shape.empty()) {
        if (shape.front() == ',' || shape.front() == ' ') {
            shape.remove_prefix(1);
            continue;
        }
        if (std::isdigit(static_cast<unsigned char>(shape.front())) == 0) {
            return error{"an extent is not a whole number", "shape"};
        }
        index extent = 0;
        const auto [end, failure] = std::from_chars(shape.data(), shape.data() + shape.size(), extent);
        if (failure != std::errc{}) {
            return error{"an extent is too large", "shape"};
        }
        shape.remove_prefix(static_cast<std::size_t>(end - shape.data()));
        array.shape.push_back(extent);
    }
    // An extent of 0 anywhere makes an array without elements, whatever the others say.
    const bool none = std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end();
    std::size_t elements = none ? 0 : 1;
    const std::size_t most = (file.size() - start - length) / element_size;
    for (const index extent : array.shape) {
        if (!none && elements > most / static_cast<std::size_t>(extent)) {
            return error{"the file is shorter than its shape says", "shape", file.size()};
        }
        elements *= static_cast<std::size_t>(extent);
    }
    array.bytes = std::string(file.substr(start + length, elements * element_size));
    return array;
}

ostend::result<npy_array> read_npy(const std::filesystem::path& path) {
    const auto file = read_file(path);
    if (!file) {
        return file.error();
    }
    auto array = parse_npy(*file);
    if (!array) {
        return array.error().in(path.string());
    }
    return array;
}

std::string npy_file(const npy_array& array) {
    const auto* const type = std::find_if(std::begin(types), std::end(types),
                                          [&](const type_name& t) { return t.type == array.type; });
    OSTEND_EXPECTS_ALWAYS(type != std::end(types) &&
                              static_cast<std::size_t>(array.size()) * type->size == array.bytes.size(),
                          "npy_file: the bytes are not those of the shape, or the type has no name");
    std::string text = "{'descr': '" + std::string(type->descr) + "', 'fortran_order': False, 'shape': (";
    for (const index extent : array.shape) {
        text += std::to_string(extent) + ", ";
    }
    text += "), }";
    constexpr std::size_t start = 10; // magic, version, length of the header
    text.resize((start + text.size() + 1 + 63) / 64 * 64 - start - 1, ' ');
    text += '\n';
    std::string file("\x93NUMPY\x01\x00", 8);
    file += static_cast<char>(text.size() % 256);
    file += static_cast<char>(text.size() / 256);
    return file + text + array.bytes;
}

} // namespace ostend_tools
