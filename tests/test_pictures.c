/* Image files: every kind of each format comes to its pixels, and a file that is cut, spoilt or lies is refused. The
 * files are made here, by the formats' own libraries or byte by byte. */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

/* jpeglib.h needs stdio.h before it. */
#include <jpeglib.h>
#include <png.h>
#ifdef CLTRAIN_WEBP
#include <webp/decode.h>
#include <webp/encode.h>
#endif
#ifdef CLTRAIN_TIFF
#include <tiffio.h>
#endif
#ifdef CLTRAIN_GIF
#include <gif_lib.h>
#endif

#include "base/file.h"
#include "pictures/picture.h"

/* ---- what the library asks for ---------------------------------------------------------------------------------- */

static size_t largest_request;
static int whole_reads;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
clt_status __real_clt__file_read(const char *path, char **bytes, size_t *size, clt_error *error);
clt_status __wrap_clt__file_read(const char *path, char **bytes, size_t *size, clt_error *error);

void *__wrap_calloc(size_t count, size_t size)
{
    if (count * size > largest_request) largest_request = count * size;
    return __real_calloc(count, size);
}

clt_status __wrap_clt__file_read(const char *path, char **bytes, size_t *size, clt_error *error)
{
    whole_reads++;
    return __real_clt__file_read(path, bytes, size, error);
}

/* ---- files in memory -------------------------------------------------------------------------------------------- */

static void put_big(blob *to, uint64_t value, int bytes)
{
    for (int i = bytes; i-- > 0;) blob_put(to, &(uint8_t){(uint8_t)(value >> 8 * i)}, 1);
}

static void set_little(blob *to, size_t at, uint64_t value, int bytes)
{
    assert_true(at + (size_t)bytes <= to->size);
    for (int i = 0; i < bytes; i++) to->bytes[at + (size_t)i] = (uint8_t)(value >> 8 * i);
}

static void fill_up(blob *to, size_t size)
{
    while (to->size < size) blob_put_little(to, 0, 1);
}

/* The first place of these bytes. */
static size_t find(const blob *in, const char *bytes, size_t size)
{
    for (size_t i = 0; i + size <= in->size; i++)
        if (memcmp(in->bytes + i, bytes, size) == 0) return i;
    fail_msg("there are no such bytes");
    return 0;
}

/* ---- what must come of them ------------------------------------------------------------------------------------- */

static const char *const anywhere = "a/file";

static clt__picture decode(const blob *file, const clt__picture_wish *wish)
{
    clt_error error;
    clt__picture picture;
    assert_ok(clt__picture_read_in(file->bytes, file->size, anywhere, wish, &picture, &error), &error);
    return picture;
}

static size_t size_of(const clt__picture_info *info)
{
    return (size_t)info->width * (size_t)info->height * (size_t)info->channels;
}

static void assert_size(const clt__picture_info *info, int width, int height, int channels)
{
    assert_int_equal(info->width, width);
    assert_int_equal(info->height, height);
    assert_int_equal(info->channels, channels);
}

/* Looked at and read, in memory and as a file. */
static void assert_picture_as(const blob *file, const clt__picture_wish *wish, int width, int height, int channels,
                              const uint8_t *pixels)
{
    clt_error error;
    clt__picture_info info;
    clt__picture picture = decode(file, wish);
    assert_size(&picture.info, width, height, channels);
    assert_memory_equal(picture.pixels, pixels, size_of(&picture.info));
    free(picture.pixels);
    assert_ok(clt__picture_look_in(file->bytes, file->size, anywhere, wish, &info, &error), &error);
    assert_size(&info, width, height, channels);
    const char *path = write_bytes("picture", file->bytes, file->size);
    assert_ok(clt__picture_look(path, wish, &info, &error), &error);
    assert_size(&info, width, height, channels);
    assert_ok(clt__picture_read(path, wish, &picture, &error), &error);
    assert_memory_equal(picture.pixels, pixels, size_of(&info));
    free(picture.pixels);
}

static void assert_picture(const blob *file, int width, int height, int channels, const uint8_t *pixels)
{
    assert_picture_as(file, NULL, width, height, channels, pixels);
}

static void refuse(const blob *file, const char *part)
{
    clt_error error;
    clt__picture picture;
    assert_failed(clt__picture_read_in(file->bytes, file->size, anywhere, NULL, &picture, &error), CLT_BAD_FILE, &error,
                  anywhere, part);
    assert_null(picture.pixels);
}

/* Such a claim is refused, by looking too, before there is memory for it. */
static void refuse_claim(const blob *file)
{
    clt__picture_info info;
    clt_error error;
    largest_request = 0;
    refuse(file, "claims to be an image of ");
    assert_failed(clt__picture_look_in(file->bytes, file->size, anywhere, NULL, &info, &error), CLT_BAD_FILE, &error,
                  anywhere, "claims to be an image of ");
    assert_true(largest_request < 1 << 20);
}

/* Cut off anywhere, it is refused or all of its pixels are there. Returns how many cuts are no harm. */
static size_t cut_everywhere(const blob *file)
{
    size_t harmless = 0;
    const clt__picture whole = decode(file, NULL);
    for (size_t size = 0; size < file->size; size++) {
        clt_error error;
        clt__picture picture;
        uint8_t *bytes = malloc(size + 1); /* no byte more, so that sanitizers see who reads on */
        assert_non_null(bytes);
        memcpy(bytes, file->bytes, size);
        const clt_status status = clt__picture_read_in(bytes, size, anywhere, NULL, &picture, &error);
        free(bytes);
        if (status != CLT_OK) {
            assert_failed(status, CLT_BAD_FILE, &error, anywhere, ": ");
            assert_null(picture.pixels);
            continue;
        }
        harmless++;
        assert_size(&picture.info, whole.info.width, whole.info.height, whole.info.channels);
        assert_memory_equal(picture.pixels, whole.pixels, size_of(&whole.info));
        free(picture.pixels);
    }
    free(whole.pixels);
    return harmless;
}

/* Whatever a byte is changed to, it is a picture or is none. */
static void spoil_everywhere(const blob *file)
{
    static const uint8_t changes[] = {0xff, 0x80, 0x01};
    blob *spoilt = malloc(sizeof *spoilt);
    assert_non_null(spoilt);
    for (size_t at = 0; at < file->size; at++)
        for (size_t i = 0; i < sizeof changes; i++) {
            clt__picture picture;
            *spoilt = *file;
            spoilt->bytes[at] ^= changes[i];
            const clt_status status = clt__picture_read_in(spoilt->bytes, spoilt->size, anywhere, NULL, &picture, NULL);
            assert_true(status == CLT_OK || status == CLT_BAD_FILE);
            free(picture.pixels);
        }
    free(spoilt);
}

/* All kinds of values, the same for the same seed. */
static void fill_pixels(uint8_t *pixels, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        pixels[i] = (uint8_t)(seed >> 24);
    }
}

static void put_on_black(const uint8_t *from, int channels, size_t pixels, uint8_t *to)
{
    for (size_t i = 0; i < pixels; i++, from += channels + 1)
        for (int c = 0; c < channels; c++) *to++ = (uint8_t)((2 * from[c] * from[channels] + 255) / 510);
}

/* ---- PNG -------------------------------------------------------------------------------------------------------- */

typedef struct png_kind {
    int colour, depth, interlaced;
    png_color palette[4];
    uint8_t alpha[4]; /* of the palette */
    int colours, transparent_colours;
    int grey_key; /* the value that is transparent, and 1 more */
    int gamma;
} png_kind;

static void write_to_blob(png_structp png, png_bytep bytes, size_t size)
{
    blob_put(png_get_io_ptr(png), bytes, size);
}

static void flush_blob(png_structp png)
{
    (void)png;
}

static void set_header(png_structp png, png_infop info, const png_kind *kind, int width, int height)
{
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, kind->depth, kind->colour,
                 kind->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (kind->colours) png_set_PLTE(png, info, kind->palette, kind->colours);
    if (kind->transparent_colours) png_set_tRNS(png, info, kind->alpha, kind->transparent_colours, NULL);
    if (kind->grey_key) {
        const png_uint_16 key = (png_uint_16)(kind->grey_key - 1);
        png_set_tRNS(png, info, NULL, 0, &(png_color_16){0, key, key, key, key});
    }
    if (kind->gamma) png_set_gAMA_fixed(png, info, kind->gamma);
}

