/* Programs are built once per file and options; kernels are made from them, one per launch, so that arguments stay set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/workers.h"
#include "device/cache.h"
#include "device/sources.h"
#include "options/ticker.h"

/* ---- the source of a program: includes spliced in, with #line so that messages name the .cl file and its line */

static clt_status append_line_marker(clt__text *to, int line, const char *name, clt_error *error)
{
    return clt__text_print(to, error, "#line %d \"kernels/%s\"\n", line, name);
}

static const char *source_of(const clt_device *device, const char *name)
{
    if (device->replaced_name && strcmp(device->replaced_name, name) == 0) return device->replaced_text;
    for (const clt__source *source = clt__sources; source->name; source++)
        if (strcmp(source->name, name) == 0) return source->text;
    return NULL;
}

/* The name between the quotes of a line `#include "name"`, or false. */
static bool included_name(const char *line, char *name, size_t size)
{
    static const char word[] = "#include \"";
    if (strncmp(line, word, sizeof word - 1) != 0) return false;
    const char *begin = line + sizeof word - 1;
    const size_t length = strcspn(begin, "\"\n");
    if (begin[length] != '"' || length >= size) return false;
    memcpy(name, begin, length);
    name[length] = 0;
    return true;
}

static clt_status append_source(const clt_device *device, const char *name, clt__text *to, clt_error *error)
{
    const char *line = source_of(device, name);
    if (!line) return FAIL(error, CLT_DEVICE_ERROR, "kernels/%s is not embedded in this build", name);
    TRY(append_line_marker(to, 1, name, error));
    for (int number = 1; *line; number++) {
        const size_t length = strcspn(line, "\n"), whole = length + (line[length] == '\n');
        char other[64];
        if (included_name(line, other, sizeof other)) {
            TRY(append_source(device, other, to, error));
            TRY(append_line_marker(to, number + 1, name, error));
        } else {
            TRY(clt__text_append(to, line, whole, error));
        }
        line += whole;
    }
    return CLT_OK;
}

clt_status clt__program_source(const clt_device *device, const char *file, clt__text *to, clt_error *error)
{
    return append_source(device, file, to, error);
}

clt_status clt__program_options(const char *file, clt_precision precision, const char *defines, char *options,
                                size_t size, clt_error *error)
{
    const int length =
        snprintf(options, size, "-cl-std=CL1.2 %s%s", precision == CLT_F64 ? "-DREAL_IS_DOUBLE " : "", defines);
    if (length < 0 || (size_t)length >= size)
        return FAIL(error, CLT_DEVICE_ERROR, "the build options of %s are longer than %zu characters", file, size);
    return CLT_OK;
}

/* ---- what the compiler says */

/* The file and line that `line` of a source comes from, after its #line markers. */
static void find_place(const char *source, int line, char file[64], int *file_line)
{
    *file = 0;
    *file_line = 0;
    for (int i = 1; i < line && *source; i++) {
        if (sscanf(source, "#line %d \"%63[^\"]", file_line, file) != 2) ++*file_line;
        source += strcspn(source, "\n");
        source += *source == '\n';
    }
}

/* NVIDIA's compiler minds no #line: it says "<kernel>:687:26: error", which becomes "kernels/loss.cl:185:26: error". */
static clt_status name_places(const char *source, const char *log, clt__text *to, clt_error *error)
{
    static const char mark[] = "<kernel>:";
    for (const char *at; (at = strstr(log, mark));) {
        char file[64], *end;
        int file_line;
        TRY(clt__text_append(to, log, (size_t)(at - log), error));
        find_place(source, (int)strtol(at + sizeof mark - 1, &end, 10), file, &file_line);
        TRY(*file ? clt__text_print(to, error, "%s:%d", file, file_line)
                  : clt__text_append(to, at, (size_t)(end - at), error));
        log = end;
    }
    return clt__text_append(to, log, strlen(log), error);
}

/* Never empty: some compilers have nothing to say. */
static clt_status read_log(const clt_device *device, const clt__program *program, char **log, clt_error *error)
{
    size_t bytes = 0;
    char *said;
    clt__text named = {0};
    const cl_program_build_info what = CL_PROGRAM_BUILD_LOG;
    if (clGetProgramBuildInfo(program->program, device->id, what, 0, NULL, &bytes) != CL_SUCCESS) bytes = 0;
    TRY(clt__allocate(bytes + 2, 1, "a build log", &said, error));
    if (bytes && clGetProgramBuildInfo(program->program, device->id, what, bytes, said, NULL) != CL_SUCCESS) *said = 0;
    if (!*said) *said = '-';
    const clt_status status = name_places(program->source, said, &named, error);
    free(said);
    if (status != CLT_OK) free(named.start);
    *log = status == CLT_OK ? named.start : NULL;
    return status;
}

