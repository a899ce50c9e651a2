// contour_text: outlines in the forms that other programs read: COCO polygons, GeoJSON, an SVG path.
#pragma once

#include "ostend/mask/contours.hpp"

#include <string>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// One polygon x0, y0, x1, y1, ... an outer ring, as COCO's annotations have them. COCO has no holes: a hole
/// is cut in by a line to it and back, where the two ways cancel, so that from_polygons (or pycocotools)
/// gives the mask back, pixel for pixel. O(corners).
[[nodiscard]] inline std::vector<std::vector<double>> to_coco_polygons(const contours_of_mask& outlines) {
    std::vector<std::size_t> polygon_of(outlines.rings.size()); // of each outer ring
    std::vector<std::vector<double>> polygons;
    const auto append = [](std::vector<double>& to, pixel corner) {
        to.push_back(static_cast<double>(corner.x));
        to.push_back(static_cast<double>(corner.y));
    };
    for (std::size_t i = 0; i < outlines.rings.size(); ++i) {
        const contour_ring& ring = outlines.rings[i];
        if (!ring.hole) {
            polygon_of[i] = polygons.size();
            polygons.emplace_back();
        }
        std::vector<double>& polygon =
            polygons[polygon_of[ring.outer]]; // outer rings come before their holes
        if (ring.hole) {
            append(polygon, outlines.corners_of(outlines.rings[ring.outer]).front());
        }
        for (const pixel corner : outlines.corners_of(ring)) {
            append(polygon, corner);
        }
        if (ring.hole) {
            append(polygon, outlines.corners_of(ring).front());
        }
    }
    return polygons;
}

/// A GeoJSON geometry (RFC 7946): a Polygon, or a MultiPolygon unless there is one outer ring. Positions are
/// pixel corners, rings are closed, outer ones counterclockwise in these numbers. O(corners).
[[nodiscard]] inline std::string to_geojson(const contours_of_mask& outlines) {
    std::vector<std::string> polygons(outlines.rings.size()); // of each outer ring, without its last bracket
    std::size_t outer = 0;
    for (std::size_t i = 0; i < outlines.rings.size(); ++i) {
        const contour_ring& ring = outlines.rings[i];
        std::string& text = polygons[ring.outer];
        text += ring.hole ? ",[" : "[[";
        outer += ring.hole ? 0U : 1U;
        const auto append = [&text](pixel corner) {
            text += '[' + std::to_string(corner.x) + ',' + std::to_string(corner.y) + ']';
        };
        for (const pixel corner : outlines.corners_of(ring)) {
            append(corner);
            text += ',';
        }
        append(outlines.corners_of(ring).front());
        text += ']';
    }
    std::string all;
    for (const std::string& polygon : polygons) {
        if (!polygon.empty()) {
            all += (all.empty() ? "" : ",") + polygon + ']';
        }
    }
    return outer == 1 ? R"({"type":"Polygon","coordinates":)" + all + '}'
                      : R"({"type":"MultiPolygon","coordinates":[)" + all + "]}";
}

/// The d of an SVG path, in pixels; it may be filled by either rule, and is empty for an empty mask.
/// O(corners).
[[nodiscard]] inline std::string to_svg_path(const contours_of_mask& outlines) {
    std::string path;
    for (const contour_ring& ring : outlines.rings) {
        const auto corners = outlines.corners_of(ring);
        path += 'M' + std::to_string(corners[0].x) + ' ' + std::to_string(corners[0].y);
        for (std::size_t i = 1; i < corners.size(); ++i) { // z draws the last edge
            path += corners[i].y == corners[i - 1].y ? 'h' + std::to_string(corners[i].x - corners[i - 1].x)
                                                     : 'v' + std::to_string(corners[i].y - corners[i - 1].y);
        }
        path += 'z';
    }
    return path;
}

} // namespace ostend::inline OSTEND_KERNELS
