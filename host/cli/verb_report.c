/* cltrain report: a page about runs. */
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/report_runs.h"
#include "cli/verbs.h"

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_device *device;
    TRY(check_page(options->output, NULL, error));
    TRY(clt_device_open_with(options, &device, error));
    const clt_status status =
        report_runs(command->operands, command->operand_count, options->output, options, device, error);
    clt_device_close(device);
    if (status == CLT_OK) (void)printf("%s\n", options->output);
    return status;
}

const verb_row report_verb = {
    .name = "report",
    .verb = CLT__REPORT,
    .summary = "Makes one page of HTML about runs: curves, mistakes, filters, times.",
    .details = "RUN is a folder that train --output-dir has written; of several runs the page compares curves and "
               "options. Test images are those of the "
               "data set that the run was trained on, unless --data names another. The page needs no network and no "
               "script. train --report "
               "makes it at the end of a training.",
    .operand = "RUN",
    .defaults = {{CLT__OPTION_batch_size, "256"}},
    .run = run,
};
