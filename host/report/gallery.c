/* What is seen in images: a session runs a step's forward and backward pass on the chosen ones, and shows its tensors.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fold_norms.h"
#include "report/sections.h"
#include "session/session.h"
#include "train/layer_watch.h"

enum { OF_EACH = 12, MOST_SIDE = 64, MOST_MAPS = 32, MOST_LARGE_MAPS = 8, MOST_FILTERS = 64 };

/* Images at hand, as the net saw them. */
typedef struct gallery {
    const clt__run *run;
    const clt_dataset *data;
    const clt__answers *answers;
    clt_model *model; /* as it infers */
    clt_session *session;
    clt_shape shape;
    int32_t image[2 * OF_EACH]; /* mistakes, then what was nearly one */
    size_t wrong, right;
    double *input, *gradient; /* [images, channels, height, width] of each */
} gallery;

/* ---- pictures */

/* A picture small enough: every pixel is the mean of `by` x `by`. */
typedef struct thumbnail {
    int width, height, by;
    uint8_t *rgb;
} thumbnail;

static clt_status open_thumbnail(const clt_shape *shape, thumbnail *t, clt_error *error)
{
    const int longer = shape->height > shape->width ? shape->height : shape->width;
    *t = (thumbnail){.by = (longer + MOST_SIDE - 1) / MOST_SIDE};
    t->width = (shape->width + t->by - 1) / t->by;
    t->height = (shape->height + t->by - 1) / t->by;
    return clt__allocate((uint64_t)t->width * (uint64_t)t->height, 3, "a picture", &t->rgb, error);
}

/* The mean of a plane [height, width] over a thumbnail's pixel. */
static double mean_under(const double *plane, const clt_shape *shape, const thumbnail *t, int y, int x)
{
    double sum = 0;
    int count = 0;
    for (int h = y * t->by; h < (y + 1) * t->by && h < shape->height; h++)
        for (int w = x * t->by; w < (x + 1) * t->by && w < shape->width; w++, count++)
            sum += plane[h * shape->width + w];
    return sum / count;
}

static uint8_t byte_of(double share)
{
    return (uint8_t)(255 * fmin(fmax(share, 0), 1) + 0.5);
}

/* An image as it was before it was normalised: three channels as RGB, else the first as grey. */
static void show_image(const gallery *g, size_t which, thumbnail *t)
{
    const size_t plane = (size_t)g->shape.height * (size_t)g->shape.width;
    const double *image = g->input + which * plane * (size_t)g->shape.channels;
    for (int c = 0; c < 3; c++) {
        const int from = g->shape.channels == 3 ? c : 0;
        double mean = 0, deviation = 1;
        (void)clt_model_normalization(g->run->model, from, &mean, &deviation);
        for (int y = 0; y < t->height; y++)
            for (int x = 0; x < t->width; x++)
                t->rgb[(y * t->width + x) * 3 + c] =
                    byte_of(mean_under(image + (size_t)from * plane, &g->shape, t, y, x) * deviation + mean);
    }
}

/* A pixel times the loss's gradient by it, without its sign, over all channels: pale where nothing hangs on the pixel,
 * and where it is black. */
static void show_saliency(const gallery *g, size_t which, thumbnail *t, double *plane)
{
    const size_t pixels = (size_t)g->shape.height * (size_t)g->shape.width,
                 first = which * pixels * (size_t)g->shape.channels;
    double most = 0;
    memset(plane, 0, pixels * sizeof *plane);
    for (int c = 0; c < g->shape.channels; c++) {
        double mean = 0, deviation = 1;
        (void)clt_model_normalization(g->run->model, c, &mean, &deviation);
        for (size_t i = 0; i < pixels; i++) {
            const size_t at = first + (size_t)c * pixels + i;
            plane[i] += fabs((g->input[at] + mean / deviation) * g->gradient[at]);
        }
    }
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++) most = fmax(most, mean_under(plane, &g->shape, t, y, x));
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++) {
            const double heat = most > 0 ? sqrt(mean_under(plane, &g->shape, t, y, x) / most) : 0;
            uint8_t *at = t->rgb + (y * t->width + x) * 3;
            at[0] = byte_of(1 - 0.3 * heat);
            at[1] = byte_of(1 - 0.85 * heat);
            at[2] = byte_of(1 - heat);
        }
}

/* ---- images with what was said of them */

static void write_class(clt__html *to, const gallery *g, int which)
{
    char room[32];
    clt__html_print(to, "<strong>");
    clt__html_text(to, clt__class_called(g->run, g->data, which, room));
    clt__html_print(to, "</strong>");
}