/* Rows as they are in the file, of `row` bytes. */
static void make_png(blob *to, const png_kind *kind, int width, int height, const uint8_t *rows, size_t row)
{
    uint8_t *pointers[64];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    assert_non_null(info);
    assert_true(height <= 64);
    to->size = 0;
    for (int y = 0; y < height; y++) pointers[y] = (uint8_t *)rows + (size_t)y * row;
    if (setjmp(png_jmpbuf(png))) fail_msg("libpng cannot write that");
    png_set_write_fn(png, to, write_to_blob, flush_blob);
    set_header(png, info, kind, width, height);
    png_write_info(png, info);
    if (kind->gamma) png_write_chunk(png, (const uint8_t *)"iCCP", (const uint8_t *)"odd\0\0none", 9);
    png_write_image(png, pointers);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

static void put_chunk(blob *to, const uint8_t *name, const uint8_t *data, size_t size)
{
    put_big(to, size, 4);
    const size_t begin = to->size;
    blob_put(to, name, 4);
    blob_put(to, data, size);
    put_big(to, crc32(0, to->bytes + begin, (unsigned)(size + 4)), 4);
}

/* The same with a chunk for each byte of pixels. */
static void split_png(const blob *from, blob *to)
{
    *to = (blob){.size = 0};
    blob_put(to, from->bytes, 8);
    for (size_t at = 8, size; at < from->size; at += size + 12) {
        const uint8_t *chunk = from->bytes + at, *data = chunk + 8;
        size = (size_t)chunk[2] << 8 | chunk[3];
        if (memcmp(chunk + 4, "IDAT", 4) != 0)
            put_chunk(to, chunk + 4, data, size);
        else
            for (size_t i = 0; i < size; i++) put_chunk(to, chunk + 4, data + i, 1);
    }
}

enum { WIDE = 11, HIGH = 7, TALL = 19, PIXELS = WIDE * HIGH };

static void png_of_8_bits_is_read(void **state)
{
    (void)state;
    static blob file, split;
    uint8_t pixels[4 * PIXELS], shown[3 * PIXELS];
    fill_pixels(pixels, sizeof pixels, 1);
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_GRAY, 8, interlaced}, WIDE, HIGH, pixels, WIDE);
        assert_picture(&file, WIDE, HIGH, 1, pixels);
        make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_RGB, 8, interlaced}, WIDE, HIGH, pixels, 3 * WIDE);
        assert_picture(&file, WIDE, HIGH, 3, pixels);
        split_png(&file, &split);
        assert_picture(&split, WIDE, HIGH, 3, pixels);
        put_on_black(pixels, 1, PIXELS, shown);
        make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_GRAY_ALPHA, 8, interlaced}, WIDE, HIGH, pixels, 2 * WIDE);
        assert_picture(&file, WIDE, HIGH, 1, shown);
        put_on_black(pixels, 3, PIXELS, shown);
        make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_RGB_ALPHA, 8, interlaced}, WIDE, HIGH, pixels, 4 * WIDE);
        assert_picture(&file, WIDE, HIGH, 3, shown);
    }
}

/* What light they mean changes no byte, transparent or not. */
static void png_gamma_and_profiles_are_left_alone(void **state)
{
    (void)state;
    static blob file;
    uint8_t pixels[4 * PIXELS], shown[3 * PIXELS];
    fill_pixels(pixels, sizeof pixels, 2);
    for (int gamma = 45455; gamma <= 100000; gamma += 54545) {
        png_kind kind = {.colour = PNG_COLOR_TYPE_RGB, 8, 0, .gamma = gamma};
        make_png(&file, &kind, WIDE, HIGH, pixels, 3 * WIDE);
        (void)find(&file, "iCCP", 4);
        assert_picture(&file, WIDE, HIGH, 3, pixels);
        kind.colour = PNG_COLOR_TYPE_RGB_ALPHA;
        put_on_black(pixels, 3, PIXELS, shown);
        make_png(&file, &kind, WIDE, HIGH, pixels, 4 * WIDE);
        assert_picture(&file, WIDE, HIGH, 3, shown);
    }
}

/* 5 pixels: a row of 1, 2 or 4 bits. */
static void png_of_few_bits_is_read(void **state)
{
    (void)state;
    static blob file;
    png_kind kind = {.colour = PNG_COLOR_TYPE_GRAY, 1, 0};
    make_png(&file, &kind, 5, 1, (uint8_t[]){0x50}, 1);
    assert_picture(&file, 5, 1, 1, (uint8_t[]){0, 255, 0, 255, 0});
    kind.grey_key = 2;
    make_png(&file, &kind, 5, 1, (uint8_t[]){0x50}, 1);
    assert_picture(&file, 5, 1, 1, (uint8_t[]){0, 0, 0, 0, 0});
    kind = (png_kind){.colour = PNG_COLOR_TYPE_GRAY, 2, 0};
    make_png(&file, &kind, 5, 1, (uint8_t[]){0x1b, 0x40}, 2);
    assert_picture(&file, 5, 1, 1, (uint8_t[]){0, 85, 170, 255, 85});
    kind = (png_kind){.colour = PNG_COLOR_TYPE_GRAY, 4, 0, .grey_key = 3};
    make_png(&file, &kind, 5, 1, (uint8_t[]){0x01, 0x2f, 0x80}, 3);
    assert_picture(&file, 5, 1, 1, (uint8_t[]){0, 17, 0, 255, 136});
    kind = (png_kind){.colour = PNG_COLOR_TYPE_PALETTE,
                      2,
                      0,
                      .palette = {{1, 2, 3}, {40, 50, 60}, {255, 0, 9}, {8, 8, 8}},
                      .colours = 4};
    make_png(&file, &kind, 5, 1, (uint8_t[]){0x1b, 0x40}, 2);
    assert_picture(&file, 5, 1, 3, (uint8_t[]){1, 2, 3, 40, 50, 60, 255, 0, 9, 8, 8, 8, 40, 50, 60});
    kind.transparent_colours = 2;
    kind.alpha[1] = 51; /* a fifth */
    make_png(&file, &kind, 5, 1, (uint8_t[]){0x1b, 0x40}, 2);
    assert_picture(&file, 5, 1, 3, (uint8_t[]){0, 0, 0, 8, 10, 12, 255, 0, 9, 8, 8, 8, 8, 10, 12});
}

/* 65535 is 255, and what lies between is rounded. */
static void png_of_16_bits_is_scaled(void **state)
{
    (void)state;
    static blob file;
    const uint8_t row[] = {0, 0, 0, 128, 0, 129, 0x80, 0, 0x80, 0x80, 0xfe, 0xfe, 0xff, 0x7e, 0xff, 0x7f, 0xff, 0xff};
    make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_GRAY, 16, 0}, 9, 1, row, sizeof row);
    assert_picture(&file, 9, 1, 1, (uint8_t[]){0, 0, 1, 128, 128, 254, 254, 255, 255});
    make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_RGB, 16, 1}, 3, 1, row, sizeof row);
    assert_picture(&file, 3, 1, 3, (uint8_t[]){0, 0, 1, 128, 128, 254, 254, 255, 255});
    const uint8_t transparent[] = {0xff, 0xff, 0x80, 0x80, 0xff, 0xff, 0, 0};
    make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_GRAY_ALPHA, 16, 0}, 2, 1, transparent, sizeof transparent);
    assert_picture(&file, 2, 1, 1, (uint8_t[]){128, 0});
}

static void bad_png_is_told(void **state)
{
    (void)state;
    static blob file;
    uint8_t pixels[4 * PIXELS];
    fill_pixels(pixels, sizeof pixels, 3);
    make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_RGB_ALPHA, 8, 1}, WIDE, HIGH, pixels, 4 * WIDE);
    assert_true(cut_everywhere(&file) <= 12); /* the chunk of the end */
    spoil_everywhere(&file);
    const clt__picture whole = decode(&file, NULL);
    assert_false(whole.info.lacks_end);
    free(whole.pixels);
    file.size -= 12;
    const clt__picture picture = decode(&file, NULL);
    assert_true(picture.info.lacks_end);
    free(picture.pixels);
    file.size += 12;
    file.bytes[33] = 3; /* the length of the chunk after the header */
    refuse(&file, ": byte 33: corrupt PNG: a chunk of 50331");
    make_png(&file, &(png_kind){.colour = PNG_COLOR_TYPE_GRAY, 1, 0}, 8, 1, pixels, 1);
    fill_up(&file, 1024);
    for (int i = 0; i < 2; i++) set_little(&file, 16 + 4 * (size_t)i, 0x10270000, 4); /* 10000 x 10000 */
    const uint32_t sum = (uint32_t)crc32(0, file.bytes + 12, 17);
    for (int i = 0; i < 4; i++) file.bytes[29 + i] = (uint8_t)(sum >> (24 - 8 * i));
    refuse_claim(&file);
}

/* ---- JPEG ------------------------------------------------------------------------------------------------------- */

typedef struct jpeg_kind {
    int channels, across, down; /* luma samples for one of chroma */
    bool progressive, arithmetic, scans, ycck, no_adobe;
    unsigned restart;
    int orientation; /* 0: no EXIF data */
    bool big_endian;
} jpeg_kind;

static void write_exif(j_compress_ptr codec, const jpeg_kind *kind)
{
    static blob exif;
    void (*number)(blob *, uint64_t, int) = kind->big_endian ? put_big : blob_put_little;
    exif.size = 0;
    blob_put(&exif, "Exif\0", 6);
    blob_put(&exif, kind->big_endian ? "MM" : "II", 2);
    number(&exif, 42, 2);
    number(&exif, 10, 4); /* where the tags are: there may be a gap before them */
    number(&exif, 0, 2);
    number(&exif, 2, 2);
    number(&exif, 0x010f, 2), number(&exif, 2, 2), number(&exif, 2, 4), number(&exif, 0, 4);
    number(&exif, 0x0112, 2), number(&exif, 3, 2), number(&exif, 1, 4);
    number(&exif, (uint64_t)kind->orientation, 2), number(&exif, 0, 2);
    jpeg_write_marker(codec, JPEG_APP0 + 1, exif.bytes, (unsigned)exif.size);
}

/* Each component's scan on its own. */
static const jpeg_scan_info *separate_scans(j_compress_ptr codec)
{
    static jpeg_scan_info scans[4];
    for (int i = 0; i < codec->num_components; i++) scans[i] = (jpeg_scan_info){1, {i}, 0, 63, 0, 0};
    codec->num_scans = codec->num_components;
    return scans;
}

static void set_jpeg(j_compress_ptr codec, const jpeg_kind *kind)
{
    jpeg_set_defaults(codec);
    jpeg_set_quality(codec, 100, TRUE);
    if (kind->ycck) jpeg_set_colorspace(codec, JCS_YCCK);
    if (kind->no_adobe) codec->write_Adobe_marker = FALSE;
    if (kind->across) codec->comp_info[0].h_samp_factor = kind->across, codec->comp_info[0].v_samp_factor = kind->down;
    codec->arith_code = kind->arithmetic;
    codec->restart_interval = kind->restart;
    if (kind->progressive) jpeg_simple_progression(codec);
    if (kind->scans) codec->scan_info = separate_scans(codec);
}

