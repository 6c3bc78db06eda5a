#include "cli/advice.h"

#include <math.h>
#include <stdlib.h>

#include "cli/output.h"

/* Where there is no memory to count, no advice is given. */
static double largest_share_of(const clt_dataset *data)
{
    const int classes = clt_dataset_classes(data);
    const size_t count = clt_dataset_count(data);
    size_t *images = classes > 1 ? calloc((size_t)classes, sizeof *images) : NULL, most = 0;
    if (!images) return 0;
    for (size_t i = 0; i < count; i++) {
        const int label = clt_dataset_label(data, i);
        if (label >= 0 && label < classes && ++images[label] > most) most = images[label];
    }
    free(images);
    return count ? (double)most / (double)count : 0;
}

advice advice_for(const clt_dataset *training)
{
    return (advice){.largest_share = largest_share_of(training)};
}

static void look_for_overfitting(advice *a, const clt_progress *progress)
{
    enum { IN_A_ROW = 3 };
    const bool worse = a->epochs > 1 && progress->validation_loss > a->validation_loss && progress->loss < a->loss;
    a->worse = worse ? a->worse + 1 : 0;
    if (a->worse < IN_A_ROW || a->told_overfitting) return;
    a->told_overfitting = true;
    print_note(
        "the validation loss has risen for %d epochs while the training loss fell: the net learns its images by heart. "
        "--augment, --weight-decay or fewer epochs (--patience %d) may help",
        IN_A_ROW, IN_A_ROW);
}

/* A net that has learned nothing yet is as good as calling every image by the most frequent class. */
static void look_for_guessing(advice *a, const clt_progress *progress)
{
    enum { PATIENT = 2 };
    const double accuracy = isnan(progress->validation_accuracy) ? progress->accuracy : progress->validation_accuracy;
    if (a->largest_share <= 0 || a->epochs < PATIENT || a->told_guessing || isnan(accuracy)) return;
    if (!(accuracy <= 1.02 * a->largest_share && progress->accuracy <= 1.1 * a->largest_share)) return;
    a->told_guessing = true;
    print_note("after %d epochs %.1f %% are right, no more than if every image were taken for the most frequent class: "
               "try another "
               "learning rate (cltrain lr-find), and see that labels belong to their images (cltrain data --sheet); "
               "with --overfit-batch a "
               "net that can learn at all learns one batch by heart",
               a->epochs, 100 * accuracy);
}

/* Of nets without classes, too. A run that goes on may have come to where nothing moves any more. */
static void look_for_standstill(advice *a, const clt_progress *progress)
{
    enum { PATIENT = 3 };
    if (a->epochs == 1) a->first_loss = progress->loss;
    if (a->epochs != PATIENT || progress->epoch != PATIENT || a->told_guessing) return;
    if (!(fabs(progress->loss - a->first_loss) < 1e-3 * fabs(a->first_loss))) return;
    print_note(
        "the training loss is after %d epochs what it was after the first, %.4g: it does not move at this learning "
        "rate, and cltrain lr-find finds one at which it does; with --overfit-batch a net that can learn at all "
        "learns one batch by heart",
        PATIENT, progress->loss);
}

/* What was learned by heart holds for the training images alone. */
static void look_for_foreign_labels(advice *a, const clt_progress *progress)
{
    enum { PATIENT = 3 };
    const bool knows_training = progress->accuracy > 2 * a->largest_share || progress->accuracy > 0.9;
    if (a->largest_share <= 0 || a->epochs < PATIENT || a->told_labels || !knows_training) return;
    if (!(progress->validation_accuracy <= 1.1 * a->largest_share)) return;
    a->told_labels = a->told_guessing = true;
    print_note("%.1f %% of the training images are right, and of the validation images %.1f %%, as if they were "
               "guessed: labels may not "
               "belong to their images, or the two sets may number their classes differently (cltrain data --sheet "
               "shows both)",
               100 * progress->accuracy, 100 * progress->validation_accuracy);
}

void advise(advice *a, const clt_progress *progress)
{
    a->epochs++;
    look_for_foreign_labels(a, progress);
    look_for_overfitting(a, progress);
    look_for_guessing(a, progress);
    look_for_standstill(a, progress);
    a->loss = progress->loss;
    a->validation_loss = progress->validation_loss;
}
