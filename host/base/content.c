#include "base/content.h"

#include <string.h>
#include <strings.h>

typedef struct signature {
    size_t at; /* where the bytes lie */
    size_t size;
    unsigned char bytes[12];
    const char *name;
} signature;

/* The longer of two that begin alike comes first. */
static const signature signatures[] = {
    {0, 8, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, "a PNG picture"},
    {0, 3, {0xff, 0xd8, 0xff}, "a JPEG picture"},
    {0, 6, "GIF87a", "a GIF picture"},
    {0, 6, "GIF89a", "a GIF picture"},
    {0, 4, {'I', 'I', 42, 0}, "a TIFF picture"},
    {0, 4, {'M', 'M', 0, 42}, "a TIFF picture"},
    {0, 4, {'I', 'I', 43, 0}, "a BigTIFF picture"},
    {0, 4, {'M', 'M', 0, 43}, "a BigTIFF picture"},
    {4, 8, "ftypheic", "an HEIC picture"},
    {4, 8, "ftypheix", "an HEIC picture"},
    {4, 8, "ftypmif1", "an HEIF picture"},
    {4, 8, "ftypavif", "an AVIF picture"},
    {0, 12, {0, 0, 0, 12, 'J', 'X', 'L', ' ', '\r', '\n', 0x87, '\n'}, "a JPEG XL picture"},
    {0, 12, {0, 0, 0, 12, 'j', 'P', ' ', ' ', '\r', '\n', 0x87, '\n'}, "a JPEG 2000 picture"},
    {0, 4, "8BPS", "a Photoshop picture"},
    {0, 4, "DDS ", "a DDS picture"},
    {128, 4, "DICM", "a DICOM file"},
    {0, 6, {0x93, 'N', 'U', 'M', 'P', 'Y'}, "a NumPy array"},
    {0, 8, {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'}, "an HDF5 file"},
    {0, 4, "MATL", "a MATLAB file"},
    {0, 4, "PAR1", "a Parquet file"},
    {0, 6, "ARROW1", "an Arrow file"},
    {0, 4, {'P', 'K', 3, 4}, "a zip archive"},
    {0, 4, {'P', 'K', 5, 6}, "an empty zip archive"},
    {0, 2, {0x1f, 0x8b}, "gzip-packed data"},
    {0, 3, "BZh", "bzip2-packed data"},
    {0, 6, {0xfd, '7', 'z', 'X', 'Z', 0}, "xz-packed data"},
    {0, 4, {0x28, 0xb5, 0x2f, 0xfd}, "zstd-packed data"},
    {0, 6, {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c}, "a 7z archive"},
    {0, 4, "Rar!", "a RAR archive"},
    {257, 5, "ustar", "a tar archive"},
    {0, 5, "%PDF-", "a PDF document"},
    {0, 4, "RIFF", "a RIFF file (sound or video)"},
    {4, 4, "ftyp", "a video"},
    {0, 5, "<svg ", "an SVG drawing"},
    {0, 8, {0, 5, 0x16, 7, 0, 2, 0, 0}, "what macOS keeps beside a file (AppleDouble)"},
    {0, 2, {0x80, 2}, "a Python pickle"},
    {0, 2, {0x80, 3}, "a Python pickle"},
    {0, 2, {0x80, 4}, "a Python pickle"},
    {0, 2, {0x80, 5}, "a Python pickle"},
};

static bool fits(const signature *one, const unsigned char *start, size_t size)
{
    return size >= one->at + one->size && memcmp(start + one->at, one->bytes, one->size) == 0;
}

/* BMP has only two letters, which a text may begin with too: its header's size is looked at as well. */
static bool is_bmp(const unsigned char *start, size_t size)
{
    return size >= 18 && start[0] == 'B' && start[1] == 'M' && start[15] == 0 && start[16] == 0 && start[17] == 0 &&
           (start[14] == 12 || (start[14] >= 40 && start[14] <= 124));
}

/* Blanks and a byte order mark may come before the first word. */
static bool is_web_page(const unsigned char *start, size_t size)
{
    static const char *const words[] = {"<!doctype html", "<html", "<head", "<body"};
    size_t at = size >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < size && strchr(" \t\r\n", start[at] ? start[at] : 'x')) at++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (size - at >= strlen(words[i]) && strncasecmp((const char *)start + at, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* One of the many kinds of RIFF files. libwebp takes what is none, too, if only its first byte is that of a stream. */
static bool is_webp(const unsigned char *start, size_t size)
{
    return size >= 12 && memcmp(start, "RIFF", 4) == 0 && memcmp(start + 8, "WEBP", 4) == 0;
}

const char *clt__content_name(const unsigned char *start, size_t size)
{
    if (is_web_page(start, size)) return "a web page";
    if (is_bmp(start, size)) return "a BMP picture";
    if (is_webp(start, size)) return "a WebP picture";
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (fits(&signatures[i], start, size)) return signatures[i].name;
    return NULL;
}

const char *clt__content_or_other(const unsigned char *start, size_t size)
{
    const char *name = clt__content_name(start, size);
    return name ? name : size ? "something else" : "an empty file";
}
