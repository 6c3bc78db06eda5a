/* What training refuses: options, data and files. */
#include <math.h>

#include "formats/safetensors.h"
#include "training.h"

static void assert_option_refused(const clt_options *options, const char *what)
{
    clt_error error;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, NULL, options, &error), CLT_BAD_ARGUMENT, &error, NULL, what);
    clt_model_close(model);
}

#define REFUSED(member, value, what)                \
    do {                                            \
        clt_options changed = options_for(1, NULL); \
        changed.member = value;                     \
        assert_option_refused(&changed, what);      \
    } while (0)

static void an_option_out_of_its_range_is_refused(void **state)
{
    (void)state;
    REFUSED(epochs, -1, "epochs is -1: it should be from 0 to 1e+09");
    REFUSED(batch_size, 0, "batch_size is 0: it should be from 1 to 1e+06");
    REFUSED(batch_size, 1000001, "batch_size is 1000001: it should be from 1");
    REFUSED(accumulate, 0, "accumulate is 0: it should be from 1");
    REFUSED(accumulate, 70000, "batch_size times accumulate is 1120000: it should be from 1");
    REFUSED(lr, -0.1, "lr is -0.1: it should be from 0 to 1e+06");
    REFUSED(lr, (double)NAN, "lr is ");
    REFUSED(lr, (double)INFINITY, "lr is inf");
    REFUSED(momentum, 1.5, "momentum is 1.5: it should be from 0 to 1");
    REFUSED(weight_decay, -1, "weight_decay is -1: it should be from 0");
    REFUSED(ema, 1, "ema is 1: it should be from 0");
    REFUSED(label_smoothing, 1.1, "label_smoothing is 1.1: it should be from 0 to 1");
    REFUSED(augment.scale, 1, "augmenting by scale=1: it should be 0, or from 0 to 0.9");
    REFUSED(augment.mixup, (double)NAN, "augmenting by mixup=");
    REFUSED(augment.saturation, 0.5, "augmenting by saturation is for images of 3 channels: these have 1");
    REFUSED(augment.crop, 9, "augmenting by crop=9 and cutout=0: images of 8x8 take a crop up to their size");
    REFUSED(class_weights.how, CLT__GIVEN, "the number of class weights is 0: it should be from 1 to 1024");
    REFUSED(clip_grad, -1, "clip_grad is -1: it should be from 0");
    REFUSED(warmup_epochs, -1, "warmup_epochs is -1: it should be from 0");
    REFUSED(gamma, -1, "gamma is -1: it should be from 0");
    REFUSED(beta1, 1, "beta1 is 1: it should be from 0");
    REFUSED(beta2, -1, "beta2 is -1: it should be from 0");
    REFUSED(alpha, 2, "alpha is 2: it should be from 0 to 1");
    REFUSED(eps, -1, "eps is -1: it should be from 0");
    REFUSED(clip_value, -1, "clip_value is -1: it should be from 0");
    REFUSED(power, -1, "power is -1: it should be from 0");
    REFUSED(factor, 2, "factor is 2: it should be from 0 to 1");
    REFUSED(patience_lr, -1, "patience_lr is -1: it should be from 0");
    REFUSED(lr_scheduler, "multistep", "the learning-rate scheduler multistep needs milestones");
    REFUSED(milestones, ((clt__milestones){2, {3, 3}}), "milestone 3: each is at least 1 and more than the one before");
    REFUSED(step_size, 0, "step_size is 0: it should be from 1");
    REFUSED(patience, -1, "patience is -1: it should be from 0");
    REFUSED(val_split, 1, "val_split is 1: it should be from 0");
    REFUSED(save_every, -1, "save_every is -1: it should be from 0");
    REFUSED(check_every, -1, "check_every is -1: it should be from 0");
    REFUSED(optimizer, "sgdd", "there is no optimizer \"sgdd\": there is ");
    REFUSED(lr_scheduler, "linear", "there is no lr_scheduler \"linear\": there ");
}

static void options_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    clt_options options = options_for(1, NULL);
    options.nesterov = true;
    options.momentum = 0;
    assert_option_refused(&options, "Nesterov momentum needs a momentum above 0");
    options = options_for(1, NULL);
    options.normalize.how = CLT__BY_GIVEN;
    options.normalize.channels = 2;
    assert_option_refused(&options, "normalisation is given for 2 channels, the images have 1");
    options.normalize.channels = 1;
    assert_option_refused(&options, "a standard deviation to normalise by is 0: it should be from 1e-30");
    options.class_weights.how = CLT__GIVEN;
    options.class_weights.count = 1;
    assert_option_refused(&options, "a class weight is 0: it should be from 1e-30");
    options.class_weights.weight[0] = 1;
    options.normalize.deviation[0] = 1;
    assert_option_refused(&options, "1 class weights are given, the net has 3 outputs");
    options.normalize.mean[0] = NAN;
    assert_option_refused(&options, "a mean to normalise by is ");
}

static void assert_data_refused(const char *text, const char *loss, const clt_dataset *data, clt_status wanted,
                                const char *what)
{
    clt_error error;
    const clt_options options = options_for(1, "refused");
    clt_model *model = make_model(text, loss, CLT_F32, 3);
    assert_failed(clt_train(model, reference, data, NULL, &options, &error), wanted, &error, NULL, what);
    assert_false(exists(file_in("refused", "last.safetensors")));
    clt_model_close(model);
}

