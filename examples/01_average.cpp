// 01: the smallest attention map.
//
// A model is about to say "dog". Its two heads spread their attention over five keys: the start token, three
// image tokens (the image cut into three cells, left to right) and the word "a". The map of "dog" is the mean
// over the heads, for the image tokens alone. Here it is by hand and by the library, which reads any number
// of tokens, layers and heads in the same call.
//
// Prints the two maps, which are equal, the map of one head, and the cell where the model looks most.
#include "ostend/attention/aggregate.hpp"

#include <algorithm>
#include <cstdio>

namespace {

void print(const char* name, std::span<const float> map) {
    std::printf("%-14s", name);
    for (const float value : map) {
        std::printf("  %.2f", static_cast<double>(value));
    }
    std::printf("\n");
}

} // namespace

int main() {
    //                             <s>  left middle right  "a"
    const float attention[2][5] = {{0.50F, 0.05F, 0.30F, 0.05F, 0.10F},  // head 0
                                   {0.20F, 0.15F, 0.40F, 0.05F, 0.20F}}; // head 1
    const ostend::key_selection image(1, 3); // keys 1, 2 and 3 are the image tokens

    // By hand: average the two rows of the 2 x 3 block in the middle.
    float by_hand[3];
    for (int cell = 0; cell < 3; ++cell) {
        by_hand[cell] = (attention[0][1 + cell] + attention[1][1 + cell]) / 2;
    }
    print("by hand", by_hand);

    // By the library: a view of the same numbers as [tokens, layers, heads, keys] = [1, 1, 2, 5].
    const ostend::tensor_view<const float, 4> view(&attention[0][0], {1, 1, 2, 5});
    const ostend::matrix<float> maps = ostend::aggregate(view, image); // [tokens, image tokens]
    print("by the library", maps.row(0));

    // Heads are a choice: all of them is the paper's, here is head 1 of layer 0 alone.
    const auto head_1 = ostend::head_selection::pairs({{.layer = 0, .head = 1}});
    print("head 1 alone", ostend::aggregate(view, image, {.heads = head_1}).row(0));

    const auto map = maps.row(0);
    const auto best = std::max_element(map.begin(), map.end()) - map.begin();
    const char* const cells[] = {"left", "middle", "right"};
    std::printf("the dog is in the %s\n", cells[best]);
}
