/* section_linear: (g) what one certificate costs where there are few of them,
 * and where there are many: by processor time of the real cache, agenda and
 * refresher. A turn with nothing due costs as much as one certificate.
 *
 * What still grows is what the processor's caches no longer hold, and the
 * depth of the agenda's heaps.
 */
#include "bench.h"

#include <string.h>

#include "../../mod_ocspx/core/schedule.h"
#include "../../mod_ocspx/engine/agenda.h"
#include "../support/procs.h"
#include "figures.h"
#include "stepped.h"
#include "table.h"

#define LENGTH 512
#define BATCHES 5
/* Answers are signed, which takes longer than anything that is measured. */
#define REFRESHED_MAX 10000
#define FAR (1000 * STEPPED_HOUR)

typedef enum { PUT, HOLD, TAKE, MAKE, IDLE, REFRESH, COSTS } cost_e;

typedef struct {
    unsigned n; /* certificates */
    int times;  /* in each batch */
    apr_uint64_t random;
    ocspx_cache_t *cache;
    ocspx_agenda_t *agenda;
    ocspx_refresh_t *refresh;
    apr_time_t now;
} linear_t;

/** Something that is done again and again. */
typedef void step_fn(linear_t *linear);

/** @return nanoseconds of one */
static double measure(linear_t *linear, step_fn *step, apr_pool_t *p)
{
    apr_array_header_t *batches = figures_make(p);

    for (int i = 0; i < BATCHES; i++) {
        double begin = stepped_cpu_ns();

        for (int k = 0; k < linear->times; k++)
            step(linear);
        figures_add(batches, (stepped_cpu_ns() - begin) / linear->times);
    }
    return figures_median(batches);
}

static unsigned any(linear_t *linear)
{
    linear->random = ocspx_schedule_mix(linear->random);
    return (unsigned)(linear->random >> 32) % linear->n;
}

/* --- cache -------------------------------------------------------------- */

static const unsigned char der[LENGTH];

static void put_one(linear_t *linear)
{
    if (ocspx_cache_put(linear->cache, any(linear), der, LENGTH, FAR, NULL))
        procs_die("the cache is full");
}

static void hold_one(linear_t *linear)
{
    if (ocspx_cache_hold(linear->cache, any(linear), der, LENGTH, FAR))
        procs_die("the cache is full");
}

/** So small that it has been written all over: new memory is slow. */
static void measure_cache(double *ns, linear_t *linear, apr_pool_t *p)
{
    apr_size_t area = (apr_size_t)linear->n * 3 * LENGTH + 16384;

    if (ocspx_cache_create(&linear->cache, linear->n, area, p) != APR_SUCCESS ||
        ocspx_cache_writer_enter(linear->cache) != APR_SUCCESS)
        procs_die("cannot make a cache");
    for (int lap = 0; lap < 4; lap++)
        for (unsigned i = 0; i < linear->n; i++)
            ocspx_cache_put(linear->cache, i, der, LENGTH, FAR, NULL);
    ns[PUT] = measure(linear, put_one, p);
    ns[HOLD] = measure(linear, hold_one, p);
    ocspx_cache_writer_leave(linear->cache);
}

/* --- agenda ------------------------------------------------------------- */

/** One falls due each second. */
static void set_one(linear_t *linear, unsigned i, apr_time_t due)
{
    apr_interval_time_t interval = STEPPED_SEC((apr_time_t)linear->n);

    ocspx_agenda_set(linear->agenda, i, due, due + interval, interval);
}

static void take_one(linear_t *linear)
{
    apr_time_t next;
    int i;

    linear->now += STEPPED_SEC(1);
    i = ocspx_agenda_take(linear->agenda, linear->now, &next);
    if (i < 0)
        procs_die("nothing is due");
    ocspx_agenda_done(linear->agenda, (unsigned)i, OCSPX_AGENDA_REACHED);
    set_one(linear, (unsigned)i,
            linear->now + STEPPED_SEC((apr_time_t)linear->n));
}

static double measure_agenda(linear_t *linear, apr_pool_t *p)
{
    unsigned *host_of = apr_pcalloc(p, linear->n * sizeof(*host_of));

    linear->now = STEPPED_T0;
    linear->agenda = ocspx_agenda_make(linear->n, 1, host_of, STEPPED_IN_FLIGHT,
                                       STEPPED_IN_FLIGHT, 1, p);
    for (unsigned i = 0; i < linear->n; i++)
        set_one(linear, i, linear->now + STEPPED_SEC((apr_time_t)i + 1));
    return measure(linear, take_one, p);
}

