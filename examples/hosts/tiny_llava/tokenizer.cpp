#include "tiny_llava/tokenizer.hpp"

#include "tiny_llava/safetensors.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <optional>
#include <queue>
#include <tuple>

namespace ostend_hosts {
namespace {

using nlohmann::json;
using ostend::error;
using ids = std::vector<std::int32_t>;

constexpr std::string_view space_mark = "\xE2\x96\x81"; // U+2581

// The length of the UTF-8 character at the front of a text, 0 when there is none (RFC 3629).
std::size_t character_length(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = at(0);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xC0U) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xF0 && at(1) < 0x90);
    const bool surrogate = lead == 0xED && at(1) >= 0xA0;
    const bool beyond = lead == 0xF4 && at(1) >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

std::optional<std::size_t> first_bad_byte(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_length(text.substr(at));
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return std::nullopt;
}

std::string byte_piece(unsigned value) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", value & 0xFFU);
    return name;
}

// The byte that a piece such as <0xE2> stands for.
std::optional<char> byte_of(const std::string& piece) {
    if (piece.size() != 6 || piece.compare(0, 3, "<0x") != 0 || piece[5] != '>') {
        return std::nullopt;
    }
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
    const int value = digit(piece[3]) * 16 + digit(piece[4]);
    return byte_piece(static_cast<unsigned>(value)) == piece ? std::optional(static_cast<char>(value))
                                                             : std::nullopt;
}

ostend::result<json> read_json(const std::filesystem::path& file) {
    auto bytes = read_file(file);
    if (!bytes) {
        return bytes.error();
    }
    json root = json::parse(*bytes, nullptr, /*allow_exceptions=*/false);
    if (root.is_discarded()) {
        return error{.what = "the file is not JSON", .field = file.string()};
    }
    return root;
}

} // namespace

ostend::result<tokenizer> tokenizer::load(const std::filesystem::path& directory) {
    std::error_code failed;
    if (std::filesystem::exists(directory / "tokenizer.json", failed)) {
        return load_pairs(directory / "tokenizer.json");
    }
    if (std::filesystem::exists(directory / "vocab.json", failed)) {
        return load_words(directory / "vocab.json");
    }
    return error{.what = "the folder holds neither tokenizer.json nor vocab.json",
                 .field = directory.string()};
}

ostend::result<tokenizer> tokenizer::load_words(const std::filesystem::path& file) {
    const auto root = read_json(file);
    if (!root) {
        return root.error();
    }
    if (!root->is_array() || root->empty()) {
        return error{.what = "the file is not a list of words", .field = file.string()};
    }
    tokenizer t;
    t.words_ = true;
    for (const json& word : *root) {
        const auto token = static_cast<std::int32_t>(t.pieces_.size());
        if (!word.is_string() || !t.ids_.emplace(word.get<std::string>(), token).second) {
            return error{.what = "is not a word, or one that came before",
                         .field = file.string(),
                         .at = t.pieces_.size()};
        }
        t.pieces_.push_back(word.get<std::string>());
        if (t.pieces_.back().size() > 2 && t.pieces_.back().front() == '<') {
            t.added_[token] = true;
        }
    }
    return t;
}

