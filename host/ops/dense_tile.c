/* Launch rules of the dense layer's tile schedule (kernels/dense_tile.cl). Where local memory does not hold even the
 * smallest group tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/dense.h"
#include "ops/launch.h"
#include "ops/pool.h"

static clt__product forward_product(const dense_sizes *z)
{
    return (clt__product){.rows = z->n, .outputs = z->o, .products = 1, .depth = z->i, .a_row = z->i, .b_row = z->o};
}

static clt__product input_gradient_product(const dense_sizes *z)
{
    return (clt__product){.rows = z->n, .outputs = z->i, .products = 1, .depth = z->o, .a_row = z->o, .b_row = z->o};
}

static clt__product weight_gradient_product(const dense_sizes *z)
{
    return (clt__product){
        .rows = z->i + z->bias, .outputs = z->o, .products = 1, .depth = z->n, .a_row = z->i, .b_row = z->o};
}

static double flops_of(const dense_sizes *z)
{
    return 2.0 * z->n * z->i * z->o;
}

/* A product of rows x outputs, what an op writes. False where no tile fits. */
static bool launch_product(dense_sizes *z, const char *kernel, const char *adding, int activation, clt__product product,
                           const clt__limits *limits, clt__launches *to)
{
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling)) return false;
    clt__launch_product(limits, &tiling, "dense_tile.cl", kernel, adding, product.rows * product.outputs, activation,
                        &product, to);
    z->slices = tiling.slices;
    to->flops = flops_of(z);
    return true;
}

void clt__dense_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    dense_sizes *z = sizes;
    if (!launch_product(z, "dense_forward_tile", "dense_forward_add", z->activation, forward_product(z), limits, to))
        clt__dense_forward_vector(sizes, limits, to);
}

static bool launch_input_gradient(dense_sizes *z, int activation, const clt__limits *limits, clt__launches *to)
{
    return launch_product(z, "dense_input_gradient_tile", "dense_input_gradient_add", activation,
                          input_gradient_product(z), limits, to);
}

void clt__dense_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    dense_sizes *z = sizes;
    if (!launch_input_gradient(z, z->activation, limits, to)) clt__dense_input_gradient_vector(sizes, limits, to);
}

void clt__dense_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    dense_sizes *z = sizes;
    if (!launch_product(z, "dense_weight_gradient_tile", "dense_weight_gradient_add", CLT__NO_ACTIVATION,
                        weight_gradient_product(z), limits, to))
        clt__dense_weight_gradient_vector(sizes, limits, to);
}

/* ---- the input gradient with that by a pool's input (kernels/product_pool.h) */

static int pool_activation(const clt__sizes *sizes)
{
    return ((const pool_sizes *)sizes->number)->activation;
}

static bool launch_input_gradient_merged(CLT__UNUSED const clt__op *op, CLT__UNUSED int count, clt__sizes *sizes,
                                         const clt__limits *limits, clt__launches *to)
{
    to->op = "dense_input_gradient_pool";
    return launch_input_gradient((dense_sizes *)sizes[0].number, pool_activation(&sizes[1]), limits, to);
}

const clt__merging clt__dense_input_gradient_merging = {clt__count_with_pool_gradient, launch_input_gradient_merged};

/* ---- both gradients of a layer, and that by a pool's input */

static int count_gradients(const clt__op *op, size_t left)
{
    const bool follows = left > 1 && op[1].row == clt__dense_ops.input_gradient &&
                         op[1].tensor[INPUT_GRADIENT_DY] == op[0].tensor[WEIGHT_GRADIENT_DY];
    return follows ? 1 + clt__mergeable(op + 1, left - 1) : 1;
}

/* Whether one launch takes less than two. Its loop asks which product it multiplies. */
static bool pays(const clt__tiling *both, const clt__product product[2], const clt__limits *limits)
{
    static const double times_slower = 1.25;
    clt__tiling one, other;
    return clt__tiling_for(limits, &product[0], &one) && clt__tiling_for(limits, &product[1], &other) &&
           times_slower * both->all <= one.all + other.all;
}

static bool launch_gradients_merged(CLT__UNUSED const clt__op *op, int count, clt__sizes *sizes,
                                    const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = (const dense_sizes *)sizes[0].number;
    const clt__product product[2] = {weight_gradient_product(z), input_gradient_product(z)};
    const bool pools = count > 2;
    clt__tiling tiling;
    if (!clt__tiling_for_two(limits, product, &tiling) || !pays(&tiling, product, limits)) return false;
    to->op = pools ? "dense_gradients_pool" : "dense_gradients";
    clt__launch_two_products(&tiling, "dense_tile.cl", "dense_gradients_tile",
                             pools ? pool_activation(&sizes[2]) : z->activation, product, to);
    to->flops = 2 * flops_of(z);
    return true;
}

const clt__merging clt__dense_weight_gradient_merging = {count_gradients, launch_gradients_merged};
