/* What ops share that multiply by a weight: convolutions and the dense layer's. */
#ifndef CLT_OPS_WEIGHTED_H
#define CLT_OPS_WEIGHTED_H

#include "engine/op.h"

typedef struct clt__weighted_ops {
    const clt__op_row *forward;         /* (x, w, bias, addend -> y, sums): bias, addend and sums may be absent */
    const clt__op_row *weight_gradient; /* (x, dy -> dw, db): db may be absent */
    const clt__op_row *input_gradient;  /* (dy, w, x, addend -> dx): x and addend may be absent */
} clt__weighted_ops;

enum { FORWARD_X, FORWARD_W, FORWARD_BIAS, FORWARD_ADDEND, FORWARD_Y, FORWARD_SUMS };
enum { WEIGHT_GRADIENT_X, WEIGHT_GRADIENT_DY, WEIGHT_GRADIENT_DW, WEIGHT_GRADIENT_DB };
enum { INPUT_GRADIENT_DY, INPUT_GRADIENT_W, INPUT_GRADIENT_X, INPUT_GRADIENT_ADDEND, INPUT_GRADIENT_DX };

/* The rows' operands. */
#define CLT__FORWARD_OPERANDS                                                                   \
    .operand = {[FORWARD_X] = {"x", CLT__READ},       [FORWARD_W] = {"w", CLT__READ},           \
                [FORWARD_BIAS] = {"bias", CLT__READ}, [FORWARD_ADDEND] = {"addend", CLT__READ}, \
                [FORWARD_Y] = {"y", CLT__WRITE},      [FORWARD_SUMS] = {"sums", CLT__WRITE}},   \
    .stored =                                                                                   \
        CLT__STORED(FORWARD_X) | CLT__STORED(FORWARD_ADDEND) | CLT__STORED(FORWARD_Y) | CLT__STORED(FORWARD_SUMS)
#define CLT__WEIGHT_GRADIENT_OPERANDS                       \
    .operand = {[WEIGHT_GRADIENT_X] = {"x", CLT__READ},     \
                [WEIGHT_GRADIENT_DY] = {"dy", CLT__READ},   \
                [WEIGHT_GRADIENT_DW] = {"dw", CLT__WRITE},  \
                [WEIGHT_GRADIENT_DB] = {"db", CLT__WRITE}}, \
    .stored = CLT__STORED(WEIGHT_GRADIENT_X) | CLT__STORED(WEIGHT_GRADIENT_DY)
#define CLT__INPUT_GRADIENT_OPERANDS                                                                                \
    .operand = {[INPUT_GRADIENT_DY] = {"dy", CLT__READ},                                                            \
                [INPUT_GRADIENT_W] = {"w", CLT__READ},                                                              \
                [INPUT_GRADIENT_X] = {"x", CLT__READ},                                                              \
                [INPUT_GRADIENT_ADDEND] = {"addend", CLT__READ},                                                    \
                [INPUT_GRADIENT_DX] = {"dx", CLT__WRITE}},                                                          \
    .stored = CLT__STORED(INPUT_GRADIENT_DY) | CLT__STORED(INPUT_GRADIENT_X) | CLT__STORED(INPUT_GRADIENT_ADDEND) | \
              CLT__STORED(INPUT_GRADIENT_DX)

/* y[.., k] += bias[k], where there is one. */
static inline void clt__add_bias(const clt__array *y, const clt__array *bias)
{
    for (size_t i = 0; i < y->count && bias->real; i++) y->real[i] += bias->real[i % bias->count];
}

/* sum += addend, where there is one. */
static inline void clt__add_addend(const clt__array *sum, const clt__array *addend)
{
    for (size_t i = 0; i < sum->count && addend->real; i++) sum->real[i] += addend->real[i];
}

/* db[k] = sum of dy[.., k], where it is wanted. */
static inline void clt__sum_bias_gradient(const clt__array *dy, const clt__array *db)
{
    clt__clear(db);
    for (size_t i = 0; i < dy->count && db->real; i++) db->real[i % db->count] += dy->real[i];
}

#endif
