/* The layers of a net, from its lines: shapes, what is fused, parameters, outputs; and their forward ops. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "net/build.h"

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

/* ---- lines that become part of others */

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

/* ---- parameters and outputs */

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

/* ---- layers */

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

clt_status clt__net_add_layers(clt__net *net, const clt__description *description, const clt__net_options *options,
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

/* ---- their ops */

bool clt__net_has_own_ops(const clt__layer *layer)
{
    for (int i = 0; i < layer->inputs; i++)
        if (layer->out.tensor == layer->in[i].tensor) return false;
    return layer->row->forward;
}

clt_status clt__net_add_forward_ops(clt__net *net, clt_error *error)
{
    for (int i = 0; i < net->layers; i++)
        if (clt__net_has_own_ops(&net->layer[i])) TRY(net->layer[i].row->forward(&net->tape, &net->layer[i], error));
    return CLT_OK;
}
