#include "train/last_gradient.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

clt_status clt__last_gradient(clt_session *session, const clt_tensor_info *parameter, double **values, clt_error *error)
{
    char name[96];
    *values = NULL;
    (void)snprintf(name, sizeof name, "%s.gradient", parameter->name);
    if (!session || !clt_session_find(session, name)) return CLT_OK;
    TRY(clt__allocate(parameter->count, sizeof **values, name, values, error));
    const clt_status status = clt_session_read(session, name, *values, parameter->count, error);
    if (status == CLT_OK) return CLT_OK;
    free(*values);
    *values = NULL;
    return status;
}
