#include "base/crc32c.h"

/* What four bits that leave the remainder add to it: 0x1EDC6F41, reflected, times each. */
static const uint32_t added[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
                                   0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                   0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};

uint32_t clt__crc32c(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint32_t rest = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        rest ^= at[i];
        rest = rest >> 4 ^ added[rest & 15];
        rest = rest >> 4 ^ added[rest & 15];
    }
    return ~rest;
}
