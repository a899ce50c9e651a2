// SIGINT and SIGTERM as a question that a program asks between two steps, so that it can save what is done.
#pragma once

#include <filesystem>

namespace ostend_tools {

/// What a program that was stopped exits with.
inline constexpr int stopped_status = 3;

/// From now on the two signals are remembered; they do not end the process.
void remember_stop_signals();
/// Has one come?
[[nodiscard]] bool stop_asked();

/// Says on standard error that the same command goes on from the saved state, and returns stopped_status.
int say_stopped(const char* program, const std::filesystem::path& state);

} // namespace ostend_tools
