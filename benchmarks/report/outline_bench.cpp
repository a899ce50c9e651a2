// Times of outline_path, a mask of rings as the path of an SVG: outline.<height>x<width>.
#include "../run.hpp"
#include "ostend/report/outline.hpp"
#include "pictures.hpp"

int main(int argc, char** argv) {
    add_call("outline.480x640",
             [mask = ostend_bench::rings(480, 640)] { return ostend::outline_path(mask); });
    add_call("outline.1024x1024",
             [mask = ostend_bench::rings(1024, 1024)] { return ostend::outline_path(mask); });
    return run_benchmarks(argc, argv);
}
