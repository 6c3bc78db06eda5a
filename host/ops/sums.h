/* Launch rules of sums over rows: kernels/sums.h. */
#ifndef CLT_OPS_SUMS_H
#define CLT_OPS_SUMS_H

#include "engine/op.h"

/* `sums` sums for each of `channels` channels over `rows` rows of `images` images, in two launches:
 * over parts of the rows, then over the parts. Gives the number of parts. */
int clt__launch_channel_sums(const char *file, const char *parts_kernel, const char *sum_kernel,
                             const clt__limits *limits, int images, int rows, int channels, int sums,
                             clt__launches *to);

/* The same under the tile schedule for two sums over the `elements` elements of each of `rows` rows: the groups' second
 * number is the part. */
int clt__launch_row_sums(const char *file, const char *parts_kernel, const char *sum_kernel, const clt__limits *limits,
                         int rows, int elements, clt__launches *to);

/* The same for one sum over `rows` rows for each of `columns` columns of each of `matrices` matrices: the groups'
 * second number is the part, the third the matrix. */
int clt__launch_matrix_sums(const char *file, const char *parts_kernel, const char *sum_kernel,
                            const clt__limits *limits, int rows, int columns, int matrices, clt__launches *to);

/* The same where the matrices are many: one launch, a group for some columns of a matrix, whose number is the groups'
 * second. */
void clt__launch_group_sums(const char *file, const clt__limits *limits, int matrices, int rows, int columns,
                            clt__launches *to);

/* Adds, as the second launch of a product whose sums are cut, `slices` slices of `count` elements each, which lie one
 * behind the other: the rows of a matrix whose columns are added up. */
void clt__launch_slices_sum(const clt__limits *limits, const char *kernel, int slices, int count, clt__launches *to);

#endif
