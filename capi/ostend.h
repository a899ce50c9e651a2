/* ostend.h: the library for hosts that are not C++20. Link with libostend (OSTEND_BUILD_C_API).
 *
 * Handles are opaque; whoever calls *_new or gets a handle back frees it with the matching *_free (null is
 * fine). Functions that can fail return an ostend_status, or null for a handle; ostend_last_error() then says
 * what was wrong and where, on the calling thread. Nothing aborts: a misuse of the C++ library is an error
 * here. One handle may be used by one thread at a time. Strings are UTF-8. Names and layouts of structs stay.
 */
#ifndef OSTEND_H
#define OSTEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define OSTEND_API __declspec(dllexport)
#else
#define OSTEND_API __attribute__((visibility("default")))
#endif

typedef enum { OSTEND_OK = 0, OSTEND_ERROR = 1 } ostend_status;

/* "0.1.0" */
OSTEND_API const char* ostend_version(void);
/* The sentence of the last error on this thread; "" when there was none. Valid until the next call. */
OSTEND_API const char* ostend_last_error(void);

/* ---- tensors: somebody's memory, seen ------------------------------------------------------------------ */

typedef enum { OSTEND_F32 = 0, OSTEND_F64 = 1, OSTEND_F16 = 2, OSTEND_BF16 = 3 } ostend_type;

/* Strides in elements, any sign. Unused axes are ignored. */
typedef struct {
    const void* data;
    ostend_type type;
    int rank; /* 1 to 4 */
    int64_t extents[4];
    int64_t strides[4];
} ostend_tensor;

/* A tensor of contiguous memory (last axis fastest). */
OSTEND_API ostend_tensor ostend_contiguous(const void* data, ostend_type type, int rank,
                                           const int64_t* extents);

/* ---- recorder: attention over the image, as it is generated ---------------------------------------------
 */

typedef struct ostend_recorder ostend_recorder;

/* Which query's row belongs to a token: the one that predicts it (the position before), or its own. */
typedef enum { OSTEND_PREDICTING = 0, OSTEND_TOKEN_ITSELF = 1 } ostend_query;

/* The image keys are [first_image_key, first_image_key + image_keys), or image_key_list where they are
 * scattered (then first_image_key is not looked at); in image-token order. */
typedef struct {
    int layers;
    int heads;
    int64_t first_image_key;
    int64_t image_keys;
    const int64_t* image_key_list; /* may be null */
} ostend_recorder_options;

OSTEND_API ostend_recorder* ostend_recorder_new(const ostend_recorder_options* options);
OSTEND_API void ostend_recorder_free(ostend_recorder* recorder);
/* A copy: a fork of the generation. */
OSTEND_API ostend_recorder* ostend_recorder_copy(const ostend_recorder* recorder);

/* Rows of attention of one layer: [heads, keys], or [heads, queries, keys] whose queries predict token,
 * token + 1, ... (the last position of the prompt predicts token 0; rows of negative tokens are skipped). */
OSTEND_API ostend_status ostend_recorder_add_rows(ostend_recorder* recorder, int layer, int64_t token,
                                                  const ostend_tensor* rows);

/* How scores are made of q and k (after rotary embedding): cap(scale * q.k) + slope * (j - i), softmax. */
typedef struct {
    float scale;                /* 0: 1 / sqrt(d) */
    float softcap;              /* 0: none */
    const float* alibi_slopes;  /* [heads] or null */
    const float* sinks;         /* [heads] or null */
    int64_t first_visible_keys; /* causal: the first query sees so many keys, each next one more; 0: all see
                                   all */
} ostend_score;

/* The same from queries [queries, heads, d] and keys [kv_heads, keys, d] (or [keys, kv_heads, d] when
 * cell_major is not 0); no attention matrix is made. score may be null. */
OSTEND_API ostend_status ostend_recorder_add_qk(ostend_recorder* recorder, int layer, int64_t token,
                                                const ostend_tensor* q, const ostend_tensor* k,
                                                int cell_major, const ostend_score* score);

/* Keeps the first `tokens` tokens. */
OSTEND_API ostend_status ostend_recorder_truncate(ostend_recorder* recorder, int64_t tokens);
/* Adds the layers that another recorder of the same model saw. */
OSTEND_API ostend_status ostend_recorder_merge(ostend_recorder* recorder, const ostend_recorder* other);
OSTEND_API int64_t ostend_recorder_tokens(const ostend_recorder* recorder);
OSTEND_API int64_t ostend_recorder_image_tokens(const ostend_recorder* recorder);
/* Token maps [tokens, image_tokens] into out, which holds `capacity` floats; rows gets the number of rows
 * (one less than tokens for OSTEND_TOKEN_ITSELF). */
