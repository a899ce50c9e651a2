// adapt/mpi.hpp among ranks that mpirun starts (tests/programs/mpi_test.py does): accumulators that meet, and
// errors of one rank that all of them get. Rank 0 says how many agreed.
#define DOCTEST_CONFIG_IMPLEMENT
#include "ostend/adapt/mpi.hpp"
#include "ostend/metrics/coco_state.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <random>
#include <string>

namespace {

using ostend::coco_accumulator;
using ostend::index; // strings.h has another one

/// The same image on every rank that asks for it.
void add_image(coco_accumulator& metric, int number) {
    std::mt19937 random(static_cast<unsigned>(number));
    std::vector<ostend::coco_truth> gt(random() % 5);
    std::vector<ostend::coco_detection> dt(random() % 12);
    for (auto& g : gt) {
        g = {.id = 1 + static_cast<std::int64_t>(random() % 9),
             .category = static_cast<std::int64_t>(random() % 3),
             .area = static_cast<double>(random() % 20000),
             .crowd = random() % 5 == 0};
    }
    for (auto& d : dt) {
        d = {.category = static_cast<std::int64_t>(random() % 3),
             .score = static_cast<double>(random() % 7),
             .area = static_cast<double>(random() % 20000)};
    }
    REQUIRE(metric.update(3 * number - 20, gt, dt,
                          [&](index, index, bool) { return static_cast<double>(random() % 21) / 20; }));
}

/// Images 0 to images - 1, those of one rank of `size` or all.
coco_accumulator of_images(int images, int rank = 0, int size = 1, ostend::coco_options options = {}) {
    coco_accumulator metric(std::move(options));
    for (int i = rank; i < images; i += size) {
        add_image(metric, i);
    }
    return metric;
}

const auto to_bytes = [](const coco_accumulator& metric) { return ostend::coco_to_bytes(metric); };
const auto from_bytes = [](const std::string& bytes) { return ostend::coco_from_bytes(bytes); };

template <class Outcome>
std::string message(const Outcome& outcome) {
    return outcome ? "success" : outcome.error().message();
}

TEST_CASE("rank 0 has the images of all, with the bytes of one process") {
    const int rank = ostend::mpi_rank();
    const int size = ostend::mpi_size();
    for (const int images : {0, 1, 3, 50}) { // some ranks have none
        coco_accumulator mine = of_images(images, rank, size);
        const std::string before = to_bytes(mine);
        CHECK(message(ostend::mpi_merge(mine, to_bytes, from_bytes)) == "success");
        const coco_accumulator whole = of_images(images);
        if (rank == 0) {
            CHECK(to_bytes(mine) == to_bytes(whole));
            CHECK(mine.compute().stats == whole.compute().stats);
        } else {
            CHECK(to_bytes(mine) == before);
        }
    }
    CHECK(of_images(50).compute().stats[0] > 0);
}

TEST_CASE("groups of ranks merge on their own") {
    const int group = ostend::mpi_rank() % 2;
    MPI_Comm comm = MPI_COMM_NULL;
    MPI_Comm_split(MPI_COMM_WORLD, group, 0, &comm);
    const int rank = ostend::mpi_rank(comm);
    const int images = 20 + group;
    coco_accumulator mine = of_images(images, rank, ostend::mpi_size(comm));
    CHECK(message(ostend::mpi_merge(mine, to_bytes, from_bytes, comm)) == "success");
    if (rank == 0) {
        CHECK(to_bytes(mine) == to_bytes(of_images(images)));
    }
    MPI_Comm_free(&comm);
}

TEST_CASE("what is wrong on one rank is every rank's error") {
    const int rank = ostend::mpi_rank();
    const int size = ostend::mpi_size();
    for (int bad = 1; bad < size; ++bad) {
        const std::string of_bad = "rank 0: of rank " + std::to_string(bad);
        // An image that rank 0 has too.
        coco_accumulator mine = of_images(20, rank, size);
        if (rank == bad) {
            add_image(mine, 0);
        }
        CHECK(message(ostend::mpi_merge(mine, to_bytes, from_bytes)) ==
              of_bad + ": image -20: this image is in both parts");

        // Bytes that were cut, and those of something else.
        mine = of_images(20, rank, size);
        const auto shortened = [](std::string bytes) { return bytes.substr(0, bytes.size() - 1); };
        const auto cut = [&](const coco_accumulator& metric) {
            return rank == bad ? shortened(to_bytes(metric)) : to_bytes(metric);
        };
        const std::string damaged = message(from_bytes(shortened(to_bytes(of_images(20, bad, size)))));
        CHECK(damaged != "success");
        CHECK(message(ostend::mpi_merge(mine, cut, from_bytes)) == of_bad + ": " + damaged);
        mine = of_images(20, rank, size);
        const auto nothing = [&](const coco_accumulator& metric) {
            return rank == bad ? std::string() : to_bytes(metric);
        };
        CHECK(message(ostend::mpi_merge(mine, nothing, from_bytes)).starts_with(of_bad + ": "));

        // Other options.
        mine =
            of_images(20, rank, size, rank == bad ? ostend::coco_options::clean() : ostend::coco_options{});
        CHECK(message(ostend::mpi_merge(mine, to_bytes, from_bytes)) ==
              of_bad + ": the parts were made with different options");

        // A rank that could not do its work.
        const ostend::status failed = ostend::error{"cannot be read", "dt.json", 17};
        CHECK(message(ostend::mpi_agree(rank >= bad ? failed : ostend::success{})) ==
              "rank " + std::to_string(bad) + ": dt.json: cannot be read (at 17)");
    }
    CHECK(message(ostend::mpi_agree(ostend::success{})) == "success");
    // All of that over, the ranks still understand each other.
    coco_accumulator mine = of_images(20, rank, size);
    CHECK(message(ostend::mpi_merge(mine, to_bytes, from_bytes)) == "success");
    CHECK((rank != 0 || to_bytes(mine) == to_bytes(of_images(20))));
}

TEST_CASE("bytes of any length, in the order of the ranks") {
    const int rank = ostend::mpi_rank();
    const auto of = [](int r) { return std::string(static_cast<std::size_t>(r * r * 70000), char('a' + r)); };
    const auto all = ostend::mpi_gather_bytes(of(rank));
    REQUIRE(all);
    REQUIRE(all->size() == (rank == 0 ? static_cast<std::size_t>(ostend::mpi_size()) : 0));
    for (std::size_t r = 0; r < all->size(); ++r) {
        CHECK((*all)[r] == of(static_cast<int>(r)));
    }
}

} // namespace

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    doctest::Context context(argc, argv);
    int failed = context.run();
    int any = 0;
    MPI_Allreduce(&failed, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (any == 0 && ostend::mpi_rank() == 0) {
        std::printf("%d ranks agree\n", ostend::mpi_size());
    }
    MPI_Finalize();
    return any;
}
