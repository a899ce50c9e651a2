// ratio: a figure with what it was made of, so that nobody has to guess a denominator.
#pragma once

namespace ostend::inline v0 {

struct ratio {
    double numerator = 0;
    double denominator = 0;
    /// The quotient; 0 when nothing was counted, as the published scripts print it.
    [[nodiscard]] constexpr double value() const noexcept {
        return denominator == 0 ? 0.0 : numerator / denominator;
    }
    friend constexpr bool operator==(const ratio&, const ratio&) = default;
};

} // namespace ostend::inline v0
