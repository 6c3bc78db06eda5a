/* Verify must catch what is wrong: the kernels' own sources, each with one expression changed, on the device. And what
 * choosing and opening a device may answer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "device/opencl.h"
#include "device/sources.h"
#include "engine/internal.h"
#include "session/session.h"
#include "support.h"

/* ---- changed kernels ---------------------------------------------------------------------------------------- */

static const char *original(const char *file)
{
    for (const clt__source *source = clt__sources; source->name; source++)
        if (strcmp(source->name, file) == 0) return source->text;
    fail_msg("no kernel file %s", file);
    return NULL;
}

/* The text of `file` with the first `old` after `after` replaced; freed with free(). */
static char *replaced(const char *file, const char *after, const char *old, const char *fresh)
{
    const char *text = original(file), *from = strstr(text, after);
    const char *at = from ? strstr(from, old) : NULL;
    if (!at) print_error("%s has no longer \"%s\" after \"%s\": give this test another expression\n", file, old, after);
    assert_non_null(at);
    const size_t before = (size_t)(at - text), length = strlen(text) + strlen(fresh) + 1;
    char *changed = malloc(length);
    assert_non_null(changed);
    (void)snprintf(changed, length, "%.*s%s%s", (int)before, text, fresh, at + strlen(old));
    assert_int_not_equal(strcmp(changed, text), 0);
    return changed;
}

/* What verify reported: how many ops, and the first that was not ok. */
typedef struct report {
    int ops, wrong, wrong_elsewhere; /* the last: of other ops than the first wrong one */
    clt_verify_row row;
    char op[64], layer[32], operand[32], complaint[128];
} report;

static void take_row(void *user, const clt_verify_row *row)
{
    report *r = user;
    r->ops++;
    assert_true(row->ok == !row->complaint);
    if (row->ok) return;
    r->wrong_elsewhere += r->wrong > 0 && strcmp(r->op, row->op) != 0;
    if (r->wrong++) return;
    r->row = *row;
    (void)snprintf(r->op, sizeof r->op, "%s", row->op);
    (void)snprintf(r->layer, sizeof r->layer, "%s", row->layer);
    (void)snprintf(r->operand, sizeof r->operand, "%s", row->operand);
    (void)snprintf(r->complaint, sizeof r->complaint, "%s", row->complaint);
}

/* A net that uses every kernel file, small enough for odd sizes to leave rest lanes everywhere. */
static const char net_text[] =
    "input 2x7x5; conv out=3 kernel=3 padding=1; relu; maxpool kernel=2; tanh; flatten; dense out=3; sigmoid";

/* One whose convolutions are of Winograd tiles, cut by the image's edge. */
static const char winograd_net_text[] =
    "input 32x14x15; conv out=33 kernel=3 padding=1; relu; conv out=31 kernel=3 padding=1; flatten; dense out=3";

/* One that makes images of another size. */
static const char sized_net_text[] = "input 3x7x5; conv out=6; channelshuffle groups=2; slice first=1 count=4; "
                                     "adaptiveavgpool out=3x2; pad mode=reflect before=1; resize size=3x6; resize "
                                     "size=5x4 mode=bilinear; resize size=4x5 mode=bicubic "
                                     "exclude_outside=yes; flatten; dense out=3";

/* One whose layers compute with several values; of them two are the same, so that they tie. */
static const char joined_net_text[] = "input 2x5x4; conv out=18; sigmoid; globalavgpool; conv out=18; "
                                      "mul from=sigmoid1,conv2; minimum from=mul1,mul1,sigmoid1; flatten; dense out=3";

/* One whose layers go by pixels and channels. */
static const char channel_net_text[] =
    "input 3x5x4; conv out=18; scale; lrn size=3 alpha=2; droppath rate=0.4; "
    "conv out=8; prelu; pixelshuffle scale=2; tanh; pixelunshuffle scale=2; permute order=hwc; "
    "flatten; dense out=3";

/* One whose pool has windows of several largest values. */
static const char tied_net_text[] =
    "input 2x7x5; conv out=3 kernel=3 padding=1; clip least=-0.01 most=0.01; maxpool kernel=2; flatten; dense out=3";

/* One with more filters than a filter has values, and one with fewer. */
static const char muon_net_text[] =
    "input 2x7x5; conv out=19; relu; conv out=5 kernel=3; relu; maxpool kernel=2; flatten; dense out=3";

/* One whose pools cover their images, so that they are merged with what makes these, and with the gradients. */
static const char pooled_net_text[] = "input 2x8x4; conv out=3 kernel=3 padding=1; relu; maxpool kernel=2; "
                                      "conv out=5 kernel=3 padding=1; tanh; maxpool kernel=2x1; flatten; dense out=3";

/* One of grey images, one of coloured ones, whose rows are longer than a vector and no whole number of them. */
static const char grey_net_text[] = "input 1x3x37; conv out=3 kernel=2; flatten; dense out=3";
static const char coloured_net_text[] = "input 3x3x17; conv out=3 kernel=2; flatten; dense out=3";

/* One that normalises many pixels of few channels. */
static const char normed_net_text[] = "input 3x9x8; conv out=5; batchnorm; relu; flatten; dense out=3";

/* One with a stride. */
static const char strided_net_text[] =
    "input 3x9x8; conv out=4 kernel=3; tanh; conv out=5 kernel=3 stride=2 padding=1; flatten; dense out=3";

/* One whose channels each have filters of their own, in rows of several tiles, of which one has more padding than a
 * tile has pixels. */
static const char depthwise_net_text[] =
    "input 2x5x43; conv out=19; tanh; conv out=19 kernel=3 stride=2 padding=1 groups=19; tanh; "
    "conv out=19 kernel=3 padding=1x12 groups=19; flatten; dense out=3";

static const char *net_of(const char *file)
{
    static const struct {
        const char *file, *net;
    } nets[] = {{"conv_winograd.cl", winograd_net_text},
                {"conv_winograd_weights.cl", winograd_net_text},
                {"winograd.h", winograd_net_text},
                {"phase.h", strided_net_text},
                {"depthwise_conv.cl", depthwise_net_text},
                {"pool.cl", tied_net_text},
                {"pool_window.h", tied_net_text},
                {"product_pool.h", pooled_net_text},
                {"arithmetic.cl", joined_net_text},
                {"join.cl", joined_net_text},
                {"batchnorm.cl", normed_net_text},
                {"sums.h", normed_net_text},
                {"batch_moments.h", normed_net_text},
                {"sync_batchnorm.cl", normed_net_text},
                {"update.cl", normed_net_text},
                {"adaptive.cl", sized_net_text},
                {"pick.cl", sized_net_text},
                {"scale.cl", channel_net_text},
                {"lrn.cl", channel_net_text},
                {"dropout.cl", channel_net_text},
                {"channel.cl", channel_net_text},
                {"pixel_shuffle.cl", channel_net_text},
                {"permute.cl", channel_net_text},
                {"muon.cl", muon_net_text},
                {"pixel_run.h", grey_net_text},
                {"augment.cl", coloured_net_text},
                {"mix.cl", coloured_net_text},
                {"pad.cl", sized_net_text},
                {"border.h", sized_net_text},
                {"resize.cl", sized_net_text}};
    for (size_t i = 0; file && i < sizeof nets / sizeof *nets; i++)
        if (strcmp(file, nets[i].file) == 0) return nets[i].net;
    return net_text;
}

/* A device for each schedule serves all changes: it builds what changed, and has the other programs from before. */
static clt_device *changed_device[CLT_SCHEDULE_TILE + 1];

