// How far a long task is, on standard error: one line that is rewritten on a terminal, ten lines in a log.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace ostend_tools {

class progress {
public:
    /// `what` is counted: "scenes". Nothing is printed before the first step.
    progress(std::string what, std::size_t count);
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    /// Ends the line.
    ~progress();

    /// One more is done.
    void step();
    /// Since the construction.
    [[nodiscard]] double seconds() const;

private:
    std::string what_;
    std::size_t count_;
    std::size_t done_ = 0;
    std::size_t shown_ = 0;
    bool terminal_;
    std::chrono::steady_clock::time_point start_;
    double last_ = -1;
};

} // namespace ostend_tools
