/* The parts of a report, each in a file of its own; report.c puts them together in the order in which people ask. */
#ifndef CLT_REPORT_SECTIONS_H
#define CLT_REPORT_SECTIONS_H

#include "report/html.h"
#include "report/predictions.h"
#include "report/run.h"

/* page.c: what comes before and behind everything. */
void clt__page_begin(clt__html *to, const char *title);
void clt__page_end(clt__html *to);

/* curves.c: how a run ended, in a sentence; loss, accuracy and learning rate of all runs; what their options differ in,
 * and what they reached. */
void clt__headline(clt__html *to, const clt__run *run);
void clt__curves(clt__html *to, const clt__run *runs, size_t count);
clt_status clt__comparison(clt__html *to, const clt__run *runs, size_t count, clt_error *error);
void clt__epochs_table(clt__html *to, const clt__run *run);

/* classes.c: confusion, figures of each class, calibration. */
clt_status clt__classes(clt__html *to, const clt__run *run, const clt_dataset *data, const clt__answers *answers,
                        clt_error *error);
/* A class as it is called; "class 3" in `room` where nobody named it. */
const char *clt__class_called(const clt__run *run, const clt_dataset *data, int which, char room[32]);

/* gallery.c: images that were taken for what they are not, what in them spoke for it, images that were nearly; the
 * first filters, and what they make of an image; what values and gradients are like in each layer. */
clt_status clt__gallery(clt__html *to, const clt__run *run, clt_device *device, const clt_dataset *data,
                        const clt__answers *answers, clt_error *error);

/* layers.c: the net as a drawing; its weights. */
clt_status clt__net_drawing(clt__html *to, const clt__run *run, clt_error *error);
clt_status clt__weights(clt__html *to, const clt__run *run, clt_error *error);
/* A row of a table about values: mean, deviation, least, most, and a small histogram. */
void clt__distribution_head(clt__html *to, const char *of);
void clt__distribution_row(clt__html *to, const char *name, const double *values, size_t count);

/* histories.c: how weights, gradients and what each layer gives grew and shrank, what died and what exploded; nothing
 * where the run kept neither layers.csv nor activations.csv. */
clt_status clt__layers_over_time(clt__html *to, const clt__run *run, clt_error *error);
enum { CLT__EXPLODED = 1000 }; /* values from here on are called too large */

/* machine.c: the time of each op, what verification says, and what it takes to do it again. */
clt_status clt__times(clt__html *to, const clt__run *run, clt_device *device, const clt_options *options,
                      clt_error *error);
clt_status clt__verification(clt__html *to, const clt__run *run, clt_device *device, const clt_options *options,
                             clt_error *error);
clt_status clt__again(clt__html *to, const clt__run *run, clt_error *error);

#endif
