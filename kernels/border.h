/* What is shown outside an image: a number, or the image's own, mirrored at its edge pixels or repeated from them. */
#ifndef CLT_BORDER_H
#define CLT_BORDER_H

/* The pixel that is shown `at` pixels from the first of `size`, by mode PAD_...; PAD_CONSTANT: outside them where there is
 * none. What lies further out than the image is wide is mirrored again and again. */
static inline int source_of(const int mode, const int at, const int size)
{
    if (mode == PAD_CONSTANT) return at;
    if (mode == PAD_REPLICATE || size == 1) return clamp(at, 0, size - 1);
    int source = at;
    while (source < 0 || source >= size) source = source < 0 ? -source : 2 * (size - 1) - source;
    return source;
}

#endif
