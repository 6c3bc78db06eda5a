/* Fine-tuning: a net with another last layer begins with a trained one's parameters; first that layer alone is trained,
 * then all of it, with a lower learning rate. fine_tune TRAINED.safetensors NEW-NET DATA [DEVICE] */
#include <cltrain.h>
#include <stdio.h>

static void tell(void *user, const char *sentence)
{
    (void)user;
    printf("note: %s\n", sentence);
}

/* Trains with what `freeze` leaves ("" for everything). */
static clt_status train(clt_model *model, clt_device *device, const clt_dataset *images, clt_options *options,
                        const char *freeze, const char *rate, const char *epochs, clt_error *error)
{
    clt_status status = clt_options_set(options, "freeze", freeze, error);
    if (status == CLT_OK) status = clt_options_set(options, "lr", rate, error);
    if (status == CLT_OK) status = clt_options_set(options, "epochs", epochs, error);
    return status == CLT_OK ? clt_train(model, device, images, NULL, options, error) : status;
}

static clt_status measure(const clt_model *model, clt_device *device, const clt_dataset *images, const char *when,
                          clt_error *error)
{
    clt_evaluation *evaluation = NULL;
    const clt_status status = clt_evaluate(model, device, images, NULL, &evaluation, error);
    if (status == CLT_OK) printf("accuracy %.4f %s\n", clt_evaluation_accuracy(evaluation), when);
    clt_evaluation_close(evaluation);
    return status;
}

int main(int count, char **arguments)
{
    clt_error error = {0};
    clt_options *options = NULL;
    clt_dataset *images = NULL, *others = NULL;
    clt_device *device = NULL;
    clt_model *model = NULL;
    if (count < 4) return 2;
    clt_status status = clt_options_create(&options, &error);
    if (status == CLT_OK) clt_options_set_notes(options, tell, NULL);
    if (status == CLT_OK) status = clt_options_set(options, "net", arguments[2], &error);
    if (status == CLT_OK) status = clt_options_set(options, "batch_size", "30", &error);
    if (status == CLT_OK) status = clt_dataset_open(arguments[3], CLT_TRAIN, options, &images, &error);
    if (status == CLT_OK) status = clt_dataset_open(arguments[3], CLT_TEST, options, &others, &error);
    if (status == CLT_OK) status = clt_model_create(options, &model, &error);
    if (status == CLT_OK) status = clt_model_start_from(model, arguments[1], options, &error);
    if (status == CLT_OK) status = clt_device_open(count > 4 ? arguments[4] : NULL, &device, &error);
    if (status == CLT_OK) status = train(model, device, images, options, "conv*", "0.05", "2", &error);
    if (status == CLT_OK) status = measure(model, device, others, "with the old layers frozen", &error);
    if (status == CLT_OK) status = train(model, device, images, options, "", "0.01", "4", &error);
    if (status == CLT_OK) status = measure(model, device, others, "after all of it", &error);
    if (status != CLT_OK) fprintf(stderr, "%s: %s\n", clt_status_name(status), error.message);
    clt_model_close(model);
    clt_device_close(device);
    clt_dataset_close(images);
    clt_dataset_close(others);
    clt_options_close(options);
    return status != CLT_OK;
}
