// Where a run of several ranks keeps what is done: FILE, and FILE.rank0, FILE.rank1, ... while ranks work.
//
// A run that ends writes FILE and removes the others; one that was cut off leaves them, and the next run, of
// any number of ranks, reads all of them.
#pragma once

#include <filesystem>
#include <vector>

namespace ostend_tools {

/// What a rank saves while it works.
[[nodiscard]] std::filesystem::path rank_state(const std::filesystem::path& state, int rank);

/// The files that are there, in the order of their names. None for an empty path.
[[nodiscard]] std::vector<std::filesystem::path> saved_states(const std::filesystem::path& state);

/// Removes all but FILE itself.
void remove_rank_states(const std::filesystem::path& state);

} // namespace ostend_tools