/* --- refresher ---------------------------------------------------------- */

/** All is served and nothing due for long; or nothing is served. */
static void set_all(const stepped_t *stepped, int served)
{
    static const ocspx_cache_state_t nothing;
    ocspx_cache_state_t state = {.due = STEPPED_T0 + FAR,
                                 .this_update = STEPPED_T0,
                                 .next_update = STEPPED_T0 + 2 * FAR,
                                 .expiry = STEPPED_T0 + 2 * FAR,
                                 .fetched = STEPPED_T0,
                                 .tried = STEPPED_T0};

    for (unsigned i = 0; i < (unsigned)stepped->certs; i++) {
        ocspx_cache_withdraw(stepped->cache, i);
        if (served)
            ocspx_cache_put(stepped->cache, i, der, LENGTH, state.expiry, NULL);
        ocspx_cache_state_set(stepped->cache, i, served ? &state : &nothing);
    }
}

static void turn_one(linear_t *linear)
{
    stepped_now += apr_time_from_msec(100);
    if (ocspx_refresh_turn(linear->refresh, 0) != 0)
        procs_die("something is due");
}

static void measure_idle(double *ns, linear_t *linear, stepped_t *stepped,
                         apr_pool_t *p)
{
    double begin;

    set_all(stepped, 1);
    begin = stepped_cpu_ns();
    linear->refresh = stepped_refresher(stepped, p);
    ns[MAKE] = (stepped_cpu_ns() - begin) / linear->n;
    ns[IDLE] = measure(linear, turn_one, p);
}

/** As at a cold start; the responder's share is left out. */
static double measure_refresh(const linear_t *linear, stepped_t *stepped,
                              apr_pool_t *p)
{
    unsigned enough = linear->n < REFRESHED_MAX ? linear->n : REFRESHED_MAX;
    ocspx_refresh_t *refresh;
    double begin;

    set_all(stepped, 0);
    refresh = stepped_refresher(stepped, p);
    begin = stepped_cpu_ns();
    while (stepped->answers < enough)
        ocspx_refresh_turn(refresh, 0);
    return (stepped_cpu_ns() - begin - stepped->responder_ns) /
           stepped->answers;
}

/* --- results ------------------------------------------------------------ */

static void run(double *ns, const bench_t *bench, unsigned n,
                apr_pool_t *parent)
{
    linear_t linear = {.n = n, .times = bench_pick(bench, 1000, 10000, 20000)};
    stepped_t *stepped;
    apr_pool_t *p;

    stepped_now = STEPPED_T0;
    apr_pool_create(&p, parent);
    measure_cache(ns, &linear, p);
    ns[TAKE] = measure_agenda(&linear, p);
    stepped = stepped_make((int)n, p);
    measure_idle(ns, &linear, stepped, p);
    ns[REFRESH] = measure_refresh(&linear, stepped, p);
    apr_pool_destroy(p);
}

void section_linear(const bench_t *bench, apr_pool_t *p)
{
    static const char *const columns[] = {
        "certificates", "put ns",     "to first", "hold ns",  "to first",
        "take ns",      "to first",   "make ns",  "to first", "idle turn ns",
        "to first",     "refresh ns", "to first", NULL};
    static const unsigned counts[] = {100, 1000, 10000, 100000};
    int rows = bench_pick(bench, 2, 3, COUNT(counts));
    double first[COSTS], ns[COSTS];
    table_t *table = table_make(
        bench, "linear",
        "(g) What one certificate costs, by how many there are: processor time "
        "of the cache's put and hold,\n    of the agenda's take, of making a "
        "refresher, of its turn when nothing is due (which is one for all),\n"
        "    and of a refresh, request and verification included",
        columns, p);

    for (int i = 0; i < rows; i++) {
        const char *cells[2 * COSTS];

        run(ns, bench, counts[i], p);
        if (i == 0)
            memcpy(first, ns, sizeof(first));
        for (int k = 0; k < COSTS; k++) {
            cells[2 * k] = table_cell(table, "%.0f", ns[k]);
            cells[2 * k + 1] = table_cell(table, "%.2f", ns[k] / first[k]);
        }
        table_row(table, table_cell(table, "%u", counts[i]), cells[0], cells[1],
                  cells[2], cells[3], cells[4], cells[5], cells[6], cells[7],
                  cells[8], cells[9], cells[10], cells[11]);
    }
    table_end(table);
}