/* ---- building */

static clt_status fail_refused(const clt_device *device, const char *file, const clt__program *program,
                               clt_error *error)
{
    (void)OPENCL_FAIL(error, "clBuildProgram", CL_BUILD_PROGRAM_FAILURE,
                      "kernels/%s does not build on device %s (%s)%s; the compiler said:\n%.3000s\n", file,
                      device->info.id, device->info.name, program->cached ? ", as the program cache remembers" : "",
                      program->refusal);
    if (error) error->status = CLT_BAD_KERNEL;
    return CLT_BAD_KERNEL;
}

static bool load_cached(const clt_device *device, clt__program *program)
{
    program->program = clt__cache_load(device, program->source, program->options);
    if (!program->program && !device->doubts_refusals)
        program->refusal = clt__cache_load_refusal(device, program->source, program->options);
    program->cached = program->program || program->refusal;
    return program->cached;
}

static void release_built(clt__program *program)
{
    if (program->program) (void)clReleaseProgram(program->program);
    program->program = NULL;
}

/* `answer` is clBuildProgram's, if it came to that. With our own builtins a compiler that would read clang's opencl-c.h
 * for each program reads kernels/builtins.h: the header is empty where its guard is defined. */
static clt_status compile(const clt_device *device, clt__program *program, bool own_builtins, cl_int *answer,
                          clt_error *error)
{
    const char *texts[] = {source_of(device, "builtins.h"), program->source};
    char options[CLT__MOST_OPTIONS + 16];
    (void)snprintf(options, sizeof options, "%s%s", program->options, own_builtins ? " -D_OPENCL_H_" : "");
    program->program = clCreateProgramWithSource(device->context, own_builtins ? 2 : 1,
                                                 own_builtins ? texts : texts + 1, NULL, answer);
    if (*answer != CL_SUCCESS) {
        program->program = NULL;
        return OPENCL_FAIL(error, "clCreateProgramWithSource", *answer, "device %s: cannot take kernels/%s",
                           device->info.id, program->file);
    }
    *answer = clBuildProgram(program->program, 1, &device->id, options, NULL, NULL);
    return CLT_OK;
}

/* A program that does not build is no error yet: its refusal is set. */
static clt_status build(const clt_device *device, clt__program *program, clt_error *error)
{
    cl_int code;
    if (load_cached(device, program)) return CLT_OK;
    TRY(compile(device, program, device->reads_header, &code, error));
    if (code == CL_BUILD_PROGRAM_FAILURE && device->reads_header) {
        release_built(program);
        TRY(compile(device, program, false, &code, error));
    }
    if (code == CL_SUCCESS) return CLT_OK;
    if (code != CL_BUILD_PROGRAM_FAILURE)
        return OPENCL_FAIL(error, "clBuildProgram", code, "device %s: cannot build kernels/%s", device->info.id,
                           program->file);
    TRY(read_log(device, program, &program->refusal, error));
    release_built(program);
    return CLT_OK;
}

static void free_program(clt__program *program)
{
    release_built(program);
    free(program->refusal);
    free(program->source);
    free(program->options);
    *program = (clt__program){0};
}

bool clt__device_forget_refusals(clt_device *device)
{
    size_t kept = 0;
    for (size_t i = 0; i < device->program_count; i++) {
        clt__program *program = &device->programs[i];
        if (program->refusal && program->cached)
            free_program(program);
        else
            device->programs[kept++] = *program;
    }
    const bool forgot = kept < device->program_count;
    device->program_count = kept;
    device->doubts_refusals |= forgot;
    return forgot;
}

/* The program of this source and these options among the first `count`, NULL where there is none. */
static clt__program *known_program(const clt_device *device, size_t count, const char *source, const char *options)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(device->programs[i].options, options) == 0 && strcmp(device->programs[i].source, source) == 0)
            return &device->programs[i];
    return NULL;
}

/* Makes room for a program behind those that there are, which does not count yet. Takes the source over. */
static clt_status begin_program(clt_device *device, size_t behind, const char *file, char *source, const char *options,
                                clt_error *error)
{
    clt_status status = clt__grow(&device->programs, &device->program_capacity, device->program_count + behind,
                                  sizeof *device->programs, error);
    if (status != CLT_OK) {
        free(source);
        return status;
    }
    clt__program *program = &device->programs[device->program_count + behind];
    *program = (clt__program){.file = file, .source = source};
    status = clt__copy_text(options, &program->options, error);
    if (status != CLT_OK) free_program(program);
    return status;
}

