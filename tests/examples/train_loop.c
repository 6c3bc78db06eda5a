/* A training loop of one's own: what clt_train does, step by step, to the same bits.
 *   train_loop DATA EPOCHS FILE.safetensors [OPTION VALUE]... */
#include <cltrain.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Trains the rest of an epoch, validates, and says what came of it. */
static clt_status run_epoch(clt_session *training, clt_session *validation, int epoch, clt_error *error)
{
    clt_evaluation *evaluation = NULL;
    double loss = NAN, accuracy = NAN;
    bool best = false;
    clt_status status = clt_session_begin_epoch(training, error);
    while (status == CLT_OK && clt_session_has_step(training)) status = clt_session_next_step(training, error);
    if (status == CLT_OK) status = clt_session_figures(training, &loss, &accuracy, error);
    if (status == CLT_OK) status = clt_session_store(training, error);  /* the model has what was trained */
    if (status == CLT_OK) status = clt_session_load(validation, error); /* and validation takes it from there */
    if (status == CLT_OK) status = clt_session_evaluate(validation, NULL, &evaluation, error);
    if (status == CLT_OK) status = clt_session_end_epoch(training, clt_evaluation_loss(evaluation), &best, error);
    if (status == CLT_OK)
        printf("epoch %d  loss %.6f  accuracy %.4f  validation %.6f %.4f%s\n", epoch, loss, accuracy,
               clt_evaluation_loss(evaluation), clt_evaluation_accuracy(evaluation), best ? "  best" : "");
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
    clt_session *training = NULL, *validation = NULL;
    if (count < 4) return 2;
    clt_status status = clt_options_create(&options, &error);
    if (status == CLT_OK) status = clt_options_set(options, "epochs", arguments[2], &error);
    for (int i = 4; i + 1 < count && status == CLT_OK; i += 2)
        status = clt_options_set(options, arguments[i], arguments[i + 1], &error);
    if (status == CLT_OK) status = clt_dataset_open(arguments[1], CLT_TRAIN, options, &images, &error);
    if (status == CLT_OK) status = clt_dataset_open(arguments[1], CLT_TEST, options, &others, &error);
    if (status == CLT_OK) status = clt_model_create(options, &model, &error);
    if (status == CLT_OK) status = clt_device_open_with(options, &device, &error);
    if (status == CLT_OK) status = clt_session_open(model, device, images, options, false, &training, &error);
    if (status == CLT_OK) status = clt_session_open_inference(model, device, others, options, &validation, &error);
    for (int epoch = 1; epoch <= atoi(arguments[2]) && status == CLT_OK; epoch++)
        status = run_epoch(training, validation, epoch, &error);
    if (status == CLT_OK) status = clt_model_save(model, arguments[3], &error);
    if (status != CLT_OK) fprintf(stderr, "%s: %s\n", clt_status_name(status), error.message);
    clt_session_close(training);
    clt_session_close(validation);
    clt_model_close(model);
    clt_device_close(device);
    clt_dataset_close(images);
    clt_dataset_close(others);
    clt_options_close(options);
    return status != CLT_OK;
}
