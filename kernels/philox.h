/* Philox 4x32-10 (Salmon et al., 2011), the same bits as clt__philox in host/base/random.c: four random words that depend on
 * the key and the counter alone. */
#ifndef CLT_PHILOX_H
#define CLT_PHILOX_H

static inline uint4 philox(uint2 key, uint4 counter)
{
    for (int round = 0; round < 10; round++) {
        const uint first = 0xd2511f53u, second = 0xcd9e8d57u;
        counter = (uint4)(mul_hi(second, counter.z) ^ counter.y ^ key.x, second * counter.z,
                          mul_hi(first, counter.x) ^ counter.w ^ key.y, first * counter.x);
        key += (uint2)(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}

#endif
