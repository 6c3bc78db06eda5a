/* The ops that make the loss and, from its gradient, those of all that is trained. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "net/build.h"

/* ---- whose gradients are wanted, and who adds up their parts */

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

/* ---- the parts of a gradient */

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

/* ---- the loss */

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

/* ---- backward */

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

clt_status clt__net_add_gradient_ops(clt__net *net, const clt__net_options *options, clt_error *error)
{
    net->flows = net->tape.tensor_count;
    TRY(clt__allocate(net->flows, sizeof *net->flow, "the gradients' flow", &net->flow, error));
    find_wanted(net, options);
    find_takers(net);
    TRY(add_loss_ops(net, options, error));
    return add_backward_ops(net, options, error);
}
