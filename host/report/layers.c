/* The net as a drawing, and what its numbers are like. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "options/options.h"
#include "report/chart.h"
#include "report/sections.h"

/* ---- the drawing */

/* "12,345" of parameters is easier to read as 12.3 K. */
static void write_count(clt__html *to, uint64_t count)
{
    if (count >= 1000000)
        clt__html_print(to, "%.2f&nbsp;M", (double)count / 1e6);
    else if (count >= 10000)
        clt__html_print(to, "%.1f&nbsp;K", (double)count / 1e3);
    else
        clt__html_print(to, "%" PRIu64, count);
}

static void draw_layer(clt__html *to, const clt_summary_row *row, const char *before)
{
    clt__html_print(to, "<li><b>");
    clt__html_text(to, row->name);
    clt__html_print(to, "</b><span>%s</span>", row->kind);
    if (*row->from && strcmp(row->from, before) != 0) {
        clt__html_print(to, "<span>reads ");
        clt__html_text(to, row->from);
        clt__html_print(to, "</span>");
    }
    clt__html_print(to, "<span class=\"last\">");
    if (row->trained + row->kept) {
        write_count(to, row->trained + row->kept);
        clt__html_print(to, " parameters &rarr; ");
    }
    clt__html_print(to, "%s</span></li>", row->output);
}

clt_status clt__net_drawing(clt__html *to, const clt__run *run, clt_error *error)
{
    clt_options options = clt__options_default();
    clt_summary *summary;
    uint64_t parameters = 0;
    double flops = 0;
    options.net = clt_model_net(run->model);
    TRY(clt_summarize(&options, &summary, error));
    const size_t count = clt_summary_count(summary);
    for (size_t i = 0; i < count; i++) {
        const clt_summary_row *row = clt_summary_at(summary, i);
        parameters += row->trained + row->kept;
        flops += row->flops;
    }
    clt__html_print(to, "<h2>The net</h2><p>%zu layers with ", count);
    write_count(to, parameters);
    clt__html_print(to,
                    " parameters; %.4g million operations an image. Its loss is "
                    "<code>%s</code>.</p><details%s><summary>Its layers, one after "
                    "another</summary><ol class=\"net\">",
                    flops / 1e6, clt_model_loss(run->model), count <= 30 ? " open" : "");
    for (size_t i = 0; i < count; i++)
        draw_layer(to, clt_summary_at(summary, i), i ? clt_summary_at(summary, i - 1)->name : "input");
    clt__html_print(to, "</ol></details>");
    clt_summary_close(summary);
    return CLT_OK;
}

/* ---- distributions */

void clt__distribution_head(clt__html *to, const char *of)
{
    clt__html_print(to,
                    "<div class=\"wide\"><table><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">values</th><th "
                    "scope=\"col\">mean</th>"
                    "<th scope=\"col\">deviation</th><th scope=\"col\">least</th><th scope=\"col\">most</th><th "
                    "scope=\"col\">zeros</th>"
                    "<th scope=\"col\" class=\"left\">how they lie</th></tr></thead><tbody>",
                    of);
}

enum { HISTOGRAM_BINS = 30 };

static void write_histogram(clt__html *to, const double *values, size_t count, double least, double most)
{
    size_t bins[HISTOGRAM_BINS] = {0}, highest = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        const double place = most > least ? (values[i] - least) / (most - least) * HISTOGRAM_BINS : 0;
        const size_t bin = place < HISTOGRAM_BINS ? (size_t)place : HISTOGRAM_BINS - 1;
        if (++bins[bin] > highest) highest = bins[bin];
    }
    clt__html_print(
        to,
        "<svg class=\"histogram\" viewBox=\"0 0 %d 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"",
        HISTOGRAM_BINS);
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        if (bins[i])
            clt__html_print(to, "M%d 100V%.1fh1V100z", i, 100 - fmax(2, 100 * (double)bins[i] / (double)highest));
    clt__html_print(to, "\"/></svg>");
}

void clt__distribution_row(clt__html *to, const char *name, const double *values, size_t count)
{
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
    size_t zeros = 0, finite = 0;
    for (size_t i = 0; i < count; i++) {
        zeros += values[i] == 0;
        if (!isfinite(values[i])) continue;
        finite++;
        sum += values[i];
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    const double mean = finite ? sum / (double)finite : NAN;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) squares += (values[i] - mean) * (values[i] - mean);
    const double shown[] = {mean, finite ? sqrt(squares / (double)finite) : NAN, finite ? least : NAN,
                            finite ? most : NAN};
    clt__html_print(to, "<tr><th scope=\"row\">");
    clt__html_text(to, name);
    clt__html_print(to, "</th><td>%zu</td>", count);
    for (int i = 0; i < 4; i++) {
        clt__html_print(to, "<td>");
        clt__html_number(to, shown[i], 3);
        clt__html_print(to, "</td>");
    }
    clt__html_print(to, "<td>%.0f&nbsp;%%</td><td>", count ? 100 * (double)zeros / (double)count : 0);
    if (finite < count)
        clt__html_print(to, "<span class=\"bad\">%zu are not finite</span>", count - finite);
    else if (count)
        write_histogram(to, values, count, least, most);
    clt__html_print(to, "</td></tr>");
}

clt_status clt__weights(clt__html *to, const clt__run *run, clt_error *error)
{
    clt__html_print(to, "<h3>The weights</h3>");
    clt__distribution_head(to, "parameter");
    for (size_t i = 0; i < clt_model_parameter_count(run->model); i++) {
        const clt_tensor_info *info = clt_model_parameter(run->model, i);
        double *values;
        TRY(clt__allocate(info->count, sizeof *values, info->name, &values, error));
        const clt_status status = clt_model_get(run->model, info->name, values, info->count, error);
        if (status == CLT_OK) clt__distribution_row(to, info->name, values, info->count);
        free(values);
        TRY(status);
    }
    clt__html_print(to, "</tbody></table></div>");
    return CLT_OK;
}
