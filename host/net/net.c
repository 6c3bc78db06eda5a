#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/build.h"
#include "net/memory_plan.h"
#include "ops/muon.h"

static const int scalar[4] = {1, 1, 1, 1};

/* ---- tensors
 *
 * A layer's are called after it, or have its name and a dot before their own; those that no layer owns are called by
 * what no layer may be (is_like_tensor in description.c). */

clt_status clt__net_add_flat(clt__net *net, const char *name, clt__type type, int count, int *index, clt_error *error)
{
    return clt__tape_add(&net->tape, name, type, CLT__PLAIN, (const int[4]){count, 1, 1, 1}, 1, -1, index, error);
}

clt_status clt__net_add_images(clt__net *net, const char *name, clt__type type, int count, clt_shape shape, bool flat,
                               int *index, clt_error *error)
{
    const int extent[4] = {count, shape.channels, shape.height, shape.width};
    return clt__tape_add(&net->tape, name, type, CLT__IMAGES, extent, flat ? 2 : 4, -1, index, error);
}

clt_status clt__net_add_values(clt__net *net, const char *name, int count, clt_shape shape, bool flat, int *index,
                               clt_error *error)
{
    return clt__net_add_images(net, name, net->tape.stored, count, shape, flat, index, error);
}

/* ---- the graph: shapes, fusing, parameters */

/* A line may become part of a layer that it alone reads, and whose output is then the line's: an activation of any that
 * can apply it, a sum of two of the later of both, if that can add. */

enum { APART = -1 };

/* Which of a sum's inputs can add the other to its own value: the later one, if nobody else reads it. */
static int adding_input(const clt__description *description, const clt__item *item)
{
    size_t user;
    if (item->row != &clt__add || item->inputs != 2 || item->from[0] == item->from[1]) return APART;
    const int later = item->from[1] > item->from[0];
    return description->item[item->from[later] - 1].row->adds &&
                   clt__count_users(description, item->from[later] - 1, &user) == 1
               ? later
               : APART;
}

/* Which of a line's inputs is the layer that it becomes part of. */
static int fused_input(const clt__description *description, size_t index)
{
    const clt__item *item = &description->item[index];
    size_t user;
    if (item->row == &clt__add) return adding_input(description, item);
    if (!item->row->activation || !clt__activation_is_of_output(item->row->activation) || item->from[0] == 0)
        return APART;
    return description->item[item->from[0] - 1].row->fuses &&
                   clt__count_users(description, item->from[0] - 1, &user) == 1
               ? 0
               : APART;
}

/* The line that becomes part of this one's layer: NULL where there is none. */
static const clt__item *fused_after(const clt__description *description, size_t index)
{
    size_t user;
    if (clt__count_users(description, index, &user) != 1) return NULL;
    const int input = fused_input(description, user);
    return input != APART && description->item[user].from[input] == index + 1 ? &description->item[user] : NULL;
}

/* Where a parameter is frozen and another of its layer is not, the layer's op makes both gradients: its own is then
 * left alone. */
static clt_status add_gradients(clt__net *net, const bool *trained, clt__layer *layer, clt_error *error)
{
    for (int i = 0; i < layer->parameters; i++) {
        clt__parameter *parameter = &layer->parameter[i];
        char name[96];
        if (parameter->state) continue;
        (void)snprintf(name, sizeof name, "%s.%s.gradient", layer->name, parameter->name);
        TRY(clt__tape_add(&net->tape, name, CLT__REALS, CLT__FILTERS, parameter->extent, parameter->shown,
                          trained[i] ? net->gradients : -1, &parameter->gradient, error));
    }
    return CLT_OK;
}

static clt_status add_parameters(clt__net *net, const clt__item *item, clt__layer *layer,
                                 const clt__net_options *options, clt_error *error)
{
    bool trained[CLT__MAX_PARAMETERS], any = false;
    for (int i = 0; i < layer->parameters; i++) {
        clt__parameter *parameter = &layer->parameter[i];
        char name[96];
        (void)snprintf(name, sizeof name, "%s.%s", layer->name, parameter->name);
        trained[i] = !item->frozen && !parameter->state && !clt__freezes(options->freeze, name, options->epoch);
        any = any || trained[i];
        const int root = trained[i]                              ? net->parameters
                         : parameter->state && net->running >= 0 ? net->running
                                                                 : net->frozen;
        TRY(clt__tape_add(&net->tape, name, CLT__REALS, CLT__FILTERS, parameter->extent, parameter->shown, root,
                          &parameter->tensor, error));
        parameter->gradient = -1;
    }
    return any && options->training ? add_gradients(net, trained, layer, error) : CLT_OK;
}

/* The value that a line reads. */
static clt__value value_of(const clt__net *net, size_t from)
{
    return from ? net->layer[from - 1].out : net->input;
}

/* The layer's own output tensor, named after the last line that is fused into it. */
static clt_status add_output(clt__net *net, const clt__description *description, size_t index,
                             const clt__net_options *options, clt__layer *layer, clt_error *error)
{
    const clt__item *last = &description->item[index], *sum = fused_after(description, index);
    clt__value *out = &layer->out;
    if (sum && sum->row == &clt__add) {
        last = sum;
        layer->in[layer->inputs++] = value_of(net, sum->from[!adding_input(description, sum)]);
    }
    const clt__item *activation = fused_after(description, (size_t)(last - description->item));
    out->activation = activation ? activation->row->activation : CLT__NO_ACTIVATION;
    TRY(clt__net_add_values(net, activation ? activation->name : last->name, options->batch, out->shape, out->flat,
                            &out->tensor, error));
    if (!activation || !options->keep_tensors) return CLT_OK;
    return clt__net_add_values(net, last->name, options->batch, out->shape, out->flat, &layer->before, error);
}

