#include "training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char net[] = "input 1x8x8; conv out=4 kernel=3 padding=1; relu; maxpool kernel=2; flatten; dense out=3";
const clt_shape shape = {1, 8, 8};
clt_device *device, *reference;
clt_dataset *images, *validation;

int set_up(void **state)
{
    if (make_folder(state)) return -1;
    device = open_called(NULL);
    reference = open_called("reference");
    images = make_images(IMAGES, shape, CLASSES, 1);
    validation = make_images(20, shape, CLASSES, 2);
    return 0;
}

int tear_down(void **state)
{
    clt_dataset_close(images);
    clt_dataset_close(validation);
    clt_device_close(device);
    clt_device_close(reference);
    return remove_folder(state);
}

clt_options options_for(int epochs, const char *folder)
{
    clt_options options = clt__options_default();
    options.epochs = epochs;
    options.batch_size = BATCH;
    options.lr = 0.05;
    options.output_dir = folder ? path_in(folder) : NULL;
    return options;
}

void train(clt_model *model, clt_device *on, const clt_options *options)
{
    clt_error error;
    assert_ok(clt_train(model, on, images, validation, options, &error), &error);
}

const char *file_in(const char *folder, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path_in(path);
}

bool exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

size_t get_from_both(const clt_model *one, const clt_model *other, size_t parameter, double a[MOST_OF_ONE],
                     double b[MOST_OF_ONE])
{
    clt_error error;
    const clt_tensor_info *info = clt_model_parameter(one, parameter);
    assert_true(info->count <= MOST_OF_ONE);
    assert_ok(clt_model_get(one, info->name, a, info->count, &error), &error);
    assert_ok(clt_model_get(other, info->name, b, info->count, &error), &error);
    return info->count;
}

double distance(const clt_model *one, const clt_model *other)
{
    double most = 0, largest = 0;
    for (size_t i = 0; i < clt_model_parameter_count(one); i++) {
        double a[MOST_OF_ONE], b[MOST_OF_ONE];
        const size_t count = get_from_both(one, other, i, a, b);
        for (size_t j = 0; j < count; j++) {
            assert_true(isfinite(a[j]) && isfinite(b[j]));
            most = fmax(most, fabs(a[j] - b[j]));
            largest = fmax(largest, fabs(a[j]));
        }
    }
    return most / largest;
}

clt_model *load(const char *folder, const char *name)
{
    clt_error error;
    clt_model *model;
    assert_ok(clt_model_load(file_in(folder, name), &model, &error), &error);
    return model;
}

const char dropping_net[] =
    "input 1x8x8; conv out=4 kernel=3 padding=1; relu; maxpool kernel=2; flatten; dropout rate=0.2; dense out=3";

/* ---- files ---------------------------------------------------------------------------------------------------- */

void assert_same_file(const char *one_folder, const char *other_folder, const char *name)
{
    size_t one_size, other_size;
    uint8_t *one = read_bytes(file_in(one_folder, name), &one_size);
    uint8_t *other = read_bytes(file_in(other_folder, name), &other_size);
    if (one_size != other_size || memcmp(one, other, one_size) != 0)
        print_error("%s differs in %s and %s\n", name, one_folder, other_folder);
    assert_int_equal(one_size, other_size);
    assert_memory_equal(one, other, one_size);
    free(one);
    free(other);
}

/* metrics.csv without the columns that tell of time; freed with free(). */
static char *read_metrics(const char *folder)
{
    enum { SECONDS = 6, LAST_OF_TIME = 8 };
    size_t size, length = 0;
    int column = 0;
    char *text = (char *)read_bytes(file_in(folder, "metrics.csv"), &size);
    for (size_t i = 0; i < size; i++) {
        if (column < SECONDS || column > LAST_OF_TIME || text[i] == '\n') text[length++] = text[i];
        column = text[i] == '\n' ? 0 : column + (text[i] == ',');
    }
    text[length] = 0;
    return text;
}

void assert_same_metrics(const char *one_folder, const char *other_folder)
{
    static const char head[] = "epoch,loss,accuracy,val_loss,val_accuracy,lr,gradient_norm\n1,";
    char *one = read_metrics(one_folder), *other = read_metrics(other_folder);
    assert_string_equal(one, other);
    assert_true(strncmp(one, head, sizeof head - 1) == 0);
    free(one);
    free(other);
}

void assert_same_run(const char *one_folder, const char *other_folder)
{
    assert_same_file(one_folder, other_folder, "last.safetensors");
    assert_same_file(one_folder, other_folder, "best.safetensors");
    assert_same_file(one_folder, other_folder, "model.net");
    assert_same_metrics(one_folder, other_folder);
}

/* ---- a run that is interrupted -------------------------------------------------------------------------------- */

