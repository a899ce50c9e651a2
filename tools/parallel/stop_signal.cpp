#include "parallel/stop_signal.hpp"

#include <csignal>
#include <cstdio>

namespace ostend_tools {

namespace {

volatile std::sig_atomic_t caught = 0;

} // namespace

void remember_stop_signals() {
    for (const int signal : {SIGINT, SIGTERM}) {
        std::signal(signal, [](int) { caught = 1; });
    }
}

bool stop_asked() { return caught != 0; }

int say_stopped(const char* program, const std::filesystem::path& state) {
    std::fprintf(stderr, "%s: stopped; the same command goes on from %s\n", program, state.c_str());
    return stopped_status;
}

} // namespace ostend_tools
