/* client_load: threads that do one handshake after the other. */
#include "client_private.h"

#include <pthread.h>
#include <stdlib.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "procs.h"

typedef struct {
    client_load_t *load;
    pthread_t thread;
    apr_pool_t *pool;
    client_load_result_t result; /* but for p99_ms and failed */
    apr_array_header_t *times;   /* double: ms of each handshake */
    apr_array_header_t *failed;  /* client_span_t */
} runner_t;

struct client_load_t {
    client_load_spec_t spec;
    apr_pool_t *pool;
    runner_t *runners;
    long end; /* procs_ms(); 0: when stop is set */
    int stop; /* atomic, as is the next */
    unsigned turn;
};

static int is_over(client_load_t *load)
{
    return __atomic_load_n(&load->stop, __ATOMIC_RELAXED) ||
           (load->end != 0 && procs_ms() >= load->end);
}

static void count_failure(runner_t *runner, long begin)
{
    runner->result.failures++;
    APR_ARRAY_PUSH(runner->failed, client_span_t) =
        (client_span_t){begin, procs_ms()};
}

static void count(runner_t *runner, const client_result_t *one, long begin)
{
    client_load_result_t *sum = &runner->result;

    sum->handshakes++;
    if (!one->ok)
        count_failure(runner, begin);
    else if (!one->stapled)
        sum->missing++;
    else if (client_good(one))
        sum->good++;
    else
        sum->invalid++;
    sum->max_ms = one->ms > sum->max_ms ? one->ms : sum->max_ms;
    if (sum->error[0] == '\0' && (!one->ok || one->stapled))
        sum->error = apr_pstrdup(runner->pool, one->error);
    APR_ARRAY_PUSH(runner->times, double) = one->ms;
}

static void *run(void *baton)
{
    runner_t *runner = baton;
    client_load_t *load = runner->load;
    client_spec_t spec = load->spec.client;
    SSL_CTX *context = client_context(&spec);
    apr_pool_t *p;

    apr_pool_create(&p, runner->pool);
    while (!is_over(load)) {
        unsigned turn = __atomic_fetch_add(&load->turn, 1, __ATOMIC_RELAXED);
        long begin = procs_ms();
        client_result_t one;

        spec.name = load->spec.names[turn % (unsigned)load->spec.names_count];
        client_handshake_in(&one, &spec, context, p);
        count(runner, &one, begin);
        apr_pool_clear(p);
        if (load->spec.pause_ms > 0)
            procs_sleep(load->spec.pause_ms);
    }
    SSL_CTX_free(context);
    return NULL;
}

client_load_t *client_load_start(const client_load_spec_t *spec, apr_pool_t *p)
{
    client_load_t *load = apr_pcalloc(p, sizeof(*load));

    load->spec = *spec;
    load->pool = p;
    load->end = spec->seconds ? procs_ms() + spec->seconds * 1000L : 0;
    load->runners =
        apr_pcalloc(p, (apr_size_t)spec->threads * sizeof(*load->runners));
    for (int i = 0; i < spec->threads; i++) {
        runner_t *runner = &load->runners[i];

        runner->load = load;
        runner->result.error = "";
        apr_pool_create(&runner->pool, p);
        runner->times = apr_array_make(runner->pool, 1024, sizeof(double));
        runner->failed = apr_array_make(runner->pool, 4, sizeof(client_span_t));
        if (pthread_create(&runner->thread, NULL, run, runner) != 0)
            procs_die("client_load: cannot start a thread");
    }
    return load;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double percentile_99(apr_array_header_t *times)
{
    if (times->nelts == 0)
        return 0;
    qsort(times->elts, (size_t)times->nelts, sizeof(double), compare);
    return APR_ARRAY_IDX(times, (times->nelts - 1) * 99 / 100, double);
}

static void add(client_load_result_t *sum, const client_load_result_t *part)
{
    sum->handshakes += part->handshakes;
    sum->failures += part->failures;
    sum->good += part->good;
    sum->missing += part->missing;
    sum->invalid += part->invalid;
    sum->max_ms = part->max_ms > sum->max_ms ? part->max_ms : sum->max_ms;
    sum->error = sum->error[0] != '\0' ? sum->error : part->error;
}

void client_load_finish(client_load_result_t *result, client_load_t *load)
{
    apr_array_header_t *times =
        apr_array_make(load->pool, 1024, sizeof(double));
    apr_array_header_t *failed =
        apr_array_make(load->pool, 4, sizeof(client_span_t));

    *result = (client_load_result_t){.error = ""};
    if (load->end == 0)
        __atomic_store_n(&load->stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < load->spec.threads; i++) {
        pthread_join(load->runners[i].thread, NULL);
        add(result, &load->runners[i].result);
        apr_array_cat(times, load->runners[i].times);
        apr_array_cat(failed, load->runners[i].failed);
    }
    result->failed = (const client_span_t *)failed->elts;
    result->p99_ms = percentile_99(times);
}
