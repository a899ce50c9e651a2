// The chunker on captions: general ones, the model's classes and scenes, and text that is none.
#include "ostend/phrase/chunker.hpp"
#include "ostend/phrase/noun_phrases.hpp"

#include "phrase/utf8_oracle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

/// "phrase/root; phrase/root" of the phrases that the default stop-list keeps.
std::string summary(const std::string& caption) {
    const text_index where(caption);
    std::string out;
    for (const noun_phrase& p : noun_phrases(caption).kept) {
        out += (out.empty() ? "" : "; ") + p.text + "/" + std::string(where.substring(p.root));
    }
    return out;
}

struct expected_chunks {
    const char* caption;
    const char* phrases;
};

// clang-format off
const expected_chunks captions[] = {
    {"Two young men are riding horses on a sandy beach near the ocean.",
     "Two young men/men; horses/horses; a sandy beach/beach; the ocean/ocean"},
    {"The image shows a man in a red shirt holding a tennis racket",
     "a man/man; a red shirt/shirt; a tennis racket/racket"},
    {"A black and white dog is sitting on a wooden bench.",
     "A black and white dog/dog; a wooden bench/bench"},
    {"The man's hat is next to the dogs' toys.",
     "The man's hat/hat; the dogs' toys/toys"},
    {"There are three zebras grazing in a grassy field.",
     "three zebras/zebras; a grassy field/field"},
    {"A double-decker bus drives down the street.",
     "A double-decker bus/bus; the street/street"},
    {"A piece of cake and a cup of coffee are on the table.",
     "A piece of cake/cake; a cup of coffee/coffee; the table/table"},
    {"A group of people standing around a kitchen preparing food.",
     "A group of people/people; a kitchen/kitchen; food/food"},
    {"A bathroom with a toilet, a sink and a large mirror.",
     "A bathroom/bathroom; a toilet/toilet; a sink/sink; a large mirror/mirror"},
    {"A woman wearing sunglasses (and a blue hat) smiles at the camera.",
     "A woman/woman; sunglasses/sunglasses; a blue hat/hat; the camera/camera"},
    {"A sign that says \"STOP\" is in front of a brick building.",
     "A sign/sign; STOP/STOP; a brick building/building"},
    {"An old man — a fisherman — sits in a small boat.",
     "An old man/man; a fisherman/fisherman; a small boat/boat"},
    {"A naïve señor drinks café au lait.",
     "A naïve señor/señor; café au lait/lait"},
    {"A parked car near parked motorcycles and a car parked on the street.",
     "A parked car/car; parked motorcycles/motorcycles; a car/car; the street/street"},
    {"A snow covered mountain behind a ski lodge.",
     "A snow covered mountain/mountain; a ski lodge/lodge"},
    {"A red, white and blue flag flies over the building.",
     "A red, white and blue flag/flag; the building/building"},
    {"A tall, old tree casts a shadow on the ground.",
     "A tall, old tree/tree; a shadow/shadow; the ground/ground"},
    {"It is a sunny day and people are playing frisbee in the park.",
     "a sunny day/day; people/people; frisbee/frisbee; the park/park"},
    {"A man is trying to catch a frisbee.",
     "A man/man; a frisbee/frisbee"},
    {"We can see an orange and white cat lying on a couch.",
     "an orange and white cat/cat; a couch/couch"},
    {"An orange and a banana are in a bowl.",
     "An orange/orange; a banana/banana; a bowl/bowl"},
    {"A bowl of oranges and green apples sits on the counter.",
     "A bowl of oranges/oranges; green apples/apples; the counter/counter"},
    {"A train traveling down train tracks next to a forest.",
     "A train/train; train tracks/tracks; a forest/forest"},
    {"A man riding a wave on top of a surfboard.",
     "A man/man; a wave/wave; a surfboard/surfboard"},
    {"A little girl is eating a slice of pizza with her hands.",
     "A little girl/girl; a slice of pizza/pizza; her hands/hands"},
    {"A cat is looking at itself in the mirror.",
     "A cat/cat; the mirror/mirror"},
    {"A person on skis makes their way through the snow.",
     "A person/person; their way/way; the snow/snow"},
    {"Several boats are docked at the harbor.",
     "Several boats/boats; the harbor/harbor"},
    {"A brightly colored kite is flying in the clear blue sky.",
     "A brightly colored kite/kite; the clear blue sky/sky"},
    {"A short-haired woman uses a hand-held phone.",
     "A short-haired woman/woman; a hand-held phone/phone"},
    {"A flock of sheep grazing on a lush green hillside.",
     "A flock of sheep/sheep; a lush green hillside/hillside"},
    {"In the background, there is a tall building with a clock tower.",
     "a tall building/building; a clock tower/tower"},
    {"The living room has a fireplace, a flat screen TV and two couches.",
     "The living room/room; a fireplace/fireplace; a flat screen TV/TV; two couches/couches"},
    {"A bunch of bananas hanging from the ceiling.",
     "A bunch of bananas/bananas; the ceiling/ceiling"},
    {"Two people walk along a path through the woods.",
     "Two people/people; a path/path; the woods/woods"},
    {"The dog's on the couch.",
     "The dog/dog; the couch/couch"},
    {"It's a photo of a stop sign at night.",
     "a stop sign/sign; night/night"},
    {"A hot dog with mustard and ketchup on a paper plate.",
     "A hot dog/dog; mustard/mustard; ketchup/ketchup; a paper plate/plate"},
    {"A swimming pool surrounded by palm trees.",
     "A swimming pool/pool; palm trees/trees"},
    {"A baseball player swinging a bat at a ball.",
     "A baseball player/player; a bat/bat; a ball/ball"},
    {"A man watches TV while a woman reads a book.",
     "A man/man; TV/TV; a woman/woman; a book/book"},
    {"Children play soccer on the field.",
     "Children/Children; soccer/soccer; the field/field"},
    {"The large brown bear walks through the river.",
     "The large brown bear/bear; the river/river"},
    {"A pair of scissors, three pens and a roll of tape.",
     "A pair of scissors/scissors; three pens/pens; a roll of tape/tape"},
    {"One of the men is wearing a top hat.",
     "the men/men; a top hat/hat"},
    {"A man standing and another riding a horse.",
     "A man/man; a horse/horse"},
    {"A fire engine parked outside a fire station.",
     "A fire engine/engine; a fire station/station"},
    {"A vase filled with flowers sits on a dining table.",
     "A vase/vase; flowers/flowers; a dining table/table"},
    {"A close-up of a half-eaten sandwich.",
     "a half-eaten sandwich/sandwich"},
    {"The young boy, who is wearing a helmet, rides his skateboard.",
     "The young boy/boy; a helmet/helmet; his skateboard/skateboard"},
    {"A painting of a smiling woman hangs on the wall.",
     "A painting/painting; a smiling woman/woman; the wall/wall"},
    {"Mr. Smith's dog chases a ball.",
     "Mr. Smith's dog/dog; a ball/ball"},
    {"The sky is blue and the grass is green.",
     "The sky/sky; the grass/grass"},
    {"Some of the bananas are ripe.",
     "the bananas/bananas"},
    {"A woman in a long, flowing white dress holds a bouquet of red roses.",
     "A woman/woman; a long, flowing white dress/dress; a bouquet of red roses/roses"},
    {"A very large teddy bear sits between two smaller ones.",
     "A very large teddy bear/bear; two smaller ones/ones"},
    {"An elephant's trunk is wrapped around a tree branch.",
     "An elephant's trunk/trunk; a tree branch/branch"},
    {"A stop sign with graffiti on it stands at the corner of 5th Avenue.",
     "A stop sign/sign; graffiti/graffiti; 5th Avenue/Avenue"},
    {"A man in a suit and tie talks on his cell phone.",
     "A man/man; a suit/suit; tie/tie; his cell phone/phone"},
    {"Potted plants line the window sill.",
     "Potted plants/plants; the window sill/sill"},
    {"A herd of elephants drinking water from a pond.",
     "A herd of elephants/elephants; water/water; a pond/pond"},
    {"The cake is decorated with strawberries, blueberries and whipped cream.",
     "The cake/cake; strawberries/strawberries; blueberries/blueberries; whipped cream/cream"},
    {"A desk with a laptop computer, a keyboard, and a computer mouse.",
     "A desk/desk; a laptop computer/computer; a keyboard/keyboard; a computer mouse/mouse"},
    {"a glass of wine sitting next to a plate of food",
     "a glass of wine/wine; a plate of food/food"},
    {"Someone is cutting vegetables with a sharp knife.",
     "vegetables/vegetables; a sharp knife/knife"},
    {"A cow stands in the middle of a dirt road.",
     "A cow/cow; a dirt road/road"},
    {"a woman is standing in front of a refrigerator .",
     "a woman/woman; a refrigerator/refrigerator"},
    {"He holds an umbrella over his head.",
     "an umbrella/umbrella; his head/head"},
    {"Dog and cat.",
     "Dog/Dog; cat/cat"},
    {"Elephants!",
     "Elephants/Elephants"},
    {"A small airplane flying over snow-capped mountains at sunset",
     "A small airplane/airplane; snow-capped mountains/mountains; sunset/sunset"},
    {"The man is about to hit a tennis ball.",
     "The man/man; a tennis ball/ball"},
    {"A gray cat sleeping on top of a closed laptop",
     "A gray cat/cat; a closed laptop/laptop"},
    {"A table with plates of food, wine glasses and a candle.",
     "A table/table; plates of food/food; wine glasses/glasses; a candle/candle"},
    {"The street lights illuminate the empty street.",
     "The street lights/lights; the empty street/street"},
    {"A man is standing next to a bus stop with his luggage.",
     "A man/man; a bus stop/stop; his luggage/luggage"},
    {"There are many colorful umbrellas hanging above the street.",
     "many colorful umbrellas/umbrellas; the street/street"},
    {"The photo depicts an elderly couple sitting at a café in Paris.",
     "an elderly couple/couple; a café/café; Paris/Paris"},
    {"A blue-green parrot, with a yellow beak, perches on a branch.",
     "A blue-green parrot/parrot; a yellow beak/beak; a branch/branch"},
    {"A bedroom has two beds, a nightstand and a lamp on each side.",
     "A bedroom/bedroom; two beds/beds; a nightstand/nightstand; a lamp/lamp"},
    {"A stuffed animal is on the bed.",
     "A stuffed animal/animal; the bed/bed"},
    {"Three men in black jackets are carrying snowboards up a mountain.",
     "Three men/men; black jackets/jackets; snowboards/snowboards; a mountain/mountain"},
    {"A skateboarder performs a trick on a ramp at the skate park.",
     "A skateboarder/skateboarder; a trick/trick; a ramp/ramp; the skate park/park"},
    {"A brown horse with a white stripe on its face is eating hay.",
     "A brown horse/horse; a white stripe/stripe; its face/face; hay/hay"},
    {"A large group of young people flying kites in a field.",
     "A large group of young people/people; kites/kites; a field/field"},
    {"A dog catches a frisbee in its mouth.",
     "A dog/dog; a frisbee/frisbee; its mouth/mouth"},
    {"The woman's red handbag is on the wooden floor.",
     "The woman's red handbag/handbag; the wooden floor/floor"},
    {"A cell phone, a set of keys and 2 coins lie on a desk.",
     "A cell phone/phone; a set of keys/keys; 2 coins/coins; a desk/desk"},
    {"A lot of cars are stuck in traffic.",
     "A lot of cars/cars; traffic/traffic"},
    {"A can of soda and a soda can on the counter.",
     "A can of soda/soda; a soda can/can; the counter/counter"},
    {"A man can be seen through the window.",
     "A man/man; the window/window"},
    {"a zebra that is eating some grass",
     "a zebra/zebra; some grass/grass"},
    {"The two dogs are playing with each other.",
     "The two dogs/dogs"},
    {"A kitchen with stainless steel appliances and granite counter tops.",
     "A kitchen/kitchen; stainless steel appliances/appliances; granite counter tops/tops"},
    {"A girl blows out candles on a birthday cake.",
     "A girl/girl; candles/candles; a birthday cake/cake"},
    {"A plate topped with meat, potatoes and vegetables.",
     "A plate/plate; meat/meat; potatoes/potatoes; vegetables/vegetables"},
    {"Surfers ride big waves.",
     "Surfers/Surfers; big waves/waves"},
    {"The train's front is painted yellow.",
     "The train's front/front"},
    {"A bird sits on the handlebars of a bicycle.",
     "A bird/bird; the handlebars/handlebars; a bicycle/bicycle"},
    {"There is a clock on the side of the tower.",
     "a clock/clock; the tower/tower"},
    {"An empty wine glass",
     "An empty wine glass/glass"},
    {"A cat curled up in a ball sleeps on a rug.",
     "A cat/cat; a ball/ball; a rug/rug"},
    {"The left shoe is near the left.",
     "The left shoe/shoe"},
    {"A man with a beard and glasses looks at his watch.",
     "A man/man; a beard/beard; glasses/glasses; his watch/watch"},
    {"A person is snowboarding down a hill.",
     "A person/person; a hill/hill"},
    {"A woman dressed in a kimono carries a paper parasol.",
     "A woman/woman; a kimono/kimono; a paper parasol/parasol"},
    {"Here is a bathtub full of water.",
     "a bathtub/bathtub; water/water"},
    {"A giraffe bends its neck to drink water.",
     "A giraffe/giraffe; its neck/neck; water/water"},
    {"It looks like a very old-fashioned steam locomotive.",
     "a very old-fashioned steam locomotive/locomotive"},
    {"“A yellow taxi” drives past an ‘open’ shop…",
     "A yellow taxi/taxi; shop/shop"},
    {"A desktop computer sits on a desk with papers, pens and a mouse pad.",
     "A desktop computer/computer; a desk/desk; papers/papers; pens/pens; a mouse pad/pad"},
    {"The couple's wedding cake is decorated with fresh flowers.",
     "The couple's wedding cake/cake; fresh flowers/flowers"},
    {"A cat is under the open umbrella.",
     "A cat/cat; the open umbrella/umbrella"},
    {"A little boy in a blue jacket is feeding ducks by a pond.",
     "A little boy/boy; a blue jacket/jacket; ducks/ducks; a pond/pond"},
    {"A red and yellow fire hydrant on the side of a road.",
     "A red and yellow fire hydrant/hydrant; a road/road"},
    {"People are walking past shops.",
     "People/People; shops/shops"},
    {"An airplane is parked on the runway at an airport.",
     "An airplane/airplane; the runway/runway; an airport/airport"},
    {"The picture shows the interior of a church.",
     "a church/church"},
    {"This is an image of a man with his arms raised.",
     "a man/man; his arms/arms"},
    {"Here we can see 3 cars, 2 trucks, and a 10-year-old boy.",
     "3 cars/cars; 2 trucks/trucks; a 10-year-old boy/boy"},
    {"A plate of french fries and a half eaten burger.",
     "A plate of french fries/fries; a half eaten burger/burger"},
    {"The cat, the dog and the bird are friends.",
     "The cat/cat; the dog/dog; the bird/bird; friends/friends"},
    {"A man sits.",
     "A man/man"},
    {"a soccer ball with a top hat and an ear of corn and a drum .",
     "a soccer ball/ball; a top hat/hat; an ear of corn/corn; a drum/drum"},
    {"A plate with a half eaten burger and french fries.",
     "A plate/plate; a half eaten burger/burger; french fries/fries"},
    {"A horse-drawn carriage waits outside the hotel.",
     "A horse-drawn carriage/carriage; the hotel/hotel"},
    {"The clock's hands point to twelve.",
     "The clock's hands/hands"},
    {"A young girl in pajamas brushes her teeth.",
     "A young girl/girl; pajamas/pajamas; her teeth/teeth"},
    {"A child's drawing of a house hangs on the refrigerator.",
     "A child's drawing/drawing; a house/house; the refrigerator/refrigerator"},
    {"Many people are watching a baseball game in a stadium.",
     "Many people/people; a baseball game/game; a stadium/stadium"},
    {"The man in the middle wears black glasses.",
     "The man/man; black glasses/glasses"},
    {"A row of parked motorcycles in front of a store.",
     "A row of parked motorcycles/motorcycles; a store/store"},
    {"A toothbrush, toothpaste and soap",
     "A toothbrush/toothbrush; toothpaste/toothpaste; soap/soap"},
    {"There's a lighthouse on the cliff.",
     "a lighthouse/lighthouse; the cliff/cliff"},
    {"A small white and brown dog runs after a tennis ball.",
     "A small white and brown dog/dog; a tennis ball/ball"},
    {"A person's hand holding a sandwich",
     "A person's hand/hand; a sandwich/sandwich"},
    {"An adult elephant walks with a baby elephant.",
     "An adult elephant/elephant; a baby elephant/elephant"},
    {"A bear is standing in the water and looking for fish.",
     "A bear/bear; the water/water; fish/fish"},
    {"A tennis player reaches to hit the ball with his racquet.",
     "A tennis player/player; the ball/ball; his racquet/racquet"},
    {"A wooden table topped with lots of fresh fruit.",
     "A wooden table/table; lots of fresh fruit/fruit"},
    {"A laptop is open on the desk.",
     "A laptop/laptop; the desk/desk"},
    {"The woman holds a child, and the man holds a bag.",
     "The woman/woman; a child/child; the man/man; a bag/bag"},
    {"A black cat with green eyes stares at the camera.",
     "A black cat/cat; green eyes/eyes; the camera/camera"},
};
// clang-format on