/* The program of this file and these options, built if it is not yet. */
static clt_status find_program(clt_device *device, const char *file, const char *options, clt__program **program,
                               clt_error *error)
{
    clt__text source = {0};
    clt_status status = append_source(device, file, &source, error);
    *program = status == CLT_OK ? known_program(device, device->program_count, source.start, options) : NULL;
    if (status != CLT_OK || *program) {
        free(source.start);
    } else {
        TRY(begin_program(device, 0, file, source.start, options, error));
        *program = &device->programs[device->program_count];
        status = build(device, *program, error);
        if (status == CLT_OK)
            device->program_count++;
        else
            free_program(*program);
    }
    return status == CLT_OK && (*program)->refusal ? fail_refused(device, file, *program, error) : status;
}

/* ---- building several at a time */

typedef struct building {
    clt_device *device;
    clt__program *first; /* of those at hand */
    clt_status *status;  /* [programs] */
    clt_error *why;      /* [programs] */
} building;

static void build_piece(void *user, size_t piece)
{
    const building *b = user;
    b->status[piece] = build(b->device, &b->first[piece], &b->why[piece]);
}

/* Programs that are wanted and not there, each once, stand behind those that there are. */
static clt_status begin_programs(clt_device *device, clt_precision precision, const clt__program_wanted *wanted,
                                 size_t count, size_t *begun, clt_error *error)
{
    for (size_t i = 0; i < count; i++) {
        char options[CLT__MOST_OPTIONS];
        clt__text source = {0};
        TRY(clt__program_options(wanted[i].file, precision, wanted[i].defines, options, sizeof options, error));
        const clt_status status = append_source(device, wanted[i].file, &source, error);
        const bool known =
            status != CLT_OK || known_program(device, device->program_count + *begun, source.start, options);
        if (known) {
            free(source.start);
            TRY(status);
        } else {
            TRY(begin_program(device, *begun, wanted[i].file, source.start, options, error));
            ++*begun;
        }
    }
    return CLT_OK;
}

/* A few at a time, `count` of those from `first` on. The first that failed says why. */
static clt_status build_some(building *b, clt__workers *workers, size_t count, clt_error *error)
{
    clt__job job = {.work = build_piece, .user = b, .count = count};
    if (workers) {
        clt__workers_begin(workers, &job);
        clt__workers_wait(workers, &job);
    } else {
        for (size_t i = 0; i < count; i++) build_piece(b, i);
    }
    for (size_t i = 0; i < count; i++)
        if (b->status[i] != CLT_OK) return clt__pass_on(&b->why[i], error);
    return CLT_OK;
}

enum { AT_A_TIME = 16 };

/* Those that are built count from then on; of a few one of which fails none does. */
static clt_status build_begun(clt_device *device, size_t begun, size_t at_a_time, clt__workers *workers,
                              clt__ticker *ticker, clt_error *error)
{
    clt_status status[AT_A_TIME] = {CLT_OK};
    clt_error *why;
    TRY(clt__allocate(AT_A_TIME, sizeof *why, "the compiler's answers", &why, error));
    clt_status worst = CLT_OK;
    for (size_t done = 0; done < begun && worst == CLT_OK;) {
        const size_t count = begun - done < at_a_time ? begun - done : at_a_time;
        building b = {device, &device->programs[device->program_count], status, why};
        worst = build_some(&b, workers, count, error);
        if (worst != CLT_OK) break;
        device->program_count += count;
        done += count;
        worst = clt__ticker_tick(ticker, (int64_t)done, error);
    }
    free(why);
    return worst;
}

clt_status clt__programs_build(clt_device *device, clt_precision precision, const clt__program_wanted *wanted,
                               size_t count, const clt_options *options, clt_error *error)
{
    size_t begun = 0;
    const size_t before = device->program_count;
    clt_options none;
    clt__workers *workers = NULL;
    clt_status status = begin_programs(device, precision, wanted, count, &begun, error);
    const int threads = clt__core_count() - 1; /* beside this one */
    if (status == CLT_OK && begun > 1 && threads > 0 && !device->builds_alone)
        status = clt__workers_open(threads < AT_A_TIME ? threads : AT_A_TIME - 1, CLT__COMPILER_STACK, &workers, error);
    const size_t at_a_time = 2 * (size_t)threads + 2;
    clt__ticker ticker = clt__ticker_start(clt__options_or_default(options, &none), "build kernels", (int64_t)begun);
    if (status == CLT_OK)
        status = build_begun(device, begun, at_a_time < AT_A_TIME ? at_a_time : AT_A_TIME, workers, &ticker, error);
    clt__ticker_end(&ticker);
    clt__workers_close(workers);
    for (size_t i = device->program_count; i < before + begun; i++) free_program(&device->programs[i]);
    return status;
}

