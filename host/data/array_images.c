/* Images from arrays. What the values mean: unsigned bytes are bytes, and so is what is yes or no (0 and 255); other
 * integers are bytes where both splits' lie in 0..255, else reals, those of 16 bits without a sign in parts of the
 * largest; floats are reals. */
#include "data/array_images.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- extents ------------------------------------------------------------------------------------------------ */

static bool counts_channels(uint64_t extent)
{
    return extent == 1 || extent == 3 || extent == 4;
}

/* Channels last, as Keras keeps them, where the extents can mean nothing else and no option says how they are. */
static bool is_channels_last(const clt__array *x, const clt_options *options)
{
    const uint64_t *extent = x->extent;
    return !options->given[CLT__OPTION_layout] && x->dimensions == 4 && counts_channels(extent[3]) && extent[1] > 4 &&
           extent[2] > 4;
}

static unsigned layout_of(const clt__array *x, const clt_options *options)
{
    if (options->layout == CLT__NHWC || !is_channels_last(x, options)) return options->layout;
    clt__options_note(options,
                      "%s: is read as channels last (n x %" PRIu64 " x %" PRIu64 " x %" PRIu64
                      "); --layout nchw reads it as %" PRIu64 " channels of %" PRIu64 " x %" PRIu64,
                      x->name, x->extent[1], x->extent[2], x->extent[3], x->extent[1], x->extent[2], x->extent[3]);
    return CLT__NHWC;
}

/* [h, w] is one image, [n, h, w] are grey ones. */
static clt_status claim_of(const clt__array *x, unsigned layout, clt__claim *images, clt_error *error)
{
    if (x->dimensions < 2)
        return FAIL(error, CLT_BAD_FILE, "%s: has %d dimension%s, where images have 2, 3 or 4", x->name, x->dimensions,
                    x->dimensions == 1 ? "" : "s");
    const int channel = layout == CLT__NHWC ? 3 : 1, height = layout == CLT__NHWC ? 1 : 2;
    const bool has_channels = x->dimensions == 4;
    const int row = has_channels ? height : x->dimensions - 2;
    *images = (clt__claim){.name = x->name,
                           .status = CLT_BAD_FILE,
                           .count = x->dimensions == 2 ? 1 : x->extent[0],
                           .channels = has_channels ? (int64_t)x->extent[channel] : 1,
                           .height = (int64_t)x->extent[row],
                           .width = (int64_t)x->extent[row + 1]};
    return CLT_OK;
}

/* ---- what the values mean ----------------------------------------------------------------------------------- */

typedef struct meaning {
    bool bytes;
    int factor;   /* of bytes: a yes is 255 */
    double whole; /* of reals: what they are parts of */
} meaning;

static bool is_wide_integer(const clt__array *x)
{
    return clt__array_is_integer(x) && x->kind != 'b' && !(x->kind == 'u' && x->size == 1);
}

/* Reals of 0 to 1 mean what bytes do; others do not. */
static bool goes_beyond_one(const clt__array *x)
{
    bool within = x->kind == 'f';
    for (uint64_t i = 0; i < x->count && within; i++) {
        const double value = clt__array_real(x, i);
        within = value >= 0 && value <= 1;
    }
    return x->kind == 'f' && !within;
}

bool clt__array_images_need_other(const clt__array *x)
{
    return is_wide_integer(x) || goes_beyond_one(x);
}

static bool all_are_bytes(const clt__array *x)
{
    bool bytes = clt__array_is_integer(x);
    for (uint64_t i = 0; i < x->count && bytes; i++) {
        const int64_t value = clt__array_integer(x, i);
        bytes = value >= 0 && value <= 255;
    }
    return bytes;
}

static clt_status fail_types(const clt__array *x, const clt__array *other, const char *where, clt_error *error)
{
    char type[CLT__ARRAY_TYPE_ROOM], other_type[CLT__ARRAY_TYPE_ROOM];
    clt__array_type(x, type);
    clt__array_type(other, other_type);
    return FAIL(error, CLT_BAD_FILE,
                "%s: its values are of the type %s, those of %s of %s: where %s, both splits should be of one type",
                x->name, type, other->name, other_type, where);
}

