// CHECK_ERROR(expression, "where", "what"): the result is an error whose message holds both parts (a file or
// field, and what is wrong).
#pragma once

#include <doctest/doctest.h>

#include <string>

#define CHECK_ERROR(expression, where, what)                                                                 \
    do {                                                                                                     \
        const auto outcome_ = (expression);                                                                  \
        REQUIRE_FALSE(outcome_.has_value());                                                                 \
        const std::string said_ = outcome_.error().message();                                                \
        CHECK_MESSAGE(said_.find(where) != std::string::npos, said_);                                        \
        CHECK_MESSAGE(said_.find(what) != std::string::npos, said_);                                         \
    } while (false)