ostend::result<tokenizer> tokenizer::load_pairs(const std::filesystem::path& file) {
    const auto read = read_json(file);
    if (!read) {
        return read.error();
    }
    const json& root = *read;
    const auto fail = [&](const std::string& field, std::string what,
                          std::optional<std::size_t> at = std::nullopt) {
        return error{.what = std::move(what), .field = file.string() + ": " + field, .at = at};
    };
    const auto get = [&](const char* path) {
        const json::json_pointer pointer(path);
        return root.contains(pointer) ? root.at(pointer) : json();
    };
    if (get("/model/type") != "BPE" || get("/model/byte_fallback") != true) {
        return fail("model", "is not BPE with byte_fallback");
    }
    if (get("/pre_tokenizer/type") != "Metaspace" || get("/pre_tokenizer/prepend_scheme") != "first" ||
        get("/pre_tokenizer/split") != false || get("/pre_tokenizer/replacement") != space_mark) {
        return fail("pre_tokenizer", "is not Metaspace with U+2581, prepend_scheme first and no split");
    }
    if (!get("/normalizer").is_null()) {
        return fail("normalizer", "this host has no normaliser");
    }
    for (const char* option : {"/model/ignore_merges", "/model/dropout", "/model/end_of_word_suffix",
                               "/model/continuing_subword_prefix"}) {
        const json value = get(option);
        if (!value.is_null() && value != false) {
            return fail(option + 1, "this host has no such option");
        }
    }

    tokenizer t;
    const json vocabulary = get("/model/vocab");
    if (!vocabulary.is_object() || vocabulary.empty()) {
        return fail("model/vocab", "is not an object");
    }
    t.pieces_.resize(vocabulary.size());
    std::vector<bool> taken(vocabulary.size());
    for (const auto& [piece, token] : vocabulary.items()) {
        if (!token.is_number_unsigned() || token.get<std::size_t>() >= taken.size() ||
            taken[token.get<std::size_t>()]) {
            return fail("model/vocab", "'" + piece + "' has no number of its own below the number of pieces");
        }
        taken[token.get<std::size_t>()] = true;
        t.pieces_[token.get<std::size_t>()] = piece;
        t.ids_.emplace(piece, token.get<std::int32_t>());
    }
    for (unsigned value = 0; value < 256; ++value) {
        const auto found = t.ids_.find(byte_piece(value));
        if (found == t.ids_.end()) {
            return fail("model/vocab", "lacks the byte " + byte_piece(value));
        }
        t.bytes_.push_back(found->second);
    }

    const json merges = get("/model/merges");
    if (!merges.is_array()) {
        return fail("model/merges", "is not a list");
    }
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
        const json& pair = merges[rank];
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
            return fail("model/merges", "is not a pair of pieces", rank);
        }
        const auto left = t.ids_.find(pair[0].get<std::string>());
        const auto right = t.ids_.find(pair[1].get<std::string>());
        const auto whole = t.ids_.find(pair[0].get<std::string>() + pair[1].get<std::string>());
        if (left == t.ids_.end() || right == t.ids_.end() || whole == t.ids_.end()) {
            return fail("model/merges", "names a piece that is not in the vocabulary", rank);
        }
        t.merges_[{left->second, right->second}] = {static_cast<std::int32_t>(rank), whole->second};
    }

    const json added = get("/added_tokens");
    if (!added.is_array()) {
        return fail("added_tokens", "is not a list");
    }
    for (std::size_t i = 0; i < added.size(); ++i) {
        const json content = added[i].is_object() ? added[i].value("content", json()) : json();
        const auto found = content.is_string() ? t.ids_.find(content.get<std::string>()) : t.ids_.end();
        if (found == t.ids_.end() || found->first.empty()) {
            return fail("added_tokens", "is not in the vocabulary", i);
        }
        for (const char* option : {"single_word", "lstrip", "rstrip"}) {
            if (added[i].contains(option) && added[i][option] != false) {
                return fail("added_tokens", "this host has no " + std::string(option), i);
            }
        }
        t.added_[found->second] = added[i].contains("special") && added[i]["special"] == true;
    }
    return t;
}

ostend::result<ids> tokenizer::encode(std::string_view text) const {
    if (const auto bad = first_bad_byte(text)) {
        return error{.what = "the text is not UTF-8", .field = "text", .at = bad};
    }
    if (words_) {
        return split_words(text);
    }

    // Cut at the added tokens (the longest where several begin), then merge what lies between them.
    ids out;
    std::size_t begin = 0;
    const auto flush = [&](std::size_t end) {
        if (end <= begin) {
            return;
        }
        std::string piece;
        for (const char c : text.substr(begin, end - begin)) {
            piece += c == ' ' ? std::string(space_mark) : std::string(1, c);
        }
        // The text as a whole begins as if after a space; a part after an added token does not.
        if (begin == 0 && piece.compare(0, space_mark.size(), space_mark) != 0) {
            piece.insert(0, space_mark);
        }
        merge_pairs(piece, out);
    };
    for (std::size_t at = 0; at < text.size();) {
        std::int32_t found = -1;
        for (const auto& [token, special] : added_) {
            const std::string& content = piece(token);
            if (text.compare(at, content.size(), content) == 0 &&
                (found < 0 || content.size() > piece(found).size())) {
                found = token;
            }
        }
        if (found < 0) {
            ++at;
            continue;
        }
        flush(at);
        out.push_back(found);
        at += piece(found).size();
        begin = at;
    }
    flush(text.size());
    return out;
}

