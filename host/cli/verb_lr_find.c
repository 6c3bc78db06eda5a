/* cltrain lr-find: which learning rates a net and its data bear. */
#include <math.h>

#include "cli/augment.h"
#include "cli/class_weights.h"
#include "cli/normalize.h"
#include "cli/output.h"
#include "cli/verbs.h"

typedef struct lr_find_settings {
    const char *data, *net, *loss, *precision, *weights, *init, *json, *device, *schedule;
    clt_device_limits limits;
    double least, most;
    int steps;
    data_settings reading;
    normalize_setting normalize;
    clt_train_options train; /* but for what concerns epochs, rates and files */
} lr_find_settings;

static const option_row option_rows[] = {{.name = "data",
                                          SETTING(lr_find_settings, data),
                                          .value = "PATH",
                                          .required = true,
                                          .help = "the data set, as train takes it"},
                                         DATA_OPTIONS(lr_find_settings),
                                         NET_OPTION(lr_find_settings, ""),
                                         {.name = "lr-min",
                                          SETTING(lr_find_settings, least),
                                          .value = "X",
                                          .exclusive = true,
                                          .help = "learning rate of the first step"},
                                         {.name = "lr-max",
                                          SETTING(lr_find_settings, most),
                                          .value = "X",
                                          .exclusive = true,
                                          .help = "learning rate of the last step"},
                                         {.name = "steps",
                                          SETTING(lr_find_settings, steps),
                                          .value = "N",
                                          .least = 2,
                                          .most = 1000000,
                                          .help = "steps from the one to the other"},
                                         {.name = "batch-size",
                                          SETTING(lr_find_settings, train.batch_size),
                                          .value = "N",
                                          .least = 1,
                                          .help = "images of a step"},
                                         UPDATE_OPTIONS(lr_find_settings),
                                         CLASS_WEIGHTS_OPTION(lr_find_settings),
                                         AUGMENT_OPTION(lr_find_settings),
                                         {.name = "loss",
                                          SETTING(lr_find_settings, loss),
                                          .value = "NAME",
                                          .help = "see cltrain help nets (default: the net's own, else cross_entropy)"},
                                         {.name = "seed",
                                          SETTING(lr_find_settings, train.seed),
                                          .value = "N",
                                          .help = "of the initial parameters and the shuffling"},
                                         {.name = "init",
                                          SETTING(lr_find_settings, init),
                                          .value = "RULE|PATTERN=RULE,...",
                                          .help = "initial parameters, as train takes it"},
                                         {.name = "weights",
                                          SETTING(lr_find_settings, weights),
                                          .value = "FILE",
                                          .help = "initial parameters from a safetensors file, as train takes it"},
                                         {.name = "freeze",
                                          SETTING(lr_find_settings, train.freeze),
                                          .value = "PATTERN,...",
                                          .help = "do not train the parameters of such names"},
                                         NORMALIZE_OPTION(lr_find_settings),
                                         PRECISION_OPTION(lr_find_settings),
                                         JSON_OPTION(lr_find_settings),
                                         DEVICE_OPTIONS(lr_find_settings),
                                         {0}};

static void set_defaults(void *settings)
{
    *(lr_find_settings *)settings =
        (lr_find_settings){.net = "lenet5", .least = 1e-7, .most = 10, .steps = 100, .train = clt_train_defaults()};
}

/* ---- the report --------------------------------------------------------------------------------------------- */

static void print_result(const clt_lr_result *result)
{
    (void)printf("%-12s %12s %12s\n", "lr", "loss", "smoothed");
    for (size_t i = 0; i < result->rows; i++)
        (void)printf("%-12.4g %12.6g %12.6g\n", result->row[i].rate, result->row[i].loss, result->row[i].smoothed);
    if (result->diverged) (void)printf("\nthe loss diverges from here on");
    if (isnan(result->suggested))
        (void)printf("\nno learning rate is suggested: the smoothed loss does not fall\n");
    else
        (void)printf("\nsuggested learning rate %.3g, where the smoothed loss falls most steeply\n", result->suggested);
}

static json_t *json_of_result(const lr_find_settings *settings, const clt_device *device, const clt_lr_result *result)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < result->rows; i++)
        (void)json_array_append_new(rows, json_pack("{s:f, s:o, s:o}", "lr", result->row[i].rate, "loss",
                                                    json_of_number(result->row[i].loss), "smoothed",
                                                    json_of_number(result->row[i].smoothed)));
    return json_pack("{s:o, s:s, s:i, s:b, s:o, s:o}", "net", json_of_text(settings->net), "device",
                     clt_device_describe(device)->id, "batch_size", settings->train.batch_size, "diverged",
                     result->diverged, "suggested", json_of_number(result->suggested), "steps", rows);
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status create_model(const lr_find_settings *settings, const clt_dataset *data, clt_model **model,
                               clt_error *error)
{
    const clt_model_options options = {.net = settings->net,
                                       .input = clt_dataset_shape(data),
                                       .loss = settings->loss,
                                       .precision = precision_named(settings->precision, CLT_F32),
                                       .seed = settings->train.seed,
                                       .init = settings->init};
    TRY(clt_model_create(&options, model, error));
    return settings->weights ? clt_model_start_from(*model, settings->weights, take_note, NULL, error) : CLT_OK;
}

static clt_status find(const lr_find_settings *settings, clt_model *model, clt_device *device, const clt_dataset *data,
                       clt_error *error)
{
    clt_lr_result result;
    TRY(clt_lr_find(model, device, data, &settings->train, settings->least, settings->most, settings->steps, &result,
                    error));
    clt_status status = CLT_OK;
    if (!is_stdout(settings->json)) print_result(&result);
    if (settings->json) status = write_json(json_of_result(settings, device, &result), settings->json, error);
    clt_lr_result_free(&result);
    return status;
}

static clt_status run(command_line *command, void *given, clt_error *error)
{
    (void)command;
    lr_find_settings *settings = given;
    const clt_data_options reading = data_options_of(&settings->reading, 0);
    clt_dataset *data = NULL;
    clt_model *model = NULL;
    clt_device *device = NULL;
    apply_normalize(&settings->normalize, &settings->train);
    clt_status status = clt_dataset_open_with(settings->data, CLT_TRAIN, &reading, &data, error);
    if (status == CLT_OK) status = create_model(settings, data, &model, error);
    if (status == CLT_OK) status = open_device(settings->device, settings->schedule, &settings->limits, &device, error);
    if (status == CLT_OK) status = find(settings, model, device, data, error);
    clt_device_close(device);
    clt_model_close(model);
    clt_dataset_close(data);
    return status;
}

const verb_row lr_find_verb = {
    .name = "lr-find",
    .summary = "Finds a learning rate: how the loss goes while the rate grows.",
    .details =
        "The learning-rate range test (Smith 2015): a step each at rates that grow geometrically from --lr-min to "
        "--lr-max, until the smoothed loss is 4 times its lowest. A long training often wants a few times less than "
        "the "
        "rate that is suggested. Nothing that is learned is kept.",
    .options = option_rows,
    .settings_size = sizeof(lr_find_settings),
    .set_defaults = set_defaults,
    .run = run,
};