static void data_that_does_not_fit_the_model_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *real, *bare;
    const double values[64] = {0}, targets[3] = {0, 1, 1.5};
    const uint8_t bytes[64] = {0};
    assert_ok(clt_dataset_from_reals(1, shape, values, targets, 3, &real, &error), &error);
    assert_ok(clt_dataset_from_bytes(1, shape, bytes, NULL, 0, &bare, &error), &error);
    assert_data_refused("input 1x8x8; flatten; dense out=2", NULL, images, CLT_BAD_ARGUMENT,
                        "has 3 classes, the net has 2 outputs");
    assert_data_refused("input 1x8x9; flatten; dense out=3", NULL, images, CLT_BAD_ARGUMENT,
                        "the model takes images of 1x8x9, ");
    assert_data_refused("input 3x8x8; flatten; dense out=3", NULL, images, CLT_BAD_ARGUMENT, "has 1x8x8");
    assert_data_refused(net, NULL, real, CLT_BAD_ARGUMENT,
                        "target 2 of image 0 is 1.5: the loss cross_entropy takes numbers from 0 to 1");
    assert_data_refused(net, "bce", real, CLT_BAD_ARGUMENT, "target 2 of image 0 is 1.5: the loss bce takes");
    assert_data_refused("input 1x8x8; flatten; dense out=2", "mse", real, CLT_BAD_NET,
                        "the net gives 2 values an image, the data set has 3 targets");
    assert_data_refused(net, NULL, bare, CLT_BAD_ARGUMENT, "has neither labels nor targets to train on");
    clt_dataset_close(real);
    clt_dataset_close(bare);
}

static void validation_data_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *real, *four = make_images(8, shape, 4, 1), *wide = make_images(8, (clt_shape){1, 8, 9}, 3, 1);
    const double values[64] = {0}, targets[3] = {0, 1, 1.5};
    assert_ok(clt_dataset_from_reals(1, shape, values, targets, 3, &real, &error), &error);
    const clt_options options = options_for(1, NULL);
    clt_model *model = make_model(net, "mse", CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, real, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "should both have labels, or both real targets");
    assert_failed(clt_train(model, reference, images, four, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "has 4 classes, the net has 3 outputs");
    assert_failed(clt_train(model, reference, images, wide, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the model takes images of 1x8x8, ");
    clt_model_close(model);
    clt_dataset_close(real);
    clt_dataset_close(four);
    clt_dataset_close(wide);
}

static void files_that_cannot_be_written_are_named(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, "a file/folder");
    (void)write_bytes("a file", "x", 1);
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_FILE, &error, path_in("a file"),
                  "cannot make this folder");
    options = options_for(1, NULL);
    options.log_steps = path_in("missing/log.csv");
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_FILE, &error, options.log_steps,
                  "cannot be written");
    assert_failed(clt_model_save(model, path_in("missing/model"), &error), CLT_BAD_FILE, &error,
                  path_in("missing/model"), "");
    clt_model_close(model);
}

/* A checkpoint in the middle of an epoch belongs to its data: with fewer images that step does not exist. */
static void a_checkpoint_beyond_the_epochs_steps_is_refused(void **state)
{
    (void)state;
    clt_error error;
    stop_at("beyond", 1, 3, "stopped in epoch 1 after step 3 of 5");
    clt_model *model = load("beyond", "last.safetensors");
    const clt_options options = *clt_model_options(model);
    assert_failed(clt_train(model, reference, validation, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the checkpoint stands at step 3 of its epoch, ");
    clt_model_close(model);
}

/* Steps within an epoch count batches: other batches would repeat images, or leave some out. */
static void another_order_within_an_epoch_is_refused(void **state)
{
    (void)state;
    clt_error error;
    stop_at("batches", 1, 3, "stopped in epoch 1 after step 3 of 5");
    clt_model *model = load("batches", "last.safetensors");
    clt_options options = *clt_model_options(model);
    options.batch_size = BATCH / 2;
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the checkpoint stands in the middle of an epoch of batches of 16 images");
    options.batch_size = BATCH;
    options.seed++;
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the checkpoint stands in the middle of an epoch whose order of images came from the seed ");
    clt_model_close(model);
}

static void smoothing_without_labels_to_smooth_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, NULL);
    options.label_smoothing = 0.1;
    clt_model *model = make_model(net, "mse", CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the loss mse has no labels to smooth");
    clt_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_out_of_its_range_is_refused),
        cmocka_unit_test(options_that_do_not_go_together_are_refused),
        cmocka_unit_test(data_that_does_not_fit_the_model_is_refused),
        cmocka_unit_test(validation_data_that_does_not_fit_is_refused),
        cmocka_unit_test(files_that_cannot_be_written_are_named),
        cmocka_unit_test(a_checkpoint_beyond_the_epochs_steps_is_refused),
        cmocka_unit_test(another_order_within_an_epoch_is_refused),
        cmocka_unit_test(smoothing_without_labels_to_smooth_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