TEST_CASE("chunker: general captions") {
    for (const expected_chunks& e : captions) {
        CAPTURE(std::string(e.caption));
        CHECK(summary(e.caption) == e.phrases);
    }
}

TEST_CASE("chunker: known limits, so that a change shows") {
    CHECK(summary("Salt and pepper shakers") == "Salt/Salt; pepper shakers/shakers");
    CHECK(summary("A poster says \"Hello Kitty\".") == "A poster/poster; Hello Kitty/Kitty");
    CHECK(summary("Three or four birds") == "four birds/birds");
}

struct scene_class {
    std::string article, phrase, root;
};
std::vector<scene_class> classes() {
    std::vector<scene_class> out;
    std::ifstream file(std::string(OSTEND_SOURCE_DIR) + "/models/classes.tsv");
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        scene_class c;
        std::string code_point;
        std::getline(fields, code_point, '\t');
        std::getline(fields, c.article, '\t');
        std::getline(fields, c.phrase, '\t');
        std::getline(fields, c.root, '\t');
        out.push_back(c);
    }
    return out;
}

/// One caption of the scenes' grammar and what it holds.
struct scene_caption {
    std::string text;
    std::vector<scene_class> objects;
};
template <class Random>
scene_caption draw_caption(Random& random, const std::vector<scene_class>& all) {
    static const std::vector<std::string> openings = {"",       "there is ",   "this image shows ",
                                                      "i see ", "we can see ", "the picture contains "};
    static const std::vector<std::string> joints = {"and", "next to", "near", "with"};
    scene_caption c;
    c.text = openings[random() % openings.size()];
    const std::size_t count = 1 + random() % 4;
    const std::size_t form = random() % 3;
    for (std::size_t i = 0; i < count; ++i) {
        const scene_class& object = all[random() % all.size()];
        std::string joint;
        if (i > 0 && count == 2) {
            joint = " " + joints[random() % joints.size()] + " ";
        } else if (i > 0 && form == 0) {
            joint = i + 1 == count ? " and " : " , ";
        } else if (i > 0) {
            joint = i > 1 ? " and " : form == 1 ? " next to " : " with ";
        }
        c.text += joint + object.article + " " + object.phrase;
        c.objects.push_back(object);
    }
    c.text += " .";
    return c;
}

