#include "data/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jpeglib.h needs stdio.h before it. */
#include <jerror.h>
#include <jpeglib.h>
#include <png.h>
#include <setjmp.h>

#include "base/file.h"
#include "base/memory.h"

typedef struct encoded {
    const char *path;
    const uint8_t *bytes;
    size_t size;
    uint64_t densest; /* how many pixels a byte can stand for, at most */
} encoded;

/* A few bytes must not be able to ask for all the memory. */
static clt_status check_size(const encoded *file, const clt__picture_info *info, clt_error *error)
{
    enum { MOST_PIXELS = 1 << 28 };
    const uint64_t pixels = (uint64_t)info->width * (uint64_t)info->height;
    if (pixels == 0 || pixels > MOST_PIXELS || pixels / file->densest > file->size)
        return FAIL(error, CLT_BAD_FILE, "%s: claims to be an image of %d x %d in %zu bytes", file->path, info->width,
                    info->height, file->size);
    return CLT_OK;
}

static clt_status allocate_pixels(const encoded *file, const clt__picture_info *info, uint8_t **pixels,
                                  clt_error *error)
{
    TRY(check_size(file, info, error));
    return clt__allocate((uint64_t)info->width * (uint64_t)info->height, (size_t)info->channels, file->path, pixels,
                         error);
}

/* ---- PNG ---------------------------------------------------------------------------------------------------- */

/* Deflate makes at most 1032 bytes of one; how many bits of these a pixel has, the header says after its extents. */
static uint64_t densest_png(const uint8_t *bytes, size_t size)
{
    enum { DEPTH_AT = 24, COLOUR_AT = 25, MOST_INFLATED = 1032 };
    static const uint8_t samples[] = {[0] = 1, [2] = 3, [3] = 1, [4] = 2, [6] = 4};
    if (size <= COLOUR_AT) return 1; /* too short for a header: it is not got as far as pixels */
    const uint64_t colour = bytes[COLOUR_AT] < sizeof samples ? samples[bytes[COLOUR_AT]] : 0,
                   bits = bytes[DEPTH_AT] * colour;
    return bits && bits <= 8 * MOST_INFLATED ? 8 * MOST_INFLATED / bits : 1;
}

/* libpng takes the memory that a chunk's length asks for before it reads on. */
static clt_status check_chunks(const encoded *file, clt_error *error)
{
    enum { SIGNATURE = 8, AROUND = 12 /* a length and a name before the data, a checksum after it */ };
    for (size_t at = SIGNATURE; file->size - at >= AROUND;) {
        const uint8_t *chunk = file->bytes + at;
        const size_t left = file->size - at - AROUND,
                     length = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
        if (memcmp(chunk + 4, "IEND", 4) == 0) break;
        if (length > left)
            return FAIL(error, CLT_BAD_FILE, "%s: byte %zu: corrupt PNG: a chunk of %zu bytes, where %zu follow",
                        file->path, at, length, left);
        at += AROUND + length;
    }
    return CLT_OK;
}

static clt_status fail_png(const encoded *file, png_image *image, clt_error *error)
{
    const clt_status status = FAIL(error, CLT_BAD_FILE, "%s: corrupt PNG: %s", file->path, image->message);
    png_image_free(image);
    return status;
}

static clt_status begin_png(const encoded *file, png_image *image, clt__picture_info *info, clt_error *error)
{
    *image = (png_image){.version = PNG_IMAGE_VERSION};
    TRY(check_chunks(file, error));
    if (!png_image_begin_read_from_memory(image, file->bytes, file->size)) return fail_png(file, image, error);
    image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16 bits are scaled down, not taken for linear light */
    const bool colour = image->format & PNG_FORMAT_FLAG_COLOR;
    image->format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    /* libpng lets no extent through that does not fit into 31 bits. */
    *info = (clt__picture_info){(int)image->width, (int)image->height, colour ? 3 : 1};
    return CLT_OK;
}

static clt_status look_at_png(const encoded *file, clt__picture_info *info, clt_error *error)
{
    png_image image;
    TRY(begin_png(file, &image, info, error));
    png_image_free(&image);
    return CLT_OK;
}

