#include "tiny_llava/llama.hpp"

#include "ostend/core/expects.hpp"

#include <cmath>
#include <string>

namespace ostend_hosts {
namespace {

// Rotary embedding: the pair (x[i], x[i + d/2]) of each head is turned by position * theta^(-2i/d). Then a
// product of query and key depends on their distance only. cosines, sines: [rows, d/2].
struct rotation {
    matrix cosines;
    matrix sines;

    rotation(Index first, Index count, Index d, float theta) : cosines(count, d / 2), sines(count, d / 2) {
        for (Index i = 0; i < d / 2; ++i) {
            const float frequency = 1.0F / std::pow(theta, float(2 * i) / float(d));
            for (Index row = 0; row < count; ++row) {
                const float angle = float(first + row) * frequency;
                cosines(row, i) = std::cos(angle);
                sines(row, i) = std::sin(angle);
            }
        }
    }

    // Turns every head of x, whose rows are the last positions of this rotation.
    void apply(Eigen::Ref<matrix> x) const {
        const Index half = cosines.cols();
        const auto c = cosines.bottomRows(x.rows()).array();
        const auto s = sines.bottomRows(x.rows()).array();
        for (Index head = 0; head < x.cols(); head += 2 * half) {
            const matrix a = x.middleCols(head, half);
            const matrix b = x.middleCols(head + half, half);
            x.middleCols(head, half) = a.array() * c - b.array() * s;
            x.middleCols(head + half, half) = b.array() * c + a.array() * s;
        }
    }
};

} // namespace

kv_cache::kv_cache(const llama_config& config, Index capacity) {
    const matrix empty = matrix::Zero(capacity, config.kv_heads * config.head_dim);
    keys.assign(std::size_t(config.layers), empty);
    values.assign(std::size_t(config.layers), empty);
}

llama::llama(weight_reader& weights, const llama_config& config) : config_(config) {
    const std::string root = "language_model.model.";
    table_ = weights.read(root + "embed_tokens.weight", config.vocabulary, config.width);
    const Index q_width = config.heads * config.head_dim;
    const Index kv_width = config.kv_heads * config.head_dim;
    for (Index layer = 0; layer < config.layers && !weights.error(); ++layer) {
        const std::string name = root + "layers." + std::to_string(layer) + ".";
        const auto read = [&](const char* part, Index out, Index in) {
            return weights.read_linear(name + part, out, in, false);
        };
        blocks_.push_back(
            {.norm1 = weights.read_rms_norm(name + "input_layernorm", config.width, config.epsilon),
             .q = read("self_attn.q_proj", q_width, config.width),
             .k = read("self_attn.k_proj", kv_width, config.width),
             .v = read("self_attn.v_proj", kv_width, config.width),
             .out = read("self_attn.o_proj", config.width, q_width),
             .norm2 = weights.read_rms_norm(name + "post_attention_layernorm", config.width, config.epsilon),
             .gate = read("mlp.gate_proj", config.mlp_width, config.width),
             .up = read("mlp.up_proj", config.mlp_width, config.width),
             .down = read("mlp.down_proj", config.width, config.mlp_width)});
    }
    norm_ = weights.read_rms_norm(root + "norm", config.width, config.epsilon);
    head_.weight =
        config.tied ? table_ : weights.read("language_model.lm_head.weight", config.vocabulary, config.width);
}

matrix llama::embed(const std::vector<std::int32_t>& tokens) const {
    matrix x(Index(tokens.size()), config_.width);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        OSTEND_EXPECTS(tokens[i] >= 0 && tokens[i] < table_.rows(),
                       "llama::embed: token " + std::to_string(tokens[i]) + " of a vocabulary of " +
                           std::to_string(table_.rows()));
        x.row(Index(i)) = table_.row(tokens[i]);
    }
    return x;
}

matrix llama::forward(matrix x, kv_cache& cache, Index wanted, const attention_observer& observe) const {
    const Index first = cache.used;
    const Index count = x.rows();
    OSTEND_EXPECTS(wanted >= 1 && wanted <= count && x.cols() == config_.width &&
                       cache.keys.size() == blocks_.size() && first + count <= cache.keys[0].rows(),
                   "llama::forward: " + std::to_string(count) + " positions of width " +
                       std::to_string(x.cols()) + " after " + std::to_string(first) + ", " +
                       std::to_string(wanted) + " wanted");
    const rotation turn(first, count, config_.head_dim, config_.rope_theta);
    cache.used += count;
    for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
        const block& b = blocks_[layer];
        const matrix seen = b.norm1(x);
        matrix k = b.k(seen);
        turn.apply(k);
        cache.keys[layer].middleRows(first, count) = k;
        cache.values[layer].middleRows(first, count) = b.v(seen);
        const auto keys = cache.keys[layer].topRows(cache.used);
        const auto values = cache.values[layer].topRows(cache.used);

        // After the last layer's keys and values, only the wanted positions matter.
        const bool last = layer + 1 == blocks_.size();
        const Index rows = last ? wanted : count;
        if (last) {
            x = x.bottomRows(wanted).eval();
        }
        matrix q = b.q(seen.bottomRows(rows));
        turn.apply(q);
        if (observe) {
            observe({int(layer), q.bottomRows(wanted), keys});
        }

        x += b.out(attend(q, keys, values, config_.heads, config_.kv_heads, true));
        const matrix normed = b.norm2(x);
        matrix gate = b.gate(normed);
        activate(activation::silu, gate);
        x += b.down(gate.cwiseProduct(b.up(normed)));
    }
    return head_(norm_(x));
}

} // namespace ostend_hosts
