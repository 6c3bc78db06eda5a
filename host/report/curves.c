/* How runs went, and what they differ in. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "report/chart.h"
#include "report/sections.h"

/* ---- in a sentence */

/* "97.3 %" */
static void write_share(clt__html *to, double share)
{
    clt__html_print(to, "%.2f&nbsp;%%", 100 * share);
}

static void write_net(clt__html *to, const clt__run *run)
{
    const clt_shape input = clt_model_input(run->model);
    const int of_model = clt_model_epochs(run->model),
              epochs = of_model > (int)run->epochs ? of_model : (int)run->epochs;
    clt__html_print(to, "A net for images of %dx%dx%d was trained for %d epoch%s", input.channels, input.height,
                    input.width, epochs, epochs == 1 ? "" : "s");
    if (run->record.images) clt__html_print(to, " on %" PRId64 " images", run->record.images);
    if (!*run->record.data) return;
    clt__html_print(to, " of ");
    clt__html_text(to, run->record.data);
}

void clt__headline(clt__html *to, const clt__run *run)
{
    const size_t best = clt__run_best(run);
    const clt__run_record *record = &run->record;
    clt__html_print(to, "<p class=\"lead\">");
    write_net(to, run);
    if (best < run->epochs) {
        const double accuracy = run->metric[CLT__VAL_ACCURACY][best], loss = run->metric[CLT__VAL_LOSS][best];
        clt__html_print(to, ". Its best epoch was %g: ", run->metric[CLT__EPOCH][best]);
        if (isfinite(accuracy)) {
            clt__html_print(to, "<strong>");
            write_share(to, accuracy);
            clt__html_print(to, "</strong> of the validation images were taken for what they are");
        } else if (isfinite(loss)) {
            clt__html_print(to, "a validation loss of <strong>%.4g</strong>", loss);
        } else {
            clt__html_print(to, "a loss of <strong>%.4g</strong>; it had no validation images",
                            run->metric[CLT__LOSS][best]);
        }
    }
    clt__html_print(to, ".</p>");
    if (*record->version && !*record->ended)
        clt__html_print(to,
                        "<p class=\"lead bad\">It has not come to an end: it is running still, or it was killed.</p>");
    if (record->diverged || (*record->ended && strcmp(record->ended, "finished") != 0)) {
        clt__html_print(to, "<p class=\"lead bad\">%s", record->diverged ? "The run diverged: " : "It ended early: ");
        clt__html_text(to, record->ended);
        clt__html_print(
            to, ".%s</p>",
            record->diverged ? " <code>--warmup-epochs</code> or <code>--clip-grad 1</code> often help, too." : "");
    }
}

/* ---- curves */

static const char *last_part(const clt__run *run)
{
    const char *slash = strrchr(run->folder, '/');
    return slash && slash[1] ? slash + 1 : run->folder;
}

/* As short as tells it from the others. */
static const char *name_of(const clt__run *runs, size_t count, size_t which)
{
    const char *name = last_part(&runs[which]);
    for (size_t i = 0; i < count; i++)
        if (i != which && strcmp(last_part(&runs[i]), name) == 0) return runs[which].folder;
    return name;
}

/* Of several runs each has a look, of one each curve; `alone` is the name of one that has no validation's beside it.
 * The first CLT__CHART_LINES are drawn. */
static void draw(clt__html *to, const clt__run *runs, size_t count, const char *title, const char *alone,
                 clt__metric train, clt__metric validation)
{
    clt__series series[2 * CLT__CHART_LINES];
    char names[2 * CLT__CHART_LINES][300];
    const bool has_both = validation != train;
    size_t drawn = 0;
    for (size_t i = 0; i < count && i < CLT__CHART_LINES; i++)
        for (int second = 0; second < (has_both ? 2 : 1); second++) {
            const char *of = !has_both ? "" : second ? "validation" : "training";
            (void)snprintf(names[drawn], sizeof *names, "%.250s%s%s",
                           count > 1  ? name_of(runs, count, i)
                           : has_both ? ""
                                      : alone,
                           count > 1 && *of ? ", " : "", of);
            series[drawn] = (clt__series){.name = names[drawn],
                                          .look = count > 1 ? (int)i : second,
                                          .dashed = has_both && !second,
                                          .x = runs[i].metric[CLT__EPOCH],
                                          .y = runs[i].metric[second ? validation : train],
                                          .count = runs[i].epochs};
            drawn++;
        }
    const size_t best = count == 1 ? clt__run_best(&runs[0]) : 0;
    const clt__chart chart = {.title = title,
                              .across = "epoch",
                              .series = series,
                              .count = drawn,
                              .mark = count == 1 && best < runs[0].epochs ? runs[0].metric[CLT__EPOCH][best] : NAN,
                              .mark_name = "best epoch"};
    clt__chart_lines(to, &chart);
}

