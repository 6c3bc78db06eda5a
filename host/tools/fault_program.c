/* A C program that shows what a device gets wrong. It is for who writes the driver: one file, to be built with
 * -lOpenCL. */
#include "tools/fault_program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "engine/op.h"

#define PRINT(...) TRY(clt__text_print(to, error, __VA_ARGS__))

/* ---- the tensors that the kernels take: of the op that is wrong, and of those that are merged with it */

typedef struct held_tensor {
    int tensor;
    const char *name;        /* of an operand that it is */
    clt__access access;      /* by the op; of a tensor that only others have, READ where it has values before */
    const clt__array *given; /* before; NULL where that does not matter */
    const clt__array *right; /* what the op makes of it; NULL where it makes nothing */
} held_tensor;

typedef struct tensors {
    held_tensor held[CLT__MAX_MERGED * CLT__MAX_OPERANDS];
    int count;
} tensors;

/* -1 where it is not among them. */
static int find_tensor(const tensors *t, int tensor)
{
    for (int i = 0; i < t->count; i++)
        if (t->held[i].tensor == tensor) return i;
    return -1;
}

static void add_tensors(const clt__evidence *e, int merged, tensors *t)
{
    const clt__op *op = e->merged[merged].op;
    for (int i = 0; i < clt__operand_count(op->row); i++) {
        const clt__access access = op->row->operand[i].access;
        if (op->tensor[i] < 0 || find_tensor(t, op->tensor[i]) >= 0) continue;
        t->held[t->count++] = (held_tensor){.tensor = op->tensor[i],
                                            .name = op->row->operand[i].name,
                                            .access = access,
                                            .given = access == CLT__WRITE ? NULL : &e->merged[merged].before[i],
                                            .right = op == e->op && access != CLT__READ ? &e->wanted[i] : NULL};
    }
}

/* The wrong op's first, for what others read of it is what it makes. */
static tensors tensors_of(const clt__evidence *e)
{
    tensors t = {.count = 0};
    for (int i = 0; i < e->launches->ops; i++)
        if (e->merged[i].op == e->op) add_tensors(e, i, &t);
    for (int i = 0; i < e->launches->ops; i++) add_tensors(e, i, &t);
    return t;
}

/* ---- what is known, as its opening comment */

/* A text from outside must not end the comment. */
static clt_status append_said(clt__text *to, const char *what, const char *text, clt_error *error)
{
    PRINT(" * %-12s", what);
    for (; *text && (text[1] || *text != '\n'); text++) PRINT(*text == '\n' ? ", " : "%c", *text == '*' ? ' ' : *text);
    PRINT("\n");
    return CLT_OK;
}

static clt_status append_head(const clt__evidence *e, const char *net, int batch, clt__text *to, clt_error *error)
{
    const clt_device_info *info = clt_device_describe(e->device);
    const clt__verdict *v = e->verdict;
    PRINT("/* A kernel of cltrain %s computes wrongly on this device, or its driver compiles it wrongly.\n *\n",
          CLT_VERSION);
    TRY(append_said(to, "device", info->name, error));
    TRY(append_said(to, "platform", info->platform, error));
    TRY(append_said(to, "driver", info->driver, error));
    if (*info->faults) TRY(append_said(to, "known fault", info->faults, error));
    TRY(append_said(to, "net", net, error));
    PRINT(" * images      %d\n", batch);
    PRINT(" * op          %s, kernels/%s\n", e->op->row->name, e->launches->file);
    PRINT(" * found       %s", v->complaint);
    if (v->operand && !(v->difference <= v->bound))
        PRINT(": element %d of %s is %.9g on the device, %.9g is right, give or take %.3g", v->index, v->operand,
              v->device, v->reference, v->bound);
    if (v->operand && v->difference <= v->bound) PRINT(": %s", v->operand);
    PRINT(
        "\n *\n * Build it with `cc THIS.c -lOpenCL -lm`; `./a.out [PLATFORM [DEVICE]]`, numbers from 0, exits 1 where "
        "the\n"
        " * device is wrong. What is right was computed in double by plain C; the bound is what rounding may do. */\n");
    return CLT_OK;
}

/* ---- texts and numbers */

