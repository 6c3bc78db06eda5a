/* While activations and their gradients are halves, the loss is scaled by a power of two, so that small gradients are
 * not too small for them, and the parameters' gradients are divided by it again. A step whose gradients are not finite
 * is skipped and the scale halved; after many good ones it is doubled. Micikevicius et al., "Mixed precision training",
 * 2018; where it begins and when it grows as torch.amp.GradScaler. */
#ifndef CLT_SESSION_LOSS_SCALE_H
#define CLT_SESSION_LOSS_SCALE_H

#include "session/session.h"

/* Gives the device the scale that the session's state has, or the first one; nothing where the loss is not scaled. */
clt_status clt__loss_scale_write(clt_session *session, clt_error *error);

/* Ends a step's backward pass: the gradients by the parameters are the loss's own again, or the step is to be skipped,
 * session->overflown. The scale follows. Where it is scaled this waits for the device. CLT_DIVERGED where the least
 * scale there is does not help. */
clt_status clt__loss_unscale(clt_session *session, clt__run_ops run, void *user, clt_error *error);

/* Tells the session's note function how many steps were skipped since it last did. */
void clt__loss_scale_tell(clt_session *session);

#endif