static void make_jpeg(blob *to, const jpeg_kind *kind, int width, int height, const uint8_t *pixels)
{
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr manager;
    uint8_t *bytes = NULL;
    unsigned long size = 0;
    codec.err = jpeg_std_error(&manager);
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &bytes, &size);
    codec.image_width = (JDIMENSION)width;
    codec.image_height = (JDIMENSION)height;
    codec.input_components = kind->channels;
    codec.in_color_space = kind->channels == 1 ? JCS_GRAYSCALE : kind->channels == 3 ? JCS_RGB : JCS_CMYK;
    set_jpeg(&codec, kind);
    jpeg_start_compress(&codec, TRUE);
    if (kind->orientation) write_exif(&codec, kind);
    for (int y = 0; y < height; y++) {
        JSAMPROW row = (uint8_t *)pixels + (size_t)y * (size_t)width * (size_t)kind->channels;
        (void)jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    to->size = 0;
    blob_put(to, bytes, size);
    free(bytes);
}

static void fill_evenly(uint8_t *pixels, const uint8_t *colour, size_t channels, size_t count)
{
    for (size_t i = 0; i < count; i++) memcpy(pixels + i * channels, colour, channels);
}

enum { SIDE = 40 };

/* One colour comes back exactly at the best quality, where no colour has to be turned into another space. */
static void jpeg_is_read(void **state)
{
    (void)state;
    static blob file;
    uint8_t pixels[3 * SIDE * SIDE];
    fill_evenly(pixels, (uint8_t[]){77, 77, 77}, 3, SIDE * SIDE);
    for (int i = 0; i < 12; i++) {
        const jpeg_kind kind = {.channels = i % 2 ? 1 : 3,
                                i % 2 ? 1 : 1 + i / 2 % 2,
                                1 + i / 4 % 2,
                                .progressive = i / 6,
                                .restart = (unsigned)i % 3};
        make_jpeg(&file, &kind, SIDE, SIDE, pixels);
        assert_picture(&file, SIDE, SIDE, kind.channels, pixels);
    }
}

/* Ink as such, and Adobe's way, the light that is left: for 255 - C and 255 - K it is their product over 255. */
static void jpeg_in_four_inks_is_read(void **state)
{
    (void)state;
    static blob file;
    uint8_t inks[4 * 64];
    for (int i = 0; i < 4; i++) {
        const bool adobe = i % 2 == 0;
        const uint8_t light[4] = {200, 100, 50, 153}; /* 153 is 0.6 of 255 */
        uint8_t stored[4];
        for (int c = 0; c < 4; c++) stored[c] = adobe ? light[c] : (uint8_t)(255 - light[c]);
        fill_evenly(inks, stored, 4, 64);
        make_jpeg(&file, &(jpeg_kind){.channels = 4, .ycck = i > 1, .no_adobe = !adobe}, 8, 8, inks);
        if (i == 3) continue; /* nothing would say that it is YCCK */
        const clt__picture picture = decode(&file, NULL);
        assert_size(&picture.info, 8, 8, 3);
        for (int c = 0; c < 3; c++) {
            const int difference = picture.pixels[c] - (int[]){120, 60, 30}[c];
            assert_true(abs(difference) <= (i > 1)); /* colours that were YCC are rounded there and back */
        }
        free(picture.pixels);
    }
}

/* Where pixel (x, y) of what is stored is shown, as the standard's words have it: the row 0 and the column 0 of what is
 * stored are at these sides of what is shown. */
static void shown_at(int orientation, int width, int height, int x, int y, int *to_x, int *to_y)
{
    const int right = width - 1 - x, bottom = height - 1 - y;
    const int places[9][2] = {{0, 0},
                              {x, y} /* top, left */,
                              {right, y} /* top, right */,
                              {right, bottom},
                              {x, bottom} /* and left */,
                              {y, x} /* left, top */,
                              {bottom, x} /* right, top */,
                              {bottom, right},
                              {y, right} /* left, bottom */};
    *to_x = places[orientation][0];
    *to_y = places[orientation][1];
}

static void assert_turned(const clt__picture *stored, const clt__picture *shown, int orientation)
{
    const int channels = stored->info.channels, width = stored->info.width, height = stored->info.height;
    assert_size(&shown->info, orientation > 4 ? height : width, orientation > 4 ? width : height, channels);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int to_x, to_y;
            shown_at(orientation, width, height, x, y, &to_x, &to_y);
            assert_memory_equal(stored->pixels + (y * width + x) * channels,
                                shown->pixels + (to_y * shown->info.width + to_x) * channels, (size_t)channels);
        }
}

static void exif_turns_pictures(void **state)
{
    (void)state;
    static blob file;
    uint8_t pixels[4 * PIXELS];
    fill_pixels(pixels, sizeof pixels, 4);
    for (int i = 0; i < 3 * 2 * 8; i++) {
        const jpeg_kind kind = {
            .channels = (int[]){1, 3, 4}[i / 16], .orientation = 1 + i % 8, .big_endian = i / 8 % 2};
        make_jpeg(&file, &kind, WIDE, HIGH, pixels);
        const clt__picture stored = decode(&file, &(clt__picture_wish){.no_exif = true}), shown = decode(&file, NULL);
        assert_size(&stored.info, WIDE, HIGH, kind.channels == 1 ? 1 : 3);
        assert_turned(&stored, &shown, kind.orientation);
        assert_picture(&file, shown.info.width, shown.info.height, shown.info.channels, shown.pixels);
        free(stored.pixels);
        free(shown.pixels);
    }
}

static void wrong_exif_is_left_alone(void **state)
{
    (void)state;
    static blob file, spoilt;
    uint8_t pixels[PIXELS];
    fill_pixels(pixels, sizeof pixels, 5);
    make_jpeg(&file, &(jpeg_kind){.channels = 1, .orientation = 6}, WIDE, HIGH, pixels);
    const size_t exif = find(&file, "Exif", 4);
    const clt__picture stored = decode(&file, &(clt__picture_wish){.no_exif = true});
    /* The name; the order of bytes; 42; where tags are, beyond the end; how many; the tag, its type; its value */
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 'e'}, {6, 'X'}, {8, 43}, {13, 0xff}, {16, 1}, {30, 0x13}, {32, 4}, {38, 9}, {38, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spoilt = file;
        spoilt.bytes[exif + wrong[i].at] = wrong[i].value;
        assert_picture(&spoilt, WIDE, HIGH, 1, stored.pixels);
    }
    free(stored.pixels);
}

/* Of a half, a quarter and an eighth the smallest that is large enough. */
static void jpeg_comes_smaller_where_that_is_enough(void **state)
{
    (void)state;
    static blob file;
    static const int wishes[][4] = {{0, 0, 65, 49},  {65, 49, 65, 49}, {34, 1, 65, 49}, {33, 25, 33, 25},
                                    {1, 26, 65, 49}, {17, 13, 17, 13}, {18, 1, 33, 25}, {9, 7, 9, 7},
                                    {1, 1, 9, 7},    {10, 1, 17, 13},  {99, 99, 65, 49}};
    static uint8_t pixels[65 * 49];
    memset(pixels, 90, sizeof pixels);
    for (int turned = 0; turned < 2; turned++) {
        make_jpeg(&file, &(jpeg_kind){.channels = 1, .orientation = turned ? 8 : 1}, 65, 49, pixels);
        for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
            const clt__picture_wish wish = {false, wishes[i][turned], wishes[i][1 - turned]};
            const clt__picture picture = decode(&file, &wish);
            assert_size(&picture.info, wishes[i][2 + turned], wishes[i][3 - turned], 1);
            assert_memory_equal(picture.pixels, pixels, size_of(&picture.info));
            free(picture.pixels);
        }
    }
}

/* A file that ends too early is refused, but where it lacks nothing but its end's mark. */
static void cut_jpeg_is_refused_or_whole(void **state)
{
    (void)state;
    static blob file;
    static uint8_t pixels[3 * SIDE * SIDE];
    fill_pixels(pixels, sizeof pixels, 6);
    for (size_t i = SIDE * 24; i < sizeof pixels; i++) pixels[i] = (uint8_t)(pixels[i] / 8 + 99); /* a calmer half */
    const jpeg_kind kinds[] = {{.channels = 1},
                               {.channels = 3},
                               {.channels = 3, 2, 2},
                               {.channels = 3, 2, 1, .restart = 1},
                               {.channels = 3, 2, 2, .progressive = true},
                               {.channels = 1, .progressive = true},
                               {.channels = 3, .progressive = true, .restart = 2},
                               {.channels = 3, .scans = true},
                               {.channels = 4}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make_jpeg(&file, &kinds[i], SIDE, 24, pixels);
        const size_t harmless = cut_everywhere(&file);
        assert_true(harmless >= 2 && harmless < 8); /* the mark, and bytes that only fill up */
        file.size -= 2;
        const clt__picture picture = decode(&file, NULL);
        assert_true(picture.info.lacks_end);
        free(picture.pixels);
    }
    make_jpeg(&file, &(jpeg_kind){.channels = 3, .arithmetic = true}, SIDE, 24, pixels);
    assert_true(cut_everywhere(&file) < 8); /* whether that is all, nothing tells */
}

