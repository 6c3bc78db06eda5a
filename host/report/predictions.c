#include "report/predictions.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/model.h"

static clt_status allocate(clt__answers *a, clt_error *error)
{
    TRY(clt__allocate(a->count, sizeof *a->label, "the labels", &a->label, error));
    TRY(clt__allocate(a->count, sizeof *a->said, "the answers", &a->said, error));
    TRY(clt__allocate(a->count, sizeof *a->of_said, "the answers", &a->of_said, error));
    TRY(clt__allocate(a->count, sizeof *a->of_label, "the answers", &a->of_label, error));
    const uint64_t classes = (uint64_t)a->classes;
    return clt__allocate(classes * classes, sizeof *a->confused, "a confusion matrix", &a->confused, error);
}

static int most_probable(const double *row, int classes)
{
    int best = 0;
    for (int i = 1; i < classes; i++)
        if (row[i] > row[best]) best = i;
    return best;
}

static void take(clt__answers *a, const clt_dataset *data, const double *probability)
{
    uint64_t right = 0;
    for (size_t i = 0; i < a->count; i++) {
        const double *row = probability + i * (size_t)a->classes;
        a->label[i] = clt_dataset_label(data, i);
        a->said[i] = most_probable(row, a->classes);
        a->of_said[i] = (float)row[a->said[i]];
        a->of_label[i] = (float)row[a->label[i]];
        a->confused[(size_t)a->label[i] * (size_t)a->classes + (size_t)a->said[i]]++;
        right += a->label[i] == a->said[i];
    }
    a->accuracy = (double)right / (double)a->count;
}

clt_status clt__answers_check(const clt_model *model, const clt_dataset *data, clt_error *error)
{
    const clt_shape wanted = clt_model_input(model), is = clt_dataset_shape(data);
    const int classes = clt_dataset_classes(data), outputs = clt_model_outputs(model);
    if (!clt_model_classifies(model)) return FAIL(error, CLT_BAD_ARGUMENT, "the net gives numbers, not classes");
    if (classes < 1 || classes > outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d classes, where the model has %d", data->name, classes, outputs);
    if (wanted.channels != is.channels || wanted.height != is.height || wanted.width != is.width)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has images of %dx%dx%d, where the net takes %dx%dx%d", data->name,
                    is.channels, is.height, is.width, wanted.channels, wanted.height, wanted.width);
    return clt__check_class_names(model, data, error);
}

clt_status clt__answers_find(const clt_model *model, clt_device *device, const clt_dataset *data,
                             const clt_options *options, clt__answers *answers, clt_error *error)
{
    double *probability = NULL;
    *answers = (clt__answers){.count = clt_dataset_count(data), .classes = clt_model_outputs(model)};
    clt_status status = allocate(answers, error);
    if (status == CLT_OK)
        status = clt__allocate((uint64_t)answers->count * (uint64_t)answers->classes, sizeof *probability,
                               "probabilities", &probability, error);
    if (status == CLT_OK) status = clt_predict(model, device, data, options, probability, error);
    if (status == CLT_OK)
        take(answers, data, probability);
    else
        clt__answers_free(answers);
    free(probability);
    return status;
}

void clt__answers_free(clt__answers *answers)
{
    free(answers->label);
    free(answers->said);
    free(answers->of_said);
    free(answers->of_label);
    free(answers->confused);
    *answers = (clt__answers){.count = 0};
}

clt__class_figures clt__class_figures_of(uint64_t hits, uint64_t of_class, uint64_t as_class)
{
    return (clt__class_figures){
        .precision = as_class ? (double)hits / (double)as_class : NAN,
        .recall = of_class ? (double)hits / (double)of_class : NAN,
        .f1 = of_class + as_class ? 2 * (double)hits / (double)(of_class + as_class) : NAN,
        .count = of_class,
    };
}

clt__class_figures clt__figures_of_class(const uint64_t *confused, int classes, int which)
{
    const size_t width = (size_t)classes, class = (size_t)which;
    uint64_t of_class = 0, as_class = 0;
    for (size_t other = 0; other < width; other++) {
        of_class += confused[class * width + other];
        as_class += confused[other * width + class];
    }
    return clt__class_figures_of(confused[class * width + class], of_class, as_class);
}

clt__calibration clt__calibrate(const clt__answers *answers)
{
    clt__calibration c = {.error = 0};
    for (size_t i = 0; i < answers->count; i++) {
        const double p = (double)answers->of_said[i];
        const int bin = p >= 1 ? CLT__BINS - 1 : p > 0 ? (int)(p * CLT__BINS) : 0;
        c.images[bin]++;
        c.said[bin] += p;
        c.right[bin] += answers->said[i] == answers->label[i];
    }
    for (int i = 0; i < CLT__BINS; i++) {
        c.error += fabs(c.said[i] - c.right[i]) / (double)answers->count;
        c.said[i] = c.images[i] ? c.said[i] / (double)c.images[i] : NAN;
        c.right[i] = c.images[i] ? c.right[i] / (double)c.images[i] : NAN;
    }
    return c;
}

/* Whether image `a` comes before `b`; of equals the one that the data set has first. */
static bool comes_before(const clt__answers *answers, clt__picked order, int32_t a, int32_t b)
{
    const float pa = answers->of_said[a], pb = answers->of_said[b];
    if (pa == pb) return a < b;
    return order == CLT__SUREST_WRONG ? pa > pb : pa < pb;
}

size_t clt__pick_images(const clt__answers *answers, clt__picked order, int32_t *images, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < answers->count; i++) {
        const bool right = answers->said[i] == answers->label[i];
        if (right != (order == CLT__LEAST_SURE_RIGHT)) continue;
        const int32_t image = (int32_t)i;
        size_t at = count < most ? count++ : most;
        if (at == most && !comes_before(answers, order, image, images[most - 1])) continue;
        if (at == most) at--;
        for (; at > 0 && comes_before(answers, order, image, images[at - 1]); at--) images[at] = images[at - 1];
        images[at] = image;
    }
    return count;
}
