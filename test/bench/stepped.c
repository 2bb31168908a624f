/* stepped: a refresher in a world that is stepped. */
#include "stepped.h"

#include <time.h>

#include "../support/procs.h"

apr_time_t stepped_now;

static apr_time_t clock_now(void)
{
    return stepped_now;
}

double stepped_cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

/* --- network ------------------------------------------------------------ */

/** A serial number is the certificate's index plus one. */
static long serial_of(const ocspx_fetch_question_t *question)
{
    const unsigned char *at = question->request;
    OCSP_REQUEST *request =
        d2i_OCSP_REQUEST(NULL, &at, (long)question->request_len);
    ASN1_INTEGER *serial = NULL;
    long number;

    OCSP_id_get0_info(
        NULL, NULL, NULL, &serial,
        OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)));
    number = ASN1_INTEGER_get(serial);
    OCSP_REQUEST_free(request);
    return number;
}

static apr_status_t ask(ocspx_fetch_t *fetch,
                        const ocspx_fetch_question_t *question,
                        ocspx_fetch_done_fn *done, void *baton)
{
    stepped_t *stepped = (stepped_t *)fetch;
    double begin = stepped_cpu_ns();

    stepped->waiting[stepped->count++] = (stepped_question_t){
        done, baton, serial_of(question), stepped_now + stepped->delay};
    if (stepped->asked)
        stepped->asked(stepped->baton);
    stepped->responder_ns += stepped_cpu_ns() - begin;
    return APR_SUCCESS;
}

static void sign(ocspx_fetch_answer_t *answer, stepped_t *stepped, int i,
                 apr_pool_t *p)
{
    double begin = stepped_cpu_ns();
    pki_single_t single = {.cert = stepped->leaves[i],
                           .issuer = stepped->issuer->cert,
                           .this_update = stepped_now,
                           .next_update = stepped->ends
                                              ? stepped->ends(stepped->baton, i)
                                              : stepped_now + STEPPED_VALIDITY};
    pki_response_t spec = {.singles = &single,
                           .count = 1,
                           .signer = stepped->issuer,
                           .produced_at = stepped_now};

    answer->body = pki_response(&answer->body_len, &spec, p);
    stepped->answers++;
    stepped->responder_ns += stepped_cpu_ns() - begin;
}

static void answer(stepped_t *stepped, const stepped_question_t *question)
{
    ocspx_fetch_answer_t given = {
        .message = "", .http_status = 200, .peer = "", .requests = 1};
    apr_pool_t *p;

    apr_pool_create(&p, stepped->pool);
    sign(&given, stepped, (int)question->serial - 1, p);
    question->done(question->baton, &given);
    apr_pool_destroy(p);
}

static apr_status_t poll_network(ocspx_fetch_t *fetch, apr_interval_time_t wait)
{
    stepped_t *stepped = (stepped_t *)fetch;

    (void)wait;
    for (int i = stepped->count - 1; i >= 0; i--)
        if (stepped->waiting[i].answered <= stepped_now) {
            stepped_question_t question = stepped->waiting[i];

            stepped->waiting[i] = stepped->waiting[--stepped->count];
            answer(stepped, &question);
        }
    return APR_SUCCESS;
}

/* --- certificates ------------------------------------------------------- */

static const pki_t *make(const char *cn, const pki_t *issuer, apr_pool_t *p)
{
    pki_spec_t spec = {.cn = cn,
                       .ca = !issuer,
                       .ocsp_urls = issuer ? "http://responder.test/" : NULL,
                       .not_before = STEPPED_T0 - 24 * STEPPED_HOUR,
                       .not_after = STEPPED_T0 + 4 * STEPPED_VALIDITY};

    return pki_make(&spec, issuer, p);
}

static apr_status_t free_leaves(void *baton)
{
    stepped_t *stepped = baton;

    for (int i = 0; i < stepped->certs; i++)
        X509_free(stepped->leaves[i]);
    return APR_SUCCESS;
}

