// JSON through nlohmann's library, with errors as values and masks in COCO's form.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/mask/rle.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace ostend_tools {

using json = nlohmann::ordered_json;

/// Parses untrusted text; an error gives the byte position.
ostend::result<json> parse_json(std::string_view text);
ostend::result<json> read_json(const std::filesystem::path& path);

/// Text with a final newline; bytes that are not UTF-8 become U+FFFD.
std::string dump_json(const json& value);

/// {"size": [height, width], "counts": "..."}
json to_json(const ostend::rle& mask);
ostend::result<ostend::rle> rle_from_json(const json& value);

/// A field of an object, or an error that names it.
ostend::result<const json*> field(const json& object, const char* name);

} // namespace ostend_tools
