// CHECK_ERROR(expression, "where", "what"): the result is an error whose message holds both parts (a file or
// field, and what is wrong). complaint_of(result): its message, if it is one.
#pragma once

#include <doctest/doctest.h>

#include <string>

namespace ostend_test {

/// For REQUIRE_MESSAGE(r, complaint_of(r)), whose message is looked at even if nothing is wrong (-s).
template <class Result>
std::string complaint_of(const Result& r) {
    return r.has_value() ? std::string("no error") : r.error().message();
}

} // namespace ostend_test

#define CHECK_ERROR(expression, where, what)                                                                 \
    do {                                                                                                     \
        const auto outcome_ = (expression);                                                                  \
        REQUIRE_FALSE(outcome_.has_value());                                                                 \
        const std::string said_ = outcome_.error().message();                                                \
        CHECK_MESSAGE(said_.find(where) != std::string::npos, said_);                                        \
        CHECK_MESSAGE(said_.find(what) != std::string::npos, said_);                                         \
    } while (false)
