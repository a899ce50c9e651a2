// ostend_golden: runs the cases of a folder of golden data (a manifest.json and .npy files).
#include "golden/golden.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    CLI::App app{"Compares the library with outputs of the reference programs.\n"
                 "Prints `FAIL category/id: why` for each failing case and at last `N passed, N failed`."};
    std::string folder;
    std::vector<std::string> only;
    app.add_option("DIR", folder, "folder with manifest.json")->required();
    app.add_option("--only", only, "categories to run, separated by commas")->delimiter(',');
    std::string categories;
    for (const auto& [name, check] : ostend_tools::golden_checks()) {
        categories += (categories.empty() ? "" : ", ") + name;
    }
    app.footer("Categories that are known: " + categories +
               ".\n"
               "Exit status: 0 all passed, 1 a case failed, 2 the folder cannot be read, 100 and more bad "
               "arguments.");
    CLI11_PARSE(app, argc, argv);

    const auto outcomes = ostend_tools::run_golden(folder, only);
    if (!outcomes) {
        std::fprintf(stderr, "ostend_golden: %s\n", outcomes.error().message().c_str());
        return 2;
    }
    std::size_t failed = 0;
    for (const auto& outcome : *outcomes) {
        if (outcome.why.empty()) {
            continue;
        }
        ++failed;
        std::printf("FAIL %s: %s\n", outcome.name.c_str(), outcome.why.c_str());
    }
    std::printf("%zu passed, %zu failed\n", outcomes->size() - failed, failed);
    return failed == 0 ? 0 : 1;
}
