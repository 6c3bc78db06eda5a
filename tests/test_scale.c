/* What many devices would make of training: the model's arithmetic by hand, and what it counts beside what ranks send.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "device/pretend.h"
#include "session/session.h"
#include "tools/exchange_model.h"
#include "tools/planned_net.h"
#include "training.h"

enum { MOST_RANKS = 3 };

static void assert_near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-12 * fabs(wanted))) fail_msg("%.17g, where %.17g is right", value, wanted);
}

/* ---- by hand --------------------------------------------------------------------------------------------------- */

static const clt__departure two[] = {{200, 2}, {100, 10}};
static const clt__rank_step step = {.compute = 10, .update = 1, .bucket = two, .buckets = 2};
static const clt__exchange_rates rates = {.bandwidth = 100, .latency = 1, .read = 100, .write = 50, .add = 200};

static void one_alone_exchanges_nothing(void **state)
{
    (void)state;
    const clt__expected_step alone = clt__expect_step(&step, &rates, 1);
    assert_near(alone.seconds, 11);
    assert_true(alone.exchange == 0 && isnan(alone.hidden));
    const clt__rank_step nothing = {.compute = 10, .update = 1};
    assert_near(clt__expect_step(&nothing, &rates, 8).seconds, 11);
}

/* Two ranks, seconds: the first bucket is read from 2 to 4, its slices travel to 6; the second is read from 10 to 11,
 * its slices travel to 12.5. From 11 to 12 the first is added, from 12.5 to 14.5 its sums travel; from 12.5 to 13 the
 * second is added, from 14.5 to 16 its sums travel. All is written until 22. */
static void two_ranks_as_by_hand(void **state)
{
    (void)state;
    const clt__expected_step expected = clt__expect_step(&step, &rates, 2);
    assert_near(expected.seconds, 23);
    assert_near(expected.exchange, 3 + 7 + 1.5 + 6);
    assert_near(expected.hidden, 1 - 12 / 17.5);
    assert_true(expected.hides);
}

/* All are there at once. Slices of three buckets travel from 0 to 1, 1 to 2, and, behind the first one's sums, 4 to 5;
 * they are added from 1 to 3, 3 to 5, 5 to 7; the sums travel from 3 to 4, 5 to 6, 7 to 8. */
static void the_host_adds_while_others_travel(void **state)
{
    (void)state;
    static const clt__departure three[] = {{100, 0}, {100, 0}, {100, 0}};
    const clt__rank_step at_once = {.compute = 0.5, .update = 1, .bucket = three, .buckets = 3};
    const clt__exchange_rates slow_host = {
        .bandwidth = INFINITY, .latency = 1, .read = INFINITY, .write = INFINITY, .add = 50};
    const clt__expected_step expected = clt__expect_step(&at_once, &slow_host, 2);
    assert_near(expected.seconds, 9);
    assert_near(expected.exchange, 6 + 6);
    assert_near(expected.hidden, 1 - 7.5 / 12);
}

/* The first bucket's slices travel from 4 on, of P ranks to 4 + (P - 1) (1 + 2 / P): 10.67 with 6, and with 7 to 11.7,
 * beyond 11, when the second has been read. */
static void the_exchange_is_hidden_until_the_line_is_full(void **state)
{
    (void)state;
    assert_true(clt__expect_step(&step, &rates, 6).hides);
    assert_false(clt__expect_step(&step, &rates, 7).hides);
    assert_int_equal(clt__ranks_beyond_hiding(&step, &rates, 1000), 7);
    assert_int_equal(clt__ranks_beyond_hiding(&step, &rates, 6), 0);
    const clt__rank_step one = {.compute = 10, .update = 1, .bucket = two, .buckets = 1};
    assert_int_equal(clt__ranks_beyond_hiding(&one, &rates, 1000), 2);
}

static void a_perfect_network_costs_nothing(void **state)
{
    (void)state;
    const clt__exchange_rates perfect = {
        .bandwidth = INFINITY, .latency = 0, .read = INFINITY, .write = INFINITY, .add = INFINITY};
    for (int ranks = 1; ranks < 100; ranks++) {
        const clt__expected_step expected = clt__expect_step(&step, &perfect, ranks);
        assert_near(expected.seconds, 11);
        assert_true(expected.exchange == 0 && isnan(expected.hidden));
    }
}

static double drawn(double least, double most)
{
    return least * pow(most / least, rand() / (double)RAND_MAX);
}

