/* A host in C: records a made-up attention whose peaks are known, grounds the caption, and checks every answer. */
#include "ostend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                           \
    do {                                                                                                           \
        if (!(condition)) {                                                                                        \
            fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition, ostend_last_error());  \
            exit(1);                                                                                               \
        }                                                                                                          \
    } while (0)

enum { layers = 2, heads = 3, grid = 4, image_tokens = grid * grid, keys = image_tokens + 2, d = 8 };

/* Rows of attention: head h puts weight on the cell of a token, the rest is spread evenly. */
static void fill_rows(float rows[heads][keys], int cell) {
    for (int h = 0; h < heads; ++h) {
        for (int k = 0; k < keys; ++k) {
            rows[h][k] = 0.5F / keys;
        }
        rows[h][1 + cell] += 0.4F;
    }
}

static void test_recorder_and_ground(void) {
    static const char* const tokens[] = {"a", " dog", " and", " a", " cat", ""};
    static const int cells[] = {0, 5, 2, 3, 10, 15};
    const ostend_recorder_options options = {layers, heads, 1, image_tokens, NULL};
    ostend_recorder* rec = ostend_recorder_new(&options);
    ostend_recorder* other = ostend_recorder_new(&options);
    CHECK(rec && other);
    float rows[heads][keys];
    const int64_t extents[] = {heads, keys};
    for (int t = 0; t < 6; ++t) {
        fill_rows(rows, cells[t]);
        const ostend_tensor view = ostend_contiguous(rows, OSTEND_F32, 2, extents);
        CHECK(ostend_recorder_add_rows(rec, 0, t, &view) == OSTEND_OK);
        CHECK(ostend_recorder_add_rows(other, 1, t, &view) == OSTEND_OK);
    }
    float maps[6 * image_tokens];
    int64_t count = 0;
    CHECK(ostend_recorder_maps(rec, OSTEND_PREDICTING, maps, 6 * image_tokens, &count) == OSTEND_ERROR);
    CHECK(strstr(ostend_last_error(), "layer 1"));
    CHECK(ostend_recorder_merge(rec, other) == OSTEND_OK);
    CHECK(ostend_recorder_merge(rec, other) == OSTEND_ERROR);
    CHECK(ostend_recorder_tokens(rec) == 6 && ostend_recorder_image_tokens(rec) == image_tokens);
    CHECK(ostend_recorder_maps(rec, OSTEND_PREDICTING, maps, 6 * image_tokens - 1, &count) == OSTEND_ERROR);
    CHECK(ostend_recorder_maps(rec, OSTEND_PREDICTING, maps, 6 * image_tokens, &count) == OSTEND_OK);
    CHECK(count == 6 && fabsf(maps[image_tokens + 5] - (0.5F / keys + 0.4F)) < 1e-6F);
    CHECK(ostend_recorder_maps(rec, OSTEND_TOKEN_ITSELF, maps, 6 * image_tokens, &count) == OSTEND_OK);
    CHECK(count == 5 && fabsf(maps[5] - (0.5F / keys + 0.4F)) < 1e-6F && maps[2] < 0.1F);

    ostend_ground_options asked = {400, 200, grid, grid, OSTEND_STRETCH, NULL, NULL, 0};
    ostend_grounding* found = ostend_ground(rec, tokens, 6, &asked);
    CHECK(found && ostend_grounding_count(found) == 2);
    CHECK(strcmp(ostend_grounding_caption(found), "a dog and a cat") == 0);
    ostend_phrase phrase;
    CHECK(ostend_grounding_phrase(found, 0, &phrase) == OSTEND_OK);
    CHECK(strcmp(phrase.text, "a dog") == 0 && phrase.begin == 0 && phrase.end == 5);
    CHECK(phrase.x >= 100 && phrase.x < 200 && phrase.y >= 50 && phrase.y < 100); /* cell 5: row 1, column 1 */
    CHECK(phrase.confidence > 0.5 && phrase.map[5] > phrase.map[4]);
    CHECK(ostend_grounding_phrase(found, 1, &phrase) == OSTEND_OK);
    CHECK(phrase.x >= 200 && phrase.x < 300 && phrase.y >= 100 && phrase.y < 150); /* cell 10: row 2, column 2 */
    CHECK(ostend_grounding_phrase(found, 2, &phrase) == OSTEND_ERROR);
    ostend_grounding_free(found);

    const char* const wanted[] = {"cat", "horse"};
    asked.phrases = wanted;
    asked.phrase_count = 1;
    asked.preset = "paper";
    found = ostend_ground(rec, tokens, 6, &asked);
    CHECK(found && ostend_grounding_count(found) == 1);
    ostend_grounding_free(found);
    asked.phrase_count = 2;
    CHECK(!ostend_ground(rec, tokens, 6, &asked) && strstr(ostend_last_error(), "horse"));
    asked.phrase_count = 1;
    asked.preset = "nonsense";
    CHECK(!ostend_ground(rec, tokens, 6, &asked) && strstr(ostend_last_error(), "nonsense"));
    asked.preset = NULL;
    asked.columns = grid + 1;
    CHECK(!ostend_ground(rec, tokens, 6, &asked));

    ostend_recorder* fork = ostend_recorder_copy(rec);
    CHECK(ostend_recorder_truncate(fork, 3) == OSTEND_OK && ostend_recorder_tokens(fork) == 3);
    CHECK(ostend_recorder_tokens(rec) == 6);
    asked.columns = grid;
    CHECK(!ostend_ground(fork, tokens, 6, &asked)); /* fewer rows than tokens */
    ostend_recorder_free(fork);
    ostend_recorder_free(other);
    ostend_recorder_free(rec);
}

