#include "onnx/constants.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/new_shape.h"

enum { MOST_INPUTS = 64 };

/* What a node's inputs are, and what it gives. *fits: the inputs make sense. */
typedef struct folding {
    const clt__onnx_work *work;
    const clt__onnx_tensor *input[MOST_INPUTS]; /* NULL: absent */
    size_t inputs;
    clt__onnx_tensor out;
    bool fits;
} folding;

static const char *type_of(const folding *f)
{
    return f->work->node->op_type;
}

static const clt__onnx_tensor *input_of(const folding *f, size_t i)
{
    return i < f->inputs ? f->input[i] : NULL;
}

/* A small file must not become much memory: what is computed is at most a few times what the file holds. */
static clt_status make(folding *f, int rank, const int64_t *dim, bool whole, clt_error *error)
{
    enum { SMALL = 1 << 22, TIMES = 4 };
    clt__onnx_graph *graph = f->work->graph;
    uint64_t count = 1;
    for (int i = 0; i < rank; i++)
        if (dim[i] < 0 || !clt__multiply(count, (uint64_t)dim[i], &count)) count = UINT64_MAX;
    if (count > SMALL + TIMES * graph->constants || (graph->computed += count) > SMALL + TIMES * graph->constants)
        return FAIL(error, CLT_BAD_FILE, "%s: its constants would grow to more than %d times what the file holds",
                    graph->file->path, (int)TIMES);
    return clt__onnx_tensor_make(rank, dim, whole, &f->out, error);
}

/* ---- constants and shapes */

static clt_status fold_constant(folding *f, clt_error *error)
{
    const Onnx__TensorProto *tensor = clt__onnx_tensor_attribute(f->work, "value");
    int64_t list[256];
    const int count = clt__onnx_ints(f->work, "value_ints", list, 256);
    if (tensor) return clt__onnx_tensor_read(f->work->graph->file, tensor, &f->out, error);
    if (clt__onnx_has(f->work, "value_float") || clt__onnx_has(f->work, "value_int")) {
        const bool whole = clt__onnx_has(f->work, "value_int");
        TRY(make(f, 0, NULL, whole, error));
        f->out.value[0] =
            whole ? (double)clt__onnx_int(f->work, "value_int", 0) : clt__onnx_float(f->work, "value_float", 0);
        return CLT_OK;
    }
    f->fits = count > 0;
    if (!f->fits) return CLT_OK;
    TRY(make(f, 1, (const int64_t[]){count}, true, error));
    for (int i = 0; i < count; i++) f->out.value[i] = (double)list[i];
    return CLT_OK;
}

static clt_status fold_filled(folding *f, clt_error *error)
{
    const Onnx__TensorProto *given = clt__onnx_tensor_attribute(f->work, "value");
    clt__onnx_tensor fill = {0};
    int64_t dim[CLT__ONNX_RANK];
    const int rank = clt__onnx_axes(f->work, "", 0, dim, CLT__ONNX_RANK);
    f->fits = rank >= 0;
    if (!f->fits) return CLT_OK;
    if (given) TRY(clt__onnx_tensor_read(f->work->graph->file, given, &fill, error));
    const double value = fill.count ? clt__onnx_at(&fill, 0) : 0;
    const clt_status status = clt__onnx_tensor_fill(rank, dim, given && fill.whole, value, &f->out, error);
    clt__onnx_tensor_free(&fill);
    return status;
}

/* A copy of the first input, to be changed. Gives how many values it stores. */
static clt_status copy(folding *f, size_t *stored, clt_error *error)
{
    const clt__onnx_tensor *from = f->input[0];
    *stored = from->filled ? 1 : from->count;
    if (from->filled) return clt__onnx_tensor_copy(from, &f->out, error);
    TRY(make(f, from->rank, from->dim, from->whole, error));
    memcpy(f->out.value, from->value, from->count * sizeof *from->value);
    return CLT_OK;
}

/* ---- element by element */

static bool broadcast_dims(const clt__onnx_tensor *a, const clt__onnx_tensor *b, int *rank, int64_t *dim)
{
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < *rank; i++) {
        const int at_a = i - (*rank - a->rank), at_b = i - (*rank - b->rank);
        const int64_t da = at_a < 0 ? 1 : a->dim[at_a], db = at_b < 0 ? 1 : b->dim[at_b];
        if (da != db && da != 1 && db != 1) return false;
        dim[i] = da == 1 ? db : da;
    }
    return true;
}

