// An evaluation as bytes and back: what it reads may come from a file or another process, so all of it is
// checked.
#include "evaluate/evaluation.hpp"

#include "ostend/core/bytes.hpp"

#include <algorithm>
#include <cmath>

namespace ostend_tools {

using ostend::byte_reader;
using ostend::byte_writer;
using ostend::error;
using ostend::index;

namespace {

constexpr std::string_view magic = "ostend_evaluate";
constexpr std::uint32_t version = 2; // 1 had no oracle by kind of point

template <class Record, class F>
void for_each_count(Record& record, F&& f) {
    f(record.recall);
    f(record.precision);
    f(record.oracle);
    for (auto& points : record.points) {
        f(points);
    }
    for (auto& oracle : record.oracles) {
        f(oracle);
    }
}

void put(byte_writer& out, const scene_record& record) {
    for_each_count(record, [&](const hit_count& count) {
        out.put(static_cast<std::int64_t>(count.hits));
        out.put(static_cast<std::int64_t>(count.of));
    });
    const ostend::gcg_record& masks = record.masks;
    for (const ostend::ratio& r : {record.chance, masks.paired_iou}) {
        out.put(r.numerator);
        out.put(r.denominator);
    }
    out.put(static_cast<std::int64_t>(masks.truths));
    out.put(static_cast<std::int64_t>(masks.predictions));
    out.put(static_cast<std::uint64_t>(masks.matches.size()));
    for (const ostend::gcg_match& match : masks.matches) {
        out.put(static_cast<std::int64_t>(match.truth));
        out.put(static_cast<std::int64_t>(match.prediction));
        out.put(match.iou);
    }
}

scene_record get_record(byte_reader& in) {
    scene_record record;
    const auto get_index = [&] { return static_cast<index>(in.get<std::int64_t>()); };
    for_each_count(record, [&](hit_count& count) {
        count = {get_index(), get_index()};
        if (count.hits < 0 || count.hits > count.of) {
            in.fail("more hits than there can be");
        }
    });
    ostend::gcg_record& masks = record.masks;
    for (ostend::ratio* r : {&record.chance, &masks.paired_iou}) {
        *r = {in.get_double(), in.get_double()};
        if (!(r->numerator >= 0 && r->numerator <= r->denominator && std::isfinite(r->denominator))) {
            in.fail("a share that is not between 0 and 1");
        }
    }
    masks.truths = get_index();
    masks.predictions = get_index();
    masks.matches.resize(in.get_count(3 * sizeof(double)));
    if (masks.truths < 0 || masks.predictions < 0 ||
        static_cast<index>(masks.matches.size()) > std::min(masks.truths, masks.predictions)) {
        in.fail("more matches than masks");
    }
    for (ostend::gcg_match& match : masks.matches) {
        match = {get_index(), get_index(), in.get_double()};
        if (match.truth < 0 || match.truth >= masks.truths || match.prediction < 0 ||
            match.prediction >= masks.predictions) {
            in.fail("a match of a mask that is not there");
        }
    }
    return record;
}

std::string bytes_of(const scene_record& record) {
    byte_writer out;
    put(out, record);
    return std::move(out).finish();
}

} // namespace

std::string evaluation::to_bytes(const std::string& origin) const {
    byte_writer out;
    out.put(magic);
    out.put(version);
    out.put(std::string_view(origin));
    out.put(static_cast<std::uint64_t>(records_.size()));
    for (const auto& [scene, record] : records_) {
        out.put(std::string_view(scene));
        put(out, record);
    }
    return std::move(out).finish();
}

ostend::result<evaluation> evaluation::from_bytes(std::string_view bytes, const std::string& origin) {
    byte_reader in(bytes);
    if (!in.failed() && in.get_text() != magic) {
        return error{"this is not a state of ostend_evaluate"};
    }
    if (const auto theirs = in.get<std::uint32_t>(); !in.failed() && theirs != version) {
        return error{"a state of version " + std::to_string(theirs) +
                     ", and this program goes on from version " + std::to_string(version) +
                     ": begin with another file"};
    }
    const std::string theirs = in.get_text();
    if (!in.failed() && theirs != origin) {
        return error{"a state of another model, of other scenes or conventions: " + theirs + " instead of " +
                     origin};
    }
    evaluation out;
    const std::uint64_t scenes = in.get_count(sizeof(std::uint64_t));
    for (std::uint64_t i = 0; i < scenes && !in.failed(); ++i) {
        const std::string scene = in.get_text();
        scene_record record = get_record(in);
        if (in.failed()) {
            break;
        }
        if (const auto added = out.records_.add(scene, std::move(record)); !added) {
            return added.error();
        }
    }
    in.expect_end();
    if (in.failed()) {
        return in.failure();
    }
    return out;
}

ostend::status evaluation::unite(const evaluation& other) {
    for (const auto& [scene, record] : other.records_) {
        const scene_record* known = records_.find(scene);
        if (known == nullptr) {
            if (const auto added = records_.add(scene, record); !added) {
                return added;
            }
        } else if (bytes_of(*known) != bytes_of(record)) {
            return error{"this scene was evaluated differently before", scene};
        }
    }
    return ostend::success{};
}

} // namespace ostend_tools
