#include "dump/dump.hpp"
#include "dump/format.hpp"

#include "ostend/geometry/grid.hpp"

#include <cmath>
#include <utility>

namespace ostend_tools {
namespace {

using ostend::error;
using ostend::index;
using ostend::status;

std::size_t count(index n) { return static_cast<std::size_t>(n); }

/// Whether n is the product of the extents; no product is formed, so none overflows.
bool is_size(std::size_t n, const std::vector<index>& extents) {
    for (const index extent : extents) {
        if (extent < 1 || n % count(extent) != 0) {
            return false;
        }
        n /= count(extent);
    }
    return n == 1;
}

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
    const std::vector<index> wanted{tokens, rows.layers, rows.heads, image_tokens};
    if (rows.image_tokens != image_tokens || !is_size(rows.values.size(), wanted)) {
        return error{std::to_string(rows.values.size()) +
                         " values are not [tokens, layers, heads, image_tokens] = " + shape_text(wanted),
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
    const std::vector<index> q{tokens, a.layers, a.heads, a.head_dim};
    const std::vector<index> k{a.layers, a.keys, a.kv_heads, a.head_dim};
    if (!is_size(a.q.size(), q)) {
        return error{std::to_string(a.q.size()) +
                         " values are not [tokens, layers, heads, head_dim] = " + shape_text(q),
                     "q"};
    }
    if (!is_size(a.k.size(), k)) {
        return error{std::to_string(a.k.size()) +
                         " values are not [layers, keys, kv_heads, head_dim] = " + shape_text(k),
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