/* Where element `at` of a broadcast tensor comes from. */
static size_t source_of(const clt__onnx_tensor *out, size_t at, const clt__onnx_tensor *from)
{
    size_t index = 0, stride = 1;
    for (int i = out->rank; i-- > 0;) {
        const int own = i - (out->rank - from->rank);
        const size_t place = at % (size_t)out->dim[i];
        at /= (size_t)out->dim[i];
        if (own < 0) break;
        if (from->dim[own] != 1) index += place * stride;
        stride *= (size_t)from->dim[own];
    }
    return index;
}

static double two(const char *type, double a, double b, bool whole)
{
    if (strcmp(type, "Add") == 0) return a + b;
    if (strcmp(type, "Sub") == 0) return a - b;
    if (strcmp(type, "Mul") == 0) return a * b;
    if (strcmp(type, "Div") == 0) return whole ? (b == 0 ? 0 : trunc(a / b)) : a / b;
    if (strcmp(type, "Pow") == 0) return pow(a, b);
    if (strcmp(type, "Equal") == 0) return a == b;
    if (strcmp(type, "Greater") == 0) return a > b;
    if (strcmp(type, "Less") == 0) return a < b;
    if (strcmp(type, "Mod") == 0) return b == 0 ? 0 : a - b * floor(a / b);
    if (strcmp(type, "Max") == 0) return a > b ? a : b;
    return a < b ? a : b; /* Min */
}

static clt_status fold_two(folding *f, clt_error *error)
{
    const clt__onnx_tensor *a = input_of(f, 0), *b = input_of(f, 1);
    int rank;
    int64_t dim[CLT__ONNX_RANK];
    f->fits = f->inputs == 2 && a && b && broadcast_dims(a, b, &rank, dim);
    if (!f->fits) return CLT_OK;
    TRY(make(f, rank, dim, a->whole && b->whole, error));
    for (size_t i = 0; i < f->out.count; i++)
        f->out.value[i] = two(type_of(f), clt__onnx_at(a, source_of(&f->out, i, a)),
                              clt__onnx_at(b, source_of(&f->out, i, b)), f->out.whole);
    return CLT_OK;
}

static clt_status fold_where(folding *f, clt_error *error)
{
    const clt__onnx_tensor *condition = input_of(f, 0), *a = input_of(f, 1), *b = input_of(f, 2);
    int rank;
    clt__onnx_tensor shape = {0};
    int64_t dim[CLT__ONNX_RANK];
    f->fits = condition && a && b && broadcast_dims(a, b, &shape.rank, shape.dim) &&
              broadcast_dims(condition, &shape, &rank, dim);
    if (!f->fits) return CLT_OK;
    TRY(make(f, rank, dim, a->whole, error));
    for (size_t i = 0; i < f->out.count; i++) {
        const clt__onnx_tensor *from = clt__onnx_at(condition, source_of(&f->out, i, condition)) != 0 ? a : b;
        f->out.value[i] = clt__onnx_at(from, source_of(&f->out, i, from));
    }
    return CLT_OK;
}

static double one(const char *type, double x)
{
    if (strcmp(type, "Neg") == 0) return -x;
    if (strcmp(type, "Sqrt") == 0) return sqrt(x);
    if (strcmp(type, "Floor") == 0) return floor(x);
    if (strcmp(type, "Ceil") == 0) return ceil(x);
    if (strcmp(type, "Exp") == 0) return exp(x);
    if (strcmp(type, "Abs") == 0) return fabs(x);
    if (strcmp(type, "Not") == 0) return x == 0;
    if (strcmp(type, "Reciprocal") == 0) return 1 / x;
    return x; /* Identity */
}

static clt_status fold_one(folding *f, clt_error *error)
{
    size_t stored;
    TRY(copy(f, &stored, error));
    for (size_t i = 0; i < stored; i++) f->out.value[i] = one(type_of(f), f->out.value[i]);
    return CLT_OK;
}