static clt_device *device_of(clt_schedule schedule)
{
    clt_device **device = &changed_device[schedule];
    if (!*device) *device = schedule == CLT_SCHEDULE_VECTOR ? open_vector_device() : open_called(NULL);
    clt_device_set_schedule(*device, schedule);
    return *device;
}

static int close_devices(void **state)
{
    (void)state;
    for (clt_schedule schedule = CLT_SCHEDULE_AUTO; schedule <= CLT_SCHEDULE_TILE; schedule++) {
        clt_device_close(changed_device[schedule]);
        changed_device[schedule] = NULL;
    }
    return 0;
}

/* The only op whose kernels are built from the changed file; NULL for all. Other ops of that file are as they were,
 * so their programs are there already: compiling them again is what would take most of the time. Nor does the compiler
 * optimise, unless all faults are tried. The linker puts this in clt__kernel_create's place. */
static const char *changed_op;

clt_status __real_clt__kernel_create(clt_device *device, const char *file, const char *name, clt_precision precision,
                                     const char *defines, clt__kernel **kernel, clt_error *error);
clt_status __wrap_clt__kernel_create(clt_device *device, const char *file, const char *name, clt_precision precision,
                                     const char *defines, clt__kernel **kernel, clt_error *error);

clt_status __wrap_clt__kernel_create(clt_device *device, const char *file, const char *name, clt_precision precision,
                                     const char *defines, clt__kernel **kernel, clt_error *error)
{
    static const char start[] = "-DOP_";
    const char *kept_name = device->replaced_name, *kept_text = device->replaced_text;
    if (changed_op) {
        const size_t length = strlen(changed_op);
        const bool is_it = strncmp(defines, start, sizeof start - 1) == 0 &&
                           strncmp(defines + sizeof start - 1, changed_op, length) == 0 &&
                           defines[sizeof start - 1 + length] == ' ';
        if (!is_it) clt__device_replace_source(device, NULL, NULL);
    }
    char built[1300];
    (void)snprintf(built, sizeof built, "%s%s", defines, thorough() ? "" : " -cl-opt-disable");
    const clt_status status = __real_clt__kernel_create(device, file, name, precision, built, kernel, error);
    clt__device_replace_source(device, kept_name, kept_text);
    return status;
}

/* As the option. */
static unsigned storage = CLT__F32;

/* Verifies a net with one kernel file replaced by `text` (NULL: as it is). */
static clt_status verify_net(const char *net, const char *file, const char *text, clt_schedule schedule, report *r,
                             clt_error *error)
{
    clt_device *device = device_of(schedule);
    clt_model *model = make_model(net, NULL, CLT_F32, 4);
    if (text) clt__device_replace_source(device, file, text);
    *r = (report){0};
    clt_options options = *seeded(4, 9);
    options.storage = storage;
    const clt_status status = clt_verify(model, device, &options, take_row, r, error);
    clt__device_replace_source(device, NULL, NULL);
    clt_model_close(model);
    return status;
}

static clt_status verify_with(const char *file, const char *text, clt_schedule schedule, report *r, clt_error *error)
{
    return verify_net(net_of(file), file, text, schedule, r, error);
}

/* One change of one kernel, and what verify must say of it. */
typedef struct fault {
    const char *file, *after, *old, *fresh; /* the change */
    const char *op, *layer, *operand;       /* the op that is not ok, its layer and operand */
    const char *complaint;
} fault;

/* One in a program of another name than the op's, for it is merged with others, or in another net than net_of's. */
typedef struct placed_fault {
    fault fault;
    const char *built, *net;
} placed_fault;

static const char disagree[] = "the device and the reference disagree", outside[] = "the op wrote outside a tensor",
                  changed_input[] = "the op changed a tensor that it should only read";

static void assert_caught_in(const char *built, const char *net, clt_schedule schedule, const fault *f, report *r)
{
    clt_error error;
    char *text = replaced(f->file, f->after, f->old, f->fresh);
    changed_op = built;
    const clt_status status = verify_net(net, f->file, text, schedule, r, &error);
    changed_op = NULL;
    free(text);
    if (status != CLT_MISMATCH) print_error("%s, \"%s\": not caught\n", f->file, f->fresh);
    assert_failed(status, CLT_MISMATCH, &error, f->op, f->complaint);
    assert_true(r->wrong > 0);
    assert_int_equal(r->wrong_elsewhere, 0); /* the ops after it work on right numbers again */
    assert_string_equal(r->op, f->op);
    assert_string_equal(r->layer, f->layer);
    assert_string_equal(r->operand, f->operand);
    assert_string_equal(r->complaint, f->complaint);
    assert_non_null(strstr(error.message, f->operand));
    if (!*f->layer) return;
    char owner[64];
    (void)snprintf(owner, sizeof owner, "%s of %s: ", f->op, f->layer);
    assert_non_null(strstr(error.message, owner));
}

static void assert_caught_under(clt_schedule schedule, const fault *f, report *r)
{
    assert_caught_in(f->op, net_of(f->file), schedule, f, r);
}

static void assert_caught(const fault *f, report *r)
{
    assert_caught_under(CLT_SCHEDULE_VECTOR, f, r);
}

static void the_unchanged_kernels_pass(void **state)
{
    (void)state;
    clt_error error;
    report r;
    for (clt_schedule schedule = CLT_SCHEDULE_AUTO; schedule <= CLT_SCHEDULE_TILE; schedule++) {
        assert_ok(verify_with(NULL, NULL, schedule, &r, &error), &error);
        assert_true(r.ops >= 15);
        assert_int_equal(r.wrong, 0);
    }
}

