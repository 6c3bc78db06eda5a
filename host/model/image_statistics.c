/* Normalisation: what is taken from each channel of the images, and what it is divided by. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/taking.h"
#include "model/model.h"

/* What is counted of each channel: how often each byte comes, or sums of real values. */
typedef struct channel_counts {
    uint64_t seen[256];
    double sum, squares; /* of real values, and of their distances from the mean */
} channel_counts;

typedef struct measurement {
    size_t channels;
    double *mean;
    bool measures_squares; /* in the second pass over real values, once the mean is known */
    channel_counts *channel;
    clt_shape shape;
    size_t images; /* that were seen */
} measurement;

static void count_images(void *user, const uint8_t *bytes, const double *reals, size_t count)
{
    measurement *m = user;
    if (!m->measures_squares) m->images += count;
    const size_t values = count * clt__image_size(m->shape);
    for (size_t c = 0; c < m->channels; c++) {
        channel_counts *counts = &m->channel[c];
        for (size_t i = c; i < values && bytes; i += m->channels) counts->seen[bytes[i]]++;
        for (size_t i = c; i < values && reals && !m->measures_squares; i += m->channels) counts->sum += reals[i];
        for (size_t i = c; i < values && reals && m->measures_squares; i += m->channels)
            counts->squares += (reals[i] - m->mean[c]) * (reals[i] - m->mean[c]);
    }
}

/* From exact counts. */
static void measure_bytes(const channel_counts *counts, double pixels, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (int b = 0; b < 256; b++) sum += (double)counts->seen[b] * b / 255;
    *mean = sum / pixels;
    for (int b = 0; b < 256; b++) squares += (double)counts->seen[b] * (b / 255.0 - *mean) * (b / 255.0 - *mean);
    *deviation = sqrt(squares / pixels);
}

static clt_status measure_counted(const clt_dataset *data, const clt_options *options, measurement *m,
                                  double *deviation, clt_error *error)
{
    const double plane = (double)data->shape.height * data->shape.width;
    const bool bytes = clt__dataset_is_bytes(data);
    TRY(clt__dataset_see(data, options, count_images, m, error));
    const double pixels = (double)m->images * plane;
    for (size_t c = 0; c < m->channels && !bytes; c++) m->mean[c] = m->channel[c].sum / pixels;
    m->measures_squares = true;
    if (!bytes) TRY(clt__dataset_see(data, options, count_images, m, error));
    for (size_t c = 0; c < m->channels; c++) {
        if (bytes)
            measure_bytes(&m->channel[c], pixels, &m->mean[c], &deviation[c]);
        else
            deviation[c] = sqrt(m->channel[c].squares / pixels);
        if (!(deviation[c] > 0)) deviation[c] = 1; /* a constant channel becomes zeros */
    }
    return CLT_OK;
}

/* Means and standard deviations of each channel's values. */
static clt_status measure(const clt_dataset *data, const clt_options *options, double *mean, double *deviation,
                          clt_error *error)
{
    measurement m = {.channels = (size_t)data->shape.channels, .mean = mean, .shape = data->shape};
    TRY(clt__allocate(m.channels, sizeof *m.channel, "the images' statistics", &m.channel, error));
    const clt_status status = measure_counted(data, options, &m, deviation, error);
    free(m.channel);
    return status;
}

clt_status clt__normalize(clt_model *model, const clt_dataset *data, const clt_options *options, clt_error *error)
{
    const clt__normalize_choice *choice = &options->normalize;
    if (model->normalized && (model->state.total_steps || data->blank)) return CLT_OK;
    for (int c = 0; c < model->input.channels; c++) {
        const int given = choice->channels == 1 ? 0 : c;
        model->mean[c] = choice->how == CLT__BY_GIVEN ? choice->mean[given] : 0;
        model->deviation[c] = choice->how == CLT__BY_GIVEN ? choice->deviation[given] : 1;
    }
    if (choice->how == CLT__BY_DATASET) TRY(measure(data, options, model->mean, model->deviation, error));
    model->normalized = true;
    return CLT_OK;
}