static void jpeg_with_bytes_too_many_is_read(void **state)
{
    (void)state;
    static blob file, changed;
    static uint8_t pixels[3 * SIDE * SIDE];
    fill_pixels(pixels, sizeof pixels, 7);
    for (int i = 0; i < 6; i++) {
        make_jpeg(&file, &(jpeg_kind){.channels = 3, .progressive = i / 3}, SIDE, 24, pixels);
        const clt__picture whole = decode(&file, NULL);
        assert_false(whole.info.lacks_end);
        const size_t at = (size_t[]){file.size, file.size - 2, find(&file, "\xff\xdb", 2)}[i % 3];
        changed.size = 0;
        blob_put(&changed, file.bytes, at);
        fill_up(&changed, at + 200);
        blob_put(&changed, file.bytes + at, file.size - at);
        const clt__picture picture = decode(&changed, NULL);
        assert_false(picture.info.lacks_end);
        assert_memory_equal(picture.pixels, whole.pixels, size_of(&whole.info));
        free(picture.pixels);
        free(whole.pixels);
    }
}

/* What follows the last row, though it were another header. */
static void what_follows_a_jpeg_may_be_anything(void **state)
{
    (void)state;
    static blob file;
    static uint8_t pixels[3 * SIDE * SIDE];
    fill_pixels(pixels, sizeof pixels, 22);
    make_jpeg(&file, &(jpeg_kind){.channels = 3}, SIDE, 24, pixels);
    const clt__picture whole = decode(&file, NULL);
    const char header[] = "\xff\xc2\0\x26\x8\xff\xff\xff\xff\xa";
    file.size -= 2;
    blob_put(&file, header, sizeof header - 1);
    fill_up(&file, file.size + 99);
    const clt__picture picture = decode(&file, NULL);
    assert_true(picture.info.lacks_end);
    assert_size(&picture.info, SIDE, 24, 3);
    assert_memory_equal(picture.pixels, whole.pixels, size_of(&whole.info));
    free(picture.pixels);
    free(whole.pixels);
}

/* The last scan of a progressive image, again and again. */
static void jpeg_of_many_scans_is_refused(void **state)
{
    (void)state;
    enum { MORE = 501 };
    static blob file, many;
    uint8_t pixels[PIXELS];
    size_t scan = 0;
    fill_pixels(pixels, sizeof pixels, 8);
    make_jpeg(&file, &(jpeg_kind){.channels = 1, .progressive = true}, WIDE, HIGH, pixels);
    for (size_t i = 0; i + 1 < file.size; i++)
        if (file.bytes[i] == 0xff && file.bytes[i + 1] == 0xda) scan = i;
    blob_put(&many, file.bytes, file.size - 2);
    for (size_t i = 0; i < MORE; i++) blob_put(&many, file.bytes + scan, file.size - 2 - scan);
    blob_put(&many, file.bytes + file.size - 2, 2);
    free(decode(&file, NULL).pixels);
    refuse(&many, "more than 500 scans");
}

/* Its restart markers, from 0 to 7 and again, tell that some are missing. */
static void jpeg_with_a_part_missing_is_refused(void **state)
{
    (void)state;
    static blob file, changed;
    static uint8_t pixels[SIDE * SIDE];
    fill_pixels(pixels, sizeof pixels, 23);
    make_jpeg(&file, &(jpeg_kind){.channels = 1, .restart = 1}, SIDE, SIDE, pixels);
    const size_t begin = find(&file, "\xff\xd1", 2), end = find(&file, "\xff\xd3", 2);
    blob_put(&changed, file.bytes, begin);
    blob_put(&changed, file.bytes + end, file.size - end);
    refuse(&changed, "found marker 0xd3 instead of RST1");
}

static void bad_jpeg_is_told(void **state)
{
    (void)state;
    static blob file;
    uint8_t pixels[3 * PIXELS];
    fill_pixels(pixels, sizeof pixels, 9);
    make_jpeg(&file, &(jpeg_kind){.channels = 3, .orientation = 7}, WIDE, HIGH, pixels);
    spoil_everywhere(&file);
    make_jpeg(&file, &(jpeg_kind){.channels = 3, .progressive = true}, WIDE, HIGH, pixels);
    spoil_everywhere(&file);
    make_jpeg(&file, &(jpeg_kind){.channels = 1}, WIDE, HIGH, pixels);
    const size_t size = find(&file, "\xff\xc0", 2) + 5;
    memset(file.bytes + size, 0xf0, 4);
    refuse(&file, "claims to be an image of 61680 x 61680");
    memset(file.bytes + size, 0x06, 4);
    refuse(&file, "claims to be an image of 1542 x 1542");
    memset(file.bytes + size, 0x27, 4); /* 10023 x 10023 */
    fill_up(&file, 1024);
    refuse_claim(&file);
}

/* ---- WebP ------------------------------------------------------------------------------------------------------- */

#ifdef CLTRAIN_WEBP

static void take_webp(blob *to, uint8_t *bytes, size_t size)
{
    assert_true(size > 0);
    to->size = 0;
    blob_put(to, bytes, size);
    WebPFree(bytes);
}

static void make_lossless_webp(blob *to, int channels, int width, int height, const uint8_t *pixels)
{
    uint8_t *bytes;
    const size_t size = channels == 4 ? WebPEncodeLosslessRGBA(pixels, width, height, 4 * width, &bytes)
                                      : WebPEncodeLosslessRGB(pixels, width, height, 3 * width, &bytes);
    take_webp(to, bytes, size);
}

static void make_lossy_webp(blob *to, int channels, int width, int height, const uint8_t *pixels)
{
    uint8_t *bytes;
    const size_t size = channels == 4 ? WebPEncodeRGBA(pixels, width, height, 4 * width, 60, &bytes)
                                      : WebPEncodeRGB(pixels, width, height, 3 * width, 60, &bytes);
    take_webp(to, bytes, size);
}

/* Two frames on a larger canvas: the picture, its upper left corner at (4, 2), and another one. */
static void make_animation(blob *to, const blob *picture, bool transparent)
{
    enum { RIFF = 12, ALPHA = 0x10, ANIMATED = 2 };
    to->size = 0;
    blob_put(to, "RIFF\0\0\0\0WEBPVP8X", 16);
    blob_put_little(to, 10, 4);
    blob_put_little(to, ANIMATED | (transparent ? ALPHA : 0), 4);
    blob_put_little(to, WIDE + 6 - 1, 3);
    blob_put_little(to, HIGH + 3 - 1, 3);
    blob_put(to, "ANIM", 4);
    blob_put_little(to, 6, 4);
    blob_put_little(to, 0xff8844ff, 4); /* a colour for the background, which nobody uses */
    blob_put_little(to, 0, 2);
    for (uint64_t i = 0; i < 2; i++) {
        blob_put(to, "ANMF", 4);
        blob_put_little(to, 16 + picture->size - RIFF, 4);
        blob_put_little(to, i ? 0 : 4 / 2, 3);
        blob_put_little(to, i ? 0 : 2 / 2, 3);
        blob_put_little(to, WIDE - 1, 3);
        blob_put_little(to, HIGH - 1, 3);
        blob_put_little(to, 100, 4);
        blob_put(to, picture->bytes + RIFF, picture->size - RIFF);
    }
    set_little(to, 4, to->size - 8, 4);
}

static void place_on_canvas(const uint8_t *shown, uint8_t *canvas)
{
    memset(canvas, 0, 3 * (WIDE + 6) * (HIGH + 3));
    for (int y = 0; y < HIGH; y++) memcpy(canvas + 3 * ((y + 2) * (WIDE + 6) + 4), shown + 3 * WIDE * y, 3 * WIDE);
}

static void webp_is_read(void **state)
{
    (void)state;
    static blob file, animation;
    uint8_t pixels[4 * PIXELS], shown[3 * PIXELS], canvas[3 * (WIDE + 6) * (HIGH + 3)], *bytes;
    int width, height;
    fill_pixels(pixels, sizeof pixels, 10);
    make_lossless_webp(&file, 3, WIDE, HIGH, pixels);
    assert_picture(&file, WIDE, HIGH, 3, pixels);
    make_animation(&animation, &file, false);
    place_on_canvas(pixels, canvas);
    assert_picture(&animation, WIDE + 6, HIGH + 3, 3, canvas);
    make_lossless_webp(&file, 4, WIDE, HIGH, pixels);
    put_on_black(pixels, 3, PIXELS, shown);
    assert_picture(&file, WIDE, HIGH, 3, shown);
    make_animation(&animation, &file, true);
    place_on_canvas(shown, canvas);
    assert_picture(&animation, WIDE + 6, HIGH + 3, 3, canvas);
    make_lossy_webp(&file, 3, WIDE, HIGH, pixels);
    bytes = WebPDecodeRGB(file.bytes, file.size, &width, &height);
    assert_picture(&file, WIDE, HIGH, 3, bytes);
    WebPFree(bytes);
    make_lossy_webp(&file, 4, WIDE, HIGH, pixels);
    bytes = WebPDecodeRGBA(file.bytes, file.size, &width, &height);
    put_on_black(bytes, 3, PIXELS, shown);
    assert_picture(&file, WIDE, HIGH, 3, shown);
    WebPFree(bytes);
}

static void bad_webp_is_told(void **state)
{
    (void)state;
    static blob file, animation;
    uint8_t pixels[4 * PIXELS];
    fill_pixels(pixels, sizeof pixels, 11);
    make_lossy_webp(&file, 4, WIDE, HIGH, pixels);
    assert_int_equal(cut_everywhere(&file), 0);
    spoil_everywhere(&file);
    make_lossless_webp(&file, 4, WIDE, HIGH, pixels);
    assert_true(cut_everywhere(&file) <= 1); /* a byte that makes the size even */
    spoil_everywhere(&file);
    make_animation(&animation, &file, true);
    assert_true(cut_everywhere(&animation) > 0); /* of the second frame */
    spoil_everywhere(&animation);
    set_little(&animation, 24, 10000 - 1, 3);
    set_little(&animation, 27, 10000 - 1, 3);
    fill_up(&animation, 1024);
    refuse_claim(&animation);
    make_lossless_webp(&file, 3, WIDE, HIGH, pixels);
    set_little(&file, 21, 9999 | 9999 << 14, 4); /* 14 bits each */
    fill_up(&file, 1024);
    refuse_claim(&file);
}

