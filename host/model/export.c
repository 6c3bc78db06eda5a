/* A model as others read it: an ONNX file, whose nodes the layers put there themselves (layers/layer.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/export_torch.h"
#include "model/fold_norms.h"

typedef struct exporter {
    const clt_model *model;
    const clt_options *options;
    clt__onnx_writer *to;
    clt__net net;
    const char **value; /* what the net's input and each layer's output are called */
    size_t parameters;  /* of the model's, those of the layers so far */
} exporter;

static clt__onnx_type reals_of(const clt_model *model)
{
    return model->precision == CLT_F64 ? CLT__ONNX_DOUBLE : CLT__ONNX_FLOAT;
}

/* ---- images, as the net wants them */

static const char *put_by_channel(exporter *x, const char *name, const double *numbers)
{
    const int dim[] = {x->model->input.channels, 1, 1};
    return clt__onnx_put_reals(x->to, name, 3, dim, numbers);
}

/* Bytes over 255, minus the mean, over the deviation. */
static const char *put_normalising(exporter *x, const char *images)
{
    clt__onnx_writer *to = x->to;
    CLT__ONNX_PUT(to, "Cast", "/input/reals", images);
    clt__onnx_put_int(to, "to", reals_of(x->model));
    CLT__ONNX_PUT(to, "Div", "/input/shares", "/input/reals", clt__onnx_put_number(to, "/input/most", 255));
    CLT__ONNX_PUT(to, "Sub", "/input/centred", "/input/shares", put_by_channel(x, "/input/mean", x->model->mean));
    CLT__ONNX_PUT(to, "Div", "input", "/input/centred", put_by_channel(x, "/input/deviation", x->model->deviation));
    return "input";
}

static const char *put_input(exporter *x)
{
    const clt_shape s = x->model->input;
    const int dim[] = {s.channels, s.height, s.width};
    const bool bytes = x->options->with_preprocessing;
    const char *name = bytes ? "images" : "input";
    clt__onnx_put_input(x->to, name, bytes ? CLT__ONNX_UINT8 : reals_of(x->model), 3, dim);
    return bytes ? put_normalising(x, name) : name;
}

/* ---- layers */

/* Its own name, unless the graph's input or output is called so. */
static const char *name_of(exporter *x, int index)
{
    const char *name = x->net.layer[index].name;
    const bool taken = strcmp(name, "images") == 0 || strcmp(name, "probabilities") == 0;
    return taken ? clt__onnx_own_name(x->to, name, "layer") : name;
}

/* Inference passes on what training alone changes. */
static const char *put_layer(exporter *x, int index, const char *name)
{
    const clt__item *item = &x->model->description.item[index];
    const clt__layer *layer = &x->net.layer[index];
    clt__exported e = {.to = x->to, .layer = layer, .out = name};
    for (int i = 0; i < item->inputs; i++) e.in[i] = x->value[item->from[i]];
    if (!layer->row->onnx) return e.in[0];
    for (int i = 0; i < layer->parameters; i++)
        e.values[i] = clt__inferring_values(x->model, &x->model->parameter[x->parameters++]);
    layer->row->onnx(&e);
    return name;
}

/* The node at the end: what came with an ONNX model and its loss did in training, or gives probabilities. */
static const char *type_at_end(const exporter *x, bool probabilities)
{
    const char *left_out = x->model->description.left_out;
    if (probabilities || (left_out && strcmp(left_out, "softmax") == 0)) return "Softmax";
    return left_out ? "LogSoftmax" : "Identity";
}

/* What the net gives: as the caller calls it, whatever its last layer's name is. */
static void put_output(exporter *x, const char *last)
{
    const bool probabilities = x->options->with_preprocessing && x->model->description.loss->of_classes;
    const char *type = type_at_end(x, probabilities);
    const clt__value *out = &x->net.output;
    const clt_shape s = out->shape;
    const int image[] = {s.channels, s.height, s.width}, vector = s.channels * s.height * s.width;
    const char *name = probabilities ? "probabilities" : "output";
    const bool flattens = probabilities && !out->flat, flat = out->flat || probabilities;
    if (flattens) CLT__ONNX_PUT(x->to, "Flatten", "/output/vector", last);
    CLT__ONNX_PUT(x->to, type, name, flattens ? "/output/vector" : last);
    if (strcmp(type, "Identity") != 0) clt__onnx_put_int(x->to, "axis", 1);
    clt__onnx_put_output(x->to, name, flat ? 1 : 3, flat ? &vector : image);
}

static clt_status put_all(exporter *x, clt_error *error)
{
    char *told;
    x->value[0] = put_input(x);
    for (int i = 0; i < x->net.layers; i++) x->value[1 + i] = put_layer(x, i, name_of(x, i));
    put_output(x, x->value[x->net.layers]);
    TRY(clt__model_to_text(x->model, &told, error));
    clt__onnx_put_metadata(x->to, "cltrain", told);
    clt__onnx_put_metadata(x->to, "net", x->model->text);
    if (!x->model->description.left_out) clt__onnx_put_metadata(x->to, "loss", x->model->description.loss->name);
    free(told);
    return CLT_OK;
}

/* ---- all of it */

static clt_status check(const clt_model *model, const clt_options *options, clt_error *error)
{
    if (options->with_preprocessing && options->format == CLT__FORMAT_TORCH)
        return FAIL(error, CLT_BAD_ARGUMENT, "with_preprocessing: a Python module has a function for it, prepare()");
    if (!options->with_preprocessing || model->normalized) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT,
                "with_preprocessing: the model does not know what images are normalised by, as it was not trained");
}

static clt_status write(exporter *x, const char *path, clt_error *error)
{
    TRY(clt__onnx_writer_open(x->options->opset, reals_of(x->model), &x->to, error));
    TRY(clt__net_outline(&x->model->description, &x->net, error));
    TRY(clt__allocate((uint64_t)x->net.layers + 1, sizeof *x->value, "a net's values", &x->value, error));
    TRY(put_all(x, error));
    return clt__onnx_save(x->to, path, error);
}

static clt_status export_net(const clt_model *model, const char *path, const clt_options *options, clt_error *error)
{
    exporter x = {.model = model, .options = options};
    const clt_status status = write(&x, path, error);
    clt__onnx_writer_close(x.to);
    clt__net_free(&x.net);
    free(x.value);
    return status;
}

clt_status clt_model_export(const clt_model *model, const char *path, const clt_options *options, clt_error *error)
{
    clt_options none;
    clt_model *folded = NULL;
    options = clt__options_or_default(options, &none);
    TRY(check(model, options, error));
    if (options->fold_norm) TRY(clt__fold_norms(model, &folded, error));
    const clt_model *exported = folded ? folded : model;
    const clt_status status = options->format == CLT__FORMAT_TORCH ? clt__export_torch(exported, path, error)
                                                                   : export_net(exported, path, options, error);
    clt_model_close(folded);
    return status;
}
