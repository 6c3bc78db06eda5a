#include "cli/report_runs.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/command_line.h"
#include "cli/output.h"
#include "train/run_record.h"

/* Where a run's images are; "" where nobody knows. */
static clt_status find_data(const char *folder, const clt_options *options, clt__run_record *record, const char **path,
                            clt_error *error)
{
    char file[CLT__RECORD_PATH];
    (void)snprintf(file, sizeof file, "%.4000s/run.json", folder);
    TRY(clt__run_record_read(file, record, error));
    *path = options->data ? options->data : record->data;
    return CLT_OK;
}

/* The test images; where training held some of its own out, those. *data is NULL where there are none. */
static clt_status open_images(const char *path, const clt_options *reading, const clt_model *model, clt_dataset **data,
                              clt_error *error)
{
    const clt_options *trained = clt_model_options(model);
    const bool held_out = trained->val_split > 0;
    clt_dataset *all, *kept;
    clt_error missing;
    const clt_status status = clt_dataset_open(path, held_out ? CLT_TRAIN : CLT_TEST, reading, &all, &missing);
    if (status == CLT_NO_FILE) {
        print_note("%s; so the report shows no images", missing.message);
        return CLT_OK;
    }
    if (status != CLT_OK) return clt__pass_on(&missing, error);
    if (!held_out) {
        if (clt_dataset_is_whole(all))
            print_note("%s has no test images of its own; the report is of those that it was trained on", path);
        *data = all;
        return CLT_OK;
    }
    const clt_status split = clt_dataset_hold_out(all, trained->val_split, trained->seed, &kept, data, error);
    clt_dataset_close(all);
    if (split == CLT_OK) clt_dataset_close(kept);
    return split;
}

static clt_status find_images(const char *folder, const clt_options *options, clt_dataset **data, clt_error *error)
{
    clt__run_record record;
    const char *path;
    char checkpoint[CLT__RECORD_PATH];
    clt_model *model;
    *data = NULL;
    TRY(find_data(folder, options, &record, &path, error));
    if (!*path) return CLT_OK;
    if (!options->data && access(path, F_OK) != 0) {
        print_note(
            "%s, which %s was trained on, is not there: the report shows no images (--data tells where they are)", path,
            folder);
        return CLT_OK;
    }
    (void)snprintf(checkpoint, sizeof checkpoint, "%.4000s/last.safetensors", folder);
    if (access(checkpoint, F_OK) != 0) return CLT_OK; /* there is nothing to show to the images */
    TRY(clt_model_load(checkpoint, &model, error));
    const clt_options reading = reading_as_trained(options, model);
    const clt_status status = open_images(path, &reading, model, data, error);
    clt_model_close(model);
    return status;
}

static clt_status add_run(clt_report *report, const char *folder, const clt_options *options, clt_device *device,
                          clt_error *error)
{
    clt_dataset *data;
    TRY(find_images(folder, options, &data, error));
    const clt_status status = clt_report_add(report, folder, device, data, options, error);
    clt_dataset_close(data);
    return status;
}

clt_status report_runs(const char *const *folders, int count, const char *path, const clt_options *options,
                       clt_device *device, clt_error *error)
{
    clt_report *report;
    TRY(clt_report_open(&report, error));
    clt_status status = CLT_OK;
    for (int i = 0; i < count && status == CLT_OK; i++) status = add_run(report, folders[i], options, device, error);
    if (status == CLT_OK) status = clt_report_write(report, path, error);
    clt_report_close(report);
    return status;
}
