/* The sizes of every op, as the host, the reference twins and the kernels all read them: the same structs in C and in
 * OpenCL C. Every field is an int, so that a struct can also be written as a list of numbers: the host passes a heavy
 * op's sizes as the kernel's first argument and, when it bakes them into the program (-DBAKED=...), the compiler sees
 * constants instead.
 *
 * Letters mean the same everywhere: n images, c input channels, h w input height and width, k output channels, y x
 * output height and width, r s filter height and width. Tensors are channels last: activations [n,h,w,c], filters
 * [r,s,c,k], dense weights [i,o]. `activation` is a number of the host's: kernels get a name, see activations.h. */
#ifndef CLT_PARAMS_H
#define CLT_PARAMS_H

/* conv.cl, conv_winograd.cl, grouped_conv.cl, depthwise_conv.cl. activation: applied after the bias (forward), or the one whose output x is (input gradient). */
typedef struct conv_sizes {
    int n, c, h, w;
    int k, y, x;
    int r, s;
    int stride_y, stride_x, pad_y, pad_x;
    int bias, activation;
    int groups, dilation_y, dilation_x; /* all 1 but in grouped_conv.cl, depthwise_conv.cl */
    int block_y, blocks_y; /* output rows of one patch, and patches of one image */
    int block_x, blocks_x; /* the same for columns */
    int slices;            /* parts of the sums that are summed apart */
    int winograd;          /* outputs, or of a weight gradient those of dy, on a side of a Winograd tile; 0 where there are none */
    int tiles;             /* of a work-item, if so */
} conv_sizes;

/* Winograd tiles with 4 x 4 outputs interpolate at 0, -5/8, 5/8, -13/8, 13/8 and infinity: every number in B and A is
 * exact in float, and rounding errors are half of those with the usual 0, -1, 1, -2, 2 and infinity. */
enum { WINOGRAD_A = 5, WINOGRAD_B = 13, WINOGRAD_UNIT = 8 };

/* dense.cl */
typedef struct dense_sizes {
    int n, i, o;
    int bias, activation;
    int chunk;  /* input gradient: outputs whose weights are transposed at a time */
    int slices; /* tile schedule: parts of the sums that are summed apart */
} dense_sizes;

/* pool.cl */
typedef struct pool_sizes {
    int n, c, h, w, y, x;
    int r, s;
    int stride_y, stride_x, pad_y, pad_x;
    int dilation_y, dilation_x;
    int activation; /* gradient: the one whose output the pool's input is */
} pool_sizes;

/* batchnorm.cl. m = pixels * valid images. epsilon, momentum: structs hold ints only, see real_of in real.h. */
typedef struct norm_sizes {
    int n, pixels, c; /* pixels of one image */
    int epsilon, momentum;
    int activation; /* applied after the shift (forward), or the one whose output x is (input gradient) */
    int parts;      /* of the batch: sums go over each, then over the parts */
} norm_sizes;

/* sync_batchnorm.cl. A batch of `images` is cut into `shards`, each computed n images at a time. */
typedef struct sync_norm_sizes {
    int n, pixels, c; /* pixels of one image */
    int epsilon, momentum;
    int images, shards;
} sync_norm_sizes;

/* activation.cl. a, b: the activation's parameters, as real_of or, `numbers`, number_of in real.h reads them. */
typedef struct element_sizes {
    int count;
    int activation;
    int numbers, a, b;
} element_sizes;

/* resample.cl */
typedef struct resample_sizes {
    int n, c, h, w, y, x;
    int pad_y, pad_x, scale_y, scale_x;
} resample_sizes;

/* resize.cl: where outputs lie in the input, the first at `start`, the next `step` further, in `parts` of a pixel.
 * Bicubic alone: cubic_a, see number_of in real.h; exclude_outside: what lies outside the image has no share. */
typedef struct resize_sizes {
    int n, c, h, w, y, x;
    int start_y, step_y, parts_y, start_x, step_x, parts_x;
    int cubic_a, exclude_outside;
} resize_sizes;

/* dropout.cl. values: of an image. whole: an image's are dropped together. rate: see real_of in real.h. threshold: the
 * rate times 2^32, and key, as unsigned numbers. */
typedef struct dropout_sizes {
    int n, values;
    int whole, rate, threshold, key;
} dropout_sizes;

