/* What layers that slide a window over their input share. */
#include "layers/layer.h"

int clt__window_outputs(int size, int kernel, int stride, int padding)
{
    const int64_t room = (int64_t)size + 2 * (int64_t)padding - kernel;
    return room < 0 ? 0 : (int)(room / stride) + 1;
}
