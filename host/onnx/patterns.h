/* Layers that exporters write in parts. */
#ifndef CLT_ONNX_PATTERNS_H
#define CLT_ONNX_PATTERNS_H

#include "onnx/graph.h"

/* What the product of what two lines give is, or half of what a line gives: the kind of the layer, and in *of the line
 * that it reads; NULL where it is none. */
const char *clt__onnx_product(const clt__onnx_graph *graph, int a, int b, int *of);
const char *clt__onnx_half(const clt__onnx_graph *graph, int line, int *of);

/* Whether a quotient is x minus its mean over the channels, over the root of its variance and `eps`; *of gives x. */
bool clt__onnx_is_normalised(const clt__onnx_graph *graph, int dividend, int divisor, int *of, double *eps);

#endif
