/* Normalisation: what is taken from each channel of the images, and what it is divided by. */
#include <math.h>

#include "model/model.h"

/* Means and standard deviations of a channel's values, from exact sums where they are bytes. */
static void measure_channel(const clt_dataset *data, int channel, double *mean, double *deviation)
{
    const size_t channels = (size_t)data->shape.channels, values = data->count * clt__image_size(data->shape);
    const double pixels = (double)values / (double)channels;
    double sum = 0, squares = 0;
    if (data->bytes) {
        uint64_t seen[256] = {0};
        for (size_t i = (size_t)channel; i < values; i += channels) seen[data->bytes[i]]++;
        for (int b = 0; b < 256; b++) sum += (double)seen[b] * b / 255;
        *mean = sum / pixels;
        for (int b = 0; b < 256; b++) squares += (double)seen[b] * (b / 255.0 - *mean) * (b / 255.0 - *mean);
    } else {
        for (size_t i = (size_t)channel; i < values; i += channels) sum += data->reals[i];
        *mean = sum / pixels;
        for (size_t i = (size_t)channel; i < values; i += channels)
            squares += (data->reals[i] - *mean) * (data->reals[i] - *mean);
    }
    *deviation = sqrt(squares / pixels);
    if (!(*deviation > 0)) *deviation = 1; /* a constant channel becomes zeros */
}

void clt__normalize(clt_model *model, const clt_dataset *data, const clt_options *options)
{
    if (model->normalized && model->state.total_steps) return;
    for (int c = 0; c < model->input.channels; c++) {
        model->mean[c] = 0;
        model->deviation[c] = 1;
        const int given = options->normalize.channels == 1 ? 0 : c;
        if (options->normalize.how == CLT__BY_DATASET) measure_channel(data, c, &model->mean[c], &model->deviation[c]);
        if (options->normalize.how != CLT__BY_GIVEN) continue;
        model->mean[c] = options->normalize.mean[given];
        model->deviation[c] = options->normalize.deviation[given];
    }
    model->normalized = true;
}
