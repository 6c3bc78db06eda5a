/* jpeglib.h needs stdio.h before it, and jerror.h needs that. */
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "pictures/codec.h"
#include "pictures/turn.h"

enum { EXIF_MARKER = JPEG_APP0 + 1 };

typedef struct jpeg_reader {
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    const clt__encoded *file;
    clt__picture *picture;
    int orientation;
    uint8_t *row; /* one that is not yet as it is shown; NULL: rows go where they belong */
    bool ended;   /* no byte is left */
    bool shown;   /* no pixel is missing */
    char why[JMSG_LENGTH_MAX];
} jpeg_reader;

/* ---- what libjpeg calls ------------------------------------------------------------------------------------- */

static void stop_jpeg(j_common_ptr codec)
{
    jpeg_reader *reader = codec->client_data;
    (*codec->err->format_message)(codec, reader->why);
    longjmp(reader->failed, 1);
}

/* libjpeg goes on with grey where data is missing or wrong, and only warns. Other warnings concern no pixel. It takes
 * a file that has ended for one with an end marker there, which may be all that it lacks. */
static void take_jpeg_message(j_common_ptr codec, int level)
{
    static const int corrupt[] = {JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_MUST_RESYNC, JWRN_ARITH_BAD_CODE};
    jpeg_reader *reader = codec->client_data;
    if (level >= 0) return;
    for (size_t i = 0; i < sizeof corrupt / sizeof *corrupt; i++)
        if (codec->err->msg_code == corrupt[i]) stop_jpeg(codec);
    if (codec->err->msg_code == JWRN_JPEG_EOF) reader->ended = true;
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

/* ---- the header --------------------------------------------------------------------------------------------- */

static int read_orientation(const jpeg_reader *reader)
{
    for (jpeg_saved_marker_ptr marker = reader->codec.marker_list; marker; marker = marker->next) {
        const int orientation = clt__exif_orientation(marker->data, marker->data_length);
        if (orientation != CLT__UPRIGHT) return orientation;
    }
    return CLT__UPRIGHT;
}

static clt_status choose_colours(jpeg_reader *reader, clt_error *error)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    switch (codec->num_components) {
    case 1:
        codec->out_color_space = JCS_GRAYSCALE;
        return CLT_OK;
    case 3:
        codec->out_color_space = JCS_RGB;
        return CLT_OK;
    case 4:
        codec->out_color_space = JCS_CMYK;
        return CLT_OK;
    default:
        return FAIL(error, CLT_BAD_FILE,
                    "%s: a JPEG of %d components, where 1 (grey), 3 (colour) or 4 (CMYK) are needed",
                    reader->file->path, codec->num_components);
    }
}

static clt_status begin_jpeg(jpeg_reader *reader, clt_error *error)
{
    enum { DENSEST = 8 * 64 }; /* each block of 8 x 8 pixels has at least a bit, for its mean */
    struct jpeg_decompress_struct *codec = &reader->codec;
    jpeg_mem_src(codec, reader->file->bytes, reader->file->size);
    if (!reader->file->wish.no_exif) jpeg_save_markers(codec, EXIF_MARKER, 0xffff);
    (void)jpeg_read_header(codec, TRUE);
    TRY(choose_colours(reader, error));
    reader->orientation = read_orientation(reader);
    const clt__picture_info stored = {.width = (int)codec->image_width,
                                      .height = (int)codec->image_height,
                                      .channels = codec->num_components == 1 ? 1 : 3};
    reader->picture->info = clt__turned(stored, reader->orientation);
    return clt__check_picture_size(reader->file, &reader->picture->info, DENSEST, error);
}

/* ---- the pixels --------------------------------------------------------------------------------------------- */

/* Of the sizes that libjpeg-turbo decodes to quickly the smallest that is as large as was wished. */
static void choose_scale(jpeg_reader *reader)
{
    const clt__picture_wish *wish = &reader->file->wish;
    const clt__picture_info *info = &reader->picture->info;
    unsigned part = 8; /* eighths */
    while (part > 1 && wish->least_width && wish->least_height &&
           ((unsigned)info->width * (part / 2) + 7) / 8 >= (unsigned)wish->least_width &&
           ((unsigned)info->height * (part / 2) + 7) / 8 >= (unsigned)wish->least_height)
        part /= 2;
    reader->codec.scale_num = part;
    reader->codec.scale_denom = 8;
}

/* An image in many scans is read to its end before the first row comes. What has not been sent is then taken for grey,
 * or for a coarser picture. A picture that has its end may be meant to be coarse. */
