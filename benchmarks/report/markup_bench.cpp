// Times of base64 (pictures in a page) and of html_escape (its texts).
#include "../run.hpp"
#include "ostend/report/markup.hpp"
#include "pictures.hpp"

int main(int argc, char** argv) {
    std::string bytes;
    for (std::size_t i = 0; i < 1048576; ++i) {
        bytes += static_cast<char>(i * 2654435761U >> 13U);
    }
    std::string text;
    while (text.size() < 65536) {
        text += "A \"fire engine\" & two dogs (1 < 2) walk past the caf\xC3\xA9, it's late. ";
    }
    add_call("base64.1M", [bytes] { return ostend::base64(bytes); });
    add_call("html_escape.64K", [text] { return ostend::html_escape(text); });
    return run_benchmarks(argc, argv);
}
