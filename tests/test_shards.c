/* Batches cut into shards, and ranks that share them: the same bits whoever computes what. Ranks are threads here;
 * tests/mpi.sh has processes. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "session/buckets.h"
#include "session/session.h"
#include "team/adding.h"
#include "team/team.h"
#include "team/wire.h"
#include "training.h"

enum { SHARDS = 4, MOST_RANKS = 8 };

static const char everything[] = "input 1x8x8; conv out=6 kernel=3 padding=1; batchnorm; relu; maxpool kernel=2; conv "
                                 "out=8 kernel=3; batchnorm; relu; "
                                 "dropout rate=0.2; flatten; dense out=3";

/* ---- ranks ----------------------------------------------------------------------------------------------------- */

typedef struct rank_run {
    pthread_t thread;
    const char *net, *device, *from; /* from: the checkpoint that it goes on with, or NULL */
    clt_options options;
    clt_dataset *images;
    clt_status status;
    clt_error error;
    char digest[65];
} rank_run;

static clt_model *make(const rank_run *r)
{
    clt_error error;
    clt_model *model = NULL;
    clt_options options = clt__options_default();
    options.net = r->net;
    options.seed = 3;
    options.input = shape;
    if (clt_model_create(&options, &model, &error) != CLT_OK) print_error("%s\n", error.message);
    return model;
}

/* Nothing here asserts: cmocka's jumps stay in one thread. */
static void *run_rank(void *user)
{
    rank_run *r = user;
    clt_device *own = NULL;
    clt_model *model = NULL;
    if (!r->from)
        model = make(r);
    else
        r->status = clt_model_load(r->from, &model, &r->error);
    r->status = clt_device_open(r->device, &own, &r->error);
    if (r->status == CLT_OK)
        r->status = clt_train(model, own, r->images ? r->images : images, validation, &r->options, &r->error);
    if (r->status != CLT_OK && r->options.collective)
        r->options.collective->abandon(r->options.collective->user, r->error.message);
    clt_model_sha256(model, r->digest);
    clt_model_close(model);
    clt_device_close(own);
    return NULL;
}

/* Alone, where there are no ranks. */
static void run_ranks(rank_run *runs, int ranks)
{
    clt_error error;
    clt_team *team = NULL;
    if (ranks) assert_ok(clt_team_open(ranks, &team, &error), &error);
    for (int r = 0; r < ranks; r++) {
        clt_options_set_collective(&runs[r].options, clt_team_member(team, r));
        assert_int_equal(pthread_create(&runs[r].thread, NULL, run_rank, &runs[r]), 0);
    }
    for (int r = 0; r < ranks; r++) assert_int_equal(pthread_join(runs[r].thread, NULL), 0);
    if (!ranks) (void)run_rank(runs);
    clt_team_close(team);
}

static void fill_runs(rank_run *runs, int ranks, const char *text, const char *on, const clt_options *options)
{
    for (int r = 0; r < (ranks ? ranks : 1); r++) runs[r] = (rank_run){.net = text, .device = on, .options = *options};
}

/* Trains so many ranks; all end with the same parameters, whose digest is given. */
static void train_ranks(int ranks, const char *text, const char *on, const clt_options *options, char digest[65])
{
    rank_run runs[MOST_RANKS];
    fill_runs(runs, ranks, text, on, options);
    run_ranks(runs, ranks);
    for (int r = 0; r < (ranks ? ranks : 1); r++) {
        assert_ok(runs[r].status, &runs[r].error);
        assert_string_equal(runs[r].digest, runs[0].digest);
    }
    (void)strcpy(digest, runs[0].digest);
}

/* ---- the same bits ------------------------------------------------------------------------------------------- */

static clt_options sharded_options(const char *folder)
{
    clt_options options = stateful_options(folder);
    options.epochs = 2;
    options.shards = SHARDS;
    options.augment.mixup = options.augment.cutmix = 0;
    options.class_weights.how = CLT__EQUAL;
    return options;
}