/* Rows from q and k equal the rows that a plain softmax gives. */
static void test_from_qk(void) {
    float q[2][heads][d], k[1][keys][d];
    unsigned state = 7;
    for (size_t i = 0; i < sizeof q / sizeof(float); ++i) {
        state = state * 1664525U + 1013904223U;
        ((float*)q)[i] = (float)(state >> 8) / 8388608.0F - 1.0F;
    }
    for (size_t i = 0; i < sizeof k / sizeof(float); ++i) {
        state = state * 1664525U + 1013904223U;
        ((float*)k)[i] = (float)(state >> 8) / 8388608.0F - 1.0F;
    }
    const ostend_recorder_options options = {1, heads, 1, image_tokens, NULL};
    ostend_recorder* rec = ostend_recorder_new(&options);
    const int64_t q_extents[] = {2, heads, d}, k_extents[] = {1, keys, d};
    const ostend_tensor qt = ostend_contiguous(q, OSTEND_F32, 3, q_extents);
    const ostend_tensor kt = ostend_contiguous(k, OSTEND_F32, 3, k_extents);
    const ostend_score causal = {0, 0, NULL, NULL, keys - 1};
    CHECK(ostend_recorder_add_qk(rec, 0, 0, &qt, &kt, 0, &causal) == OSTEND_OK);
    float maps[2 * image_tokens];
    CHECK(ostend_recorder_maps(rec, OSTEND_PREDICTING, maps, 2 * image_tokens, NULL) == OSTEND_OK);
    for (int t = 0; t < 2; ++t) {
        double mean[keys] = {0};
        for (int h = 0; h < heads; ++h) {
            double p[keys], sum = 0;
            for (int j = 0; j < keys - 1 + t; ++j) {
                double dot = 0;
                for (int x = 0; x < d; ++x) {
                    dot += (double)q[t][h][x] * (double)k[0][j][x];
                }
                sum += p[j] = exp(dot / sqrt(d));
            }
            for (int j = 0; j < keys - 1 + t; ++j) {
                mean[j] += p[j] / sum / heads;
            }
        }
        for (int i = 0; i < image_tokens; ++i) {
            CHECK(fabs(mean[1 + i] - (double)maps[t * image_tokens + i]) < 1e-6);
        }
    }
    q[0][0][0] = NAN;
    CHECK(ostend_recorder_add_qk(rec, 0, 2, &qt, &kt, 0, NULL) == OSTEND_ERROR);
    CHECK(strstr(ostend_last_error(), "token 2"));
    CHECK(ostend_recorder_add_qk(rec, 1, 4, &qt, &kt, 0, NULL) == OSTEND_ERROR); /* no such layer */
    CHECK(ostend_recorder_add_qk(NULL, 0, 4, &qt, &kt, 0, NULL) == OSTEND_ERROR);
    ostend_recorder_free(rec);
}