#endif

/* ---- TIFF ------------------------------------------------------------------------------------------------------- */

#ifdef CLTRAIN_TIFF

typedef struct tiff_kind {
    uint16_t compression, photometric, bits, samples, extra, orientation, planar;
    bool tiled, big, floats, is_signed;
} tiff_kind;

static void set_tags(TIFF *tiff, const tiff_kind *kind, int width, int height)
{
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, kind->compression ? kind->compression : COMPRESSION_NONE);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, kind->photometric);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, kind->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, kind->samples);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, kind->planar ? kind->planar : PLANARCONFIG_CONTIG);
    if (kind->extra) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind->extra);
    if (kind->orientation) TIFFSetField(tiff, TIFFTAG_ORIENTATION, kind->orientation);
    if (kind->floats) TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP);
    if (kind->is_signed) TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_INT);
    if (kind->tiled) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 8);
    }
    if (kind->photometric == PHOTOMETRIC_PALETTE) {
        uint16_t red[256], green[256], blue[256];
        for (int i = 0; i < 256; i++) red[i] = (uint16_t)(i * 257), green[i] = (uint16_t)((255 - i) * 257), blue[i] = 0;
        TIFFSetField(tiff, TIFFTAG_COLORMAP, red, green, blue);
    }
}

static void write_tiles(TIFF *tiff, const uint8_t *rows, size_t row, int width, int height)
{
    enum { TILE = 16 };
    const size_t pixel = row / (size_t)width;
    for (int y = 0; y < height; y += TILE)
        for (int x = 0; x < width; x += TILE) {
            uint8_t tile[TILE * TILE * 8] = {0};
            for (int i = 0; i < TILE && y + i < height; i++)
                memcpy(tile + (size_t)i * TILE * pixel, rows + (size_t)(y + i) * row + (size_t)x * pixel,
                       (size_t)(width - x < TILE ? width - x : TILE) * pixel);
            assert_true(TIFFWriteTile(tiff, tile, (uint32_t)x, (uint32_t)y, 0, 0) > 0);
        }
}

/* Rows as they are in the file, in this machine's order of bytes; in planes where they are apart. */
static void make_tiff(blob *to, const tiff_kind *kind, int width, int height, const void *rows)
{
    const char *path = path_in("made.tif");
    TIFF *tiff = TIFFOpen(path, kind->big ? "w8" : "w");
    assert_non_null(tiff);
    set_tags(tiff, kind, width, height);
    const size_t row = (size_t)TIFFScanlineSize(tiff);
    const uint16_t planes = kind->planar == PLANARCONFIG_SEPARATE ? kind->samples : 1;
    const uint8_t *bytes = rows;
    if (kind->tiled) write_tiles(tiff, bytes, row, width, height);
    for (uint16_t plane = 0; plane < planes && !kind->tiled; plane++)
        for (int y = 0; y < height; y++, bytes += row)
            assert_int_equal(TIFFWriteScanline(tiff, (uint8_t *)bytes, (uint32_t)y, plane), 1);
    TIFFClose(tiff);
    size_t size;
    uint8_t *all = read_bytes(path, &size);
    to->size = 0;
    blob_put(to, all, size);
    free(all);
}

enum { TIFF_PIXELS = WIDE * TALL };

static void tiff_is_read(void **state)
{
    (void)state;
    static blob file;
    static const uint16_t packings[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                        COMPRESSION_PACKBITS};
    uint8_t pixels[4 * TIFF_PIXELS], shown[3 * TIFF_PIXELS], planes[3 * TIFF_PIXELS];
    fill_pixels(pixels, sizeof pixels, 12);
    for (size_t i = 0; i < 2 * sizeof packings / sizeof *packings; i++) {
        tiff_kind kind = {.compression = packings[i / 2], PHOTOMETRIC_RGB, 8, 3, .tiled = i % 2, .big = i % 2};
        make_tiff(&file, &kind, WIDE, TALL, pixels);
        assert_picture(&file, WIDE, TALL, 3, pixels);
        kind.photometric = PHOTOMETRIC_MINISBLACK, kind.samples = 1;
        make_tiff(&file, &kind, WIDE, TALL, pixels);
        assert_picture(&file, WIDE, TALL, 1, pixels);
        kind.photometric = PHOTOMETRIC_MINISWHITE;
        for (size_t n = 0; n < TIFF_PIXELS; n++) shown[n] = (uint8_t)~pixels[n];
        make_tiff(&file, &kind, WIDE, TALL, pixels);
        assert_picture(&file, WIDE, TALL, 1, shown);
        kind.photometric = PHOTOMETRIC_PALETTE;
        for (size_t n = 0; n < TIFF_PIXELS; n++)
            shown[3 * n] = pixels[n], shown[3 * n + 1] = (uint8_t)~pixels[n], shown[3 * n + 2] = 0;
        make_tiff(&file, &kind, WIDE, TALL, pixels);
        assert_picture(&file, WIDE, TALL, 3, shown);
    }
    for (size_t n = 0; n < TIFF_PIXELS; n++)
        for (size_t c = 0; c < 3; c++) planes[c * TIFF_PIXELS + n] = pixels[3 * n + c];
    make_tiff(&file,
              &(tiff_kind){.compression = COMPRESSION_LZW, PHOTOMETRIC_RGB, 8, 3, .planar = PLANARCONFIG_SEPARATE},
              WIDE, TALL, planes);
    assert_picture(&file, WIDE, TALL, 3, pixels);
}

static void transparent_tiff_lies_on_black(void **state)
{
    (void)state;
    static blob file;
    uint8_t pixels[4 * TIFF_PIXELS], shown[3 * TIFF_PIXELS];
    fill_pixels(pixels, sizeof pixels, 13);
    put_on_black(pixels, 1, TIFF_PIXELS, shown);
    tiff_kind kind = {.compression = 0, PHOTOMETRIC_MINISBLACK, 8, 2, EXTRASAMPLE_UNASSALPHA};
    make_tiff(&file, &kind, WIDE, TALL, pixels);
    assert_picture(&file, WIDE, TALL, 1, shown);
    kind.extra = EXTRASAMPLE_ASSOCALPHA; /* it is multiplied already */
    for (size_t n = 0; n < TIFF_PIXELS; n++) shown[n] = pixels[2 * n];
    make_tiff(&file, &kind, WIDE, TALL, pixels);
    assert_picture(&file, WIDE, TALL, 1, shown);
    put_on_black(pixels, 3, TIFF_PIXELS, shown);
    make_tiff(&file, &(tiff_kind){.compression = 0, PHOTOMETRIC_RGB, 8, 4, EXTRASAMPLE_UNASSALPHA}, WIDE, TALL, pixels);
    assert_picture(&file, WIDE, TALL, 3, shown);
}

static uint8_t scaled(unsigned value)
{
    return (uint8_t)((2 * value * 255 + 65535) / (2 * 65535));
}

static void tiff_of_16_bits_is_scaled(void **state)
{
    (void)state;
    static blob file;
    uint16_t values[3 * TIFF_PIXELS];
    uint8_t shown[3 * TIFF_PIXELS];
    fill_pixels((uint8_t *)values, sizeof values, 14);
    for (int i = 0; i < 8; i++) {
        const bool white = i / 4;
        tiff_kind kind = {.compression = i % 2 ? COMPRESSION_ADOBE_DEFLATE : COMPRESSION_NONE,
                          white ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK,
                          16,
                          1,
                          .tiled = i / 2 % 2};
        for (int n = 0; n < TIFF_PIXELS; n++) shown[n] = scaled(white ? 65535U - values[n] : values[n]);
        make_tiff(&file, &kind, WIDE, TALL, values);
        assert_picture(&file, WIDE, TALL, 1, shown);
    }
    for (int n = 0; n < 3 * TIFF_PIXELS; n++) shown[n] = scaled(values[n]);
    make_tiff(&file, &(tiff_kind){.compression = 0, PHOTOMETRIC_RGB, 16, 3}, WIDE, TALL, values);
    assert_picture(&file, WIDE, TALL, 3, shown);
    uint16_t transparent[] = {65535, 32896, 32896, 65535, 700, 0};
    make_tiff(&file, &(tiff_kind){.compression = 0, PHOTOMETRIC_MINISBLACK, 16, 2, EXTRASAMPLE_UNASSALPHA}, 3, 1,
              transparent);
    assert_picture(&file, 3, 1, 1, (uint8_t[]){128, 128, 0});
}

static void tiff_of_fax_and_jpeg_is_read(void **state)
{
    (void)state;
    static blob file;
    static uint8_t grey[64 * 16];
    uint8_t bits[8 * TALL], shown[64 * TALL];
    fill_pixels(bits, sizeof bits, 15);
    for (int i = 0; i < 64 * TALL; i++) shown[i] = bits[i / 8] >> (7 - i % 8) & 1 ? 0 : 255;
    static const uint16_t packings[] = {COMPRESSION_NONE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4,
                                        COMPRESSION_CCITTRLE};
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        make_tiff(&file, &(tiff_kind){.compression = packings[i], PHOTOMETRIC_MINISWHITE, 1, 1}, 64, TALL, bits);
        assert_picture(&file, 64, TALL, 1, shown);
    }
    memset(grey, 90, sizeof grey);
    make_tiff(&file, &(tiff_kind){.compression = COMPRESSION_JPEG, PHOTOMETRIC_MINISBLACK, 8, 1, .tiled = true}, 64, 16,
              grey);
    assert_picture(&file, 64, 16, 1, grey);
}

