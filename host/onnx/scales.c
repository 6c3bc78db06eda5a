#include "onnx/scales.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/patterns.h"

/* ---- the constant */

/* A constant as what each of an image's elements meets. */
typedef struct spread {
    const char *name;
    double *value;   /* [count] */
    int64_t count;   /* of C H W: all, one a channel, or one */
    bool by_channel; /* not more than one a channel */
    bool trained;    /* it is a parameter */
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

/* Whether it may be one number: parameters that are many stay many, though they be equal at first. */
static void find_pattern(spread *s, clt_shape shape, bool may_be_one)
{
    const int64_t pixels = (int64_t)shape.height * shape.width;
    bool equal = may_be_one;
    s->by_channel = true;
    for (int64_t i = 0; i < s->count; i++) {
        equal = equal && s->value[i] == s->value[0];
        s->by_channel = s->by_channel && s->value[i] == s->value[i / pixels * pixels];
    }
    if (s->by_channel)
        for (int c = 0; c < shape.channels; c++) s->value[c] = s->value[c * pixels];
    if (s->by_channel) s->count = equal ? 1 : shape.channels;
}

static bool is_one(const spread *s)
{
    return s->count == 1;
}

/* One number that is part of the formula. */
static bool is_fixed(const spread *s)
{
    return is_one(s) && !s->trained;
}

static clt_status spread_constant(const clt__onnx_work *work, const clt__onnx_value *x, const clt__onnx_value *value,
                                  spread *s, bool *fits, clt_error *error)
{
    const clt__onnx_tensor *constant = &value->constant;
    int64_t place[CLT__ONNX_RANK] = {0};
    *s = (spread){.name = value->name,
                  .trained = clt__onnx_is_parameter(work, value),
                  .count = (int64_t)x->shape.channels * x->shape.height * x->shape.width};
    TRY(clt__allocate((uint64_t)s->count, sizeof *s->value, "a constant", &s->value, error));
    *fits = constant->count > 0;
    if (!*fits) return CLT_OK;
    do {
        const int64_t at = constant_at(constant, &x->view, place);
        *fits = at >= 0;
        if (*fits) s->value[clt__view_element(&x->view, x->shape, place)] = clt__onnx_at(constant, (size_t)at);
    } while (*fits && next_place(&x->view, place));
    if (*fits) find_pattern(s, x->shape, !s->trained || constant->count == 1);
    return CLT_OK;
}

/* ---- a constant that belongs to the layer before */

static bool is_kind(const clt__onnx_line *line, const char *kind)
{
    return strcmp(line->kind, kind) == 0;
}

/* How many numbers the weight or the bias of the layer has that gives x. */
static int64_t numbers_of(const clt__onnx_line *line, clt_shape shape)
{
    if (strstr(line->options, " shared=yes")) return 1;
    if (clt__onnx_is_by_element(line)) return (int64_t)shape.channels * shape.height * shape.width;
    return shape.channels;
}

/* The constant becomes the layer's parameter of that name. *added is false where it has too many numbers for it. */
static clt_status add_numbers(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, const char *name,
                              bool *added, clt_error *error)
{
    const clt__onnx_line *line = &work->graph->line[x->line];
    const int64_t count = numbers_of(line, x->shape);
    int64_t extent[3];
    const int dims = clt__onnx_numbers_shape(work->graph, x->line, count, extent);
    double *numbers;
    *added = count == s->count || (s->by_channel && count % s->count == 0);
    if (!*added) return CLT_OK;
    TRY(clt__allocate((uint64_t)count, sizeof *numbers, "a layer's numbers", &numbers, error));
    for (int64_t i = 0; i < count; i++) numbers[i] = s->value[i / (count / s->count)];
    const clt_status status = clt__onnx_add_weight(work->graph, x->line, name, dims, extent, numbers, error);
    free(numbers);
    TRY(status);
    return clt__onnx_give_view(work, 0, x, &x->view);
}

static bool remove_option(clt__onnx_line *line, const char *option)
{
    char *at = strstr(line->options, option);
    if (at) memmove(at, at + strlen(option), strlen(at + strlen(option)) + 1);
    return at != NULL;
}

/* The line that gives x, if x is read by this node alone; NULL. */
static clt__onnx_line *line_before(const clt__onnx_work *work, const clt__onnx_value *x)
{
    return x->line >= 0 && x->users == 1 ? &work->graph->line[x->line] : NULL;
}

/* A normalisation without numbers of its own takes what its result is multiplied by. */
static clt_status add_as_weight(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, bool *added,
                                clt_error *error)
{
    clt__onnx_line *line = line_before(work, x);
    *added = false;
    if (!line || is_fixed(s)) return CLT_OK;
    const bool instance = is_kind(line, "instancenorm") && !strstr(line->options, " affine=yes"),
               other =
                   (is_kind(line, "layernorm") || is_kind(line, "groupnorm")) && strstr(line->options, " affine=no");
    if (instance || other) TRY(add_numbers(work, x, s, "weight", added, error));
    if (!*added) return CLT_OK;
    line->takes_bias = true;
    if (instance) return clt__onnx_add_option(line, error, " affine=yes");
    (void)remove_option(line, " affine=no");
    return CLT_OK;
}

/* A layer whose weights' name does not tell what it is called is called as its bias says: "classifier.bias". */
static void name_by_bias(const clt__onnx_graph *graph, clt__onnx_line *line, const char *bias)
{
    char weight[160];
    (void)snprintf(weight, sizeof weight, "%s.weight", line->wanted);
    if (!clt__onnx_find(graph, weight)) (void)clt__onnx_parameter_of(bias, line->wanted, sizeof line->wanted);
}

/* What is added to the result of a layer without a bias becomes that. One number that is no parameter is none. */
static clt_status add_as_bias(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, bool *added,
                              clt_error *error)
{
    clt__onnx_line *line = line_before(work, x);
    *added = false;
    if (!line || !line->takes_bias) return CLT_OK;
    const bool scale = is_kind(line, "scale"), frozen = strstr(line->options, " frozen=yes") != NULL;
    if (scale ? frozen == s->trained : is_fixed(s) && x->shape.channels > 1) return CLT_OK;
    TRY(add_numbers(work, x, s, "bias", added, error));
    if (!*added) return CLT_OK;
    (void)remove_option(line, " bias=no");
    name_by_bias(work->graph, line, s->name);
    line->takes_bias = false;
    line->factor = 0;
    return CLT_OK;
}

/* ---- a layer of its own */

/* y = weight x, or x + bias. A constant that is no parameter stays what it is in training. */
static clt_status write_scale(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, bool scales,
                              clt_error *error)
{
    clt__onnx_value of = *x;
    int line;
    char name[128] = "";
    const char *half =
        scales && is_fixed(s) && s->value[0] == 0.5 ? clt__onnx_half(work->graph, x->line, &of.line) : NULL;
    if (half) return clt__onnx_give_line(work, &of, half, x->shape, &x->view, error, "%s", "");
    of.line = x->line;
    if (s->trained && !clt__onnx_parameter_of(s->name, name, sizeof name))
        (void)snprintf(name, sizeof name, "%s", s->name);
    TRY(clt__onnx_write(work->graph, "scale", name, &of.line, 1, x->shape, &line, error, "%s%s%s%s",
                        scales ? " bias=no" : " weight=no", is_one(s) ? " shared=yes" : "",
                        s->by_channel ? "" : " over=elements", s->trained ? "" : " frozen=yes"));
    int64_t extent[3];
    const int dims = clt__onnx_numbers_shape(work->graph, line, s->count, extent);
    TRY(clt__onnx_add_weight(work->graph, line, scales ? "weight" : "bias", dims, extent, s->value, error));
    clt__onnx_line *written = &work->graph->line[line];
    written->takes_bias = scales;
    if (is_fixed(s)) *(scales ? &written->factor : &written->shift) = s->value[0];
    return clt__onnx_give_made(work, 0, line, &x->view);
}

static clt_status give_shifted(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, clt_error *error)
{
    bool added;
    if (is_fixed(s) && s->value[0] == 0) return clt__onnx_give_view(work, 0, x, &x->view);
    TRY(add_as_bias(work, x, s, &added, error));
    return added ? CLT_OK : write_scale(work, x, s, false, error);
}

static clt_status give_scaled(const clt__onnx_work *work, const clt__onnx_value *x, const spread *s, clt_error *error)
{
    bool added;
    if (is_fixed(s) && s->value[0] == 1) return clt__onnx_give_view(work, 0, x, &x->view);
    TRY(add_as_weight(work, x, s, &added, error));
    return added ? CLT_OK : write_scale(work, x, s, true, error);
}

/* ---- all of it */

clt_status clt__onnx_turn(const clt__onnx_work *work, const clt__onnx_value *x, const char *kind,
                          clt__onnx_value *turned, clt_error *error)
{
    *turned = *x;
    turned->users = 1;
    return clt__onnx_follow(work->graph, kind, &turned->line, x->shape, error, "%s", "");
}

clt_status clt__onnx_times(const clt__onnx_work *work, const clt__onnx_value *x, double factor, clt_error *error)
{
    const spread one = {.value = &factor, .count = 1, .by_channel = true};
    return write_scale(work, x, &one, true, error);
}

static clt_status with_constant(const clt__onnx_work *work, const clt__onnx_value *x, char sign, spread *s,
                                bool constant_first, clt_error *error)
{
    clt__onnx_value turned;
    if (sign == '-' || sign == '/') {
        if (constant_first) {
            TRY(clt__onnx_turn(work, x, sign == '/' ? "reciprocal" : "neg", &turned, error));
            x = &turned;
        } else {
            for (int64_t i = 0; i < s->count; i++) s->value[i] = sign == '/' ? 1 / s->value[i] : -s->value[i];
        }
    }
    return sign == '/' || sign == '*' ? give_scaled(work, x, s, error) : give_shifted(work, x, s, error);
}

/* Before opset 7 an attribute says which dimension of x the constant's first one is: it has others of size 1 behind. */
static clt__onnx_value placed(const clt__onnx_work *work, const clt__onnx_value *x, const clt__onnx_value *constant)
{
    clt__onnx_value value = *constant;
    clt__onnx_tensor *tensor = &value.constant;
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", 0), x->view.rank);
    if (work->graph->opset >= 7 || !clt__onnx_has(work, "axis") || axis < 0) return value;
    while (tensor->rank < x->view.rank - axis) tensor->dim[tensor->rank++] = 1;
    return value;
}

clt_status clt__onnx_with_constant(const clt__onnx_work *work, const clt__onnx_value *x, char sign,
                                   const clt__onnx_value *constant, bool constant_first, clt_error *error)
{
    spread s;
    bool fits;
    const clt__onnx_value met = placed(work, x, constant);
    clt_status status = spread_constant(work, x, &met, &s, &fits, error);
    if (status == CLT_OK && !fits)
        status = clt__onnx_refuse(work, error, "its constant is not of the image's shape");
    else if (status == CLT_OK)
        status = with_constant(work, x, sign, &s, constant_first, error);
    free(s.value);
    return status;
}
