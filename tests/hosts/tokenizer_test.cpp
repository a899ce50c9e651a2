// tokenizer: equal to Hugging Face's tokenizers on checked-in strings, and damaged vocabularies.
#include "reference.hpp"
#include "tiny_llava/tokenizer.hpp"

using namespace ostend_test;
using ostend_hosts::tokenizer;

TEST_CASE("encode and decode equal Python's") {
    for (const std::string& name : model_names) {
        CAPTURE(name);
        const auto t = tokenizer::load(model_folder(name));
        REQUIRE_MESSAGE(t, t.error().message());
        const auto cases = read_json(reference_folder(name) / "tokeniser.json");
        REQUIRE(cases.at("encode").size() >= 36);
        for (const auto& c : cases.at("encode")) {
            const auto text = c.at("text").get<std::string>();
            CAPTURE(text);
            const auto ids = t->encode(text);
            REQUIRE_MESSAGE(ids, ids.error().message());
            CHECK(*ids == c.at("ids").get<std::vector<std::int32_t>>());
        }
        REQUIRE(cases.at("decode").size() >= 36);
        for (const auto& c : cases.at("decode")) {
            const auto tokens = t->decode(c.at("ids").get<std::vector<std::int32_t>>());
            REQUIRE(tokens);
            CHECK(text_of(*tokens) == c.at("text").get<std::string>());
        }
    }
}

TEST_CASE("any text comes back from sub-words, byte by byte where the vocabulary lacks it") {
    const auto& t = model("tiny-llava").vocabulary();
    for (const std::string text : {"a dog", "na\xC3\xAFve \xF0\x9F\x90\x95 x", "UPPER", "a\nb", "  two"}) {
        const auto ids = t.encode(text);
        REQUIRE(ids);
        const auto tokens = t.decode(*ids);
        REQUIRE(tokens);
        // A text that begins with a space and one that does not have the same tokens, as in SentencePiece.
        CHECK(text_of(*tokens) == (text.front() == ' ' ? text.substr(1) : text));
    }
    const auto dog = t.encode("\xF0\x9F\x90\x95");
    REQUIRE(dog);
    CHECK(dog->size() == 5); // the mark of the space and four bytes
}

TEST_CASE("special tokens are marked and written as nothing") {
    for (const std::string& name : model_names) {
        const auto tokens = model(name).vocabulary().decode({1, 2});
        REQUIRE(tokens);
        for (const auto& token : *tokens) {
            CHECK(token.special);
            CHECK(token.bytes.empty());
        }
    }
}

TEST_CASE("text and tokens that cannot be") {
    const auto& pieces = model("tiny-llava").vocabulary();
    const auto& words = model("tiny-llava-clip").vocabulary();
    CHECK_ERROR(words.encode("a dog and a zebra"), "text", "no word 'zebra' (at 12)");
    CHECK_ERROR(words.decode({1, 135}), "tokens", "token 135 is outside the vocabulary of 135 (at 1)");
    CHECK_ERROR(pieces.decode({-1}), "tokens", "token -1 is outside");
    CHECK_ERROR(pieces.decode({576}), "tokens", "token 576 is outside");
    // Cut, overlong, a surrogate, beyond U+10FFFF, a lone continuation.
    for (const std::string bad : {"\xE2\x96", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                  "\x80", "\xFF", "\xF0\x80\x80\x80"}) {
        CHECK_ERROR(pieces.encode("ok" + bad), "text", "not UTF-8 (at 2)");
        CHECK_ERROR(words.encode("ok" + bad), "text", "not UTF-8 (at 2)");
    }
}

TEST_CASE("a long text takes no quadratic time") {
    std::string text;
    for (int i = 0; i < 20000; ++i) {
        text += "watermelon ";
    }
    const auto ids = model("tiny-llava").vocabulary().encode(text);
    REQUIRE(ids);
    CHECK(ids->size() == 20001); // and the space at the end
}

TEST_CASE("damaged vocabularies are errors that name file and field") {
    const scratch_folder folder;
    const auto load = [&] { return tokenizer::load(folder.path()); };
    CHECK_ERROR(load(), folder.path().string(), "neither tokenizer.json nor vocab.json");
    for (const char* bad : {"{}", "[]", "[1]", R"(["a","a"])", "[", ""}) {
        folder.write("vocab.json", bad);
        CHECK_ERROR(load(), "vocab.json", "");
    }
    const auto good = read_json(model_folder("tiny-llava") / "tokenizer.json");
    const auto with = [&](const char* path, const nlohmann::json& value) {
        auto changed = good;
        changed[nlohmann::json::json_pointer(path)] = value;
        folder.write("tokenizer.json", changed.dump());
        return load();
    };
    REQUIRE(with("/version", "1.0"));
    CHECK_ERROR(with("/model/type", "Unigram"), "tokenizer.json: model", "not BPE");
    CHECK_ERROR(with("/model/byte_fallback", false), "tokenizer.json: model", "byte_fallback");
    CHECK_ERROR(with("/pre_tokenizer", nullptr), "pre_tokenizer", "Metaspace");
    CHECK_ERROR(with("/normalizer", {{"type", "NFKC"}}), "normalizer", "no normaliser");
    CHECK_ERROR(with("/model/vocab", {{"a", 0}, {"b", 0}}), "model/vocab", "no number of its own");
    CHECK_ERROR(with("/model/vocab", {{"a", 0}, {"b", 99}}), "model/vocab", "no number of its own");
    CHECK_ERROR(with("/model/vocab", {{"a", 0}}), "model/vocab", "lacks the byte <0x00>");
    CHECK_ERROR(with("/model/vocab", {{"a", -1}}), "model/vocab", "no number");
    CHECK_ERROR(with("/model/vocab", 5), "model/vocab", "not an object");
    CHECK_ERROR(with("/model/merges/3", {"a", "\xF0\x9F\x90\x95"}), "model/merges", "(at 3)");
    CHECK_ERROR(with("/model/merges/3", "a b"), "model/merges", "not a pair");
    CHECK_ERROR(with("/model/merges", nullptr), "model/merges", "not a list");
    CHECK_ERROR(with("/added_tokens/1/content", "<none>"), "added_tokens", "(at 1)");
    CHECK_ERROR(with("/added_tokens/4/lstrip", true), "added_tokens", "no lstrip");
    CHECK_ERROR(with("/added_tokens", 1), "added_tokens", "not a list");
    folder.write("tokenizer.json", "{\"model\":");
    CHECK_ERROR(load(), "tokenizer.json", "not JSON");
    folder.write("tokenizer.json", "[1]");
    CHECK_ERROR(load(), "tokenizer.json: model", "not BPE");
}