static clt_status fold_cast(folding *f, clt_error *error)
{
    size_t stored;
    TRY(copy(f, &stored, error));
    f->out.whole = !clt__onnx_is_float((int32_t)clt__onnx_int(f->work, "to", 0));
    for (size_t i = 0; f->out.whole && i < stored; i++) f->out.value[i] = trunc(f->out.value[i]);
    return CLT_OK;
}

/* ---- parts */

/* Copies what `place`, of the output's element, says. */
static void copy_places(folding *f, const clt__onnx_tensor *from, const clt__onnx_cuts *cuts, const int *axis)
{
    for (size_t i = 0; i < f->out.count; i++) {
        int64_t place[CLT__ONNX_RANK] = {0}, at = 0;
        size_t left = i;
        for (int d = f->out.rank; d-- > 0;) {
            place[axis[d]] = cuts->begin[axis[d]] + (int64_t)(left % (size_t)f->out.dim[d]) * cuts->step[axis[d]];
            left /= (size_t)f->out.dim[d];
        }
        for (int d = 0; d < from->rank; d++) at = at * from->dim[d] + place[d];
        f->out.value[i] = clt__onnx_at(from, (size_t)at);
    }
}

static clt_status fold_transpose(folding *f, clt_error *error)
{
    const clt__onnx_tensor *x = f->input[0];
    int64_t dim[CLT__ONNX_RANK];
    clt__onnx_cuts all;
    int order[CLT__ONNX_RANK];
    f->fits = clt__onnx_new_order(f->work, x->rank, order);
    if (!f->fits) return CLT_OK;
    for (int i = 0; i < x->rank; i++) {
        dim[i] = x->dim[order[i]];
        all.begin[i] = 0;
        all.step[i] = 1;
    }
    TRY(make(f, x->rank, dim, x->whole, error));
    copy_places(f, x, &all, order);
    return CLT_OK;
}