TEST_CASE("chunker: every class alone, as one phrase with its root") {
    const auto all = classes();
    REQUIRE(all.size() == 90);
    for (const scene_class& c : all) {
        const std::string text = c.article + " " + c.phrase;
        CHECK(summary(text) == text + "/" + c.root);
        CHECK(summary("the " + c.phrase + " is here .") == "the " + c.phrase + "/" + c.root);
    }
}

TEST_CASE("chunker: 20,000 captions of the scenes' grammar, each exactly") {
    const auto all = classes();
    std::mt19937 random(3);
    for (int round = 0; round < 20000; ++round) {
        const scene_caption c = draw_caption(random, all);
        const phrase_list found = noun_phrases(c.text);
        CAPTURE(c.text);
        REQUIRE(found.kept.size() == c.objects.size());
        const text_index where(c.text);
        for (std::size_t i = 0; i < c.objects.size(); ++i) {
            const noun_phrase& p = found.kept[i];
            REQUIRE(p.text == c.objects[i].article + " " + c.objects[i].phrase);
            REQUIRE(where.substring(p.words) == c.objects[i].phrase);
            REQUIRE(where.substring(p.root) == c.objects[i].root);
            REQUIRE(p.words.end == p.span.end);
        }
    }
}

TEST_CASE("chunker: kinds") {
    const auto chunks = chunk_noun_phrases("It shows two of these; the left is a dog.");
    REQUIRE(chunks.size() == 5);
    CHECK(chunks[0].kind == chunk_kind::pronoun);
    CHECK(chunks[1].kind == chunk_kind::quantity);
    CHECK(chunks[2].kind == chunk_kind::pronoun);
    CHECK(chunks[3].kind == chunk_kind::noun);
    CHECK(chunks[3].span == text_span{23, 31});
    CHECK(chunks[3].root == text_span{27, 31});
    CHECK(chunks[4].words == text_span{37, 40});
}

