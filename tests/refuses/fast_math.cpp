// refuses: -ffast-math removes NaN checks and reorders sums; compile without it
#define __FAST_MATH__ 1
#include "ostend/core/config.hpp"