static void write_caption(clt__html *to, const gallery *g, size_t which)
{
    const size_t image = (size_t)g->image[which];
    const clt__answers *a = g->answers;
    const bool right = a->label[image] == a->said[image];
    clt__html_print(to, "<br>%s ", right ? "rightly" : "said");
    write_class(to, g, a->said[image]);
    clt__html_print(to, ", %.1f&nbsp;%%", 100 * (double)a->of_said[image]);
    if (!right) {
        clt__html_print(to, "<br>is ");
        write_class(to, g, a->label[image]);
        clt__html_print(to, ", %.1f&nbsp;%%", 100 * (double)a->of_label[image]);
    }
    clt__html_print(to, "<br><span class=\"soft\">test image %zu</span>", image);
}

static void write_images(clt__html *to, const gallery *g, size_t first, size_t count, bool heat, thumbnail *t,
                         double *plane)
{
    clt__html_print(to, "<ul class=\"gallery\">");
    for (size_t i = first; i < first + count; i++) {
        char alternative[64];
        clt__html_print(to, "<li>");
        (void)snprintf(alternative, sizeof alternative, "test image %d", g->image[i]);
        show_image(g, i, t);
        clt__html_image(to, t->rgb, t->width, t->height, 3, NULL, alternative);
        if (heat) {
            show_saliency(g, i, t, plane);
            clt__html_image(to, t->rgb, t->width, t->height, 3, NULL, "what in it counted");
        }
        write_caption(to, g, i);
        clt__html_print(to, "</li>");
    }
    clt__html_print(to, "</ul>");
}

static clt_status show_answers(clt__html *to, const gallery *g, clt_error *error)
{
    thumbnail t;
    double *plane;
    TRY(clt__allocate((uint64_t)g->shape.height * (uint64_t)g->shape.width, sizeof *plane, "a picture", &plane, error));
    const clt_status status = open_thumbnail(&g->shape, &t, error);
    if (status == CLT_OK && g->wrong) {
        clt__html_print(to, "<h2>Where it was surest, and wrong</h2><p>Beside each image stands what counted in it: "
                            "the darker, the more the loss hangs on "
                            "the pixel (gradient times input).</p>");
        write_images(to, g, 0, g->wrong, true, &t, plane);
    }
    if (status == CLT_OK && g->right) {
        clt__html_print(to, "<h3>Right, but only just</h3>");
        write_images(to, g, g->wrong, g->right, false, &t, plane);
    }
    if (status == CLT_OK) free(t.rgb);
    free(plane);
    return status;
}

/* ---- filters and what they make of an image */

/* Pictures of [channels, height, width] beside each other in one, with a grey line between. */
typedef struct mosaic {
    int channels, height, width; /* of a picture */
    int across, all_width, all_height;
    uint8_t *pixels;
} mosaic;

static clt_status open_mosaic(mosaic *m, int count, clt_error *error)
{
    enum { ACROSS = 16, GREY = 128 };
    m->across = count < ACROSS ? count : ACROSS;
    m->all_width = m->across * (m->width + 1) + 1;
    m->all_height = (count + m->across - 1) / m->across * (m->height + 1) + 1;
    const size_t pixels = (size_t)m->all_width * (size_t)m->all_height;
    TRY(clt__allocate(pixels, (size_t)m->channels, "a picture", &m->pixels, error));
    memset(m->pixels, GREY, pixels * (size_t)m->channels);
    return CLT_OK;
}

/* From its least value to its most or, where `around_zero`, from minus to plus its largest. */
static void place_picture(const mosaic *m, int which, const double *values, bool around_zero)
{
    const size_t plane = (size_t)m->height * (size_t)m->width, channels = (size_t)m->channels;
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < plane * channels; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    if (around_zero) {
        most = fmax(fabs(least), fabs(most));
        least = -most;
    }
    for (size_t i = 0; i < plane * channels; i++) {
        const size_t y = (size_t)(which / m->across * (m->height + 1) + 1) + i % plane / (size_t)m->width,
                     x = (size_t)(which % m->across * (m->width + 1) + 1) + i % plane % (size_t)m->width;
        m->pixels[(y * (size_t)m->all_width + x) * channels + i / plane] =
            byte_of(most > least ? (values[i] - least) / (most - least) : 0.5);
    }
}

static clt_status show_pictures(clt__html *to, mosaic m, const double *values, int count, bool around_zero,
                                const char *alternative, clt_error *error)
{
    const size_t size = (size_t)m.channels * (size_t)m.height * (size_t)m.width;
    TRY(open_mosaic(&m, count, error));
    for (int i = 0; i < count; i++) place_picture(&m, i, values + (size_t)i * size, around_zero);
    clt__html_image(to, m.pixels, m.all_width, m.all_height, m.channels, "pixels maps", alternative);
    free(m.pixels);
    return CLT_OK;
}

