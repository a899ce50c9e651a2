// random: the generator's own random numbers and the few functions of analysis that it needs.
//
// The standard library's distributions and the C library's sine and logarithm differ between machines; these
// use only +, -, *, / and sqrt on doubles, which IEEE 754 defines to the last bit. A seed therefore gives the
// same scenes everywhere, as long as the compiler does not fuse multiply and add (-ffp-contract=off).
#pragma once

#include <cmath>
#include <cstdint>

namespace ostend::scenes {

/// sin(2 pi t), t in turns. Error below 1e-14.
[[nodiscard]] double sine_of_turns(double t);
/// cos(2 pi t), t in turns. Error below 1e-14.
[[nodiscard]] inline double cosine_of_turns(double t) { return sine_of_turns(t + 0.25); }
/// Natural logarithm of a positive finite number. Error below 1e-14 relative to max(1, |log x|).
[[nodiscard]] double logarithm(double x);

/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, one multiply-xor chain a draw.
class random {
public:
    explicit random(std::uint64_t seed) : state_(seed) {}
    /// A stream of its own for item number i of a seed.
    random(std::uint64_t seed, std::uint64_t i) : state_(random(seed).bits() ^ random(~i).bits()) {}

    [[nodiscard]] std::uint64_t bits() {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }
    /// Uniform in [0, 1).
    [[nodiscard]] double uniform() { return static_cast<double>(bits() >> 11U) * 0x1p-53; }
    /// Uniform in [low, high).
    [[nodiscard]] double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// Uniform integer in [0, n). Precondition: 0 < n < 2^31. The bias is below n / 2^32.
    [[nodiscard]] int below(int n) {
        return static_cast<int>(((bits() >> 32U) * static_cast<std::uint64_t>(n)) >> 32U);
    }
    [[nodiscard]] bool chance(double p) { return uniform() < p; }
    /// Standard normal, by Marsaglia's polar method.
    [[nodiscard]] double normal();

private:
    std::uint64_t state_;
    double spare_ = 0;
    bool has_spare_ = false;
};

} // namespace ostend::scenes