static void tiff_is_turned(void **state)
{
    (void)state;
    static blob file;
    uint16_t values[TIFF_PIXELS];
    fill_pixels((uint8_t *)values, sizeof values, 16);
    for (int i = 0; i < 16; i++) {
        const tiff_kind kind = {
            .compression = 0, PHOTOMETRIC_MINISBLACK, i / 8 ? 16 : 8, 1, .orientation = (uint16_t)(1 + i % 8)};
        make_tiff(&file, &kind, WIDE, TALL, values);
        const clt__picture stored = decode(&file, &(clt__picture_wish){.no_exif = true}), shown = decode(&file, NULL);
        assert_turned(&stored, &shown, kind.orientation);
        assert_picture(&file, shown.info.width, shown.info.height, 1, shown.pixels);
        free(stored.pixels);
        free(shown.pixels);
    }
}

/* A TIFF of one strip, byte by byte. */
static void make_small_tiff(blob *to, unsigned compression, unsigned side)
{
    const unsigned tags[][2] = {{256, side}, {257, side}, {258, 8},    {259, compression}, {262, 1},
                                {273, 200},  {277, 1},    {278, side}, {279, 50}};
    to->size = 0;
    blob_put(to, "II*\0\10\0\0\0", 8);
    blob_put_little(to, sizeof tags / sizeof *tags, 2);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        blob_put_little(to, tags[i][0], 2);
        blob_put_little(to, 4, 2); /* 32 bits */
        blob_put_little(to, 1, 4);
        blob_put_little(to, tags[i][1], 4);
    }
    blob_put_little(to, 0, 4);
    fill_up(to, 1024);
}

static void bad_tiff_is_told(void **state)
{
    (void)state;
    static blob file;
    static const uint16_t packings[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_JPEG};
    uint16_t pixels[3 * TIFF_PIXELS];
    fill_pixels((uint8_t *)pixels, sizeof pixels, 17);
    for (size_t i = 0; i < 2 * sizeof packings / sizeof *packings; i++) {
        const bool deep = i % 2 && packings[i / 2] != COMPRESSION_JPEG;
        make_tiff(
            &file,
            &(tiff_kind){.compression = packings[i / 2], PHOTOMETRIC_MINISBLACK, deep ? 16 : 8, 1, .tiled = i % 2},
            WIDE, TALL, pixels);
        (void)cut_everywhere(&file);
        spoil_everywhere(&file);
    }
    memcpy(file.bytes + find(&file, "\xff\xda", 2) + 20, "\xff\xd9", 2); /* an end after hardly a pixel */
    refuse(&file, "corrupt TIFF: Corrupt JPEG data: premature end of data segment");
    make_tiff(&file, &(tiff_kind){.compression = 0, PHOTOMETRIC_MINISBLACK, 32, 1, .floats = true}, 2, 2, pixels);
    refuse(&file, ": a TIFF of floating-point numbers, where whole numbers of 1, 2, 4, 8 or 16 bits are needed");
    make_tiff(&file, &(tiff_kind){.compression = 0, PHOTOMETRIC_MINISBLACK, 32, 1}, 2, 2, pixels);
    refuse(&file, ": a TIFF of more than 16 bits a sample");
    make_tiff(&file, &(tiff_kind){.compression = 0, PHOTOMETRIC_MINISBLACK, 16, 1, .is_signed = true}, 2, 2, pixels);
    refuse(&file, ": a TIFF of signed or complex numbers");
    make_small_tiff(&file, COMPRESSION_LZMA, 4);
    refuse(&file, ": a TIFF that is packed as LZMA");
    for (int i = 0; i < 5; i++) {
        make_small_tiff(&file, (unsigned[]){1, 4, 5, 8, 32773}[i], 10000);
        refuse_claim(&file);
    }
}

#endif

/* ---- GIF -------------------------------------------------------------------------------------------------------- */

#ifdef CLTRAIN_GIF

typedef struct gif_kind {
    bool interlaced, local, grey; /* its palette is the frame's own; of greys */
    int transparent, left, top, around;
} gif_kind;

static int write_gif(GifFileType *gif, const GifByteType *bytes, int size)
{
    blob_put(gif->UserData, bytes, (size_t)size);
    return size;
}

static ColorMapObject *make_palette(bool grey)
{
    GifColorType colours[256];
    for (int i = 0; i < 256; i++)
        colours[i] = (GifColorType){(uint8_t)i, (uint8_t)(grey ? i : 255 - i), (uint8_t)(grey ? i : 7)};
    return GifMakeMapObject(256, colours);
}

static void write_frame(GifFileType *gif, const gif_kind *kind, uint8_t *colours)
{
    uint8_t control[4];
    ColorMapObject *palette = make_palette(kind->grey);
    (void)EGifGCBToExtension(&(GraphicsControlBlock){.TransparentColor = kind->transparent}, control);
    assert_int_equal(EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, 4, control), GIF_OK);
    assert_int_equal(
        EGifPutImageDesc(gif, kind->left, kind->top, WIDE, HIGH, kind->interlaced, kind->local ? palette : NULL),
        GIF_OK);
    const int order[] = {0, 4, 2, 6, 1, 3, 5}; /* the rows, interlaced */
    for (int y = 0; y < HIGH; y++)
        assert_int_equal(EGifPutLine(gif, colours + WIDE * (kind->interlaced ? order[y] : y), WIDE), GIF_OK);
    GifFreeMapObject(palette);
}

/* Two frames, of which the second has colours of its own. */
static void make_gif(blob *to, const gif_kind *kind, uint8_t *colours)
{
    int code;
    uint8_t other[PIXELS] = {0};
    to->size = 0;
    GifFileType *gif = EGifOpen(to, write_gif, &code);
    ColorMapObject *palette = make_palette(kind->local ? !kind->grey : kind->grey);
    EGifSetGifVersion(gif, true);
    assert_int_equal(EGifPutScreenDesc(gif, WIDE + kind->around, HIGH + kind->around, 8, 3, palette), GIF_OK);
    GifFreeMapObject(palette);
    write_frame(gif, kind, colours);
    write_frame(gif, kind, other);
    assert_int_equal(EGifCloseFile(gif, &code), GIF_OK);
}

static void show_gif(const gif_kind *kind, const uint8_t *colours, int width, uint8_t *shown)
{
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) {
            const uint8_t colour = colours[y * WIDE + x];
            const int at = (kind->top + y) * width + kind->left + x;
            if (colour == kind->transparent) continue;
            if (kind->grey)
                shown[at] = colour;
            else
                memcpy(shown + 3 * at, (uint8_t[]){colour, (uint8_t)(255 - colour), 7}, 3);
        }
}

static void gif_is_read(void **state)
{
    (void)state;
    static blob file;
    uint8_t colours[PIXELS];
    fill_pixels(colours, sizeof colours, 18);
    for (int i = 0; i < 32; i++) {
        const gif_kind kind = {.interlaced = i % 2,
                               .local = i / 2 % 2,
                               .grey = i / 4 % 2,
                               .transparent = i / 8 % 2 ? colours[5] : -1,
                               .left = i / 16 * 3,
                               .top = i / 16,
                               .around = i / 16 * 4};
        uint8_t shown[3 * (WIDE + 4) * (HIGH + 4)] = {0};
        make_gif(&file, &kind, colours);
        show_gif(&kind, colours, WIDE + kind.around, shown);
        assert_picture(&file, WIDE + kind.around, HIGH + kind.around, kind.grey ? 1 : 3, shown);
    }
    uint8_t shown[(WIDE + 2) * (HIGH + 1)] = {0};
    const gif_kind beyond = {.grey = true, .transparent = -1, .left = 2, .top = 1};
    make_gif(&file, &beyond, colours);
    show_gif(&beyond, colours, WIDE + 2, shown);
    assert_picture(&file, WIDE + 2, HIGH + 1, 1, shown);
}

static void bad_gif_is_told(void **state)
{
    (void)state;
    static blob file;
    uint8_t colours[PIXELS];
    fill_pixels(colours, sizeof colours, 19);
    for (int i = 0; i < 2; i++) {
        make_gif(&file, &(gif_kind){.interlaced = i, .local = i, .transparent = -1}, colours);
        assert_true(cut_everywhere(&file) > 0); /* of the second frame */
        spoil_everywhere(&file);
    }
    file.size = 13 + 3 * 256; /* the screen and its palette */
    blob_put(&file, ";", 1);
    refuse(&file, "corrupt GIF: it has no picture");
    make_gif(&file, &(gif_kind){.grey = true, .transparent = -1}, colours);
    set_little(&file, 6, 10000, 2);
    set_little(&file, 8, 10000, 2);
    fill_up(&file, 1024);
    refuse_claim(&file);
}

#endif

/* ---- BMP -------------------------------------------------------------------------------------------------------- */

typedef struct bmp_kind {
    unsigned header, bits, packing, colours;
    bool grey;
    uint32_t mask[4];
} bmp_kind;

/* Colour i is (3 i, 2 i, i), or grey. The pixels follow. */
static void begin_bmp(blob *to, const bmp_kind *kind, int width, int height)
{
    const unsigned header = kind->header ? kind->header : 40, masks = kind->packing == 6   ? 4
                                                                      : kind->packing == 3 ? 3
                                                                                           : 0;
    to->size = 0;
    blob_put(to, "BM", 2);
    blob_put_little(to, 0, 8);
    const unsigned behind = header == 40 ? 4 * masks : 0;
    blob_put_little(to, 14 + header + behind + kind->colours * (header == 12 ? 3 : 4), 4);
    blob_put_little(to, header, 4);
    blob_put_little(to, (uint32_t)width, header == 12 ? 2 : 4);
    blob_put_little(to, (uint32_t)height, header == 12 ? 2 : 4);
    blob_put_little(to, 1, 2);
    blob_put_little(to, kind->bits, 2);
    if (header >= 40) {
        blob_put_little(to, kind->packing, 4);
        fill_up(to, to->size + 12);
        blob_put_little(to, kind->colours, 4);
        blob_put_little(to, 0, 4);
    }
    for (unsigned i = 0; i < (header > 40 ? 4 : masks); i++) blob_put_little(to, kind->mask[i], 4);
    fill_up(to, 14 + header + behind);
    for (unsigned i = 0; i < kind->colours; i++)
        blob_put(to, (uint8_t[]){(uint8_t)i, (uint8_t)(kind->grey ? i : 2 * i), (uint8_t)(kind->grey ? i : 3 * i), 0},
                 header == 12 ? 3 : 4);
}