OSTEND_API ostend_status ostend_recorder_maps(const ostend_recorder* recorder, ostend_query query, float* out,
                                              size_t capacity, int64_t* rows);

/* ---- grounding: which pixel does each noun phrase mean? -------------------------------------------------
 */

typedef struct ostend_grounding ostend_grounding;

/* How the host's preprocessor cut the image into rows x columns tokens. */
typedef enum { OSTEND_PAD_TO_SQUARE = 0, OSTEND_STRETCH = 1 } ostend_layout;

typedef struct {
    int64_t width; /* of the original image, pixels */
    int64_t height;
    int64_t rows; /* of the grid of image tokens; equal to columns for OSTEND_PAD_TO_SQUARE */
    int64_t columns;
    ostend_layout layout;
    const char* preset;         /* null: "ostend"; "paper", "groundlmm_de8b74d", "groundlmm_b77f889" */
    const char* const* phrases; /* what to ground, `phrase_count` of them; null: every noun phrase */
    size_t phrase_count;
} ostend_ground_options;

/* tokens: the text of each generated token in order, "" for special ones. The recorder holds their rows. */
OSTEND_API ostend_grounding* ostend_ground(const ostend_recorder* recorder, const char* const* tokens,
                                           size_t token_count, const ostend_ground_options* options);
OSTEND_API void ostend_grounding_free(ostend_grounding* grounding);
OSTEND_API const char* ostend_grounding_caption(const ostend_grounding* grounding);
OSTEND_API size_t ostend_grounding_count(const ostend_grounding* grounding);

typedef struct {
    const char* text;   /* valid while the grounding lives */
    int64_t begin, end; /* code points of the caption */
    int64_t x, y;       /* the peak, a pixel of the original image */
    float value;        /* of the map there */
    double confidence;  /* 0 to 1 */
    const float* map;   /* [rows * columns], normalised */
} ostend_phrase;

OSTEND_API ostend_status ostend_grounding_phrase(const ostend_grounding* grounding, size_t i,
                                                 ostend_phrase* out);

/* ---- masks: run lengths in COCO's order ------------------------------------------------------------------
 */

typedef struct ostend_mask ostend_mask;

/* From bytes, 0 or not; strides in bytes. */
OSTEND_API ostend_mask* ostend_mask_from_bytes(const uint8_t* data, int64_t height, int64_t width,
                                               int64_t row_stride, int64_t column_stride);
/* From COCO's compressed string. */
OSTEND_API ostend_mask* ostend_mask_from_string(const char* text, size_t size, int64_t height, int64_t width);
/* The built-in segmenter's best mask around a pixel of an RGB image [height, width, 3], contiguous. */
OSTEND_API ostend_mask* ostend_mask_from_point(const uint8_t* rgb, int64_t height, int64_t width, int64_t x,
                                               int64_t y);
OSTEND_API void ostend_mask_free(ostend_mask* mask);
OSTEND_API int64_t ostend_mask_height(const ostend_mask* mask);
OSTEND_API int64_t ostend_mask_width(const ostend_mask* mask);
OSTEND_API uint64_t ostend_mask_area(const ostend_mask* mask);
/* COCO's compressed string, ending in 0; valid while the mask lives. */
OSTEND_API const char* ostend_mask_string(const ostend_mask* mask);
/* Writes height * width bytes of 0 and 1, row by row. */
OSTEND_API ostend_status ostend_mask_to_bytes(const ostend_mask* mask, uint8_t* out, size_t capacity);
OSTEND_API ostend_status ostend_mask_iou(const ostend_mask* a, const ostend_mask* b, double* iou);
/* 1 or 0; 0 outside. */
OSTEND_API int ostend_mask_contains(const ostend_mask* mask, int64_t x, int64_t y);

/* ---- metrics: grounded conversation generation -----------------------------------------------------------
 */

typedef struct ostend_gcg ostend_gcg;

OSTEND_API ostend_gcg* ostend_gcg_new(void);
OSTEND_API void ostend_gcg_free(ostend_gcg* gcg);
/* One image: predicted and true masks with their texts, which agree when they are equal. A key once. */
OSTEND_API ostend_status ostend_gcg_update(ostend_gcg* gcg, const char* key,
                                           const ostend_mask* const* predictions,
                                           const char* const* prediction_texts, size_t prediction_count,
                                           const ostend_mask* const* truths, const char* const* truth_texts,
                                           size_t truth_count);
/* Adds another's images; a key in both is an error that changes nothing. */
OSTEND_API ostend_status ostend_gcg_merge(ostend_gcg* gcg, const ostend_gcg* other);
OSTEND_API ostend_status ostend_gcg_compute(const ostend_gcg* gcg, double* mask_recall, double* miou);

#ifdef __cplusplus
}
#endif
#endif
