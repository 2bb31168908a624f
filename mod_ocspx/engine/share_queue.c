/* share_queue: what one store is asked, and what is put there.
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
#include "share_queue.h"

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

struct ocspx_share_queue_t {
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
    apr_time_t down_since; /* 0: it works */
    apr_time_t up_since;   /* 0: from the beginning */
    apr_time_t retry_at;
    apr_time_t turn;             /* the last one */
    apr_interval_time_t elapsed; /* time as the turns have it */
};

/* --- jobs ------------------------------------------------------------- */

static job_t *make_job(const ocspx_share_queue_t *queue,
                       const ocspx_registry_entry_t *entry)
{
    apr_pool_t *pool;
    job_t *job;

    apr_pool_create(&pool, queue->pool);
    job = apr_pcalloc(pool, sizeof(*job));
    job->pool = pool;
    job->since = queue->elapsed;
    job->job.key[0] = VERSION;
    job->job.key[1] = (unsigned char)entry->policy->certid_hash;
    memcpy(job->job.key + 2, entry->cert->digest, OCSPX_CERT_DIGEST_LEN);
    return job;
}

static void count(const ocspx_share_queue_t *queue, ocspx_ledger_share_e what)
{
    if (queue->ledger)
        ocspx_ledger_share_count(queue->ledger, what);
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

static ocspx_share_found_t found_in(const char *from,
                                    const ocspx_share_result_t *result)
{
    ocspx_share_found_t found = {.der = result->value, .from = from};
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

static void add_job(ocspx_share_queue_t *queue, job_t *job)
{
    *queue->last = job;
    queue->last = &job->next;
    queue->waiting++;
    if (!queue->next)
        queue->next = job;
}

/* The first; there is one. */
static job_t *take_job(ocspx_share_queue_t *queue)
{
    job_t *job = queue->first;

    queue->first = job->next;
    if (!queue->first)
        queue->last = &queue->first;
    queue->waiting--;
    return job;
}

/* --- down and up ------------------------------------------------------ */

static void drop_waiting(ocspx_share_queue_t *queue)
{
    while (queue->first) {
        job_t *job = take_job(queue);

        answer(job, NULL);
        apr_pool_destroy(job->pool);
    }
}

static void go_down(ocspx_share_queue_t *queue, const job_t *job,
                    const char *why)
{
    ocspx_log(queue->log, OCSPX_LOG_WARNING, 50, -1,
              "%s: %s: a response could not be %s: %s; nothing is shared there "
              "meanwhile. %s",
              ocspx_cause_code(OCSPX_CAUSE_SHARE_DOWN), queue->store->name,
              job->job.value ? "put there" : "looked up", why,
              ocspx_cause_remedy(OCSPX_CAUSE_SHARE_DOWN));
    queue->down_since = queue->clock();
}

static void go_up(ocspx_share_queue_t *queue)
{
    ocspx_log(queue->log, OCSPX_LOG_NOTICE, 51, -1, "%s works again",
              queue->store->name);
    queue->down_since = 0;
    queue->up_since = queue->clock();
    apr_pool_destroy(queue->failed->pool);
    queue->failed = NULL;
}

static apr_interval_time_t pause_after(unsigned failures)
{
    apr_interval_time_t pause = OCSPX_SHARE_PAUSE_MIN;

    while (--failures && pause < OCSPX_SHARE_PAUSE_MAX)
        pause *= 2;
    return pause < OCSPX_SHARE_PAUSE_MAX ? pause : OCSPX_SHARE_PAUSE_MAX;
}

/* One that fails again soon has not recovered: it has room for a value now and
 * then. */
static int has_recovered(const ocspx_share_queue_t *queue, apr_time_t now)
{
    return now - queue->up_since >= OCSPX_SHARE_PAUSE_MAX;
}

static void fail(ocspx_share_queue_t *queue, job_t *job, const char *why)
{
    apr_time_t now = queue->clock();

    queue->store->abandon(queue->store);
    queue->begun = 0;
    queue->next = NULL;
    if (!queue->failed) {
        if (has_recovered(queue, now))
            queue->failures = 0;
        go_down(queue, job, why);
    }
    queue->failed = job;
    queue->retry_at = now + pause_after(++queue->failures);
    answer(job, NULL);
    drop_waiting(queue);
}

static void fail_by(ocspx_share_queue_t *queue, job_t *job, apr_status_t status)
{
    char why[120];

    fail(queue, job, apr_strerror(status, why, sizeof(why)));
}

/* --- working ---------------------------------------------------------- */

static int is_failure(const job_t *job, apr_status_t status)
{
    return status != APR_SUCCESS &&
           (job->job.value || !APR_STATUS_IS_NOTFOUND(status));
}

static apr_status_t begin(ocspx_share_queue_t *queue, const job_t *job)
{
    if (!queue->begun++)
        queue->since = queue->elapsed;
    return queue->store->begin(queue->store, &job->job);
}

static void begin_waiting(ocspx_share_queue_t *queue)
{
    apr_status_t rv = APR_SUCCESS;

    while (queue->next && queue->begun < queue->store->depth &&
           rv == APR_SUCCESS) {
        rv = begin(queue, queue->next);
        queue->next = queue->next->next;
    }
    if (rv != APR_SUCCESS)
        fail_by(queue, take_job(queue), rv);
}

static void conclude(ocspx_share_queue_t *queue,
                     const ocspx_share_result_t *result)
{
    job_t *job = take_job(queue);
    int is_found = result->status == APR_SUCCESS && !job->job.value;
    ocspx_share_found_t found;

    if (is_failure(job, result->status)) {
        fail_by(queue, job, result->status);
        return;
    }
    queue->begun--;
    queue->since = queue->elapsed;
    if (is_found)
        found = found_in(queue->store->name, result);
    else
        count(queue, job->job.value ? OCSPX_LEDGER_SHARE_PUT
                                    : OCSPX_LEDGER_SHARE_MISS);
    answer(job, is_found ? &found : NULL);
    apr_pool_destroy(job->pool);
}

static void conclude_trial(ocspx_share_queue_t *queue,
                           const ocspx_share_result_t *result)
{
    if (is_failure(queue->failed, result->status)) {
        fail_by(queue, queue->failed, result->status);
        return;
    }
    queue->begun--;
    go_up(queue);
}

static void try_again(ocspx_share_queue_t *queue, apr_time_t now)
{
    job_t *job = queue->failed;
    apr_status_t rv;

    /* It may have expired since. */
    if (job->job.expiry < now + OCSPX_SHARE_PAUSE_MAX)
        job->job.expiry = now + OCSPX_SHARE_PAUSE_MAX;
    rv = begin(queue, job);
    if (rv != APR_SUCCESS)
        fail_by(queue, job, rv);
}

/* What the store is at takes too long, or the oldest question has waited too
 * long. */
static int is_late(const ocspx_share_queue_t *queue)
{
    apr_interval_time_t late = queue->elapsed - OCSPX_SHARE_TIMEOUT;
    const job_t *job = queue->first;

    while (job && !job->done)
        job = job->next;
    return queue->since <= late || (job && job->since <= late);
}

static void pass_time(ocspx_share_queue_t *queue, apr_time_t now)
{
    apr_interval_time_t passed = now - queue->turn;

    if (passed > 0)
        queue->elapsed += passed < TURN_MAX ? passed : TURN_MAX;
    queue->turn = now;
}

/* --- public ----------------------------------------------------------- */

void ocspx_share_queue_turn(ocspx_share_queue_t *queue)
{
    apr_time_t now = queue->clock();
    ocspx_share_result_t result;

    pass_time(queue, now);
    begin_waiting(queue);
    while (queue->begun && queue->store->collect(&result, queue->store)) {
        if (queue->failed)
            conclude_trial(queue, &result);
        else
            conclude(queue, &result);
        begin_waiting(queue);
    }
    if (queue->begun && is_late(queue))
        fail(queue, queue->failed ? queue->failed : take_job(queue),
             "it does not answer in time");
    if (!queue->begun && queue->failed && queue->retry_at <= now)
        try_again(queue, now);
}

ocspx_share_queue_t *ocspx_share_queue_make(ocspx_share_store_t *store,
                                            ocspx_ledger_t *ledger,
                                            const ocspx_log_t *log,
                                            apr_time_t (*clock)(void),
                                            apr_pool_t *p)
{
    ocspx_share_queue_t *queue = apr_pcalloc(p, sizeof(*queue));

    queue->store = store;
    queue->ledger = ledger;
    queue->log = log;
    queue->clock = clock;
    queue->pool = p;
    queue->last = &queue->first;
    queue->turn = clock();
    return queue;
}

void ocspx_share_queue_look_up(ocspx_share_queue_t *queue,
                               const ocspx_registry_entry_t *entry,
                               ocspx_share_found_fn *done, void *baton)
{
    job_t *job;

    if (queue->failed || queue->waiting >= OCSPX_SHARE_WAITING_MAX) {
        done(baton, NULL);
        return;
    }
    job = make_job(queue, entry);
    job->done = done;
    job->baton = baton;
    add_job(queue, job);
}

void ocspx_share_queue_put(ocspx_share_queue_t *queue,
                           const ocspx_registry_entry_t *entry,
                           const ocspx_share_found_t *response,
                           apr_time_t expiry)
{
    job_t *job;

    if (queue->failed || queue->waiting >= OCSPX_SHARE_WAITING_MAX)
        return;
    job = make_job(queue, entry);
    set_value(job, response);
    job->job.expiry = expiry;
    add_job(queue, job);
}

unsigned ocspx_share_queue_waiting(const ocspx_share_queue_t *queue)
{
    return queue->waiting;
}

apr_time_t ocspx_share_queue_down_since(const ocspx_share_queue_t *queue)
{
    return queue->down_since;
}
