/* Images that lie on their side: --transpose. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"

/* One image of `rows` x `columns` pixels, each of so many bytes. */
static void turn_image(const unsigned char *from, size_t rows, size_t columns, size_t pixel, unsigned char *to)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++)
            memcpy(to + (column * rows + row) * pixel, from + (row * columns + column) * pixel, pixel);
}

clt_status clt__dataset_turn(clt_dataset *dataset, clt_error *error)
{
    const clt_shape shape = dataset->shape;
    const size_t value = dataset->bytes ? 1 : sizeof *dataset->reals, image = clt__image_size(shape) * value;
    unsigned char *images = dataset->bytes ? dataset->bytes : (unsigned char *)dataset->reals, *turned;
    TRY(clt__allocate(image, 1, "an image", &turned, error));
    for (size_t n = 0; n < dataset->count; n++) {
        turn_image(images + n * image, (size_t)shape.height, (size_t)shape.width, (size_t)shape.channels * value,
                   turned);
        memcpy(images + n * image, turned, image);
    }
    free(turned);
    dataset->shape.height = shape.width;
    dataset->shape.width = shape.height;
    return CLT_OK;
}
