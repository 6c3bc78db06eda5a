/* Nodes that go element by element. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/graph.h"
#include "onnx/patterns.h"
#include "onnx/scales.h"

/* ---- of one value */

static clt_status give_element(const clt__onnx_work *work, const char *kind, clt_error *error, const char *options)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0);
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    return clt__onnx_give_line(work, x, kind, x->shape, &x->view, error, "%s", options);
}

static clt_status plain(const clt__onnx_work *work, clt_error *error)
{
    return give_element(work, work->kind, error, "");
}

/* alpha is the slope of a leaky relu, and as ONNX has it by default too. */
static clt_status sloped(const clt__onnx_work *work, clt_error *error)
{
    const bool leaky = strcmp(work->kind, "leaky_relu") == 0;
    const double usual = leaky ? 0.01 : 1, value = clt__onnx_float(work, "alpha", usual);
    char number[32], options[64] = "";
    if ((float)value != (float)usual)
        (void)snprintf(options, sizeof options, " %s=%s", leaky ? "slope" : "alpha", clt__onnx_number(value, number));
    return give_element(work, work->kind, error, options);
}

static clt_status hard_sigmoid(const clt__onnx_work *work, clt_error *error)
{
    const double alpha = clt__onnx_float(work, "alpha", 0.2), beta = clt__onnx_float(work, "beta", 0.5);
    char a[32], b[32], options[96] = "";
    if ((float)alpha != (float)(1.0 / 6) || beta != 0.5)
        (void)snprintf(options, sizeof options, " alpha=%s beta=%s", clt__onnx_number(alpha, a),
                       clt__onnx_number(beta, b));
    return give_element(work, "hardsigmoid", error, options);
}

static clt_status selu(const clt__onnx_work *work, clt_error *error)
{
    const double alpha = clt__onnx_float(work, "alpha", 1.67326319217681884765625),
                 gamma = clt__onnx_float(work, "gamma", 1.05070102214813232421875);
    if (fabs(alpha - 1.6732632423543772) > 1e-6 || fabs(gamma - 1.0507009873554805) > 1e-6)
        return clt__onnx_refuse(work, error, "its alpha and gamma are not those of self-normalising nets");
    return give_element(work, "selu", error, "");
}

static clt_status gelu(const clt__onnx_work *work, clt_error *error)
{
    return give_element(work, clt__onnx_is_word(work, "approximate", "tanh") ? "gelu_tanh" : "gelu", error, "");
}

/* A limit, an attribute in old opsets and an input in new ones. */
static bool read_limit(const clt__onnx_work *work, const char *name, size_t input, double otherwise, double *limit)
{
    const clt__onnx_value *given = clt__onnx_input(work, input);
    *limit = clt__onnx_float(work, name, otherwise);
    if (given->kind == CLT__ONNX_ABSENT) return true;
    if (!clt__onnx_is_constant(given) || given->constant.count != 1) return false;
    *limit = clt__onnx_at(&given->constant, 0);
    return true;
}

static clt_status clip(const clt__onnx_work *work, clt_error *error)
{
    double least, most;
    char a[32], b[32], options[96];
    if (!read_limit(work, "min", 1, -(double)FLT_MAX, &least) || !read_limit(work, "max", 2, (double)FLT_MAX, &most))
        return clt__onnx_refuse(work, error, "its limits are not known");
    least = fmax(least, -(double)FLT_MAX);
    most = fmin(most, (double)FLT_MAX);
    if (least == 0 && most == 6) return give_element(work, "relu6", error, "");
    if (least == 0 && most == (double)FLT_MAX) return give_element(work, "relu", error, "");
    (void)snprintf(options, sizeof options, " least=%s most=%s", clt__onnx_number(least, a), clt__onnx_number(most, b));
    return give_element(work, "clip", error, options);
}

static clt_status dropout(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0);
    double rate;
    char number[32], options[48];
    if (!clt__onnx_flows(x) || !read_limit(work, "ratio", 1, 0.5, &rate) || !(rate >= 0 && rate < 1))
        return clt__onnx_refuse(work, error, "its ratio is not known");
    (void)snprintf(options, sizeof options, " rate=%s", clt__onnx_number(rate, number));
    return rate > 0 ? give_element(work, "dropout", error, options) : clt__onnx_give_view(work, 0, x, &x->view);
}

/* ---- two values */

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static bool may_broadcast(int a, int b)
{
    return a == b || a == 1 || b == 1;
}