/* As a C string, a line of it for each line of the text. */
static clt_status append_string(const char *name, const char *text, clt__text *to, clt_error *error)
{
    PRINT("static const char %s[] =\n    \"", name);
    for (const char *c = text; *c; c++) {
        if (*c == '\n')
            PRINT(c[1] ? "\\n\"\n    \"" : "\\n");
        else if (*c == '"' || *c == '\\')
            PRINT("\\%c", *c);
        else
            PRINT("%c", *c);
    }
    PRINT("\";\n");
    return CLT_OK;
}

static clt_status append_real(double value, bool is_double, clt__text *to, clt_error *error)
{
    if (isnan(value)) return clt__text_print(to, error, "NAN");
    if (isinf(value)) return clt__text_print(to, error, value < 0 ? "-INFINITY" : "INFINITY");
    return clt__text_print(to, error, is_double ? "%a" : "%af", value);
}

/* What elements are in the program, whose `real` is float or double, and whose halves are their bits. */
static const char *const types[] = {
    [CLT__REALS] = "real", [CLT__INTS] = "int", [CLT__BYTES] = "unsigned char", [CLT__HALVES] = "cl_half"};

/* What stands before element i of a list: some on a line. */
static const char *separator(size_t i)
{
    enum { A_LINE = 8 };
    return i % A_LINE ? ", " : i ? ",\n    " : "\n    ";
}

/* As the kernel has it. */
static clt_status append_array(clt__type kind, const char *type, const char *name, const clt__array *a, bool is_double,
                               clt__text *to, clt_error *error)
{
    PRINT("static const %s %s[] = {", type, name);
    for (size_t i = 0; i < a->count; i++) {
        PRINT("%s", separator(i));
        if (kind == CLT__HALVES)
            PRINT("0x%04x", (unsigned)clt__half_bits(a->real[i]));
        else if (a->real)
            TRY(append_real(a->real[i], is_double, to, error));
        else
            PRINT("%d", a->integer ? a->integer[i] : a->byte[i]);
    }
    PRINT("};\n");
    return CLT_OK;
}

/* Of a half, on the side where more is right. */
static double bound_at(const clt__evidence *e, clt__type kind, const clt__array *wanted, size_t i)
{
    const double bound = wanted->slack ? clt__bound_of(e->precision, wanted->slack[i]) : 0;
    if (kind != CLT__HALVES) return bound;
    return fmax(clt__half_bound_of(wanted->real[i], bound, false), clt__half_bound_of(wanted->real[i], bound, true));
}

static clt_status append_bounds(const char *name, const clt__evidence *e, clt__type kind, const clt__array *wanted,
                                clt__text *to, clt_error *error)
{
    PRINT("static const double %s[] = {", name);
    for (size_t i = 0; i < wanted->count; i++) {
        PRINT("%s", separator(i));
        TRY(append_real(bound_at(e, kind, wanted, i), true, to, error));
    }
    PRINT("};\n");
    return CLT_OK;
}

static clt_status append_tensor(const clt__evidence *e, const held_tensor *held, int number, clt__text *to,
                                clt_error *error)
{
    const clt__tensor *tensor = &e->tape->tensor[held->tensor];
    const char *type = types[tensor->type];
    const bool is_double = e->precision == CLT_F64;
    char shape[64], name[64];
    clt__shape_text(tensor, shape, sizeof shape);
    PRINT("\n/* %s, %s%s */\n", held->name, shape,
          tensor->order == CLT__IMAGES    ? ", in the order n, h, w, c"
          : tensor->order == CLT__FILTERS ? ", in the order h, w, i, o"
                                          : "");
    if (held->given) {
        (void)snprintf(name, sizeof name, "given_%d", number);
        TRY(append_array(tensor->type, type, name, held->given, is_double, to, error));
    }
    if (!held->right) return CLT_OK;
    (void)snprintf(name, sizeof name, "right_%d", number);
    TRY(append_array(tensor->type, tensor->type == CLT__REALS ? "double" : type, name, held->right, true, to, error));
    (void)snprintf(name, sizeof name, "bound_%d", number);
    return append_bounds(name, e, tensor->type, held->right, to, error);
}

/* ---- the program itself */