/* The layer's own shape rule, its error with the place in the net's text. */
static clt_status set_shape(const clt__description *description, clt__layer *layer, clt_error *error)
{
    clt_error inner;
    const clt_status status = layer->row->shape(layer, &inner);
    if (status == CLT_OK) return CLT_OK;
    return FAIL(error, status, "%s:%d: %.2000s", description->origin, layer->line, inner.message);
}

static clt_status add_layer(clt__net *net, const clt__description *description, size_t index,
                            const clt__net_options *options, clt_error *error)
{
    const clt__item *item = &description->item[index];
    clt__layer *layer = &net->layer[index];
    *layer = (clt__layer){.row = item->row,
                          .line = item->line,
                          .batch = options->batch,
                          .step = net->step,
                          .training = options->training,
                          .whole = options->whole,
                          .before = -1,
                          .rest = -1};
    for (int i = 0; i < CLT__MAX_SAVED; i++) layer->saved[i] = -1;
    memcpy(layer->name, item->name, sizeof layer->name);
    memcpy(layer->value, item->value, sizeof layer->value);
    layer->inputs = item->inputs;
    for (int i = 0; i < item->inputs; i++) layer->in[i] = value_of(net, item->from[i]);
    layer->out = layer->in[0];
    net->layers++;
    TRY(set_shape(description, layer, error));
    const int fused = fused_input(description, index);
    if (fused != APART) {
        layer->out = layer->in[fused]; /* the layer before has made its output */
        return CLT_OK;
    }
    const bool passes_on = item->row->training_only && (!options->training || options->as_inferred);
    if (!item->row->forward || passes_on) return CLT_OK;
    TRY(add_parameters(net, item, layer, options, error));
    TRY(add_output(net, description, index, options, layer, error));
    return item->row->extra ? item->row->extra(&net->tape, layer, error) : CLT_OK;
}

static clt_status add_layers(clt__net *net, const clt__description *description, const clt__net_options *options,
                             clt_error *error)
{
    TRY(clt__tape_add_root(&net->tape, "update.parameters", CLT__REALS, &net->parameters, error));
    TRY(clt__tape_add_root(&net->tape, "update.frozen", CLT__REALS, &net->frozen, error));
    if (options->training) TRY(clt__tape_add_root(&net->tape, "update.gradients", CLT__REALS, &net->gradients, error));
    if (options->training && options->shards > 1)
        TRY(clt__tape_add_root(&net->tape, "update.running", CLT__REALS, &net->running, error));
    net->input = (clt__value){.shape = options->input, .gradient = -1};
    TRY(clt__net_add_values(net, "input", options->batch, options->input, false, &net->input.tensor, error));
    TRY(clt__allocate(description->count, sizeof *net->layer, "the net's layers", &net->layer, error));
    for (size_t i = 0; i < description->count; i++) TRY(add_layer(net, description, i, options, error));
    net->output = net->layer[net->layers - 1].out;
    return CLT_OK;
}

/* ---- ops: forward */

bool clt__net_has_own_ops(const clt__layer *layer)
{
    for (int i = 0; i < layer->inputs; i++)
        if (layer->out.tensor == layer->in[i].tensor) return false;
    return layer->row->forward;
}

static clt_status add_forward_ops(clt__net *net, clt_error *error)
{
    for (int i = 0; i < net->layers; i++)
        if (clt__net_has_own_ops(&net->layer[i])) TRY(net->layer[i].row->forward(&net->tape, &net->layer[i], error));
    return CLT_OK;
}

/* ---- ops: loss and backward */

static bool is_trained(const clt__layer *layer)
{
    return layer->parameters > 0 && layer->parameter[0].gradient >= 0;
}

/* Whether a layer can be the one that adds up the parts of its input's gradient: as the first to read it, whose
 * backward op runs last. */
static bool can_take_rest(const clt__layer *layer)
{
    return layer->row->takes_rest && (layer->row->takes_activation || !layer->in[0].activation);
}

/* Which values' gradients are wanted: those that something trainable lies before. */
static void find_wanted(clt__net *net, const clt__net_options *options)
{
    net->flow[net->input.tensor].wanted = options->input_gradient;
    for (int i = 0; i < net->layers; i++) {
        const clt__layer *layer = &net->layer[i];
        if (!clt__net_has_own_ops(layer)) continue;
        bool wanted = is_trained(layer);
        for (int j = 0; j < layer->inputs; j++) {
            clt__flow *flow = &net->flow[layer->in[j].tensor];
            if (flow->uses++ == 0) flow->taker = j == 0 && can_take_rest(layer) ? i : -1;
            wanted = wanted || flow->wanted;
        }
        net->flow[layer->out.tensor].wanted = wanted;
    }
}

/* Where one layer adds up the parts of a value's gradient, it alone applies the derivative of the activation fused into
 * that value: to the others it is a value without. */
static void find_takers(clt__net *net)
{
    for (int i = 0; i < net->layers; i++)
        for (int j = 0; j < net->layer[i].inputs; j++) {
            clt__value *in = &net->layer[i].in[j];
            const clt__flow *flow = &net->flow[in->tensor];
            if (flow->uses > 1 && flow->taker >= 0 && !(flow->taker == i && j == 0))
                in->activation = CLT__NO_ACTIVATION;
        }
}

