/* A report: runs are added, and become a page. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "device/device.h"
#include "options/options.h"
#include "report/sections.h"

struct clt_report {
    clt__run *run;
    clt__html *details; /* of each run: what needed its data and the device */
    size_t runs, run_capacity, detail_capacity;
};

clt_status clt_report_open(clt_report **report, clt_error *error)
{
    return clt__allocate(1, sizeof **report, "a report", report, error);
}

static void drop_last(clt_report *report)
{
    report->runs--;
    clt__run_close(&report->run[report->runs]);
    free(report->details[report->runs].text.start);
}

void clt_report_close(clt_report *report)
{
    if (!report) return;
    while (report->runs) drop_last(report);
    free(report->run);
    free(report->details);
    free(report);
}

/* ---- what is told of one run */

/* What the model says of the data. */
static clt_status describe_answers(clt__html *to, const clt__run *run, clt_device *device, const clt_dataset *data,
                                   const clt_options *options, clt_error *error)
{
    clt__answers answers;
    clt_error why;
    if (clt__answers_check(run->model, data, &why) != CLT_OK)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: %.3900s", run->folder, why.message);
    TRY(clt__answers_find(run->model, device, data, options, &answers, error));
    clt_status status = clt__classes(to, run, data, &answers, error);
    if (status == CLT_OK) status = clt__gallery(to, run, device, data, &answers, error);
    clt__answers_free(&answers);
    return status;
}

/* Why the page does not show what the model makes of images; NULL where it does. */
static const char *nothing_to_show(const clt__run *run, const clt_dataset *data)
{
    if (run->untrained) return "The run ended before it had written a checkpoint.";
    if (!clt_model_classifies(run->model)) return "The net gives numbers, not classes.";
    return data ? NULL
                : "No labelled images were at hand: cltrain report --data PATH shows what the model makes of them.";
}

static clt_status describe(clt__html *to, const clt__run *run, clt_device *device, const clt_dataset *data,
                           const clt_options *options, clt_error *error)
{
    const char *nothing = nothing_to_show(run, data);
    if (nothing)
        clt__html_print(to, "<h2>What it takes for what</h2><p class=\"soft\">%s</p>", nothing);
    else
        TRY(describe_answers(to, run, device, data, options, error));
    TRY(clt__net_drawing(to, run, error));
    if (nothing && !run->untrained) TRY(clt__weights(to, run, error));
    if (nothing) TRY(clt__layers_over_time(to, run, error));
    if (!options->check || clt__device_is_reference(device)) return CLT_OK; /* which is no device to time or verify */
    TRY(clt__times(to, run, device, options, error));
    return clt__verification(to, run, device, options, error);
}

clt_status clt_report_add(clt_report *report, const char *folder, clt_device *device, const clt_dataset *data,
                          const clt_options *options, clt_error *error)
{
    clt_options none;
    options = clt__options_or_default(options, &none);
    TRY(clt__grow(&report->run, &report->run_capacity, report->runs, sizeof *report->run, error));
    TRY(clt__grow(&report->details, &report->detail_capacity, report->runs, sizeof *report->details, error));
    clt__run *run = &report->run[report->runs];
    clt__html *details = &report->details[report->runs];
    *details = (clt__html){.status = CLT_OK};
    TRY(clt__run_open(folder, run, error));
    report->runs++;
    clt_status status = describe(details, run, device, data, options, error);
    if (status == CLT_OK && !run->untrained) status = clt__again(details, run, error);
    if (status == CLT_OK && details->status != CLT_OK) status = clt__pass_on(&details->why, error);
    if (status != CLT_OK) drop_last(report); /* the page is that of the others */
    return status;
}

/* ---- the page */

static clt_status compose(clt__html *page, const clt_report *report, clt_error *error)
{
    clt__page_begin(page, report->runs == 1 ? report->run[0].folder : "Runs of cltrain");
    for (size_t i = 0; i < report->runs; i++) {
        clt__html_print(page, "<h1>");
        clt__html_text(page, report->run[i].folder);
        clt__html_print(page, "</h1>");
        clt__headline(page, &report->run[i]);
    }
    clt__curves(page, report->run, report->runs);
    if (report->runs > 1) TRY(clt__comparison(page, report->run, report->runs, error));
    for (size_t i = 0; i < report->runs; i++) {
        if (report->runs > 1) {
            clt__html_print(page, "<section><h1>");
            clt__html_text(page, report->run[i].folder);
            clt__html_print(page, "</h1>");
        }
        clt__epochs_table(page, &report->run[i]);
        clt__html_add(page, &report->details[i]);
        if (report->runs > 1) clt__html_print(page, "</section>");
    }
    clt__page_end(page);
    return page->status == CLT_OK ? CLT_OK : clt__pass_on(&page->why, error);
}

clt_status clt_report_write(const clt_report *report, const char *path, clt_error *error)
{
    clt__html page = {.status = CLT_OK};
    if (!report->runs) return FAIL(error, CLT_BAD_ARGUMENT, "%s: a report needs a run", path);
    clt_status status = compose(&page, report, error);
    if (status == CLT_OK) status = clt__file_write(path, page.text.start, page.text.length, error);
    free(page.text.start);
    return status;
}