/* A wrong value each, in one kernel. */
static const fault wrong_values[] = {
    {"conv_finish.h", "#else", "sum + load_lanes(bias", "sum * (real)1.0001 + load_lanes(bias", "conv_forward", "conv1",
     "y", disagree},
    {"dense.cl", "kernel void dense_weight_gradient", "sum += LOAD(dy + (size_t)n * z.o + o)",
     "sum += LOAD(dy + (size_t)n * z.o + o) + (real)1e-6", "dense_weight_gradient", "dense1", "db", disagree},
    {"pool.cl", "static inline void spread_row", "== (maskv)(h * z.w + w)", "== (maskv)(h * z.w + w + 1)",
     "pool_input_gradient", "maxpool1", "dx", disagree},
    {"loss.cl", "void cross_entropy_of", "(weight * step[STEP_WHOLE])", "(weight * (step[STEP_WHOLE] + (real)1e-5))",
     "cross_entropy", "", "gradient", disagree},
    {"loss.cl", "void add_to_history", "losses += loss[n]", "losses += loss[n] * (real)1.0001", "cross_entropy", "",
     "history", disagree},
    {"loss.cl", "kernel void mean_weight", "sum / whole", "sum / whole + (real)1e-5", "mean_weight", "", "mean",
     disagree},
    {"augment.cl", "kernel void augment_draw", "(z.h - 1) * (real)0.5", "(z.h - 1) * (real)0.5001", "augment_draw", "",
     "drawn", disagree},
    {"augment.cl", "static inline bool flips", "^ (uint)step[STEP_EPOCH]", "", "augment_draw", "", "drawn", disagree},
    {"augment.cl", "static inline bool flips", "position_of(z.partner, n, step)", "n", "augment_draw", "", "drawn",
     disagree},
    {"augment.cl", "static inline real pixel", "source_of(z.border, px, z.w)", "px", "augment", "", "y", disagree},
    {"augment.cl", "kernel void augment(", "+ d[DRAWN_F]", "+ d[DRAWN_F] + (real)1e-3", "augment", "", "y", disagree},
    {"augment.cl", "static inline void move_row", "shown + (across + begin)", "shown + (across + begin + 1)", "augment",
     "", "y", disagree},
    {"augment.cl", "INLINE void mirror", "(across - px)", "(across - px - 1)", "augment", "", "y", disagree},
    {"augment.cl", "static inline void clear", "min(right, z.w)", "min(right - 1, z.w)", "augment", "", "y", disagree},
    {"mix.cl", "void mix_pairs", "step[STEP_RIGHT] - px", "step[STEP_RIGHT] - px - 1", "mix_pairs", "", "x", disagree},
    {"mix.cl", "void blend_run", "(1 - blend) * LOAD", "((real)1.00001 - blend) * LOAD", "mix_pairs", "", "x",
     disagree},
    {"pixel_run.h", "#define EACH_RUN", "(end) - VEC)", "(end) - VEC - 1)", "batch", "", "x", disagree},
    {"pixel_run.h", "void copy_run", "STORE(LOAD(from + i)", "STORE(LOAD(from + i) + (real)1", "augment", "", "y",
     disagree},
    {"mix.cl", "kernel void mix_pairs", "(1 - share) *", "((real)1.00001 - share) *", "mix_pairs", "", "target",
     disagree},
    {"update.cl", "OPTIMIZER(sgd,", "z.nesterov ? g +", "z.nesterov ? (real)1.01f * g +", "sgd", "", "weights",
     disagree},
    {"update.cl", "inline bool takes(", "i / UPDATE_BLOCK", "0", "sgd", "", "weights", disagree},
    {"update_parts.h", "inline realv rated(", "LOAD(rates + i) * x", "x", "sgd", "", "weights", disagree},
    {"update.cl", "OPTIMIZER(adamw,", "= rated(", "= (", "adamw", "", "weights", disagree},
    {"update.cl", "OPTIMIZER(adam,", "= decayed_gradient(", "= (real)2 * decayed_gradient(", "adam", "", "weights",
     disagree},
    {"update.cl", "OPTIMIZER(adamw,", "w - lost", "w + lost", "adamw", "", "weights", disagree},
    {"update.cl", "kernel void lamb", "HYPER_MEAN", "HYPER_ROOT", "lamb", "", "direction", disagree},
    {"update_parts.h", "squares add_parts(", "sum.direction += ", "sum.direction = ", "trust_ratio", "", "trust",
     disagree},
    {"update.cl", "kernel void trust_step", "i / UPDATE_BLOCK", "0", "trust_step", "", "weights", disagree},
    {"update.cl", "kernel void ema", "HYPER_AVERAGE_REST", "HYPER_AVERAGE", "ema", "", "averages", disagree},
    {"update.cl", "kernel void restore(", "== 0", "> 0", "restore", "", "running", disagree},
    {"update.cl", "kernel void settle(", "step[STEP_PART] + 1", "step[STEP_PART]", "settle", "", "running", disagree},
    {"update.cl", "OPTIMIZER(muon,", ": v, lanes", ": v * (real)1.001f, lanes", "muon", "", "direction", disagree},
    {"muon.cl", "kernel void muon_norms(", "1e-7", "1e-3", "muon_norms", "", "norms", disagree},
    {"muon.cl", "inline int parameter_of(", "m.flipped ?", "!m.flipped ?", "muon_begin", "", "x", disagree},
    {"muon.cl", "kernel void muon_gram(", "m.rows, m.columns)", "m.rows - 1, m.columns)", "muon_gram", "", "gram",
     disagree},
    {"muon.cl", "kernel void muon_square(", "2.0315", "2.0316", "muon_square", "", "square", disagree},
    {"muon.cl", "kernel void muon_apply(", "3.4445", "3.4446", "muon_apply", "", "y", disagree},
    {"muon.cl", "kernel void muon_step(", "sqrt((real)m.rows", "((real)m.rows", "muon_step", "", "weights", disagree},
    {"update.cl", "OPTIMIZER(rmsprop,", "= hyper[HYPER_ALPHA]", "= (real)1.001f * hyper[HYPER_ALPHA]", "rmsprop", "",
     "weights", disagree},
    {"update.cl", "OPTIMIZER(adagrad,", "+ g * g", "+ (real)1.1f * g * g", "adagrad", "", "weights", disagree},
    {"update.cl", "kernel void gradient_norm_scale", "= hyper[HYPER_CLIP]", "= (real)0.1 * hyper[HYPER_CLIP]",
     "gradient_norm", "", "scale", disagree},
    {"update.cl", "kernel void measured_norm_root", "= sqrt(sum)", "= sqrt(sum) * (real)1.001f", "measured_norm", "",
     "norms", disagree},
    {"sync_batchnorm.cl", "void sync_batchnorm_moments_merge", "store_lanes(sum.squares, lanes",
     "store_lanes(sum.squares * (real)1.001f, lanes", "sync_batchnorm_moments", "batchnorm1", "found", disagree},
    {"sync_batchnorm.cl", "pixels_of(", "(shard + 1) / z.shards), whole)", "(shard + 1) / z.shards), whole + 1)",
     "sync_batchnorm_statistics", "batchnorm1", "mean", disagree},
    {"sync_batchnorm.cl", "kernel void sync_batchnorm_gradients", "weight * share", "weight",
     "sync_batchnorm_gradients", "batchnorm1", "dw", disagree},
    {"batch.cl", "kernel void batch", "column - step[STEP_MOVE]", "column", "batch", "", "x", disagree},
    {"batch.cl", "kernel void batch", "z.w - 1 - at", "at", "batch", "", "x", disagree},
    {"batch.cl", "kernel void batch", "labels[image] : 0", "labels[image] : 1", "batch", "", "label", disagree},
    {"winograd.h", "correlation correlation_of", ".pad_y = z.pad_y", ".pad_y = z.pad_y + 1", "conv_forward", "conv1",
     "y", disagree},
    {"winograd.h", "void output_line", "y[2] = fma((realv)SQUARE_A,",
     "\n#ifdef OP_conv_forward\ny[2] = fma((realv)(SQUARE_A * (real)1.0001f),\n#else\ny[2] = "
     "fma((realv)SQUARE_A,"
     "\n#endif\n",
     "conv_forward", "conv1", "y", disagree},
    {"conv_winograd.cl", "void multiply", "c < z.c;",
     "\n#ifdef OP_conv_forward\nc < z.c;\n#else\nc < z.c - 1;\n#endif\n", "conv_input_gradient", "conv2", "dx",
     disagree},
    {"conv_winograd.cl", "#ifdef OP_conv_input_gradient", "w[((8 - i) *", "w[(i *", "conv_input_gradient", "conv2",
     "dx", disagree},
    {"conv_winograd_weights.cl", "void multiply", "i < count;", "i < count - 1;", "conv_weight_gradient", "conv2", "dw",
     disagree},
    {"conv_winograd_weights.cl", "void conv_winograd_weight_gradient_sum",
     "int slice = 0; slice < z.slices; slice++) {", "int slice = c == 3; slice < z.slices; slice++) {",
     "conv_weight_gradient", "conv2", "dw", disagree},
    {"conv_winograd_weights.cl", "void add_bias_gradient", "y < min(", "y + 1 < min(", "conv_weight_gradient", "conv2",
     "db", disagree},
    {"winograd.h", "void gradient_line", "e[3], e[1]);", "e[3], (real)1.001f * e[1]);", "conv_weight_gradient", "conv2",
     "dw", disagree},
    {"winograd.h", "void weight_line", "g[1] = fma((realv)POINT_A", "g[1] = fma((realv)(POINT_A * (real)1.001f)",
     "conv_weight_gradient", "conv2", "dw", disagree},
    {"depthwise_conv.cl", "bool is_inside(", "source < a.size", "source < a.size - 1", "grouped_conv_forward", "conv2",
     "y", disagree},
    {"depthwise_conv.cl", "bool all_inside(", "* step >= 0", "* step >= -4", "grouped_conv_forward", "conv3", "y",
     disagree},
    {"depthwise_conv.cl", "#ifdef OP_grouped_conv_forward", "load_lanes(bias + c,", "load_lanes(bias,",
     "grouped_conv_forward", "conv2", "y", disagree},
    {"depthwise_conv.cl", "axis axis_of(", "begin + pad, -dilation", "begin + pad, dilation",
     "grouped_conv_input_gradient", "conv3", "dx", disagree},
    {"depthwise_conv.cl", "INLINE void add_taps(", "!meets(down, r) ||", "", "grouped_conv_input_gradient", "conv2",
     "dx", disagree},
    {"depthwise_conv.cl", "INLINE void make_tile(", "deactivate(whole, load_lanes(t.x + at, t.lanes))", "whole",
     "grouped_conv_input_gradient", "conv3", "dx", disagree},
    {"depthwise_conv.cl", "#ifdef OP_grouped_conv_weight_gradient", "j >= again && (", "(",
     "grouped_conv_weight_gradient", "conv2", "dw", disagree},
    {"depthwise_conv.cl", "#ifdef OP_grouped_conv_weight_gradient", "if (j >= again) ", "",
     "grouped_conv_weight_gradient", "conv3", "db", disagree},
    {"depthwise_conv.cl", "#ifdef OP_grouped_conv_weight_gradient", "if (!is_inside(down, h)) continue;", "",
     "grouped_conv_weight_gradient", "conv3", "dw", disagree},
    {"phase.h", "static inline phase phase_of", "(filter - p.start - 1)", "(filter - p.start - 2)",
     "conv_input_gradient", "conv2", "dx", disagree},
    {"border.h", "static inline int source_of", "2 * (size - 1)", "2 * size - 1", "pad_forward", "pad1", "y", disagree},
    {"pad.cl", "static inline runs runs_of", "? low + 1 : low", "? low : low", "pad_gradient", "pad1", "dx", disagree},
    {"resize.cl", "kernel void nearest_forward", "z.start_y", "0", "nearest_forward", "resize1", "y", disagree},
    {"resize.cl", "kernel void nearest_gradient", "p.row + 1", "p.row", "nearest_gradient", "resize1", "dx", disagree},
    {"resize.cl", "static inline between inputs_of", "above + 1", "above", "bilinear_forward", "resize2", "y",
     disagree},
    {"resize.cl", "kernel void bilinear_gradient", "p.row - 1", "p.row", "bilinear_gradient", "resize2", "dx",
     disagree},
    {"resize.cl", "static inline int4 inputs_around", "if (exclude)", "if (exclude && y)", "bicubic_forward", "resize3",
     "y", disagree},
    {"resize.cl", "static inline realv mixed", "at.s3", "at.s2", "bicubic_forward", "resize3", "y", disagree},
    {"resize.cl", "kernel void bicubic_gradient", "p.row - 2", "p.row - 1", "bicubic_gradient", "resize3", "dx",
     disagree},
    {"permute.cl", "kernel void permute", "z.stride_w * w", "z.stride_w * h", "permute", "permute1", "y", disagree},
    {"pick.cl", "kernel void pick", "+ z.first;", "+ 1;", "pick", "channelshuffle1", "y", disagree},
    {"adaptive.cl", "kernel void adaptive_forward", "h < end_h", "h < end_h - 1", "adaptive_forward",
     "adaptiveavgpool1", "y", disagree},
    {"adaptive.cl", "kernel void adaptive_gradient", "ox < end_x", "ox < end_x - 1", "adaptive_gradient",
     "adaptiveavgpool1", "dx", disagree},
    {"arithmetic.cl", "kernel void arithmetic(", "one * other", "one * other * (real)1.0001", "arithmetic", "mul1", "y",
     disagree},
    {"arithmetic.cl", "kernel void arithmetic_gradient(", "row < first + rows", "row < first + rows - (rows > 1)",
     "arithmetic_gradient", "mul1", "dx", disagree},
    {"join.cl", "kernel void extreme(", "here > most ? here", "here < most ? here", "extreme", "minimum1", "y",
     disagree},
    {"join.cl", "kernel void extreme_gradient(", "(realv)0.5", "(realv)0.25", "extreme_gradient", "minimum1", "dx",
     disagree},
    {"scale.cl", "kernel void scale", "value += of", "value -= of", "scale", "scale1", "y", disagree},
    {"channel.cl", "kernel SUM_GROUP void channel_sum_parts", "if (z.negative)", "if (1)", "channel_sum", "scale1",
     "sum", disagree},
    {"lrn.cl", "static inline int window_end", "/ 2 + 1", "/ 2", "lrn_forward", "lrn1", "base", disagree},
    {"lrn.cl", "kernel void lrn_gradient", "2 * real_of", "real_of", "lrn_gradient", "lrn1", "dx", disagree},
    {"pixel_shuffle.cl", "kernel void pixel_shuffle", "row % z.scale", "column % z.scale", "pixel_shuffle",
     "pixelshuffle1", "y", disagree},
    {"pixel_shuffle.cl", "kernel void pixel_unshuffle", "k / z.scale % z.scale", "k % z.scale", "pixel_unshuffle",
     "pixelunshuffle1", "y", disagree},
    {"dropout.cl", "kernel void dropout", "z.whole ? 0u :", "", "dropout", "droppath1", "y", disagree},
    {"pool_window.h", "inline winner better_of", "(value > w.most)", "(value >= w.most)", "pool_forward", "maxpool1",
     "best", disagree},
};

