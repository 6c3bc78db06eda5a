/* The Newton-Schulz iterations of muon, and its step. Formulas: kernels/muon.cl. */
#include "ops/muon.h"

#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/update.h"

static const double coefficient_a = 3.4445, coefficient_b = -4.7750, coefficient_c = 2.0315;

/* ---- what the twins share */

typedef struct matrix {
    int first, place, gram, rows, columns;
    bool flipped, filter;
} matrix;

static matrix matrix_of(const clt__array *matrices, int number)
{
    const int32_t *m = matrices->integer + number * MATRIX_LENGTH;
    /* cppcheck-suppress objectIndex ; `integer` points to an array */
    return (matrix){m[MATRIX_FIRST],   m[MATRIX_PLACE],   m[MATRIX_GRAM],  m[MATRIX_ROWS],
                    m[MATRIX_COLUMNS], m[MATRIX_FLIPPED], m[MATRIX_FILTER]};
}

static int parameter_of(const matrix *m, int row, int column)
{
    return m->first + (m->flipped ? column * m->rows + row : row * m->columns + column);
}

/* The sum over `terms` terms t of left[t * left_step] * right[t * right_step]. */
static clt__near product_of(const double *left, int left_step, const double *right, int right_step, int terms)
{
    const double growth = clt__growth(terms);
    clt__near sum = {0, 0};
    for (int t = 0; t < terms; t++) clt__near_gather(&sum, left[t * left_step] * right[t * right_step], growth);
    return sum;
}

/* A constant has a roundoff of its own in the device's precision. */
static clt__near constant(double value)
{
    return (clt__near){value, fabs(value)};
}

/* Runs `element` for each element (row, column) of each matrix or, `square`, of its Gram matrix. */
typedef void (*element_twin)(const void *sizes, const clt__array *operand, int number, const matrix *m, int row,
                             int column);

static void run_elements(const void *sizes, const clt__array *operand, int matrices, bool square, element_twin element)
{
    for (int number = 0; number < ((const muon_sizes *)sizes)->matrices; number++) {
        const matrix m = matrix_of(&operand[matrices], number);
        const int rows = square ? m.columns : m.rows;
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < m.columns; column++) element(sizes, operand, number, &m, row, column);
    }
}

/* ---- launch rules */

/* A work-item takes ROWS rows of a vector's columns: of X or, `square`, of its Gram matrix. */
static void launch_blocks(const muon_sizes *z, const clt__limits *limits, bool square, clt__launches *to)
{
    enum { GPU_BLOCK = 4, ROWS = 8 };
    const bool tile = limits->schedule == CLT_SCHEDULE_TILE;
    const int width = tile ? GPU_BLOCK : limits->vector_width, rows = tile ? GPU_BLOCK : ROWS;
    const int blocks = clt__divide_up(square ? z->columns : z->rows, rows) * clt__divide_up(z->columns, width);
    clt__define(to, " -DVEC=%d -DROWS=%d%s", width, rows, z->by_name ? " -DBY_NAME" : "");
    clt__launch_flat("muon.cl", limits, blocks, true, to);
    to->launch[0].global[1] = (size_t)z->matrices;
}

static void launch_square(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const muon_sizes *z = sizes;
    launch_blocks(z, limits, true, to);
}

static void launch_whole(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const muon_sizes *z = sizes;
    launch_blocks(z, limits, false, to);
}

/* ---- muon_norms */

/* 1 / (|d| + 1e-7) */
static clt__near inverse_of(clt__near norm, double roundoff)
{
    const double sum = norm.value + 1e-7, least = sum - (norm.slack + sum) * roundoff;
    return (clt__near){1 / sum, (norm.slack + 2 * sum) / sum / least + CLT__DIVIDE_SLACK / least};
}

