/* report_scene: certificates in whatever state a test wants them. Cache and
 * ledger are real; what a refresher would have written, the test writes.
 */
#ifndef OCSPX_TEST_REPORT_SCENE_H
#define OCSPX_TEST_REPORT_SCENE_H

#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/engine/cache_private.h"
#include "../../mod_ocspx/engine/egress.h"
#include "../../mod_ocspx/engine/report.h"
#include "../support/check_main.h"
#include "../support/pki.h"

#define SECONDS(n) apr_time_from_sec(n)
#define NOW apr_time_from_sec(2000000000)
#define NOW_TEXT "2033-05-18T03:33:20Z"
#define HOUR SECONDS(3600)
#define LEN 100 /* of each response */

static apr_pool_t *pool;
static pki_t *ca;
static ocspx_registry_t *registry;
static ocspx_registry_policy_t policy; /* of the entry made next */
static ocspx_cache_t *cache;
static ocspx_ledger_t *ledger;
static apr_array_header_t *others, *findings;
static ocspx_report_source_t source;
static ocspx_report_query_t query;

static inline void set_up(void)
{
    apr_pool_create(&pool, NULL);
    ca = pki_make(&(pki_spec_t){.cn = "CA",
                                .ca = 1,
                                .not_before = NOW - SECONDS(86400),
                                .not_after = NOW + SECONDS(864000)},
                  NULL, pool);
    registry = ocspx_registry_make(pool);
    policy = (ocspx_registry_policy_t){0};
    others = apr_array_make(pool, 1, sizeof(ocspx_report_other_t));
    findings = apr_array_make(pool, 1, sizeof(ocspx_report_finding_t));
    query = (ocspx_report_query_t){0};
    source = (ocspx_report_source_t){
        .registry = registry, .others = others, .findings = findings};
}

static inline void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* Two days of life with the CA's own key, unless the test says otherwise. */
static inline ocspx_cert_t *make_cert(pki_spec_t spec)
{
    ocspx_cert_t *cert;

    if (!spec.use_key)
        spec.use_key = ca->key;
    if (!spec.not_before)
        spec.not_before = NOW - SECONDS(86400);
    if (!spec.not_after)
        spec.not_after = NOW + SECONDS(86400);
    ck_assert_int_eq(
        ocspx_cert_make(&cert, pki_make(&spec, ca, pool)->cert, ca->cert, pool),
        APR_SUCCESS);
    return cert;
}

/* Used at one place named after it; kept for a repair, if for nothing else. */
static inline unsigned add_cert(ocspx_cert_t *cert)
{
    static ocspx_repair_t repair;
    const char *conflict;

    return ocspx_registry_add(registry, &conflict, cert, &repair,
                              apr_pmemdup(pool, &policy, sizeof(policy)),
                              apr_pstrcat(pool, "at ", cert->name, NULL))
        ->index;
}

static inline unsigned add(const char *cn)
{
    return add_cert(make_cert(
        (pki_spec_t){.cn = cn, .ocsp_urls = "http://ocsp.example/path"}));
}

/* Cache and ledger for what has been added. */
static inline void open_cache(void)
{
    unsigned n = ocspx_registry_count(registry), i;
    unsigned char *digests = apr_pcalloc(pool, (n + 1) * OCSPX_CERT_DIGEST_LEN);

    ck_assert_int_eq(
        ocspx_cache_create(&cache, n, ocspx_cache_area_size(n), pool),
        APR_SUCCESS);
    for (i = 0; i < n; i++) {
        const ocspx_registry_entry_t *entry = ocspx_registry_get(registry, i);

        ocspx_cache_name(cache, i, entry->cert->digest);
        memcpy(digests + i * OCSPX_CERT_DIGEST_LEN, entry->cert->digest,
               OCSPX_CERT_DIGEST_LEN);
    }
    ck_assert_int_eq(ocspx_ledger_create(&ledger, digests, n,
                                         ocspx_registry_hosts(registry, pool),
                                         pool),
                     APR_SUCCESS);
    source.cache = cache;
    source.ledger = ledger;
}

/* A response until @a expiry, and the state that goes with it. */
static inline void serve(unsigned i, apr_time_t expiry)
{
    static const unsigned char der[LEN];
    ocspx_cache_state_t state = {
        .expiry = expiry, .tried = NOW - HOUR, .source = OCSPX_CACHE_NETWORK};

    ck_assert_int_eq(ocspx_cache_put(cache, i, der, LEN, expiry, NULL),
                     APR_SUCCESS);
    ocspx_cache_state_set(cache, i, &state);
}

/* With the last attempt's cause; what is served stays. */
static inline void set_failing(unsigned i, ocspx_cause_e cause,
                               const char *message)
{
    ocspx_cache_state_t state;

    ocspx_cache_state_get(&state, cache, i);
    state.failures++;
    state.failing_since = NOW - SECONDS(60);
    state.cause = cause;
    apr_cpystrn(state.message, message, sizeof(state.message));
    ocspx_cache_state_set(cache, i, &state);
}

static inline void set_revoked(unsigned i)
{
    ocspx_cache_state_t state;

    ocspx_cache_state_get(&state, cache, i);
    state.revoked = 1;
    state.cause = OCSPX_CAUSE_REVOKED;
    ocspx_cache_state_set(cache, i, &state);
}

static inline void add_other(const char *cn, ocspx_report_state_e state,
                             ocspx_cause_e cause, const char *reason)
{
    ocspx_report_other_t *other = apr_array_push(others);

    *other = (ocspx_report_other_t){
        make_cert((pki_spec_t){.cn = cn}), state, cause, reason,
        apr_array_make(pool, 1, sizeof(const char *))};
    APR_ARRAY_PUSH(other->places, const char *) =
        apr_pstrcat(pool, "at ", cn, NULL);
}

static inline ocspx_report_t *make_report(void)
{
    return ocspx_report_make(&source, &query, NOW, pool);
}

static inline ocspx_report_row_t row_of(const ocspx_report_t *report,
                                        unsigned i)
{
    ocspx_report_row_t row;

    ck_assert_uint_lt(i, report->count);
    memset(&row, 0x5a, sizeof(row));
    ocspx_report_row(&row, report, i, pool);
    return row;
}

/* The only row of what was added, alone. */
static inline ocspx_report_row_t only_row(void)
{
    ocspx_report_t *report = make_report();

    ck_assert_uint_eq(report->count, 1);
    return row_of(report, 0);
}

/* "a b c": the names on the page, in order, without their "CN=". */
static inline const char *names_on(const ocspx_report_t *report)
{
    const char *names = "";
    unsigned i;

    for (i = 0; i < report->count; i++)
        names = apr_pstrcat(pool, names, i ? " " : "",
                            row_of(report, i).name + strlen("CN="), NULL);
    return names;
}

#endif