/* A changed file is compiled anew for each program that has it: of the faults of one file all but the first are left to
 * run.sh --thorough. */
static bool is_taken(const fault *faults, size_t number)
{
    for (size_t i = 0; i < number && !thorough(); i++)
        if (strcmp(faults[i].file, faults[number].file) == 0) return false;
    return true;
}

static void a_wrong_value_is_caught_in_its_op_alone(void **state)
{
    (void)state;
    report r;
    for (size_t i = 0; i < sizeof wrong_values / sizeof *wrong_values; i++) {
        if (!is_taken(wrong_values, i)) continue;
        assert_caught(&wrong_values[i], &r);
        assert_true(!(r.row.difference <= r.row.bound));
        assert_true(r.row.device != r.row.reference);
        assert_true(*r.row.shape && r.row.index[0] == '[');
    }
}

static void faults_of_the_tile_schedule_are_caught(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"conv_tile.cl", "kernel WORK_GROUP void conv_forward_tile", "finish_forward(sum,",
         "finish_forward(sum * (real)1.0001,", "conv_forward", "conv1", "y", disagree},
        {"phase.h", "static inline phase phase_of", ".first = (begin + pad)", ".first = (begin + pad + 1)",
         "conv_input_gradient", "conv2", "dx", disagree},
        {"conv_tile.cl", "kernel WORK_GROUP void conv_weight_gradient_tile", "m >= weights              ? ONES_A",
         "m >= weights              ? (load_a)0", "conv_weight_gradient", "conv1", "db", disagree},
        {"sums.h", "void put_norm_gradients", "add_rows(sums->weight[v], ACROSS, DOWN, tree)", "sums->weight[v]",
         "batchnorm_gradients", "batchnorm1", "dw", disagree},
        {"batch_moments.h", "void measure_part", "merge_rows(sum[v], ACROSS, DOWN, tree);", "sum[v];",
         "batchnorm_statistics", "batchnorm1", "mean", disagree},
        /* One weight row too many lies in the guard, which is NaN while verify runs. */
        {"dense_tile.cl", "#define W_ALONG_O(j)", "first + B_LINE(j), z.i,", "first + B_LINE(j), z.i + 1,",
         "dense_forward", "dense1", "y", disagree},
        {"pool.cl", "kernel void pool_forward", "if (oy >= z.y) return;", "if (oy >= z.y - 1) return;", "pool_forward",
         "maxpool1", "y", disagree},
        {"loss.cl", "#ifdef ONE_GROUP", "if (n < z.n)", "if (n < z.n + 8)", "cross_entropy", "", "gradient", outside},
        {"update.cl", "kernel void gradient_norm_parts", "z.count, part,", "z.count, part + 1,", "gradient_norm", "",
         "scale", disagree},
        {"update.cl", "kernel void measured_norm_parts", "z.count, part,", "z.count, part + 1,", "measured_norm", "",
         "norms", disagree},
    };
    report r;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (is_taken(faults, i)) assert_caught_under(CLT_SCHEDULE_TILE, &faults[i], &r);
}