/* Of any step: a worse network never makes it shorter, nor do more ranks; what is hidden is a share. */
static void worse_is_never_faster(void **state)
{
    (void)state;
    enum { MOST = 12 };
    srand(1);
    for (int i = 0; i < 2000; i++) {
        clt__departure bucket[MOST];
        clt__rank_step any = {.update = drawn(1e-4, 1), .bucket = bucket, .buckets = 1 + (size_t)rand() % MOST};
        for (size_t j = 0; j < any.buckets; j++)
            bucket[j] = (clt__departure){drawn(1e3, 1e7), any.compute += drawn(1e-5, 1)};
        const clt__exchange_rates good = {.bandwidth = drawn(1e7, 1e11),
                                          .latency = drawn(1e-7, 1e-2),
                                          .read = drawn(1e8, 1e11),
                                          .write = drawn(1e8, 1e11),
                                          .add = drawn(1e8, 1e11)};
        const int ranks = 2 + rand() % 100;
        const clt__expected_step expected = clt__expect_step(&any, &good, ranks);
        clt__exchange_rates worse = good;
        worse.latency *= 2;
        assert_true(clt__expect_step(&any, &worse, ranks).seconds >= expected.seconds);
        worse = good;
        worse.bandwidth /= 2;
        assert_true(clt__expect_step(&any, &worse, ranks).seconds >= expected.seconds);
        assert_true(clt__expect_step(&any, &good, ranks + 1).seconds >= expected.seconds);
        assert_true(expected.seconds >= any.compute + any.update);
        assert_true(expected.hidden >= 0 && expected.hidden <= 1);
        int from = 2;
        while (from < 200 && clt__expect_step(&any, &good, from).hides) from++;
        assert_int_equal(clt__ranks_beyond_hiding(&any, &good, 199), from < 200 ? from : 0);
    }
}

static void other_ways_as_by_hand(void **state)
{
    (void)state;
    assert_near(clt__each_to_each_seconds(300, 2, &rates, 4), 2 * 3 * (2 + 0.75) + 1.5);
    assert_near(clt__tree_seconds(300, 2, &rates, 4), 2 * (2 * (2 + 3.0) + 1.5));
    assert_near(clt__tree_seconds(300, 2, &rates, 5), 3 * (2 * (2 + 3.0) + 1.5));
    assert_near(clt__servers_seconds(300, 2, &rates, 4, 1), 2 * (2 + 9.0) + 6);
    assert_near(clt__servers_seconds(300, 2, &rates, 4, 2), 2 * (4 + 4.5) + 3);
    /* 4 (P - 1) + 6 (P - 1) / P + 1.5 against ceil(log2 P) 11.5: 25.5 and 34.5 at 6, 29.6 and 34.5 at 7, 34.75 and
     * 34.5 at 8 */
    assert_int_equal(clt__ranks_for_tree(300, 2, &rates, 1000), 8);
    assert_int_equal(clt__ranks_for_tree(300, 2, &rates, 7), 0);
    for (int ranks = 2; ranks < 200; ranks++) {
        const int best = clt__best_servers(300, 2, &rates, ranks);
        assert_in_range(best, 1, ranks - 1);
        for (int servers = 1; servers < ranks; servers++)
            assert_true(clt__servers_seconds(300, 2, &rates, ranks, best) <=
                        clt__servers_seconds(300, 2, &rates, ranks, servers));
    }
    clt__exchange_rates immediate = rates;
    immediate.latency = 0;
    assert_int_equal(clt__best_servers(300, 2, &immediate, 10), 9);
    assert_int_equal(clt__ranks_for_servers(300, 2, &immediate, 1000), 0);
    assert_int_equal(clt__ranks_for_tree(300, 2, &immediate, 1000), 0);
}

/* ---- what ranks send ------------------------------------------------------------------------------------------- */

static const char several_buckets[] = "input 1x8x8; conv out=8 kernel=3 padding=1; batchnorm; relu; flatten; dense "
                                      "out=40; relu; dense out=3";

static clt_options options_of_buckets(int devices)
{
    clt_options options = clt__options_default();
    options.net = several_buckets;
    options.bucket_mb = 0.012; /* more than the 1024 numbers that one has at least */
    options.batch_size = 6;
    options.devices = (clt__milestones){.count = 2, .at = {1, devices}};
    return options;
}

/* A rank whose messages to others are counted. */
typedef struct counted_rank {
    pthread_t thread;
    const clt_collective *inner;
    clt_collective outer;
    clt_dataset *images;
    size_t messages, bytes; /* of a step */
    clt_status status;
    clt_error error;
} counted_rank;

