#include "pictures/contact_sheet.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "pictures/lettering.h"
#include "pictures/picture.h"
#include "pictures/resize.h"

enum { GAP = 4, TEXT_ROOM = CLT__LETTER_HEIGHT + 2 * GAP, LEAST_TILE = 64, MOST_TILE = 160 };

static int reduced(int side, int longer)
{
    const int64_t tile = (int64_t)side * MOST_TILE / longer;
    return tile > 0 ? (int)tile : 1;
}

/* Small images are shown several times as large, by a whole number, so that their pixels can be told apart. */
static void choose_tile(clt__contact_sheet *sheet)
{
    const int width = sheet->image.width, height = sheet->image.height, longer = width > height ? width : height;
    const int times = longer < LEAST_TILE ? (LEAST_TILE + longer - 1) / longer : 1;
    sheet->tile_width = width * times;
    sheet->tile_height = height * times;
    if (longer <= MOST_TILE) return;
    sheet->tile_width = reduced(width, longer);
    sheet->tile_height = reduced(height, longer);
}

clt_status clt__sheet_open(clt__contact_sheet *sheet, clt_shape image, int rows, int columns, clt_error *error)
{
    *sheet = (clt__contact_sheet){.image = image, .rows = rows, .columns = columns};
    choose_tile(sheet);
    sheet->width = GAP + columns * (sheet->tile_width + GAP);
    sheet->height = rows * (TEXT_ROOM + sheet->tile_height) + GAP;
    TRY(clt__allocate((uint64_t)sheet->width * (uint64_t)sheet->height, 3, "a contact sheet", &sheet->pixels, error));
    memset(sheet->pixels, 0xff, (size_t)sheet->width * (size_t)sheet->height * 3);
    return CLT_OK;
}

static uint8_t *pixel_at(const clt__contact_sheet *sheet, int x, int y)
{
    return sheet->pixels + ((size_t)y * (size_t)sheet->width + (size_t)x) * 3;
}

static int top_of(const clt__contact_sheet *sheet, int row)
{
    return row * (TEXT_ROOM + sheet->tile_height);
}

void clt__sheet_write_text(clt__contact_sheet *sheet, int row, const char *text)
{
    clt__draw_text(text, pixel_at(sheet, GAP, top_of(sheet, row) + GAP), (size_t)sheet->width, sheet->width - 2 * GAP);
}

static int left_of(const clt__contact_sheet *sheet, int column)
{
    return GAP + column * (sheet->tile_width + GAP);
}

void clt__sheet_write_over(clt__contact_sheet *sheet, int row, int column, const char *text)
{
    clt__draw_text(text, pixel_at(sheet, left_of(sheet, column), top_of(sheet, row) + GAP), (size_t)sheet->width,
                   sheet->tile_width);
}

static void show_enlarged(const clt__contact_sheet *sheet, const uint8_t *pixels, uint8_t *tile)
{
    const int times = sheet->tile_width / sheet->image.width, channels = sheet->image.channels;
    for (int y = 0; y < sheet->tile_height; y++)
        for (int x = 0; x < sheet->tile_width; x++) {
            const uint8_t *from =
                pixels + ((size_t)(y / times) * (size_t)sheet->image.width + (size_t)(x / times)) * (size_t)channels;
            for (int c = 0; c < 3; c++) *tile++ = from[channels == 3 ? c : 0];
        }
}

static clt_status show_reduced(const clt__contact_sheet *sheet, const uint8_t *pixels, uint8_t *tile, clt_error *error)
{
    const clt_shape image = sheet->image;
    const size_t plane = (size_t)image.width * (size_t)image.height;
    clt__picture picture = {.info = {.width = image.width, .height = image.height, .channels = 3}};
    const clt__picture_info wanted = {.width = sheet->tile_width, .height = sheet->tile_height, .channels = 3};
    const clt__frame whole = {0, 0, image.width, image.height};
    TRY(clt__allocate(plane, 3, "an image", &picture.pixels, error));
    for (size_t i = 0; i < 3 * plane; i++)
        picture.pixels[i] = pixels[image.channels == 3 ? i : i / 3 * (size_t)image.channels];
    const clt_status status = clt__picture_fit(&picture, &whole, &wanted, tile, error);
    free(picture.pixels);
    return status;
}

clt_status clt__sheet_show(clt__contact_sheet *sheet, int row, int column, const uint8_t *pixels, clt_error *error)
{
    uint8_t *tile;
    const size_t line = (size_t)sheet->tile_width * 3;
    clt_status status = CLT_OK;
    TRY(clt__allocate((uint64_t)sheet->tile_height, line, "an image", &tile, error));
    if (sheet->tile_width >= sheet->image.width && sheet->tile_height >= sheet->image.height)
        show_enlarged(sheet, pixels, tile);
    else
        status = show_reduced(sheet, pixels, tile, error);
    for (int y = 0; y < sheet->tile_height && status == CLT_OK; y++)
        memcpy(pixel_at(sheet, left_of(sheet, column), top_of(sheet, row) + TEXT_ROOM + y), tile + (size_t)y * line,
               line);
    free(tile);
    return status;
}

clt_status clt__sheet_save(const clt__contact_sheet *sheet, const char *path, clt_error *error)
{
    uint8_t *bytes;
    size_t size;
    TRY(clt__picture_encode(sheet->pixels, sheet->width, sheet->height, 3, false, &bytes, &size, error));
    const clt_status status = clt__file_write(path, bytes, size, error);
    free(bytes);
    return status;
}

void clt__sheet_close(clt__contact_sheet *sheet)
{
    free(sheet->pixels);
}