/* average.cl */
typedef struct average_sizes {
    int n, c, h, w, y, x;
    int r, s;
    int stride_y, stride_x, pad_y, pad_x;
    int pad_end_y, pad_end_x; /* below and to the right of the image */
    int include_pad;
} average_sizes;

/* adaptive.cl */
typedef struct adaptive_sizes {
    int n, c, h, w, y, x;
} adaptive_sizes;

/* pick.cl. rows: pixels of all images, each of c channels before and k after. */
typedef struct pick_sizes {
    int rows, c, k;
    int groups, first;
} pick_sizes;

/* pixel_shuffle.cl. c: channels of the larger image. h, w: of the smaller one. */
typedef struct pixel_shuffle_sizes {
    int n, c, h, w;
    int scale;
} pixel_shuffle_sizes;

/* permute.cl. c, h, w: of the result; from_c, from_h, from_w: of the input. */
typedef struct permute_sizes {
    int n, c, h, w;
    int from_c, from_h, from_w;
    int stride_c, stride_h, stride_w;
} permute_sizes;

/* What is outside an image: see border.h. */
enum { PAD_CONSTANT, PAD_REFLECT, PAD_REPLICATE };

/* pad.cl. before: above the image, and to its left. value: see number_of in real.h. */
typedef struct pad_sizes {
    int n, c, h, w, y, x;
    int before_y, before_x;
    int mode, value;
} pad_sizes;

/* group_norm.cl. epsilon: see real_of in real.h. */
typedef struct group_norm_sizes {
    int n, pixels, c; /* pixels of one image */
    int groups;
    int epsilon;
    int activation; /* applied after the shift (forward), or the one whose output x is (input gradient) */
    int parts;      /* of a group (statistics, input sums) or of all pixels (gradients), summed apart */
} group_norm_sizes;

/* lrn.cl. size: channels of a window, an odd number. alpha, beta, k: see real_of in real.h. */
typedef struct lrn_sizes {
    int rows, c; /* pixels of all images, and their channels */
    int size;
    int alpha, beta, k;
} lrn_sizes;

/* softmax.cl. logarithm: of the softmax */
typedef struct softmax_sizes {
    int rows, length;
    int logarithm;
} softmax_sizes;

/* channel.cl, prelu.cl, scale.cl. rows: of all images, each of c channels. */
typedef struct channel_sizes {
    int n, rows, c;
    int shared;     /* one number for all channels */
    int activation; /* bias: applied to the sum */
    int negative;   /* channel_sum: an x counts where it is below 0 alone */
    int parts;      /* channel_sum: of the rows */
} channel_sizes;

/* join.cl. count: elements of y. channels: of each input, for concat. */
typedef struct join_sizes {
    int count, inputs;
    int activation; /* of the sum */
    int all_channels, channels[8];
    int least; /* extreme: the least, not the most */
    int which; /* extreme_gradient: the input that it is by */
} join_sizes;

/* arithmetic.cl. Of a and of b, a number of pixels or channels is the result's, or 1: one value for all of them. */
typedef struct arithmetic_sizes {
    int n, pixels, c; /* pixels of one image */
    int a_pixels, a_channels, b_pixels, b_channels;
    int operation;
    int by_b; /* gradient: by b, not by a */
} arithmetic_sizes;

enum { ARITHMETIC_MUL, ARITHMETIC_SUB, ARITHMETIC_DIV };

/* loss.cl. one_hot: targets are class labels. labelled: images have a class label, even so. smoothing_ppm: label smoothing
 * in millionths (structs hold ints only). */
typedef struct loss_sizes {
    int n, outputs;
    int one_hot, labelled;
    int smoothing_ppm;
} loss_sizes;

/* batch.cl. bytes: the images are bytes, not real values. */
typedef struct batch_sizes {
    int n, c, h, w;
    int outputs; /* real targets of one image, 0 for class labels */
    int bytes;
    int partner; /* gathers the image that each is mixed with, in its place: see mix.cl */
} batch_sizes;

/* Which images are mirrored: see augment.cl. */
enum { FLIP_NONE, FLIP_RANDOM, FLIP_ALTERNATE };