/* Under the tile schedule, the only one that merges. */
static void assert_placed_is_caught(const placed_fault *p, report *r)
{
    assert_caught_in(p->built, p->net, CLT_SCHEDULE_TILE, &p->fault, r);
}

static void faults_of_merged_ops_are_caught(void **state)
{
    (void)state;
    enum { ORDINARY = 4 }; /* tried without CLTRAIN_THOROUGH, too */
    static const placed_fault faults[] = {
        {{"dense_tile.cl", "kernel WORK_GROUP void dense_gradients_tile", "STORE_BLOCK(along_k ? z.n",
          "STORE_BLOCK(along_k ? z.n - 1", "dense_input_gradient", "dense1", "dx", disagree},
         "dense_gradients",
         net_text},
        {{"conv_tile.cl", "kernel WORK_GROUP void conv_forward_tile", "finish_forward(sum,",
          "finish_forward(sum * (real)1.0001,", "conv_forward", "conv1", "y", disagree},
         "conv_forward_pool",
         pooled_net_text},
        {{"product_pool.h", "inline void pool_tile", "z.c), pixel)", "z.c), pixel + 1)", "pool_forward", "maxpool1",
          "best", disagree},
         "conv_forward_pool",
         pooled_net_text},
        {{"product_pool.h", "inline void spread_over_window", "== pixel", "== pixel + 1", "pool_input_gradient",
          "maxpool2", "dx", disagree},
         "dense_gradients_pool",
         pooled_net_text},
        {{"dense_tile.cl", "kernel WORK_GROUP void dense_gradients_tile", "finish_weight_gradient(sum,",
          "finish_weight_gradient(sum * (real)1.0001,", "dense_weight_gradient", "dense1", "dw", disagree},
         "dense_gradients",
         net_text},
        {{"dense_tile.cl", "#define X_OR_ONE(j)", "x + (first", "x + (1 + first", "dense_weight_gradient", "dense1",
          "dw", disagree},
         "dense_gradients",
         net_text},
        {{"product_pool.h", "inline void pool_tile", "PUT(w.most,", "PUT(w.most + 1,", "pool_forward", "maxpool1", "y",
          disagree},
         "conv_forward_pool",
         pooled_net_text},
        {{"product_pool.h", "inline void spread_over_window", "deactivate(mine, GET(pool_x + to))", "mine * 2",
          "pool_input_gradient", "maxpool1", "dx", disagree},
         "conv_input_gradient_pool",
         pooled_net_text},
    };
    report r;
    for (size_t i = 0; i < (thorough() ? sizeof faults / sizeof *faults : ORDINARY); i++)
        assert_placed_is_caught(&faults[i], &r);
}

static const char normed_pool_net_text[] =
    "input 3x8x8; conv out=5 kernel=3 padding=1; batchnorm; maxpool kernel=2; flatten; dense out=3";

static const placed_fault in_inference = {{"product_pool.h", "inline void pool_tile", "PUT(w.most,", "PUT(w.most + 1,",
                                           "pool_forward", "maxpool1", "y", disagree},
                                          "conv_forward_pool",
                                          normed_pool_net_text};

/* What is merged goes by an op's neighbours, and these are others in inference, whose batch normalisations are part of
 * the layers before, and where no gradient by the images is wanted. */
static void faults_of_what_is_merged_elsewhere_are_caught(void **state)
{
    (void)state;
    static const placed_fault in_training = {{"dense_tile.cl", "kernel WORK_GROUP void dense_weight_gradient_tile",
                                              "finish_weight_gradient(sum", "finish_weight_gradient(sum * (real)1.0001",
                                              "dense_weight_gradient", "dense1", "dw", disagree},
                                             "dense_weight_gradient",
                                             "input 3x8x8; maxpool kernel=2; flatten; dense out=3"};
    report r;
    assert_placed_is_caught(&in_inference, &r);
    assert_placed_is_caught(&in_training, &r);
}

static void a_write_outside_a_tensor_is_caught(void **state)
{
    (void)state;
    static const char start[] = "= SIZES(given);";
    static const fault faults[] = {
        {"pool.cl", "kernel void pool_forward", start, "= SIZES(given); y[z.n * z.y * z.x * z.c] = 1;", "pool_forward",
         "maxpool1", "y", outside},
        {"pool.cl", "kernel void pool_forward", start, "= SIZES(given); best[z.n * z.y * z.x * z.c] = 1;",
         "pool_forward", "maxpool1", "best", outside},
        {"conv.cl", "kernel void conv_forward", start, "= SIZES(given); y[-1] = 1;", "conv_forward", "conv1", "y",
         outside},
        {"conv.cl", "kernel void conv_weight_gradient_sum", start, "= SIZES(given); dw[z.r * z.s * z.c * z.k] = 1;",
         "conv_weight_gradient", "conv1", "dw", outside},
        {"conv_winograd.cl", "kernel void conv_winograd_input_gradient", start,
         "= SIZES(given); dx[z.n * z.h * z.w * z.c + 7] = 1;", "conv_input_gradient", "conv2", "dx", outside},
        {"update.cl", "OPTIMIZER(sgd,", "(given);", "(given); velocity[z.count + 63] = 0;", "sgd", "", "velocity",
         outside},
        {"loss.cl", "#ifdef ONE_GROUP", start, "= SIZES(given); ((global int *)step)[STEP_LENGTH] = 0;",
         "cross_entropy", "", "step", outside},
    };
    report r;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) assert_caught(&faults[i], &r);
}

/* What verify --report writes is built by a C compiler, and shows the fault on this device, too. */
static void assert_reported_in(const char *built, const char *net, clt_schedule schedule, const fault *f)
{
    clt_error error;
    char *text = replaced(f->file, f->after, f->old, f->fresh), command[600];
    const char *path = path_in("fault.c");
    clt_device *device = open_called(NULL);
    clt_options options = {.net = net, .batch_size = 3, .seed = 7, .report = path, .storage = storage};
    clt_model *model;
    const char *platform = clt_device_describe(device)->id;
    clt_device_set_schedule(device, schedule);
    clt__device_replace_source(device, f->file, text);
    changed_op = built;
    assert_ok(clt_model_create(&options, &model, &error), &error);
    assert_failed(clt_verify(model, device, &options, NULL, NULL, &error), CLT_MISMATCH, &error, f->op, f->complaint);
    changed_op = NULL;
    (void)snprintf(command, sizeof command,
                   "cc -Wall -Werror -Wno-overlength-strings -o %s.run %s -lOpenCL -lm && %s.run %d %s", path, path,
                   path, atoi(platform), strchr(platform, ':') + 1);
    const int status = system(command);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(remove(path), 0);
    clt_model_close(model);
    clt_device_close(device);
    free(text);
}

