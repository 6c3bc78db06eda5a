/* A training step's launches, before anything is built, and a model of the time that they take. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/pretend.h"
#include "device/tiling.h"
#include "tools/planned_net.h"

typedef struct program {
    clt_launch_program shown;
    char *options, *source; /* what `shown` points to */
} program;

struct clt_launch_plan {
    clt_launch_sums sums;
    clt_launch_row *row; /* one a launch, in a step's order */
    size_t rows, row_capacity;
    program *program; /* each once, in the order in which they are first needed */
    size_t programs, program_capacity;
};

/* ---- the model
 *
 * A launch takes the longest of: what a launch costs, its bytes at 85 % of the memory's bandwidth, the same bytes with
 * as many on their way as its work-items can wait for, and what tiling.h counts for its arithmetic and its chain of
 * reads, of which 60 % is reached. The launch's cost and the 60 % are what an H100 shows (NVIDIA's driver 580.159,
 * whose host enqueues a kernel each 6 to 8 us; convolutions of resnet18 take 1.4 to 2 times as long as their
 * instructions). */

static const double LAUNCH_SECONDS = 7e-6, BANDWIDTH_REACHED = 0.85, ARITHMETIC_REACHED = 0.6;
enum { BYTES_AHEAD = 16 }; /* what a work-item has on its way at a time: four reals */

static double modelled_seconds(const clt__speed *speed, const clt__limits *limits, double clocks,
                               const clt_launch_row *row)
{
    const double lanes = (double)limits->compute_units * limits->unit_lanes;
    const double items = (double)row->groups * (row->group_items > 0 ? row->group_items : 1);
    const double resident = (double)limits->compute_units * speed->resident;
    const double ahead = (items < resident ? items : resident) * BYTES_AHEAD, latency = CLT__LATENCY / speed->clock;
    double seconds = fmax(LAUNCH_SECONDS, row->bytes / (BANDWIDTH_REACHED * speed->memory));
    seconds = fmax(seconds, row->bytes / (ahead / latency));
    if (clocks <= 0) clocks = row->flops / 2 / lanes;
    return fmax(seconds, clocks / speed->clock / ARITHMETIC_REACHED);
}

/* ---- rows */

/* Finds or adds the program of an op's launches. */
static clt_status find_program(const clt_device *device, const char *file, const char *options, clt_launch_plan *plan,
                               size_t *index, clt_error *error)
{
    for (*index = 0; *index < plan->programs; ++*index)
        if (strcmp(plan->program[*index].shown.file, file) == 0 && strcmp(plan->program[*index].options, options) == 0)
            return CLT_OK;
    TRY(clt__grow(&plan->program, &plan->program_capacity, plan->programs, sizeof *plan->program, error));
    program *fresh = &plan->program[plan->programs++];
    clt__text source = {0};
    *fresh = (program){.options = NULL};
    TRY(clt__copy_text(options, &fresh->options, error));
    const clt_status status = clt__program_source(device, file, &source, error);
    fresh->source = source.start; /* also where it was cut short */
    fresh->shown = (clt_launch_program){file, fresh->options, fresh->source};
    return status;
}

/* The first launch of several reads what the op reads, the last writes what it writes; between them lies scratch
 * memory. (Of a few operands that is not so: an addend is read by the last. The sum of all is right.) */
static double bytes_of(const clt__tape *tape, const clt__op *op, clt_precision precision, const clt__launches *launches,
                       int which)
{
    const int ops = launches->ops;
    const bool first = which == 0, last = which == launches->count - 1;
    const double size = (double)clt__element_bytes(CLT__REALS, precision);
    const double all = (double)launches->scratch_reals * (first || last ? 1 : 2);
    const double moved = launches->moved[which] ? (double)launches->moved[which] : all;
    return (launches->count > 1 ? moved * size : 0) + (first ? clt__merged_bytes(tape, op, ops, precision, false) : 0) +
           (last ? clt__merged_bytes(tape, op, ops, precision, true) : 0);
}