static void norms_twin(const void *sizes, const clt__array *operand)
{
    const muon_sizes *z = sizes;
    const clt__array *norms = &operand[MUON_NORMS_NORMS];
    for (int number = 0; number < z->matrices; number++) {
        const matrix m = matrix_of(&operand[MUON_NORMS_MATRICES], number);
        const int count = m.rows * m.columns;
        const clt__near d = clt__norm_of(operand[MUON_NORMS_DIRECTION].real + m.first, count, norms->roundoff);
        const clt__near w = clt__norm_of(operand[MUON_NORMS_WEIGHTS].real + m.first, count, norms->roundoff);
        const double filters = sqrt(m.flipped ? m.rows : m.columns);
        clt__put(norms, (size_t)number * 2, inverse_of(d, norms->roundoff));
        clt__put(norms, (size_t)number * 2 + 1,
                 z->normalize && m.filter
                     ? clt__norm_ratio((clt__near){filters, CLT__SQRT_SLACK * filters}, w, norms->roundoff)
                     : clt__exactly(1));
    }
}

static void norms_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    muon_sizes *z = sizes;
    z->parts = clt__launch_square_parts("muon.cl", "muon_norms_parts", "muon_norms", z->matrices, limits, to);
    clt__define(to, " -DROWS=1");
}

const clt__op_row clt__muon_norms_op = {
    .name = "muon_norms",
    .operand = {[MUON_NORMS_WEIGHTS] = {"weights", CLT__READ},
                [MUON_NORMS_DIRECTION] = {"direction", CLT__READ},
                [MUON_NORMS_MATRICES] = {"matrices", CLT__READ},
                [MUON_NORMS_NORMS] = {"norms", CLT__WRITE}},
    .twin = norms_twin,
    .launch = norms_launch,
};

/* ---- muon_begin */

static void begin_element(const void *sizes, const clt__array *operand, int number, const matrix *m, int row,
                          int column)
{
    const double x =
        operand[MUON_BEGIN_NORMS].real[number * 2] * operand[MUON_BEGIN_DIRECTION].real[parameter_of(m, row, column)];
    (void)sizes;
    clt__put(&operand[MUON_BEGIN_X], (size_t)m->place + (size_t)(row * m->columns + column), (clt__near){x, fabs(x)});
}

static void begin_twin(const void *sizes, const clt__array *operand)
{
    run_elements(sizes, operand, MUON_BEGIN_MATRICES, false, begin_element);
}

const clt__op_row clt__muon_begin_op = {
    .name = "muon_begin",
    .operand = {[MUON_BEGIN_DIRECTION] = {"direction", CLT__READ},
                [MUON_BEGIN_NORMS] = {"norms", CLT__READ},
                [MUON_BEGIN_MATRICES] = {"matrices", CLT__READ},
                [MUON_BEGIN_X] = {"x", CLT__WRITE}},
    .twin = begin_twin,
    .launch = launch_whole,
};

/* ---- muon_gram: G = X' X */

static void gram_element(const void *sizes, const clt__array *operand, int number, const matrix *m, int row, int column)
{
    const double *x = operand[MUON_GRAM_X].real + m->place;
    (void)sizes;
    (void)number;
    clt__put(&operand[MUON_GRAM_GRAM], (size_t)m->gram + (size_t)(row * m->columns + column),
             product_of(x + row, m->columns, x + column, m->columns, m->rows));
}

static void gram_twin(const void *sizes, const clt__array *operand)
{
    run_elements(sizes, operand, MUON_GRAM_MATRICES, true, gram_element);
}

const clt__op_row clt__muon_gram_op = {
    .name = "muon_gram",
    .operand = {[MUON_GRAM_X] = {"x", CLT__READ},
                [MUON_GRAM_MATRICES] = {"matrices", CLT__READ},
                [MUON_GRAM_GRAM] = {"gram", CLT__WRITE}},
    .twin = gram_twin,
    .launch = launch_square,
};

/* ---- muon_square: B = b G + c G G */

static void square_element(const void *sizes, const clt__array *operand, int number, const matrix *m, int row,
                           int column)
{
    const double *gram = operand[MUON_SQUARE_GRAM].real + m->gram;
    const int at = row * m->columns + column;
    const clt__near sum = product_of(gram + row * m->columns, 1, gram + column, m->columns, m->columns);
    (void)sizes;
    (void)number;
    clt__put(&operand[MUON_SQUARE_SQUARE], (size_t)m->gram + (size_t)at,
             clt__near_add(clt__near_multiply(constant(coefficient_b), clt__exactly(gram[at])),
                           clt__near_multiply(constant(coefficient_c), sum)));
}