static clt_status fold_slice(folding *f, clt_error *error)
{
    static const int as_they_are[CLT__ONNX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    const clt__onnx_tensor *x = f->input[0];
    const clt__onnx_shape from = clt__onnx_shape_of(clt__onnx_input(f->work, 0));
    clt__onnx_cuts cuts;
    f->fits = clt__onnx_find_cuts(f->work, &from, &cuts);
    if (!f->fits) return CLT_OK;
    TRY(make(f, x->rank, cuts.count, x->whole, error));
    copy_places(f, x, &cuts, as_they_are);
    return CLT_OK;
}

static clt_status fold_gather(folding *f, clt_error *error)
{
    const clt__onnx_tensor *x = input_of(f, 0), *index = input_of(f, 1);
    f->fits = x && index && x->rank >= 1 && x->rank + index->rank - 1 <= CLT__ONNX_RANK;
    const int axis = f->fits ? clt__onnx_axis(clt__onnx_int(f->work, "axis", 0), x->rank) : -1;
    int64_t dim[2 * CLT__ONNX_RANK], outer = 1, inner = 1;
    int rank = 0;
    f->fits = axis >= 0;
    if (!f->fits) return CLT_OK;
    for (int i = 0; i < axis; i++) outer *= dim[rank++] = x->dim[i];
    for (int i = 0; i < index->rank; i++) dim[rank++] = index->dim[i];
    for (int i = axis + 1; i < x->rank; i++) inner *= dim[rank++] = x->dim[i];
    for (size_t i = 0; i < index->count && f->fits; i++)
        f->fits = clt__onnx_at(index, i) >= (double)-x->dim[axis] && clt__onnx_at(index, i) < (double)x->dim[axis];
    if (!f->fits) return CLT_OK;
    TRY(make(f, rank, dim, x->whole, error));
    double *to = f->out.value;
    for (int64_t o = 0; o < outer && f->out.count; o++)
        for (size_t i = 0; i < index->count; i++) {
            const double given = clt__onnx_at(index, i);
            const int64_t at = (int64_t)given + (given < 0 ? x->dim[axis] : 0);
            for (int64_t j = 0; j < inner; j++) *to++ = clt__onnx_at(x, (size_t)((o * x->dim[axis] + at) * inner + j));
        }
    return CLT_OK;
}

static clt_status fold_concat(folding *f, clt_error *error)
{
    const clt__onnx_tensor *first = input_of(f, 0);
    const int axis = first ? clt__onnx_axis(clt__onnx_int(f->work, "axis", 0), first->rank) : -1;
    int64_t dim[CLT__ONNX_RANK] = {0}, outer = 1, inner = 1, all = 0;
    f->fits = axis >= 0;
    for (int i = 0; f->fits && i < first->rank; i++) {
        dim[i] = first->dim[i];
        if (i != axis) *(i < axis ? &outer : &inner) *= dim[i];
    }
    for (size_t j = 0; j < f->inputs && f->fits; j++) {
        f->fits = f->input[j] && f->input[j]->rank == first->rank;
        for (int i = 0; f->fits && i < first->rank; i++) f->fits = i == axis || f->input[j]->dim[i] == dim[i];
        if (f->fits) all += f->input[j]->dim[axis];
    }
    if (!f->fits) return CLT_OK;
    dim[axis] = all;
    TRY(make(f, first->rank, dim, first->whole, error));
    double *to = f->out.value;
    for (int64_t o = 0; o < outer && f->out.count; o++)
        for (size_t j = 0; j < f->inputs; j++) {
            const int64_t run = f->input[j]->dim[axis] * inner;
            for (int64_t i = 0; i < run; i++) *to++ = clt__onnx_at(f->input[j], (size_t)(o * run + i));
        }
    return CLT_OK;
}

/* ---- shapes of constants */

static clt_status fold_reshape(folding *f, clt_error *error)
{
    const clt__onnx_shape from = clt__onnx_shape_of(clt__onnx_input(f->work, 0));
    clt__onnx_shape to;
    f->fits = !clt__onnx_new_shape(f->work, &from, &to);
    if (!f->fits) return CLT_OK;
    size_t stored;
    TRY(copy(f, &stored, error));
    f->out.rank = to.rank;
    memcpy(f->out.dim, to.dim, sizeof f->out.dim);
    return CLT_OK;
}

static clt_status fold_expand(folding *f, clt_error *error)
{
    clt__onnx_tensor wanted = {0};
    int rank;
    int64_t dim[CLT__ONNX_RANK];
    wanted.rank = clt__onnx_axes(f->work, "", 1, wanted.dim, CLT__ONNX_RANK);
    f->fits = wanted.rank >= 0 && broadcast_dims(f->input[0], &wanted, &rank, dim);
    if (!f->fits) return CLT_OK;
    TRY(make(f, rank, dim, f->input[0]->whole, error));
    for (size_t i = 0; i < f->out.count; i++)
        f->out.value[i] = clt__onnx_at(f->input[0], source_of(&f->out, i, f->input[0]));
    return CLT_OK;
}

static clt_status fold_product(folding *f, clt_error *error)
{
    f->fits = !clt__onnx_has(f->work, "axes") && f->inputs == 1 && f->input[0]->count < 1000000;
    if (!f->fits) return CLT_OK;
    TRY(make(f, clt__onnx_int(f->work, "keepdims", 1) ? 1 : 0, (const int64_t[]){1}, f->input[0]->whole, error));
    f->out.value[0] = 1;
    for (size_t i = 0; i < f->input[0]->count; i++) f->out.value[0] *= clt__onnx_at(f->input[0], i);
    return CLT_OK;
}

static clt_status fold_range(folding *f, clt_error *error)
{
    const clt__onnx_tensor *a = input_of(f, 0), *b = input_of(f, 1), *step = input_of(f, 2);
    f->fits = a && b && step && a->count == 1 && b->count == 1 && step->count == 1 && step->value[0] != 0;
    if (!f->fits) return CLT_OK;
    const double count = ceil((b->value[0] - a->value[0]) / step->value[0]);
    f->fits = count < 1e6;
    if (!f->fits) return CLT_OK;
    TRY(make(f, 1, (const int64_t[]){count > 0 ? (int64_t)count : 0}, a->whole, error));
    for (size_t i = 0; i < f->out.count; i++) f->out.value[i] = a->value[0] + (double)i * step->value[0];
    return CLT_OK;
}

/* ---- which */

static const struct {
    const char *type;
    clt_status (*fold)(folding *f, clt_error *error);
} rows[] = {
    {"Constant", fold_constant},
    {"ConstantOfShape", fold_filled},
    {"Add", fold_two},
    {"Sub", fold_two},
    {"Mul", fold_two},
    {"Div", fold_two},
    {"Pow", fold_two},
    {"Equal", fold_two},
    {"Greater", fold_two},
    {"Less", fold_two},
    {"Mod", fold_two},
    {"Max", fold_two},
    {"Min", fold_two},
    {"Where", fold_where},
    {"Neg", fold_one},
    {"Sqrt", fold_one},
    {"Floor", fold_one},
    {"Ceil", fold_one},
    {"Exp", fold_one},
    {"Abs", fold_one},
    {"Not", fold_one},
    {"Reciprocal", fold_one},
    {"Identity", fold_one},
    {"Cast", fold_cast},
    {"Transpose", fold_transpose},
    {"Slice", fold_slice},
    {"Gather", fold_gather},
    {"Concat", fold_concat},
    {"Reshape", fold_reshape},
    {"Unsqueeze", fold_reshape},
    {"Squeeze", fold_reshape},
    {"Flatten", fold_reshape},
    {"Expand", fold_expand},
    {"ReduceProd", fold_product},
    {"Range", fold_range},
};

/* Shape: of what flows. With opset 15 from `start` to `end`. */
static clt_status fold_shape(const clt__onnx_work *work, const clt__onnx_value *x, clt_error *error)
{
    int64_t begin;
    clt__onnx_tensor shape;
    const clt__onnx_shape from = clt__onnx_shape_of(x);
    const int64_t length =
        clt__onnx_cut(from.rank, clt__onnx_int(work, "start", 0), clt__onnx_int(work, "end", from.rank), 1, &begin);
    const bool size = strcmp(work->node->op_type, "Size") == 0;
    TRY(clt__onnx_tensor_make(size ? 0 : 1, &length, true, &shape, error));
    if (size) shape.value[0] = 1;
    for (int i = 0; i < from.rank && size; i++) shape.value[0] *= (double)from.dim[i];
    for (int64_t i = 0; i < length && !size; i++) shape.value[i] = (double)from.dim[begin + i];
    return clt__onnx_give_constant(work, 0, &shape);
}

static clt_status run(folding *f, size_t row, clt_error *error)
{
    clt_error inner;
    f->fits = true;
    const clt_status status = rows[row].fold(f, &inner);
    if (status != CLT_OK) {
        clt__onnx_tensor_free(&f->out);
        return FAIL(error, status, "%.1800s", inner.message);
    }
    if (f->fits) return clt__onnx_give_constant(f->work, 0, &f->out);
    return clt__onnx_refuse(f->work, error, "its constants do not fit it");
}

static bool tells_shape(const char *type)
{
    return strcmp(type, "Shape") == 0 || strcmp(type, "Size") == 0;
}

bool clt__onnx_folds(const char *type)
{
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        if (strcmp(rows[row].type, type) == 0) return true;
    return tells_shape(type);
}

clt_status clt__onnx_fold(const clt__onnx_work *work, bool *folded, clt_error *error)
{
    const char *type = work->node->op_type;
    const clt__onnx_value *first = clt__onnx_input(work, 0);
    folding f = {.work = work, .inputs = work->node->n_input};
    *folded = tells_shape(type) && (clt__onnx_flows(first) || clt__onnx_is_constant(first));
    if (*folded) return fold_shape(work, first, error);
    if (f.inputs > MOST_INPUTS) return CLT_OK;
    for (size_t i = 0; i < f.inputs; i++) {
        const clt__onnx_value *value = clt__onnx_input(work, i);
        if (value->kind == CLT__ONNX_ABSENT) continue;
        if (!clt__onnx_is_constant(value)) return CLT_OK;
        f.input[i] = &value->constant;
    }
    if (f.inputs && !f.input[0]) return CLT_OK;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        if (strcmp(rows[row].type, type) != 0) continue;
        /* Some of these need an input: without one the node is not what it says. */
        *folded = f.inputs > 0 || strcmp(type, "Constant") == 0;
        if (*folded) return run(&f, row, error);
    }
    return CLT_OK;
}
