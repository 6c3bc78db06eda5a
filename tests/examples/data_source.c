/* Data of one's own: images that a function makes when they are asked for, so that there may be more of them than
 * memory. Here they are bars that lie or stand; the net learns to tell which. data_source IMAGES [DEVICE] */
#include <cltrain.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, TEST_IMAGES = 200 };

/* A small generator whose numbers depend on the image alone, so that each epoch sees the same images. */
static unsigned noise(size_t image, unsigned which)
{
    unsigned x = (unsigned)image * 2654435761u + which * 40503u + 12345u;
    x ^= x >> 15;
    x *= 2246822519u;
    return x ^ x >> 13;
}

static int is_upright(size_t image)
{
    return (int)(noise(image, 0) & 1);
}

static void draw_bar(size_t image, uint8_t *pixels)
{
    const unsigned place = noise(image, 1) % SIDE;
    for (unsigned y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++) {
            const int on_bar = is_upright(image) ? x == place : y == place;
            pixels[y * SIDE + x] = (uint8_t)(noise(image, 2 + y * SIDE + x) % 100 + (on_bar ? 150 : 0));
        }
}

/* A clt_fill_function. `user` is the number of the first image: training and test images are others. */
static bool fill(void *user, const size_t *images, size_t count, void *pixels)
{
    const size_t first = *(const size_t *)user;
    for (size_t i = 0; i < count; i++) draw_bar(first + images[i], (uint8_t *)pixels + i * SIDE * SIDE);
    return true;
}

static clt_status open_bars(size_t *first, size_t count, clt_dataset **data, clt_error *error)
{
    const clt_shape shape = {1, SIDE, SIDE};
    int32_t *labels = malloc(count * sizeof *labels);
    if (!labels) return CLT_NO_MEMORY;
    for (size_t i = 0; i < count; i++) labels[i] = is_upright(*first + i);
    const clt_status status =
        clt_dataset_from_source(count, shape, CLT_BYTES, fill, first, labels, 2, NULL, 0, data, error);
    free(labels);
    return status;
}

int main(int count, char **arguments)
{
    clt_error error = {0};
    clt_options *options = NULL;
    clt_dataset *training = NULL, *test = NULL;
    clt_device *device = NULL;
    clt_model *model = NULL;
    clt_evaluation *evaluation = NULL;
    size_t images = count > 1 ? (size_t)atol(arguments[1]) : 0, none = 0;
    if (images < 1) return 2;
    clt_status status = clt_options_create(&options, &error);
    if (status == CLT_OK) status = clt_options_set(options, "epochs", "3", &error);
    if (status == CLT_OK)
        status =
            clt_options_set(options, "net", "input 1x12x12, conv out=4 kernel=3, relu, flatten, dense out=2", &error);
    if (status == CLT_OK) status = open_bars(&none, images, &training, &error);
    if (status == CLT_OK) status = open_bars(&images, TEST_IMAGES, &test, &error);
    if (status == CLT_OK) status = clt_model_create(options, &model, &error);
    if (status == CLT_OK) status = clt_device_open(count > 2 ? arguments[2] : NULL, &device, &error);
    if (status == CLT_OK) status = clt_train(model, device, training, NULL, options, &error);
    if (status == CLT_OK) status = clt_evaluate(model, device, test, options, &evaluation, &error);
    if (status == CLT_OK)
        printf("accuracy %.4f on %zu bars\n", clt_evaluation_accuracy(evaluation), clt_evaluation_count(evaluation));
    else
        fprintf(stderr, "%s: %s\n", clt_status_name(status), error.message);
    clt_evaluation_close(evaluation);
    clt_model_close(model);
    clt_device_close(device);
    clt_dataset_close(training);
    clt_dataset_close(test);
    clt_options_close(options);
    return status != CLT_OK;
}