/// What holds of every caption.
void check_sound(const std::string& text) {
    const auto characters = count_code_points(text);
    index last = 0;
    for (const noun_chunk& c : chunk_noun_phrases(text)) {
        REQUIRE(c.span.begin >= last);
        REQUIRE(c.span.begin <= c.words.begin);
        REQUIRE(c.words.begin <= c.root.begin);
        REQUIRE(c.root.begin < c.root.end);
        REQUIRE(c.root.end <= c.words.end);
        REQUIRE(c.words.end == c.span.end);
        REQUIRE(c.span.end <= characters);
        last = c.span.end;
    }
}

TEST_CASE("chunker: any bytes and any order of words give sound, separate spans") {
    std::mt19937 random(17);
    for (int round = 0; round < 3000; ++round) {
        check_sound(ostend_test::random_bytes(random, random() % 60));
    }
    std::vector<std::string> words = {",",
                                      ".",
                                      "'",
                                      "\"",
                                      "-",
                                      "it's",
                                      "dog's",
                                      "dogs'",
                                      "'s",
                                      "5",
                                      "3.5",
                                      "&",
                                      "blorping",
                                      "blorped",
                                      "blorply",
                                      "blorps",
                                      "\xF0\x9F\x90\x95",
                                      "(",
                                      "of"};
    for (const auto& list : ostend::OSTEND_KERNELS::detail::lexicon_lists) {
        std::istringstream all{std::string(list.words)};
        for (std::string w; all >> w;) {
            words.push_back(w);
        }
    }
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (std::size_t n = random() % 14; n > 0; --n) {
            text += words[random() % words.size()] + (random() % 8 == 0 ? "" : " ");
        }
        CAPTURE(text);
        check_sound(text);
    }
}

TEST_CASE("chunker: megabytes of anything (a quadratic step would take minutes)") {
    const std::size_t size = 500000;
    check_sound(std::string(10000000, ' '));
    check_sound(std::string(size, 'x'));
    check_sound(std::string(size, '-'));
    check_sound(std::string(size, '\''));
    check_sound(std::string(size, '\x80'));
    check_sound("");
    for (const char* piece :
         {"a ",          "red ",   "dog ",  "red , ",  "red and ",          "cup of ", "cup of red ",
          "the cup of ", "man's ", "a-",    "2 ",      "running ",          "parked ", "very ",
          "the ",        "of ",    "it's ", "a dog, ", "brightly colored ", "dogs' "}) {
        std::string text;
        while (text.size() < size) {
            text += piece;
        }
        CAPTURE(std::string(piece));
        check_sound(text);
    }
}

} // namespace