clt_status clt__kernel_create(clt_device *device, const char *file, const char *name, clt_precision precision,
                              const char *defines, clt__kernel **kernel, clt_error *error)
{
    *kernel = NULL;
    char options[CLT__MOST_OPTIONS];
    TRY(clt__program_options(file, precision, defines, options, sizeof options, error));
    clt__program *program;
    TRY(find_program(device, file, options, &program, error));
    clt__kernel *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a kernel", &fresh, error));
    (void)snprintf(fresh->name, sizeof fresh->name, "%s", name);
    cl_int code;
    fresh->kernel = clCreateKernel(program->program, name, &code);
    if (code != CL_SUCCESS) {
        free(fresh);
        return OPENCL_FAIL(error, "clCreateKernel", code, "kernels/%s: cannot make the kernel %s", file, name);
    }
    *kernel = fresh;
    return CLT_OK;
}

void clt__kernel_release(clt__kernel *kernel)
{
    if (!kernel) return;
    (void)clReleaseKernel(kernel->kernel);
    free(kernel);
}

static clt_status ask_kernel(const clt_device *device, const clt__kernel *kernel, cl_kernel_work_group_info what,
                             size_t *answer, clt_error *error)
{
    const cl_int code = clGetKernelWorkGroupInfo(kernel->kernel, device->id, what, sizeof *answer, answer, NULL);
    return code == CL_SUCCESS
               ? CLT_OK
               : OPENCL_FAIL(error, "clGetKernelWorkGroupInfo", code,
                             "kernel %s: device %s does not tell its work-group size", kernel->name, device->info.id);
}

clt_status clt__kernel_group_items(const clt_device *device, const clt__kernel *kernel, size_t *most, clt_error *error)
{
    size_t own;
    TRY(ask_kernel(device, kernel, CL_KERNEL_WORK_GROUP_SIZE, &own, error));
    *most = (size_t)clt__lower_limit(own, device->caps.work_group_items);
    return CLT_OK;
}

clt_status clt__device_learn(clt_device *device, clt_error *error)
{
    clt__kernel *kernel;
    size_t multiple = 1;
    if (clt__device_limits(device, CLT_F32).schedule != CLT_SCHEDULE_TILE || device->preferred_multiple) return CLT_OK;
    TRY(clt__kernel_create(device, "peak.cl", "peak_copy", CLT_F32, "-DVEC=1", &kernel, error));
    const clt_status status =
        ask_kernel(device, kernel, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, &multiple, error);
    clt__kernel_release(kernel);
    if (status != CLT_OK) return status;
    device->preferred_multiple = multiple < 1 ? 1 : multiple > 1024 ? 1024 : (int)multiple;
    return CLT_OK;
}

/* ---- arguments and launches */

static clt_status set_argument(clt__kernel *kernel, unsigned index, size_t bytes, const void *value, clt_error *error)
{
    const cl_int code = clSetKernelArg(kernel->kernel, index, bytes, value);
    return code == CL_SUCCESS ? CLT_OK
                              : OPENCL_FAIL(error, "clSetKernelArg", code, "kernel %s does not take its argument %u",
                                            kernel->name, index);
}

clt_status clt__kernel_set_value(clt__kernel *kernel, unsigned index, size_t bytes, const void *value, clt_error *error)
{
    return set_argument(kernel, index, bytes, value, error);
}

clt_status clt__kernel_set_buffer(clt__kernel *kernel, unsigned index, const clt__buffer *buffer, clt_error *error)
{
    return set_argument(kernel, index, sizeof(cl_mem), buffer ? &buffer->memory : NULL, error);
}

clt_status clt__kernel_set_local(clt__kernel *kernel, unsigned index, size_t bytes, clt_error *error)
{
    return set_argument(kernel, index, bytes, NULL, error);
}

/* The device chooses the work-groups, unless it was given a limit that it does not know of. */
static clt_status choose_group(const clt_device *device, const clt__kernel *kernel, size_t global, size_t local[3],
                               clt_error *error)
{
    size_t items;
    if (local[0] || device->caps.work_group_items <= 0) return CLT_OK;
    TRY(clt__kernel_group_items(device, kernel, &items, error));
    while (items > 1 && global % items) items--;
    local[0] = items;
    local[1] = local[2] = 1;
    return CLT_OK;
}

clt_status clt__kernel_enqueue(clt_device *device, clt__kernel *kernel, const size_t global[3], const size_t local[3],
                               clt_error *error)
{
    size_t group[3] = {local[0], local[1], local[2]};
    cl_event *event;
    TRY(choose_group(device, kernel, global[0], group, error));
    TRY(clt__profile_event(device, &event, error));
    const cl_int code =
        clEnqueueNDRangeKernel(device->queue, kernel->kernel, 3, NULL, global, group[0] ? group : NULL, 0, NULL, event);
    if (code == CL_SUCCESS) return CLT_OK;
    return OPENCL_FAIL(error, "clEnqueueNDRangeKernel", code,
                       "kernel %s cannot be launched on device %s over %zu x %zu x %zu work-items", kernel->name,
                       device->info.id, global[0], global[1], global[2]);
}
