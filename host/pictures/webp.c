#include "pictures/codec.h"

#ifdef CLTRAIN_WEBP

#include <stdlib.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "base/memory.h"

/* ---- the header --------------------------------------------------------------------------------------------- */

static clt_status fail_webp(const clt__encoded *file, const char *why, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: corrupt WebP: %s", file->path, why);
}

static clt_status look_at_webp(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    WebPBitstreamFeatures features;
    const VP8StatusCode code = WebPGetFeatures(file->bytes, file->size, &features);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA) return fail_webp(file, "the file ends in its header", error);
    if (code != VP8_STATUS_OK) return fail_webp(file, "its header is not right", error);
    *info = (clt__picture_info){.width = features.width, .height = features.height, .channels = 3};
    return clt__check_picture_size(file, info, CLT__DENSEST_BELIEVED, error);
}

/* ---- the pixels --------------------------------------------------------------------------------------------- */

/* Where a frame lies on the picture. */
typedef struct canvas {
    const clt__encoded *file;
    clt__picture *picture;
    const WebPIterator *frame;
} canvas;

static uint8_t *first_pixel(const canvas *to)
{
    const size_t width = (size_t)to->picture->info.width;
    return to->picture->pixels + 3 * ((size_t)to->frame->y_offset * width + (size_t)to->frame->x_offset);
}

static clt_status decode_into(const canvas *from, WEBP_CSP_MODE mode, uint8_t *pixels, size_t row, size_t size,
                              clt_error *error)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return fail_webp(from->file, "libwebp is of another version", error);
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){.rgba = pixels, .stride = (int)row, .size = size};
    const WebPData *data = &from->frame->fragment;
    const VP8StatusCode code = WebPDecode(data->bytes, data->size, &config);
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return FAIL(error, CLT_NO_MEMORY, "%s: no host memory for libwebp", from->file->path);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA) return fail_webp(from->file, "its pixels end too early", error);
    return code == VP8_STATUS_OK ? CLT_OK : fail_webp(from->file, "its pixels are not right", error);
}

static clt_status decode_opaque(const canvas *to, clt_error *error)
{
    const clt__picture_info *info = &to->picture->info;
    const size_t row = 3 * (size_t)info->width, rows = (size_t)to->frame->height - 1;
    return decode_into(to, MODE_RGB, first_pixel(to), row, rows * row + 3 * (size_t)to->frame->width, error);
}

static void put_on_black(const canvas *to, const uint8_t *rgba)
{
    uint8_t *row = first_pixel(to);
    for (int y = 0; y < to->frame->height; y++, row += 3 * (size_t)to->picture->info.width)
        for (int x = 0; x < to->frame->width; x++, rgba += 4)
            for (int c = 0; c < 3; c++) row[3 * x + c] = clt__on_black(rgba[c], rgba[3]);
}

static clt_status decode_transparent(const canvas *to, clt_error *error)
{
    const size_t row = 4 * (size_t)to->frame->width, rows = (size_t)to->frame->height;
    uint8_t *rgba;
    TRY(clt__allocate(rows, row, to->file->path, &rgba, error));
    const clt_status status = decode_into(to, MODE_RGBA, rgba, row, rows * row, error);
    if (status == CLT_OK) put_on_black(to, rgba);
    free(rgba);
    return status;
}

/* The frame's own header says its size once more, and libwebp goes by that one. */
static clt_status decode_frame(const canvas *to, clt_error *error)
{
    WebPBitstreamFeatures features;
    const clt__picture_info *info = &to->picture->info;
    const WebPIterator *frame = to->frame;
    if (!frame->complete) return fail_webp(to->file, "its pixels end too early", error);
    if (WebPGetFeatures(frame->fragment.bytes, frame->fragment.size, &features) != VP8_STATUS_OK ||
        features.width != frame->width || features.height != frame->height ||
        frame->x_offset + frame->width > info->width || frame->y_offset + frame->height > info->height)
        return fail_webp(to->file, "its first frame does not fit", error);
    return features.has_alpha ? decode_transparent(to, error) : decode_opaque(to, error);
}

static clt_status read_webp(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    WebPIterator frame;
    WebPDemuxState state;
    TRY(look_at_webp(file, &picture->info, error));
    TRY(clt__allocate_pixels(file, picture, error));
    WebPDemuxer *demuxer = WebPDemuxPartial(&(WebPData){file->bytes, file->size}, &state);
    clt_status status;
    if (demuxer && WebPDemuxGetFrame(demuxer, 1, &frame)) {
        status = decode_frame(&(canvas){file, picture, &frame}, error);
        WebPDemuxReleaseIterator(&frame);
    } else {
        status = fail_webp(file, state == WEBP_DEMUX_PARSE_ERROR ? "its parts are not right" : "it has no whole frame",
                           error);
    }
    WebPDemuxDelete(demuxer);
    return status;
}

const clt__codec clt__webp_codec = {"WebP", "libwebp", look_at_webp, read_webp};

#else

const clt__codec clt__webp_codec = {"WebP", "libwebp", NULL, NULL};

#endif
