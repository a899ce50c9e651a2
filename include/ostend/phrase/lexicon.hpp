// A small English lexicon for captions: the closed word classes, common adjectives and verbs, irregular
// nouns.
//
// It is no dictionary: what it does not list is a noun unless its ending says otherwise. That is right for
// most words of a caption, needs no model file, and is wrong for rare verbs (see chunker.hpp). Longer than
// most headers: it is lists of words.
#pragma once

#include "ostend/core/config.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// What a word can be; a word may be several. A set of bits.
enum class word_class : std::uint32_t {
    none = 0,
    determiner = 1U << 0U, ///< the, this, some, his
    bound = 1U << 1U,      ///< a determiner that cannot stand alone: the, a, my
    pronoun = 1U << 2U,
    number = 1U << 3U,
    adjective = 1U << 4U,
    participle = 1U << 5U,  ///< broken, covered: an adjective before a noun, a verb elsewhere
    attributive = 1U << 6U, ///< a participle that joins the noun before it: snow covered, dark haired
    noun = 1U << 7U,
    plural = 1U << 8U,    ///< a plural that does not end in s, or looks like a singular
    container = 1U << 9U, ///< cup, bunch, pair: "X of Y" is one phrase whose root is in Y
    verb = 1U << 10U,
    copula = 1U << 11U, ///< is, looks: an adjective may follow
    modal = 1U << 12U,  ///< can, will, to: a base verb follows
    preposition = 1U << 13U,
    conjunction = 1U << 14U, ///< and, or, &
    relative = 1U << 15U,    ///< who, which, while: begins a clause
    adverb = 1U << 16U,
    place = 1U << 17U,    ///< top, front: an adjective before a noun, a noun after a word of its phrase
    singular = 1U << 18U, ///< a, an, each: what follows is singular
    of = 1U << 19U,
    // seen in the word's form, not listed
    ends_s = 1U << 20U,
    ends_ing = 1U << 21U,
    ends_ed = 1U << 22U,
    possessive = 1U << 23U, ///< dog's, dogs'
    digits = 1U << 24U,
    comma = 1U << 25U,
    punctuation = 1U << 26U, ///< any other mark
};