/* `numbers` ends with 0. */
static void assert_same_bits_by(const int *numbers, const char *text, const char *on, const clt_options *options)
{
    clt_options with = *options;
    char alone[65], digest[65];
    with.output_dir = path_in("alone");
    train_ranks(0, text, on, &with, alone);
    for (size_t i = 0; numbers[i]; i++) {
        char *folder = strdup(path_in("ranks"));
        with.output_dir = folder;
        train_ranks(numbers[i], text, on, &with, digest);
        if (strcmp(alone, digest) != 0) print_error("%d ranks have other bits than one alone\n", numbers[i]);
        assert_string_equal(alone, digest);
        assert_same_file("alone", "ranks", "last.safetensors");
        assert_same_file("alone", "ranks", "best.safetensors");
        assert_same_metrics("alone", "ranks");
        (void)remove(file_in("ranks", "metrics.csv"));
        free(folder);
    }
    (void)remove(file_in("alone", "metrics.csv"));
}

static void assert_any_number_of_ranks(const char *text, const char *on, const clt_options *options)
{
    assert_same_bits_by((const int[]){1, 2, 3, SHARDS, 0}, text, on, options);
}

/* Three share the four shards unevenly. */
static void assert_three_ranks(const char *text, const char *on, const clt_options *options)
{
    assert_same_bits_by((const int[]){3, 0}, text, on, options);
}

static void any_number_of_ranks_gives_the_same_bits(void **state)
{
    (void)state;
    const clt_options options = sharded_options(NULL);
    assert_any_number_of_ranks(everything, NULL, &options);
}

static void so_it_does_on_the_reference(void **state)
{
    (void)state;
    clt_options options = sharded_options(NULL);
    options.epochs = 1;
    assert_any_number_of_ranks(everything, "reference", &options);
}

/* Images that are mixed with others of the batch, and classes that are weighed over it. */
static void so_it_does_where_images_take_others(void **state)
{
    (void)state;
    clt_options options = stateful_options(NULL);
    options.epochs = 2;
    options.shards = SHARDS;
    assert_three_ranks(everything, NULL, &options);
}

static void so_it_does_in_micro_batches_with_several_optimizers(void **state)
{
    (void)state;
    clt_options options = sharded_options(NULL);
    options.accumulate = 2;
    options.micro_batch_size = 3; /* of a shard's 8 */
    options.optimizer = "adamw";
    options.named[CLT__OPTION_optimizer] = "conv*.weight=muon";
    options.clip_grad = 0.5;
    options.bucket_mb = 0.0005;
    options.drop_last = true;
    assert_three_ranks(everything, NULL, &options);
}

static void so_it_does_with_halves(void **state)
{
    (void)state;
    clt_options options = sharded_options(NULL);
    options.storage = CLT__F16;
    options.epochs = 1;
    assert_three_ranks(everything, NULL, &options);
}

/* Also alone, where the gradients are rounded all the same; and what comes of it is near what comes of floats. */
static void so_it_does_with_halves_on_the_wire(void **state)
{
    (void)state;
    clt_options options = sharded_options(NULL);
    options.wire = CLT__F16;
    options.bucket_mb = 0.0005;
    assert_any_number_of_ranks(everything, NULL, &options);
    options = options_for(2, "halves");
    options.shards = 2;
    options.wire = CLT__F16;
    clt_model *halves = make_model(net, NULL, CLT_F32, 3), *floats = make_model(net, NULL, CLT_F32, 3);
    train(halves, device, &options);
    options.wire = CLT__F32;
    train(floats, device, &options);
    const double apart = distance(halves, floats);
    assert_true(apart > 0 && apart <= 1e-3);
    clt_model_close(halves);
    clt_model_close(floats);
}

