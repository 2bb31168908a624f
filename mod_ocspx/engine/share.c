/* share: a store that several servers have in common.
 *
 *   look_up, put ---> waiting, in order: the first of them begun ---> done
 *                        |
 *                        +---- one failed, or is late ---> nobody waits
 *
 * After a failure the store is left alone: questions are answered at once
 * ("nobody knows"), and what is fetched is not put there. The job that failed
 * is tried again after a pause, and then after longer ones, and only when that
 * very job has been done is the store used again: one that can be read but not
 * written would otherwise fail and recover with every certificate.
 */
#include "share.h"

#include <apr_strings.h>
#include <string.h>

#define VERSION 1

/* More time than this between two turns is no fault of the store: it is this
 * process that did not get to run. */
#define TURN_MAX apr_time_from_msec(250)

/* Before the DER: 8 bytes, most significant first. */
#define FRESH_LEN 8

typedef struct job_t job_t;
struct job_t {
    job_t *next;
    apr_pool_t *pool; /* its own */
    ocspx_share_job_t job;
    apr_interval_time_t since;  /* asked; by elapsed */
    ocspx_share_found_fn *done; /* NULL: nobody waits for it */
    void *baton;
};

struct ocspx_share_t {
    ocspx_share_store_t *store;
    ocspx_ledger_t *ledger;
    const ocspx_log_t *log;
    apr_time_t (*clock)(void);
    apr_pool_t *pool;
    job_t *first, **last; /* waiting */
    unsigned waiting;
    job_t *next;    /* of these, the first that has not begun; NULL: none */
    unsigned begun; /* of these, or the one that failed */
    apr_interval_time_t since; /* the first of these is the store's; by elapsed
                                */
    job_t *failed; /* the store is left alone until this can be done */
    unsigned failures;
    apr_time_t retry_at;
    apr_time_t turn;             /* the last one */
    apr_interval_time_t elapsed; /* time as the turns have it */
    int bad; /* the last value that was of use to nobody was a wrong one */
};

/* --- jobs ------------------------------------------------------------- */

static job_t *make_job(const ocspx_share_t *share,
                       const ocspx_registry_entry_t *entry)
{
    apr_pool_t *pool;
    job_t *job;

    apr_pool_create(&pool, share->pool);
    job = apr_pcalloc(pool, sizeof(*job));
    job->pool = pool;
    job->since = share->elapsed;
    job->job.key[0] = VERSION;
    job->job.key[1] = (unsigned char)entry->policy->certid_hash;
    memcpy(job->job.key + 2, entry->cert->digest, OCSPX_CERT_DIGEST_LEN);
    return job;
}

static void count(const ocspx_share_t *share, ocspx_ledger_share_e what)
{
    if (share->ledger)
        ocspx_ledger_share_count(share->ledger, what);
}

static void set_value(job_t *job, const ocspx_share_found_t *response)
{
    apr_uint64_t fresh = (apr_uint64_t)response->fresh_until;
    unsigned char *value = apr_palloc(job->pool, FRESH_LEN + response->len);
    int i;

    for (i = FRESH_LEN - 1; i >= 0; i--, fresh >>= 8)
        value[i] = fresh & 0xff;
    memcpy(value + FRESH_LEN, response->der, response->len);
    job->job.value = value;
    job->job.len = FRESH_LEN + response->len;
}

static ocspx_share_found_t found_in(const ocspx_share_result_t *result)
{
    ocspx_share_found_t found = {.der = result->value};
    apr_uint64_t fresh = 0;
    int i;

    if (result->len <= FRESH_LEN)
        return found;
    for (i = 0; i < FRESH_LEN; i++)
        fresh = fresh << 8 | result->value[i];
    found.fresh_until = (apr_time_t)fresh;
    found.der += FRESH_LEN;
    found.len = result->len - FRESH_LEN;
    return found;
}

static void answer(job_t *job, const ocspx_share_found_t *found)
{
    ocspx_share_found_fn *done = job->done;

    job->done = NULL;
    if (done)
        done(job->baton, found);
}

static void add_job(ocspx_share_t *share, job_t *job)
{
    *share->last = job;
    share->last = &job->next;
    share->waiting++;
    if (!share->next)
        share->next = job;
}