/** One differs from the other by its serial number. That the signature is the
 * first one's nobody sees: who made a leaf is mod_ssl's to know. */
static X509 *make_leaf(const pki_t *first, int i)
{
    X509 *leaf = X509_dup(first->cert);
    ASN1_INTEGER *serial = ASN1_INTEGER_new();

    ASN1_INTEGER_set(serial, i + 1);
    X509_set_serialNumber(leaf, serial);
    ASN1_INTEGER_free(serial);
    i2d_re_X509_tbs(leaf, NULL); /* or it keeps the encoding of the first */
    return leaf;
}

static void add_cert(stepped_t *stepped, int i)
{
    static const ocspx_registry_policy_t policy = {
        .response.skew = OCSPX_RESPONSE_SKEW_DEFAULT,
        .schedule = {.refresh_percent = OCSPX_SCHEDULE_REFRESH_PERCENT,
                     .retry_min = OCSPX_SCHEDULE_RETRY_MIN,
                     .retry_max = OCSPX_SCHEDULE_RETRY_MAX},
        .timeout = STEPPED_SEC(10),
    };
    const char *conflict;
    ocspx_cert_t *cert;

    if (ocspx_cert_make(&cert, stepped->leaves[i], stepped->issuer->cert,
                        stepped->pool) != APR_SUCCESS ||
        !ocspx_registry_add(stepped->registry, &conflict, cert, NULL, &policy,
                            "here"))
        procs_die("cannot add a certificate");
}

static apr_status_t leave_cache(void *cache)
{
    ocspx_cache_writer_leave(cache);
    return APR_SUCCESS;
}

static void make_cache(stepped_t *stepped)
{
    unsigned n = (unsigned)stepped->certs;

    if (ocspx_cache_create(&stepped->cache, n, ocspx_cache_area_size(n),
                           stepped->pool) != APR_SUCCESS ||
        ocspx_cache_writer_enter(stepped->cache) != APR_SUCCESS)
        procs_die("cannot make a cache");
    apr_pool_cleanup_register(stepped->pool, stepped->cache, leave_cache,
                              apr_pool_cleanup_null);
}

stepped_t *stepped_make(int certs, apr_pool_t *p)
{
    stepped_t *stepped = apr_pcalloc(p, sizeof(*stepped));
    const pki_t *first;

    stepped->vtable = (ocspx_fetch_t){.start = ask, .poll = poll_network};
    stepped->pool = p;
    stepped->certs = certs;
    stepped->issuer = make("CA", NULL, p);
    stepped->leaves = apr_pcalloc(p, (apr_size_t)certs * sizeof(X509 *));
    stepped->registry = ocspx_registry_make(p);
    apr_pool_cleanup_register(p, stepped, free_leaves, apr_pool_cleanup_null);
    first = make("leaf", stepped->issuer, p);
    for (int i = 0; i < certs; i++) {
        stepped->leaves[i] = make_leaf(first, i);
        add_cert(stepped, i);
    }
    if (ocspx_registry_count(stepped->registry) != (unsigned)certs)
        procs_die("certificates are not different");
    make_cache(stepped);
    return stepped;
}

/* --- the refresher ------------------------------------------------------ */

static void drop_line(void *baton, ocspx_log_level_e level, int entry,
                      const char *line)
{
    (void)baton;
    (void)entry;
    if (level <= OCSPX_LOG_WARNING)
        procs_die("refresher: %s", line);
}

ocspx_refresh_t *stepped_refresher(stepped_t *stepped, apr_pool_t *p)
{
    static const ocspx_log_t log = {drop_line, NULL};
    ocspx_refresh_config_t config = {.registry = stepped->registry,
                                     .cache = stepped->cache,
                                     .fetch = &stepped->vtable,
                                     .log = &log,
                                     .clock = clock_now,
                                     .max_response = 65536,
                                     .max_parallel = STEPPED_IN_FLIGHT,
                                     .max_per_host = STEPPED_IN_FLIGHT};

    return ocspx_refresh_make(&config, NULL, p);
}