/* The first convolution's weights: its index among the parameters, or their count. */
static size_t first_filters(const clt_model *model)
{
    size_t i = 0;
    while (i < clt_model_parameter_count(model) && clt_model_parameter(model, i)->dimensions != 4) i++;
    return i;
}

static clt_status show_filters(clt__html *to, const clt_model *model, const clt_tensor_info *info, clt_error *error)
{
    double *values;
    const int channels = info->extent[1] == 3 ? 3 : 1;
    const int pictures = info->extent[0] * (channels == 3 ? 1 : info->extent[1]);
    if (info->extent[2] * info->extent[3] < 2) return CLT_OK;
    TRY(clt__allocate(info->count, sizeof *values, info->name, &values, error));
    clt_status status = clt_model_get(model, info->name, values, info->count, error);
    if (status == CLT_OK) {
        clt__html_print(to, "<h3>The first filters</h3><p class=\"soft\">%s: grey is 0%s.</p>", info->name,
                        pictures > MOST_FILTERS ? "; the first 64 are shown" : "");
        const mosaic m = {.channels = channels, .height = info->extent[2], .width = info->extent[3]};
        status =
            show_pictures(to, m, values, pictures < MOST_FILTERS ? pictures : MOST_FILTERS, true, "filters", error);
    }
    free(values);
    return status;
}

/* What a layer makes of the first image at hand. */
static clt_status show_maps(clt__html *to, const gallery *g, const char *layer, clt_error *error)
{
    const clt_tensor_info *found = clt_session_find(g->session, layer);
    double *values;
    if (!found || found->dimensions != 4) return CLT_OK;
    const clt_tensor_info info = *found;
    TRY(clt__allocate(info.count, sizeof *values, info.name, &values, error));
    clt_status status = clt_session_read(g->session, layer, values, info.count, error);
    if (status == CLT_OK) {
        const mosaic m = {.channels = 1, .height = info.extent[2], .width = info.extent[3]};
        const int most = m.height > MOST_SIDE || m.width > MOST_SIDE ? MOST_LARGE_MAPS : MOST_MAPS;
        const int shown = info.extent[1] < most ? info.extent[1] : most;
        clt__html_print(to, "<h3>What %s makes of test image %d</h3>", layer, g->image[0]);
        if (shown < info.extent[1])
            clt__html_print(to, "<p class=\"soft\">Its first %d channels of %d.</p>", shown, info.extent[1]);
        status = show_pictures(to, m, values, shown, false, "feature maps", error);
    }
    free(values);
    return status;
}

/* "conv1" of "conv1.weight" */
static void layer_of(const char *parameter, char layer[64])
{
    (void)snprintf(layer, 64, "%.*s", (int)(strrchr(parameter, '.') - parameter), parameter);
}

static clt_status show_first_layer(clt__html *to, const gallery *g, clt_error *error)
{
    char layer[64];
    const size_t which = first_filters(g->run->model);
    if (which == clt_model_parameter_count(g->run->model)) return CLT_OK;
    const clt_tensor_info *info = clt_model_parameter(g->run->model, which);
    clt__html_print(to, "<h2>What the first layer looks for</h2>");
    TRY(show_filters(to, g->run->model, info, error));
    layer_of(info->name, layer);
    return show_maps(to, g, layer, error);
}

/* ---- values and gradients, layer by layer */

static clt_status add_distribution(clt__html *to, clt_session *session, const char *name, double **values,
                                   clt_error *error)
{
    const clt_tensor_info *found = clt_session_find(session, name);
    *values = NULL;
    if (!found) return CLT_OK;
    const size_t count = found->count;
    TRY(clt__allocate(count, sizeof **values, name, values, error));
    TRY(clt_session_read(session, name, *values, count, error));
    clt__distribution_row(to, name, *values, count);
    return CLT_OK;
}

/* A layer, and how many of its units, where that is not 0. */
static void add_to_list(clt__html *list, const char *name, size_t count)
{
    clt__html_comma(list);
    clt__html_text(list, name);
    if (count) clt__html_print(list, " (%zu)", count);
}

static bool explodes(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs(values[i]) < CLT__EXPLODED)) return true;
    return false;
}

