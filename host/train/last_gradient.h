/* Gradients of parameters, as they are told when an epoch ends. */
#ifndef CLT_TRAIN_LAST_GRADIENT_H
#define CLT_TRAIN_LAST_GRADIENT_H

#include "session/session.h"

/* The parameter's gradient in the session's last step: *values, as many as the parameter has,
 * freed with free(). NULL where the parameter is frozen, and where `session` is NULL: it has run no step. */
clt_status clt__last_gradient(clt_session *session, const clt_tensor_info *parameter, double **values,
                              clt_error *error);

#endif