static const char opening[] =
    "#define CL_TARGET_OPENCL_VERSION 120\n"
    "#include <CL/cl.h>\n#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n";

/* Every operand has elements before and behind that a kernel may read but must not use: they are NaN. */
static const char helpers[] =
    "\nenum { FRONT = 1024, BEHIND = 64 };\n"
    "static cl_context context;\nstatic cl_command_queue queue;\n\n"
    "/* `count` elements inside a larger buffer that is all ones: NaN. */\n"
    "typedef struct operand {\n    cl_mem whole, part;\n    size_t count, size;\n} operand;\n\n"
    "static void check(cl_int code, const char *call)\n{\n"
    "    if (code == CL_SUCCESS) return;\n"
    "    fprintf(stderr, \"%s gave %d\\n\", call, code);\n    exit(2);\n}\n\n"
    "static operand make(size_t count, size_t size, const void *given)\n{\n"
    "    cl_int code;\n    const size_t all = (FRONT + count + BEHIND) * size;\n"
    "    operand made = {NULL, NULL, count, size};\n"
    "    char *ones = malloc(all);\n    memset(ones, 0xff, all);\n"
    "    if (given) memcpy(ones + FRONT * size, given, count * size);\n"
    "    made.whole = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, all, ones, &code);\n"
    "    check(code, \"clCreateBuffer\");\n    free(ones);\n"
    "    const cl_buffer_region region = {FRONT * size, (count + BEHIND) * size};\n"
    "    made.part = clCreateSubBuffer(made.whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);\n"
    "    check(code, \"clCreateSubBuffer\");\n    return made;\n}\n\n"
    "/* Bytes that changed and should not: around the operand, and in it where it was only to be read. */\n"
    "static size_t disturbed(const char *name, const operand *o, const void *given)\n{\n"
    "    const size_t all = (FRONT + o->count + BEHIND) * o->size;\n    size_t wrong = 0;\n"
    "    unsigned char *now = malloc(all);\n"
    "    check(clEnqueueReadBuffer(queue, o->whole, CL_TRUE, 0, all, now, 0, NULL, NULL), \"clEnqueueReadBuffer\");\n"
    "    for (size_t i = 0; i < all; i++) {\n"
    "        const int inside = i >= FRONT * o->size && i < (FRONT + o->count) * o->size;\n"
    "        if (!inside) wrong += now[i] != 0xff;\n"
    "        if (inside && given) wrong += now[i] != ((const unsigned char *)given)[i - FRONT * o->size];\n    }\n"
    "    free(now);\n"
    "    if (wrong) printf(\"%zu bytes of %s, or around it, were written and should not be\\n\", wrong, name);\n"
    "    return wrong;\n}\n\n"
    "static int differs(const char *name, size_t i, double got, double right, double bound)\n{\n"
    "    static int told;\n"
    "    if (fabs(got - right) <= bound || (isnan(got) && isnan(right)) || got == right || !isfinite(bound)) return "
    "0;\n"
    "    if (told++ < 10) printf(\"%s[%zu] is %.9g, %.9g is right, give or take %.3g\\n\", name, i, got, right, "
    "bound);\n"
    "    return 1;\n}\n";

static const char half_helper[] = "\n/* What a half with these bits is. */\n"
                                  "static double of_half(cl_half bits)\n{\n"
                                  "    const int exponent = bits >> 10 & 31, fraction = bits & 1023;\n"
                                  "    const double size = exponent == 31 ? (fraction ? NAN : INFINITY)\n"
                                  "                        : exponent     ? ldexp(1024 + fraction, exponent - 25)\n"
                                  "                                       : ldexp(fraction, -24);\n"
                                  "    return bits & 0x8000 ? -size : size;\n}\n";

