/* How a batch enters the net.
 *
 *                 +-------+  data.gathered  +---------+  input
 *   data.images --| batch |-----------------| augment |-------          where images are augmented
 *                 +-------+                 +---------+
 *
 *                 +-------+    +---------+  mix.own
 *   data.images --| batch |----| augment |-----------+  +-----+  input
 *        |        +-------+    +---------+           +--| mix |-------  where they are mixed too
 *        |        +-------+    +---------+           |  +-----+
 *        +--------| batch |----| augment |-----------+
 *                 +-------+    +---------+  mix.partner
 *
 * Without either, `batch` writes the input itself. */
#include "net/build.h"
#include "ops/batch.h"

/* Images on their way: those of the batch or, for mixing, their partners. Tensors. */
typedef struct stream {
    bool partner;
    const char *gathered, *drawn; /* names */
    int images, label, target;
} stream;

_Static_assert((int)CLT__FLIP_RANDOM == (int)FLIP_RANDOM && (int)CLT__FLIP_ALTERNATE == (int)FLIP_ALTERNATE &&
                   (int)CLT__BORDER_REFLECT == (int)PAD_REFLECT && (int)CLT__BORDER_REPLICATE == (int)PAD_REPLICATE,
               "options and kernels count them alike");

static bool changes_images(const clt__augment *a)
{
    return a->flip || a->crop || a->shift > 0 || a->rotate > 0 || a->scale > 0 || a->brightness > 0 ||
           a->contrast > 0 || a->saturation > 0 || a->cutout || a->erase > 0;
}

static bool mixes(const clt__augment *a)
{
    return a->mixup > 0 || a->cutmix > 0;
}

static clt_shape targets_shape(const clt__net_options *options)
{
    return (clt_shape){options->targets, 1, 1}; /* in the order of the net's output: see the session */
}

clt_status clt__net_add_data(clt__net *net, const clt__net_options *options, clt_error *error)
{
    TRY(clt__net_add_images(net, "data.images", options->bytes ? CLT__BYTES : CLT__REALS, options->images,
                            options->input, false, &net->images, error));
    TRY(clt__net_add_flat(net, "data.order", CLT__INTS, options->images, &net->order, error));
    if (options->augment.flip == CLT__FLIP_ALTERNATE)
        TRY(clt__net_add_flat(net, "data.number", CLT__INTS, options->images, &net->number, error));
    TRY(clt__net_add_flat(net, "data.step", CLT__INTS, STEP_LENGTH, &net->step, error));
    TRY(clt__net_add_flat(net, "data.normalize", CLT__REALS, 2 * options->input.channels, &net->normalize, error));
    TRY(clt__net_add_flat(net, "data.labels", CLT__INTS, options->images, &net->labels, error));
    TRY(clt__net_add_flat(net, "data.label", CLT__INTS, options->batch, &net->label, error));
    if (!options->targets) return CLT_OK;
    TRY(clt__net_add_images(net, "data.targets", CLT__REALS, options->images, targets_shape(options), true,
                            &net->targets, error));
    return clt__net_add_images(net, "data.target", CLT__REALS, options->batch, targets_shape(options), true,
                               &net->target, error);
}

/* ---- one stream */

static clt_status add_gather_op(clt__net *net, const clt__net_options *options, const stream *s, int images,
                                clt_error *error)
{
    const clt_shape in = options->input;
    const batch_sizes sizes = {.n = options->batch,
                               .c = in.channels,
                               .h = in.height,
                               .w = in.width,
                               .outputs = options->targets,
                               .bytes = options->bytes,
                               .partner = s->partner};
    const int tensor[] = {
        [BATCH_IMAGES] = net->images, [BATCH_LABELS] = net->labels, [BATCH_TARGETS] = net->targets,
        [BATCH_ORDER] = net->order,   [BATCH_STEP] = net->step,     [BATCH_NORMALIZE] = net->normalize,
        [BATCH_X] = images,           [BATCH_LABEL] = s->label,     [BATCH_TARGET] = s->target};
    return CLT__ADD_OP(&net->tape, &clt__batch_op, "", sizes, tensor, error);
}

static int millionths(double number)
{
    return (int)(number * 1e6 + 0.5);
}

static augment_sizes augment_sizes_of(const clt__net_options *options, bool partner)
{
    const clt__augment *a = &options->augment;
    return (augment_sizes){.n = options->batch,
                           .c = options->input.channels,
                           .h = options->input.height,
                           .w = options->input.width,
                           .partner = partner,
                           .flip = (int)a->flip,
                           .crop = a->crop,
                           .cutout = a->cutout,
                           .border = (int)a->border,
                           .rotate_ppm = millionths(a->rotate),
                           .scale_ppm = millionths(a->scale),
                           .shift_ppm = millionths(a->shift),
                           .brightness_ppm = millionths(a->brightness),
                           .contrast_ppm = millionths(a->contrast),
                           .saturation_ppm = millionths(a->saturation),
                           .erase_ppm = millionths(a->erase)};
}