static clt_status read_png(const encoded *file, clt__picture *picture, clt_error *error)
{
    static const png_color black;
    png_image image;
    TRY(begin_png(file, &image, &picture->info, error));
    const clt_status status = allocate_pixels(file, &picture->info, &picture->pixels, error);
    if (status == CLT_OK && !png_image_finish_read(&image, &black, picture->pixels, 0, NULL))
        return fail_png(file, &image, error);
    png_image_free(&image);
    return status;
}

/* ---- JPEG --------------------------------------------------------------------------------------------------- */

/* Each block of 8 x 8 pixels has at least a bit, for its mean. */
static uint64_t densest_jpeg(const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    return 8 * 64;
}

typedef struct jpeg_reader {
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    char why[JMSG_LENGTH_MAX];
} jpeg_reader;

static void stop_jpeg(j_common_ptr codec)
{
    jpeg_reader *reader = codec->client_data;
    (*codec->err->format_message)(codec, reader->why);
    longjmp(reader->failed, 1);
}

/* libjpeg goes on with grey where data is missing or wrong, and only warns. Other warnings concern no pixel. */
static void take_jpeg_message(j_common_ptr codec, int level)
{
    static const int corrupt[] = {JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_JPEG_EOF, JWRN_MUST_RESYNC};
    for (size_t i = 0; level < 0 && i < sizeof corrupt / sizeof *corrupt; i++)
        if (codec->err->msg_code == corrupt[i]) stop_jpeg(codec);
}

/* Each scan goes over all of the image again, though it may have hardly a byte. */
static void count_scans(j_common_ptr codec)
{
    enum { MOST_SCANS = 500 };
    jpeg_reader *reader = codec->client_data;
    if (reader->codec.input_scan_number <= MOST_SCANS) return;
    (void)snprintf(reader->why, sizeof reader->why, "more than %d scans", (int)MOST_SCANS);
    longjmp(reader->failed, 1);
}

static clt_status begin_jpeg(jpeg_reader *reader, const encoded *file, clt__picture_info *info, clt_error *error)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    jpeg_mem_src(codec, file->bytes, file->size);
    (void)jpeg_read_header(codec, TRUE);
    const bool grey = codec->jpeg_color_space == JCS_GRAYSCALE;
    if (!grey && codec->num_components != 3)
        return FAIL(error, CLT_BAD_FILE, "%s: a JPEG of %d components, where 1 (grey) or 3 (colour) are needed",
                    file->path, codec->num_components);
    codec->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    *info = (clt__picture_info){(int)codec->image_width, (int)codec->image_height, grey ? 1 : 3};
    return CLT_OK;
}

static clt_status decode_jpeg(jpeg_reader *reader, const encoded *file, clt__picture *picture, clt_error *error)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    TRY(begin_jpeg(reader, file, &picture->info, error));
    TRY(allocate_pixels(file, &picture->info, &picture->pixels, error));
    const size_t row = (size_t)picture->info.width * (size_t)picture->info.channels;
    (void)jpeg_start_decompress(codec);
    while (codec->output_scanline < codec->output_height) {
        JSAMPROW to = picture->pixels + codec->output_scanline * row;
        (void)jpeg_read_scanlines(codec, &to, 1);
    }
    (void)jpeg_finish_decompress(codec);
    return CLT_OK;
}

/* The header alone, or with `whole` all of it. What libjpeg calls an error comes back to setjmp. */
static clt_status use_jpeg(const encoded *file, bool whole, clt__picture *picture, clt_error *error)
{
    jpeg_reader reader = {.why = ""};
    clt_status status;
    reader.codec.err = jpeg_std_error(&reader.manager);
    reader.codec.client_data = &reader;
    reader.manager.error_exit = stop_jpeg;
    reader.manager.emit_message = take_jpeg_message;
    if (setjmp(reader.failed)) {
        status = FAIL(error, CLT_BAD_FILE, "%s: corrupt JPEG: %s", file->path, reader.why);
    } else {
        jpeg_create_decompress(&reader.codec);
        reader.progress.progress_monitor = count_scans;
        reader.codec.progress = &reader.progress;
        status = whole ? decode_jpeg(&reader, file, picture, error) : begin_jpeg(&reader, file, &picture->info, error);
    }
    jpeg_destroy_decompress(&reader.codec);
    return status;
}

