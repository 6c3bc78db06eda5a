/* A model of the same net, with the same parameters, standing where the other stands. */
#include <string.h>

#include "model/model.h"

static void copy_parameter(const clt__parameter_values *from, clt__parameter_values *to)
{
    const size_t bytes = from->info.count * sizeof *from->values;
    to->whitened = from->whitened;
    to->trained = from->trained;
    memcpy(to->values, from->values, bytes);
    memcpy(to->average, from->average, bytes);
    for (int i = 0; i < CLT__MAX_STATES; i++) memcpy(to->state[i], from->state[i], bytes);
}

clt_status clt_model_copy(const clt_model *model, clt_model **copy, clt_error *error)
{
    clt__description description;
    *copy = NULL;
    TRY(clt__describe_text(model->text, model->description.origin, &description, error));
    TRY(clt__model_from(&description, model->precision, model->seed, copy, error));
    clt_model *fresh = *copy;
    for (size_t i = 0; i < model->parameters; i++) copy_parameter(&model->parameter[i], &fresh->parameter[i]);
    fresh->averaged = model->averaged;
    fresh->normalized = model->normalized;
    memcpy(fresh->mean, model->mean, sizeof fresh->mean);
    memcpy(fresh->deviation, model->deviation, sizeof fresh->deviation);
    fresh->state = model->state;
    clt_status status = clt__names_copy(&model->class_names, &fresh->class_names, error);
    if (status == CLT_OK) status = clt__remember_options(fresh, &model->options, error);
    if (status == CLT_OK) return CLT_OK;
    clt_model_close(fresh);
    *copy = NULL;
    return status;
}