void clt__curves(clt__html *to, const clt__run *runs, size_t count)
{
    size_t epochs = 0;
    for (size_t i = 0; i < count; i++) epochs += runs[i].epochs;
    clt__html_print(to, "<h2>How it went</h2>");
    if (!epochs) clt__html_print(to, "<p class=\"soft\">No epoch was finished, so there are no curves.</p>");
    if (count > CLT__CHART_LINES)
        clt__html_print(to, "<p class=\"soft\">Drawn are the first %d of %zu runs.</p>", CLT__CHART_LINES, count);
    clt__html_print(to, "<div class=\"charts\">");
    draw(to, runs, count, "Loss", "", CLT__LOSS, CLT__VAL_LOSS);
    draw(to, runs, count, "Accuracy", "", CLT__ACCURACY, CLT__VAL_ACCURACY);
    draw(to, runs, count, "Learning rate", "learning rate", CLT__RATE, CLT__RATE);
    draw(to, runs, count, "Norm of the gradient", "mean of the steps", CLT__GRADIENT_NORM, CLT__GRADIENT_NORM);
    clt__html_print(to, "</div>");
}

void clt__epochs_table(clt__html *to, const clt__run *run)
{
    if (!run->epochs) return;
    static const char *const heads[] = {
        "epoch",         "loss",    "accuracy", "validation loss",     "validation accuracy",
        "learning rate", "seconds", "images/s", "norm of the gradient"};
    clt__html_print(to, "<details><summary>Every epoch, in numbers</summary><div class=\"wide\"><table><thead><tr>");
    for (int i = 0; i < CLT__METRICS; i++) clt__html_print(to, "<th scope=\"col\">%s</th>", heads[i]);
    clt__html_print(to, "</tr></thead><tbody>");
    for (size_t row = 0; row < run->epochs; row++) {
        clt__html_print(to, "<tr>");
        for (int i = 0; i < CLT__METRICS; i++) {
            clt__html_print(to, "<td>");
            clt__html_number(to, run->metric[i][row], 6);
            clt__html_print(to, "</td>");
        }
        clt__html_print(to, "</tr>");
    }
    clt__html_print(to, "</tbody></table></div></details>");
}

/* ---- several runs */

/* A row where not all runs have the same. */
static clt_status compare_option(clt__html *to, const clt__run *runs, size_t count, clt__option option, char **value,
                                 clt_error *error)
{
    bool differ = false;
    for (size_t i = 0; i < count; i++) {
        TRY(clt__run_option(&runs[i], option, &value[i], error));
        differ = differ || strcmp(value[i], value[0]) != 0;
    }
    if (!differ) return CLT_OK;
    clt__html_print(to, "<tr><th scope=\"row\">%s</th>", clt__option_info_of(option)->name);
    for (size_t i = 0; i < count; i++) {
        clt__html_print(to, "<td class=\"words\">");
        clt__html_text(to, *value[i] ? value[i] : "none");
        clt__html_print(to, "</td>");
    }
    clt__html_print(to, "</tr>");
    return CLT_OK;
}

static void compare_figure(clt__html *to, const clt__run *runs, size_t count, const char *name, clt__metric which)
{
    clt__html_print(to, "<tr><th scope=\"row\">%s</th>", name);
    for (size_t i = 0; i < count; i++) {
        const size_t best = clt__run_best(&runs[i]);
        clt__html_print(to, "<td class=\"words\">");
        clt__html_number(to, best < runs[i].epochs ? runs[i].metric[which][best] : NAN, 5);
        clt__html_print(to, "</td>");
    }
    clt__html_print(to, "</tr>");
}

clt_status clt__comparison(clt__html *to, const clt__run *runs, size_t count, clt_error *error)
{
    char **value;
    clt__html_print(to, "<h2>The runs beside each other</h2><p>What they reached in their best epochs, and the options "
                        "in which they differ.</p>"
                        "<div class=\"wide\"><table><thead><tr><th scope=\"col\">run</th>");
    for (size_t i = 0; i < count; i++) {
        clt__html_print(to, "<th scope=\"col\" class=\"left\">");
        clt__html_text(to, name_of(runs, count, i));
        clt__html_print(to, "</th>");
    }
    clt__html_print(to, "</tr></thead><tbody>");
    compare_figure(to, runs, count, "validation accuracy", CLT__VAL_ACCURACY);
    compare_figure(to, runs, count, "validation loss", CLT__VAL_LOSS);
    compare_figure(to, runs, count, "training loss", CLT__LOSS);
    compare_figure(to, runs, count, "best epoch", CLT__EPOCH);
    TRY(clt__allocate(count, sizeof *value, "values", &value, error));
    clt_status status = CLT_OK;
    for (int option = 0; option < CLT__OPTIONS && status == CLT_OK; option++) {
        if (!clt__option_is_kept((clt__option)option)) continue;
        status = compare_option(to, runs, count, (clt__option)option, value, error);
        for (size_t i = 0; i < count; i++) {
            free(value[i]);
            value[i] = NULL;
        }
    }
    free(value);
    clt__html_print(to, "</tbody></table></div>");
    return status;
}