clt_options stateful_options(const char *folder)
{
    clt_options options = options_for(4, folder);
    options.lr_scheduler = "cosine";
    options.warmup_epochs = 1.5;
    options.weight_decay = 1e-3;
    options.nesterov = true;
    options.label_smoothing = 0.1;
    options.augment = (clt__augment){.flip = CLT__FLIP_ALTERNATE,
                                     .crop = 1,
                                     .rotate = 10,
                                     .scale = 0.1,
                                     .brightness = 0.1,
                                     .cutout = 2,
                                     .mixup = 0.5,
                                     .cutmix = 1};
    options.class_weights.how = CLT__BALANCED;
    options.ema = 0.9;
    options.seed = 77;
    options.save_every = 3;
    return options;
}

void copy_file(const char *from_folder, const char *to_folder, const char *name)
{
    char path[200];
    size_t size;
    if (!exists(file_in(from_folder, name))) return;
    uint8_t *bytes = read_bytes(file_in(from_folder, name), &size);
    (void)snprintf(path, sizeof path, "%s/%s", to_folder, name);
    (void)write_bytes(path, bytes, size);
    free(bytes);
}

bool interrupt(void *user, const clt_progress *progress)
{
    interruption *i = user;
    if (strcmp(progress->what, "train") != 0) return true;
    const bool here = progress->epoch == i->epoch && (i->step ? progress->step == i->step : progress->epoch_ended);
    i->calls++;
    if (!here || !i->copy_from) return !here;
    assert_int_equal(mkdir(path_in(i->copy_to), 0777), 0);
    copy_file(i->copy_from, i->copy_to, "last.safetensors");
    copy_file(i->copy_from, i->copy_to, "best.safetensors");
    copy_file(i->copy_from, i->copy_to, "metrics.csv");
    return true;
}

void stop_run(clt_options options, int epoch, int step, const char *sentence)
{
    clt_error error;
    interruption stop = {.epoch = epoch, .step = step};
    options.progress = interrupt;
    options.progress_user = &stop;
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, device, images, validation, &options, &error), CLT_STOPPED, &error, NULL, sentence);
    clt_model_close(model);
}

void stop_at(const char *folder, int epoch, int step, const char *sentence)
{
    stop_run(stateful_options(folder), epoch, step, sentence);
}

void resume(const char *folder)
{
    clt_model *model = load(folder, "last.safetensors");
    clt_options options = *clt_model_options(model);
    assert_int_equal(options.epochs, 4);
    options.output_dir = path_in(folder);
    train(model, device, &options);
    clt_model_close(model);
}

/* ---- what a run tells */

int read_log(const char *name, double losses[MOST_STEPS])
{
    size_t size;
    char *text = (char *)read_bytes(path_in(name), &size), *line = text;
    text[size] = 0;
    assert_true(strncmp(text, "step,loss,lr\n", 13) == 0);
    int steps = 0;
    for (line += 13; *line; line = strchr(line, '\n') + 1) {
        assert_true(steps < MOST_STEPS);
        assert_int_equal(strtol(line, &line, 10), steps + 1);
        assert_int_equal(*line++, ',');
        losses[steps++] = strtod(line, &line);
        assert_int_equal(*line++, ',');
        assert_true(strtod(line, &line) >= 0);
        assert_int_equal(*line, '\n');
    }
    free(text);
    return steps;
}

void log_orders(bool shuffle, uint64_t seed, double losses[MOST_STEPS])
{
    clt_options options = options_for(2, NULL);
    options.lr = 0;
    options.shuffle = shuffle;
    options.seed = seed;
    options.log_steps = path_in("orders.csv");
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    clt_model_close(model);
    assert_int_equal(read_log("orders.csv", losses), 2 * STEPS);
}

bool note_rate(void *user, const clt_progress *progress)
{
    rate_notes *r = user;
    if (strcmp(progress->what, "train") != 0) return true;
    r->steps_in_epoch = progress->steps;
    const int step = (progress->epoch - 1) * progress->steps + progress->step;
    if (step > r->steps && r->steps < MOST_STEPS) r->rate[r->steps++] = progress->learning_rate;
    assert_int_equal(step, r->steps); /* save_every = 1 calls at every step */
    if (!progress->epoch_ended) return true;
    r->loss = progress->loss;
    r->accuracy = progress->accuracy;
    r->validation_loss[r->epochs] = progress->validation_loss;
    r->best[r->epochs++] = progress->best;
    return true;
}

rate_notes train_noting(clt_options options, clt_precision precision, clt_device *on)
{
    rate_notes noted = {0};
    options.progress = note_rate;
    options.progress_user = &noted;
    options.save_every = 1;
    clt_model *model = make_model(net, NULL, precision, 3);
    train(model, on, &options);
    clt_model_close(model);
    return noted;
}