/* Of an op and those that are merged with it: *ops is how many that are. */
static clt_status add_op(const clt__tape *tape, size_t which, clt_device *device, clt_precision precision,
                         clt_launch_plan *plan, size_t *ops, clt_error *error)
{
    const clt__op *op = &tape->op[which];
    const clt__limits limits = clt__device_limits(device, precision);
    const clt__speed *speed = clt__device_speed(device);
    clt__sizes sizes[CLT__MAX_MERGED];
    clt__launches launches;
    char defines[CLT__MOST_DEFINES], options[CLT__MOST_OPTIONS];
    size_t number;
    TRY(clt__launches_of(device, precision, tape, which, CLT__MERGED, INT_MAX, sizes, &launches, error));
    TRY(clt__defines_of(device, precision, tape, op, sizes, &launches, false, defines, error));
    *ops = (size_t)launches.ops;
    TRY(clt__program_options(launches.file, precision, defines, options, sizeof options, error));
    TRY(find_program(device, launches.file, options, plan, &number, error));
    for (int i = 0; i < launches.count; i++) {
        const clt__launch *launch = &launches.launch[i];
        TRY(clt__grow(&plan->row, &plan->row_capacity, plan->rows, sizeof *plan->row, error));
        clt_launch_row *row = &plan->row[plan->rows++];
        const size_t items = launch->local[0] * launch->local[1] * launch->local[2],
                     all = launch->global[0] * launch->global[1] * launch->global[2];
        *row = (clt_launch_row){.op = launches.op,
                                .kernel = launch->kernel,
                                .group_items = (int)items,
                                .groups = items ? all / items : all,
                                .local_bytes =
                                    launch->takes_local ? launches.local_reals * (uint64_t)limits.real_bytes : 0,
                                .bytes = bytes_of(tape, op, precision, &launches, i),
                                .flops = i == launches.arithmetic ? launches.flops : 0,
                                .program = number,
                                .number = which};
        memcpy(row->layer, op->layer, sizeof row->layer);
        row->waves = (row->groups + (uint64_t)limits.compute_units - 1) / (uint64_t)limits.compute_units;
        if (speed) row->seconds = modelled_seconds(speed, &limits, launches.clocks[i], row);
        plan->sums.seconds += row->seconds;
        plan->sums.bytes += row->bytes;
        plan->sums.flops += row->flops;
    }
    return CLT_OK;
}

/* ---- all of it */

static clt_status plan_into(const clt_options *options, clt_device *device, clt_launch_plan *plan, clt_error *error)
{
    const clt_precision precision = (clt_precision)options->precision;
    clt__net net;
    if (clt__device_is_reference(device))
        return FAIL(error, CLT_BAD_ARGUMENT, "the reference launches nothing: choose a device, or pretend one");
    TRY(clt__check_precision(device, precision, error));
    TRY(clt__planned_net(options, device, options->batch_size, &net, &(clt__needs){0}, NULL, error));
    clt_status status = CLT_OK;
    for (size_t i = 0, ops; i < net.end && status == CLT_OK; i += ops)
        status = add_op(&net.tape, i, device, precision, plan, &ops, error);
    plan->sums.micro_batch_size = net.tape.tensor[net.label].count;
    plan->sums.compute_units = clt__device_limits(device, precision).compute_units;
    clt__net_free(&net);
    return status;
}

clt_status clt_plan_launches(const clt_options *options, clt_device *device, clt_launch_plan **made, clt_error *error)
{
    clt_options none;
    clt_launch_plan *fresh;
    *made = NULL;
    TRY(clt__allocate(1, sizeof *fresh, "a plan", &fresh, error));
    const clt_status status = plan_into(clt__options_or_default(options, &none), device, fresh, error);
    if (status == CLT_OK)
        *made = fresh;
    else
        clt_launch_plan_close(fresh);
    return status;
}

const clt_launch_sums *clt_launch_plan_total(const clt_launch_plan *plan)
{
    return &plan->sums;
}

size_t clt_launch_plan_count(const clt_launch_plan *plan)
{
    return plan->rows;
}

const clt_launch_row *clt_launch_plan_at(const clt_launch_plan *plan, size_t index)
{
    return index < plan->rows ? &plan->row[index] : NULL;
}

size_t clt_launch_plan_programs(const clt_launch_plan *plan)
{
    return plan->programs;
}

const clt_launch_program *clt_launch_plan_program_at(const clt_launch_plan *plan, size_t index)
{
    return index < plan->programs ? &plan->program[index].shown : NULL;
}

void clt_launch_plan_close(clt_launch_plan *plan)
{
    if (!plan) return;
    for (size_t i = 0; i < plan->programs; i++) {
        free(plan->program[i].options);
        free(plan->program[i].source);
    }
    free(plan->program);
    free(plan->row);
    free(plan);
}
