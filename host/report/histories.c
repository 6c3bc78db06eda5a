/* What layers were like, epoch by epoch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/chart.h"
#include "report/sections.h"

/* The rows of one parameter or layer. */
typedef struct history {
    const char *name;
    double *epoch, *value[2]; /* [count] of each */
    size_t count, capacity[3];
} history;

typedef struct histories {
    history *all;
    size_t count, capacity;
} histories;

/* ---- from rows */

static clt_status history_of(histories *h, const clt__layer_figures *row, history **found, clt_error *error)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->all[i].name, row->name) == 0) {
            *found = &h->all[i];
            return CLT_OK;
        }
    TRY(clt__grow(&h->all, &h->capacity, h->count, sizeof *h->all, error));
    *found = &h->all[h->count++];
    **found = (history){.name = row->name};
    return CLT_OK;
}

static clt_status add_point(history *h, const clt__layer_figures *row, clt_error *error)
{
    const double point[] = {row->epoch, row->value[0], row->value[1]};
    double **column[] = {&h->epoch, &h->value[0], &h->value[1]};
    for (int i = 0; i < 3; i++) {
        TRY(clt__grow(column[i], &h->capacity[i], h->count, sizeof **column[i], error));
        (*column[i])[h->count] = point[i];
    }
    h->count++;
    return CLT_OK;
}

static clt_status take_rows(histories *h, const clt__layer_figures *rows, size_t count, clt_error *error)
{
    for (size_t i = 0; i < count; i++) {
        history *own;
        TRY(history_of(h, &rows[i], &own, error));
        TRY(add_point(own, &rows[i], error));
    }
    return CLT_OK;
}

static void free_histories(histories *h)
{
    for (size_t i = 0; i < h->count; i++) {
        free(h->all[i].epoch);
        for (int j = 0; j < 2; j++) free(h->all[i].value[j]);
    }
    free(h->all);
}

/* ---- charts */

/* Which are drawn: of the weights, not the biases; */
static bool is_weight(CLT__UNUSED const histories *parameters, const history *h)
{
    const size_t length = strlen(h->name);
    return length > 7 && strcmp(h->name + length - 7, ".weight") == 0;
}

/* of the layers those that have weights; */
static bool has_weights(const histories *parameters, const history *h)
{
    char weight[80];
    (void)snprintf(weight, sizeof weight, "%s.weight", h->name);
    for (size_t i = 0; i < parameters->count; i++)
        if (strcmp(parameters->all[i].name, weight) == 0) return true;
    return false;
}

/* and those in which something was dead. */
static bool has_dead(CLT__UNUSED const histories *parameters, const history *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->value[CLT__DEAD][i] > 0) return true;
    return false;
}

typedef bool (*is_drawn)(const histories *parameters, const history *h);

/* No more than are easily told apart. */
static void draw(clt__html *to, const char *title, const histories *h, int which, const histories *parameters,
                 is_drawn wanted)
{
    clt__series series[CLT__CHART_COLOURS];
    size_t drawn = 0, left_out = 0;
    for (size_t i = 0; i < h->count; i++) {
        const history *one = &h->all[i];
        if (!wanted(parameters, one)) continue;
        if (drawn == CLT__CHART_COLOURS) {
            left_out++;
            continue;
        }
        series[drawn] = (clt__series){
            .name = one->name, .look = (int)drawn, .x = one->epoch, .y = one->value[which], .count = one->count};
        drawn++;
    }
    char text[160];
    (void)snprintf(text, sizeof text, left_out ? "%s (the first %zu of %zu)" : "%s", title, drawn, drawn + left_out);
    const clt__chart chart = {
        .title = text, .across = "epoch", .series = series, .count = drawn, .mark = NAN, .from_zero = true};
    clt__chart_lines(to, &chart);
}

/* ---- what is named */

static bool is_large(double size)
{
    return !(size < CLT__EXPLODED);
}

static void name_exploded(clt__html *to, const histories *h)
{
    clt__html list = {.status = CLT_OK};
    for (size_t i = 0; i < h->count; i++) {
        const history *one = &h->all[i];
        size_t first = 0;
        while (first < one->count && !is_large(one->value[CLT__SIZE][first])) first++;
        if (first == one->count) continue;
        clt__html_comma(&list);
        clt__html_text(&list, one->name);
        clt__html_print(&list, " (from epoch %g on)", one->epoch[first]);
    }
    clt__html_list(to, "Layers that gave more than 1,000, or no finite numbers:", &list);
}

/* Where more did than were dead at first, or many are. */
static void name_died(clt__html *to, const histories *h)
{
    static const double many = 0.5;
    clt__html list = {.status = CLT_OK};
    for (size_t i = 0; i < h->count; i++) {
        const history *one = &h->all[i];
        if (!one->count) continue;
        const double first = one->value[CLT__DEAD][0], last = one->value[CLT__DEAD][one->count - 1];
        if (!(last > first || last >= many)) continue;
        clt__html_comma(&list);
        clt__html_text(&list, one->name);
        clt__html_print(&list, " (%.3g&nbsp;%% after epoch %g, %.3g&nbsp;%% after epoch %g)", 100 * first,
                        one->epoch[0], 100 * last, one->epoch[one->count - 1]);
    }
    clt__html_list(to, "Units that are dead, as they gave 0 for all images that were watched:", &list);
}

clt_status clt__layers_over_time(clt__html *to, const clt__run *run, clt_error *error)
{
    histories parameters = {0}, layers = {0};
    clt_status status = take_rows(&parameters, run->layer, run->layers, error);
    if (status == CLT_OK) status = take_rows(&layers, run->activation, run->activations, error);
    if (status == CLT_OK && parameters.count + layers.count) {
        clt__html_print(to, "<h3>Layer by layer, over time</h3><p class=\"soft\">Root mean squares as each epoch "
                            "ended; what layers gave is that for a few images.</p>");
        name_exploded(to, &layers);
        name_died(to, &layers);
        clt__html_print(to, "<div class=\"charts\">");
        draw(to, "Weights", &parameters, CLT__WEIGHT, &parameters, is_weight);
        draw(to, "Gradients of the last step", &parameters, CLT__GRADIENT, &parameters, is_weight);
        draw(to, "What layers gave", &layers, CLT__SIZE, &parameters, has_weights);
        draw(to, "Share of units that were dead", &layers, CLT__DEAD, &parameters, has_dead);
        clt__html_print(to, "</div>");
    }
    free_histories(&parameters);
    free_histories(&layers);
    return status;
}