static void assert_reported(clt_schedule schedule, const fault *f)
{
    assert_reported_in(f->op, net_of(f->file), schedule, f);
}

static void a_report_shows_the_fault_without_cltrain(void **state)
{
    (void)state;
    static const fault in_vectors = {"pool.cl",
                                     "static inline void spread_row",
                                     "== (maskv)(h * z.w + w)",
                                     "== (maskv)(h * z.w + w + 1)",
                                     "pool_input_gradient",
                                     "maxpool1",
                                     "dx",
                                     disagree};
    static const fault outside_tensor = {"pool.cl",
                                         "kernel void pool_forward",
                                         "= SIZES(given);",
                                         "= SIZES(given); y[z.n * z.y * z.x * z.c] = 1;",
                                         "pool_forward",
                                         "maxpool1",
                                         "y",
                                         outside};
    static const fault in_merged_ops = {"product_pool.h",
                                        "inline void spread_over_window",
                                        "== pixel",
                                        "== pixel + 1",
                                        "pool_input_gradient",
                                        "maxpool2",
                                        "dx",
                                        disagree};
    static const fault in_tiles = {"sums.h",
                                   "void put_norm_gradients",
                                   "add_rows(sums->weight[v], ACROSS, DOWN, tree)",
                                   "sums->weight[v]",
                                   "batchnorm_gradients",
                                   "batchnorm1",
                                   "dw",
                                   disagree};
    assert_reported(CLT_SCHEDULE_VECTOR, &outside_tensor);
    if (thorough()) assert_reported(CLT_SCHEDULE_VECTOR, &in_vectors);
    if (thorough()) assert_reported(CLT_SCHEDULE_TILE, &in_tiles);
    if (thorough()) assert_reported_in("dense_gradients_pool", pooled_net_text, CLT_SCHEDULE_TILE, &in_merged_ops);
    assert_reported_in(in_inference.built, in_inference.net, CLT_SCHEDULE_TILE, &in_inference.fault);
}

/* What rounds, and what scales the loss while it is rounded. */
static int compute_in_floats(void **state)
{
    (void)state;
    storage = CLT__F32;
    return 0;
}

static void faults_of_halves_are_caught(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"real.h", "#define STORE_HALVES_16", "_rte", "_rtz", "activation_forward", "tanh1", "y", disagree},
        {"real.h", "#define PUT(value, to)", "_rte", "_rtp", "cross_entropy", "", "gradient", disagree},
        {"real.h", "#define GET(from)", "vload_half(0, from)", "(vload_half(0, from) * (real)1.001f)", "cross_entropy",
         "", "loss", disagree},
        {"loss.cl", "inline real scaled", "loss_scale[SCALE_FACTOR]", "loss_scale[SCALE_INVERSE]", "cross_entropy", "",
         "gradient", disagree},
        {"update.cl", "kernel void unscale(", "loss_scale[SCALE_INVERSE]", "loss_scale[SCALE_FACTOR]", "unscale", "",
         "gradient", disagree},
        {"update.cl", "kernel void unscale(", "lost == 0 ? 0 : 1", "1", "unscale", "", "overflown", disagree},
    };
    static const fault in_tiles = {"group_tile.h",
                                   "#if defined HALVES && A_STORED",
                                   "JOIN(widen_, LOAD_A)(vector)",
                                   "JOIN(widen_, LOAD_A)(vector) * (real)1.001f",
                                   "conv_forward",
                                   "conv1",
                                   "y",
                                   disagree};
    report r;
    storage = CLT__F16;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (is_taken(faults, i)) assert_caught(&faults[i], &r);
    assert_caught_under(CLT_SCHEDULE_TILE, &in_tiles, &r);
    assert_reported(CLT_SCHEDULE_VECTOR, &faults[3]);
    if (is_taken(faults, 5)) assert_reported(CLT_SCHEDULE_VECTOR, &faults[5]);
}

static void a_write_into_an_input_is_caught(void **state)
{
    (void)state;
    static const char start[] = "= SIZES(given);";
    static const fault faults[] = {
        {"conv.cl", "kernel void conv_forward", start, "= SIZES(given); ((global real *)w)[0] = 7;", "conv_forward",
         "conv1", "w", changed_input},
        {"loss.cl", "#ifdef ONE_GROUP", start, "= SIZES(given); ((global int *)step)[STEP_MOVE] = 7;", "cross_entropy",
         "", "step", changed_input},
        {"batch.cl", "kernel void batch", start, "= SIZES(given); ((global int *)order)[1] = 0;", "batch", "", "order",
         changed_input},
        {"batch.cl", "kernel void batch", start, "= SIZES(given); ((global uchar *)images)[3] = 0;", "batch", "",
         "images", changed_input},
    };
    report r;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) assert_caught(&faults[i], &r);
}

static void a_nan_is_caught(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"activation.cl", "kernel void activation_forward", "(load_lanes(x", "((real)NAN * load_lanes(x",
         "activation_forward", "tanh1", "y", disagree},
        {"loss.cl", "void cross_entropy_of", "log(sum)", "log(n == 1 ? -sum : sum)", "cross_entropy", "", "loss",
         disagree},
        /* A product that reads one weight row too many meets the guard, which is NaN while verify runs. */
        {"dense.cl", "kernel void dense_forward", "in < z.i;", "in <= z.i;", "dense_forward", "dense1", "y", disagree},
    };
    report r;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_caught(&faults[i], &r);
        assert_true(isnan(r.row.device));
        assert_true(r.row.reference == r.row.reference);
    }
}

static void an_element_that_is_not_written_is_caught(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"loss.cl", "void cross_entropy_of", "hit[n] = hit_of", "if (n != 1) hit[n] = hit_of", "cross_entropy", "",
         "hit", disagree},
        {"dense.cl", "kernel void dense_forward", "z.n - n0)", "z.n - 1 - n0)", "dense_forward", "dense1", "y",
         disagree},
        {"conv.cl", "kernel void conv_weight_gradient_sum", "store_lanes(sum, z.k - k0,",
         "store_lanes(sum, row < rows ? z.k - k0 : 1,", "conv_weight_gradient", "conv1", "db", disagree},
        {"conv.cl", "kernel void conv_forward", "q.cols = min(z.block_x, z.x - q.x0);",
         "q.cols = min(z.block_x, z.x - q.x0) - (n == 2);", "conv_forward", "conv1", "y", disagree},
        {"conv_winograd.cl", "share share_of", "q.tiles - first)", "q.tiles - first) - 1", "conv_forward", "conv1", "y",
         disagree},
        {"conv_winograd_weights.cl", "void conv_winograd_weight_gradient_sum", "i < 3; i++) {", "i < 2; i++) {",
         "conv_weight_gradient", "conv2", "dw", disagree},
        {"depthwise_conv.cl", "#define EACH_TILE", "across.count > PIXELS", "across.count > 3 * PIXELS",
         "grouped_conv_forward", "conv2", "y", disagree},
        {"depthwise_conv.cl", "int lanes_from(", "channels - c;", "channels - c - 1;", "grouped_conv_input_gradient",
         "conv3", "dx", disagree},
        {"depthwise_conv.cl", "void depthwise_weight_gradient_sum(", "store_lanes(sum, z.k - c,",
         "store_lanes(sum, z.k - c - 1,", "grouped_conv_weight_gradient", "conv3", "dw", disagree},
    };
    report r;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (!is_taken(faults, i)) continue;
        assert_caught(&faults[i], &r);
        assert_true(isnan(r.row.device));
    }
}