/* The view of what two values give, whose dimensions are the same parts of an image or of size 1. */
static bool join_views(const clt__onnx_value *a, const clt__onnx_value *b, clt__view *view, clt_shape *shape)
{
    *shape = (clt_shape){larger(a->shape.channels, b->shape.channels), larger(a->shape.height, b->shape.height),
                         larger(a->shape.width, b->shape.width)};
    *view = a->view;
    if (a->view.rank != b->view.rank || !may_broadcast(a->shape.channels, b->shape.channels) ||
        !may_broadcast(a->shape.height, b->shape.height) || !may_broadcast(a->shape.width, b->shape.width))
        return false;
    for (int i = 0; i < a->view.rank; i++) {
        clt__view one = {.rank = 1, .dim = {a->view.dim[i]}}, other = {.rank = 1, .dim = {b->view.dim[i]}};
        if (clt__view_equal(&one, &other)) continue;
        if (one.dim[0].atoms && other.dim[0].atoms) return false;
        view->dim[i] = one.dim[0].atoms ? one.dim[0] : other.dim[0];
    }
    return true;
}

/* The elements of both in the same order, where they lie otherwise. */
static clt_status lay_out_both(const clt__onnx_work *work, clt__onnx_value *a, clt__onnx_value *b, clt__view *view,
                               clt_shape *shape, bool *fit, clt_error *error)
{
    bool laid[2];
    TRY(clt__onnx_lay_out(work, a, 1, &laid[0], error));
    TRY(clt__onnx_lay_out(work, b, 1, &laid[1], error));
    *fit = laid[0] && laid[1] && join_views(a, b, view, shape);
    return CLT_OK;
}

static clt_status give_joined(const clt__onnx_work *work, const char *kind, const int *input, int inputs,
                              clt_shape shape, const clt__view *view, clt_error *error)
{
    int line;
    TRY(clt__onnx_write(work->graph, kind, NULL, input, inputs, shape, &line, error, "%s", ""));
    return clt__onnx_give_made(work, 0, line, view);
}

/* A row, or a column, that meets an image is repeated first: layers meet all of an image, or one pixel. */
static clt_status stretch(const clt__onnx_work *work, clt__onnx_value *x, clt_shape to, clt_error *error)
{
    if (x->shape.height * x->shape.width == 1) return CLT_OK;
    return clt__onnx_repeat(work, x, to.height / x->shape.height, to.width / x->shape.width, error);
}

static clt_status two_values(const clt__onnx_work *work, char sign, const clt__onnx_value *x, const clt__onnx_value *y,
                             clt_error *error)
{
    clt__view view;
    clt_shape shape;
    clt__onnx_value a = *x, b = *y;
    bool fits = join_views(x, y, &view, &shape);
    if (!fits) TRY(lay_out_both(work, &a, &b, &view, &shape, &fits, error));
    if (!fits)
        return clt__onnx_refuse(work, error, "its inputs are neither alike nor one value for each channel or pixel");
    clt__onnx_value of = a;
    TRY(stretch(work, &a, shape, error));
    TRY(stretch(work, &b, shape, error));
    const bool alike = clt__shapes_equal(a.shape, b.shape), adds = sign == '+';
    const char *kind = sign == '*' ? "mul" : sign == '/' ? "div" : adds && alike ? "add" : "sub";
    if (adds && !alike) TRY(clt__onnx_turn(work, &b, "neg", &b, error)); /* a + b is a - (-b), to the bit */
    if (sign == '*' && alike && clt__view_equal(&a.view, &b.view)) {
        const char *product = clt__onnx_product(work->graph, a.line, b.line, &of.line);
        if (product) return clt__onnx_give_line(work, &of, product, shape, &view, error, "%s", "");
    }
    double eps;
    char number[32];
    if (sign == '/' && clt__onnx_is_normalised(work->graph, a.line, b.line, &of.line, &eps))
        return clt__onnx_give_line(work, &of, "layernorm", shape, &view, error, " over=channels affine=no eps=%s",
                                   clt__onnx_number(eps, number));
    return give_joined(work, kind, (const int[]){a.line, b.line}, 2, shape, &view, error);
}

static clt_status binary(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *a = clt__onnx_input(work, 0), *b = clt__onnx_input(work, 1);
    const char sign = *work->kind;
    if (clt__onnx_flows(a) && clt__onnx_flows(b)) return two_values(work, sign, a, b, error);
    if (clt__onnx_flows(a) && clt__onnx_is_constant(b)) return clt__onnx_with_constant(work, a, sign, b, false, error);
    if (clt__onnx_flows(b) && clt__onnx_is_constant(a)) return clt__onnx_with_constant(work, b, sign, a, true, error);
    return clt__onnx_refuse(work, error, "its inputs are not there");
}