static void what_travels_as_halves_is_near_what_it_was(void **state)
{
    (void)state;
    enum { COUNT = 3 * CLT__WIRE_BLOCK + 5 };
    float values[COUNT], back[COUNT];
    unsigned char packed[1024];
    assert_true(clt__wire_bytes(COUNT) == 2 * (COUNT + 4) && clt__wire_bytes(0) == 0);
    for (int i = 0; i < COUNT; i++) values[i] = (float)(sin(i) * pow(10, i / CLT__WIRE_BLOCK * 12 - 20));
    for (int i = 0; i < CLT__WIRE_BLOCK; i++) values[2 * CLT__WIRE_BLOCK + i] = 0;
    clt__wire_pack(values, sizeof *values, COUNT, packed);
    clt__wire_unpack(packed, sizeof *back, COUNT, back);
    for (int i = 0; i < COUNT; i++) {
        double largest = 0;
        for (int j = 0; j < COUNT; j++)
            if (j / CLT__WIRE_BLOCK == i / CLT__WIRE_BLOCK) largest = fmax(largest, fabs((double)values[j]));
        assert_true(fabs((double)back[i] - (double)values[i]) <= ldexp(largest, -11));
    }
    /* A part that begins where a block does lies where that block lies. */
    clt__wire_unpack(packed + clt__wire_bytes(CLT__WIRE_BLOCK), sizeof *back, CLT__WIRE_BLOCK, back);
    assert_true(fabs((double)(back[1] / values[CLT__WIRE_BLOCK + 1]) - 1) <= 1e-3);
    values[3] = INFINITY;
    clt__wire_pack(values, sizeof *values, COUNT, packed);
    clt__wire_unpack(packed, sizeof *back, COUNT, back);
    assert_true(isinf(back[3]));
}

/* As the op `accumulate`, which copies the first part. */
static void a_sum_of_zeros_keeps_their_sign(void **state)
{
    (void)state;
    const float floats[] = {-0.0f, 0.0f, 1};
    const double doubles[] = {-0.0, 0.0, 1 + 0x1p-30};
    for (int rounds = 0; rounds < 2; rounds++) {
        float of_floats[3];
        double of_doubles[3];
        const clt__numbers f = {sizeof *floats, false}, d = {sizeof *doubles, rounds};
        clt__clear_numbers(f, of_floats, 3);
        clt__clear_numbers(d, of_doubles, 3);
        clt__add_numbers(f, of_floats, floats, 3);
        clt__add_numbers(d, of_doubles, doubles, 3);
        assert_true(signbit(of_floats[0]) && signbit(of_doubles[0]));
        assert_false(signbit(of_floats[1]) || signbit(of_doubles[1]));
        assert_true(of_floats[2] == 1);
        assert_true(of_doubles[2] == (rounds ? 1 : doubles[2]));
    }
}

/* A shard's sum is that of its images: shards change no more than the order of additions, where nothing looks at a
 * batch as a whole. */
static void shards_change_nothing_but_roundings(void **state)
{
    (void)state;
    clt_options options = options_for(2, NULL);
    clt_model *whole = make_model(net, NULL, CLT_F64, 3), *cut = make_model(net, NULL, CLT_F64, 3);
    train(whole, reference, &options);
    options.shards = 5; /* of 16 images: 3, 3, 3, 3 and 4 */
    train(cut, reference, &options);
    assert_true(distance(whole, cut) > 0 && distance(whole, cut) <= 1e-12);
    clt_model_close(whole);
    clt_model_close(cut);
}

/* Nor does anything else where shards normalise together: also in micro-batches that are whole shards, and where the
 * parameters of the normalisation are frozen. */
