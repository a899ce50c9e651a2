// dump_listener: collects a dump while any host answers; the host does not know.
//
//     dump_listener ear(dump_content::queries);
//     request.recording.listener = &ear;                  // generate_request, or ground_options::request
//     auto said = lmm.generate(image, request);
//     auto dump = ear.finish(image, said->tokens, said->grid, "my model");
//
// Keys are copied as they come, each once. A cache whose keys move, sliding windows, mask rows, ALiBi and
// sinks have no place in a dump of queries; such a host is dumped as rows, which take their result.
#pragma once

#include "dump/dump.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ostend_tools {

enum class dump_content { rows, queries };

class dump_listener final : public ostend::attention_listener {
public:
    explicit dump_listener(dump_content content) : content_(content) {}

    void on_queries(const ostend::row_key& key, const ostend::qk_block& block,
                    const ostend::key_selection& image) override;
    void on_rows(const ostend::row_key& key, const ostend::tensor_view<const float, 3>& rows,
                 const ostend::key_selection& image) override;

    /// The dump of sequence 0, whose tokens these are. Errors: a (token, layer) that never came; queries
    /// wanted of a host that gives rows, or whose scores have no place in the file; a layout of another
    /// number of image tokens.
    [[nodiscard]] ostend::result<attention_dump> finish(const ostend::image_view& image,
                                                        const std::vector<ostend::token_text>& tokens,
                                                        const ostend::layout& grid,
                                                        const std::string& made_with) const;

private:
    struct kept_query {
        std::vector<float> values; ///< [heads, head_dim]
        ostend::index visible = 0;
    };
    struct kept_layer {
        std::map<ostend::index, kept_query> queries = {};      ///< by token
        std::map<ostend::index, std::vector<float>> rows = {}; ///< by token: [heads, image_tokens]
        std::vector<float> keys = {};                          ///< [keys, kv_heads, head_dim]
        ostend::index keys_kept = 0;
    };
    /// What all blocks of a generation share.
    struct shared_shape {
        ostend::index heads = 0;
        ostend::index kv_heads = 0;
        ostend::index head_dim = 0;
        float scale = 0;
        float softcap = 0;
        std::uint64_t epoch = 0;
        ostend::key_selection image = {};
        friend bool operator==(const shared_shape&, const shared_shape&) = default;
    };
    void keep_queries(const ostend::row_key& key, const ostend::qk_block& block);
    [[nodiscard]] ostend::result<dumped_rows> rows_of(ostend::index tokens) const;
    [[nodiscard]] ostend::result<dumped_queries> queries_of(ostend::index tokens) const;

    dump_content content_;
    ostend::index heads_ = 0;
    ostend::index image_tokens_ = 0;
    std::map<int, kept_layer> layers_ = {};
    std::optional<shared_shape> model_ = {};
    std::string refused_ = {}; ///< why no dump can be made
};

} // namespace ostend_tools
