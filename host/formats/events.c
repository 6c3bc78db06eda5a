#include "formats/events.h"

#include <dirent.h>
#include <errno.h>
#include <event.pb-c.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

struct clt__events {
    FILE *stream;
    char *path;
};

/* What stands for things in the messages, and in the names of files. */
enum { SESSION_STARTS = 1, RGB = 3, FLOATS = 1, STRINGS = 7, IS_TENSOR = 2, SUCCESS = 1 };
static const char prefix[] = "events.out.tfevents.";

static clt_status fail(const clt__events *events, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: %s", events->path, strerror(errno));
}

/* ---- records: length, its checksum, message, its checksum; all of them the lowest byte first */

enum { LENGTH_BYTES = 8, CHECK_BYTES = 4, FRAME_BYTES = LENGTH_BYTES + 2 * CHECK_BYTES };

static void put_little(uint64_t value, int bytes, uint8_t *to)
{
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

/* A checksum as records have it, so that one of bytes that hold checksums is no weaker. */
static void put_masked_check(const uint8_t *bytes, size_t size, uint8_t *to)
{
    const uint32_t check = clt__crc32c(bytes, size);
    put_little((uint32_t)((check >> 15 | check << 17) + 0xa282ead8u), CHECK_BYTES, to);
}

static clt_status write_event(clt__events *events, const CltEvent__Event *event, clt_error *error)
{
    const size_t size = clt_event__event__get_packed_size(event);
    uint8_t *record;
    TRY(clt__allocate((uint64_t)size + FRAME_BYTES, 1, "an event", &record, error));
    uint8_t *message = record + LENGTH_BYTES + CHECK_BYTES;
    put_little(size, LENGTH_BYTES, record);
    put_masked_check(record, LENGTH_BYTES, record + LENGTH_BYTES);
    (void)clt_event__event__pack(event, message);
    put_masked_check(message, size, message + size);
    const bool written = fwrite(record, 1, size + FRAME_BYTES, events->stream) == size + FRAME_BYTES;
    free(record);
    return written ? CLT_OK : fail(events, error);
}

static CltEvent__Event event_at(clt__event_time now)
{
    CltEvent__Event event = CLT_EVENT__EVENT__INIT;
    event.has_wall_time = true;
    event.has_step = now.step != 0; /* as proto3 writes it */
    event.wall_time = now.seconds;
    event.step = now.step;
    return event;
}

static clt_status write_values(clt__events *events, clt__event_time now, CltEvent__Value **values, size_t count,
                               clt_error *error)
{
    CltEvent__Summary summary = CLT_EVENT__SUMMARY__INIT;
    CltEvent__Event event = event_at(now);
    summary.n_value = count;
    summary.value = values;
    event.summary = &summary;
    return write_event(events, &event, error);
}

static clt_status write_value(clt__events *events, clt__event_time now, CltEvent__Value *value, clt_error *error)
{
    return write_values(events, now, &value, 1, error);
}

/* protobuf-c does not change what it packs. */
static char *unchanged(const char *text)
{
    return (char *)text;
}

static ProtobufCBinaryData bytes_of(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)bytes};
}

/* ---- files */

/* TensorBoard reads the files of a folder by their names, which begin with a time in seconds: one that no other
 * reaches.
 */
static clt_status find_later(const char *folder, double seconds, long long *later, clt_error *error)
{
    DIR *files = opendir(folder);
    if (!files) return clt__fail_opening(folder, error);
    *later = (long long)seconds;
    for (const struct dirent *file; (file = readdir(files));) {
        if (strncmp(file->d_name, prefix, sizeof prefix - 1) != 0) continue;
        const long long number = strtoll(file->d_name + sizeof prefix - 1, NULL, 10);
        if (number >= *later && number < 9999999999) *later = number + 1;
    }
    (void)closedir(files);
    return CLT_OK;
}

static clt_status name_file(const char *folder, double seconds, char **path, clt_error *error)
{
    char host[256] = "";
    long long later = 0;
    clt__text text = {0};
    TRY(find_later(folder, seconds, &later, error));
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    TRY(clt__text_print(&text, error, "%s/%s%010lld.%s.%ld", folder, prefix, later, *host ? host : "host",
                        (long)getpid()));
    *path = text.start;
    return CLT_OK;
}