static void shards_that_normalise_together_are_a_batch(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "input 1x8x8; conv out=6 kernel=3; batchnorm; relu; conv out=8 kernel=3; batchnorm momentum=0.3; flatten; "
        "dense out=3",
        "input 1x8x8; batchnorm; conv out=4 kernel=3; batchnorm frozen=yes; relu; flatten; batchnorm; dense out=3"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        clt_options options = options_for(2, NULL);
        clt_model *whole = make_model(texts[i], NULL, CLT_F64, 3), *cut = make_model(texts[i], NULL, CLT_F64, 3);
        train(whole, reference, &options);
        options.shards = 5; /* of 16 images, and the last batch's fewer, so that some have none */
        options.sync_batchnorm = true;
        train(cut, reference, &options);
        const double apart = distance(whole, cut);
        assert_true(apart > 0 && apart <= 1e-11);
        clt_model_close(whole);
        clt_model_close(cut);
    }
}

static void they_give_the_same_bits_on_any_number_of_ranks(void **state)
{
    (void)state;
    clt_options options = sharded_options(NULL);
    options.sync_batchnorm = true;
    assert_any_number_of_ranks(everything, NULL, &options);
    options.epochs = 1;
    assert_any_number_of_ranks(everything, "reference", &options);
}

static void so_they_do_with_all_that_goes_with_it(void **state)
{
    (void)state;
    clt_options options = sharded_options(NULL);
    options.sync_batchnorm = true;
    options.accumulate = 2;
    options.micro_batch_size = 3; /* of a shard's 8 */
    options.optimizer = "adamw";
    options.clip_grad = 0.5;
    options.bucket_mb = 0.0005;
    options.wire = CLT__F16;
    options.check_every = 3;
    assert_three_ranks(everything, NULL, &options);
    options = sharded_options(NULL);
    options.sync_batchnorm = true;
    options.storage = CLT__F16;
    options.epochs = 1;
    assert_three_ranks(everything, NULL, &options);
}

/* What a normalisation keeps is the mean of what each shard would have it keep. */
static void running_statistics_are_the_shards_mean(void **state)
{
    (void)state;
    static const char text[] = "input 1x8x8; batchnorm momentum=0.25; flatten; dense out=3";
    clt_error error;
    double mean, variance, want_mean = 0, want_variance = 0;
    clt_model *model = make_model(text, NULL, CLT_F64, 3);
    clt_options options = options_for(1, NULL);
    options.shards = 2;
    options.normalize.how = CLT__BY_NOTHING;
    options.shuffle = false;
    clt_session *session;
    assert_ok(clt_session_open(model, reference, images, &options, false, &session, &error), &error);
    assert_ok(clt_session_begin_epoch(session, &error), &error);
    assert_ok(clt_session_next_step(session, &error), &error);
    assert_ok(clt_session_store(session, &error), &error);
    clt_session_close(session);
    assert_ok(clt_model_get(model, "batchnorm1.running_mean", &mean, 1, &error), &error);
    assert_ok(clt_model_get(model, "batchnorm1.running_var", &variance, 1, &error), &error);
    for (int s = 0; s < 2; s++) {
        enum { PIXELS = 64, COUNT = BATCH / 2 * PIXELS };
        const uint8_t *from = images->bytes + s * COUNT;
        double sum = 0, squares = 0;
        for (int i = 0; i < COUNT; i++) sum += from[i] / 255.0;
        for (int i = 0; i < COUNT; i++) squares += pow(from[i] / 255.0 - sum / COUNT, 2);
        want_mean += 0.25 * sum / COUNT / 2;
        want_variance += (0.75 + 0.25 * squares / (COUNT - 1)) / 2;
    }
    assert_true(fabs(mean - want_mean) <= 1e-12 && fabs(variance - want_variance) <= 1e-12);
    clt_model_close(model);
}

/* ---- local steps ----------------------------------------------------------------------------------------------- */

/* With plain gradient descent one local step is a step of the whole batch: the mean of what ranks have come to is what
 * the mean of their gradients leads to. */
