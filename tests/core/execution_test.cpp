// Whoever runs the parts, the outcome is that of the loop: values, exceptions and errors.
#include "ostend/core/threads.hpp"

#include "support/expects.hpp"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace ostend;
using ostend::index;

/// A host's parallel_for that starts a thread a part, the last part first.
constexpr auto thread_a_part = [](index count, part_work work) {
    std::vector<std::thread> running;
    for (index i = count; i-- > 0;) {
        running.emplace_back(work, i);
    }
    for (std::thread& t : running) {
        t.join();
    }
};

/// Calls f(execution) for each kind of execution.
template <class F>
void with_each(F&& f) {
    f(seq);
    f(par);
    for (const int count : {1, 2, 3, 7}) {
        f(threads{count});
    }
    f(thread_a_part);
    f([](index count, const std::function<void(index)>& work) {
        for (index i = count; i-- > 0;) {
            work(i);
        }
    });
}

TEST_CASE("each part runs once") {
    for (const index count : {0, 1, 2, 5, 40}) {
        with_each([&](const auto& on) {
            std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
            for_each_part(on, count, [&](index i) { ++runs[static_cast<std::size_t>(i)]; });
            CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& n) { return n == 1; }));
        });
    }
}

TEST_CASE("the same bits for any number of threads") {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    constexpr index rows = 37, columns = 501;
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    std::generate(values.begin(), values.end(), [&] { return normal(random); });
    const auto sums = [&](const auto& on) {
        std::vector<float> out(static_cast<std::size_t>(rows));
        for_each_part(on, 5, [&](index i) {
            const index_span mine = part_of(rows, 5, i);
            for (index r = mine.begin; r < mine.end; ++r) {
                for (index c = 0; c < columns; ++c) {
                    out[static_cast<std::size_t>(r)] += values[static_cast<std::size_t>(r * columns + c)];
                }
            }
        });
        return out;
    };
    const auto want = sums(seq);
    with_each([&](const auto& on) {
        const auto got = sums(on);
        CHECK(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) == 0);
    });
}

TEST_CASE("threads run side by side, the calling one among them") {
    constexpr int count = 3;
    std::mutex mutex;
    std::condition_variable all_here;
    std::set<std::thread::id> who;
    int met = 0;
    for_each_part(threads{count}, count, [&](index) { // each part waits for the others to have begun
        std::unique_lock lock(mutex);
        who.insert(std::this_thread::get_id());
        all_here.notify_all();
        met += all_here.wait_for(lock, std::chrono::seconds(60), [&] { return who.size() == count; });
    });
    CHECK(met == count);
    CHECK(who.count(std::this_thread::get_id()) == 1);
}

TEST_CASE("the first part that throws is the one whose exception arrives; those before it are done") {
    for (int repeat = 0; repeat < 20; ++repeat) {
        with_each([&](const auto& on) {
            std::vector<std::atomic<int>> runs(12);
            std::string said;
            try {
                for_each_part(on, 12, [&](index i) {
                    if (i == 5 || i == 6 || i == 11) {
                        throw std::runtime_error("part " + std::to_string(i));
                    }
                    ++runs[static_cast<std::size_t>(i)];
                });
            } catch (const std::runtime_error& e) {
                said = e.what();
            }
            CHECK(said == "part 5");
            CHECK(std::all_of(runs.begin(), runs.begin() + 5, [](const auto& n) { return n == 1; }));
        });
    }
}

TEST_CASE("the first part that fails is the one whose error is returned") {
    for (int repeat = 0; repeat < 20; ++repeat) {
        with_each([&](const auto& on) {
            const auto outcome = try_each_part(on, 12, [&](index i) -> status {
                if (i == 4 || i == 9) {
                    return error{"odd", "map", static_cast<std::size_t>(i)};
                }
                return success{};
            });
            REQUIRE(!outcome);
            CHECK(outcome.error().at == 4);
            CHECK(try_each_part(on, 12, [](index) -> status { return success{}; }).has_value());
        });
    }
}

TEST_CASE("parts nest") {
    std::vector<std::atomic<int>> runs(12);
    for_each_part(threads{2}, 3, [&](index i) {
        for_each_part(threads{2}, 4, [&](index k) { ++runs[static_cast<std::size_t>(4 * i + k)]; });
    });
    CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& n) { return n == 1; }));
}

TEST_CASE("part_of cuts without gap or overlap, into parts that differ by one at most") {
    for (const index count : {0, 1, 5, 12, 101}) {
        for (const index parts : {1, 2, 3, 7, 12}) {
            index at = 0;
            for (index i = 0; i < parts; ++i) {
                const index_span p = part_of(count, parts, i);
                CHECK(p.begin == at);
                CHECK((p.end - p.begin == count / parts || p.end - p.begin == count / parts + 1));
                at = p.end;
            }
            CHECK(at == count);
        }
    }
    CHECK_EXPECTS(part_of(10, 3, 3), "part 3 of 3 of 10 indices");
    CHECK_EXPECTS(part_of(-1, 3, 0), "of -1 indices");
}

TEST_CASE("misuse is refused, also in a part on another thread") {
    const auto nothing = [](index) {};
    CHECK_EXPECTS(for_each_part(seq, -1, nothing), "-1 parts");
    CHECK_EXPECTS(for_each_part(threads{-2}, 3, nothing), "a count of -2");
    const auto lazy = [](index count, part_work work) {
        for (index i = 1; i < count; ++i) {
            work(i);
        }
    };
    CHECK_EXPECTS(for_each_part(lazy, 3, nothing), "ran 2 parts of 3");
    with_each([](const auto& on) {
        CHECK_EXPECTS(
            for_each_part(on, 3, [](index i) { OSTEND_EXPECTS(i < 1, "i is " + std::to_string(i)); }),
            "i is 1");
    });
}

} // namespace
