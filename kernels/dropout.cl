/* Dropout: each element is 0 with a probability of `rate`, else 1 / (1 - rate) times itself; `whole`, so is each image.
 * The same op takes the gradient by the output to that by the input.
 *
 *   y[n,i] = word(n,i) < rate 2^32 ? 0 : x[n,i] / (1 - rate)
 *
 * word(n,i) is word i % 4 of Philox's block with the counter (i / 4, image n of the whole batch, the step's number, RANDOM_DROPOUT) under the
 * key (the step's seed, the layer's): no mask is kept, and a batch may be split in any way.
 * For a whole image it is the first word of i = 0. Work-item (four elements). */
#include "params.h"
#include "real.h"
#include "philox.h"

kernel void dropout(const dropout_sizes given, global const stored *restrict x, global const int *restrict step,
                    global stored *restrict y)
{
    const dropout_sizes z = SIZES(given);
    const int blocks = (z.values + 3) / 4, n = (int)get_global_id(0) / blocks, block = (int)get_global_id(0) % blocks;
    if (n >= z.n) return;
    const uint4 counter = (uint4)(z.whole ? 0u : (uint)block, (uint)(step[STEP_BEFORE] + n), (uint)step[STEP_NUMBER], RANDOM_DROPOUT);
    const uint4 word = philox((uint2)((uint)step[STEP_SEED], (uint)z.key), counter);
    const uint words[4] = {word.x, word.y, word.z, word.w}, threshold = (uint)z.threshold;
    const real scale = z.rate < 0         ? 1 / (1 - real_of(z.rate))
                       : z.rate < 1000000 ? (real)1000000 / (1000000 - z.rate)
                                          : (real)0;
    for (int i = 0; i < 4 && block * 4 + i < z.values; i++) {
        const size_t at = (size_t)n * z.values + block * 4 + i;
        PUT(words[z.whole ? 0 : i] < threshold ? (real)0 : GET(x + at) * scale, y + at);
    }
}
