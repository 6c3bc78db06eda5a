/* Nodes that go element by element. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/graph.h"

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
    *limit = given->constant.value[0];
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

/* ---- a value and a constant */

/* A constant as what each of an image's elements meets. */
typedef struct spread {
    double *value; /* [C H W], then the first of each channel, then the first alone */
    int64_t count;
    bool shared; /* all are the same */
    bool by_channel;
} spread;

static bool has_batch(const clt__view *view, int dim)
{
    return view->dim[dim].atoms && view->dim[dim].atom[0].of == 'N';
}

/* Goes through an image's elements, in the order of the view. */
static bool next_place(const clt__view *view, int64_t *place)
{
    for (int i = view->rank; i-- > 0;) {
        const int64_t batch = has_batch(view, i) ? view->dim[i].atom[0].size : 1;
        if (++place[i] < clt__view_size(view, i) / batch) return true;
        place[i] = 0;
    }
    return false;
}

/* Where the constant has the value for that place; -1 where it does not fit the view. */
static int64_t constant_at(const clt__onnx_tensor *constant, const clt__view *view, const int64_t *place)
{
    int64_t at = 0;
    for (int i = 0; i < constant->rank; i++) {
        const int dim = view->rank - constant->rank + i;
        if (dim < 0) {
            if (constant->dim[i] != 1) return -1;
            continue;
        }
        if (constant->dim[i] == 1) continue;
        if (has_batch(view, dim) || constant->dim[i] != clt__view_size(view, dim)) return -1;
        at = at * constant->dim[i] + place[dim];
    }
    return at;
}

static void find_pattern(spread *s, clt_shape shape)
{
    const int64_t pixels = (int64_t)shape.height * shape.width;
    s->shared = s->by_channel = true;
    for (int64_t i = 0; i < s->count; i++) {
        s->shared = s->shared && s->value[i] == s->value[0];
        s->by_channel = s->by_channel && s->value[i] == s->value[i / pixels * pixels];
    }
    if (s->by_channel)
        for (int c = 0; c < shape.channels; c++) s->value[c] = s->value[c * pixels];
    if (s->by_channel) s->count = shape.channels;
    if (s->shared) s->count = 1;
}

static clt_status spread_constant(const clt__onnx_value *x, const clt__onnx_tensor *constant, spread *s, bool *fits,
                                  clt_error *error)
{
    int64_t place[CLT__ONNX_RANK] = {0};
    *s = (spread){.count = (int64_t)x->shape.channels * x->shape.height * x->shape.width};
    TRY(clt__allocate((uint64_t)s->count, sizeof *s->value, "a constant", &s->value, error));
    *fits = constant->count > 0;
    if (!*fits) return CLT_OK;
    do {
        const int64_t at = constant_at(constant, &x->view, place);
        *fits = at >= 0;
        if (*fits) s->value[clt__view_element(&x->view, x->shape, place)] = constant->value[at];
    } while (*fits && next_place(&x->view, place));
    if (*fits) find_pattern(s, x->shape);
    return CLT_OK;
}

/* y = weight x + bias, either of which may be NULL, as a line of its own. */
static clt_status write_scale(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, bool scales,
                              clt_error *error)
{
    int from = x->line, line;
    if (!s->shared && !s->by_channel)
        TRY(clt__onnx_write(work->graph, "flatten", NULL, &x->line, 1, x->shape, &from, error, "%s", ""));
    TRY(clt__onnx_write(work->graph, "scale", NULL, &from, 1, x->shape, &line, error, "%s%s frozen=yes",
                        scales ? " bias=no" : " weight=no", s->shared ? " shared=yes" : ""));
    TRY(clt__onnx_add_weight(work->graph, line, scales ? "weight" : "bias", 1, &s->count, s->value, error));
    work->graph->line[line].takes_bias = scales && s->by_channel && !s->shared;
    return clt__onnx_give_made(work, 0, line, &x->view);
}

/* Added as the bias of the line that gives x, if that is all that x is for. */
static clt_status add_as_bias(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, bool *added,
                              clt_error *error)
{
    clt__onnx_line *line = x->line >= 0 ? &work->graph->line[x->line] : NULL;
    const int64_t channels = x->shape.channels;
    *added = false;
    if (!line || !line->takes_bias || x->users != 1 || !s->by_channel) return CLT_OK;
    char *no_bias = strstr(line->options, " bias=no");
    if (!no_bias) return CLT_OK;
    double *values;
    TRY(clt__allocate((uint64_t)channels, sizeof *values, "a bias", &values, error));
    for (int64_t c = 0; c < channels; c++) values[c] = s->value[s->shared ? 0 : c];
    const clt_status status = clt__onnx_add_weight(work->graph, x->line, "bias", 1, &channels, values, error);
    free(values);
    TRY(status);
    memmove(no_bias, no_bias + strlen(" bias=no"), strlen(no_bias + strlen(" bias=no")) + 1);
    line->takes_bias = false;
    *added = true;
    return clt__onnx_give_view(work, 0, x, &x->view);
}

