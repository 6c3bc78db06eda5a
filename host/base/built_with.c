/* What the library was built with, of what may be missing. */
#include "cltrain.h"

const char *clt_built_with(void)
{
    return "libpng, libjpeg"
#ifdef CLTRAIN_WEBP
           ", libwebp"
#endif
#ifdef CLTRAIN_TIFF
           ", libtiff"
#endif
#ifdef CLTRAIN_GIF
           ", giflib"
#endif
#if defined CLTRAIN_ONNX && defined CLTRAIN_TENSORBOARD
           ", protobuf-c (ONNX, TensorBoard)"
#elif defined CLTRAIN_ONNX
           ", protobuf-c (ONNX)"
#elif defined CLTRAIN_TENSORBOARD
           ", protobuf-c (TensorBoard)"
#endif
#ifdef CLTRAIN_MPI
           ", MPI"
#endif
        ;
}
