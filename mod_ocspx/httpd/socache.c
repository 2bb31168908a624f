/* socache: what servers share lies in redis or memcached.
 *
 * The providers may block for ever: neither apr_memcache nor (as
 * mod_socache_redis uses it) apr_redis gives up on a server that has taken a
 * question and does not answer it. So they are called by a thread of their
 * own, which does one job after the other:
 *
 *      +-----------+-----------------------+---------------------+------+
 *      |   free    |        ended          |       begun         | free |
 *      +-----------+-----------------------+---------------------+------+
 *      collect --->             the thread --->           begin --->
 *
 * One that hangs is left to itself, and another takes its place; when its call
 * returns, it ends and frees what is its own. While HANGING_MAX of them hang
 * in a store there are no more for it.
 */
#include "socache.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "socache_call.h"

APLOG_USE_MODULE(ocspx);

#define DEPTH 16
#define HANGING_MAX 4
/* The end of a refresher waits so long for a job. */
#define PATIENCE apr_time_from_msec(100)

/* A job, and what became of it. */
typedef struct {
    ocspx_share_job_t job;
    apr_status_t status;
    unsigned char value[OCSPX_SHARE_VALUE_MAX]; /* to be kept, or found */
    apr_size_t len;
} slot_t;

/* A thread and what it works with. */
typedef struct {
    apr_pool_t *pool; /* its own; nothing else is in it */
    pthread_t thread;
    pthread_mutex_t lock; /* of the next five */
    pthread_cond_t changed;
    unsigned begun, ended; /* jobs ever; number n is in slot n mod DEPTH */
    int ending;            /* no more jobs */
    int left;              /* to itself */

    unsigned collected;        /* jobs ever */
    slot_t slots[DEPTH];       /* the thread's from begun to ended */
    ocspx_fetch_t *fetch;      /* to be woken */
    apr_uint32_t *hanging;     /* at this store */
    ocspx_socache_call_t call; /* the thread's */
} worker_t;

typedef struct {
    ocspx_share_store_t face; /* first: what the engine has */
    const ocspx_generation_t *generation;
    ocspx_fetch_t *fetch;
    apr_uint32_t *hanging;
    worker_t *worker; /* NULL: to be started */
} store_t;

/* Threads that were left to themselves and have not ended yet. */
static apr_uint32_t hanging[OCSPX_SHARE_STORES_MAX];

/* --- the thread ------------------------------------------------------- */

/* The last words of a thread that was left: it frees what both knew. */
static void vanish(worker_t *worker)
{
    apr_uint32_t *count = worker->hanging;

    pthread_mutex_unlock(&worker->lock);
    apr_pool_destroy(worker->pool);
    apr_atomic_dec32(count);
}