static clt_status show_activations(clt__html *to, const gallery *g, const clt_summary *summary, clt_error *error)
{
    clt__html dead = {.status = CLT_OK}, large = {.status = CLT_OK};
    clt__html_print(to, "<h3>What the layers give, for these images</h3>");
    if (clt__has_norms_to_fold(g->run->model))
        clt__html_print(to, "<p class=\"soft\">Batch normalisations behind a convolution or a dense layer are part of "
                            "it here, as where the net is used.</p>");
    clt__distribution_head(to, "layer");
    clt_status status = CLT_OK;
    for (size_t i = 0; i < clt_summary_count(summary) && status == CLT_OK; i++) {
        const clt_summary_row *row = clt_summary_at(summary, i);
        double *values;
        status = add_distribution(to, g->session, row->name, &values, error);
        if (status == CLT_OK && values) {
            const clt_tensor_info info = *clt_session_find(g->session, row->name);
            const size_t count =
                info.dimensions > 1 && clt__layer_may_die(row->kind) ? clt__count_dead(values, &info) : 0;
            if (count) add_to_list(&dead, row->name, count);
            if (explodes(values, info.count)) add_to_list(&large, row->name, 0);
        }
        free(values);
    }
    clt__html_print(to, "</tbody></table></div>");
    clt__html_list(to, "Dead units, which give 0 for every image at hand:", &dead);
    clt__html_list(to, "Layers that give more than 1,000, or no finite numbers:", &large);
    return status;
}

static clt_status show_gradients(clt__html *to, const gallery *g, clt_error *error)
{
    clt__html_print(to, "<h3>Gradients of the parameters, for these images</h3>");
    clt__distribution_head(to, "gradient");
    for (size_t i = 0; i < clt_model_parameter_count(g->run->model); i++) {
        char name[96];
        double *values;
        (void)snprintf(name, sizeof name, "%s.gradient", clt_model_parameter(g->run->model, i)->name);
        const clt_status status = add_distribution(to, g->session, name, &values, error);
        free(values);
        TRY(status);
    }
    clt__html_print(to, "</tbody></table></div>");
    return CLT_OK;
}

static clt_status show_distributions(clt__html *to, const gallery *g, clt_error *error)
{
    clt_options options = clt__options_default();
    clt_summary *summary;
    options.net = clt_model_net(g->run->model);
    TRY(clt_summarize(&options, &summary, error));
    clt__html_print(to, "<h2>What the numbers are like</h2>");
    clt_status status = show_activations(to, g, summary, error);
    if (status == CLT_OK) status = show_gradients(to, g, error);
    if (status == CLT_OK) status = clt__weights(to, g->run, error);
    if (status == CLT_OK) status = clt__layers_over_time(to, g->run, error);
    clt_summary_close(summary);
    return status;
}

/* ---- all of it */

/* The model as it infers: with its averages, and without batch normalisations whose statistics would be those of the
 * few images at hand. */
static clt_status load_model(gallery *g, clt_error *error)
{
    clt_model *trained;
    TRY(clt_model_load(g->run->checkpoint, &trained, error));
    const clt_status status = clt__fold_norms(trained, &g->model, error);
    clt_model_close(trained);
    return status;
}

/* A step's forward and backward pass on the images. */
static clt_status run_images(gallery *g, clt_device *device, clt_error *error)
{
    clt_options options = clt__options_default();
    const clt__session_mode mode = {
        .training = true, .as_inferred = true, .keep_tensors = true, .input_gradient = true};
    const size_t count = g->wrong + g->right,
                 values = count * (size_t)g->shape.channels * (size_t)g->shape.height * (size_t)g->shape.width;
    options.batch_size = options.micro_batch_size = (int)count;
    TRY(load_model(g, error));
    TRY(clt__session_open_training(g->model, device, g->data, &options, mode, &g->session, error));
    TRY(clt_session_choose_batch(g->session, g->image, (int)count, error));
    TRY(clt_session_forward(g->session, error));
    TRY(clt_session_backward(g->session, error));
    TRY(clt__allocate(values, sizeof *g->input, "images", &g->input, error));
    TRY(clt__allocate(values, sizeof *g->gradient, "gradients", &g->gradient, error));
    TRY(clt_session_read(g->session, "input", g->input, values, error));
    return clt_session_read(g->session, "input.gradient", g->gradient, values, error);
}

clt_status clt__gallery(clt__html *to, const clt__run *run, clt_device *device, const clt_dataset *data,
                        const clt__answers *answers, clt_error *error)
{
    gallery g = {.run = run, .data = data, .answers = answers, .shape = clt_model_input(run->model)};
    g.wrong = clt__pick_images(answers, CLT__SUREST_WRONG, g.image, OF_EACH);
    g.right = clt__pick_images(answers, CLT__LEAST_SURE_RIGHT, g.image + g.wrong, OF_EACH);
    clt_status status = run_images(&g, device, error);
    if (status == CLT_OK) status = show_answers(to, &g, error);
    if (status == CLT_OK) status = show_first_layer(to, &g, error);
    if (status == CLT_OK) status = show_distributions(to, &g, error);
    clt_session_close(g.session);
    clt_model_close(g.model);
    free(g.input);
    free(g.gradient);
    return status;
}