static clt_status give_shifted(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, clt_error *error)
{
    bool added;
    if (s->shared && s->value[0] == 0) return clt__onnx_give_view(work, 0, x, &x->view);
    TRY(add_as_bias(work, x, s, &added, error));
    return added ? CLT_OK : write_scale(work, x, s, false, error);
}

/* x after a layer that turns it: c - x is -x + c, c / x is c times 1 / x. */
static clt_status turn(const clt__onnx_work *work, const clt__onnx_value *x, const char *kind, clt__onnx_value *turned,
                       clt_error *error)
{
    *turned = *x;
    return clt__onnx_write(work->graph, kind, NULL, &x->line, 1, x->shape, &turned->line, error, "%s", "");
}

static clt_status with_constant(const clt__onnx_work *work, const clt__onnx_value *x, spread *s, bool constant_first,
                                clt_error *error)
{
    const char *type = work->node->op_type;
    clt__onnx_value turned;
    if (strcmp(type, "Add") == 0 || strcmp(type, "Sum") == 0) return give_shifted(work, x, s, error);
    if (strcmp(type, "Mul") == 0) {
        if (s->shared && s->value[0] == 1) return clt__onnx_give_view(work, 0, x, &x->view);
        return write_scale(work, x, s, true, error);
    }
    if (strcmp(type, "Sub") == 0 && constant_first) {
        TRY(turn(work, x, "neg", &turned, error));
        return give_shifted(work, &turned, s, error);
    }
    if (strcmp(type, "Div") == 0 && constant_first) {
        TRY(turn(work, x, "reciprocal", &turned, error));
        return write_scale(work, &turned, s, true, error);
    }
    const bool divides = strcmp(type, "Div") == 0;
    for (int64_t i = 0; i < s->count; i++) s->value[i] = divides ? 1 / s->value[i] : -s->value[i];
    return divides ? write_scale(work, x, s, true, error) : give_shifted(work, x, s, error);
}

static clt_status with_a_constant(const clt__onnx_work *work, const clt__onnx_value *x, const clt__onnx_value *constant,
                                  bool constant_first, clt_error *error)
{
    spread s;
    bool fits;
    clt_status status = spread_constant(x, &constant->constant, &s, &fits, error);
    if (status == CLT_OK && (!fits || (!s.by_channel && !s.shared && x->view.rank != 2)))
        status = clt__onnx_refuse(work, error, "its constant is not one number, nor one for each channel");
    else if (status == CLT_OK)
        status = with_constant(work, x, &s, constant_first, error);
    free(s.value);
    return status;
}

/* ---- two values */

/* The line that gives b if it is of that kind and reads a alone; else NULL. */
static const clt__onnx_line *made_from(const clt__onnx_work *work, const clt__onnx_value *a, int line, const char *kind)
{
    const clt__onnx_line *made = line >= 0 ? &work->graph->line[line] : NULL;
    return made && strcmp(made->kind, kind) == 0 && made->inputs == 1 && (!a || made->input[0] == a->line) ? made
                                                                                                           : NULL;
}

/* x times f(x): activations that are written in parts. */
static const char *gated(const clt__onnx_work *work, const clt__onnx_value *x, const clt__onnx_value *gate)
{
    if (made_from(work, x, gate->line, "sigmoid")) return "silu";
    const clt__onnx_line *hard = made_from(work, x, gate->line, "hardsigmoid");
    if (hard && !*hard->options) return "hardswish";
    const clt__onnx_line *tanh_line = made_from(work, NULL, gate->line, "tanh");
    return tanh_line && made_from(work, x, tanh_line->input[0], "softplus") ? "mish" : NULL;
}

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

