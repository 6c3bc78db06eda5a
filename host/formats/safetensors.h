/* safetensors (https://github.com/huggingface/safetensors): an 8-byte little-endian header length, a JSON header that
 * names each tensor's dtype, shape and byte range, then the raw little-endian data. */
#ifndef CLT_FORMATS_SAFETENSORS_H
#define CLT_FORMATS_SAFETENSORS_H

#include "base/error.h"

enum { CLT__MAX_DIMENSIONS = 8 };

typedef struct clt__stored_tensor {
    char *name;
    int dimensions;
    uint64_t extent[CLT__MAX_DIMENSIONS];
    uint64_t count;          /* the product of the extents */
    double *values;          /* [count] */
    clt_precision precision; /* how it is stored: F32 or F64. F16 and BF16 files are read too, and come as CLT_F32;
                                tensors of integers are left out */
} clt__stored_tensor;

typedef struct clt__stored_text {
    char *key, *value;
} clt__stored_text;

/* A file's whole content. Tensors keep the file's data order; texts are the header's __metadata__, sorted by key. */
typedef struct clt__safetensors {
    clt__stored_tensor *tensors;
    size_t tensor_count, tensor_capacity;
    clt__stored_text *texts;
    size_t text_count, text_capacity;
} clt__safetensors;

clt_status clt__safetensors_read(const char *path, clt__safetensors *file, clt_error *error);
/* Replaces `path` whole or leaves it as it was. The same content gives the same bytes. */
clt_status clt__safetensors_write(const char *path, const clt__safetensors *file, clt_error *error);

/* Both copy what they are given. `values` may be NULL: the tensor is then zeros, to be filled in by the caller. */
clt_status clt__safetensors_add(clt__safetensors *file, const char *name, clt_precision precision, int dimensions,
                                const uint64_t *extent, const double *values, clt_error *error);
clt_status clt__safetensors_add_text(clt__safetensors *file, const char *key, const char *value, clt_error *error);

/* Those whose names are the prefix, a dot and more go. */
void clt__safetensors_remove(clt__safetensors *file, const char *prefix);

/* NULL where there is none of that name. */
const clt__stored_tensor *clt__safetensors_find(const clt__safetensors *file, const char *name);
const char *clt__safetensors_text(const clt__safetensors *file, const char *key);

/* Values as a file has them: 4 or 8 bytes each, the lowest first. */
void clt__safetensors_encode(clt_precision precision, const double *values, size_t count, unsigned char *bytes);

void clt__safetensors_free(clt__safetensors *file);

#endif
