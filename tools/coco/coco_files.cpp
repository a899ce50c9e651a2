#include "coco/coco_files.hpp"

#include "ostend/mask/coco_string.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ostend_tools {

using ostend::error;
using ostend::result;
using ostend::status;
using ostend::success;

namespace {

std::string at(const char* list, std::size_t record, const char* member) {
    return std::string(list) + "[" + std::to_string(record) + "]." + member;
}

/// Ids in ascending order, for look-ups; an error when one is there twice.
class id_set {
public:
    void add(std::int64_t id, std::size_t record) { ids_.emplace_back(id, record); }
    status finish(const char* list) {
        std::sort(ids_.begin(), ids_.end());
        for (std::size_t i = 1; i < ids_.size(); ++i) {
            if (ids_[i].first == ids_[i - 1].first) {
                return error{"the id " + std::to_string(ids_[i].first) + " is that of " + list + "[" +
                                 std::to_string(ids_[i - 1].second) + "] too",
                             at(list, ids_[i].second, "id")};
            }
        }
        return success{};
    }
    [[nodiscard]] bool contains(std::int64_t id) const {
        const auto found = std::lower_bound(ids_.begin(), ids_.end(), std::pair(id, std::size_t{0}));
        return found != ids_.end() && found->first == id;
    }

private:
    std::vector<std::pair<std::int64_t, std::size_t>> ids_;
};

template <class Records>
id_set ids_of(const Records& records) {
    id_set out;
    for (std::size_t i = 0; i < records.size(); ++i) {
        out.add(records[i].id, i);
    }
    return out;
}

status check_truth(const coco_truth_file& truth) {
    id_set images = ids_of(truth.images);
    id_set categories = ids_of(truth.categories);
    id_set annotations;
    for (const coco_object& a : truth.annotations) {
        annotations.add(a.id, a.record);
    }
    for (const status& unique :
         {images.finish("images"), categories.finish("categories"), annotations.finish("annotations")}) {
        if (!unique) {
            return unique;
        }
    }
    for (const coco_object& a : truth.annotations) {
        if (!images.contains(a.image)) {
            return error{"there is no image " + std::to_string(a.image),
                         at("annotations", a.record, "image_id")};
        }
        if (!categories.contains(a.category)) {
            return error{"there is no category " + std::to_string(a.category),
                         at("annotations", a.record, "category_id")};
        }
    }
    return success{};
}

template <class File>
result<File> read(json_source& source, const coco_read_options& options) {
    File file;
    coco_listener listener(file, options);
    const bool good = json::sax_parse(json_iterator(source), json_iterator(), &listener);
    if (source.failed()) {
        return error{"reading failed"};
    }
    if (!good) {
        error failure = listener.failure();
        if (listener.is_mistake_of_json() && failure.at > source.passed()) { // the parser asked for more
            failure.what = "the file ends too early";
        }
        return failure;
    }
    if (const status whole = listener.complete(); !whole) {
        return whole.error();
    }
    file.digest = source.digest();
    return file;
}

template <class Read>
auto read_path(const std::filesystem::path& path, Read&& from) -> decltype(from(json_source({}))) {
    auto source = json_source::open(path);
    if (!source) {
        return source.error();
    }
    auto file = from(*std::move(source));
    if (!file) {
        return file.error().in(path.string());
    }
    return file;
}

json to_record(const coco_object& o) {
    json record = json::object();
    if (o.box) {
        record["bbox"] = {o.box->x, o.box->y, o.box->width, o.box->height};
    }
    if (const auto* polygons = std::get_if<coco_polygons>(&o.segmentation)) {
        record["segmentation"] = *polygons;
    } else if (const auto* runs = std::get_if<coco_runs>(&o.segmentation)) {
        record["segmentation"] = {{"size", {runs->mask.height, runs->mask.width}}};
        json& counts = record["segmentation"]["counts"];
        if (runs->as_list) {
            counts = runs->mask.counts;
        } else {
            counts = ostend::to_coco_string(runs->mask);
        }
    }
    return record;
}

/// `[`, a record a line, `]`.
template <class Records, class ToJson>
void write_list(const Records& records, const text_sink& sink, ToJson&& to_json_record) {
    const char* before = "[\n";
    for (const auto& record : records) {
        sink(before);
        sink(to_json_record(record).dump(-1, ' ', false, json::error_handler_t::replace));
        before = ",\n";
    }
    sink(records.empty() ? "[\n]" : "\n]");
}

/// All that `write(sink)` gives, as one string.
template <class Write>
std::string text_of(Write&& write) {
    std::string text;
    write([&](std::string_view piece) { text += piece; });
    return text;
}

} // namespace