static clt_status power(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0), *exponent = clt__onnx_input(work, 1);
    char number[32], options[48];
    if (!clt__onnx_flows(x) || !clt__onnx_is_constant(exponent) || exponent->constant.count != 1)
        return clt__onnx_refuse(work, error, "its exponent is not one constant number");
    const double value = clt__onnx_at(&exponent->constant, 0);
    if (value == 1) return clt__onnx_give_view(work, 0, x, &x->view);
    (void)snprintf(options, sizeof options, " exponent=%s", clt__onnx_number(value, number));
    return give_element(work, "pow", error, options);
}

/* ---- many values */

/* Values of one shape; constants are not among them. */
static clt_status many(const clt__onnx_work *work, const char *kind, bool mean, clt_error *error)
{
    enum { MOST = 8 };
    int input[MOST];
    const size_t count = work->node->n_input;
    const clt__onnx_value *first = clt__onnx_input(work, 0);
    clt__onnx_value laid = *first;
    bool alike = true, fits = clt__onnx_flows(first);
    for (size_t i = 1; i < count && i < MOST; i++) {
        const clt__onnx_value *x = clt__onnx_input(work, i);
        fits = fits && clt__onnx_flows(x) && x->view.rank == first->view.rank;
        alike = alike && clt__view_equal(&x->view, &first->view);
    }
    if (fits && !alike) TRY(clt__onnx_lay_out(work, &laid, 1, &fits, error));
    input[0] = laid.line;
    for (size_t i = 1; i < count && i < MOST && fits; i++) {
        clt__onnx_value x = *clt__onnx_input(work, i);
        if (!alike) TRY(clt__onnx_lay_out(work, &x, 1, &fits, error));
        fits = fits && clt__shapes_equal(x.shape, laid.shape);
        input[i] = x.line;
    }
    if (!fits) return clt__onnx_refuse(work, error, "its inputs are not alike");
    if (count < 1 || count > MOST) return clt__onnx_refuse(work, error, "it has not one to eight inputs");
    if (count == 1) return clt__onnx_give_view(work, 0, first, &first->view);
    if (!mean) return give_joined(work, kind, input, (int)count, laid.shape, &laid.view, error);
    int line;
    TRY(clt__onnx_write(work->graph, kind, NULL, input, (int)count, laid.shape, &line, error, "%s", ""));
    const clt__onnx_value sum = {.line = line, .shape = laid.shape, .view = laid.view};
    return clt__onnx_times(work, &sum, 1 / (double)count, error);
}

static clt_status sum(const clt__onnx_work *work, clt_error *error)
{
    return work->node->n_input == 2 ? binary(work, error) : many(work, "add", false, error);
}

static clt_status mean(const clt__onnx_work *work, clt_error *error)
{
    return many(work, "add", true, error);
}

static clt_status extreme(const clt__onnx_work *work, clt_error *error)
{
    return many(work, work->kind, false, error);
}

const clt__onnx_row clt__onnx_element_rows[] = {
    {"Relu", plain, "relu"},
    {"Sigmoid", plain, "sigmoid"},
    {"Tanh", plain, "tanh"},
    {"Softplus", plain, "softplus"},
    {"Mish", plain, "mish"},
    {"Sqrt", plain, "sqrt"},
    {"Exp", plain, "exp"},
    {"Log", plain, "log"},
    {"Abs", plain, "abs"},
    {"Neg", plain, "neg"},
    {"Softsign", plain, "softsign"},
    {"Reciprocal", plain, "reciprocal"},
    {"Erf", plain, "erf"},
    {"HardSwish", plain, "hardswish"},
    {"LeakyRelu", sloped, "leaky_relu"},
    {"Elu", sloped, "elu"},
    {"Celu", sloped, "celu"},
    {"ThresholdedRelu", sloped, "thresholded_relu"},
    {"Selu", selu, NULL},
    {"Gelu", gelu, NULL},
    {"HardSigmoid", hard_sigmoid, NULL},
    {"Clip", clip, NULL},
    {"Dropout", dropout, NULL},
    {"Pow", power, NULL},
    {"Add", binary, "+"},
    {"Sub", binary, "-"},
    {"Mul", binary, "*"},
    {"Div", binary, "/"},
    {"Sum", sum, "+"},
    {"Mean", mean, NULL},
    {"Max", extreme, "maximum"},
    {"Min", extreme, "minimum"},
    {NULL, NULL, NULL},
};
