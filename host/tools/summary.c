/* A net at a glance: its layers, their shapes, parameters and arithmetic. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "model/model.h"

/* The arithmetic of an op does not depend on how it is run: any device's limits tell it. */
static const clt__limits some_limits = {.real_bytes = sizeof(float),
                                        .vector_width = 1,
                                        .registers = 16,
                                        .patch_bytes = 1 << 16,
                                        .schedule = CLT_SCHEDULE_VECTOR,
                                        .work_group_items = 1,
                                        .preferred_multiple = 1,
                                        .item_block = 1,
                                        .item_sums = 1,
                                        .slab = 1,
                                        .compute_units = 1,
                                        .unit_lanes = 1,
                                        .local_bytes = 1 << 16};

struct clt_summary {
    size_t rows;
    clt_summary_row *row;
};

static double count_flops(const clt__tape *tape, const char *layer)
{
    double flops = 0;
    for (size_t i = 0; i < tape->op_count; i++) {
        if (strcmp(tape->op[i].layer, layer) != 0) continue;
        clt__sizes sizes = tape->op[i].sizes;
        clt__launches launches;
        clt__find_launches(tape->op[i].row, &sizes, &some_limits, &launches);
        flops += launches.flops;
    }
    return flops;
}

static void list_sources(const clt__description *d, const clt__item *item, char *text, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < item->inputs && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? "," : "",
                                   item->from[i] ? d->item[item->from[i] - 1].name : "input");
}

static void fill_row(const clt__net *net, const clt__description *d, size_t index, clt_summary_row *row)
{
    const clt__layer *layer = &net->layer[index];
    const clt_shape out = layer->out.shape;
    const uint64_t values = (uint64_t)out.channels * (uint64_t)out.height * (uint64_t)out.width;
    *row = (clt_summary_row){.kind = layer->row->name,
                             .fused = layer->row->forward && !layer->row->training_only && !clt__net_has_own_ops(layer),
                             .bytes = values * sizeof(float)};
    memcpy(row->name, layer->name, sizeof row->name);
    list_sources(d, &d->item[index], row->from, sizeof row->from);
    if (layer->out.flat)
        (void)snprintf(row->output, sizeof row->output, "%llu", (unsigned long long)values);
    else
        (void)snprintf(row->output, sizeof row->output, "%dx%dx%d", out.channels, out.height, out.width);
    for (int i = 0; i < layer->parameters; i++) {
        const clt__tensor *tensor = &net->tape.tensor[layer->parameter[i].tensor];
        *(tensor->root == net->parameters ? &row->trained : &row->kept) += (uint64_t)tensor->count;
    }
    row->flops = count_flops(&net->tape, layer->name);
}

static clt_status summarize(const clt__description *d, clt_summary *summary, clt_error *error)
{
    clt__net net;
    TRY(clt__net_outline(d, &net, error));
    const clt_status status = clt__allocate(d->count, sizeof *summary->row, "the summary", &summary->row, error);
    for (size_t i = 0; i < d->count && status == CLT_OK; i++) fill_row(&net, d, i, &summary->row[summary->rows++]);
    clt__net_free(&net);
    return status;
}

clt_status clt_summarize(const clt_options *options, clt_summary **summary, clt_error *error)
{
    clt__description description;
    clt_options none;
    *summary = NULL;
    TRY(clt__describe_model(clt__options_or_default(options, &none), &description, error));
    clt_status status = clt__allocate(1, sizeof **summary, "a summary", summary, error);
    if (status == CLT_OK) status = summarize(&description, *summary, error);
    clt__description_free(&description);
    if (status == CLT_OK) return CLT_OK;
    clt_summary_close(*summary);
    *summary = NULL;
    return status;
}

size_t clt_summary_count(const clt_summary *summary)
{
    return summary->rows;
}

const clt_summary_row *clt_summary_at(const clt_summary *summary, size_t index)
{
    return index < summary->rows ? &summary->row[index] : NULL;
}

void clt_summary_close(clt_summary *summary)
{
    if (!summary) return;
    free(summary->row);
    free(summary);
}