/* 3 x 2 pixels: the colours 0 1 2 in the upper row, 3 1 0 in the lower one, or 1 0 1 and 0 1 1 where there are but two.
 */
static void put_colours(blob *to, unsigned bits, bool top_down)
{
    static const uint8_t two[2][3] = {{1, 0, 1}, {0, 1, 1}}, four[2][3] = {{0, 1, 2}, {3, 1, 0}};
    for (int y = 0; y < 2; y++) {
        const uint8_t *row = (bits == 1 ? two : four)[top_down ? y : 1 - y];
        uint8_t bytes[4] = {0};
        for (unsigned x = 0; x < 3; x++)
            bytes[x * bits / 8] = (uint8_t)(bytes[x * bits / 8] | row[x] << (8 - bits - x * bits % 8));
        blob_put(to, bytes, 4);
    }
}

static void bmp_with_a_palette_is_read(void **state)
{
    (void)state;
    static blob file;
    static const uint8_t four[] = {0, 0, 0, 3, 2, 1, 6, 4, 2, 9, 6, 3, 3, 2, 1, 0, 0, 0}, grey[] = {0, 1, 2, 3, 1, 0},
                         two[] = {3, 2, 1, 0, 0, 0, 3, 2, 1, 0, 0, 0, 3, 2, 1, 3, 2, 1};
    for (int i = 0; i < 16; i++) {
        const unsigned bits = (unsigned[]){1, 4, 8, 8}[i % 4], header = (unsigned[]){40, 12, 64, 124}[i / 4];
        const bool top_down = header != 12 && i % 2, is_grey = i % 4 == 3;
        const bmp_kind kind = {.header = header,
                               bits,
                               0,
                               header == 12 ? 1U << bits
                               : bits == 1  ? 2
                                            : 5,
                               .grey = is_grey};
        begin_bmp(&file, &kind, 3, top_down ? -2 : 2);
        put_colours(&file, bits, top_down);
        assert_picture(&file, 3, 2, is_grey ? 1 : 3, is_grey ? grey : bits == 1 ? two : four);
        set_little(&file, 10, 0, 4); /* it does not say where they begin: right behind the palette */
        assert_picture(&file, 3, 2, is_grey ? 1 : 3, is_grey ? grey : bits == 1 ? two : four);
        file.size -= bits == 8 ? 1 : bits == 4 ? 2 : 3; /* what fills the last row up */
        assert_picture(&file, 3, 2, is_grey ? 1 : 3, is_grey ? grey : bits == 1 ? two : four);
        file.size--;
        refuse(&file, "corrupt BMP: the file ends after ");
    }
    begin_bmp(&file, &(bmp_kind){.bits = 8, .colours = 3}, 3, 2);
    put_colours(&file, 8, false);
    refuse(&file, "corrupt BMP: a pixel has the colour 3 of a palette of 3");
}

static void bmp_with_channels_is_read(void **state)
{
    (void)state;
    static blob file;
    static const struct {
        bmp_kind kind;
        uint32_t pixel[2];
        uint8_t shown[6];
    } cases[] = {
        {{.header = 12, .bits = 24}, {0x102030, 0xffeedd}, {0x10, 0x20, 0x30, 0xff, 0xee, 0xdd}},
        {{.header = 40, .bits = 24}, {0x102030, 0xffeedd}, {0x10, 0x20, 0x30, 0xff, 0xee, 0xdd}},
        {{.header = 40, .bits = 32}, {0x77102030, 0xffeedd}, {0x10, 0x20, 0x30, 0xff, 0xee, 0xdd}},
        {{.header = 40, .bits = 16}, {0x7c1f, 0x83e1}, {255, 0, 255, 0, 255, 8}}, /* 5 5 5 */
        {{.header = 40, .bits = 16, .packing = 3, .mask = {0xf800, 0x7e0, 0x1f}},
         {0xf81f, 0x0420},
         {255, 0, 255, 0, 134, 0}}, /* 5 6 5 */
        {{.header = 40, .bits = 32, .packing = 3, .mask = {0xff, 0xff00, 0xff0000}},
         {0x302010, 0xddeeff},
         {0x10, 0x20, 0x30, 0xff, 0xee, 0xdd}},
        {{.header = 56, .bits = 32, .packing = 3, .mask = {0xff0000, 0xff00, 0xff}},
         {0x102030, 0xffeedd},
         {0x10, 0x20, 0x30, 0xff, 0xee, 0xdd}},
        {{.header = 124, .bits = 32, .packing = 3, .mask = {0x3ff00000, 0xffc00, 0x3ff}},
         {0x3ff00000, 0x200},
         {255, 0, 0, 0, 0, 128}},
        {{.header = 108, .bits = 32, .packing = 3, .mask = {0xff0000, 0xff00, 0xff, 0xff000000}},
         {0x33c86496, 0xff010203},
         {40, 20, 30, 1, 2, 3}},
        {{.header = 108, .bits = 32, .packing = 3, .mask = {0xff0000, 0xff00, 0xff, 0xff000000}},
         {0xc86496, 0x010203},
         {200, 100, 150, 1, 2, 3}},
        {{.header = 40, .bits = 16, .packing = 6, .mask = {0xf00, 0xf0, 0xf, 0xf000}},
         {0xff80, 0x3fff},
         {255, 136, 0, 51, 51, 51}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_bmp(&file, &cases[i].kind, 2, 1);
        for (int x = 0; x < 2; x++) blob_put_little(&file, cases[i].pixel[x], (int)cases[i].kind.bits / 8);
        fill_up(&file, (file.size + 2) / 4 * 4 + 2);
        assert_picture(&file, 2, 1, 3, cases[i].shown);
        set_little(&file, 10, 0, 4); /* it does not say where they begin: right behind the header */
        assert_picture(&file, 2, 1, 3, cases[i].shown);
    }
}

static void put_runs(blob *to, const char *bytes, size_t size, unsigned bits, int width, int height)
{
    begin_bmp(to, &(bmp_kind){.header = 40, bits, bits == 8 ? 1 : 2, 16, .grey = true}, width, height);
    blob_put(to, bytes, size);
}

static void bmp_in_run_lengths_is_read(void **state)
{
    (void)state;
    static blob file;
    /* A run, pixels as they are with one byte to fill up, the end of the row; a move; the end of the picture. */
    const char eight[] = "\2\7\0\3\1\2\3\0\0\0\0\2\3\1\1\5\0\1";
    put_runs(&file, eight, sizeof eight - 1, 8, 5, 3);
    assert_picture(&file, 5, 3, 1, (uint8_t[]){0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 7, 7, 1, 2, 3});
    assert_int_equal(cut_everywhere(&file), 0);
    spoil_everywhere(&file);
    const char four[] = "\3\x7a\0\5\x12\x34\x50\0\0\0\2\xff\0\1";
    put_runs(&file, four, sizeof four - 1, 4, 8, 2);
    assert_picture(&file, 8, 2, 1, (uint8_t[]){15, 15, 0, 0, 0, 0, 0, 0, 7, 10, 7, 1, 2, 3, 4, 5});
    spoil_everywhere(&file);
    put_runs(&file, "\4\3\0\0\5\2", 6, 8, 4, 2); /* no end, and a pixel too many */
    const clt__picture picture = decode(&file, NULL);
    assert_true(picture.info.lacks_end);
    assert_memory_equal(picture.pixels, ((uint8_t[]){2, 2, 2, 2, 3, 3, 3, 3}), 8);
    free(picture.pixels);
    put_runs(&file, "\4\3", 2, 8, 4, 2);
    refuse(&file, "corrupt BMP: the file ends before the picture does");
    put_runs(&file, "\4\3\0\0\1\1\0\0\1\1", 10, 8, 4, 2);
    refuse(&file, "corrupt BMP: a run lies outside the picture");
    put_runs(&file, "\0\2\5\0", 4, 8, 4, 2);
    refuse(&file, "corrupt BMP: a run begins outside the picture");
    put_runs(&file, "\4\x10\0\1", 4, 8, 4, 1);
    refuse(&file, "a pixel has the colour 16 of a palette of 16");
}

static void bad_bmp_is_told(void **state)
{
    (void)state;
    static blob file;
    begin_bmp(&file, &(bmp_kind){.bits = 8, .colours = 5}, 3, 2);
    put_colours(&file, 8, false);
    assert_int_equal(cut_everywhere(&file), 1);
    spoil_everywhere(&file);
    begin_bmp(&file, &(bmp_kind){.bits = 24, .packing = 4}, 3, 2);
    refuse(&file,
           ": a BMP of 24 bits a pixel in the packing 4, where 1, 4, 8, 16, 24 or 32 bits and none, run lengths or");
    begin_bmp(&file, &(bmp_kind){.bits = 16, .packing = 3, .mask = {5, 2, 8}}, 3, 2);
    refuse(&file, "corrupt BMP: a channel's bits do not lie together");
    begin_bmp(&file, &(bmp_kind){.bits = 24}, 10000, 10000);
    fill_up(&file, 1024);
    refuse_claim(&file);
    put_runs(&file, "", 0, 8, 10000, 10000);
    fill_up(&file, 1024);
    refuse_claim(&file);
    begin_bmp(&file, &(bmp_kind){.bits = 1, .colours = 2}, INT32_MAX, INT32_MIN);
    refuse(&file, "corrupt BMP: its size is negative");
    begin_bmp(&file, &(bmp_kind){.bits = 24}, 20, 20);
    fill_up(&file, 1024);
    refuse(&file, "corrupt BMP: the file ends after 1024 bytes, where an image of 20 x 20 needs 1254");
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void what_is_no_picture_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *is;
    } others[] = {{"<!DOCTYPE html><html>404", "a web page"},
                  {"8BPS\0\1", "a Photoshop picture"},
                  {"%PDF-1.4", "a PDF document"},
                  {"what is this?", "something else"},
                  {"BMW, a maker of cars", "something else"},
                  {"", "an empty file"}};
    static blob file;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char sentence[128];
        file.size = 0;
        blob_put(&file, others[i].bytes, strlen(others[i].bytes));
        (void)snprintf(sentence, sizeof sentence,
                       ": is %s, where a picture (PNG, JPEG, WebP, TIFF, GIF, BMP) is needed", others[i].is);
        refuse(&file, sentence);
    }
}

