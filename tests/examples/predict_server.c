/* Prediction in a server's loop: the session stays open, requests come and go. A request is a line on standard input
 * with the path of a raw file of images, each channels x height x width bytes; the answer is a line with the class of
 * each. predict_server MODEL.safetensors [DEVICE] */
#include <cltrain.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGES = 4096 };

/* The images of a file; how many, 0 where it cannot be read. */
static size_t read_images(const char *path, uint8_t *images, size_t image_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    const size_t count = fread(images, image_bytes, MOST_IMAGES, file);
    return fclose(file) == 0 ? count : 0;
}

static int largest(const float *outputs, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (outputs[i] > outputs[best]) best = i;
    return best;
}

static void answer(const clt_model *model, const float *outputs, size_t count)
{
    const int classes = clt_model_outputs(model);
    for (size_t i = 0; i < count; i++) printf("%s%d", i ? " " : "", largest(outputs + i * (size_t)classes, classes));
    printf("\n");
    fflush(stdout);
}

static clt_status serve(clt_session *session, const clt_model *model, uint8_t *images, float *outputs, clt_error *error)
{
    const clt_shape shape = clt_model_input(model);
    const size_t image_bytes = (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
    char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        const size_t count = read_images(path, images, image_bytes);
        const clt_status status = clt_session_predict_bytes(session, images, count, outputs, error);
        if (status != CLT_OK) return status;
        answer(model, outputs, count);
    }
    return CLT_OK;
}

int main(int count, char **arguments)
{
    clt_error error = {0};
    clt_model *model = NULL;
    clt_device *device = NULL;
    clt_session *session = NULL;
    if (count < 2) return 2;
    clt_status status = clt_model_load(arguments[1], &model, &error);
    if (status == CLT_OK) status = clt_device_open(count > 2 ? arguments[2] : NULL, &device, &error);
    if (status == CLT_OK) status = clt_session_open_images(model, device, CLT_BYTES, NULL, &session, &error);
    if (status == CLT_OK) {
        const clt_shape shape = clt_model_input(model);
        uint8_t *images = malloc((size_t)MOST_IMAGES * (size_t)(shape.channels * shape.height * shape.width));
        float *outputs = malloc((size_t)MOST_IMAGES * (size_t)clt_model_outputs(model) * sizeof *outputs);
        if (images && outputs) status = serve(session, model, images, outputs, &error);
        free(images);
        free(outputs);
    }
    if (status != CLT_OK) fprintf(stderr, "%s: %s\n", clt_status_name(status), error.message);
    clt_session_close(session);
    clt_device_close(device);
    clt_model_close(model);
    return status != CLT_OK;
}