/* A tensor becomes one use's part of a value's gradient. */
static clt_status take_part(clt__net *net, const clt__value *value, int part, clt_error *error)
{
    clt__flow *flow = &net->flow[value->tensor];
    TRY(clt__grow(&flow->part, &flow->capacity, (size_t)flow->parts, sizeof *flow->part, error));
    flow->part[flow->parts++] = part;
    return CLT_OK;
}

/* The tensor for such a part, which is all of the gradient where there is one use. */
static clt_status add_part(clt__net *net, int batch, const clt__value *value, int *part, clt_error *error)
{
    const clt__flow *flow = &net->flow[value->tensor];
    char name[96];
    (void)snprintf(name, sizeof name, "%.44s.gradient", net->tape.tensor[value->tensor].name);
    if (flow->uses > 1) (void)snprintf(name + strlen(name), 16, ".%d", flow->uses - flow->parts);
    TRY(clt__net_add_values(net, name, batch, value->shape, value->flat, part, error));
    return take_part(net, value, *part, error);
}

/* To tensor `to`: as many at a time as the op takes, what they come to being the first of the next ones. */
static clt_status add_up_parts(clt__net *net, int batch, const clt__value *value, int to, const char *layer,
                               clt_error *error)
{
    const clt__flow *flow = &net->flow[value->tensor];
    int left = flow->parts - 1, sum = flow->part[left];
    while (left > 0) {
        int part[CLT__MAX_INPUTS] = {sum}, count = 1;
        char name[96];
        while (count < CLT__MAX_INPUTS && left > 0) part[count++] = flow->part[--left];
        (void)snprintf(name, sizeof name, "%.40s.gradient.rest%d", net->tape.tensor[value->tensor].name, left);
        sum = to;
        if (left) TRY(clt__net_add_values(net, name, batch, value->shape, value->flat, &sum, error));
        TRY(clt__add_sum(&net->tape, layer, part, count, sum, CLT__NO_ACTIVATION, error));
    }
    return CLT_OK;
}

/* What the parts that there are come to: the sum of them in the order of the lines that gave them, -1 for none. */
static clt_status join_parts(clt__net *net, int batch, const clt__value *value, const char *what, const char *layer,
                             int *whole, clt_error *error)
{
    const clt__flow *flow = &net->flow[value->tensor];
    char name[96];
    *whole = flow->parts == 1 ? flow->part[0] : -1;
    if (flow->parts <= 1) return CLT_OK;
    (void)snprintf(name, sizeof name, "%.50s.%s", net->tape.tensor[value->tensor].name, what);
    TRY(clt__net_add_values(net, name, batch, value->shape, value->flat, whole, error));
    return add_up_parts(net, batch, value, *whole, layer, error);
}

/* The whole gradient of a value, whose users have all run backward. */
static clt_status finish_gradient(clt__net *net, int batch, clt__value *value, const char *layer, clt_error *error)
{
    return join_parts(net, batch, value, "gradient", layer, &value->gradient, error);
}

/* The taker's part is the whole gradient: it adds up what the others have given. */
static clt_status add_up_rest(clt__net *net, int batch, clt__layer *layer, clt_error *error)
{
    const clt__value *in = &layer->in[0];
    clt__flow *flow = &net->flow[in->tensor];
    if (flow->taker != (int)(layer - net->layer) || flow->uses == 1) return CLT_OK;
    TRY(join_parts(net, batch, in, "gradient.rest", layer->name, &layer->rest, error));
    flow->parts = 0; /* from here on it is a value with one reader */
    flow->uses = 1;
    return CLT_OK;
}

/* The gradient by a fused activation's sum from that by its output, where nothing else applies the derivative. */
static clt_status add_activation_gradient(clt__net *net, const clt__value *value, const char *layer, int by_output,
                                          clt_error *error)
{
    const element_sizes sizes = {.count = net->tape.tensor[value->tensor].count, .activation = value->activation};
    const int tensor[] = {[ACTIVATION_GRADIENT_DY] = by_output,
                          [ACTIVATION_GRADIENT_AT] = value->tensor,
                          [ACTIVATION_GRADIENT_DX] = value->gradient};
    return CLT__ADD_OP(&net->tape, &clt__activation_gradient_op, layer, sizes, tensor, error);
}

static clt_status check_loss(const clt__net *net, const clt__net_options *options, clt_error *error)
{
    const int outputs = net->tape.tensor[net->output.tensor].count / options->batch;
    if (options->label_smoothing > 0 && !options->loss->of_classes)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the loss %s has no labels to smooth: label smoothing goes with cross_entropy",
                    options->loss->name);
    if (options->weighs_classes && !options->loss->of_classes)
        return FAIL(error, CLT_BAD_ARGUMENT, "the loss %s has no classes to weigh: class weights go with cross_entropy",
                    options->loss->name);
    if (!options->targets) return CLT_OK;
    if (options->targets != outputs)
        return FAIL(error, CLT_BAD_NET, "the net gives %d values an image, the data set has %d targets", outputs,
                    options->targets);
    return CLT_OK;
}