static clt_status look_at_jpeg(const encoded *file, clt__picture_info *info, clt_error *error)
{
    clt__picture picture = {.pixels = NULL};
    TRY(use_jpeg(file, false, &picture, error));
    *info = picture.info;
    return CLT_OK;
}

static clt_status read_jpeg(const encoded *file, clt__picture *picture, clt_error *error)
{
    return use_jpeg(file, true, picture, error);
}

/* ---- either ------------------------------------------------------------------------------------------------- */

typedef struct codec_row {
    unsigned char magic[8];
    size_t magic_size;
    uint64_t (*densest)(const uint8_t *bytes, size_t size);
    clt_status (*look)(const encoded *file, clt__picture_info *info, clt_error *error);
    clt_status (*read)(const encoded *file, clt__picture *picture, clt_error *error);
} codec_row;

static const codec_row codecs[] = {
    {{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, 8, densest_png, look_at_png, read_png},
    {{0xff, 0xd8, 0xff}, 3, densest_jpeg, look_at_jpeg, read_jpeg},
};

static const codec_row *find_codec(const unsigned char *start, size_t size)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (size >= codecs[i].magic_size && memcmp(start, codecs[i].magic, codecs[i].magic_size) == 0)
            return &codecs[i];
    return NULL;
}

bool clt__picture_looks(const unsigned char *start, size_t size)
{
    return find_codec(start, size);
}

static clt_status load(const char *path, char **bytes, encoded *file, const codec_row **codec, clt_error *error)
{
    uint64_t size;
    *file = (encoded){.path = path};
    *bytes = NULL;
    TRY(clt__file_measure(path, &size, error)); /* a list of images may name what never ends */
    TRY(clt__file_read(path, bytes, &file->size, error));
    file->bytes = (const uint8_t *)*bytes;
    *codec = find_codec(file->bytes, file->size);
    if (*codec) file->densest = (*codec)->densest(file->bytes, file->size);
    if (*codec) return CLT_OK;
    free(*bytes);
    *bytes = NULL;
    return FAIL(error, CLT_BAD_FILE, "%s: is neither a PNG nor a JPEG file", path);
}

clt_status clt__picture_look(const char *path, clt__picture_info *info, clt_error *error)
{
    char *bytes;
    encoded file;
    const codec_row *codec;
    TRY(load(path, &bytes, &file, &codec, error));
    clt_status status = codec->look(&file, info, error);
    if (status == CLT_OK) status = check_size(&file, info, error);
    free(bytes);
    return status;
}

clt_status clt__picture_read(const char *path, clt__picture *picture, clt_error *error)
{
    char *bytes;
    encoded file;
    const codec_row *codec;
    *picture = (clt__picture){.pixels = NULL};
    TRY(load(path, &bytes, &file, &codec, error));
    const clt_status status = codec->read(&file, picture, error);
    free(bytes);
    if (status != CLT_OK) {
        free(picture->pixels);
        picture->pixels = NULL;
    }
    return status;
}

/* ---- fitting ------------------------------------------------------------------------------------------------ */

/* Of one axis: which pixels of the source make a pixel of the result, and with which weights. */
typedef struct filter {
    int from, to;  /* sizes */
    int taps;      /* the most that a pixel has */
    int *first;    /* [to] */
    float *weight; /* [to, taps], zeros where a pixel has fewer */
} filter;

static void free_filter(filter *axis)
{
    free(axis->first);
    free(axis->weight);
}

/* Pixel centres lie at halves. */
static void weigh(filter *axis, int pixel, double scale, double support)
{
    const double centre = (pixel + 0.5) * scale;
    float *weight = axis->weight + (size_t)pixel * (size_t)axis->taps;
    int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
    if (centre - support + 0.5 < 0) first = 0;
    if (end > axis->from) end = axis->from;
    double sum = 0;
    for (int i = first; i < end; i++) {
        const double distance = (i + 0.5 - centre) / support, value = 1 - (distance < 0 ? -distance : distance);
        sum += value > 0 ? value : 0;
        weight[i - first] = (float)(value > 0 ? value : 0);
    }
    for (int i = first; i < end; i++) weight[i - first] = (float)(weight[i - first] / sum);
    axis->first[pixel] = first;
}