// Byte-pair encoding: always the merge of lowest rank, the leftmost of equals. Symbols form a linked list,
// and a queue holds the possible merges; those that a later merge made impossible are recognised when they
// come up.
void tokenizer::merge_pairs(std::string_view text, ids& out) const {
    struct symbol {
        std::int32_t token;
        int previous;
        int next;
    };
    std::vector<symbol> symbols;
    const auto add = [&](std::int32_t token) {
        const int place = static_cast<int>(symbols.size());
        symbols.push_back({token, place - 1, place + 1});
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_length(text.substr(at));
        const auto found = ids_.find(std::string(text.substr(at, length)));
        if (found != ids_.end()) {
            add(found->second);
        } else {
            for (const char c : text.substr(at, length)) {
                add(bytes_[static_cast<unsigned char>(c)]);
            }
        }
        at += length;
    }
    if (symbols.empty()) {
        return;
    }
    symbols.back().next = -1;

    using candidate = std::tuple<std::int32_t, int, std::int32_t>; // rank, place of the left symbol, result
    std::priority_queue<candidate, std::vector<candidate>, std::greater<>> queue;
    const auto find_merge = [&](int left) -> const merge* {
        if (left < 0 || symbols[std::size_t(left)].next < 0) {
            return nullptr;
        }
        const symbol& s = symbols[std::size_t(left)];
        const auto found = merges_.find({s.token, symbols[std::size_t(s.next)].token});
        return found == merges_.end() ? nullptr : &found->second;
    };
    const auto propose = [&](int left) {
        if (const merge* m = find_merge(left)) {
            queue.emplace(m->rank, left, m->token);
        }
    };
    for (int place = 0; place < static_cast<int>(symbols.size()); ++place) {
        propose(place);
    }
    while (!queue.empty()) {
        const auto [rank, left, token] = queue.top();
        queue.pop();
        symbol& s = symbols[std::size_t(left)];
        const merge* const still = s.token < 0 ? nullptr : find_merge(left);
        if (still == nullptr || still->rank != rank) {
            continue;
        }
        symbol& eaten = symbols[std::size_t(s.next)];
        s.token = token;
        s.next = eaten.next;
        eaten.token = -1;
        if (s.next >= 0) {
            symbols[std::size_t(s.next)].previous = left;
        }
        propose(s.previous);
        propose(left);
    }
    for (int place = 0; place >= 0; place = symbols[std::size_t(place)].next) {
        out.push_back(symbols[std::size_t(place)].token);
    }
}

ostend::result<ids> tokenizer::split_words(std::string_view text) const {
    ids out;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        if (end > begin) {
            const std::string word(text.substr(begin, end - begin));
            const auto found = ids_.find(word);
            if (found == ids_.end()) {
                return error{
                    .what = "the vocabulary has no word '" + word + "'", .field = "text", .at = begin};
            }
            out.push_back(found->second);
        }
        begin = end + 1;
    }
    return out;
}

ostend::result<std::vector<ostend::token_text>> tokenizer::decode(const ids& tokens) const {
    std::vector<ostend::token_text> out;
    bool first = true; // nothing written yet: the space that opens a text is not written
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i] < 0 || std::size_t(tokens[i]) >= pieces_.size()) {
            return error{.what = "token " + std::to_string(tokens[i]) + " is outside the vocabulary of " +
                                 std::to_string(pieces_.size()),
                         .field = "tokens",
                         .at = i};
        }
        ostend::token_text token{.id = tokens[i]};
        const std::string& raw = piece(tokens[i]);
        const auto added = added_.find(tokens[i]);
        token.special = added != added_.end() && added->second;
        if (token.special) {
            out.push_back(token);
            continue;
        }
        if (words_) {
            token.bytes = " " + raw;
        } else if (const auto byte = byte_of(raw)) {
            token.bytes = *byte;
        } else {
            for (std::size_t at = 0; at < raw.size(); ++at) {
                const bool mark = raw.compare(at, space_mark.size(), space_mark) == 0;
                token.bytes += mark ? ' ' : raw[at];
                at += mark ? space_mark.size() - 1 : 0;
            }
        }
        if (first && !token.bytes.empty()) {
            first = false;
            if (token.bytes.front() == ' ') {
                token.bytes.erase(0, 1);
            }
        }
        out.push_back(token);
    }
    return out;
}

} // namespace ostend_hosts
