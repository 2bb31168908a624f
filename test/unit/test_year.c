/* test_year: a year in the life of 10,000 certificates, on a stepped clock.
 *
 * Everything is asked for at once in the first minute; that first fill is
 * counted apart. From then on a staple has to be there at every moment, though
 * responders go away for up to half of the shortest validity they give out,
 * and sometimes hand out old answers. What the refresher does around schedule
 * and agenda is done here in the same order.
 */
#include "../../mod_ocspx/core/schedule.h"
#include "../../mod_ocspx/engine/agenda.h"
#include "../support/check_main.h"

#include <stdio.h>

#define SEC(n) apr_time_from_sec(n)
#define MINUTE SEC(60)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define T0 (20000 * DAY)
#define END (T0 + 365 * DAY)

#define CERTS 10000
#define HOSTS 40
#define TOTAL 32
#define PER_HOST 6
#define MINUTES (365 * 24 * 60)

typedef struct {
    apr_interval_time_t validity; /* the shortest it gives out */
    apr_time_t down, up;          /* the outage under way or ahead */
    apr_interval_time_t hang;     /* how long a fetch then takes to fail */
} host_t;

typedef struct {
    unsigned host;
    apr_interval_time_t validity;
    ocspx_schedule_validity_t served;
    ocspx_schedule_failures_t failures;
    apr_interval_time_t interval;
    apr_time_t answered; /* when the fetch under way ends */
    int ok;
} cert_t;

typedef struct {
    ocspx_agenda_t *agenda;
    apr_uint64_t random;
    host_t hosts[HOSTS];
    cert_t certs[CERTS];
    unsigned under_way[TOTAL];
    unsigned filled; /* certificates that have had a first response */
    apr_time_t full; /* when the last of them had it */
    unsigned first_requests, requests, failures, outages, old;
    unsigned lapsed; /* staples that expired before their successor came */
    unsigned per_minute[MINUTES + 1];
} year_t;

static const ocspx_schedule_policy_t policy = {
    .refresh_percent = OCSPX_SCHEDULE_REFRESH_PERCENT,
    .retry_min = OCSPX_SCHEDULE_RETRY_MIN,
    .retry_max = OCSPX_SCHEDULE_RETRY_MAX,
};

/* Hours, as CAs give them out, and how many of twenty hosts do so. */
static const struct {
    int hours, hosts;
} validities[] = {{12, 1}, {24, 2}, {72, 2}, {96, 5}, {168, 8}, {240, 2}};

static apr_int64_t below(year_t *year, apr_int64_t n)
{
    year->random = ocspx_schedule_mix(year->random);
    return (apr_int64_t)(year->random >> 1) % n;
}

static apr_interval_time_t validity_of(int twentieth)
{
    int i = 0;

    while (twentieth >= validities[i].hosts)
        twentieth -= validities[i++].hosts;
    return validities[i].hours * HOUR;
}

/* The next outage: half of them short, half up to half a validity. Two with
 * less than three hours between them would be one that is longer than that. */
static void plan_outage(year_t *year, host_t *host, apr_time_t from)
{
    apr_interval_time_t longest =
        below(year, 2) ? host->validity / 2 : 20 * MINUTE;

    host->down = from + 3 * HOUR + below(year, 60 * DAY);
    host->up = host->down + below(year, longest);
    host->hang = below(year, 2) ? SEC(10) : apr_time_from_msec(1);
}

/* --- the network ------------------------------------------------------ */

static int is_down(year_t *year, host_t *host, apr_time_t now)
{
    while (now >= host->up) {
        year->outages++;
        plan_outage(year, host, host->up);
    }
    return now >= host->down;
}

static void start(year_t *year, unsigned i, apr_time_t now)
{
    cert_t *cert = &year->certs[i];
    host_t *host = &year->hosts[cert->host];

    cert->ok = !is_down(year, host, now);
    cert->answered = now + (cert->ok ? apr_time_from_msec(20 + below(year, 400))
                                     : host->hang);
    year->under_way[ocspx_agenda_under_way(year->agenda) - 1] = i;
    if (!year->full) {
        year->first_requests++;
        return;
    }
    year->requests++;
    year->per_minute[(now - T0) / MINUTE]++;
}

/* One answer in ten is an hour to three hours old. */
static void receive(year_t *year, cert_t *cert, apr_time_t now)
{
    apr_interval_time_t age = 0;

    if (!below(year, 10)) {
        age = HOUR + below(year, 2 * HOUR);
        year->old++;
    }
    if (!cert->served.expiry) {
        if (++year->filled == CERTS)
            year->full = now;
    } else if (cert->served.expiry <= now) {
        year->lapsed++;
    }
    cert->failures.count = 0;
    cert->served.this_update = now - age;
    cert->served.expiry = cert->served.this_update + cert->validity;
    cert->interval = ocspx_schedule_interval(now, &cert->served, &policy);
}

/* --- the refresher ---------------------------------------------------- */