/* The weights of the classes and, where images have labels, their mean over the batch. */
static clt_status add_class_weights(clt__net *net, const clt__net_options *options, int outputs, clt_error *error)
{
    if (!options->weighs_classes) return CLT_OK;
    TRY(clt__net_add_flat(net, "loss.class_weight", CLT__REALS, outputs, &net->class_weight, error));
    if (options->targets) return CLT_OK;
    TRY(clt__net_add_flat(net, "loss.mean_weight", CLT__REALS, 1, &net->mean_weight, error));
    const loss_sizes sizes = {.n = options->batch};
    const int tensor[] = {[MEAN_WEIGHT_LABELS] = net->labels,
                          [MEAN_WEIGHT_ORDER] = net->order,
                          [MEAN_WEIGHT_STEP] = net->step,
                          [MEAN_WEIGHT_CLASS_WEIGHT] = net->class_weight,
                          [MEAN_WEIGHT_MEAN] = net->mean_weight};
    return CLT__ADD_OP(&net->tape, &clt__mean_weight_op, "", sizes, tensor, error);
}

/* by_output: receives the gradient by the net's output. */
static clt_status add_loss_op(clt__net *net, const clt__net_options *options, int by_output, clt_error *error)
{
    const int output = net->output.tensor, outputs = net->tape.tensor[output].count / options->batch;
    const loss_sizes sizes = {.n = options->batch,
                              .outputs = outputs,
                              .one_hot = net->target < 0,
                              .labelled = !options->targets,
                              .smoothing_ppm = (int)(options->label_smoothing * 1e6 + 0.5)};
    TRY(add_class_weights(net, options, outputs, error));
    const int tensor[] = {[LOSS_OUTPUTS] = output,
                          [LOSS_LABEL] = net->label,
                          [LOSS_TARGET] = net->target,
                          [LOSS_STEP] = net->step,
                          [LOSS_GRADIENT] = by_output,
                          [LOSS_LOSS] = net->loss,
                          [LOSS_HIT] = net->hit,
                          [LOSS_HISTORY] = net->history,
                          [LOSS_SCALE] = net->loss_scale,
                          [LOSS_CLASS_WEIGHT] = net->class_weight,
                          [LOSS_MEAN_WEIGHT] = net->mean_weight};
    return clt__tape_add_op(&net->tape, options->loss->op, "", &sizes, CLT__CHECKED_SIZE(sizes), tensor,
                            options->loss->of_classes ? LOSS_OPERANDS_OF_CLASSES : LOSS_OPERANDS, error);
}

int clt__history_slots(int shards)
{
    const int slots = CLT__HISTORY_SLOTS / shards;
    return slots > 64 ? slots : 64;
}

static clt_status add_loss_ops(clt__net *net, const clt__net_options *options, clt_error *error)
{
    TRY(check_loss(net, options, error));
    clt__value *output = &net->output;
    const int batch = options->batch, shards = options->shards > 1 ? options->shards : 1;
    TRY(clt__net_add_flat(net, "loss", CLT__REALS, batch, &net->loss, error));
    TRY(clt__net_add_flat(net, "loss.hit", CLT__REALS, batch, &net->hit, error));
    TRY(clt__net_add_flat(net, "loss.history", CLT__REALS, clt__history_slots(shards) * shards * HISTORY_LENGTH,
                          &net->history, error));
    if (options->halves) TRY(clt__net_add_flat(net, "loss.scale", CLT__REALS, SCALE_LENGTH, &net->loss_scale, error));
    if (net->flow[output->tensor].wanted) TRY(add_part(net, batch, output, &output->gradient, error));
    int by_output = output->gradient;
    if (output->activation || output->gradient < 0)
        TRY(clt__net_add_values(net, "output.gradient", batch, output->shape, true, &by_output, error));
    TRY(add_loss_op(net, options, by_output, error));
    if (!output->activation || output->gradient < 0) return CLT_OK;
    return add_activation_gradient(net, output, net->layer[net->layers - 1].name, by_output, error);
}

/* A layer whose backward op does not know the activation fused into its input writes the gradient by that activation's
 * output to a tensor of its own first. */
static clt_status add_detour(clt__net *net, const clt__layer *layer, int input, int *detour, clt_error *error)
{
    const clt__tensor *like = &net->tape.tensor[layer->in[input].gradient];
    char name[64], number[8] = "";
    if (layer->inputs > 1) (void)snprintf(number, sizeof number, ".%d", input + 1);
    (void)snprintf(name, sizeof name, "%s.input_gradient%s", layer->name, number);
    return clt__tape_add(&net->tape, name, net->tape.stored, CLT__IMAGES, like->extent, like->shown, -1, detour, error);
}

/* The output's gradient is that of each input from `first` on too, but for the activation fused into that. */
static clt_status pass_gradient(clt__net *net, int batch, clt__layer *layer, int first, clt_error *error)
{
    for (int i = first; i < layer->inputs; i++) {
        clt__value *in = &layer->in[i];
        clt__flow *flow = &net->flow[in->tensor];
        in->gradient = layer->out.gradient;
        if (!flow->wanted) continue;
        if (in->activation) {
            TRY(add_part(net, batch, in, &in->gradient, error));
            TRY(add_activation_gradient(net, in, layer->name, layer->out.gradient, error));
        } else {
            TRY(take_part(net, in, in->gradient, error));
        }
    }
    return CLT_OK;
}