static void one_local_step_is_a_step(void **state)
{
    (void)state;
    rank_run runs[MOST_RANKS];
    clt_options options = options_for(2, "together");
    options.momentum = 0;
    options.shards = 2;
    options.drop_last = true; /* its images are not shared out evenly */
    fill_runs(runs, 2, net, "reference", &options);
    run_ranks(runs, 2);
    assert_ok(runs[0].status, &runs[0].error);
    options.local_steps = 1;
    options.output_dir = path_in("by themselves");
    fill_runs(runs, 2, net, "reference", &options);
    run_ranks(runs, 2);
    for (int r = 0; r < 2; r++) assert_ok(runs[r].status, &runs[r].error);
    assert_string_equal(runs[0].digest, runs[1].digest);
    clt_model *together = load("together", "last.safetensors"),
              *by_themselves = load("by themselves", "last.safetensors");
    const double apart = distance(together, by_themselves);
    assert_true(apart > 0 && apart <= 1e-5);
    clt_model_close(together);
    clt_model_close(by_themselves);
}

/* Checkpoints wait until ranks meet; what is resumed there goes on to the same bits. */
static void local_steps_resume_to_the_same_bits(void **state)
{
    (void)state;
    rank_run runs[MOST_RANKS];
    clt_options options = stateful_options("local whole");
    options.epochs = 2;
    options.shards = SHARDS;
    options.local_steps = 2;
    fill_runs(runs, 2, everything, NULL, &options);
    run_ranks(runs, 2);
    for (int r = 0; r < 2; r++) assert_ok(runs[r].status, &runs[r].error);
    assert_string_equal(runs[0].digest, runs[1].digest);
    interruption stop = {.epoch = 1, .step = 4}; /* the first meeting after step 3, when a checkpoint is due */
    options.output_dir = path_in("local parts");
    fill_runs(runs, 2, everything, NULL, &options);
    runs[0].options.progress = interrupt;
    runs[0].options.progress_user = &stop;
    run_ranks(runs, 2);
    assert_string_equal(runs[0].error.message, "stopped in epoch 1 after step 4 of 5");
    fill_runs(runs, 2, everything, NULL, &options);
    for (int r = 0; r < 2; r++) runs[r].from = file_in("local parts", "last.safetensors");
    run_ranks(runs, 2);
    for (int r = 0; r < 2; r++) assert_ok(runs[r].status, &runs[r].error);
    assert_same_run("local whole", "local parts");
}

/* ---- going on with other numbers ------------------------------------------------------------------------------ */

static void a_run_goes_on_with_another_number_of_ranks(void **state)
{
    (void)state;
    rank_run runs[MOST_RANKS];
    interruption stop = {.epoch = 1, .step = 3}; /* after which a checkpoint is due */
    char digest[65];
    clt_options options = sharded_options("in one go");
    train_ranks(0, everything, NULL, &options, digest);
    options.output_dir = path_in("in parts");
    options.shards = 0;
    fill_runs(runs, 4, everything, NULL, &options);
    runs[1].options.progress = interrupt; /* any rank may stop all */
    runs[1].options.progress_user = &stop;
    run_ranks(runs, 4);
    for (int r = 0; r < 4; r++) assert_int_equal(runs[r].status, CLT_STOPPED);
    assert_string_equal(runs[0].error.message, "stopped in epoch 1 after step 3 of 5");
    clt_model *model = load("in parts", "last.safetensors");
    options = *clt_model_options(model);
    assert_int_equal(options.shards, SHARDS);
    options.output_dir = path_in("in parts");
    train(model, device, &options);
    clt_model_close(model);
    assert_same_run("in one go", "in parts");
}

/* ---- what is refused ------------------------------------------------------------------------------------------ */

static void expect(rank_run *runs, int ranks, clt_status status, const char *sentence)
{
    run_ranks(runs, ranks);
    for (int r = 0; r < ranks; r++) assert_true(runs[r].status == (r ? CLT_STOPPED : status));
    if (!strstr(runs[0].error.message, sentence)) print_error("%s\n", runs[0].error.message);
    assert_non_null(strstr(runs[0].error.message, sentence));
}