static clt_status add_augment_ops(clt__net *net, const clt__net_options *options, const stream *s, int gathered,
                                  clt_error *error)
{
    const augment_sizes sizes = augment_sizes_of(options, s->partner);
    int drawn;
    TRY(clt__net_add_flat(net, s->drawn, CLT__REALS, options->batch * DRAWN_LENGTH, &drawn, error));
    const int draw[] = {
        [AUGMENT_DRAW_STEP] = net->step, [AUGMENT_DRAW_NUMBER] = net->number, [AUGMENT_DRAW_DRAWN] = drawn};
    const int augment[] = {
        [AUGMENT_X] = gathered, [AUGMENT_DRAWN] = drawn, [AUGMENT_NORMALIZE] = net->normalize, [AUGMENT_Y] = s->images};
    TRY(CLT__ADD_OP(&net->tape, &clt__augment_draw_op, "", sizes, draw, error));
    return CLT__ADD_OP(&net->tape, &clt__augment_op, "", sizes, augment, error);
}

static clt_status add_stream(clt__net *net, const clt__net_options *options, const stream *s, clt_error *error)
{
    int gathered;
    if (!changes_images(&options->augment)) return add_gather_op(net, options, s, s->images, error);
    TRY(clt__net_add_values(net, s->gathered, options->batch, options->input, false, &gathered, error));
    TRY(add_gather_op(net, options, s, gathered, error));
    return add_augment_ops(net, options, s, gathered, error);
}

/* ---- two streams, mixed */

static clt_status add_mixed_streams(clt__net *net, const clt__net_options *options, clt_error *error)
{
    const int batch = options->batch, outputs = net->tape.tensor[net->output.tensor].count / batch;
    stream own = {false, "data.gathered", "data.drawn", -1, net->label, net->target},
           partner = {true, "mix.gathered", "mix.drawn", -1, -1, -1};
    TRY(clt__net_add_values(net, "mix.own", batch, options->input, false, &own.images, error));
    TRY(clt__net_add_values(net, "mix.partner", batch, options->input, false, &partner.images, error));
    TRY(clt__net_add_flat(net, "mix.partner_label", CLT__INTS, batch, &partner.label, error));
    if (options->targets)
        TRY(clt__net_add_images(net, "mix.partner_target", CLT__REALS, batch, targets_shape(options), true,
                                &partner.target, error));
    TRY(clt__net_add_flat(net, "mix.label", CLT__INTS, batch, &net->label, error));
    TRY(clt__net_add_images(net, "mix.target", CLT__REALS, batch, (clt_shape){outputs, 1, 1}, true, &net->target,
                            error));
    TRY(add_stream(net, options, &own, error));
    TRY(add_stream(net, options, &partner, error));
    const mix_sizes sizes = {.n = batch,
                             .c = options->input.channels,
                             .h = options->input.height,
                             .w = options->input.width,
                             .outputs = outputs,
                             .one_hot = !options->targets};
    const int tensor[] = {[MIX_OWN] = own.images,        [MIX_PARTNER] = partner.images,
                          [MIX_OWN_LABEL] = own.label,   [MIX_PARTNER_LABEL] = partner.label,
                          [MIX_OWN_TARGET] = own.target, [MIX_PARTNER_TARGET] = partner.target,
                          [MIX_STEP] = net->step,        [MIX_X] = net->input.tensor,
                          [MIX_LABEL] = net->label,      [MIX_TARGET] = net->target};
    return CLT__ADD_OP(&net->tape, &clt__mix_op, "", sizes, tensor, error);
}

static clt_status check_augment(const clt__net_options *options, clt_error *error)
{
    const clt__augment *a = &options->augment;
    const clt_shape in = options->input;
    if (a->saturation > 0 && in.channels != 3)
        return FAIL(error, CLT_BAD_ARGUMENT, "augmenting by saturation is for images of 3 channels: these have %d",
                    in.channels);
    if (a->crop > in.width || a->crop > in.height || a->cutout > 2 * in.width || a->cutout > 2 * in.height)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "augmenting by crop=%d and cutout=%d: images of %dx%d take a crop up to their size and a cutout up "
                    "to twice that",
                    a->crop, a->cutout, in.height, in.width);
    return CLT_OK;
}

clt_status clt__net_add_batch_ops(clt__net *net, const clt__net_options *options, clt_error *error)
{
    TRY(check_augment(options, error));
    if (mixes(&options->augment)) return add_mixed_streams(net, options, error);
    const stream own = {false, "data.gathered", "data.drawn", net->input.tensor, net->label, net->target};
    return add_stream(net, options, &own, error);
}