/* augment.cl: how far an image may be changed. Angles in millionths of a degree, shares in millionths, 0 for not at all. */
typedef struct augment_sizes {
    int n, c, h, w;
    int partner; /* draws for the image that each is mixed with */
    int flip;   /* FLIP_NONE.. */
    int crop;   /* pixels by which the image is moved, at most, either way */
    int cutout; /* pixels on a side of the square that is left empty */
    int rotate_ppm, scale_ppm, shift_ppm;
    int brightness_ppm, contrast_ppm, saturation_ppm;
    int border;    /* PAD_CONSTANT.. : what is outside the image */
    int erase_ppm; /* of how many images a rectangle is left empty */
} augment_sizes;

/* What an erased rectangle may be: its area from 0.02 of the image's to 0.33, its height over its width from 0.3 to 3.3, one
 * of ERASE_ASPECTS + 1 values with the same quotient between neighbours; both in fixed point, so that they are exact. */
enum {
    ERASE_LEAST_PPM = 20000,
    ERASE_RANGE_PPM = 310000,
    ERASE_ASPECTS = 64,
    ERASE_ONE = 1 << 16,
    ERASE_LEAST_ASPECT = 19661, /* 0.3 in units of 1 / ERASE_ONE */
    ERASE_ASPECT_STEP = 68038   /* 11 to the power 1 / ERASE_ASPECTS, so too */
};

/* What augment_draw draws for an image. Output pixel (x, y) shows the input at (a x + b y + c, d x + e y + f). */
enum {
    DRAWN_A,
    DRAWN_B,
    DRAWN_C,
    DRAWN_D,
    DRAWN_E,
    DRAWN_F,
    DRAWN_BRIGHTNESS,
    DRAWN_CONTRAST,
    DRAWN_SATURATION,
    DRAWN_TOP, /* of what cutout leaves empty: rows TOP <= y < BOTTOM, columns LEFT <= x < RIGHT */
    DRAWN_LEFT,
    DRAWN_BOTTOM,
    DRAWN_RIGHT,
    DRAWN_ERASE_TOP, /* of what erasing leaves empty */
    DRAWN_ERASE_LEFT,
    DRAWN_ERASE_BOTTOM,
    DRAWN_ERASE_RIGHT,
    DRAWN_LENGTH
};

/* Counters of Philox: what the fourth word stands for. */
enum { RANDOM_DROPOUT, RANDOM_AUGMENT, RANDOM_FLIP };

/* mix.cl. one_hot: targets are class labels. */
typedef struct mix_sizes {
    int n, c, h, w;
    int outputs;
    int one_hot;
} mix_sizes;

/* update.cl */
typedef struct update_sizes {
    int count;
    int nesterov;
    int clip_value; /* gradients are clipped one by one */
    int parts;      /* gradient norm, trust ratio: how many parts a sum of squares is cut in */
    int tensors;    /* trust ratio: how many there are */
    int by_name;    /* parameters may have rates of their own, or another optimiser than others */
    int taker;      /* this optimiser's number among those that there are */
} update_sizes;

/* muon.cl */
typedef struct muon_sizes {
    int matrices;
    int rows, columns; /* the most that one has */
    int normalize;     /* filters */
    int parts;         /* norms: how many parts a sum of squares is cut in */
    int by_name;       /* parameters may have rates of their own */
} muon_sizes;

/* A matrix that muon orthogonalises: see muon.cl. */
enum {
    MATRIX_FIRST, /* of its elements among the parameters */
    MATRIX_PLACE, /* the same among all matrices */
    MATRIX_GRAM,  /* the same of its Gram matrix */
    MATRIX_ROWS,
    MATRIX_COLUMNS,
    MATRIX_FLIPPED,
    MATRIX_FILTER, /* it is a filter tensor */
    MATRIX_LENGTH
};

/* The parameters' tensors begin at multiples of so many elements. */
enum { UPDATE_BLOCK = 32 };

/* Where a tensor lies among the parameters: its first element, and how many it has. */
enum { SEGMENT_FIRST, SEGMENT_COUNT, SEGMENT_LENGTH };