static clt_status add_backward_op(clt__net *net, const clt__net_options *options, clt__layer *layer, clt_error *error)
{
    int whole[CLT__MAX_INPUTS];
    if (!net->flow[layer->out.tensor].wanted) return CLT_OK;
    TRY(finish_gradient(net, options->batch, &layer->out, layer->name, error));
    const int own = layer->row->passes_gradient ? 0 : layer->row->adds ? 1 : layer->inputs;
    TRY(pass_gradient(net, options->batch, layer, own, error));
    if (own == 0) return CLT_OK;
    TRY(add_up_rest(net, options->batch, layer, error));
    for (int i = 0; i < own; i++) {
        clt__value *in = &layer->in[i];
        whole[i] = in->gradient = -1;
        if (!net->flow[in->tensor].wanted) continue;
        TRY(add_part(net, options->batch, in, &in->gradient, error));
        whole[i] = in->gradient;
        const bool apart = in->activation && !(layer->row->takes_activation && i == 0);
        if (apart) TRY(add_detour(net, layer, i, &in->gradient, error));
    }
    TRY(layer->row->backward(&net->tape, layer, error));
    for (int i = 0; i < own; i++) {
        clt__value *in = &layer->in[i];
        const int detour = in->gradient;
        in->gradient = whole[i];
        if (detour != whole[i]) TRY(add_activation_gradient(net, in, layer->name, detour, error));
    }
    return CLT_OK;
}

static clt_status add_backward_ops(clt__net *net, const clt__net_options *options, clt_error *error)
{
    for (int i = net->layers - 1; i >= 0; i--)
        if (clt__net_has_own_ops(&net->layer[i])) TRY(add_backward_op(net, options, &net->layer[i], error));
    if (!options->input_gradient) return CLT_OK;
    return finish_gradient(net, options->batch, &net->input, "", error);
}

/* ---- ops: update */

/* Adds up what `from` has after each part of a whole: *sum, a new tensor of this name, or `from` where that is empty.
 */
static clt_status add_accumulate_op(clt__net *net, int from, const char *name, int *sum, clt_error *error)
{
    const int count = net->tape.tensor[from].count;
    const update_sizes sizes = {.count = count};
    *sum = from;
    if (!count) return CLT_OK;
    TRY(clt__net_add_flat(net, name, CLT__REALS, count, sum, error));
    const int tensor[] = {[ACCUMULATE_GRADIENT] = from, [ACCUMULATE_STEP] = net->step, [ACCUMULATE_SUM] = *sum};
    return CLT__ADD_OP(&net->tape, &clt__accumulate_op, "", sizes, tensor, error);
}

/* How many numbers layers keep from step to step by their own ops, where batches have shards. */
static int running_count(const clt__net *net)
{
    return net->running >= 0 ? net->tape.tensor[net->running].count : 0;
}

/* Each shard begins with what layers kept before the step, ... */
static clt_status add_restore_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = running_count(net)};
    if (!sizes.count) return CLT_OK;
    TRY(clt__net_add_flat(net, "update.running_before", CLT__REALS, sizes.count, &net->running_before, error));
    const int tensor[] = {
        [RESTORE_BEFORE] = net->running_before, [RESTORE_STEP] = net->step, [RESTORE_RUNNING] = net->running};
    return CLT__ADD_OP(&net->tape, &clt__restore_op, "", sizes, tensor, error);
}

/* ... and the step leaves the mean of what the shards have made of it. */
static clt_status add_settle_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = running_count(net)};
    if (!sizes.count) return CLT_OK;
    const int tensor[] = {[SETTLE_SUM] = net->running_sum,
                          [SETTLE_STEP] = net->step,
                          [SETTLE_RUNNING] = net->running,
                          [SETTLE_BEFORE] = net->running_before};
    return CLT__ADD_OP(&net->tape, &clt__settle_op, "", sizes, tensor, error);
}

static clt_status add_gather_ops(clt__net *net, clt_error *error)
{
    TRY(add_accumulate_op(net, net->of_shard, "update.of_batch", &net->of_batch, error));
    if (!running_count(net)) return CLT_OK;
    return add_accumulate_op(net, net->running, "update.running_sum", &net->running_sum, error);
}

int clt__net_trained(const clt__net *net, int after)
{
    for (int i = after + 1; i < (int)net->tape.tensor_count; i++)
        if (net->tape.tensor[i].root == net->parameters && i != net->parameters) return i;
    return -1;
}

/* Each tensor moves along its part of the direction by its trust ratio. */
static clt_status add_trust_ops(clt__net *net, update_sizes sizes, int direction, int hyper, clt_error *error)
{
    int trust;
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) sizes.tensors++;
    TRY(clt__net_add_flat(net, "update.segments", CLT__INTS, SEGMENT_LENGTH * sizes.tensors, &net->segments, error));
    TRY(clt__net_add_flat(net, "update.owners", CLT__INTS, (sizes.count + UPDATE_BLOCK - 1) / UPDATE_BLOCK,
                          &net->owners, error));
    TRY(clt__net_add_flat(net, "update.trust", CLT__REALS, sizes.tensors, &trust, error));
    const int ratio[] = {[TRUST_RATIO_WEIGHTS] = net->parameters,
                         [TRUST_RATIO_DIRECTION] = direction,
                         [TRUST_RATIO_SEGMENTS] = net->segments,
                         [TRUST_RATIO_TRUST] = trust};
    TRY(CLT__ADD_OP(&net->tape, &clt__trust_ratio_op, "", sizes, ratio, error));
    const int step[] = {[TRUST_STEP_WEIGHTS] = net->parameters,
                        [TRUST_STEP_DIRECTION] = direction,
                        [TRUST_STEP_OWNERS] = net->owners,
                        [TRUST_STEP_TRUST] = trust,
                        [TRUST_STEP_HYPER] = hyper,
                        [TRUST_STEP_RATES] = net->rates};
    return CLT__ADD_OP(&net->tape, &clt__trust_step_op, "", sizes, step, error);
}

