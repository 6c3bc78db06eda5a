/* An ONNX model as a net: its text in the net language, and its weights as a safetensors file would hold them. */
#ifndef CLT_ONNX_IMPORT_H
#define CLT_ONNX_IMPORT_H

#include "formats/safetensors.h"
#include "onnx/tensor.h"

/* A graph's input that is given a constant, as ONNX's tests give weights. */
typedef struct clt__onnx_given {
    const char *name;
    clt__onnx_tensor tensor;
} clt__onnx_given;

typedef struct clt__onnx_import {
    char *text;               /* freed with free() */
    clt__safetensors weights; /* freed with clt__safetensors_free(); its texts are the file's metadata */
    bool doubles;             /* its input is of them */
    const char *left_out; /* "softmax" or "log_softmax" where that stood at the end and `logits` left it out, or NULL */
    char note[512];       /* what the caller's user should know of it, or "" */
} clt__onnx_import;

typedef struct clt__onnx_options {
    const char *until; /* a node that becomes the last; NULL: the graph's own output */
    bool logits;       /* a softmax of classes at the end is left out: the loss cross_entropy has one */
    const clt__onnx_given *given;
    size_t givens;
    uint64_t most_filled; /* numbers of all weights that the file has but one of; 0: 2^28, more than any model needs */
} clt__onnx_options;

clt_status clt__onnx_import_file(const char *path, const clt__onnx_options *options, clt__onnx_import *import,
                                 clt_error *error);

/* The names of a graph's inputs that are no initialisers, in their order, cut to the room there is: how many there are,
 * -1 where the file is none. */
int clt__onnx_input_names(const char *path, char (*names)[64], int most);

void clt__onnx_import_free(clt__onnx_import *import);

#endif
