// Runs a fuzz target without a fuzzer: replay [SEED FILES...]. Each file as it is and with bytes changed, cut
// and repeated, then bytes of several kinds; the same inputs every time. tools/fuzz.sh fuzzes in earnest.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using bytes = std::vector<std::uint8_t>;

void run(const bytes& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

void change(std::mt19937& random, bytes& input) {
    const std::size_t times = 1 + random() % 4;
    for (std::size_t i = 0; i < times && !input.empty(); ++i) {
        const std::size_t at = random() % input.size();
        switch (random() % 4) {
        case 0:
            input[at] = static_cast<std::uint8_t>(random());
            break;
        case 1:
            input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << (random() % 8)));
            break;
        case 2:
            input.resize(at);
            break;
        default: {
            const bytes part(input.begin() + static_cast<std::ptrdiff_t>(at), input.end());
            input.insert(input.end(), part.begin(), part.end());
        }
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    std::mt19937 random(1);
    std::size_t runs = 0;
    for (int i = 1; i < argc; ++i) {
        std::ifstream file(argv[i], std::ios::binary);
        if (!file) {
            std::fprintf(stderr, "replay: %s cannot be read\n", argv[i]);
            return 2;
        }
        const bytes seed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        run(seed);
        for (int k = 0; k < 500; ++k, ++runs) {
            bytes input = seed;
            change(random, input);
            run(input);
        }
    }
    for (int k = 0; k < 5000; ++k, ++runs) {
        bytes input(random() % 64);
        const bool printable = k % 2 == 0; // the letters of compressed run lengths
        for (std::size_t i = 0; i < input.size(); ++i) {
            input[i] = static_cast<std::uint8_t>(printable && i >= 4 ? 48 + random() % 64
                                                 : k % 3 == 0        ? random() % 12
                                                                     : random());
        }
        run(input);
    }
    std::printf("%zu inputs\n", runs);
    return 0;
}
