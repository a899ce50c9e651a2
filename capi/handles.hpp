// What the C handles hold, and how an exception or an error becomes a status.
#pragma once

#include "ostend.h"
#include "ostend/core/expects.hpp"
#include "ostend/core/result.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/metrics/gcg.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

struct ostend_recorder {
    ostend::recorder recorder;
};
struct ostend_grounding {
    ostend::grounding grounding;
};
struct ostend_mask {
    ostend::rle runs;
    mutable std::string text = {}; // made when it is asked for
};
struct ostend_gcg {
    ostend::gcg_accumulator sums;
};

namespace ostend_c {

/// The last error of this thread.
std::string& last_error();

/// A failed precondition of the library, as something that a C function can catch.
struct misuse : std::logic_error {
    using std::logic_error::logic_error;
};

/// What is wrong with the arguments of a C function.
inline void require(bool condition, const char* sentence) {
    if (!condition) {
        throw misuse(sentence);
    }
}
/// The value of a result, or its error thrown.
template <class T>
T take(ostend::result<T> r) {
    if (!r) {
        throw std::runtime_error(r.error().message());
    }
    return *std::move(r);
}

/// Runs f; whatever it throws becomes the last error and OSTEND_ERROR.
template <class F>
ostend_status guarded(F&& f) {
    try {
        last_error().clear();
        f();
        return OSTEND_OK;
    } catch (const std::exception& e) {
        last_error() = e.what();
    } catch (...) {
        last_error() = "an unknown exception";
    }
    return OSTEND_ERROR;
}
/// The same for functions that make a handle: null when f throws.
template <class F>
auto made(F&& f) -> decltype(f().release()) {
    decltype(f().release()) handle = nullptr;
    guarded([&] { handle = f().release(); });
    return handle;
}

} // namespace ostend_c