static clt_status begin(void *user, const clt_block *send, const clt_block *receive, void **exchange, clt_error *error)
{
    counted_rank *r = user;
    for (int i = 0; i < r->inner->size; i++)
        if (i != r->inner->rank && send[i].bytes > 0) {
            r->messages++;
            r->bytes += send[i].bytes;
        }
    return r->inner->begin(r->inner->user, send, receive, exchange, error);
}

static clt_status end(void *user, void *exchange, clt_error *error)
{
    const clt_collective *inner = ((const counted_rank *)user)->inner;
    return inner->end(inner->user, exchange, error);
}

static void withdraw(void *user, void *exchange)
{
    const clt_collective *inner = ((const counted_rank *)user)->inner;
    inner->withdraw(inner->user, exchange);
}

static void abandon(void *user, const char *why)
{
    const clt_collective *inner = ((const counted_rank *)user)->inner;
    inner->abandon(inner->user, why);
}

static clt_status step_session(counted_rank *r, clt_session *session)
{
    TRY(clt__session_set_own_order(session, &r->error));
    r->messages = r->bytes = 0;
    TRY(clt__session_run_batch(session, 0, 6, 0, clt__session_run_ops, NULL, &r->error));
    return clt__engine_finish(session->engine, &r->error);
}

static clt_status train_step(counted_rank *r, clt_model *model, clt_device *own)
{
    clt_options options = options_of_buckets(r->inner->size);
    clt_session *session;
    options.shards = r->inner->size;
    clt_options_set_collective(&options, &r->outer);
    TRY(clt__session_open(model, own, r->images, &options, (clt__session_mode){.training = true}, &session, &r->error));
    const clt_status status = step_session(r, session);
    clt_session_close(session);
    return status;
}

/* Nothing here asserts: cmocka's jumps stay in one thread. */
static void *run_rank(void *user)
{
    counted_rank *r = user;
    const clt_options options = options_of_buckets(r->inner->size);
    clt_device *own = NULL;
    clt_model *model = NULL;
    r->status = clt_device_open(NULL, &own, &r->error);
    if (r->status == CLT_OK) r->status = clt_model_create(&options, &model, &r->error);
    if (r->status == CLT_OK) r->status = train_step(r, model, own);
    if (r->status != CLT_OK) r->inner->abandon(r->inner->user, r->error.message);
    clt_model_close(model);
    clt_device_close(own);
    return NULL;
}

static void run_ranks(counted_rank *rank, int ranks)
{
    clt_error error;
    clt_team *team;
    assert_ok(clt_team_open(ranks, &team, &error), &error);
    for (int r = 0; r < ranks; r++) {
        rank[r] = (counted_rank){.inner = clt_team_member(team, r), .images = make_images(6, shape, CLASSES, 1)};
        rank[r].outer = (clt_collective){.rank = r,
                                         .size = ranks,
                                         .user = &rank[r],
                                         .begin = begin,
                                         .end = end,
                                         .withdraw = withdraw,
                                         .abandon = abandon};
        assert_int_equal(pthread_create(&rank[r].thread, NULL, run_rank, &rank[r]), 0);
    }
    for (int r = 0; r < ranks; r++) assert_int_equal(pthread_join(rank[r].thread, NULL), 0);
    for (int r = 0; r < ranks; r++) clt_dataset_close(rank[r].images);
    clt_team_close(team);
}