/* A library that was not there when cltrain was built is named. */
static void missing_libraries_are_named(void **state)
{
    (void)state;
    static blob file;
    assert_non_null(strstr(clt_built_with(), "libpng, libjpeg"));
    static const struct {
        const char *bytes, *library;
    } formats[] = {
        {"RIFF....WEBPVP8 ", "libwebp"}, {"MM\0*\0\0\0\10.......", "libtiff"}, {"GIF89a..........", "giflib"}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char sentence[128];
        file.size = 0;
        blob_put(&file, formats[i].bytes, 16);
        if (strstr(clt_built_with(), formats[i].library))
            (void)snprintf(sentence, sizeof sentence, ": ");
        else
            (void)snprintf(sentence, sizeof sentence,
                           "which this build of cltrain cannot read: it was built without %s", formats[i].library);
        refuse(&file, sentence);
    }
}

/* Looking reads the beginning, and all of it only where the header lies further on. */
static void looking_reads_little(void **state)
{
    (void)state;
    enum { BEGINNING = 16 << 10 };
    static blob file, changed;
    static uint8_t pixels[3 * 64 * 64];
    clt_error error;
    clt__picture_info info;
    fill_pixels(pixels, sizeof pixels, 20);
    make_jpeg(&file, &(jpeg_kind){.channels = 3, .orientation = 6}, 64, 60, pixels);
    for (size_t gap = 0; gap <= 2 * BEGINNING; gap += 2 * BEGINNING) {
        const size_t at = find(&file, "\xff\xdb", 2);
        changed.size = 0;
        blob_put(&changed, file.bytes, at);
        fill_up(&changed, at + gap);
        blob_put(&changed, file.bytes + at, file.size - at);
        fill_up(&changed, changed.size + BEGINNING);
        const char *path = write_bytes("large.jpg", changed.bytes, changed.size);
        whole_reads = 0;
        assert_ok(clt__picture_look(path, NULL, &info, &error), &error);
        assert_size(&info, 60, 64, 3);
        assert_int_equal(whole_reads, gap > 0);
    }
    begin_bmp(&file, &(bmp_kind){.bits = 24}, 100, 60);
    fill_up(&file, file.size + 3 * 100 * 60);
    whole_reads = 0;
    assert_ok(clt__picture_look(write_bytes("large.bmp", file.bytes, file.size), NULL, &info, &error), &error);
    assert_size(&info, 100, 60, 3);
    assert_int_equal(whole_reads, 0);
    const char *path = write_bytes("cut.bmp", file.bytes, file.size - 1);
    assert_failed(clt__picture_look(path, NULL, &info, &error), CLT_BAD_FILE, &error, path,
                  "corrupt BMP: the file ends");
    path = path_in("");
    assert_failed(clt__picture_look(path, NULL, &info, &error), CLT_BAD_FILE, &error, path, "is not a file");
    path = path_in("none.png");
    assert_failed(clt__picture_look(path, NULL, &info, &error), CLT_BAD_FILE, &error, path, "cannot be opened");
}

/* A process that may open no more files says nothing about the image: it is not to be skipped as a bad one. */
static void too_few_descriptors_make_no_picture_bad(void **state)
{
    (void)state;
    static blob file;
    clt_error error, reading;
    clt__picture_info info;
    clt__picture picture;
    struct rlimit usual;
    begin_bmp(&file, &(bmp_kind){.bits = 24}, 4, 4);
    fill_up(&file, file.size + 3 * 4 * 4);
    const char *path = write_bytes("good.bmp", file.bytes, file.size);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    const struct rlimit none = {0, usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const clt_status looked = clt__picture_look(path, NULL, &info, &error);
    const clt_status read = clt__picture_read(path, NULL, &picture, &reading);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_failed(looked, CLT_NO_MEMORY, &error, path, "cannot be opened: Too many open files");
    assert_failed(read, CLT_NO_MEMORY, &reading, path, "cannot be opened: Too many open files");
    assert_ok(clt__picture_look(path, NULL, &info, &error), &error);
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

enum { KINDS = 6 };
static blob of_kind[KINDS];

static void make_one_of_each(void)
{
    static uint8_t pixels[4 * TALL * WIDE];
    fill_pixels(pixels, sizeof pixels, 21);
    make_png(&of_kind[0], &(png_kind){.colour = PNG_COLOR_TYPE_RGB_ALPHA, 8, 1}, WIDE, HIGH, pixels, 4 * WIDE);
    make_jpeg(&of_kind[1], &(jpeg_kind){.channels = 3, .progressive = true, .orientation = 6}, WIDE, HIGH, pixels);
    begin_bmp(&of_kind[2], &(bmp_kind){.bits = 24}, 3, 1);
    fill_up(&of_kind[2], 70);
#ifdef CLTRAIN_WEBP
    make_lossless_webp(&of_kind[3], 4, WIDE, HIGH, pixels);
#endif
#ifdef CLTRAIN_TIFF
    make_tiff(&of_kind[4], &(tiff_kind){.compression = COMPRESSION_LZW, PHOTOMETRIC_RGB, 8, 3}, WIDE, TALL, pixels);
#endif
#ifdef CLTRAIN_GIF
    make_gif(&of_kind[5], &(gif_kind){.transparent = -1}, pixels);
#endif
}

/* Each picture, and each with its last half cut away, many times. Counts what was not as it should be. */
static void *decode_again_and_again(void *wrong)
{
    for (int i = 0; i < 100 * KINDS; i++) {
        const blob *file = &of_kind[i % KINDS];
        clt_error error;
        clt__picture picture;
        if (!file->size) continue;
        const clt_status whole = clt__picture_read_in(file->bytes, file->size, anywhere, NULL, &picture, &error);
        if (whole != CLT_OK) ++*(int *)wrong;
        free(picture.pixels);
        const clt_status cut = clt__picture_read_in(file->bytes, file->size / 2, "cut", NULL, &picture, &error);
        if (cut == CLT_OK) free(picture.pixels);
        if (cut != CLT_OK && strncmp(error.message, "cut: ", 5) != 0) ++*(int *)wrong;
    }
    return NULL;
}

static void threads_decode_at_the_same_time(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    int wrong[THREADS] = {0};
    make_one_of_each();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, decode_again_and_again, &wrong[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(wrong[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_of_8_bits_is_read),
        cmocka_unit_test(png_gamma_and_profiles_are_left_alone),
        cmocka_unit_test(png_of_few_bits_is_read),
        cmocka_unit_test(png_of_16_bits_is_scaled),
        cmocka_unit_test(bad_png_is_told),
        cmocka_unit_test(jpeg_is_read),
        cmocka_unit_test(jpeg_in_four_inks_is_read),
        cmocka_unit_test(exif_turns_pictures),
        cmocka_unit_test(wrong_exif_is_left_alone),
        cmocka_unit_test(jpeg_comes_smaller_where_that_is_enough),
        cmocka_unit_test(cut_jpeg_is_refused_or_whole),
        cmocka_unit_test(jpeg_with_bytes_too_many_is_read),
        cmocka_unit_test(what_follows_a_jpeg_may_be_anything),
        cmocka_unit_test(jpeg_of_many_scans_is_refused),
        cmocka_unit_test(jpeg_with_a_part_missing_is_refused),
        cmocka_unit_test(bad_jpeg_is_told),
#ifdef CLTRAIN_WEBP
        cmocka_unit_test(webp_is_read),
        cmocka_unit_test(bad_webp_is_told),
#endif
#ifdef CLTRAIN_TIFF
        cmocka_unit_test(tiff_is_read),
        cmocka_unit_test(transparent_tiff_lies_on_black),
        cmocka_unit_test(tiff_of_16_bits_is_scaled),
        cmocka_unit_test(tiff_of_fax_and_jpeg_is_read),
        cmocka_unit_test(tiff_is_turned),
        cmocka_unit_test(bad_tiff_is_told),
#endif
#ifdef CLTRAIN_GIF
        cmocka_unit_test(gif_is_read),
        cmocka_unit_test(bad_gif_is_told),
#endif
        cmocka_unit_test(bmp_with_a_palette_is_read),
        cmocka_unit_test(bmp_with_channels_is_read),
        cmocka_unit_test(bmp_in_run_lengths_is_read),
        cmocka_unit_test(bad_bmp_is_told),
        cmocka_unit_test(what_is_no_picture_is_named),
        cmocka_unit_test(missing_libraries_are_named),
        cmocka_unit_test(looking_reads_little),
        cmocka_unit_test(too_few_descriptors_make_no_picture_bad),
        cmocka_unit_test(threads_decode_at_the_same_time),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
