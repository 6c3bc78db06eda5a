/* Checksums. */
#ifndef CLT_BASE_CRC32C_H
#define CLT_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli's polynomial, bits reflected: RFC 3720, appendix B.4) of bytes, from any thread. */
uint32_t clt__crc32c(const void *bytes, size_t size);

#endif
