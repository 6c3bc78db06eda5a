#include "pictures/codec.h"

#ifdef CLTRAIN_GIF

#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct gif_reader {
    const clt__encoded *file;
    size_t at; /* the next byte to read */
    GifFileType *gif;
    int transparent; /* the colour that is; -1: none */
    const ColorMapObject *palette;
    uint8_t *row; /* colours of the frame's width */
} gif_reader;

/* ---- up to the first frame ------------------------------------------------------------------------------------- */

static int read_from_memory(GifFileType *gif, GifByteType *to, int size)
{
    gif_reader *reader = gif->UserData;
    const size_t left = reader->file->size - reader->at;
    if (size > 0 && (size_t)size > left) size = (int)left;
    if (size > 0) memcpy(to, reader->file->bytes + reader->at, (size_t)size);
    if (size > 0) reader->at += (size_t)size;
    return size;
}

static clt_status fail_gif(const gif_reader *reader, const char *why, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: corrupt GIF: %s", reader->file->path, why);
}

static clt_status fail_in_giflib(const gif_reader *reader, int code, clt_error *error)
{
    const char *why = GifErrorString(code);
    return fail_gif(reader, why ? why : "the file ends too early", error);
}

/* Which colour is transparent in the frame that follows. */
static clt_status read_extension(gif_reader *reader, clt_error *error)
{
    int function;
    GifByteType *bytes;
    GraphicsControlBlock control;
    int right = DGifGetExtension(reader->gif, &function, &bytes);
    for (; right == GIF_OK && bytes; right = DGifGetExtensionNext(reader->gif, &bytes))
        if (function == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(bytes[0], bytes + 1, &control) == GIF_OK)
            reader->transparent = control.TransparentColor;
    return right == GIF_OK ? CLT_OK : fail_in_giflib(reader, reader->gif->Error, error);
}

static clt_status find_frame(gif_reader *reader, clt_error *error)
{
    GifRecordType type;
    for (;;) {
        if (DGifGetRecordType(reader->gif, &type) != GIF_OK) return fail_in_giflib(reader, reader->gif->Error, error);
        if (type == IMAGE_DESC_RECORD_TYPE) break;
        if (type != EXTENSION_RECORD_TYPE) return fail_gif(reader, "it has no picture", error);
        TRY(read_extension(reader, error));
    }
    if (DGifGetImageDesc(reader->gif) != GIF_OK) return fail_in_giflib(reader, reader->gif->Error, error);
    const GifFileType *gif = reader->gif;
    reader->palette = gif->Image.ColorMap ? gif->Image.ColorMap : gif->SColorMap;
    if (gif->Image.Width <= 0 || gif->Image.Height <= 0) return fail_gif(reader, "its first frame is empty", error);
    return reader->palette ? CLT_OK : fail_gif(reader, "it has no palette", error);
}

/* ---- the header ------------------------------------------------------------------------------------------------ */

static bool is_grey(const ColorMapObject *palette)
{
    for (int i = 0; i < palette->ColorCount; i++) {
        const GifColorType *colour = &palette->Colors[i];
        if (colour->Red != colour->Green || colour->Green != colour->Blue) return false;
    }
    return true;
}

/* A frame that reaches beyond the screen makes it larger, as in browsers. */
static clt_status begin_gif(gif_reader *reader, clt__picture_info *info, clt_error *error)
{
    enum { DENSEST = 4096 * 8 / 12 }; /* a code of at most 12 bits stands for less than 4096 pixels */
    int code;
    reader->gif = DGifOpen(reader, read_from_memory, &code);
    if (!reader->gif) return fail_in_giflib(reader, code, error);
    TRY(find_frame(reader, error));
    const GifImageDesc *frame = &reader->gif->Image;
    *info = (clt__picture_info){.width = reader->gif->SWidth, .height = reader->gif->SHeight};
    if (info->width < frame->Left + frame->Width) info->width = frame->Left + frame->Width;
    if (info->height < frame->Top + frame->Height) info->height = frame->Top + frame->Height;
    info->channels = is_grey(reader->palette) ? 1 : 3;
    return clt__check_picture_size(reader->file, info, DENSEST, error);
}

/* ---- the pixels ------------------------------------------------------------------------------------------------ */

/* What is transparent stays black, and so does what lies around the frame. */
static clt_status read_row(gif_reader *reader, int y, clt__picture *picture, clt_error *error)
{
    const GifImageDesc *frame = &reader->gif->Image;
    const int channels = picture->info.channels;
    const size_t first = (size_t)(frame->Top + y) * (size_t)picture->info.width + (size_t)frame->Left;
    uint8_t *to = picture->pixels + first * (size_t)channels;
    if (DGifGetLine(reader->gif, reader->row, frame->Width) != GIF_OK)
        return fail_in_giflib(reader, reader->gif->Error, error);
    for (int x = 0; x < frame->Width; x++, to += channels) {
        if (reader->row[x] == reader->transparent) continue;
        if (reader->row[x] >= reader->palette->ColorCount)
            return fail_gif(reader, "a pixel has a colour that its palette has not", error);
        const GifColorType *colour = &reader->palette->Colors[reader->row[x]];
        memcpy(to, (uint8_t[]){colour->Red, colour->Green, colour->Blue}, (size_t)channels);
    }
    return CLT_OK;
}

static clt_status decode_gif(gif_reader *reader, clt__picture *picture, clt_error *error)
{
    static const int interlaced[][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}, {0, 0}}, in_order[][2] = {{0, 1}, {0, 0}};
    TRY(begin_gif(reader, &picture->info, error));
    const GifImageDesc *frame = &reader->gif->Image;
    TRY(clt__allocate_pixels(reader->file, picture, error));
    TRY(clt__allocate((uint64_t)frame->Width, 1, "a row", &reader->row, error));
    for (const int(*pass)[2] = frame->Interlace ? interlaced : in_order; (*pass)[1]; pass++)
        for (int y = (*pass)[0]; y < frame->Height; y += (*pass)[1]) TRY(read_row(reader, y, picture, error));
    return CLT_OK;
}

static void close_gif(gif_reader *reader)
{
    int code;
    if (reader->gif) (void)DGifCloseFile(reader->gif, &code);
    free(reader->row);
}

static clt_status look_at_gif(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    gif_reader reader = {.file = file, .transparent = NO_TRANSPARENT_COLOR};
    const clt_status status = begin_gif(&reader, info, error);
    close_gif(&reader);
    return status;
}

static clt_status read_gif(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    gif_reader reader = {.file = file, .transparent = NO_TRANSPARENT_COLOR};
    const clt_status status = decode_gif(&reader, picture, error);
    close_gif(&reader);
    return status;
}

const clt__codec clt__gif_codec = {"GIF", "giflib", look_at_gif, read_gif};

#else

const clt__codec clt__gif_codec = {"GIF", "giflib", NULL, NULL};

#endif