/* The first wrong element is named where PyTorch would have it: channel 2 of image 1 of [4, 3, 3, 2]. */
static void the_row_says_where_the_worst_element_is(void **state)
{
    (void)state;
    const fault f = {"pool.cl",
                     "kernel void pool_forward",
                     "store_lanes(best_of.most, left, y",
                     "if (n == 1 && oy == 2 && ox == 1) best_of.most.s2 += 1; store_lanes(best_of.most, left, y",
                     "pool_forward",
                     "maxpool1",
                     "y",
                     disagree};
    report r;
    assert_caught(&f, &r);
    assert_string_equal(r.row.shape, "4x3x3x2");
    assert_string_equal(r.row.index, "[1, 2, 2, 1]");
    assert_true(fabs(r.row.difference - 1) <= 1e-6);
    assert_true(r.row.bound <= 1e-6);
}

/* ---- kernels that do not build ------------------------------------------------------------------------------- */

/* The line, from 1, of the first `part` in `text`. */
static int line_of(const char *text, const char *part)
{
    int line = 1;
    const char *at = strstr(text, part);
    assert_non_null(at);
    for (const char *c = text; c < at; c++) line += *c == '\n' ? 1 : 0;
    return line;
}

static void assert_does_not_build(const char *file, const char *old, const char *fresh, const char *built_file,
                                  const char *log)
{
    clt_error error;
    report r;
    char *text = replaced(file, "", old, fresh), where[128], start[64];
    const clt_status status = verify_with(file, text, CLT_SCHEDULE_VECTOR, &r, &error);
    (void)snprintf(start, sizeof start, "kernels/%s does not build on device ", built_file);
    (void)snprintf(where, sizeof where, "kernels/%s:%d:", file, line_of(text, "no_such_name"));
    assert_failed(status, CLT_BAD_KERNEL, &error, start, where);
    assert_non_null(strstr(error.message, log));
    assert_non_null(strstr(error.message, "CL_BUILD_PROGRAM_FAILURE"));
    assert_int_equal(error.opencl_code, CL_BUILD_PROGRAM_FAILURE);
    assert_int_equal(r.ops, 0);
    free(text);
}

static void a_kernel_that_does_not_build_says_where(void **state)
{
    (void)state;
    static const char log[] = "use of undeclared identifier 'no_such_name'";
    assert_does_not_build("loss.cl", "goes_on = step[STEP_PART] > 0;", "goes_on = no_such_name;", "loss.cl", log);
    assert_does_not_build("real.h", "if (count >= VEC) return LOAD(from);", "return no_such_name;", "batch.cl", log);
}

/* Some compilers list their warnings before the fault: a log of 1000 characters is carried whole. */
static void a_long_build_log_is_carried_whole(void **state)
{
    (void)state;
    char fresh[2000] = "";
    for (int i = 0; i < 9; i++)
        strcat(fresh, "\n#warning this line only makes the log longer, by about a hundred characters\n");
    strcat(fresh, "\n#warning the last of them\ngoes_on = no_such_name;");
    assert_does_not_build("loss.cl", "goes_on = step[STEP_PART] > 0;", fresh, "loss.cl",
                          "use of undeclared identifier 'no_such_name'");
    assert_does_not_build("loss.cl", "goes_on = step[STEP_PART] > 0;", fresh, "loss.cl", "the last of them");
}

static void count_note(void *user, const char *sentence)
{
    if (strstr(sentence, "the fast kernel of conv_")) (*(int *)user)++;
    assert_non_null(strstr(sentence, "does not build on device "));
}

static void where_the_fast_kernel_does_not_build_a_plain_one_serves(void **state)
{
    (void)state;
    clt_error error;
    int notes = 0;
    report r = {0};
    char *text = replaced("conv.cl", "", "#define ROUND_UP(", "#error not on this device\n#define ROUND_UP(");
    clt_device *device = open_vector_device();
    clt_model *model = make_model(net_text, NULL, CLT_F32, 4);
    clt__device_replace_source(device, "conv.cl", text);
    clt_device_set_notes(device, count_note, &notes);
    assert_ok(clt_verify(model, device, seeded(4, 9), take_row, &r, &error), &error);
    assert_int_equal(r.wrong, 0);
    assert_true(notes >= 3);
    clt_model_close(model);
    clt_device_close(device);
    free(text);
}

/* ---- kernels that allow small work-groups only ----------------------------------------------------------------
 */

/* What compilers say where a kernel needs many registers: the linker puts this in clGetKernelWorkGroupInfo's place.
 */
static size_t most_items = SIZE_MAX;

cl_int __real_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                                       size_t size, void *value, size_t *size_needed);
cl_int __wrap_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                                       size_t size, void *value, size_t *size_needed);

cl_int __wrap_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                                       size_t size, void *value, size_t *size_needed)
{
    const cl_int code = __real_clGetKernelWorkGroupInfo(kernel, device, what, size, value, size_needed);
    if (what == CL_KERNEL_WORK_GROUP_SIZE && *(size_t *)value > most_items) *(size_t *)value = most_items;
    return code;
}

/* Opens a session on `device` and tells how many items its largest work-group has. */
static size_t largest_group(clt_device *device)
{
    clt_error error;
    clt_session *session;
    size_t largest = 0;
    clt_model *model = make_model(net_text, NULL, CLT_F32, 1);
    clt_dataset *data = make_images(4, (clt_shape){2, 7, 5}, 3, 1);
    const clt_options options = clt__options_default();
    assert_ok(clt_session_open(model, device, data, &options, false, &session, &error), &error);
    for (size_t i = 0; i < session->net.tape.op_count; i++)
        for (int j = 0; j < session->engine->ready[i].launches.count; j++) {
            const size_t *local = session->engine->ready[i].launches.launch[j].local;
            if (local[0] * local[1] * local[2] > largest) largest = local[0] * local[1] * local[2];
        }
    clt_session_close(session);
    clt_dataset_close(data);
    clt_model_close(model);
    return largest;
}

static void a_kernel_that_allows_few_items_gets_smaller_groups(void **state)
{
    (void)state;
    clt_error error;
    report r;
    clt_device *device = open_called(NULL);
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    assert_true(largest_group(device) >= 64);
    most_items = 30;
    assert_int_equal(largest_group(device), 30);
    assert_ok(verify_with(NULL, NULL, CLT_SCHEDULE_TILE, &r, &error), &error);
    most_items = 1;
    assert_int_equal(largest_group(device), 1);
    most_items = 0;
    assert_failed(verify_with(NULL, NULL, CLT_SCHEDULE_TILE, &r, &error), CLT_NO_DEVICE, &error, "device ",
                  "does not run the kernel batch in a work-group of even one item");
    most_items = SIZE_MAX;
    clt_device_close(device);
}

/* ---- devices ------------------------------------------------------------------------------------------------- */

static void assert_no_device(const char *name, const char *what)
{
    clt_error error;
    clt_device *device = (clt_device *)&error; /* must become NULL */
    assert_failed(clt_device_open(name, &device, &error), CLT_NO_DEVICE, &error, NULL, what);
    assert_null(device);
}

