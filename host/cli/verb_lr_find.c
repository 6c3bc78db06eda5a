/* cltrain lr-find: which learning rates a net and its data bear. */
#include <math.h>

#include "cli/output.h"
#include "cli/verbs.h"

/* ---- the report --------------------------------------------------------------------------------------------- */

static void print_result(const clt_lr_result *result)
{
    (void)printf("%-12s %12s %12s\n", "lr", "loss", "smoothed");
    for (size_t i = 0; i < clt_lr_count(result); i++) {
        const clt_lr_row *row = clt_lr_at(result, i);
        (void)printf("%-12.4g %12.6g %12.6g\n", row->rate, row->loss, row->smoothed);
    }
    if (clt_lr_diverged(result)) (void)printf("\nthe loss diverges from here on");
    if (isnan(clt_lr_suggested(result)))
        (void)printf("\nno learning rate is suggested: the smoothed loss does not fall\n");
    else
        (void)printf("\nsuggested learning rate %.3g, where the smoothed loss falls most steeply\n",
                     clt_lr_suggested(result));
}

static json_t *json_of_row(const clt_lr_row *row)
{
    return json_pack("{s:f, s:o, s:o}", "lr", row->rate, "loss", json_of_number(row->loss), "smoothed",
                     json_of_number(row->smoothed));
}

static json_t *json_of_result(const command_line *command, const clt_options *options, const clt_device *device,
                              const clt_lr_result *result)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < clt_lr_count(result); i++)
        (void)json_array_append_new(rows, json_of_row(clt_lr_at(result, i)));
    return json_pack("{s:o, s:o, s:s, s:i, s:b, s:o, s:o}", "options", json_of_options(command, options), "net",
                     json_of_text(options->net), "device", clt_device_describe(device)->id, "batch_size",
                     options->batch_size, "diverged", clt_lr_diverged(result), "suggested",
                     json_of_number(clt_lr_suggested(result)), "steps", rows);
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status create_model(clt_options *options, const clt_dataset *data, clt_model **model, clt_error *error)
{
    options->input = clt_dataset_shape(data);
    TRY(clt_model_create(options, model, error));
    return options->weights ? clt_model_start_from(*model, options->weights, options, error) : CLT_OK;
}

static clt_status find(const command_line *command, const clt_options *options, clt_model *model, clt_device *device,
                       const clt_dataset *data, clt_error *error)
{
    clt_lr_result *result;
    TRY(clt_lr_find(model, device, data, options, &result, error));
    clt_status status = CLT_OK;
    if (!is_stdout(options->json)) print_result(result);
    if (options->json) status = write_json(json_of_result(command, options, device, result), options->json, error);
    clt_lr_close(result);
    return status;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_dataset *data = NULL;
    clt_model *model = NULL;
    clt_device *device = NULL;
    clt_status status = clt_dataset_open(options->data, CLT_TRAIN, options, &data, error);
    if (status == CLT_OK) status = create_model(options, data, &model, error);
    if (status == CLT_OK) status = clt_device_open_with(options, &device, error);
    if (status == CLT_OK) status = find(command, options, model, device, data, error);
    clt_device_close(device);
    clt_model_close(model);
    clt_dataset_close(data);
    return status;
}

const verb_row lr_find_verb = {
    .name = "lr-find",
    .verb = CLT__LR_FIND,
    .summary = "Finds a learning rate: how the loss goes while the rate grows.",
    .details =
        "The learning-rate range test (Smith 2015): a step each at rates that grow geometrically from --lr-min to "
        "--lr-max, until the smoothed loss is 4 times its lowest. A long training often wants a few times less than "
        "the "
        "rate that is suggested. Nothing that is learned is kept.",
    .needed = {"data"},
    .run = run,
};
