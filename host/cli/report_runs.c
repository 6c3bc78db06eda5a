#include "cli/report_runs.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "report/run.h"

clt_status check_page(const char *path, const char *output_dir, clt_error *error)
{
    clt__replacement replacement;
    if (output_dir) TRY(clt__make_folders(output_dir, error));
    TRY(clt__replace_begin(path, &replacement, error));
    clt__replace_abandon(&replacement);
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
        print_note("%s; so no images are shown", missing.message);
        return CLT_OK;
    }
    if (status != CLT_OK) return clt__pass_on(&missing, error);
    if (!held_out) {
        if (clt_dataset_is_whole(all))
            print_note("%s has no test images of its own; these are those that it was trained on", path);
        *data = all;
        return CLT_OK;
    }
    const clt_status split = clt_dataset_hold_out(all, trained->val_split, trained->seed, &kept, data, error);
    clt_dataset_close(all);
    if (split == CLT_OK) clt_dataset_close(kept);
    return split;
}

clt_status find_images(const char *folder, const clt_options *options, clt_dataset **data, clt_error *error)
{
    clt__run run;
    *data = NULL;
    TRY(clt__run_open(folder, &run, error));
    const char *path = options->data ? options->data : run.record.data;
    clt_status status = CLT_OK;
    if (!options->data && *path && access(path, F_OK) != 0) {
        print_note("%s, which %s was trained on, is not there: it is shown no images (--data tells where they are)",
                   path, folder);
    } else if (*path && !run.untrained) {
        const clt_options reading = reading_as_trained(options, run.model);
        status = open_images(path, &reading, run.model, data, error);
    }
    clt__run_close(&run);
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