static const char begin_main[] =
    "\nint main(int count, char **word)\n{\n"
    "    cl_platform_id platforms[16];\n    cl_device_id devices[16], device;\n    cl_int code;\n    cl_uint found = "
    "0;\n"
    "    const cl_uint p = count > 1 ? (cl_uint)atoi(word[1]) : 0, d = count > 2 ? (cl_uint)atoi(word[2]) : 0;\n"
    "    check(clGetPlatformIDs(16, platforms, &found), \"clGetPlatformIDs\");\n"
    "    if (found > 16) found = 16;\n"
    "    if (p >= found) return fprintf(stderr, \"there are %u platforms\\n\", found), 2;\n"
    "    check(clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 16, devices, &found), \"clGetDeviceIDs\");\n"
    "    if (found > 16) found = 16;\n"
    "    if (d >= found) return fprintf(stderr, \"there are %u devices\\n\", found), 2;\n"
    "    device = devices[d];\n"
    "    context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);\n    check(code, \"clCreateContext\");\n"
    "    queue = clCreateCommandQueue(context, device, 0, &code);\n    check(code, \"clCreateCommandQueue\");\n"
    "    const char *text = source;\n"
    "    cl_program program = clCreateProgramWithSource(context, 1, &text, NULL, &code);\n"
    "    check(code, \"clCreateProgramWithSource\");\n"
    "    check(clBuildProgram(program, 1, &device, options, NULL, NULL), \"clBuildProgram\");\n"
    "    cl_kernel kernel;\n    size_t wrong = 0;\n";

static clt_status append_buffers(const clt__evidence *e, const tensors *t, clt__text *to, clt_error *error)
{
    for (int i = 0; i < t->count; i++) {
        const clt__tensor *tensor = &e->tape->tensor[t->held[i].tensor];
        char given[32] = "NULL";
        if (t->held[i].given) (void)snprintf(given, sizeof given, "given_%d", i);
        PRINT("    operand operand_%d = make(%d, sizeof(%s), %s); /* %s */\n", i, tensor->count, types[tensor->type],
              given, t->held[i].name);
    }
    if (e->launches->scratch_reals)
        PRINT("    operand scratch = make(%llu, sizeof(real), NULL);\n",
              (unsigned long long)e->launches->scratch_reals);
    return CLT_OK;
}

/* An op's sizes and operands. */
static clt_status append_arguments(const clt__evidence *e, const tensors *t, int merged, int *argument, clt__text *to,
                                   clt_error *error)
{
    const clt__op *op = e->merged[merged].op;
    PRINT("    check(clSetKernelArg(kernel, %d, sizeof sizes_%d, sizes_%d), \"clSetKernelArg\");\n", (*argument)++,
          merged, merged);
    for (int i = 0; i < clt__operand_count(op->row); i++, ++*argument)
        if (op->tensor[i] < 0)
            PRINT("    check(clSetKernelArg(kernel, %d, sizeof(cl_mem), NULL), \"clSetKernelArg\"); /* no %s */\n",
                  *argument, op->row->operand[i].name);
        else
            PRINT("    check(clSetKernelArg(kernel, %d, sizeof(cl_mem), &operand_%d.part), \"clSetKernelArg\");\n",
                  *argument, find_tensor(t, op->tensor[i]));
    return CLT_OK;
}

static clt_status append_launch(const clt__evidence *e, const tensors *t, const clt__launch *launch, clt__text *to,
                                clt_error *error)
{
    int argument = 0;
    PRINT("\n    kernel = clCreateKernel(program, \"%s\", &code);\n    check(code, \"clCreateKernel\");\n",
          launch->kernel);
    for (int i = 0; i < e->launches->ops; i++) TRY(append_arguments(e, t, i, &argument, to, error));
    if (e->launches->scratch_reals)
        PRINT("    check(clSetKernelArg(kernel, %d, sizeof(cl_mem), &scratch.part), \"clSetKernelArg\");\n",
              argument++);
    if (launch->takes_local)
        PRINT("    check(clSetKernelArg(kernel, %d, %llu * sizeof(real), NULL), \"clSetKernelArg\");\n", argument,
              (unsigned long long)e->launches->local_reals);
    PRINT("    {\n        const size_t global[3] = {%zu, %zu, %zu}", launch->global[0], launch->global[1],
          launch->global[2]);
    if (launch->local[0]) PRINT(", local[3] = {%zu, %zu, %zu}", launch->local[0], launch->local[1], launch->local[2]);
    PRINT(";\n        check(clEnqueueNDRangeKernel(queue, kernel, 3, NULL, global, %s, 0, NULL, NULL), "
          "\"clEnqueueNDRangeKernel\");\n    }\n",
          launch->local[0] ? "local" : "NULL");
    return CLT_OK;
}

