#include "session/answers.h"

#include <math.h>

static bool are_both(const clt_dataset *data)
{
    return data->labels && data->targets;
}

clt_dataset clt__choose_answers(const clt_model *model, const clt_dataset *data)
{
    clt_dataset chosen = *data;
    if (!are_both(data)) return chosen;
    if (model->description.loss->of_classes) {
        chosen.targets = NULL;
        chosen.outputs = 0;
    } else {
        chosen.labels = NULL;
        chosen.classes = 0;
    }
    return chosen;
}

void clt__note_answers(const clt_model *model, const clt_dataset *data, const clt_options *options)
{
    if (are_both(data) && model->description.loss->of_classes)
        clt__options_note(options,
                          "%s: its floats are whole numbers: they are taken as classes, which the loss %s takes",
                          clt__answers_name(data), model->description.loss->name);
}

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

/* Labels that begin above 0 may only be counted from elsewhere. */
static clt_status fail_classes(const clt_model *model, const clt_dataset *data, clt_error *error)
{
    int least = data->classes;
    for (size_t i = 0; i < data->count; i++)
        if (data->labels[i] < least) least = data->labels[i];
    if (are_both(data))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s has %d classes, for the loss %s takes its whole numbers as classes, the net has %d outputs",
                    clt__answers_name(data), data->classes, model->description.loss->name, model->outputs);
    if (least == 0)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d classes, the net has %d outputs", clt__answers_name(data),
                    data->classes, model->outputs);
    return FAIL(error, CLT_BAD_ARGUMENT,
                "%s has labels from %d to %d, where the net's %d outputs need labels from 0 to %d (a net of %d outputs "
                "takes them as they are)",
                clt__answers_name(data), least, data->classes - 1, model->outputs, model->outputs - 1, data->classes);
}

clt_status clt__check_answers(const clt_model *model, const clt_dataset *data, const char *purpose, clt_error *error)
{
    const clt_dataset chosen = clt__choose_answers(model, data);
    if (!chosen.labels && !chosen.targets)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has neither labels nor targets to %s", data->name, purpose);
    return chosen.labels && chosen.classes > model->outputs ? fail_classes(model, data, error) : CLT_OK;
}

clt_status clt__check_targets(const clt_model *model, const clt_dataset *data, clt_error *error)
{
    const clt_dataset chosen = clt__choose_answers(model, data);
    TRY(clt__check_answers(model, data, "evaluate against", error));
    if (chosen.targets && chosen.outputs != model->outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d targets an image, the net has %d outputs",
                    clt__answers_name(data), chosen.outputs, model->outputs);
    TRY(clt__check_target_values(model->description.loss, &chosen, error));
    return clt__check_class_names(model, data, error);
}
