/* In place of events.c where the library is built without protobuf-c: no event files are written. */
#include "formats/events.h"

clt_status clt__events_check(const char *folder, clt_error *error)
{
    return FAIL(error, CLT_BAD_ARGUMENT,
                "%s: this build writes no event files for TensorBoard (it was made without CLTRAIN_TENSORBOARD)",
                folder);
}

clt_status clt__events_open(const char *folder, CLT__UNUSED clt__event_time now, clt__events **events, clt_error *error)
{
    *events = NULL;
    return clt__events_check(folder, error);
}

/* ---- no file is ever open for these */

clt_status clt__events_scalars(CLT__UNUSED clt__events *events, CLT__UNUSED clt__event_time now,
                               CLT__UNUSED const clt__event_scalar *scalars, CLT__UNUSED int count,
                               CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_histogram(CLT__UNUSED clt__events *events, CLT__UNUSED clt__event_time now,
                                 CLT__UNUSED const char *tag, CLT__UNUSED const double *values,
                                 CLT__UNUSED size_t count, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_picture(CLT__UNUSED clt__events *events, CLT__UNUSED clt__event_time now,
                               CLT__UNUSED const char *tag, CLT__UNUSED int width, CLT__UNUSED int height,
                               CLT__UNUSED const uint8_t *png, CLT__UNUSED size_t size, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_text(CLT__UNUSED clt__events *events, CLT__UNUSED clt__event_time now,
                            CLT__UNUSED const char *tag, CLT__UNUSED const char *text, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_begin_session(CLT__UNUSED clt__events *events, CLT__UNUSED clt__event_time now,
                                     CLT__UNUSED const clt__event_hparam *hparams, CLT__UNUSED size_t count,
                                     CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_end_session(CLT__UNUSED clt__events *events, CLT__UNUSED clt__event_time now,
                                   CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_flush(CLT__UNUSED clt__events *events, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_close(CLT__UNUSED clt__events *events, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}