static clt_status begin_file(clt__events *events, clt__event_time now, clt_error *error)
{
    const int file = open(events->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    events->stream = file < 0 ? NULL : fdopen(file, "a");
    if (!events->stream) {
        const clt_status status = fail(events, error);
        if (file >= 0) (void)close(file);
        return status;
    }
    CltEvent__Event version = event_at(now), starts = event_at(now);
    CltEvent__SessionLog session = CLT_EVENT__SESSION_LOG__INIT;
    version.file_version = unchanged("brain.Event:2");
    session.has_status = true;
    session.status = SESSION_STARTS;
    starts.session_log = &session; /* what was told of later steps is forgotten */
    TRY(write_event(events, &version, error));
    return write_event(events, &starts, error);
}

clt_status clt__events_check(CLT__UNUSED const char *folder, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

clt_status clt__events_open(const char *folder, clt__event_time now, clt__events **events, clt_error *error)
{
    clt__events *fresh;
    *events = NULL;
    TRY(clt__make_folders(folder, error));
    TRY(clt__allocate(1, sizeof *fresh, "an event file", &fresh, error));
    clt_status status = name_file(folder, now.seconds, &fresh->path, error);
    if (status == CLT_OK) status = begin_file(fresh, now, error);
    if (status == CLT_OK)
        *events = fresh;
    else
        (void)clt__events_close(fresh, NULL);
    return status;
}

clt_status clt__events_flush(clt__events *events, clt_error *error)
{
    return fflush(events->stream) == 0 ? CLT_OK : fail(events, error);
}

clt_status clt__events_close(clt__events *events, clt_error *error)
{
    if (!events) return CLT_OK;
    const bool closed = !events->stream || fclose(events->stream) == 0;
    const clt_status status = closed ? CLT_OK : fail(events, error);
    free(events->path);
    free(events);
    return status;
}

/* ---- scalars */

clt_status clt__events_scalars(clt__events *events, clt__event_time now, const clt__event_scalar *scalars, int count,
                               clt_error *error)
{
    CltEvent__Value value[CLT__MOST_EVENT_SCALARS], *pointer[CLT__MOST_EVENT_SCALARS];
    size_t written = 0;
    for (int i = 0; i < count && written < CLT__MOST_EVENT_SCALARS; i++) {
        const float shown = (float)scalars[i].value;
        if (!isfinite(shown)) continue;
        value[written] = (CltEvent__Value)CLT_EVENT__VALUE__INIT;
        value[written].tag = unchanged(scalars[i].tag);
        value[written].has_simple_value = true;
        value[written].simple_value = shown;
        pointer[written] = &value[written];
        written++;
    }
    return written ? write_values(events, now, pointer, written, error) : CLT_OK;
}

/* ---- histograms */

enum { BUCKETS = 64 }; /* TensorBoard shows 30 */

clt_status clt__events_histogram(clt__events *events, clt__event_time now, const char *tag, const double *values,
                                 size_t count, clt_error *error)
{
    double limit[BUCKETS], bucket[BUCKETS] = {0}, least = INFINITY, most = -INFINITY, sum = 0, squares = 0;
    if (!count) return CLT_OK;
    for (size_t i = 0; i < count; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
        sum += values[i];
        squares += values[i] * values[i];
    }
    const int buckets = most > least ? BUCKETS : 1;
    for (int i = 0; i < buckets; i++) limit[i] = least + (most - least) * (i + 1) / buckets;
    limit[buckets - 1] = most;
    for (size_t i = 0; i < count; i++) {
        const double at = most > least ? (values[i] - least) / (most - least) * buckets : 0;
        bucket[at < buckets ? (int)at : buckets - 1]++;
    }
    CltEvent__Histogram histogram = CLT_EVENT__HISTOGRAM__INIT;
    histogram.has_min = histogram.has_max = histogram.has_num = histogram.has_sum = histogram.has_sum_squares = true;
    histogram.min = least;
    histogram.max = most;
    histogram.num = (double)count;
    histogram.sum = sum;
    histogram.sum_squares = squares;
    histogram.n_bucket_limit = histogram.n_bucket = (size_t)buckets;
    histogram.bucket_limit = limit;
    histogram.bucket = bucket;
    CltEvent__Value value = CLT_EVENT__VALUE__INIT;
    value.tag = unchanged(tag);
    value.histo = &histogram;
    return write_value(events, now, &value, error);
}

/* ---- pictures */

clt_status clt__events_picture(clt__events *events, clt__event_time now, const char *tag, int width, int height,
                               const uint8_t *png, size_t size, clt_error *error)
{
    CltEvent__Image image = CLT_EVENT__IMAGE__INIT;
    CltEvent__Value value = CLT_EVENT__VALUE__INIT;
    image.has_width = image.has_height = image.has_colorspace = image.has_encoded_image_string = true;
    image.width = width;
    image.height = height;
    image.colorspace = RGB;
    image.encoded_image_string = bytes_of(png, size);
    value.tag = unchanged(tag);
    value.image = &image;
    return write_value(events, now, &value, error);
}

/* ---- what belongs to a plugin: a tensor of one extent */

typedef struct plugin_value {
    const char *tag, *plugin;
    ProtobufCBinaryData content; /* for the plugin */
    int type;
    ProtobufCBinaryData *strings;
    size_t count;
} plugin_value;

static clt_status write_plugin_value(clt__events *events, clt__event_time now, const plugin_value *p, clt_error *error)
{
    CltEvent__Metadata__PluginData plugin = CLT_EVENT__METADATA__PLUGIN_DATA__INIT;
    CltEvent__Metadata metadata = CLT_EVENT__METADATA__INIT;
    CltEvent__Shape__Dim dim = CLT_EVENT__SHAPE__DIM__INIT, *dims[] = {&dim};
    CltEvent__Shape shape = CLT_EVENT__SHAPE__INIT;
    CltEvent__Tensor tensor = CLT_EVENT__TENSOR__INIT;
    CltEvent__Value value = CLT_EVENT__VALUE__INIT;
    plugin.plugin_name = unchanged(p->plugin);
    plugin.has_content = p->content.len > 0;
    plugin.content = p->content;
    metadata.plugin_data = &plugin;
    metadata.has_data_class = tensor.has_dtype = true;
    dim.has_size = p->count > 0; /* as proto3 writes it */
    metadata.data_class = IS_TENSOR;
    dim.size = (int64_t)p->count;
    shape.n_dim = 1;
    shape.dim = dims;
    tensor.dtype = p->type;
    tensor.tensor_shape = &shape;
    tensor.n_string_val = p->count;
    tensor.string_val = p->strings;
    value.tag = unchanged(p->tag);
    value.tensor = &tensor;
    value.metadata = &metadata;
    return write_value(events, now, &value, error);
}

clt_status clt__events_text(clt__events *events, clt__event_time now, const char *tag, const char *text,
                            clt_error *error)
{
    ProtobufCBinaryData string = bytes_of(text, strlen(text));
    const plugin_value value = {.tag = tag, .plugin = "text", .type = STRINGS, .strings = &string, .count = 1};
    return write_plugin_value(events, now, &value, error);
}

/* ---- hyperparameters: the plugin's content is a message of its own, and the tensor is empty */

static clt_status write_hparams(clt__events *events, clt__event_time now, const char *tag, CltEvent__HParamsData *data,
                                clt_error *error)
{
    const size_t size = clt_event__hparams_data__get_packed_size(data);
    uint8_t *content;
    TRY(clt__allocate(size, 1, "hyperparameters", &content, error));
    (void)clt_event__hparams_data__pack(data, content);
    const plugin_value value = {.tag = tag, .plugin = "hparams", .content = bytes_of(content, size), .type = FLOATS};
    const clt_status status = write_plugin_value(events, now, &value, error);
    free(content);
    return status;
}

/* A hyperparameter's messages. */
typedef struct hparam {
    CltEvent__HParam entry;
    CltEvent__HParamValue value;
} hparam;

static void fill_hparam(const clt__event_hparam *from, hparam *to)
{
    to->entry = (CltEvent__HParam)CLT_EVENT__HPARAM__INIT;
    to->value = (CltEvent__HParamValue)CLT_EVENT__HPARAM_VALUE__INIT;
    to->entry.key = unchanged(from->name);
    to->entry.value = &to->value;
    to->value.string_value = unchanged(from->text);
    to->value.has_bool_value = !from->text && from->is_flag;
    to->value.bool_value = from->number != 0;
    to->value.has_number_value = !from->text && !from->is_flag;
    to->value.number_value = from->number;
}

clt_status clt__events_begin_session(clt__events *events, clt__event_time now, const clt__event_hparam *hparams,
                                     size_t count, clt_error *error)
{
    hparam *list;
    CltEvent__HParam **pointers;
    TRY(clt__allocate((uint64_t)count, sizeof *list + sizeof *pointers, "hyperparameters", &list, error));
    pointers = (CltEvent__HParam **)(list + count);
    for (size_t i = 0; i < count; i++) {
        fill_hparam(&hparams[i], &list[i]);
        pointers[i] = &list[i].entry;
    }
    CltEvent__SessionStart start = CLT_EVENT__SESSION_START__INIT;
    CltEvent__HParamsData data = CLT_EVENT__HPARAMS_DATA__INIT;
    start.n_hparams = count;
    start.hparams = pointers;
    start.has_start_time_secs = true;
    start.start_time_secs = now.seconds;
    data.session_start_info = &start;
    const clt_status status = write_hparams(events, now, "_hparams_/session_start_info", &data, error);
    free(list);
    return status;
}

clt_status clt__events_end_session(clt__events *events, clt__event_time now, clt_error *error)
{
    CltEvent__SessionEnd end = CLT_EVENT__SESSION_END__INIT;
    CltEvent__HParamsData data = CLT_EVENT__HPARAMS_DATA__INIT;
    end.has_status = end.has_end_time_secs = true;
    end.status = SUCCESS;
    end.end_time_secs = now.seconds;
    data.session_end_info = &end;
    return write_hparams(events, now, "_hparams_/session_end_info", &data, error);
}