static void *work(void *data)
{
    worker_t *worker = data;

    pthread_mutex_lock(&worker->lock);
    while (!worker->ending) {
        slot_t *slot = &worker->slots[worker->ended % DEPTH];

        if (worker->ended == worker->begun) {
            pthread_cond_wait(&worker->changed, &worker->lock);
            continue;
        }
        pthread_mutex_unlock(&worker->lock);
        slot->status = ocspx_socache_call(&slot->len, slot->value,
                                          &worker->call, &slot->job);
        pthread_mutex_lock(&worker->lock);
        if (worker->left) {
            vanish(worker);
            return NULL;
        }
        worker->ended++;
        pthread_cond_signal(&worker->changed);
        worker->fetch->wake(worker->fetch);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* Signals are for httpd's own threads: prefork ends the child in whichever
 * takes one. */
static int create_thread(worker_t *worker)
{
    sigset_t all, before;
    int rv;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rv = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rv;
}

static apr_status_t start(store_t *store)
{
    apr_pool_t *pool =
        ocspx_generation_thread_pool("ocspx_share", store->generation->server);
    worker_t *worker;
    int rv;

    if (!pool)
        return APR_ENOMEM;
    worker = apr_pcalloc(pool, sizeof(*worker));
    worker->pool = pool;
    worker->fetch = store->fetch;
    worker->hanging = store->hanging;
    ocspx_socache_call_prepare(&worker->call, store->face.name,
                               store->generation->server, pool);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    rv = create_thread(worker);
    if (rv) {
        apr_pool_destroy(pool);
        return rv;
    }
    store->worker = worker;
    return APR_SUCCESS;
}

/* --- what the engine has ---------------------------------------------- */

static apr_status_t begin(ocspx_share_store_t *face,
                          const ocspx_share_job_t *job)
{
    store_t *store = (store_t *)face;
    worker_t *worker;
    slot_t *slot;
    apr_status_t rv;

    if (job->len > OCSPX_SHARE_VALUE_MAX)
        return APR_EINVAL;
    if (!store->worker) {
        if (apr_atomic_read32(store->hanging) >= HANGING_MAX)
            return APR_TIMEUP;
        rv = start(store);
        if (rv != APR_SUCCESS)
            return rv;
    }
    worker = store->worker;
    slot = &worker->slots[worker->begun % DEPTH];
    slot->job = *job;
    if (job->value)
        memcpy(slot->value, job->value, job->len);
    pthread_mutex_lock(&worker->lock);
    worker->begun++;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    return APR_SUCCESS;
}

static int collect(ocspx_share_result_t *result, ocspx_share_store_t *face)
{
    worker_t *worker = ((store_t *)face)->worker;
    const slot_t *slot = &worker->slots[worker->collected % DEPTH];
    int ended;

    pthread_mutex_lock(&worker->lock);
    ended = worker->ended != worker->collected;
    pthread_mutex_unlock(&worker->lock);
    if (!ended)
        return 0;
    worker->collected++;
    *result = (ocspx_share_result_t){slot->status, slot->value, slot->len};
    return 1;
}

static void leave(store_t *store)
{
    worker_t *worker = store->worker;

    apr_atomic_inc32(store->hanging);
    worker->left = 1;
    pthread_detach(worker->thread);
    pthread_mutex_unlock(&worker->lock);
    store->worker = NULL;
}

static void join(store_t *store)
{
    worker_t *worker = store->worker;

    worker->ending = 1;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    apr_pool_destroy(worker->pool);
    store->worker = NULL;
}

static void abandon(ocspx_share_store_t *face)
{
    store_t *store = (store_t *)face;
    worker_t *worker = store->worker;

    if (!worker)
        return;
    pthread_mutex_lock(&worker->lock);
    if (worker->ended != worker->begun)
        leave(store);
    else
        join(store);
}

static apr_status_t end(void *data)
{
    store_t *store = data;
    worker_t *worker = store->worker;
    apr_time_t until = apr_time_now() + PATIENCE;
    const struct timespec deadline = {
        .tv_sec = apr_time_sec(until),
        .tv_nsec = apr_time_usec(until) * 1000,
    };
    int late = 0;

    if (!worker)
        return APR_SUCCESS;
    pthread_mutex_lock(&worker->lock);
    while (worker->ended != worker->begun && !late)
        late = pthread_cond_timedwait(&worker->changed, &worker->lock,
                                      &deadline) != 0;
    pthread_mutex_unlock(&worker->lock);
    abandon(&store->face);
    return APR_SUCCESS;
}

static ocspx_share_store_t *make_store(const ocspx_generation_t *generation,
                                       ocspx_fetch_t *fetch, unsigned i,
                                       const char *name, apr_pool_t *p)
{
    store_t *store = apr_pcalloc(p, sizeof(*store));

    store->face = (ocspx_share_store_t){name, DEPTH, begin, collect, abandon};
    store->generation = generation;
    store->fetch = fetch;
    store->hanging = &hanging[i];
    apr_pool_pre_cleanup_register(p, store, end);
    return &store->face;
}

ocspx_share_t *ocspx_socache_share(const ocspx_generation_t *generation,
                                   ocspx_fetch_t *fetch, apr_pool_t *p)
{
    const char *arg = generation->settings.share;
    ocspx_share_t *share = NULL;
    unsigned i = 0;
    char *servers, *server, *provider;

    if (!arg)
        return NULL;
    servers = apr_pstrdup(p, arg);
    provider = strsep(&servers, ":");
    while ((server = strsep(&servers, ","))) {
        const char *name = apr_pstrcat(p, provider, ":", server, NULL);
        ocspx_share_store_t *store =
            make_store(generation, fetch, i++, name, p);

        if (share)
            ocspx_share_add(share, store);
        else
            share = ocspx_share_make(store, generation->ledger,
                                     &generation->log, apr_time_now, p);
    }
    return share;
}