static void square_twin(const void *sizes, const clt__array *operand)
{
    run_elements(sizes, operand, MUON_SQUARE_MATRICES, true, square_element);
}

const clt__op_row clt__muon_square_op = {
    .name = "muon_square",
    .operand = {[MUON_SQUARE_GRAM] = {"gram", CLT__READ},
                [MUON_SQUARE_MATRICES] = {"matrices", CLT__READ},
                [MUON_SQUARE_SQUARE] = {"square", CLT__WRITE}},
    .twin = square_twin,
    .launch = launch_square,
};

/* ---- muon_apply: Y = a X + X B */

static void apply_element(const void *sizes, const clt__array *operand, int number, const matrix *m, int row,
                          int column)
{
    const double *x = operand[MUON_APPLY_X].real + m->place, *square = operand[MUON_APPLY_SQUARE].real + m->gram;
    const int at = row * m->columns + column;
    const clt__near sum = product_of(x + row * m->columns, 1, square + column, m->columns, m->columns);
    (void)sizes;
    (void)number;
    clt__put(&operand[MUON_APPLY_Y], (size_t)m->place + (size_t)at,
             clt__near_add(clt__near_multiply(constant(coefficient_a), clt__exactly(x[at])), sum));
}

static void apply_twin(const void *sizes, const clt__array *operand)
{
    run_elements(sizes, operand, MUON_APPLY_MATRICES, false, apply_element);
}

const clt__op_row clt__muon_apply_op = {
    .name = "muon_apply",
    .operand = {[MUON_APPLY_X] = {"x", CLT__READ},
                [MUON_APPLY_SQUARE] = {"square", CLT__READ},
                [MUON_APPLY_MATRICES] = {"matrices", CLT__READ},
                [MUON_APPLY_Y] = {"y", CLT__WRITE}},
    .twin = apply_twin,
    .launch = launch_whole,
};

/* ---- muon_step */

static void step_element(const void *sizes, const clt__array *operand, int number, const matrix *m, int row, int column)
{
    const int i = parameter_of(m, row, column);
    const double *hyper = operand[MUON_STEP_HYPER].real, *decays = operand[MUON_STEP_DECAYS].real;
    const double *rates = operand[MUON_STEP_RATES].real;
    const double ratio = m->flipped ? (double)m->rows / m->columns : 1, grown = sqrt(ratio);
    const clt__near w = clt__near_multiply(clt__exactly(operand[MUON_STEP_NORMS].real[number * 2 + 1]),
                                           clt__exactly(operand[MUON_STEP_WEIGHTS].real[i]));
    const clt__near decaying = clt__near_multiply(clt__exactly(decays ? decays[i] : 1), w);
    const clt__near lost = clt__rated(rates, clt__near_multiply(clt__exactly(hyper[HYPER_SHRINK]), decaying), i);
    const clt__near growth = {grown, m->flipped ? (0.5 * CLT__DIVIDE_SLACK + CLT__SQRT_SLACK) * grown : 0};
    const clt__near step = clt__near_multiply(clt__rated(rates, clt__exactly(hyper[HYPER_RATE]), i), growth);
    const double x = operand[MUON_STEP_X].real[m->place + row * m->columns + column];
    (void)sizes;
    clt__put(&operand[MUON_STEP_WEIGHTS], (size_t)i,
             clt__near_subtract(clt__near_subtract(w, lost), clt__near_multiply(step, clt__exactly(x))));
}

static void step_twin(const void *sizes, const clt__array *operand)
{
    run_elements(sizes, operand, MUON_STEP_MATRICES, false, step_element);
}

const clt__op_row clt__muon_step_op = {
    .name = "muon_step",
    .operand = {[MUON_STEP_WEIGHTS] = {"weights", CLT__UPDATE},
                [MUON_STEP_X] = {"x", CLT__READ},
                [MUON_STEP_NORMS] = {"norms", CLT__READ},
                [MUON_STEP_MATRICES] = {"matrices", CLT__READ},
                [MUON_STEP_HYPER] = {"hyper", CLT__READ},
                [MUON_STEP_DECAYS] = {"decays", CLT__READ},
                [MUON_STEP_RATES] = {"rates", CLT__READ}},
    .twin = step_twin,
    .launch = launch_whole,
};
