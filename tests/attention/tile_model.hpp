// A model of AMX's tile registers after Intel's SDM (TDPBF16PS, TILELOADD, TILESTORED), so that the kernels
// on top of them are tested on any CPU with AVX-512.
#pragma once

#include "ostend/attention/kernels.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace ostend_test {

struct tile_model {
    using row = std::array<std::byte, 64>;
    static inline thread_local std::array<std::array<row, 16>, 8> registers;
    static inline thread_local bool is_configured = false;

    static void configure() { is_configured = true; }
    static void release() { is_configured = false; }
    template <int to>
    static void clear() {
        std::memset(registers.at(to).data(), is_configured ? 0 : 0xFF, sizeof registers[to]);
    }
    template <int to>
    static void load(const std::byte* from, ostend::index stride) {
        for (row& r : registers.at(to)) {
            std::memcpy(r.data(), from, 64);
            from += stride;
        }
    }
    template <int from>
    static void store(float* to, ostend::index stride) {
        auto* bytes = reinterpret_cast<std::byte*>(to);
        for (const row& r : registers.at(from)) {
            std::memcpy(bytes, r.data(), 64);
            bytes += stride;
        }
    }
    template <int sums, int keys, int queries>
    static void multiply() {
        for (std::size_t m = 0; m < 16; ++m) {
            const auto key = halves(registers.at(keys).at(m));
            std::array<float, 32> chains{}; // even and odd elements apart
            for (std::size_t k = 0; k < 16; ++k) {
                const auto query = halves(registers.at(queries).at(k));
                for (std::size_t n = 0; n < 32; ++n) {
                    chains.at(n) = flushed(std::fma(key.at(2 * k + n % 2), query.at(n), chains.at(n)));
                }
            }
            std::array<float, 16> sum{};
            std::memcpy(sum.data(), registers.at(sums).at(m).data(), 64);
            for (std::size_t n = 0; n < 16; ++n) {
                sum.at(n) = flushed(sum.at(n) + flushed(chains.at(2 * n) + chains.at(2 * n + 1)));
            }
            std::memcpy(registers.at(sums).at(m).data(), sum.data(), 64);
        }
    }

private:
    static float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0F, x) : x; }
    static std::array<float, 32> halves(const row& r) {
        std::array<float, 32> out{};
        for (std::size_t i = 0; i < 32; ++i) {
            ostend::bf16 x;
            std::memcpy(&x, r.data() + 2 * i, 2);
            out.at(i) = flushed(to_float(x));
        }
        return out;
    }
};

/// all_kernels(), and AMX's on the model where the CPU can run what surrounds them.
inline std::vector<ostend::v0::detail::attention_kernels> kernels_and_models() {
    auto tables = ostend::OSTEND_KERNELS::detail::all_kernels();
    for (const auto& kernels : tables) {
        if (std::string(kernels.name) == "avx512_bf16") {
            tables.push_back(ostend::OSTEND_KERNELS::detail::amx::named<tile_model>("amx_bf16 on a model"));
            break;
        }
    }
    return tables;
}

} // namespace ostend_test
