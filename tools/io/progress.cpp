#include "io/progress.hpp"

#include <cstdio>

#include <unistd.h>

namespace ostend_tools {

progress::progress(std::string what, std::size_t count)
    : what_(std::move(what)), count_(count), terminal_(::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()) {}

progress::~progress() {
    if (terminal_ && shown_ > 0) {
        std::fprintf(stderr, "\n");
    }
}

void progress::step() {
    ++done_;
    const double now = seconds();
    const bool last = done_ == count_;
    const bool due = terminal_ ? now - last_ >= 0.1 : done_ * 10 / count_ != shown_ * 10 / count_;
    if (!last && !due) {
        return;
    }
    shown_ = done_;
    last_ = now;
    // The cursor goes back at once, so that an error message that follows writes over the line.
    std::fprintf(stderr, terminal_ ? "%zu of %zu %s, %.1f s\r" : "%zu of %zu %s, %.1f s\n", done_, count_,
                 what_.c_str(), now);
}

double progress::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

} // namespace ostend_tools
