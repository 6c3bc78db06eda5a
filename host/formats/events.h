/* Event files, which TensorBoard reads: records of a length, a message and their checksums, one after another. A run
 * that goes on begins a new file, which TensorBoard reads after those before it. */
#ifndef CLT_FORMATS_EVENTS_H
#define CLT_FORMATS_EVENTS_H

#include "base/error.h"

typedef struct clt__events clt__events; /* a file that is being written */

/* When something was, by clt__time, and after how many steps of training. */
typedef struct clt__event_time {
    double seconds;
    int64_t step;
} clt__event_time;

/* Fails where the library was built without what writes them; the folder is named. */
clt_status clt__events_check(const char *folder, clt_error *error);

/* Makes the folder, and begins a file in it whose name sorts after those of all event files there. What they tell of
 * steps from now.step on is no longer shown: those steps are run again. */
clt_status clt__events_open(const char *folder, clt__event_time now, clt__events **events, clt_error *error);

typedef struct clt__event_scalar {
    const char *tag;
    double value; /* one that is not finite, as a float, is left out */
} clt__event_scalar;

enum { CLT__MOST_EVENT_SCALARS = 16 };
clt_status clt__events_scalars(clt__events *events, clt__event_time now, const clt__event_scalar *scalars, int count,
                               clt_error *error);

/* How finite values are spread. */
clt_status clt__events_histogram(clt__events *events, clt__event_time now, const char *tag, const double *values,
                                 size_t count, clt_error *error);

/* An RGB picture: a PNG file's bytes. */
clt_status clt__events_picture(clt__events *events, clt__event_time now, const char *tag, int width, int height,
                               const uint8_t *png, size_t size, clt_error *error);

/* A text in Markdown. */
clt_status clt__events_text(clt__events *events, clt__event_time now, const char *tag, const char *text,
                            clt_error *error);

/* A hyperparameter of the training: a text, or where that is NULL a number or a yes or no. */
typedef struct clt__event_hparam {
    const char *name, *text;
    double number;
    bool is_flag;
} clt__event_hparam;

clt_status clt__events_begin_session(clt__events *events, clt__event_time now, const clt__event_hparam *hparams,
                                     size_t count, clt_error *error);
/* The training has reached its end. */
clt_status clt__events_end_session(clt__events *events, clt__event_time now, clt_error *error);

/* What was written is the system's from then on: a process that is killed loses no more than what came later. */
clt_status clt__events_flush(clt__events *events, clt_error *error);
/* Takes NULL. */
clt_status clt__events_close(clt__events *events, clt_error *error);

#endif
