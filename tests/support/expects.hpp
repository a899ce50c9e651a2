// CHECK_EXPECTS(expression, "part of the sentence"): the expression fails a precondition that says so.
#pragma once

#include "ostend/core/expects.hpp"

#include <doctest/doctest.h>

#include <string>

namespace ostend_test {

struct failed_expectation {
    std::string sentence;
};

/// While it lives, a failed expectation throws failed_expectation.
class throwing_expects {
public:
    throwing_expects()
        : before_(ostend::set_expects_handler([](const std::string& sentence, const ostend::source_place&) {
              throw failed_expectation{sentence};
          })) {}
    ~throwing_expects() { ostend::set_expects_handler(before_); }
    throwing_expects(const throwing_expects&) = delete;
    throwing_expects& operator=(const throwing_expects&) = delete;

private:
    ostend::expects_handler before_;
};

template <class F>
std::string sentence_of_failure(F&& f) {
    const throwing_expects guard;
    try {
        f();
    } catch (const failed_expectation& failure) {
        return failure.sentence;
    }
    return "(no precondition failed)";
}

} // namespace ostend_test

#define CHECK_EXPECTS(expression, part)                                                                      \
    do {                                                                                                     \
        const std::string said_ = ostend_test::sentence_of_failure([&] { (void)(expression); });             \
        CHECK_MESSAGE(said_.find(part) != std::string::npos, said_);                                         \
    } while (false)