static clt_status append_comparison(const clt__evidence *e, const tensors *t, clt__text *to, clt_error *error)
{
    for (int i = 0; i < t->count; i++) {
        const held_tensor *held = &t->held[i];
        const clt__tensor *tensor = &e->tape->tensor[held->tensor];
        const char *widens = tensor->type == CLT__HALVES ? "of_half" : "";
        PRINT("    wrong += disturbed(\"%s\", &operand_%d, ", held->name, i);
        if (held->access == CLT__READ)
            PRINT("given_%d);\n", i);
        else
            PRINT("NULL);\n");
        if (!held->right) continue;
        PRINT("    {\n        static %s got[%d];\n"
              "        check(clEnqueueReadBuffer(queue, operand_%d.part, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL), "
              "\"clEnqueueReadBuffer\");\n"
              "        for (size_t i = 0; i < %d; i++) wrong += (size_t)differs(\"%s\", i, %s(got[i]), "
              "%s(right_%d[i]), bound_%d[i]);\n"
              "    }\n",
              types[tensor->type], tensor->count, i, tensor->count, held->name, widens, widens, i, i);
    }
    PRINT("    printf(wrong ? \"wrong\\n\" : \"right\\n\");\n    return wrong > 0;\n}\n");
    return CLT_OK;
}

static clt_status append_program_text(const clt__evidence *e, clt__text *to, clt_error *error)
{
    char defines[CLT__MOST_DEFINES], options[CLT__MOST_OPTIONS];
    clt__text source = {0};
    TRY(clt__defines_of(e->device, e->precision, e->tape, e->merged[0].op, e->merged[0].sizes, e->launches, e->plain,
                        defines, error));
    TRY(clt__program_options(e->launches->file, e->precision, defines, options, sizeof options, error));
    clt_status status = clt__program_source(e->device, e->launches->file, &source, error);
    if (status == CLT_OK) status = append_string("options", options, to, error);
    if (status == CLT_OK) status = append_string("source", source.start, to, error);
    free(source.start);
    return status;
}

/* The structs of kernels/params.h that kernels take. */
static clt_status append_sizes(const clt__evidence *e, int merged, clt__text *to, clt_error *error)
{
    PRINT("static const int sizes_%d[] = {", merged);
    for (size_t i = 0; i < e->merged[merged].op->sizes_bytes / sizeof(int); i++)
        PRINT("%s%d", i ? ", " : "", e->merged[merged].sizes->number[i]);
    PRINT("}; /* of %s */\n", e->merged[merged].op->row->name);
    return CLT_OK;
}

static clt_status append_numbers(const clt__evidence *e, const tensors *t, clt__text *to, clt_error *error)
{
    PRINT("\ntypedef %s real;\n\n/* The sizes: structs of kernels/params.h, which are arguments of the kernels. */\n",
          e->precision == CLT_F64 ? "double" : "float");
    for (int i = 0; i < e->launches->ops; i++) TRY(append_sizes(e, i, to, error));
    for (int i = 0; i < t->count; i++) TRY(append_tensor(e, &t->held[i], i, to, error));
    return CLT_OK;
}

static bool makes_halves(const clt__evidence *e, const tensors *t)
{
    for (int i = 0; i < t->count; i++)
        if (t->held[i].right && e->tape->tensor[t->held[i].tensor].type == CLT__HALVES) return true;
    return false;
}

clt_status clt__fault_program(const clt__evidence *e, const char *net, int batch, clt__text *to, clt_error *error)
{
    const tensors t = tensors_of(e);
    TRY(append_head(e, net, batch, to, error));
    PRINT("%s", opening);
    TRY(append_program_text(e, to, error));
    TRY(append_numbers(e, &t, to, error));
    PRINT("%s%s%s", helpers, makes_halves(e, &t) ? half_helper : "", begin_main);
    TRY(append_buffers(e, &t, to, error));
    for (int i = 0; i < e->launches->count; i++) TRY(append_launch(e, &t, &e->launches->launch[i], to, error));
    return append_comparison(e, &t, to, error);
}