static clt_status make_filter(int from, int to, filter *axis, clt_error *error)
{
    const double scale = (double)from / to, support = scale > 1 ? scale : 1;
    *axis = (filter){.from = from, .to = to, .taps = 2 * (int)support + 3};
    TRY(clt__allocate((uint64_t)to, sizeof *axis->first, "resizing", &axis->first, error));
    TRY(clt__allocate((uint64_t)to, (size_t)axis->taps * sizeof *axis->weight, "resizing", &axis->weight, error));
    for (int i = 0; i < to; i++) weigh(axis, i, scale, support);
    return CLT_OK;
}

/* A sum over pixels of the source that lie `step` values apart, from the axis's first one on. */
#define FILTERED(axis, pixel, source, step, sum)                                            \
    do {                                                                                    \
        const float *weight = (axis)->weight + (size_t)(pixel) * (size_t)(axis)->taps;      \
        const int first = (axis)->first[pixel], left = (axis)->from - first;                \
        (sum) = 0;                                                                          \
        for (int tap = 0; tap < (axis)->taps && tap < left; tap++)                          \
            (sum) += weight[tap] * (float)(source)[(size_t)(first + tap) * (size_t)(step)]; \
    } while (0)

static void filter_rows(const clt__picture *picture, const filter *axis, float *to)
{
    const int channels = picture->info.channels;
    const size_t row = (size_t)picture->info.width * (size_t)channels;
    for (int y = 0; y < picture->info.height; y++)
        for (int x = 0; x < axis->to; x++)
            for (int c = 0; c < channels; c++, to++)
                FILTERED(axis, x, picture->pixels + (size_t)y * row + c, channels, *to);
}

static void filter_columns(const float *from, const filter *axis, size_t row, uint8_t *to)
{
    for (int y = 0; y < axis->to; y++)
        for (size_t i = 0; i < row; i++) {
            float sum;
            FILTERED(axis, y, from + i, row, sum);
            sum += 0.5F;
            *to++ = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
        }
}

static clt_status resize(const clt__picture *picture, const filter *across, const filter *down, clt__picture *resized,
                         clt_error *error)
{
    const size_t channels = (size_t)picture->info.channels, row = (size_t)across->to * channels;
    float *between;
    TRY(clt__allocate((uint64_t)down->to, row, "an image", &resized->pixels, error));
    TRY(clt__allocate((uint64_t)picture->info.height, row * sizeof *between, "resizing", &between, error));
    filter_rows(picture, across, between);
    filter_columns(between, down, row, resized->pixels);
    free(between);
    return CLT_OK;
}

static void convert(const uint8_t *from, int channels, size_t pixels, int wanted, uint8_t *to)
{
    for (size_t i = 0; i < pixels; i++, from += channels, to += wanted) {
        if (channels == wanted)
            memcpy(to, from, (size_t)wanted);
        else if (wanted == 1)
            *to = (uint8_t)((299 * from[0] + 587 * from[1] + 114 * from[2] + 500) / 1000);
        else
            memset(to, *from, (size_t)wanted);
    }
}

clt_status clt__picture_fit(const clt__picture *picture, const clt__picture_info *wanted, uint8_t *to, clt_error *error)
{
    const size_t pixels = (size_t)wanted->width * (size_t)wanted->height;
    const int channels = picture->info.channels;
    if (picture->info.width == wanted->width && picture->info.height == wanted->height) {
        convert(picture->pixels, channels, pixels, wanted->channels, to);
        return CLT_OK;
    }
    filter across = {0}, down = {0};
    clt__picture resized = {.pixels = NULL};
    clt_status status = make_filter(picture->info.width, wanted->width, &across, error);
    if (status == CLT_OK) status = make_filter(picture->info.height, wanted->height, &down, error);
    if (status == CLT_OK) status = resize(picture, &across, &down, &resized, error);
    if (status == CLT_OK) convert(resized.pixels, channels, pixels, wanted->channels, to);
    free(resized.pixels);
    free_filter(&across);
    free_filter(&down);
    return status;
}