static void test_masks_and_metrics(void) {
    uint8_t bytes[6 * 5] = {0}, back[6 * 5], rgb[40 * 50 * 3];
    for (int y = 1; y < 4; ++y) {
        bytes[y * 5 + 2] = bytes[y * 5 + 3] = 1;
    }
    ostend_mask* a = ostend_mask_from_bytes(bytes, 6, 5, 5, 1);
    CHECK(a && ostend_mask_area(a) == 6 && ostend_mask_height(a) == 6 && ostend_mask_width(a) == 5);
    CHECK(ostend_mask_contains(a, 2, 1) && !ostend_mask_contains(a, 1, 1) && !ostend_mask_contains(a, 9, 9));
    const char* text = ostend_mask_string(a);
    ostend_mask* b = ostend_mask_from_string(text, strlen(text), 6, 5);
    double iou = 0;
    CHECK(b && ostend_mask_iou(a, b, &iou) == OSTEND_OK && iou == 1.0);
    CHECK(ostend_mask_to_bytes(b, back, sizeof back) == OSTEND_OK && memcmp(bytes, back, sizeof back) == 0);
    CHECK(ostend_mask_to_bytes(b, back, sizeof back - 1) == OSTEND_ERROR);
    CHECK(!ostend_mask_from_string("o", 1, 6, 5) && strlen(ostend_last_error()) > 0);
    CHECK(!ostend_mask_from_bytes(NULL, 3, 3, 3, 1) && !ostend_mask_from_bytes(bytes, -1, 3, 3, 1));

    for (int i = 0; i < 40 * 50; ++i) {
        const int y = i / 50, x = i % 50, in = y >= 10 && y < 24 && x >= 20 && x < 36;
        rgb[3 * i] = in ? 220 : 30;
        rgb[3 * i + 1] = in ? 40 : 90;
        rgb[3 * i + 2] = in ? 40 : 160;
    }
    ostend_mask* object = ostend_mask_from_point(rgb, 40, 50, 28, 17);
    CHECK(object && ostend_mask_area(object) == 14 * 16 && ostend_mask_contains(object, 20, 10));
    CHECK(!ostend_mask_from_point(rgb, 40, 50, 50, 17));
    CHECK(ostend_mask_iou(a, object, &iou) == OSTEND_ERROR); /* another size */

    ostend_gcg *one = ostend_gcg_new(), *two = ostend_gcg_new();
    const ostend_mask* masks[] = {a};
    const char *dog[] = {"dog"}, *cat[] = {"cat"};
    CHECK(ostend_gcg_update(one, "1", masks, dog, 1, masks, dog, 1) == OSTEND_OK);
    CHECK(ostend_gcg_update(two, "2", masks, cat, 1, masks, dog, 1) == OSTEND_OK);
    CHECK(ostend_gcg_merge(one, two) == OSTEND_OK && ostend_gcg_merge(one, two) == OSTEND_ERROR);
    double recall = 0, miou = 0;
    CHECK(ostend_gcg_compute(one, &recall, &miou) == OSTEND_OK && recall == 0.5 && miou == 1.0);
    ostend_gcg_free(one);
    ostend_gcg_free(two);
    ostend_mask_free(object);
    ostend_mask_free(a);
    ostend_mask_free(b);
    ostend_mask_free(NULL);
}

int main(void) {
    CHECK(strlen(ostend_version()) >= 5);
    test_recorder_and_ground();
    test_from_qk();
    test_masks_and_metrics();
    puts("the C interface answers as it should");
    return 0;
}
