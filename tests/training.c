#include "training.h"

#include <math.h>
#include <stdio.h>
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

double distance(const clt_model *one, const clt_model *other)
{
    double most = 0, largest = 0;
    for (size_t i = 0; i < clt_model_parameter_count(one); i++) {
        clt_error error;
        double a[1024], b[1024];
        const clt_tensor_info *info = clt_model_parameter(one, i);
        assert_true(info->count <= COUNT_OF(a));
        assert_ok(clt_model_get(one, info->name, a, info->count, &error), &error);
        assert_ok(clt_model_get(other, info->name, b, info->count, &error), &error);
        for (size_t j = 0; j < info->count; j++) {
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
