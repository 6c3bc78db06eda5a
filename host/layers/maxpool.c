/* Max pooling. */
#include <stdio.h>

#include "layers/layer.h"
#include "ops/pool.h"

enum { KERNEL, STRIDE, PADDING, CEIL };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const int *kernel = layer->value[KERNEL], *padding = layer->value[PADDING];
    TRY(clt__check_pool_padding(layer, kernel, padding, error));
    return clt__slide_window(layer, layer->in[0].shape.channels, kernel, layer->value[STRIDE], padding,
                             layer->value[CEIL][0], error);
}

static pool_sizes sizes_of(const clt__layer *layer)
{
    return (pool_sizes){CLT__WINDOW_SIZES(layer, layer->in[0].shape, layer->out.shape, KERNEL, STRIDE, PADDING),
                        .activation = layer->in[0].activation};
}

static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    const clt_shape out = layer->out.shape;
    char name[64];
    (void)snprintf(name, sizeof name, "%s.best", layer->name);
    return clt__tape_add(tape, name, CLT__INTS, CLT__IMAGES,
                         (const int[4]){layer->batch, out.channels, out.height, out.width}, 4, -1, &layer->saved[0],
                         error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const pool_sizes sizes = sizes_of(layer);
    const int tensor[] = {[POOL_X] = layer->in[0].tensor, [POOL_Y] = layer->out.tensor, [POOL_BEST] = layer->saved[0]};
    return CLT__ADD_OP(tape, &clt__pool_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const pool_sizes sizes = sizes_of(layer);
    const int tensor[] = {[POOL_GRADIENT_DY] = layer->out.gradient,
                          [POOL_GRADIENT_BEST] = layer->saved[0],
                          [POOL_GRADIENT_X] = layer->in[0].activation ? layer->in[0].tensor : -1,
                          [POOL_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__pool_input_gradient_op, layer->name, sizes, tensor, error);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; maxpool kernel=1"},
    {1, "input 1x2x2; maxpool kernel=2"},
    {3, "input 3x7x5; conv out=3 kernel=1; relu; maxpool kernel=2"},
    {3, "input 17x13x31; maxpool kernel=3 stride=2 padding=1"},
    {3, "input 6x28x28; conv out=6 kernel=1; sigmoid; maxpool kernel=2x3 stride=1x2 padding=1x0"},
    {64, "input 33x5x5; conv out=33 kernel=1; tanh; maxpool kernel=3 stride=1 padding=1; maxpool kernel=5 stride=7"},
    {3, "input 6x6x9; conv out=6; maxpool kernel=3 stride=2 ceil=yes; maxpool kernel=2 stride=3 padding=1 ceil=yes"},
    {3, "input 20x5x7; conv out=20; relu; maxpool kernel=2 ceil=yes; conv out=3; tanh; maxpool kernel=2x3 ceil=yes"},
    {3, "input 70x3x2; maxpool kernel=2x1 stride=3x1; flatten; dense out=3"},
    {0, NULL},
};

const clt__layer_row clt__maxpool = {
    .name = "maxpool",
    .help = "the largest value of each window, channel by channel",
    .option = {{"kernel", CLT__PAIR, 1, CLT__REQUIRED, "window height x width"},
               {"stride", CLT__PAIR, 1, CLT__AS_FIRST, "steps between windows (default: the kernel)"},
               {"padding", CLT__PAIR, 0, 0, "border on each side that never wins"},
               {"ceil", CLT__FLAG, 0, 0, "a last window may reach beyond the padding"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .takes_activation = true,
    .cases = cases,
};
