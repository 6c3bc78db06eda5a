#include "tools/planned_net.h"

#include <inttypes.h>

#include "model/fold_norms.h"
#include "model/model.h"
#include "session/steps.h"

/* Options are resolved once they are known to be right. */
static clt_status fit_checked(clt__fit fit, clt__net *net, clt__needs *needs, int *batch, clt_error *error)
{
    TRY(clt__check_options(fit.options, fit.input.channels, error));
    const clt_options resolved = clt__resolve_options(fit.options);
    fit.options = &resolved;
    if (batch) *batch = resolved.batch_size;
    return clt__fit_net(&fit, net, needs, error);
}

/* As a session has it: inference folds batch normalisations. */
static clt_status describe(const clt_options *options, clt__description *description, clt_error *error)
{
    clt__description written;
    if (!options->inference) return clt__describe_model(options, description, error);
    TRY(clt__describe_model(options, &written, error));
    const clt_status status = clt__describe_folded(&written, description, error);
    clt__description_free(&written);
    return status;
}

clt_status clt__planned_net(const clt_options *options, clt_device *device, int64_t images, clt__net *net,
                            clt__needs *needs, int *batch, clt_error *error)
{
    clt__description description;
    if (images < 1 || images > INT32_MAX / 2)
        return FAIL(error, CLT_BAD_ARGUMENT, "%" PRId64 " images: there should be 1 to %d", images, INT32_MAX / 2);
    TRY(describe(options, &description, error));
    const clt__fit fit = {.description = &description,
                          .device = device,
                          .precision = (clt_precision)options->precision,
                          .input = description.input,
                          .images = (size_t)images,
                          .bytes = true,
                          .options = options,
                          .mode = {.training = !options->inference}};
    const clt_status status = fit_checked(fit, net, needs, batch, error);
    clt__description_free(&description);
    return status;
}
