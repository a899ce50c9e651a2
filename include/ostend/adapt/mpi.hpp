// mpi: accumulators that meet on rank 0, and failures that every rank learns of. Needs <mpi.h>, any MPI 2 or
// later.
//
// Each rank accumulates its images; then, on all ranks,
//
//     auto good = ostend::mpi_agree(my_status);                          // the same error everywhere
//     auto merged = ostend::mpi_merge(metric, to_bytes, from_bytes);     // rank 0 has all images
//
// A figure over fewer images than were asked for never comes out: a rank that fails makes all of them fail,
// bytes that do not read or an image on two ranks are an error on all, and a rank that dies ends the job
// (MPI's own rule). Records are merged by name of the image, so the bits do not depend on the number of
// ranks. All functions here are collective. MPI must be initialised; it is neither started nor ended here.
#pragma once

#include "ostend/core/bytes.hpp"
#include "ostend/core/result.hpp"

// The C++ bindings that MPI 3 removed would ask every program that includes this header for MPI's library.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// MPI counts in int: longer messages go in pieces of this many bytes.
inline constexpr std::size_t mpi_piece = std::size_t{1} << 30U;

/// The outcome of an MPI call, where the communicator's handler lets it return.
[[nodiscard]] inline status mpi_outcome(int code, const char* call) {
    return code == MPI_SUCCESS ? status(success{})
                               : status(error{"failed with MPI's code " + std::to_string(code), call});
}

/// Calls f(first byte, number of bytes) for each piece of `size` bytes, until one fails.
template <class F>
[[nodiscard]] status for_each_piece(std::size_t size, F&& f) {
    for (std::size_t at = 0; at < size; at += mpi_piece) {
        if (const status sent = f(at, static_cast<int>(std::min(mpi_piece, size - at))); !sent) {
            return sent;
        }
    }
    return success{};
}

/// `bytes` of the root on every rank.
[[nodiscard]] inline status mpi_broadcast(std::string& bytes, int root, MPI_Comm comm) {
    auto size = static_cast<std::uint64_t>(bytes.size());
    if (const status sent = mpi_outcome(MPI_Bcast(&size, 1, MPI_UINT64_T, root, comm), "MPI_Bcast"); !sent) {
        return sent;
    }
    bytes.resize(size);
    return for_each_piece(bytes.size(), [&](std::size_t at, int count) {
        return mpi_outcome(MPI_Bcast(bytes.data() + at, count, MPI_CHAR, root, comm), "MPI_Bcast");
    });
}

} // namespace detail

/// This rank's number, and how many there are.
[[nodiscard]] inline int mpi_rank(MPI_Comm comm = MPI_COMM_WORLD) {
    int rank = 0;
    MPI_Comm_rank(comm, &rank);
    return rank;
}
[[nodiscard]] inline int mpi_size(MPI_Comm comm = MPI_COMM_WORLD) {
    int size = 1;
    MPI_Comm_size(comm, &size);
    return size;
}

/// Success when every rank brings success; else, on every rank, the error of the lowest rank that has one,
/// with "rank N" before its field. One reduction; a broadcast more when there is an error.
[[nodiscard]] inline status mpi_agree(const status& mine, MPI_Comm comm = MPI_COMM_WORLD) {
    const int size = mpi_size(comm);
    const int failed = mine ? size : mpi_rank(comm);
    int lowest = size;
    if (const status reduced =
            detail::mpi_outcome(MPI_Allreduce(&failed, &lowest, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");
        !reduced) {
        return reduced;
    }
    if (lowest == size) {
        return success{};
    }
    std::string bytes;
    if (lowest == mpi_rank(comm)) {
        byte_writer out;
        out.put(std::string_view(mine.error().what));
        out.put(std::string_view(mine.error().field));
        out.put(static_cast<std::uint8_t>(mine.error().at.has_value()));
        out.put(static_cast<std::uint64_t>(mine.error().at.value_or(0)));
        bytes = std::move(out).finish();
    }
    if (const status sent = detail::mpi_broadcast(bytes, lowest, comm); !sent) {
        return sent;
    }
    byte_reader in(bytes);
    error theirs{in.get_text(), in.get_text()};
    const bool has_position = in.get<std::uint8_t>() != 0;
    const auto position = in.get<std::uint64_t>();
    if (has_position) {
        theirs.at = position;
    }
    return theirs.in("rank " + std::to_string(lowest));
}

/// On rank 0 the bytes of every rank in their order, on the others nothing. Any length. An error is every
/// rank's.
[[nodiscard]] inline result<std::vector<std::string>> mpi_gather_bytes(const std::string& mine,
                                                                       MPI_Comm comm = MPI_COMM_WORLD) {
    constexpr int tag = 7241;
    const int rank = mpi_rank(comm);
    const auto size = static_cast<std::uint64_t>(mine.size());
    std::vector<std::uint64_t> sizes(rank == 0 ? static_cast<std::size_t>(mpi_size(comm)) : 0);
    status outcome = detail::mpi_outcome(
        MPI_Gather(&size, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, 0, comm), "MPI_Gather");
    std::vector<std::string> all;
    if (outcome && rank != 0) {
        outcome = detail::for_each_piece(mine.size(), [&](std::size_t at, int count) {
            return detail::mpi_outcome(MPI_Send(mine.data() + at, count, MPI_CHAR, 0, tag, comm), "MPI_Send");
        });
    }
    for (std::size_t from = 0; outcome && from < sizes.size(); ++from) {
        all.push_back(from == 0 ? mine : std::string(sizes[from], '\0'));
        outcome = detail::for_each_piece(from == 0 ? 0 : sizes[from], [&](std::size_t at, int count) {
            return detail::mpi_outcome(MPI_Recv(all[from].data() + at, count, MPI_CHAR,
                                                static_cast<int>(from), tag, comm, MPI_STATUS_IGNORE),
                                       "MPI_Recv");
        });
    }
    if (const status agreed = mpi_agree(outcome, comm); !agreed) {
        return agreed.error();
    }
    return all;
}

/// Rank 0's accumulator takes over those of the others. `to_bytes(metric)` gives a std::string,
/// `from_bytes(bytes)` a result of the accumulator (metrics/coco_state.hpp). An error is every rank's; rank
/// 0's accumulator may then hold a part and is of no use.
template <class Accumulator, class ToBytes, class FromBytes>
[[nodiscard]] status mpi_merge(Accumulator& metric, ToBytes&& to_bytes, FromBytes&& from_bytes,
                               MPI_Comm comm = MPI_COMM_WORLD) {
    const auto all = mpi_gather_bytes(mpi_rank(comm) == 0 ? std::string() : to_bytes(metric), comm);
    if (!all) {
        return all.error();
    }
    status outcome = success{};
    for (std::size_t from = 1; outcome && from < all->size(); ++from) {
        auto part = from_bytes((*all)[from]);
        outcome = part ? metric.merge(*part) : status(part.error());
        if (!outcome) {
            outcome = outcome.error().in("of rank " + std::to_string(from));
        }
    }
    return mpi_agree(outcome, comm);
}

} // namespace ostend::inline OSTEND_KERNELS