/* The first; there is one. */
static job_t *take_job(ocspx_share_t *share)
{
    job_t *job = share->first;

    share->first = job->next;
    if (!share->first)
        share->last = &share->first;
    share->waiting--;
    return job;
}

/* --- down and up ------------------------------------------------------ */

static void drop_waiting(ocspx_share_t *share)
{
    while (share->first) {
        job_t *job = take_job(share);

        answer(job, NULL);
        apr_pool_destroy(job->pool);
    }
}

static void go_down(ocspx_share_t *share, const job_t *job, const char *why)
{
    ocspx_log(share->log, OCSPX_LOG_WARNING, 50, -1,
              "%s: %s: a response could not be %s: %s; responders are asked "
              "directly. %s",
              ocspx_cause_code(OCSPX_CAUSE_SHARE_DOWN), share->store->name,
              job->job.value ? "put there" : "looked up", why,
              ocspx_cause_remedy(OCSPX_CAUSE_SHARE_DOWN));
    if (share->ledger)
        ocspx_ledger_share_down(share->ledger, share->clock());
}

static void go_up(ocspx_share_t *share)
{
    ocspx_log(share->log, OCSPX_LOG_NOTICE, 51, -1, "%s works again",
              share->store->name);
    if (share->ledger)
        ocspx_ledger_share_down(share->ledger, 0);
    apr_pool_destroy(share->failed->pool);
    share->failed = NULL;
    share->failures = 0;
}

static apr_interval_time_t pause_after(unsigned failures)
{
    apr_interval_time_t pause = OCSPX_SHARE_PAUSE_MIN;

    while (--failures && pause < OCSPX_SHARE_PAUSE_MAX)
        pause *= 2;
    return pause < OCSPX_SHARE_PAUSE_MAX ? pause : OCSPX_SHARE_PAUSE_MAX;
}

static void fail(ocspx_share_t *share, job_t *job, const char *why)
{
    share->store->abandon(share->store);
    share->begun = 0;
    share->next = NULL;
    if (!share->failures++)
        go_down(share, job, why);
    share->failed = job;
    share->retry_at = share->clock() + pause_after(share->failures);
    answer(job, NULL);
    drop_waiting(share);
}

static void fail_by(ocspx_share_t *share, job_t *job, apr_status_t status)
{
    char why[120];

    fail(share, job, apr_strerror(status, why, sizeof(why)));
}

/* --- working ---------------------------------------------------------- */

static int is_failure(const job_t *job, apr_status_t status)
{
    return status != APR_SUCCESS &&
           (job->job.value || !APR_STATUS_IS_NOTFOUND(status));
}

static apr_status_t begin(ocspx_share_t *share, const job_t *job)
{
    if (!share->begun++)
        share->since = share->elapsed;
    return share->store->begin(share->store, &job->job);
}

static void begin_waiting(ocspx_share_t *share)
{
    apr_status_t rv = APR_SUCCESS;

    while (share->next && share->begun < share->store->depth &&
           rv == APR_SUCCESS) {
        rv = begin(share, share->next);
        share->next = share->next->next;
    }
    if (rv != APR_SUCCESS)
        fail_by(share, take_job(share), rv);
}

static void conclude(ocspx_share_t *share, const ocspx_share_result_t *result)
{
    job_t *job = take_job(share);
    int is_found = result->status == APR_SUCCESS && !job->job.value;
    ocspx_share_found_t found;

    if (is_failure(job, result->status)) {
        fail_by(share, job, result->status);
        return;
    }
    share->begun--;
    share->since = share->elapsed;
    if (is_found)
        found = found_in(result);
    else
        count(share, job->job.value ? OCSPX_LEDGER_SHARE_PUT
                                    : OCSPX_LEDGER_SHARE_MISS);
    answer(job, is_found ? &found : NULL);
    apr_pool_destroy(job->pool);
}

static void conclude_trial(ocspx_share_t *share,
                           const ocspx_share_result_t *result)
{
    if (is_failure(share->failed, result->status)) {
        fail_by(share, share->failed, result->status);
        return;
    }
    share->begun--;
    go_up(share);
}