static clt_status check_scans(const jpeg_reader *reader, clt_error *error)
{
    const struct jpeg_decompress_struct *codec = &reader->codec;
    bool complete = !(reader->ended && codec->arith_code); /* such code may leave out zeros at its end */
    for (int i = 0; i < codec->num_components; i++) {
        if (!codec->comp_info[i].quant_table) complete = false; /* which its first scan would have set */
        for (int k = 0; reader->ended && codec->coef_bits && k < DCTSIZE2; k++)
            if (codec->coef_bits[i][k] != 0) complete = false;
    }
    return complete ? CLT_OK : FAIL(error, CLT_BAD_FILE, "%s: corrupt JPEG: pixels are missing", reader->file->path);
}

/* Adobe's programs store how much light there is, others how much ink. */
static void make_rgb(uint8_t *row, unsigned width, bool light)
{
    const uint8_t *cmyk = row;
    const unsigned flip = light ? 0 : 255;
    for (unsigned x = 0; x < width; x++, cmyk += 4)
        for (int c = 0; c < 3; c++) *row++ = clt__on_black(cmyk[c] ^ flip, cmyk[3] ^ flip);
}

static void read_rows(jpeg_reader *reader)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    const size_t size = (size_t)codec->output_width * (size_t)reader->picture->info.channels;
    while (codec->output_scanline < codec->output_height) {
        const unsigned y = codec->output_scanline;
        JSAMPROW row = reader->row ? reader->row : reader->picture->pixels + y * size;
        (void)jpeg_read_scanlines(codec, &row, 1);
        if (codec->out_color_space == JCS_CMYK) make_rgb(row, codec->output_width, codec->saw_Adobe_marker);
        if (reader->row) clt__place_row(row, (int)y, reader->orientation, reader->picture);
    }
}

static clt_status decode_jpeg(jpeg_reader *reader, clt_error *error)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    clt__picture_info stored = {.channels = reader->picture->info.channels};
    choose_scale(reader);
    jpeg_calc_output_dimensions(codec);
    stored.width = (int)codec->output_width;
    stored.height = (int)codec->output_height;
    reader->picture->info = clt__turned(stored, reader->orientation);
    TRY(clt__allocate_pixels(reader->file, reader->picture, error));
    if (reader->orientation != CLT__UPRIGHT || codec->out_color_space == JCS_CMYK)
        TRY(clt__allocate(codec->output_width, (size_t)codec->out_color_components, "a row", &reader->row, error));
    (void)jpeg_start_decompress(codec);
    read_rows(reader);
    TRY(check_scans(reader, error));
    reader->shown = true;
    while (jpeg_consume_input(codec) != JPEG_REACHED_EOI) continue;
    return CLT_OK;
}

/* What comes after the last row, in a single scan, may be anything. */
static clt_status end_jpeg(jpeg_reader *reader, clt_error *error)
{
    if (!reader->shown) return FAIL(error, CLT_BAD_FILE, "%s: corrupt JPEG: %s", reader->file->path, reader->why);
    reader->ended = true;
    return CLT_OK;
}

/* The header alone, or with `whole` all of it. What libjpeg calls an error comes back to setjmp. */
static clt_status use_jpeg(const clt__encoded *file, bool whole, clt__picture *picture, clt_error *error)
{
    jpeg_reader reader = {.file = file, .picture = picture};
    clt_status status;
    reader.codec.err = jpeg_std_error(&reader.manager);
    reader.codec.client_data = &reader;
    reader.manager.error_exit = stop_jpeg;
    reader.manager.emit_message = take_jpeg_message;
    if (setjmp(reader.failed)) {
        status = end_jpeg(&reader, error);
    } else {
        jpeg_create_decompress(&reader.codec);
        reader.progress.progress_monitor = count_scans;
        reader.codec.progress = &reader.progress;
        status = begin_jpeg(&reader, error);
        if (status == CLT_OK && whole) status = decode_jpeg(&reader, error);
    }
    picture->info.lacks_end = whole && reader.ended;
    jpeg_destroy_decompress(&reader.codec);
    free(reader.row);
    return status;
}

static clt_status look_at_jpeg(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    clt__picture picture = {.pixels = NULL};
    TRY(use_jpeg(file, false, &picture, error));
    *info = picture.info;
    return CLT_OK;
}

static clt_status read_jpeg(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    return use_jpeg(file, true, picture, error);
}

const clt__codec clt__jpeg_codec = {"JPEG", "libjpeg", look_at_jpeg, read_jpeg};
