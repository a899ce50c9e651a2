// 08: your own host. A tensor, a model and a segmenter that the library has never heard of, a few lines each;
// ostend::ground() then does all of 03 to 07. (A dump stands for the network; hosts/tiny_llava is a whole
// one.)
//
// Prints where ground() found the phrases of what the model said, and that the segmenter was asked.
#include "dump/dump.hpp"
#include "ostend/ostend.hpp"

#include <cstdio>

struct my_tensor { // of rows x columns numbers
    const float* data;
    int rows, columns;
};
template <>
struct ostend::tensor_traits<my_tensor> { // all that the library needs to read it
    static constexpr std::size_t rank = 2;
    using element = const float;
    static constexpr bool owns = false; // it points to memory that others keep
    static tensor_view<const float, 2> view(my_tensor& x) { return {x.data, {x.rows, x.columns}}; }
};

struct my_model {
    ostend_tools::attention_dump network;

    ostend::result<ostend::generation> generate(const ostend::image_view&,
                                                const ostend::generate_request& request) {
        const auto& attention = std::get<ostend_tools::dumped_rows>(network.attention);
        ostend::recorder_options options = request.recording; // the caller's choices; then the model's sizes:
        options.layers = 4;
        options.heads = 6;
        options.image = {0, 144}; // keys 0 to 143 are image tokens
        ostend::recorder recorder(options);
        for (int token = 0; token < 16; ++token) {
            for (int layer = 0; layer < 4; ++layer) {
                my_tensor row{attention.row(token, layer).data(), 6, 144}; // heads x keys
                recorder.add({.layer = layer, .token = token}, row);       // the one line that a host adds
            }
        }
        return ostend::generation{network.tokens, std::move(recorder), network.grid};
    }
};

struct my_segmenter { // the place for yours; this one answers every prompt with the whole image
    using candidates = std::vector<ostend::mask_candidate>;
    ostend::result<std::vector<candidates>> segment(const ostend::image_view& image,
                                                    std::span<const ostend::prompt> prompts) {
        const ostend::bitmap all(image.extent(0), image.extent(1), true);
        return std::vector<candidates>(prompts.size(), {{.mask = ostend::encode(all), .score = 0.5F}});
    }
};

int main() {
    my_model model{*ostend_tools::read_dump(EXAMPLE_DATA "/broccoli_rows.safetensors")};
    my_segmenter segmenter;
    const auto found = *ostend::ground(model.network.image.view(), model, segmenter);
    for (const ostend::grounded_phrase& p : found.phrases) {
        std::printf("%-18s (%td, %td), area %g\n", p.phrase.text.c_str(), p.at.at.x, p.at.at.y, p.box.area());
    }
}
