// Preconditions: OSTEND_EXPECTS(condition, sentence) says what is wrong and where.
//
// On by default; OSTEND_CHECKS=0 removes them from functions (members of plain data types always check).
// A failed expectation calls the handler; the default prints the sentence with file and line and aborts.
// A handler may throw, which hosts that must not die and the tests use; if it returns, the program aborts.
#pragma once

#include "ostend/core/config.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace ostend::inline v0 {

/// Where an expectation failed. (clang 14 has no std::source_location.)
struct source_place {
    const char* file = "";
    int line = 0;
    const char* function = "";
};

/// Called with the sentence and the place of a failed precondition. May throw; must not return.
using expects_handler = void (*)(const std::string& sentence, const source_place& where);

namespace detail {
inline void print_and_abort(const std::string& sentence, const source_place& where) {
    std::fprintf(stderr, "ostend: %s\n  at %s:%d in %s\n", sentence.c_str(), where.file, where.line,
                 where.function);
    std::abort();
}
inline std::atomic<expects_handler> current_handler{&print_and_abort};
} // namespace detail

/// Sets the handler of failed preconditions and returns the one before. Thread-safe.
inline expects_handler set_expects_handler(expects_handler handler) {
    return detail::current_handler.exchange(handler != nullptr ? handler : &detail::print_and_abort);
}

[[noreturn]] inline void expectation_failed(const std::string& sentence, const source_place& where) {
    detail::current_handler.load()(sentence, where);
    std::abort();
}

} // namespace ostend::inline v0