static void finish(year_t *year, unsigned i, apr_time_t now)
{
    cert_t *cert = &year->certs[i];
    int first = !cert->served.expiry;
    apr_uint64_t seed = (apr_uint64_t)below(year, APR_INT64_MAX);
    apr_time_t due;

    if (cert->ok) {
        receive(year, cert, now);
        due = ocspx_schedule_refresh(now, &cert->served, &policy, seed,
                                     first ? OCSPX_SCHEDULE_WHOLE
                                           : OCSPX_SCHEDULE_WINDOW);
    } else {
        year->failures++;
        if (!cert->failures.count++)
            cert->failures.since = now;
        due = ocspx_schedule_retry(now, &cert->served, &policy, &cert->failures,
                                   seed);
    }
    ocspx_agenda_done(year->agenda, i,
                      cert->ok ? OCSPX_AGENDA_REACHED : OCSPX_AGENDA_SILENT);
    ocspx_agenda_set(year->agenda, i, due, cert->served.expiry, cert->interval);
}

/* Finish all that is answered by now; the time of the next answer. */
static apr_time_t finish_answered(year_t *year, apr_time_t now)
{
    apr_time_t next = APR_INT64_MAX;
    unsigned n = ocspx_agenda_under_way(year->agenda);

    while (n--) {
        unsigned i = year->under_way[n];

        if (year->certs[i].answered <= now) {
            unsigned last = ocspx_agenda_under_way(year->agenda) - 1;

            year->under_way[n] = year->under_way[last];
            finish(year, i, now);
        } else if (year->certs[i].answered < next) {
            next = year->certs[i].answered;
        }
    }
    return next;
}

static void run(year_t *year)
{
    apr_time_t now = T0;

    while (now < END) {
        apr_time_t answer = finish_answered(year, now);
        apr_time_t next;
        int i;

        while ((i = ocspx_agenda_take(year->agenda, now, &next)) >= 0) {
            start(year, (unsigned)i, now);
            if (year->certs[i].answered < answer)
                answer = year->certs[i].answered;
        }
        now = next < answer ? next : answer;
    }
    for (unsigned i = 0; i < CERTS; i++)
        year->lapsed += year->certs[i].served.expiry <= END;
}

/* --- the year --------------------------------------------------------- */

static year_t *make_year(apr_uint64_t seed, apr_pool_t *p)
{
    year_t *year = apr_pcalloc(p, sizeof(*year));
    unsigned host_of[CERTS];
    unsigned i;

    year->random = seed;
    for (i = 0; i < HOSTS; i++) {
        year->hosts[i].validity = validity_of((int)i % 20);
        plan_outage(year, &year->hosts[i], T0 + DAY);
    }
    for (i = 0; i < CERTS; i++) {
        cert_t *cert = &year->certs[i];

        cert->host = host_of[i] = i % HOSTS;
        cert->validity = year->hosts[cert->host].validity;
        if (!below(year, 4)) /* a CA of longer validities at the same host */
            cert->validity += below(year, 5) * DAY;
    }
    year->agenda =
        ocspx_agenda_make(CERTS, HOSTS, host_of, TOTAL, PER_HOST, 1, p);
    for (i = 0; i < CERTS; i++)
        ocspx_agenda_set(year->agenda, i, T0, 0, 0);
    return year;
}

/* How many validities the certificates lived through after the first fill. */
static double validities_lived(const year_t *year)
{
    double sum = 0;

    for (unsigned i = 0; i < CERTS; i++)
        sum += (double)(END - year->full) / (double)year->certs[i].validity;
    return sum;
}

static unsigned busiest_minute(const year_t *year)
{
    unsigned most = 0;

    for (unsigned m = 0; m < MINUTES; m++)
        if (year->per_minute[m] > most)
            most = year->per_minute[m];
    return most;
}

START_TEST(a_year)
{
    apr_pool_t *pool;
    year_t *year;
    double per_validity, per_minute;
    unsigned most;

    apr_pool_create(&pool, NULL);
    year = make_year((apr_uint64_t)_i, pool);
    run(year);
    per_validity = year->requests / validities_lived(year);
    per_minute =
        (double)year->requests * (double)MINUTE / (double)(END - year->full);
    most = busiest_minute(year);
    printf("year %d: %u requests in %.0f s for the first fill, then %u "
           "(%u failed, in %u outages; %u answers old): %.3f per validity and "
           "certificate, %.2f a minute, busiest %u (%.2f times); %u lapsed\n",
           _i, year->first_requests, (double)(year->full - T0) / 1e6,
           year->requests, year->failures, year->outages, year->old,
           per_validity, per_minute, most, most / per_minute, year->lapsed);
    ck_assert_uint_eq(year->filled, CERTS);
    ck_assert_uint_eq(year->lapsed, 0);
    ck_assert(per_validity <= 2.2);
    ck_assert(most <= 3 * per_minute);
    ck_assert_uint_gt(year->outages, 10 * HOSTS / 2);
    apr_pool_destroy(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("year");
    TCase *year = tcase_create("year");

    tcase_set_timeout(year, 120);
    tcase_add_loop_test(year, a_year, 1, 4);
    suite_add_tcase(suite, year);
    return ocspx_check_main(suite);
}
