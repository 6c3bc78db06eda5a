/* Numbers on their way between ranks as halves (--wire f16): 32 of them share a power of two, so that the largest is
 * from 1/2 to 1. Each is within 2^-11 of that largest of what it was; what is not finite stays so, and spoils its 32.
 */
#ifndef CLT_TEAM_WIRE_H
#define CLT_TEAM_WIRE_H

#include <stddef.h>

enum { CLT__WIRE_BLOCK = 32 };

/* Of so many numbers, packed. Where a multiple of CLT__WIRE_BLOCK of them lies in a packed row, too. */
size_t clt__wire_bytes(size_t count);

/* Of floats or doubles, by their size. */
void clt__wire_pack(const void *values, size_t size, size_t count, void *packed);
void clt__wire_unpack(const void *packed, size_t size, size_t count, void *values);

#endif