[[nodiscard]] constexpr word_class operator|(word_class a, word_class b) noexcept {
    return static_cast<word_class>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
[[nodiscard]] constexpr bool is(word_class word, word_class any_of) noexcept {
    return (static_cast<std::uint32_t>(word) & static_cast<std::uint32_t>(any_of)) != 0;
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {
struct lexicon_list {
    word_class classes;
    std::string_view words; ///< separated by single spaces
};

inline constexpr lexicon_list lexicon_lists[] = {
    {word_class::determiner | word_class::bound, "the my your our their its every no whose"},
    {word_class::determiner | word_class::bound | word_class::singular, "a an"},
    {word_class::determiner,
     "this that these those some any all both each several many few most much various multiple numerous "
     "either neither another such more certain enough fewer"},
    {word_class::singular, "this that each every another one"},
    {word_class::determiner | word_class::pronoun, "his her"},
    {word_class::pronoun,
     "i you he she it we they me him us them mine yours hers ours theirs myself yourself himself herself "
     "itself ourselves yourselves themselves someone somebody something anyone anybody anything everyone "
     "everybody everything nobody nothing none others ones oneself y'all whoever whatever"},
    {word_class::number,
     "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
     "fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy "
     "eighty ninety hundred thousand million dozen half"},
    {word_class::of | word_class::preposition, "of"},
    {word_class::preposition,
     "in on at by with from near behind under over above below beneath beside besides between among amongst "
     "amid amidst through throughout across along alongside around against into onto upon out off up down "
     "towards toward within without for about like during before after until since underneath atop than per "
     "via except despite inside outside past opposite aboard beyond aside minus unlike versus vs concerning "
     "next close to as"},
    {word_class::modal,
     "to can will would could should may might must shall let cannot can't won't don't doesn't "
     "didn't wouldn't couldn't shouldn't do does did 'll 'd let's"},
    {word_class::conjunction, "and or & nor"},
    {word_class::relative,
     "but who which whom what where when while whereas because although though if whether "
     "why how that so yet unless once whose"},
    {word_class::adverb,
     "very quite too also just still now then here there away together apart nearby outdoors indoors "
     "upstairs downstairs almost even only often again ahead back forward backward backwards forwards alone "
     "always never not ever well rather somewhat perhaps maybe instead else already soon later up-close "
     "seemingly sideways overhead else's today tonight tomorrow yesterday likely mostly partly really "
     "upside-down halfway midair mid-air airborne thereby however therefore furthermore moreover "
     "additionally "
     "etc"},
    {word_class::copula | word_class::verb,
     "is are was were be been being am isn't aren't wasn't weren't 's 're 'm looks look looked appears "
     "appear "
     "appeared seems seem seemed becomes become became feels feel remains remain stays stay gets get got"},
    {word_class::verb,
     "has have had having 've hasn't haven't hadn't see sees saw seen sit sits sat stand stands stood lie "
     "lies "
     "lay lays laid hold holds held ride rides rode wear wears wore walk walks run runs ran eat eats ate "
     "drinks sleep sleeps slept play plays fly flies flew swim swims swam jump jumps carry carries "
     "catch catches caught throw throws threw kick kicks hit hits swing swings swung push pushes pull "
     "pulls hang hangs hung lean leans rest rests shows show contain contains depict depicts feature "
     "include includes display displays illustrate illustrates portray portrays represent represents capture "
     "captures consist consists point say says said read reads reading go goes went come comes came make "
     "makes "
     "made "
     "take takes took give gives gave put puts keep keeps kept bring brings brought buy buys bought sell "
     "sells "
     "sold use uses hug hugs pet pets pose poses perch perches graze grazes float floats sail sails surf "
     "surfs "
     "skate skates ski skis talk talks speak speaks laugh laughs smile smiles cry cries wait waits watch "
     "follow "
     "follows chase chases climb climbs fall falls fell grow grows grew enter enters leave cross crosses "
     "reach "
     "reaches touch touches lift lifts drop drops open opens close closes cut cuts cook cooks bake bakes "
     "prepare "
     "prepares serve serves work works try tries tried begin begins began stop stops move moves drive drives "
     "drove stare stares gaze gazes face faces overlook overlooks surround surrounds cover covers fill fills "
     "line lead leads pass passes find finds found know knows think thinks want wants need needs enjoy "
     "enjoys "
     "seek seeks suggest suggests indicate indicates add adds create creates provide provides adorn adorns "
     "sniff sniffs lick licks bite bites blow blows brush brushes approach approaches attach rides dangles "
     "protrudes lounges wades crouches kneels kneel bends wraps peeks peers points dances sings waves grab "
     "grabs "
     "pours stirs chops paints writes draws types tosses swipes races rolls roams wanders strolls lurks "
     "sprawls "
     "perform performs compete competes gather gathers share shares celebrate celebrates occupies "
     "features stretches extends"},
    {word_class::verb | word_class::noun,
     "ride play walk run jump drink swing look smile watch watches work stop face cover fill line show "
     "display "
     "catch throw cut cook surf skate ski bite brush drive drop race sleep fly rest pass kick push hug "
     "stand hold float sail feature covers faces displays pet pets swim"},
    {word_class::modal | word_class::noun | word_class::container, "can"},
    {word_class::participle,
     "broken worn torn frozen fallen grown hidden shown taken thrown given driven ridden eaten drawn written "
     "woven built bent lit cut hung set spread left put gone done known mown shaven sunken spun stuck wound "
     "framed"},
    {word_class::participle | word_class::attributive,
     "covered filled shaped colored coloured sized topped lined based made framed haired themed eyed skinned "
     "patterned trimmed painted decorated powered flavored stuffed dressed-up style styled paved"},
    {word_class::adjective,
     "red green blue yellow black white brown gray grey purple pink golden tan beige maroon violet navy teal "
     "turquoise cyan magenta crimson scarlet blonde blond brunette bald dark bright pale big small large "
     "little tiny huge giant enormous massive tall short long wide narrow thin thick fat slim skinny heavy "
     "deep "
     "shallow high low young old elderly new ancient modern vintage antique rustic beautiful pretty cute "
     "ugly "
     "nice lovely handsome happy sad angry hungry tired sleepy calm busy empty full open closed clean dirty "
     "messy tidy neat wet dry hot cold warm cool fresh ripe raw rotten sweet sour spicy salty tasty "
     "delicious juicy soft hard smooth rough sharp dull fluffy furry hairy shaggy fuzzy curly straight round "
     "rectangular circular oval triangular square flat curved wooden metallic golden woolen leafy grassy "
     "sandy "
     "rocky snowy rainy sunny cloudy foggy misty windy stormy clear blurry shiny transparent plain fancy "
     "simple "
     "colorful colourful striped plaid checkered spotted dotted floral ornate decorative different similar "
     "same "
     "other various single double entire whole main major minor first second third fourth fifth last final "
     "next "
     "previous left-hand right-hand upper lower middle central rear distant far nearby near close urban "
     "rural suburban "
     "residential commercial public private electric electrical electronic digital wild domestic male female "
     "asian african american european chinese japanese french italian mexican indian german british english "
     "stainless cardboard lush dense sparse bare barren steep gentle friendly lonely lively silly ready able "
     "unable alive asleep awake visible adult medium medium-sized good great bad best better worse worst "
     "special "
     "real fake loose tight casual formal blank dead healthy sick strong weak rich poor quiet loud fast "
     "quick slow "
     "extra own only early late daily local historic traditional military athletic indoor outdoor tropical "
     "bushy bare "
     "muddy dusty rusty shady chilly hilly woolly wooly smelly jolly bubbly creamy crispy crunchy cheesy "
     "greasy icy "
     "foamy scruffy chubby cozy gloomy hazy starry bumpy mossy weathered pregnant nude naked barefoot "
     "shirtless "
     "upright vertical horizontal diagonal parallel adjacent opposite inside outside overhead numerous "
     "black-and-white well-lit brown-and-white sky-blue off-white so-called patterned overcast aerial lone "
     "matching"},
    {word_class::adjective | word_class::noun,
     "orange gold silver glass light square brass bronze rose peach olive cream lavender lime plastic metal "
     "metallic leather cotton wool paper stone brick marble concrete steel iron ceramic porcelain denim silk "
     "teen teenage baby kid adult human animal toy mini evening morning night summer winter spring autumn "
     "human "
     "chocolate vanilla mixed individual native professional antique oriental sheer crisp"},
    {word_class::adjective | word_class::place, "top bottom front left right"},
    {word_class::adverb | word_class::noun, "home"},
    {word_class::pronoun | word_class::noun | word_class::plural, "ones others"},
    {word_class::adjective, "smaller larger bigger taller shorter longer older younger wider thinner "
                            "brighter darker lighter heavier smallest largest biggest tallest shortest "
                            "longest oldest youngest nicer newer higher lower highest lowest"},
    {word_class::noun | word_class::container,
     "bunch bunches slice slices ear ears loaf loaves piece pieces cup cups pair pairs drop drops glass "
     "glasses "
     "bottle bottles bowl bowls plate plates platter platters group groups couple couples lot lots number "
     "numbers "
     "set sets stack stacks pile piles row rows herd herds flock flocks crowd crowds variety kind kinds type "
     "types "
     "sort sorts box boxes bag bags basket baskets cans jar jars jug jugs mug mugs pitcher pitchers pot pots "
     "bucket "
     "buckets sheet sheets stick sticks bar bars chunk chunks handful handfuls dozens hundreds thousands "
     "school "
     "pack packs packet swarm bouquet bouquets cluster clusters collection collections series array "
     "assortment bit "
     "bits bite bites spoonful team teams carton cartons tin tins scoop scoops block blocks cube cubes "
     "strip strips wedge wedges head heads body bodies stalk stalks clove roll rolls plenty tray trays "
     "amount ton tons "
     "majority party bundle bundles heap heaps patch patches mound batch gallon pint spool stream pod litter "
     "line lines jumble mixture mix trio range clump vase stein shot can selection quantity"},
    {word_class::noun,
     "bed beds shed sled seed weed bread speed reed feed greed breed steed bobsled hundred "
     "building ceiling painting wedding clothing flooring railing awning ring king string spring wing swing "
     "thing "
     "morning evening lighting frosting icing stocking earring sibling duckling sling crossing filling "
     "topping "
     "bedding carving drawing pudding dumpling sting viking landing viewing siding roofing tubing piping "
     "awning bearing opening parking dining living vending sterling lightning outing gosling darling herring "
     "being ping-pong wiring setting covering dressing seasoning offering greeting marking molding moulding "
     "family butterfly belly jelly lily assembly supply bully doily italy fly ally lady body trolley anomaly "
     "reply monopoly holly july dragonfly ladyfly gully tally "
     "bus glass grass dress gas cactus octopus lens canvas hippopotamus mattress moss cross compass princess "
     "waitress actress chess tennis christmas iris campus circus walrus virus boss class mass bass harness "
     "fortress goddess platypus abacus citrus pancreas atlas texas bias asparagus surplus status "
     "news lights leaves signs tracks rocks plants hands waves wilderness darkness business"},
    {word_class::noun | word_class::plural,
     "people men women children feet teeth mice geese cattle police firemen policemen firefighters sheep "
     "fish "
     "deer snowmen businessmen fishermen policewomen spectators oxen businesswomen"},
};

/// Compound nouns that begin with an -ing form which is a verb elsewhere: "swimming pool".
inline constexpr std::pair<std::string_view, std::string_view> ing_compounds[] = {
    {"swimming", " pool pools suit suits trunks "},
    {"cutting", " board boards "},
    {"shopping", " cart carts bag bags mall center basket "},
    {"washing", " machine machines "},
    {"sewing", " machine machines "},
    {"frying", " pan pans "},
    {"sleeping", " bag bags "},
    {"rocking", " chair chairs horse horses "},
    {"ironing", " board boards "},
    {"baking", " sheet sheets dish pan tray powder soda "},
    {"mixing", " bowl bowls "},
    {"serving", " tray trays dish dishes spoon spoons "},
    {"running", " shoe shoes track water "},
    {"walking", " stick sticks path trail shoes cane "},
    {"hiking", " boots trail trails poles "},
    {"fishing", " rod rods pole poles boat boats net nets line hut "},
    {"racing", " car cars bike bikes track horse horses "},
    {"skating", " rink rinks ramp "},
    {"wrapping", " paper "},
    {"measuring", " cup cups tape spoon "},
    {"changing", " table room "},
    {"boxing", " glove gloves ring "},
    {"wading", " pool pools "},
};

using lexicon_entry = std::pair<std::string_view, word_class>;

inline std::vector<lexicon_entry> sorted_lexicon() {
    std::vector<lexicon_entry> entries;
    for (const lexicon_list& list : lexicon_lists) {
        for (std::size_t at = 0; at < list.words.size();) {
            const std::size_t end = std::min(list.words.find(' ', at), list.words.size());
            entries.emplace_back(list.words.substr(at, end - at), list.classes);
            at = end + 1;
        }
    }
    std::sort(entries.begin(), entries.end(),
              [](const lexicon_entry& a, const lexicon_entry& b) { return a.first < b.first; });
    std::vector<lexicon_entry> merged; // a word of several lists has the classes of all
    for (const lexicon_entry& entry : entries) {
        if (!merged.empty() && merged.back().first == entry.first) {
            merged.back().second = merged.back().second | entry.second;
        } else {
            merged.push_back(entry);
        }
    }
    return merged;
}
} // namespace detail

/// The classes of a lower-case word; none when it is not listed. O(log words); the first call sorts the
/// lists. Safe from several threads.
[[nodiscard]] inline word_class look_up(std::string_view lower_case_word) {
    static const std::vector<detail::lexicon_entry> lexicon = detail::sorted_lexicon();
    const auto at = std::lower_bound(
        lexicon.begin(), lexicon.end(), lower_case_word,
        [](const detail::lexicon_entry& entry, std::string_view word) { return entry.first < word; });
    return at != lexicon.end() && at->first == lower_case_word ? at->second : word_class::none;
}

/// True for "swimming pool" and its like: the -ing form belongs to the noun.
[[nodiscard]] inline bool is_ing_compound(std::string_view ing_form, std::string_view next_word) {
    for (const auto& [first, seconds] : detail::ing_compounds) {
        const std::size_t at = first == ing_form ? seconds.find(next_word) : std::string_view::npos;
        if (at != std::string_view::npos && at > 0 && !next_word.empty() && seconds[at - 1] == ' ' &&
            at + next_word.size() < seconds.size() && seconds[at + next_word.size()] == ' ') {
            return true;
        }
    }
    return false;
}

} // namespace ostend::inline OSTEND_KERNELS
