/* load: threads that do one handshake after the other, or each when it is
 * due. */
#include "load_private.h"

#include <pthread.h>

#include "../support/procs.h"

typedef struct {
    load_t *load;
    pthread_t thread;
    load_result_t result;
    apr_pool_t *pool;
} runner_t;

struct load_t {
    load_spec_t spec;
    apr_pool_t *pool;
    double begin, end;
    unsigned turn; /* atomic */
    runner_t *runners;
};

/**
 * The next handshake.
 * @param due when it has to begin
 * @return 0: there is no more
 */
static int next(unsigned *turn, double *due, load_t *load)
{
    *turn = __atomic_fetch_add(&load->turn, 1, __ATOMIC_RELAXED);
    if (load->spec.limit && *turn >= (unsigned)load->spec.limit)
        return 0;
    *due = load->spec.rate ? load->begin + *turn / (double)load->spec.rate
                           : load_now();
    return *due < load->end;
}

static void wait_until(double due)
{
    double left = due - load_now();

    if (left > 0) {
        struct timespec wait = {(time_t)left, 0};

        wait.tv_nsec = (long)((left - (double)wait.tv_sec) * 1e9);
        nanosleep(&wait, NULL);
    }
}

static void count(load_result_t *result, int done, int stapled, double ms)
{
    result->done += done != 0;
    result->failed += done == 0;
    result->stapled += stapled != 0;
    APR_ARRAY_PUSH(result->ms, double) = ms;
}

static void *run(void *baton)
{
    runner_t *runner = baton;
    load_t *load = runner->load;
    SSL_CTX *context = load->spec.context;
    unsigned turn;
    double due;

    while (next(&turn, &due, load)) {
        double until;
        int stapled, done;

        wait_until(due);
        done = load_shake_in(&stapled, &until, context, &load->spec, turn);
        count(&runner->result, done, stapled, (until - due) * 1000);
    }
    return NULL;
}

load_t *load_start(const load_spec_t *spec, apr_pool_t *p)
{
    load_t *load = apr_pcalloc(p, sizeof(*load));

    load->spec = *spec;
    if (spec->context)
        SSL_CTX_up_ref(spec->context);
    else
        load->spec.context = load_context(spec);
    load->pool = p;
    load->begin = load_now();
    load->end = load->begin + spec->ms / 1000.0;
    load->runners =
        apr_pcalloc(p, (apr_size_t)spec->threads * sizeof(*load->runners));
    for (int i = 0; i < spec->threads; i++) {
        runner_t *runner = &load->runners[i];

        runner->load = load;
        apr_pool_create(&runner->pool, p);
        runner->result.ms = apr_array_make(runner->pool, 256, sizeof(double));
        if (pthread_create(&runner->thread, NULL, run, runner) != 0)
            procs_die("load: cannot start a thread");
    }
    return load;
}

void load_finish(load_result_t *result, load_t *load)
{
    *result = (load_result_t){0};
    result->ms = apr_array_make(load->pool, 1024, sizeof(double));
    for (int i = 0; i < load->spec.threads; i++) {
        const load_result_t *one = &load->runners[i].result;

        pthread_join(load->runners[i].thread, NULL);
        result->done += one->done;
        result->failed += one->failed;
        result->stapled += one->stapled;
        apr_array_cat(result->ms, one->ms);
        apr_pool_destroy(load->runners[i].pool);
    }
    result->seconds = load_now() - load->begin;
    SSL_CTX_free(load->spec.context);
}

void load_run(load_result_t *result, const load_spec_t *spec, apr_pool_t *p)
{
    load_finish(result, load_start(spec, p));
}