static void try_again(ocspx_share_t *share, apr_time_t now)
{
    job_t *job = share->failed;
    apr_status_t rv;

    /* It may have expired since. */
    if (job->job.expiry < now + OCSPX_SHARE_PAUSE_MAX)
        job->job.expiry = now + OCSPX_SHARE_PAUSE_MAX;
    rv = begin(share, job);
    if (rv != APR_SUCCESS)
        fail_by(share, job, rv);
}

/* What the store is at takes too long, or the oldest question has waited too
 * long. */
static int is_late(const ocspx_share_t *share)
{
    apr_interval_time_t late = share->elapsed - OCSPX_SHARE_TIMEOUT;
    const job_t *job = share->first;

    while (job && !job->done)
        job = job->next;
    return share->since <= late || (job && job->since <= late);
}

static void pass_time(ocspx_share_t *share, apr_time_t now)
{
    apr_interval_time_t passed = now - share->turn;

    if (passed > 0)
        share->elapsed += passed < TURN_MAX ? passed : TURN_MAX;
    share->turn = now;
}

void ocspx_share_turn(ocspx_share_t *share)
{
    apr_time_t now = share->clock();
    ocspx_share_result_t result;

    pass_time(share, now);
    begin_waiting(share);
    while (share->begun && share->store->collect(&result, share->store)) {
        if (share->failed)
            conclude_trial(share, &result);
        else
            conclude(share, &result);
        begin_waiting(share);
    }
    if (share->begun && is_late(share))
        fail(share, share->failed ? share->failed : take_job(share),
             "it does not answer in time");
    if (!share->begun && share->failed && share->retry_at <= now)
        try_again(share, now);
}

/* --- public ----------------------------------------------------------- */

ocspx_share_t *ocspx_share_make(ocspx_share_store_t *store,
                                ocspx_ledger_t *ledger, const ocspx_log_t *log,
                                apr_time_t (*clock)(void), apr_pool_t *p)
{
    ocspx_share_t *share = apr_pcalloc(p, sizeof(*share));

    share->store = store;
    share->ledger = ledger;
    share->log = log;
    share->clock = clock;
    share->pool = p;
    share->last = &share->first;
    share->turn = clock();
    if (ledger)
        ocspx_ledger_share_down(ledger, 0);
    return share;
}

void ocspx_share_look_up(ocspx_share_t *share,
                         const ocspx_registry_entry_t *entry,
                         ocspx_share_found_fn *done, void *baton)
{
    job_t *job;

    if (share->failed || share->waiting >= OCSPX_SHARE_WAITING_MAX) {
        done(baton, NULL);
        return;
    }
    job = make_job(share, entry);
    job->done = done;
    job->baton = baton;
    add_job(share, job);
}

void ocspx_share_put(ocspx_share_t *share, const ocspx_registry_entry_t *entry,
                     const ocspx_share_found_t *response, apr_time_t expiry)
{
    job_t *job;

    if (share->failed || share->waiting >= OCSPX_SHARE_WAITING_MAX)
        return;
    job = make_job(share, entry);
    set_value(job, response);
    job->job.expiry = expiry;
    add_job(share, job);
}

void ocspx_share_judged(ocspx_share_t *share,
                        const ocspx_registry_entry_t *entry,
                        ocspx_ledger_share_e what, ocspx_cause_e cause,
                        const char *message)
{
    count(share, what);
    if (what == OCSPX_LEDGER_SHARE_BAD)
        ocspx_log(share->log, share->bad ? OCSPX_LOG_DEBUG : OCSPX_LOG_WARNING,
                  52, (int)entry->index,
                  "%s: %s: what %s has for it is not used: %s: %s. %s",
                  entry->cert->name, ocspx_cause_code(OCSPX_CAUSE_SHARE_BAD),
                  share->store->name, ocspx_cause_code(cause), message,
                  ocspx_cause_remedy(OCSPX_CAUSE_SHARE_BAD));
    share->bad = what == OCSPX_LEDGER_SHARE_BAD ||
                 (share->bad && what == OCSPX_LEDGER_SHARE_MISS);
}

unsigned ocspx_share_waiting(const ocspx_share_t *share)
{
    return share->waiting;
}