/* The few numbers that change from step to step live in two small tensors. */
enum {
    STEP_FIRST, /* where the images begin in the order: see batch.cl */
    STEP_VALID, /* how many there are, the rest of the batch being padding */
    STEP_SLOT,  /* where the losses go: see loss.cl */
    STEP_WHOLE, /* images of the whole batch, where this is a micro-batch of it, else the same as STEP_VALID */
    STEP_PART,  /* which micro-batch it is, from 0 */
    STEP_BEFORE, /* images of the whole batch before it */
    STEP_NUMBER, /* of the step, since training began */
    STEP_SEED,   /* of what is drawn at random */
    STEP_SHIFT,  /* how far behind it in the batch, all around, the partner of an image is: see mix.cl */
    STEP_BLEND,  /* its own share in an image's pixels, in units of 1 / MIX_UNIT */
    STEP_SHARE,  /* and in its targets */
    STEP_TOP,    /* where its pixels are all the partner's: rows TOP <= y < BOTTOM, columns LEFT <= x < RIGHT */
    STEP_LEFT,
    STEP_BOTTOM,
    STEP_RIGHT,
    STEP_MIRROR, /* 1: images are mirrored left to right, 0: not */
    STEP_EPOCH,  /* of training, from 0 */
    STEP_MOVE,   /* pixels by which images are moved down and to the right, with reflected borders */
    STEP_LENGTH = 32
}; /* integers */
enum { MIX_UNIT = 1 << 24 };
enum {
    HYPER_RATE,   /* the learning rate */
    HYPER_STEP,   /* the same, over what corrects the bias of the mean gradient */
    HYPER_MEAN,   /* 1 over what does */
    HYPER_ROOT,   /* 1 over the root of what corrects the bias of the mean square */
    HYPER_SHRINK, /* the share of itself that a parameter loses in a step: rate * decay */
    HYPER_STEP_LENGTH = 8, /* a power of two, as filling a buffer wants it */
    HYPER_MOMENTUM = HYPER_STEP_LENGTH, /* these stay as they are throughout a training */
    HYPER_DECAY,
    HYPER_CLIP,
    HYPER_CLIP_VALUE,
    HYPER_BETA1,
    HYPER_BETA1_REST, /* 1 - beta1, subtracted in double: in float it would lose digits */
    HYPER_BETA2,
    HYPER_BETA2_REST,
    HYPER_ALPHA,
    HYPER_ALPHA_REST,
    HYPER_EPS,
    HYPER_AVERAGE,
    HYPER_AVERAGE_REST,
    HYPER_LENGTH
}; /* reals: see update.cl. The first change from step to step. */

/* What the loss is scaled by while activations are halves, a power of two, and 1 over it: see loss.cl and update.cl. */
enum { SCALE_FACTOR, SCALE_INVERSE, SCALE_LENGTH };

/* The history tensor holds, for each step slot, the sum of the losses and the number of right predictions. */
enum { HISTORY_LOSS, HISTORY_HITS, HISTORY_LENGTH };

/* The first of so many steps measures the gradient's norm, so that it costs next to nothing: slots of norms are so many times
 * fewer. */
enum { NORM_STEPS = 16 };

/* sums.h: rows that a work-item has on their way at a time under the tile schedule, and the most vectors that it takes side by side
 * under the other: 256 bytes of a CPU with AVX-512. */
enum { SUMS_AHEAD = 4, SUMS_BESIDE = 4 };

/* probe.cl: what is checked, and what lies where in the numbers that it reads. */
enum {
    PROBE_NULL,      /* a NULL argument is NULL */
    PROBE_LOCAL,     /* local memory and a barrier */
    PROBE_BARRIERS,  /* barriers in a loop */
    PROBE_VECTORS,   /* vectors at odd addresses */
    PROBE_FMA,       /* a multiply-add rounds once */
    PROBE_SUBNORMAL, /* such numbers are kept, or are 0 */
    PROBE_LOOPS,     /* 70,000 iterations */
    PROBE_CHECKS
};
enum { PROBE_ITEMS = 8, PROBE_STRIDE = 16 };
enum {
    PROBE_ONE,
    PROBE_TWO,
    PROBE_ABOVE, /* 1 + e, and 1 - e, whose product is 1 - e^2: PROBE_REST is -e^2 */
    PROBE_BELOW,
    PROBE_REST,
    PROBE_SMALLEST,        /* normal number */
    PROBE_ROW = 8,         /* any numbers */
    PROBE_ONES = 16,       /* PROBE_ITEMS ones */
    PROBE_INPUTS = 24
};

#endif