static void ranks_that_do_not_train_the_same_are_refused(void **state)
{
    (void)state;
    rank_run runs[MOST_RANKS];
    const clt_options options = sharded_options(NULL);
    clt_dataset *others = make_images(IMAGES, shape, CLASSES, 5), *fewer = make_images(IMAGES - 1, shape, CLASSES, 1);
    fill_runs(runs, 3, everything, NULL, &options);
    runs[2].images = others;
    expect(runs, 3, CLT_BAD_ARGUMENT, "rank 2 has another training set than rank 0: as many images");
    runs[2].images = fewer;
    expect(runs, 3, CLT_BAD_ARGUMENT, "rank 2 has another training set: 69 images, where rank 0 has 70");
    runs[2].images = NULL;
    runs[1].net = net;
    expect(runs, 3, CLT_BAD_ARGUMENT, "rank 1 trains another net than rank 0");
    runs[1].net = everything;
    runs[1].options.momentum = 0.5;
    expect(runs, 3, CLT_BAD_ARGUMENT, "rank 1 has another value of the option momentum than rank 0");
    runs[1].options.momentum = options.momentum;
    if (!clt__device_is_reference(device)) runs[1].device = "reference";
    if (runs[1].device)
        expect(runs, 3, CLT_BAD_ARGUMENT, "rank 1 computes on the reference, in double, and others do not");
    runs[1].device = NULL;
    clt_dataset_close(others);
    clt_dataset_close(fewer);
}

static void a_rank_that_fails_ends_all(void **state)
{
    (void)state;
    rank_run runs[MOST_RANKS];
    clt_options options = sharded_options(NULL);
    fill_runs(runs, 2, everything, NULL, &options);
    runs[1].options.augment.saturation = 0.5; /* of grey images */
    expect(runs, 2, CLT_BAD_ARGUMENT, "rank 1: ");
}

static void loss_that_is_not_finite_ends_all_with_one_sentence(void **state)
{
    (void)state;
    rank_run runs[MOST_RANKS];
    clt_options options = sharded_options(NULL);
    options.lr = 1e6;
    options.warmup_epochs = 0;
    options.optimizer = "sgd";
    fill_runs(runs, 2, "input 1x8x8; conv out=4 kernel=3; conv out=4 kernel=3; flatten; dense out=3", NULL, &options);
    expect(runs, 2, CLT_DIVERGED, "try a lower learning rate");
}

static void too_few_shards_are_refused(void **state)
{
    (void)state;
    rank_run runs[MOST_RANKS];
    clt_error error;
    clt_options options = options_for(1, NULL);
    options.shards = 2;
    fill_runs(runs, 3, net, NULL, &options);
    expect(runs, 3, CLT_BAD_ARGUMENT, "at least as many shards");
    options.shards = BATCH + 1;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, device, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "a batch of 16 images is cut into 17 shards: larger batches, or fewer shards");
    clt_model_close(model);
}

/* ---- exchanges ------------------------------------------------------------------------------------------------- */

static void *talk(void *user)
{
    const clt_collective *team = user;
    clt_error error;
    int said[3] = {team->rank, 10 * team->rank, 7}, heard[9] = {0};
    size_t bytes[3] = {0, sizeof(int), 2 * sizeof(int)};
    if (clt__team_gather(team, said, sizeof said, heard, &error) != CLT_OK) return NULL;
    for (int r = 0; r < 3; r++)
        if (heard[3 * r] != r || heard[3 * r + 1] != 10 * r || heard[3 * r + 2] != 7) return NULL;
    if (clt__team_gather_parts(team, said, bytes, heard, &error) != CLT_OK) return NULL;
    return heard[0] == 1 && heard[1] == 2 && heard[2] == 20 ? user : NULL;
}

