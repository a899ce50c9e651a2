// 04: phrases. From a map a token to a map a phrase.
//
// A model speaks in tokens ("ro", "cc", "ol"), people in phrases ("a broccoli"). Token spans say which
// characters each token wrote; noun phrases are spans of the same text; a phrase's map is the mean over the
// tokens that overlap it. What to ground is yours to say: a keep_phrase is any callable.
//
// Prints the phrases with their tokens, the ones that were dropped and why, and the same with another choice.
#include "dump/dump.hpp"
#include "ostend/phrase/group.hpp"
#include "ostend/phrase/noun_phrases.hpp"
#include "ostend/phrase/token_spans.hpp"

#include <cstdio>

int main() {
    const auto dump = *ostend_tools::read_dump(EXAMPLE_DATA "/broccoli_rows.safetensors");
    const auto said = ostend_tools::replay(dump); // tokens, recorder and layout, as a model gives them

    const std::string caption = ostend::join_text(said.tokens);
    const std::vector<ostend::text_span> spans = ostend::token_spans(said.tokens); // in characters
    std::printf("\"%s\"\n", caption.c_str());
    std::printf("token 5 is \"%s\", characters %td to %td\n\n", said.tokens[5].bytes.c_str(), spans[5].begin,
                spans[5].end);

    const auto print = [&](const ostend::phrase_list& phrases, ostend::phrase_words words) {
        for (const ostend::noun_phrase& phrase : phrases.kept) {
            std::printf("  %-18s tokens", phrase.text.c_str());
            for (const ostend::index token : tokens_of(spans, span_of(phrase, words))) {
                std::printf(" %td", token);
            }
            std::printf("\n");
        }
        for (const ostend::dropped_phrase& dropped : phrases.dropped) {
            std::printf("  %-18s %s\n", dropped.phrase.text.c_str(), dropped.reason.c_str());
        }
    };

    const ostend::phrase_list phrases = ostend::noun_phrases(caption); // a small English chunker
    std::printf("without the article, which is the default:\n");
    print(phrases, ostend::phrase_words::without_article);
    std::printf("the root noun alone, as in the paper:\n");
    print(phrases, ostend::phrase_words::root);
    std::printf("keeping what a callable wants:\n");
    const auto no_grapes = [](const ostend::noun_phrase& phrase) {
        return phrase.text.find("grapes") == std::string::npos;
    };
    print(ostend::noun_phrases(caption, no_grapes), ostend::phrase_words::whole);

    const ostend::matrix<float> token_maps = *said.attention.maps();
    const ostend::matrix<float> maps = *ostend::phrase_maps(token_maps, spans, phrases.kept);
    std::printf("\n%td token maps became %td phrase maps\n", token_maps.rows(), maps.rows());
}