static const clt__optimizer_row *chosen(const clt__net *net, const clt__net_options *options, int tensor)
{
    const clt__tensor *t = &net->tape.tensor[tensor];
    return clt__choose_optimizer(options->optimizer, options->optimizers, t->name, t->shown);
}

void clt__net_matrix(const clt__tensor *tensor, int *place, int *gram, int32_t row[MATRIX_LENGTH])
{
    const int filters = tensor->extent[0], values = tensor->count / filters;
    const bool flipped = filters > values;
    row[MATRIX_FIRST] = tensor->offset;
    row[MATRIX_PLACE] = *place;
    row[MATRIX_GRAM] = *gram;
    row[MATRIX_ROWS] = flipped ? filters : values;
    row[MATRIX_COLUMNS] = flipped ? values : filters;
    row[MATRIX_FLIPPED] = flipped;
    row[MATRIX_FILTER] = tensor->shown == CLT__SHOWN_FILTER;
    *place += tensor->count;
    *gram += row[MATRIX_COLUMNS] * row[MATRIX_COLUMNS];
}

/* What lies where while matrices become orthogonal: two that take turns, and the Gram matrix and its polynomial. */
typedef struct muon_tensors {
    int direction, norms, x[2], gram, square;
} muon_tensors;

static clt_status add_muon_tensors(clt__net *net, const clt__net_options *options, muon_sizes *sizes, muon_tensors *t,
                                   clt_error *error)
{
    int elements = 0, squares = 0;
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) {
        int32_t row[MATRIX_LENGTH];
        if (!chosen(net, options, i)->orthogonalizes) continue;
        clt__net_matrix(&net->tape.tensor[i], &elements, &squares, row);
        sizes->matrices++;
        if (row[MATRIX_ROWS] > sizes->rows) sizes->rows = row[MATRIX_ROWS];
        if (row[MATRIX_COLUMNS] > sizes->columns) sizes->columns = row[MATRIX_COLUMNS];
    }
    TRY(clt__net_add_flat(net, "update.matrices", CLT__INTS, MATRIX_LENGTH * sizes->matrices, &net->matrices, error));
    TRY(clt__net_add_flat(net, "update.norms", CLT__REALS, 2 * sizes->matrices, &t->norms, error));
    TRY(clt__net_add_flat(net, "update.x", CLT__REALS, elements, &t->x[0], error));
    TRY(clt__net_add_flat(net, "update.y", CLT__REALS, elements, &t->x[1], error));
    TRY(clt__net_add_flat(net, "update.gram", CLT__REALS, squares, &t->gram, error));
    return clt__net_add_flat(net, "update.square", CLT__REALS, squares, &t->square, error);
}

/* A Newton-Schulz iteration, from `x` to `y`. */
static clt_status add_iteration_ops(clt__net *net, const muon_sizes *sizes, const muon_tensors *t, int x, int y,
                                    clt_error *error)
{
    const int gram[] = {[MUON_GRAM_X] = x, [MUON_GRAM_MATRICES] = net->matrices, [MUON_GRAM_GRAM] = t->gram};
    const int square[] = {
        [MUON_SQUARE_GRAM] = t->gram, [MUON_SQUARE_MATRICES] = net->matrices, [MUON_SQUARE_SQUARE] = t->square};
    const int apply[] = {
        [MUON_APPLY_X] = x, [MUON_APPLY_SQUARE] = t->square, [MUON_APPLY_MATRICES] = net->matrices, [MUON_APPLY_Y] = y};
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_gram_op, "", *sizes, gram, error));
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_square_op, "", *sizes, square, error));
    return CLT__ADD_OP(&net->tape, &clt__muon_apply_op, "", *sizes, apply, error);
}

/* Each matrix moves along what is nearly the orthogonal one next to its part of the direction. */
static clt_status add_muon_ops(clt__net *net, const clt__net_options *options, int direction, int hyper,
                               clt_error *error)
{
    muon_sizes sizes = {.normalize = options->normalize_filters, .by_name = options->rates};
    muon_tensors t;
    TRY(add_muon_tensors(net, options, &sizes, &t, error));
    const int norms[] = {[MUON_NORMS_WEIGHTS] = net->parameters,
                         [MUON_NORMS_DIRECTION] = direction,
                         [MUON_NORMS_MATRICES] = net->matrices,
                         [MUON_NORMS_NORMS] = t.norms};
    const int begin[] = {[MUON_BEGIN_DIRECTION] = direction,
                         [MUON_BEGIN_NORMS] = t.norms,
                         [MUON_BEGIN_MATRICES] = net->matrices,
                         [MUON_BEGIN_X] = t.x[0]};
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_norms_op, "", sizes, norms, error));
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_begin_op, "", sizes, begin, error));
    for (int i = 0; i < options->ns_steps; i++)
        TRY(add_iteration_ops(net, &sizes, &t, t.x[i % 2], t.x[(i + 1) % 2], error));
    const int step[] = {[MUON_STEP_WEIGHTS] = net->parameters,
                        [MUON_STEP_X] = t.x[options->ns_steps % 2],
                        [MUON_STEP_NORMS] = t.norms,
                        [MUON_STEP_MATRICES] = net->matrices,
                        [MUON_STEP_HYPER] = hyper,
                        [MUON_STEP_DECAYS] = net->decays,
                        [MUON_STEP_RATES] = net->rates};
    return CLT__ADD_OP(&net->tape, &clt__muon_step_op, "", sizes, step, error);
}

