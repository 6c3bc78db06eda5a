/* A net's tape, from its description: the files that add its ops, in their order, and the memory that they share. */
#include "net/net.h"

#include <stdlib.h>

#include "net/build.h"
#include "net/memory_plan.h"

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
    TRY(clt__net_add_layers(net, description, options, error));
    TRY(clt__net_add_batch_ops(net, options, error));
    TRY(clt__net_add_restore_op(net, error));
    net->forward = net->tape.op_count;
    TRY(clt__net_add_forward_ops(net, error));
    net->backward = net->gather = net->unscale = net->measure = net->update = net->end = net->tape.op_count;
    if (!options->training) return CLT_OK;
    TRY(clt__net_add_gradient_ops(net, options, error));
    return clt__net_add_update_ops(net, options, error);
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