/* Slices differ by a number where buckets do not divide evenly: all ranks together send what the model says. */
static void ranks_send_what_the_model_counts(void **state)
{
    (void)state;
    for (int ranks = 2; ranks <= MOST_RANKS; ranks++) {
        const clt_options options = options_of_buckets(ranks);
        counted_rank rank[MOST_RANKS];
        clt_scale_result *result;
        clt_error error;
        run_ranks(rank, ranks);
        assert_ok(clt_scale(&options, device, &result, &error), &error);
        const clt_scale_sums *sums = clt_scale_total(result);
        const clt_scale_row *row = clt_scale_at(result, CLT_WEAK_SCALING, 1);
        double bytes = 0;
        for (int r = 0; r < ranks; r++) {
            assert_ok(rank[r].status, &rank[r].error);
            assert_int_equal(rank[r].messages, 2 * (ranks - 1) * sums->buckets);
            bytes += (double)rank[r].bytes;
        }
        assert_true(sums->buckets > 5);
        assert_int_equal(row->devices, ranks);
        assert_near(row->sent_bytes * ranks, bytes);
        clt_scale_close(result);
    }
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static clt_scale_result *expect_of(const clt_options *options)
{
    clt_device *pretended;
    clt_scale_result *result;
    clt_error error = {0};
    assert_ok(clt_device_open_with(options, &pretended, &error), &error);
    assert_ok(clt_scale(options, pretended, &result, &error), &error);
    clt_device_close(pretended);
    return result;
}

static clt_scale_result *expect(const char *net_name, unsigned gpu, double bandwidth, double latency)
{
    clt_options options = clt__options_default();
    options.net = net_name;
    options.pretend = gpu;
    options.bandwidth = bandwidth;
    options.latency = latency;
    return expect_of(&options);
}

/* Pretended devices are always as fast; only the host's adding is measured. */
static void rows_are_what_the_options_ask_for(void **state)
{
    (void)state;
    static const int devices[] = {1, 8, 64, 512};
    clt_scale_result *slow = expect("vgg6bn", CLT__PRETEND_H100, 1.25, 200),
                     *fast = expect("vgg6bn", CLT__PRETEND_H100, 1e6, 0);
    assert_int_equal(clt_scale_count(slow), COUNT_OF(devices));
    assert_null(clt_scale_at(slow, CLT_WEAK_SCALING, COUNT_OF(devices)));
    assert_null(clt_scale_at(slow, CLT_SCALINGS, 0));
    for (size_t i = 0; i < COUNT_OF(devices); i++) {
        const clt_scale_row *weak = clt_scale_at(slow, CLT_WEAK_SCALING, i),
                            *strong = clt_scale_at(slow, CLT_STRONG_SCALING, i);
        assert_int_equal(weak->devices, devices[i]);
        assert_int_equal(weak->batch_size, 64 * devices[i]);
        assert_int_equal(weak->device_images, 64);
        assert_int_equal(strong->batch_size, 64);
        assert_int_equal(strong->device_images, devices[i] > 64 ? 0 : 64 / devices[i]);
        assert_true(weak->efficiency > 0 && weak->efficiency <= 1);
        assert_near(weak->images_per_second, (double)weak->batch_size / weak->step_seconds);
        if (i == 0) assert_true(weak->efficiency == 1 && strong->efficiency == 1 && weak->sent_bytes == 0);
        if (i == 0) continue;
        const clt_scale_row *better = clt_scale_at(fast, CLT_WEAK_SCALING, i);
        assert_true(better->efficiency > weak->efficiency);
        assert_near(better->compute_seconds, weak->compute_seconds);
    }
    assert_true(clt_scale_total(slow)->exposed_from[CLT_WEAK_SCALING] > 1);
    assert_true(clt_scale_total(slow)->servers < clt_scale_total(slow)->servers_from);
    assert_int_equal(clt_scale_total(fast)->servers_from, 0);
    clt_scale_close(slow);
    clt_scale_close(fast);
}

/* The launches' model says how long a step takes that has no shards; a rank's has an op or two more. */
static void compute_is_what_launches_take(void **state)
{
    (void)state;
    clt_scale_result *result = expect("vgg6bn", CLT__PRETEND_MI50, 1, 1);
    clt_options options = clt__options_default();
    clt_device *pretended;
    clt_launch_plan *plan;
    clt_error error;
    options.net = "vgg6bn";
    options.pretend = CLT__PRETEND_MI50;
    assert_ok(clt_device_open_with(&options, &pretended, &error), &error);
    assert_ok(clt_plan_launches(&options, pretended, &plan, &error), &error);
    const double launches = clt_launch_plan_total(plan)->seconds,
                 rank = clt_scale_at(result, CLT_WEAK_SCALING, 0)->compute_seconds;
    assert_true(rank >= launches && rank < 1.05 * launches);
    for (size_t i = 1; i < clt_launch_plan_count(plan); i++) {
        const size_t before = clt_launch_plan_at(plan, i - 1)->number, number = clt_launch_plan_at(plan, i)->number;
        assert_in_range(number, before, before + CLT__MAX_MERGED);
    }
    clt_launch_plan_close(plan);
    clt_device_close(pretended);
    clt_scale_close(result);
}

/* Seconds of a rank's forward ops, and of its update. */
static double forward_of(const clt_options *options, double *update)
{
    clt_options shards = *options;
    clt_device *pretended;
    clt_launch_plan *plan;
    clt__net planned;
    clt_error error;
    double forward = 0;
    shards.shards = 2;
    shards.batch_size *= 2;
    assert_ok(clt_device_open_with(&shards, &pretended, &error), &error);
    assert_ok(clt__planned_net(&shards, pretended, shards.batch_size, &planned, NULL, NULL, &error), &error);
    assert_ok(clt_plan_launches(&shards, pretended, &plan, &error), &error);
    *update = 0;
    for (size_t i = 0; i < clt_launch_plan_count(plan); i++) {
        const clt_launch_row *row = clt_launch_plan_at(plan, i);
        forward += row->number < planned.backward ? row->seconds : 0;
        *update += row->number >= planned.update ? row->seconds : 0;
    }
    clt_launch_plan_close(plan);
    clt__net_free(&planned);
    clt_device_close(pretended);
    return forward;
}

static clt_options options_over_a_busy_network(void)
{
    clt_options options = clt__options_default();
    options.net = "vgg6bn";
    options.pretend = CLT__PRETEND_RTX3060;
    options.batch_size = 256;
    options.bandwidth = 1e-3;
    return options;
}

/* Over a network that is always busy a step is the forward ops, which the first bucket waits for (it is what batch
 * normalisation keeps), then all that travels, the write and the update: what is hidden is the backward ops, the
 * buckets' reading but for the first one's, and their adding. */
static void buckets_leave_when_their_ops_are_done(void **state)
{
    (void)state;
    clt_options options = options_over_a_busy_network();
    double update;
    const double forward = forward_of(&options, &update);
    clt_scale_result *result = expect_of(&options);
    const clt_scale_sums *sums = clt_scale_total(result);
    const clt_scale_row *row = clt_scale_at(result, CLT_WEAK_SCALING, 1);
    const double backward = row->compute_seconds - update - forward, read = (double)sums->bytes / sums->read_rate,
                 hidden = row->hidden * row->exchange_seconds - (double)sums->bytes / sums->add_rate;
    assert_true(hidden > backward + 0.9 * read && hidden < backward + 1.0001 * read);
    clt_scale_close(result);
}

/* Over a network that is always busy, what is hidden is as long as the gradients' first bucket leaves of a step: of the
 * last micro-batch, where there are several. */
static void only_the_last_micro_batch_hides(void **state)
{
    (void)state;
    clt_options options = options_over_a_busy_network();
    clt_scale_result *whole = expect_of(&options);
    options.micro_batch_size = 64;
    clt_scale_result *split = expect_of(&options);
    const clt_scale_row *of_whole = clt_scale_at(whole, CLT_WEAK_SCALING, 1),
                        *of_split = clt_scale_at(split, CLT_WEAK_SCALING, 1);
    const double one = of_split->compute_seconds / 4;
    assert_true(of_whole->hidden * of_whole->exchange_seconds > 1.2 * one);
    assert_true(of_split->hidden * of_split->exchange_seconds < one);
    assert_true(of_split->hidden * of_split->exchange_seconds > 0.25 * one);
    assert_true(of_split->compute_seconds > of_whole->compute_seconds);
    assert_true(of_split->compute_seconds < 1.5 * of_whole->compute_seconds);
    clt_scale_close(whole);
    clt_scale_close(split);
}

static void nothing_trained_is_nothing_exchanged(void **state)
{
    (void)state;
    clt_scale_result *result =
        expect("input 1x8x8; conv out=2 kernel=3 frozen=yes; flatten; dense out=3 frozen=yes", CLT__PRETEND_H100, 1, 1);
    assert_int_equal(clt_scale_total(result)->bytes, 0);
    assert_int_equal(clt_scale_total(result)->exposed_from[CLT_WEAK_SCALING], 0);
    assert_true(clt_scale_at(result, CLT_WEAK_SCALING, 3)->efficiency == 1);
    clt_scale_close(result);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    clt_options options = options_of_buckets(CLT_SCALE_MOST + 1);
    clt_scale_result *result;
    clt_error error;
    assert_failed(clt_scale(&options, device, &result, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "1048577 devices: there should be 1 to 1048576");
    options = options_of_buckets(2);
    options.batch_size = 500001;
    assert_failed(clt_scale(&options, device, &result, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "from 1 to 500000 here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alone_exchanges_nothing),
        cmocka_unit_test(two_ranks_as_by_hand),
        cmocka_unit_test(the_host_adds_while_others_travel),
        cmocka_unit_test(the_exchange_is_hidden_until_the_line_is_full),
        cmocka_unit_test(a_perfect_network_costs_nothing),
        cmocka_unit_test(worse_is_never_faster),
        cmocka_unit_test(other_ways_as_by_hand),
        cmocka_unit_test(ranks_send_what_the_model_counts),
        cmocka_unit_test(rows_are_what_the_options_ask_for),
        cmocka_unit_test(compute_is_what_launches_take),
        cmocka_unit_test(buckets_leave_when_their_ops_are_done),
        cmocka_unit_test(only_the_last_micro_batch_hides),
        cmocka_unit_test(nothing_trained_is_nothing_exchanged),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