static clt_status add_ema_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = net->tape.tensor[net->parameters].count};
    TRY(clt__net_add_flat(net, "update.average", CLT__REALS, sizes.count, &net->average, error));
    const int tensor[] = {[EMA_AVERAGES] = net->average, [EMA_WEIGHTS] = net->parameters, [EMA_HYPER] = net->hyper};
    return CLT__ADD_OP(&net->tape, &clt__ema_op, "", sizes, tensor, error);
}

/* In the order of their rows. */
static clt_status find_updaters(clt__net *net, const clt__net_options *options, clt_error *error)
{
    for (const clt__optimizer_row *const *row = clt__optimizer_rows; *row; row++) {
        bool any = false;
        for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) any = any || chosen(net, options, i) == *row;
        if (!any) continue;
        clt__updater *updater = &net->updater[net->updaters++];
        char name[64];
        updater->optimizer = *row;
        (void)snprintf(name, sizeof name, "update.hyper%s%s", net->updaters > 1 ? "." : "",
                       net->updaters > 1 ? (*row)->name : "");
        TRY(clt__net_add_flat(net, name, CLT__REALS, HYPER_LENGTH, &updater->hyper, error));
    }
    net->hyper = net->updater[0].hyper;
    return CLT_OK;
}

static clt_status add_norm_op(clt__net *net, const update_sizes *sizes, int gradients, clt_error *error)
{
    TRY(clt__tape_add(&net->tape, "update.scale", CLT__REALS, CLT__PLAIN, scalar, 1, -1, &net->scale, error));
    const int norm[] = {
        [GRADIENT_NORM_GRADIENT] = gradients, [GRADIENT_NORM_HYPER] = net->hyper, [GRADIENT_NORM_SCALE] = net->scale};
    return CLT__ADD_OP(&net->tape, &clt__gradient_norm_op, "", *sizes, norm, error);
}

/* Optimisers share the tensors of their states, each using its own parameters' part. */
static clt_status find_state(clt__net *net, const clt__optimizer_row *optimizer, int state, int count, clt_error *error)
{
    char name[64];
    if (net->state[state] >= 0) return CLT_OK;
    (void)snprintf(name, sizeof name, "update.%s", optimizer->state[state].name);
    return clt__net_add_flat(net, name, CLT__REALS, count, &net->state[state], error);
}

static clt_status add_optimizer_ops(clt__net *net, const clt__net_options *options, const clt__updater *updater,
                                    const update_sizes *sizes, int gradients, clt_error *error)
{
    const clt__optimizer_row *optimizer = updater->optimizer;
    int tensor[] = {[UPDATE_WEIGHTS] = net->parameters, [UPDATE_GRADIENT] = gradients, [UPDATE_HYPER] = updater->hyper,
                    [UPDATE_SCALE] = net->scale,        [UPDATE_DECAYS] = net->decays, [UPDATE_RATES] = net->rates,
                    [UPDATE_TAKERS] = net->takers,      [UPDATE_DIRECTION] = -1};
    int operands = UPDATE_STATE;
    for (int i = 0; optimizer->state[i].name; i++) {
        TRY(find_state(net, optimizer, i, sizes->count, error));
        tensor[operands++] = net->state[i];
    }
    int direction = -1;
    if (optimizer->trusts || optimizer->orthogonalizes) {
        TRY(clt__net_add_flat(net, optimizer->trusts ? "update.direction" : "update.direction.muon", CLT__REALS,
                              sizes->count, &direction, error));
        tensor[operands++] = direction;
    }
    TRY(clt__tape_add_op(&net->tape, optimizer->op, "", sizes, CLT__CHECKED_SIZE(*sizes), tensor, operands, error));
    if (optimizer->trusts) return add_trust_ops(net, *sizes, direction, updater->hyper, error);
    return optimizer->orthogonalizes ? add_muon_ops(net, options, direction, updater->hyper, error) : CLT_OK;
}

static clt_status add_unscaling_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = net->tape.tensor[net->parameters].count};
    if (!sizes.count) return CLT_OK; /* nothing to train */
    TRY(clt__net_add_flat(net, "loss.overflown", CLT__REALS, 1, &net->overflown, error));
    const int tensor[] = {
        [UNSCALE_GRADIENT] = net->of_batch, [UNSCALE_SCALE] = net->loss_scale, [UNSCALE_OVERFLOWN] = net->overflown};
    return CLT__ADD_OP(&net->tape, &clt__unscale_op, "", sizes, tensor, error);
}

static clt_status add_measuring_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = net->tape.tensor[net->parameters].count};
    if (!sizes.count) return CLT_OK; /* nothing to train */
    TRY(clt__net_add_flat(net, "update.norms", CLT__REALS, CLT__HISTORY_SLOTS / NORM_STEPS, &net->norms, error));
    const int tensor[] = {
        [MEASURED_NORM_GRADIENT] = net->of_batch, [MEASURED_NORM_STEP] = net->step, [MEASURED_NORM_NORMS] = net->norms};
    return CLT__ADD_OP(&net->tape, &clt__measured_norm_op, "", sizes, tensor, error);
}

