/* section_spread: (f) 10,000 responses that expire in the same hour: how do
 * the requests for their successors spread? The refresher, its cache and all
 * verification are real; clock and network are stepped. All is asked for at a
 * cold start, and a week lies between then and the hour in which all ends.
 */
#include "bench.h"

#include "stepped.h"
#include "table.h"

#define MINUTES (168 * 60)
#define DELAY apr_time_from_msec(50)

typedef struct {
    stepped_t *stepped;
    unsigned first;               /* requests of the cold start */
    apr_time_t filled;            /* the last of these */
    unsigned requests;            /* those after it */
    unsigned per_minute[MINUTES]; /* since STEPPED_T0 */
} week_t;

static void count(void *baton)
{
    week_t *week = baton;

    if (week->first < (unsigned)week->stepped->certs) {
        week->first++;
        week->filled = stepped_now;
    } else {
        week->requests++;
        week->per_minute[(stepped_now - STEPPED_T0) / STEPPED_SEC(60)]++;
    }
}

/** Of the cold start: within the hour that follows a week. */
static apr_time_t ends(const void *baton, int cert)
{
    const week_t *week = baton;

    if (stepped_now >= STEPPED_T0 + STEPPED_HOUR)
        return stepped_now + STEPPED_VALIDITY;
    return STEPPED_T0 + STEPPED_VALIDITY +
           STEPPED_HOUR * (cert + 1) / week->stepped->certs;
}

/** Until each certificate has its successor. */
static void run(week_t *week, apr_pool_t *p)
{
    ocspx_refresh_t *refresh = stepped_refresher(week->stepped, p);

    while (week->requests < (unsigned)week->stepped->certs)
        stepped_now +=
            ocspx_refresh_turn(refresh, 0) ? DELAY / 5 : STEPPED_SEC(1);
}

/* --- results ------------------------------------------------------------ */

static void tell(table_t *table, const week_t *week)
{
    int begin = -1, end = 0;
    unsigned most = 0;
    double mean;

    for (int i = 0; i < MINUTES; i++) {
        unsigned n = week->per_minute[i];

        if (n && begin < 0)
            begin = i;
        end = n ? i : end;
        most = n > most ? n : most;
    }
    mean = (double)week->requests / (end - begin + 1);
    table_row(
        table, table_cell(table, "%d", week->stepped->certs),
        table_cell(table, "%.1f", (double)(week->filled - STEPPED_T0) / 1e6),
        table_cell(table, "%.1f", begin / 60.0),
        table_cell(table, "%.1f", end / 60.0),
        table_cell(table, "%u", week->requests),
        table_cell(table, "%.2f", mean), table_cell(table, "%u", most),
        table_cell(table, "%.2f", most / mean));
}

static void run_week(table_t *table, int certs, apr_pool_t *parent)
{
    week_t *week;
    apr_pool_t *p;

    stepped_now = STEPPED_T0;
    apr_pool_create(&p, parent);
    week = apr_pcalloc(p, sizeof(*week));
    week->stepped = stepped_make(certs, p);
    week->stepped->delay = DELAY;
    week->stepped->asked = count;
    week->stepped->ends = ends;
    week->stepped->baton = week;
    run(week, p);
    tell(table, week);
    apr_pool_destroy(p);
}

void section_spread(const bench_t *bench, apr_pool_t *p)
{
    static const char *const columns[] = {
        "certificates",   "cold start s",    "first h after",
        "last h after",   "requests",        "mean a minute",
        "busiest minute", "busiest to mean", NULL};
    table_t *table =
        table_make(bench, "spread",
                   "(f) Responses that all expire in the same hour, a week "
                   "after a cold start: requests for their successors",
                   columns, p);
    int runs = bench_pick(bench, 1, 1, 3);

    for (int i = 0; i < runs; i++)
        run_week(table, bench_pick(bench, 500, 10000, 10000), p);
    table_end(table);
}
