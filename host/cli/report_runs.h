/* A report of runs, as the verbs report and train write it. */
#ifndef CLTRAIN_CLI_REPORT_RUNS_H
#define CLTRAIN_CLI_REPORT_RUNS_H

#include "options/options.h"

/* Fails where no page can be written there: before hours of training rather than after them. The page may lie in the
 * output folder, which is made as training would make it; NULL where there is none. */
clt_status check_page(const char *path, const char *output_dir, clt_error *error);

/* Of each run's own data set, or of the one that `data` names. Where a run's own is no longer there, a note says so,
 * and the page does without it. */
clt_status report_runs(const char *const *folders, int count, const char *path, const clt_options *options,
                       clt_device *device, clt_error *error);

/* The images that a run is shown, as above; NULL where there are none. `folder` may be a checkpoint. */
clt_status find_images(const char *folder, const clt_options *options, clt_dataset **data, clt_error *error);

#endif