static clt_status judge_integers(const clt__array *x, const clt__array *other, const clt_options *options, meaning *m,
                                 clt_error *error)
{
    char type[CLT__ARRAY_TYPE_ROOM];
    m->bytes = all_are_bytes(x) && (!other || all_are_bytes(other));
    if (m->bytes) return CLT_OK;
    if (other && (other->kind != x->kind || other->size != x->size))
        return fail_types(x, other, "integers are not all from 0 to 255", error);
    if (x->kind == 'u' && x->size == 2) m->whole = 65535;
    clt__array_type(x, type);
    clt__options_note(options, "%s: its integers (%s) are not all from 0 to 255: they are read as %s", x->name, type,
                      m->whole > 1 ? "reals, divided by 65535" : "the reals that they are");
    return CLT_OK;
}

/* `other` is NULL where it does not matter. */
static clt_status judge(const clt__array *x, const clt__array *other, const clt_options *options, meaning *m,
                        clt_error *error)
{
    *m = (meaning){.bytes = x->kind != 'f', .factor = x->kind == 'b' ? 255 : 1, .whole = 1};
    if (clt__array_is_text(x)) return FAIL(error, CLT_BAD_FILE, "%s: holds texts, where images are numbers", x->name);
    if (is_wide_integer(x)) return judge_integers(x, other, options, m, error);
    return x->kind == 'f' && other && other->kind != 'f' ? fail_types(x, other, "floats are not all from 0 to 1", error)
                                                         : CLT_OK;
}

/* ---- the values --------------------------------------------------------------------------------------------- */

/* Where a value of the data set lies in the array. */
static size_t index_in_file(const clt_dataset *dataset, unsigned layout, size_t n, size_t pixel, size_t channel)
{
    const size_t size = clt__image_size(dataset->shape), channels = (size_t)dataset->shape.channels;
    return n * size + (layout == CLT__NHWC ? pixel * channels + channel : channel * (size / channels) + pixel);
}

/* A large file should not lie in memory twice: what is in order as it is, and begins its memory, is taken over. */
static bool take_over(clt_dataset *dataset, clt__array *x)
{
    if (x->data != (const unsigned char *)x->bytes) return false;
    dataset->bytes = (uint8_t *)x->bytes;
    x->bytes = NULL;
    x->data = NULL;
    return true;
}

static clt_status take_bytes(clt_dataset *dataset, clt__array *x, unsigned layout, int factor, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape), channels = (size_t)dataset->shape.channels;
    const bool plain = x->kind == 'u' && x->size == 1 && !x->fortran, in_order = layout == CLT__NHWC || channels == 1;
    if (plain && in_order && take_over(dataset, x)) return CLT_OK;
    TRY(clt__dataset_allocate_bytes(dataset, error));
    if (plain && in_order) memcpy(dataset->bytes, x->data, dataset->count * size);
    size_t to = 0;
    for (size_t n = 0; n < dataset->count && !(plain && in_order); n++)
        if (plain)
            clt__to_pixels(x->data + n * size, dataset->shape, dataset->bytes + n * size);
        else
            for (size_t i = 0; i < size; i++) {
                const size_t index = index_in_file(dataset, layout, n, i / channels, i % channels);
                dataset->bytes[to++] = (uint8_t)(factor * clt__array_integer(x, index));
            }
    return CLT_OK;
}

static clt_status take_reals(clt_dataset *dataset, const clt__array *x, unsigned layout, double whole, clt_error *error)
{
    const size_t channels = (size_t)dataset->shape.channels, size = clt__image_size(dataset->shape);
    TRY(clt__dataset_allocate_reals(dataset, error));
    size_t to = 0;
    for (size_t n = 0; n < dataset->count; n++)
        for (size_t i = 0; i < size; i++) {
            const double value =
                clt__array_real(x, index_in_file(dataset, layout, n, i / channels, i % channels)) / whole;
            if (!isfinite(value))
                return FAIL(error, CLT_BAD_FILE, "%s: image %zu holds %g, where finite numbers are needed",
                            dataset->name, n, value);
            dataset->reals[to++] = value;
        }
    return CLT_OK;
}

clt_status clt__array_to_images(clt__array *x, clt__array *other, const clt_options *options, clt_dataset **dataset,
                                clt_error *error)
{
    clt__claim images;
    clt_dataset *fresh;
    meaning m;
    *dataset = NULL;
    TRY(judge(x, other->data ? other : NULL, options, &m, error));
    clt__array_free(other);
    const unsigned layout = layout_of(x, options);
    TRY(claim_of(x, layout, &images, error));
    TRY(clt__dataset_create(&images, &fresh, error));
    const clt_status status =
        m.bytes ? take_bytes(fresh, x, layout, m.factor, error) : take_reals(fresh, x, layout, m.whole, error);
    return clt__dataset_finish(status, fresh, dataset);
}
