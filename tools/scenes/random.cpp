#include "scenes/random.hpp"

namespace ostend::scenes {

double sine_of_turns(double t) {
    t -= std::floor(t);             // [0, 1)
    const double quarter = t * 4.0; // exact
    const int octant = static_cast<int>(quarter + 0.5);
    const double x = (quarter - octant) * 1.5707963267948966; // [-pi/4, pi/4]
    const double xx = x * x;
    double sum = 1.0;
    const bool cosine = octant % 2 == 1;
    // Taylor's series in Horner's form: 1 - xx/(a b) (1 - xx/(c d) (...)).
    for (int n = cosine ? 18 : 19; n > 1; n -= 2) {
        sum = 1.0 - xx / (n * (n - 1)) * sum;
    }
    const double value = cosine ? sum : x * sum;
    return octant % 4 >= 2 ? -value : value;
}

double logarithm(double x) {
    int exponent = 0;
    double mantissa = std::frexp(x, &exponent); // [0.5, 1)
    if (mantissa < 0.7071067811865476) {
        mantissa *= 2.0;
        --exponent;
    }
    const double s = (mantissa - 1.0) / (mantissa + 1.0); // |s| < 0.172; log m = 2 artanh s
    double sum = 0.0;
    for (int n = 21; n >= 1; n -= 2) {
        sum = sum * s * s + 1.0 / n;
    }
    return 2.0 * s * sum + exponent * 0.6931471805599453;
}

double random::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    while (true) {
        const double u = uniform(-1.0, 1.0);
        const double v = uniform(-1.0, 1.0);
        const double s = u * u + v * v;
        if (s > 0.0 && s < 1.0) {
            const double factor = std::sqrt(-2.0 * logarithm(s) / s);
            spare_ = v * factor;
            has_spare_ = true;
            return u * factor;
        }
    }
}

} // namespace ostend::scenes
