/* What a net takes of a device's memory, tensor by tensor, before anything is allocated. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tools/planned_net.h"

struct clt_plan {
    clt_plan_sums sums;
    size_t rows;
    clt_plan_row *row; /* one a tensor */
};

static uint64_t bytes_of(const clt__tensor *tensor, int count, clt_precision kept)
{
    return (uint64_t)count * clt__element_bytes(tensor->type, kept);
}

static void fill_row(const clt__tensor *tensor, clt_precision kept, clt_plan_row *row)
{
    static const char *const types[] = {
        [CLT__REALS] = "real", [CLT__INTS] = "int", [CLT__BYTES] = "byte", [CLT__HALVES] = "half"};
    *row = (clt_plan_row){.type = types[tensor->type],
                          .bytes = bytes_of(tensor, tensor->count, kept),
                          .shared = tensor->shared,
                          .first = tensor->first,
                          .last = tensor->last,
                          .offset = bytes_of(tensor, tensor->offset, kept)};
    memcpy(row->tensor, tensor->name, sizeof row->tensor);
    clt__shape_text(tensor, row->shape, sizeof row->shape);
}

/* A root that other tensors lie in is shown by them. */
static bool is_shown(const clt__net *net, int tensor)
{
    return tensor != net->parameters && tensor != net->frozen && tensor != net->gradients && tensor != net->running &&
           !(net->tape.tensor[tensor].shared && net->tape.tensor[tensor].root == tensor);
}

static bool is_of(const clt__tensor *tensor, const char *group)
{
    return strncmp(tensor->name, group, strlen(group)) == 0;
}

/* Adds a root, or a tensor of its own, to the sum that it belongs to. */
static void add_to_sums(const clt__net *net, int tensor, clt_precision kept, clt_plan *plan)
{
    const clt__tensor *t = &net->tape.tensor[tensor];
    const uint64_t bytes = bytes_of(t, t->count, kept) * (uint64_t)clt__root_banks(&net->tape, t->root);
    if (tensor == net->parameters || tensor == net->frozen || tensor == net->running)
        plan->sums.parameter_bytes += bytes;
    else if (is_of(t, "update."))
        plan->sums.optimizer_bytes += bytes;
    else if (is_of(t, "data."))
        plan->sums.data_bytes += bytes;
    else if (t->root == tensor)
        plan->sums.shared_bytes += bytes;
}

static clt_status list(const clt__net *net, clt_precision kept, clt_plan *plan, clt_error *error)
{
    const clt__tape *tape = &net->tape;
    TRY(clt__allocate(tape->tensor_count, sizeof *plan->row, "the plan", &plan->row, error));
    for (size_t i = 0; i < tape->tensor_count; i++) {
        const clt__tensor *t = &tape->tensor[i];
        if (t->root == (int)i) add_to_sums(net, (int)i, kept, plan);
        if (!is_shown(net, (int)i)) continue;
        fill_row(t, kept, &plan->row[plan->rows++]);
        if (t->shared || (t->root == (int)i && !is_of(t, "update.") && !is_of(t, "data.")))
            plan->sums.unshared_bytes +=
                clt__tape_room(t) * clt__element_bytes(t->type, kept) * (uint64_t)clt__root_banks(tape, t->root);
    }
    return CLT_OK;
}

static clt_status plan_into(const clt_options *options, clt_device *device, clt_plan *plan, clt_error *error)
{
    clt__net net;
    clt__needs needs;
    int batch;
    TRY(clt__planned_net(options, device, options->images, &net, &needs, &batch, error));
    const clt_precision precision = (clt_precision)options->precision,
                        kept = clt__device_is_reference(device) ? CLT_F64 : precision;
    plan->sums = (clt_plan_sums){.batch_size = batch,
                                 .micro_batch_size = net.tape.tensor[net.label].count,
                                 .ops = (int)net.end,
                                 .scratch_bytes = needs.scratch,
                                 .total_bytes = needs.total,
                                 .free_bytes = clt__device_limits(device, precision).free_bytes};
    const clt_status status = list(&net, kept, plan, error);
    clt__net_free(&net);
    return status;
}

clt_status clt_plan_memory(const clt_options *options, clt_device *device, clt_plan **made, clt_error *error)
{
    clt_options none;
    *made = NULL;
    clt_plan *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a plan", &fresh, error));
    const clt_status status = plan_into(clt__options_or_default(options, &none), device, fresh, error);
    if (status == CLT_OK)
        *made = fresh;
    else
        clt_plan_close(fresh);
    return status;
}

const clt_plan_sums *clt_plan_total(const clt_plan *plan)
{
    return &plan->sums;
}

size_t clt_plan_count(const clt_plan *plan)
{
    return plan->rows;
}

const clt_plan_row *clt_plan_at(const clt_plan *plan, size_t index)
{
    return index < plan->rows ? &plan->row[index] : NULL;
}

void clt_plan_close(clt_plan *plan)
{
    if (!plan) return;
    free(plan->row);
    free(plan);
}