static bool same_shape(clt_shape a, clt_shape b)
{
    return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

static clt_status give_joined(const clt__onnx_work *work, const char *kind, const int *input, int inputs,
                              clt_shape shape, const clt__view *view, clt_error *error)
{
    int line;
    TRY(clt__onnx_write(work->graph, kind, NULL, input, inputs, shape, &line, error, "%s", ""));
    return clt__onnx_give_made(work, 0, line, view);
}

static clt_status two_values(const clt__onnx_work *work, const clt__onnx_value *a, const clt__onnx_value *b,
                             clt_error *error)
{
    const char *type = work->node->op_type;
    clt__view view;
    clt_shape shape;
    clt__onnx_value turned = *b;
    const char *kind = strcmp(type, "Mul") == 0 ? "mul" : strcmp(type, "Div") == 0 ? "div" : "sub";
    if (!join_views(a, b, &view, &shape))
        return clt__onnx_refuse(work, error, "its inputs are neither alike nor one value for each channel or pixel");
    const bool alike = same_shape(a->shape, b->shape), adds = strcmp(type, "Add") == 0;
    if (adds && alike) kind = "add";
    if (adds && !alike) TRY(turn(work, b, "neg", &turned, error)); /* a + b is a - (-b), to the bit */
    if (strcmp(type, "Mul") == 0 && alike && clt__view_equal(&a->view, &b->view)) {
        const char *gate = gated(work, a, b);
        if (gate) return clt__onnx_give_line(work, a, gate, shape, &a->view, error, "%s", "");
        gate = gated(work, b, a);
        if (gate) return clt__onnx_give_line(work, b, gate, shape, &b->view, error, "%s", "");
    }
    return give_joined(work, kind, (const int[]){a->line, turned.line}, 2, shape, &view, error);
}

static clt_status binary(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *a = clt__onnx_input(work, 0), *b = clt__onnx_input(work, 1);
    if (clt__onnx_flows(a) && clt__onnx_flows(b)) return two_values(work, a, b, error);
    if (clt__onnx_flows(a) && clt__onnx_is_constant(b)) return with_a_constant(work, a, b, false, error);
    if (clt__onnx_flows(b) && clt__onnx_is_constant(a)) return with_a_constant(work, b, a, true, error);
    return clt__onnx_refuse(work, error, "its inputs are not there");
}

static clt_status power(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0), *exponent = clt__onnx_input(work, 1);
    char number[32], options[48];
    if (!clt__onnx_flows(x) || !clt__onnx_is_constant(exponent) || exponent->constant.count != 1)
        return clt__onnx_refuse(work, error, "its exponent is not one constant number");
    const double value = exponent->constant.value[0];
    if (value == 1) return clt__onnx_give_view(work, 0, x, &x->view);
    if (value == 2) return give_joined(work, "mul", (const int[]){x->line, x->line}, 2, x->shape, &x->view, error);
    if (value == 0.5) return give_element(work, "sqrt", error, "");
    (void)snprintf(options, sizeof options, " exponent=%s", clt__onnx_number(value, number));
    return give_element(work, "pow", error, options);
}

/* ---- many values */

/* Values of one shape and view; constants are not among them. */
static clt_status many(const clt__onnx_work *work, const char *kind, bool mean, clt_error *error)
{
    enum { MOST = 8 };
    int input[MOST];
    const size_t count = work->node->n_input;
    const clt__onnx_value *first = clt__onnx_input(work, 0);
    for (size_t i = 0; i < count && i < MOST; i++) {
        const clt__onnx_value *x = clt__onnx_input(work, i);
        if (!clt__onnx_flows(x) || !clt__onnx_flows(first) || !same_shape(x->shape, first->shape) ||
            !clt__view_equal(&x->view, &first->view))
            return clt__onnx_refuse(work, error, "its inputs are not alike");
        input[i] = x->line;
    }
    if (count < 1 || count > MOST) return clt__onnx_refuse(work, error, "it has not one to eight inputs");
    if (count == 1) return clt__onnx_give_view(work, 0, first, &first->view);
    if (!mean) return give_joined(work, kind, input, (int)count, first->shape, &first->view, error);
    int line;
    double share = 1 / (double)count;
    TRY(clt__onnx_write(work->graph, kind, NULL, input, (int)count, first->shape, &line, error, "%s", ""));
    const clt__onnx_value sum = {.line = line, .shape = first->shape, .view = first->view};
    const spread s = {.value = &share, .count = 1, .shared = true, .by_channel = true};
    return write_scale(work, &sum, &s, true, error);
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
    {"Add", binary, NULL},
    {"Sub", binary, NULL},
    {"Mul", binary, NULL},
    {"Div", binary, NULL},
    {"Sum", sum, NULL},
    {"Mean", mean, NULL},
    {"Max", extreme, "maximum"},
    {"Min", extreme, "minimum"},
    {NULL, NULL, NULL},
};