static void ranks_hear_each_other_in_their_order(void **state)
{
    (void)state;
    clt_error error;
    clt_team *team;
    pthread_t thread[3];
    assert_ok(clt_team_open(3, &team, &error), &error);
    for (int r = 0; r < 3; r++) {
        union {
            const clt_collective *read;
            void *given;
        } member = {.read = clt_team_member(team, r)};
        assert_int_equal(pthread_create(&thread[r], NULL, talk, member.given), 0);
    }
    for (int r = 0; r < 3; r++) {
        void *well;
        assert_int_equal(pthread_join(thread[r], &well), 0);
        assert_non_null(well);
    }
    assert_null(clt_team_member(team, 3));
    clt_team_close(team);
    assert_failed(clt_team_open(0, &team, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "a team has 1 to 1024 members, not 0");
}

/* What is left for after the last layer is little, whatever the net. */
static void buckets_become_shorter_towards_the_first_layers(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt__buckets cut;
    clt_options options = clt__options_default();
    options.net = "vgg6bn";
    options.batch_size = options.shards = 2;
    clt_model *model;
    assert_ok(clt_model_create(&options, &model, &error), &error);
    clt_dataset *pictures = make_images(4, model->input, 10, 1);
    assert_ok(clt_session_open(model, reference, pictures, &options, true, &session, &error), &error);
    assert_ok(clt__cut_gradients(&session->net, &options, sizeof(float), &cut, &error), &error);
    size_t numbers = 0, of_gradients = 0;
    int moments = 0;
    for (size_t i = 0; i < cut.count; i++) {
        const clt__bucket *b = &cut.bucket[i];
        numbers += (size_t)b->count;
        assert_true(b->count > 0 && b->count <= 250000 && b->first % CLT__WIRE_BLOCK == 0);
        assert_true(i == 0 || b->op >= cut.bucket[i - 1].op);
        moments += i == 0 || b->op > cut.bucket[i - 1].op;
        if (b->tensor == session->net.of_shard) of_gradients += (size_t)b->count;
    }
    assert_int_equal(numbers, cut.numbers);
    assert_true(moments >= 5);
    const clt__bucket *last = &cut.bucket[cut.count - 1];
    assert_true(last->first == 0 && last->tensor == session->net.of_shard);
    assert_true((size_t)last->count * 16 < of_gradients);
    free(cut.bucket);
    clt_session_close(session);
    clt_dataset_close(pictures);
    clt_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_hear_each_other_in_their_order),
        cmocka_unit_test(a_sum_of_zeros_keeps_their_sign),
        cmocka_unit_test(shards_change_nothing_but_roundings),
        cmocka_unit_test(shards_that_normalise_together_are_a_batch),
        cmocka_unit_test(they_give_the_same_bits_on_any_number_of_ranks),
        cmocka_unit_test(so_they_do_with_all_that_goes_with_it),
        cmocka_unit_test(running_statistics_are_the_shards_mean),
        cmocka_unit_test(any_number_of_ranks_gives_the_same_bits),
        cmocka_unit_test(so_it_does_on_the_reference),
        cmocka_unit_test(so_it_does_where_images_take_others),
        cmocka_unit_test(so_it_does_in_micro_batches_with_several_optimizers),
        cmocka_unit_test(so_it_does_with_halves),
        cmocka_unit_test(so_it_does_with_halves_on_the_wire),
        cmocka_unit_test(what_travels_as_halves_is_near_what_it_was),
        cmocka_unit_test(one_local_step_is_a_step),
        cmocka_unit_test(local_steps_resume_to_the_same_bits),
        cmocka_unit_test(a_run_goes_on_with_another_number_of_ranks),
        cmocka_unit_test(ranks_that_do_not_train_the_same_are_refused),
        cmocka_unit_test(a_rank_that_fails_ends_all),
        cmocka_unit_test(loss_that_is_not_finite_ends_all_with_one_sentence),
        cmocka_unit_test(too_few_shards_are_refused),
        cmocka_unit_test(buckets_become_shorter_towards_the_first_layers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