static void a_device_that_is_not_there_is_named(void **state)
{
    (void)state;
    assert_no_device("9:9", "no OpenCL device is called \"9:9\", nor is its platform: there are 0:0 (");
    assert_no_device("77", "no OpenCL device is called \"77\""); /* digits are a place in the list */
    assert_no_device("abacus", "no OpenCL device is called \"abacus\"");
    assert_no_device("refer", "no OpenCL device is called \"refer\"");
}

static void the_list_of_devices_ends_with_the_reference(void **state)
{
    (void)state;
    clt_error error;
    clt_devices *devices;
    int defaults = 0;
    assert_ok(clt_devices_find(&devices, &error), &error);
    const size_t count = clt_devices_count(devices);
    assert_true(count >= 2);
    assert_null(clt_devices_at(devices, count));
    const clt_device_info *last = clt_devices_at(devices, count - 1);
    assert_string_equal(last->id, "reference");
    assert_string_equal(last->type, "reference");
    assert_true(last->usable && last->fp64 && !last->is_default);
    for (size_t i = 0; i < count; i++) {
        const clt_device_info *info = clt_devices_at(devices, i);
        defaults += info->is_default;
        assert_true(info->usable == !*info->reason);
        assert_true(*info->name && *info->platform);
        if (i + 1 < count) assert_string_not_equal(info->id, "reference");
    }
    assert_int_equal(defaults, 1);
    clt_devices_close(devices);
}

static void assert_opens(const char *name, const char *id)
{
    clt_device *device = open_called(name);
    assert_string_equal(clt_device_describe(device)->id, id);
    clt_device_close(device);
}

static void a_device_opens_by_number_kind_and_part_of_its_name(void **state)
{
    (void)state;
    clt_device *device = open_called(NULL);
    const clt_device_info info = *clt_device_describe(device);
    clt_device_close(device);
    assert_true(info.is_default && info.usable);
    assert_opens(info.id, info.id);
    char part[6];
    (void)snprintf(part, sizeof part, "%.5s", info.name);
    for (char *c = part; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    device = open_called(part);
    assert_memory_equal(clt_device_describe(device)->name, info.name, strlen(part));
    clt_device_close(device);
    device = open_called(info.type);
    assert_string_equal(clt_device_describe(device)->type, info.type);
    clt_device_close(device);
    assert_opens("reference", "reference");
    clt_device_close(NULL);
}

static void the_environment_names_the_default_device(void **state)
{
    (void)state;
    const char *old = getenv("CLTRAIN_DEVICE");
    char *kept = old ? strdup(old) : NULL;
    assert_int_equal(setenv("CLTRAIN_DEVICE", "reference", 1), 0);
    assert_opens(NULL, "reference");
    assert_int_equal(setenv("CLTRAIN_DEVICE", "9:9", 1), 0);
    assert_no_device(NULL, "no OpenCL device is called \"9:9\"");
    assert_opens("reference", "reference"); /* a name goes before the environment */
    assert_int_equal(setenv("CLTRAIN_DEVICE", "", 1), 0);
    clt_device *device = open_called(NULL);
    assert_true(clt_device_describe(device)->is_default);
    clt_device_close(device);
    assert_int_equal(kept ? setenv("CLTRAIN_DEVICE", kept, 1) : unsetenv("CLTRAIN_DEVICE"), 0);
    free(kept);
}

static void double_on_a_device_without_it_is_refused(void **state)
{
    (void)state;
    clt_error error;
    report r = {0};
    clt_device *device = open_called(NULL);
    device->info.fp64 = false;
    clt_model *model = make_model(net_text, NULL, CLT_F64, 1);
    assert_failed(clt_verify(model, device, seeded(2, 1), take_row, &r, &error), CLT_NO_DEVICE, &error, "device ",
                  "cannot compute in double: it lacks cl_khr_fp64");
    clt_model_close(model);
    clt_device_close(device);
}

static void verify_wants_a_device_and_a_batch(void **state)
{
    (void)state;
    clt_error error;
    clt_device *device = open_called("reference");
    clt_model *model = make_model(net_text, NULL, CLT_F32, 1);
    assert_failed(clt_verify(model, device, seeded(2, 1), NULL, NULL, &error), CLT_NO_DEVICE, &error, NULL,
                  "verify compares a device with the reference: choose an OpenCL device");
    clt_device_close(device);
    device = open_called(NULL);
    assert_failed(clt_verify(model, device, seeded(0, 1), NULL, NULL, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "a batch size of 0: it should be from 1 to 1000000");
    clt_device_close(device);
    clt_model_close(model);
}

static void a_tensor_larger_than_the_device_allocates_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_device *device = open_called(NULL);
    device->allocation_bytes = 3000;
    clt_model *model = make_model(net_text, NULL, CLT_F32, 1);
    assert_failed(clt_verify(model, device, seeded(2, 1), NULL, NULL, &error), CLT_NO_MEMORY, &error, NULL,
                  "are free and a piece may have 3000");
    clt_model_close(model);
    clt_device_close(device);
}

/* The pool's gradient reads the positions that the forward kernel left: the twin must not follow them out of its
 * arrays. */
static void an_index_that_is_not_written_does_not_lead_the_reference_astray(void **state)
{
    (void)state;
    report r;
    const fault integers = {"pool.cl",
                            "kernel void pool_forward",
                            "store_int_lanes(best_of.at, left,",
                            "store_int_lanes(best_of.at, z.c - c - 1,",
                            "pool_forward",
                            "maxpool1",
                            "best",
                            disagree};
    assert_caught(&integers, &r);
    assert_true(r.row.device == -1);
}

static int close_all(void **state)
{
    return close_devices(state) + remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_unchanged_kernels_pass),
        cmocka_unit_test(a_wrong_value_is_caught_in_its_op_alone),
        cmocka_unit_test(faults_of_the_tile_schedule_are_caught),
        cmocka_unit_test(faults_of_merged_ops_are_caught),
        cmocka_unit_test(faults_of_what_is_merged_elsewhere_are_caught),
        cmocka_unit_test(a_write_outside_a_tensor_is_caught),
        cmocka_unit_test(a_report_shows_the_fault_without_cltrain),
        cmocka_unit_test_teardown(faults_of_halves_are_caught, compute_in_floats),
        cmocka_unit_test(a_write_into_an_input_is_caught),
        cmocka_unit_test(a_nan_is_caught),
        cmocka_unit_test(an_element_that_is_not_written_is_caught),
        cmocka_unit_test(the_row_says_where_the_worst_element_is),
        cmocka_unit_test(a_kernel_that_does_not_build_says_where),
        cmocka_unit_test(a_long_build_log_is_carried_whole),
        cmocka_unit_test(where_the_fast_kernel_does_not_build_a_plain_one_serves),
        cmocka_unit_test(a_kernel_that_allows_few_items_gets_smaller_groups),
        cmocka_unit_test(a_device_that_is_not_there_is_named),
        cmocka_unit_test(the_list_of_devices_ends_with_the_reference),
        cmocka_unit_test(a_device_opens_by_number_kind_and_part_of_its_name),
        cmocka_unit_test(the_environment_names_the_default_device),
        cmocka_unit_test(double_on_a_device_without_it_is_refused),
        cmocka_unit_test(verify_wants_a_device_and_a_batch),
        cmocka_unit_test(a_tensor_larger_than_the_device_allocates_is_refused),
        cmocka_unit_test(an_index_that_is_not_written_does_not_lead_the_reference_astray),
    };
    return cmocka_run_group_tests(tests, make_folder, close_all);
}
