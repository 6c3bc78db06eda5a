#include "session/answers.h"

#include <math.h>

clt_status clt__check_target_value(const clt__loss_row *loss, const char *name, int target, int image, double value,
                                   clt_error *error)
{
    if (isfinite(value) && (!loss->probabilities || (value >= 0 && value <= 1))) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "%s: target %d of image %d is %g: the loss %s takes %s", name, target, image,
                value, loss->name, loss->probabilities ? "numbers from 0 to 1" : "finite numbers");
}

clt_status clt__check_target_values(const clt__loss_row *loss, const clt_dataset *data, clt_error *error)
{
    const size_t outputs = (size_t)data->outputs, count = data->targets ? data->count * outputs : 0;
    for (size_t i = 0; i < count; i++)
        TRY(clt__check_target_value(loss, clt__answers_name(data), (int)(i % outputs), (int)(i / outputs),
                                    data->targets[i], error));
    return CLT_OK;
}

clt_status clt__check_answers(const clt_model *model, const clt_dataset *data, const char *purpose, clt_error *error)
{
    if (!data->labels && !data->targets)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has neither labels nor targets to %s", data->name, purpose);
    if (data->labels && data->classes > model->outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d classes, the net has %d outputs", clt__answers_name(data),
                    data->classes, model->outputs);
    return CLT_OK;
}

clt_status clt__check_targets(const clt_model *model, const clt_dataset *data, clt_error *error)
{
    TRY(clt__check_answers(model, data, "evaluate against", error));
    if (data->targets && data->outputs != model->outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d targets an image, the net has %d outputs",
                    clt__answers_name(data), data->outputs, model->outputs);
    TRY(clt__check_target_values(model->description.loss, data, error));
    return clt__check_class_names(model, data, error);
}