result<coco_truth_file> read_coco_truth(json_source source, const coco_read_options& options) {
    auto truth = read<coco_truth_file>(source, options);
    if (truth) {
        if (const status good = check_truth(*truth); !good) {
            return good.error();
        }
    }
    return truth;
}

result<coco_truth_file> read_coco_truth(const std::filesystem::path& path, const coco_read_options& options) {
    return read_path(path, [&](json_source source) { return read_coco_truth(std::move(source), options); });
}

result<coco_result_file> read_coco_results(json_source source, const coco_read_options& options) {
    return read<coco_result_file>(source, options);
}

result<coco_result_file> read_coco_results(const std::filesystem::path& path,
                                           const coco_read_options& options) {
    return read_path(path, [&](json_source source) { return read_coco_results(std::move(source), options); });
}

status check_results(const coco_result_file& results, const coco_truth_file& truth) {
    id_set images = ids_of(truth.images);
    id_set categories = ids_of(truth.categories);
    for (const status& unique : {images.finish("images"), categories.finish("categories")}) {
        if (!unique) {
            return unique;
        }
    }
    for (const coco_object& r : results.results) {
        if (!images.contains(r.image)) {
            return error{"there is no image " + std::to_string(r.image) + " in the truth",
                         at("results", r.record, "image_id")};
        }
        if (!categories.contains(r.category)) {
            return error{"there is no category " + std::to_string(r.category) + " in the truth",
                         at("results", r.record, "category_id")};
        }
    }
    return success{};
}

std::size_t drop_unknown_categories(coco_result_file& results, const coco_truth_file& truth) {
    id_set categories = ids_of(truth.categories);
    static_cast<void>(categories.finish("categories")); // ids are unique: reading the truth saw to that
    return std::erase_if(results.results,
                         [&](const coco_object& r) { return !categories.contains(r.category); });
}

void write_coco_truth(const coco_truth_file& truth, const text_sink& sink) {
    sink("{\"images\": ");
    write_list(truth.images, sink, [](const coco_image& image) {
        json record{{"id", image.id}};
        if (image.width) {
            record["width"] = *image.width;
        }
        if (image.height) {
            record["height"] = *image.height;
        }
        if (!image.file_name.empty()) {
            record["file_name"] = image.file_name;
        }
        return record;
    });
    sink(",\n\"annotations\": ");
    write_list(truth.annotations, sink, [](const coco_object& a) {
        json record{{"id", a.id}, {"image_id", a.image}, {"category_id", a.category}};
        record["iscrowd"] = a.crowd ? 1 : 0;
        if (a.ignore) {
            record["ignore"] = 1;
        }
        if (a.area) {
            record["area"] = *a.area;
        }
        record.update(to_record(a));
        return record;
    });
    sink(",\n\"categories\": ");
    write_list(truth.categories, sink, [](const coco_category& category) {
        json record{{"id", category.id}, {"name", category.name}};
        if (!category.supercategory.empty()) {
            record["supercategory"] = category.supercategory;
        }
        return record;
    });
    sink("}\n");
}

void write_coco_results(const coco_result_file& results, const text_sink& sink) {
    write_list(results.results, sink, [](const coco_object& r) {
        json record{{"image_id", r.image}, {"category_id", r.category}, {"score", r.score}};
        record.update(to_record(r));
        return record;
    });
    sink("\n");
}

std::string coco_truth_text(const coco_truth_file& truth) {
    return text_of([&](const text_sink& sink) { write_coco_truth(truth, sink); });
}

std::string coco_results_text(const coco_result_file& results) {
    return text_of([&](const text_sink& sink) { write_coco_results(results, sink); });
}

} // namespace ostend_tools
