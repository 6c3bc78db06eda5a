/* jpeglib.h needs stdio.h before it. */
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>

#include "pictures/codec.h"

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

static clt_status begin_jpeg(jpeg_reader *reader, const clt__encoded *file, clt__picture_info *info, clt_error *error)
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

static clt_status decode_jpeg(jpeg_reader *reader, const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    TRY(begin_jpeg(reader, file, &picture->info, error));
    TRY(clt__allocate_pixels(file, &picture->info, &picture->pixels, error));
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
static clt_status use_jpeg(const clt__encoded *file, bool whole, clt__picture *picture, clt_error *error)
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

const clt__codec clt__jpeg_codec = {{0xff, 0xd8, 0xff}, 3, densest_jpeg, look_at_jpeg, read_jpeg};
