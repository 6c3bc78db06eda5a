/* Joining values. Formulas: kernels/join.cl. */
#include "ops/join.h"

#include <string.h>

#include "ops/activation.h"
#include "ops/launch.h"

_Static_assert(sizeof((join_sizes){0}.channels) / sizeof(int) == CLT__MAX_INPUTS, "a number of channels an input");
_Static_assert(CLT__MAX_INPUTS + 2 <= CLT__MAX_OPERANDS, "the inputs, a gradient and what is made are operands");

#define INPUT_OPERANDS(first, access)                                                            \
    [(first)] = {"a", access}, [(first) + 1] = {"b", access}, [(first) + 2] = {"c", access},     \
    [(first) + 3] = {"d", access}, [(first) + 4] = {"e", access}, [(first) + 5] = {"f", access}, \
    [(first) + 6] = {"g", access}, [(first) + 7] = {"h", access}

/* ---- sum */

/* y[i] = a[i] + b[i] + ... */
static void sum_twin(const void *sizes, const clt__array *operand)
{
    const join_sizes *z = sizes;
    for (int i = 0; i < z->count; i++) {
        double sum = 0;
        for (int j = 0; j < z->inputs; j++) sum += operand[j].real[i];
        operand[JOIN_Y].real[i] = sum;
    }
}

CLT__GROWTH(static, sum_growth, join_sizes, clt__growth(z->inputs))

static void finish_sum(const void *sizes, const clt__array *operand)
{
    static const clt__array not_wanted = {0};
    clt__activate_sums(&operand[JOIN_Y], &not_wanted, ((const join_sizes *)sizes)->activation);
}

static void sum_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const join_sizes *z = sizes;
    clt__define_activation(to, z->activation);
    clt__launch_elements("join.cl", limits, z->count, to);
}

static const clt__op_row sum_op = {
    .name = "sum",
    .operand = {INPUT_OPERANDS(0, CLT__READ), [JOIN_Y] = {"y", CLT__WRITE}},
    .stored = CLT__ALL_STORED,
    .twin = sum_twin,
    .growth = sum_growth,
    .finish = finish_sum,
    .launch = sum_launch,
};

clt_status clt__add_sum(clt__tape *tape, const char *layer, const int *tensor, int count, int y, int activation,
                        clt_error *error)
{
    const join_sizes sizes = {.count = tape->tensor[y].count, .inputs = count, .activation = activation};
    int operand[] = {[JOIN_Y] = y};
    for (int i = 0; i < CLT__MAX_INPUTS; i++) operand[i] = i < count ? tensor[i] : -1;
    return CLT__ADD_OP(tape, &sum_op, layer, sizes, operand, error);
}

/* ---- concat and its gradient */

/* y[p, first_j + c] = x_j[p, c], or dx_j[p, c] = dy[p, first_j + c]: copies, which round nothing */
static void copy_channels(const join_sizes *z, const clt__array *joined, const clt__array *part, bool apart)
{
    const size_t pixels = (size_t)(z->count / z->all_channels);
    size_t first = 0;
    for (int j = 0; j < z->inputs; j++) {
        const size_t channels = (size_t)z->channels[j];
        for (size_t p = 0; p < pixels && part[j].real; p++) {
            double *whole = joined->real + p * (size_t)z->all_channels + first, *own = part[j].real + p * channels;
            memcpy(apart ? own : whole, apart ? whole : own, channels * sizeof *own);
        }
        first += channels;
    }
}

static void concat_twin(const void *sizes, const clt__array *operand)
{
    copy_channels(sizes, &operand[JOIN_Y], operand, false);
}

static void concat_gradient_twin(const void *sizes, const clt__array *operand)
{
    copy_channels(sizes, &operand[CONCAT_GRADIENT_DY], &operand[CONCAT_GRADIENT_FIRST], true);
}

static void concat_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const join_sizes *z = sizes;
    clt__define(to, " -DVEC=1");
    clt__launch_flat("join.cl", limits, z->count / z->all_channels, false, to);
}

const clt__op_row clt__concat_op = {
    .name = "concat",
    .operand = {INPUT_OPERANDS(0, CLT__READ), [JOIN_Y] = {"y", CLT__WRITE}},
    .stored = CLT__ALL_STORED,
    .twin = concat_twin,
    .launch = concat_launch,
};

const clt__op_row clt__concat_gradient_op = {
    .name = "concat_gradient",
    .operand = {[CONCAT_GRADIENT_DY] = {"dy", CLT__READ}, INPUT_OPERANDS(CONCAT_GRADIENT_FIRST, CLT__WRITE)},
    .stored = CLT__ALL_STORED,
    .twin = concat_gradient_twin,
    .launch = concat_launch,
};

/* ---- extreme and its gradient: the most of all, or the most of all negated. Both are exact. */

static double seen(const join_sizes *z, const clt__array *input, int i)
{
    return z->least ? -input->real[i] : input->real[i];
}

/* y[i] = max(a[i], b[i], ...); NaN passes through. */
static void extreme_twin(const void *sizes, const clt__array *operand)
{
    const join_sizes *z = sizes;
    for (int i = 0; i < z->count; i++) {
        double most = seen(z, &operand[0], i);
        for (int j = 1; j < z->inputs; j++) {
            const double x = seen(z, &operand[j], i);
            if (x > most || x != x) most = x;
        }
        operand[JOIN_Y].real[i] = z->least ? -most : most;
    }
}

/* dx[i] = dy[i] share[i], the share that max(... max(max(a, b), c) ...) has of it: each halves a tie. */
static void extreme_gradient_twin(const void *sizes, const clt__array *operand)
{
    const join_sizes *z = sizes;
    const clt__array *input = &operand[EXTREME_GRADIENT_FIRST];
    for (int i = 0; i < z->count; i++) {
        double most = seen(z, &input[0], i), share = z->which == 0;
        for (int j = 1; j < z->inputs; j++) {
            const double x = seen(z, &input[j], i), gain = x > most ? 1 : x == most ? 0.5 : 0;
            share = j == z->which ? gain : share * (1 - gain);
            most = x > most ? x : most;
        }
        operand[EXTREME_GRADIENT_DX].real[i] = operand[EXTREME_GRADIENT_DY].real[i] * share;
    }
}

static void extreme_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const join_sizes *z = sizes;
    clt__launch_elements("join.cl", limits, z->count, to);
}

const clt__op_row clt__extreme_op = {
    .name = "extreme",
    .operand = {INPUT_OPERANDS(0, CLT__READ), [JOIN_Y] = {"y", CLT__WRITE}},
    .stored = CLT__ALL_STORED,
    .twin = extreme_twin,
    .launch = extreme_launch,
};

const clt__op_row clt__extreme_gradient_op = {
    .name = "extreme_gradient",
    .operand = {[EXTREME_GRADIENT_DY] = {"dy", CLT__READ},
                INPUT_OPERANDS(EXTREME_GRADIENT_FIRST, CLT__READ),
                [EXTREME_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__ALL_STORED,
    .twin = extreme_gradient_twin,
    .launch = extreme_launch,
};