static clt_status add_update_ops(clt__net *net, const clt__net_options *options, clt_error *error)
{
    const int count = net->tape.tensor[net->parameters].count, gradients = net->of_batch;
    if (!count) return CLT_OK; /* nothing to train */
    update_sizes sizes = {.count = count, .nesterov = options->nesterov, .clip_value = options->clip_value};
    TRY(find_updaters(net, options, error));
    sizes.by_name = options->rates || net->updaters > 1;
    if (options->decay_some) TRY(clt__net_add_flat(net, "update.decays", CLT__REALS, count, &net->decays, error));
    if (options->rates) TRY(clt__net_add_flat(net, "update.rates", CLT__REALS, count, &net->rates, error));
    if (net->updaters > 1)
        TRY(clt__net_add_flat(net, "update.takers", CLT__INTS, (count + UPDATE_BLOCK - 1) / UPDATE_BLOCK, &net->takers,
                              error));
    if (options->clip) TRY(add_norm_op(net, &sizes, gradients, error));
    for (sizes.taker = 0; sizes.taker < net->updaters; sizes.taker++)
        TRY(add_optimizer_ops(net, options, &net->updater[sizes.taker], &sizes, gradients, error));
    return options->average ? add_ema_op(net, error) : CLT_OK;
}

/* ---- banks */

/* Where shards wait for each other all are on their way at once, and each has memory of its own for what ops before the
 * gathering write, but for the history, where each has a row. */
static void mark_banks(clt__net *net, int banks)
{
    clt__tape *tape = &net->tape;
    if (!tape->sync_count) return;
    tape->banks = banks;
    for (size_t i = 0; i < net->gather; i++)
        for (int j = 0; j < clt__operand_count(tape->op[i].row); j++) {
            const int tensor = tape->op[i].tensor[j];
            if (tensor >= 0 && tensor != net->history && tape->op[i].row->operand[j].access != CLT__READ)
                tape->tensor[tape->tensor[tensor].root].banked = true;
        }
}

/* ---- all of it */

static clt_status add_all(clt__net *net, const clt__description *description, const clt__net_options *options,
                          clt_error *error)
{
    net->tape.stored = options->halves ? CLT__HALVES : CLT__REALS;
    TRY(clt__net_add_data(net, options, error));
    TRY(add_layers(net, description, options, error));
    TRY(clt__net_add_batch_ops(net, options, error));
    TRY(add_restore_op(net, error));
    net->forward = net->tape.op_count;
    TRY(add_forward_ops(net, error));
    net->backward = net->gather = net->unscale = net->measure = net->update = net->end = net->tape.op_count;
    if (!options->training) return CLT_OK;
    net->flows = net->tape.tensor_count;
    TRY(clt__allocate(net->flows, sizeof *net->flow, "the gradients' flow", &net->flow, error));
    find_wanted(net, options);
    find_takers(net);
    TRY(add_loss_ops(net, options, error));
    TRY(add_backward_ops(net, options, error));
    net->of_shard = net->gradients;
    if (options->accumulate) TRY(add_accumulate_op(net, net->gradients, "update.of_shard", &net->of_shard, error));
    net->of_batch = net->of_shard;
    net->gather = net->tape.op_count;
    if (options->shards > 1) TRY(add_gather_ops(net, error));
    net->unscale = net->tape.op_count;
    if (net->running_sum >= 0) TRY(add_settle_op(net, error));
    if (options->halves) TRY(add_unscaling_op(net, error));
    net->measure = net->tape.op_count;
    if (options->measures) TRY(add_measuring_op(net, error));
    net->update = net->tape.op_count;
    TRY(add_update_ops(net, options, error));
    net->end = net->tape.op_count;
    return CLT_OK;
}

static clt_status build(const clt__description *description, const clt__net_options *options, clt__net *net,
                        clt_error *error)
{
    TRY(add_all(net, description, options, error));
    const int lasting[] = {net->output.tensor, net->loss, net->hit, net->overflown};
    if (!options->keep_tensors)
        TRY(clt__share_memory(&net->tape, lasting, sizeof lasting / sizeof *lasting, options->merges, options->most,
                              error));
    mark_banks(net, options->banks);
    return CLT_OK;
}

clt_status clt__net_build(const clt__description *description, const clt__net_options *options, clt__net *net,
                          clt_error *error)
{
    *net = (clt__net){.parameters = -1,
                      .gradients = -1,
                      .running = -1,
                      .running_before = -1,
                      .running_sum = -1,
                      .of_shard = -1,
                      .of_batch = -1,
                      .state = {-1, -1},
                      .average = -1,
                      .frozen = -1,
                      .images = -1,
                      .labels = -1,
                      .targets = -1,
                      .number = -1,
                      .order = -1,
                      .step = -1,
                      .normalize = -1,
                      .label = -1,
                      .target = -1,
                      .class_weight = -1,
                      .mean_weight = -1,
                      .loss = -1,
                      .hit = -1,
                      .history = -1,
                      .loss_scale = -1,
                      .overflown = -1,
                      .norms = -1,
                      .hyper = -1,
                      .scale = -1,
                      .decays = -1,
                      .rates = -1,
                      .takers = -1,
                      .matrices = -1,
                      .segments = -1,
                      .owners = -1};
    const clt_status status = build(description, options, net, error);
    if (status != CLT_OK) clt__net_free(net);
    return status;
}

clt_status clt__net_outline(const clt__description *description, clt__net *net, clt_error *error)
{
    const clt__net_options options = {.input = description->input,
                                      .batch = 1,
                                      .images = 1,
                                      .bytes = true,
                                      .loss = clt__loss_of(description),
                                      .keep_tensors = true};
    return clt__net_build(description, &options, net, error);
}

void clt__net_free(clt__net *net)
{
    clt__tape_free(&net->tape);
    free(net->layer);
    for (size_t i = 0; net->flow && i < net->flows; i++) free(net->flow[i].part);
    free(net->flow);
    net->layer = NULL;
    net->flow = NULL;
    net->layers = 0;
}
