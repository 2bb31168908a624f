/* model_scene: a report made by hand, of certificates in any state. */
#ifndef OCSPX_TEST_MODEL_SCENE_H
#define OCSPX_TEST_MODEL_SCENE_H

#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/engine/egress.h"
#include "../../mod_ocspx/engine/report.h"
#include "../support/check_main.h"
#include "../support/pki.h"

#define SECONDS(n) apr_time_from_sec(n)
#define HOURS(n) apr_time_from_sec((n)*3600)
#define NOW apr_time_from_sec(2000000000)

static apr_pool_t *pool;
static pki_t *ca;
static ocspx_registry_policy_t policy;
static ocspx_registry_t *registry;
static apr_array_header_t *certs; /* ocspx_cert_t *: of the registry */
static ocspx_cache_t *cache;
static ocspx_ledger_t *ledger;
static apr_array_header_t *others;   /* ocspx_report_other_t */
static apr_array_header_t *findings; /* ocspx_report_finding_t */
static ocspx_report_source_t source;

/** With nothing in it; in the pool. */
static inline void begin_model(void)
{
    ca = pki_make(&(pki_spec_t){.cn = "CA",
                                .ca = 1,
                                .not_before = NOW - HOURS(240),
                                .not_after = NOW + HOURS(2400)},
                  NULL, pool);
    policy = (ocspx_registry_policy_t){.timeout = SECONDS(10)};
    registry = ocspx_registry_make(pool);
    certs = apr_array_make(pool, 1, sizeof(ocspx_cert_t *));
    cache = NULL;
    ledger = NULL;
    others = apr_array_make(pool, 1, sizeof(ocspx_report_other_t));
    findings = apr_array_make(pool, 1, sizeof(ocspx_report_finding_t));
}

static inline void set_model_up(void)
{
    apr_pool_create(&pool, NULL);
    begin_model();
}

static inline void tear_model_down(void)
{
    apr_pool_destroy(pool);
}

/** All share one key, so that there can be many. @param spec name, URLs */
static inline ocspx_cert_t *make_cert(pki_spec_t spec)
{
    ocspx_cert_t *cert;

    spec.use_key = ca->key;
    spec.not_before = NOW - HOURS(100);
    spec.not_after = NOW + HOURS(1000);
    ck_assert_int_eq(
        ocspx_cert_make(&cert, pki_make(&spec, ca, pool)->cert, ca->cert, pool),
        APR_SUCCESS);
    return cert;
}

/** One more in the registry. @return its number */
static inline unsigned add_spec(const pki_spec_t *spec)
{
    ocspx_cert_t *cert = make_cert(*spec);
    const ocspx_registry_entry_t *entry;
    const char *conflict;

    entry =
        ocspx_registry_add(registry, &conflict, cert, NULL, &policy,
                           apr_psprintf(pool, "%s:443 (ssl.conf:%u)", spec->cn,
                                        ocspx_registry_count(registry)));
    ck_assert_ptr_nonnull(entry);
    APR_ARRAY_PUSH(certs, ocspx_cert_t *) = cert;
    return entry->index;
}

static inline unsigned add_cert(const char *name, const char *url)
{
    return add_spec(
        &(pki_spec_t){.cn = apr_pstrndup(pool, name, 64),
                      .names = apr_pstrcat(pool, "DNS:", name, NULL),
                      .ocsp_urls = url});
}

/** What no certificate could hold, whoever signed it. */
static inline void rename_cert(unsigned i, const char *name)
{
    APR_ARRAY_IDX(certs, i, ocspx_cert_t *)->name = name;
}

static inline void add_other(const char *name, ocspx_report_state_e state,
                             const char *reason)
{
    apr_array_header_t *places = apr_array_make(pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(places, const char *) = "elsewhere:443 (ssl.conf:99)";
    APR_ARRAY_PUSH(others, ocspx_report_other_t) = (ocspx_report_other_t){
        .cert = make_cert((pki_spec_t){.cn = name}),
        .state = state,
        .reason = reason,
        .places = places,
    };
}

static inline void add_finding(ocspx_cause_severity_e severity,
                               const char *message)
{
    APR_ARRAY_PUSH(findings, ocspx_report_finding_t) =
        (ocspx_report_finding_t){.place = "a.test:443 (ssl.conf:1)",
                                 .finding = {.cause = OCSPX_CAUSE_CHAIN_MISSING,
                                             .severity = severity,
                                             .subject = "CN=a.test",
                                             .message = message,
                                             .remedy = "Send it."}};
}

/** After the last certificate: cache and ledger, with nothing in them. */
static inline void open_model(void)
{
    unsigned n = ocspx_registry_count(registry), i;
    unsigned char *digests = apr_palloc(pool, (n + 1) * OCSPX_CERT_DIGEST_LEN);

    ck_assert_int_eq(
        ocspx_cache_create(&cache, n, ocspx_cache_area_size(n), pool),
        APR_SUCCESS);
    for (i = 0; i < n; i++) {
        const ocspx_cert_t *cert = ocspx_registry_get(registry, i)->cert;

        ocspx_cache_name(cache, i, cert->digest);
        memcpy(digests + i * OCSPX_CERT_DIGEST_LEN, cert->digest,
               OCSPX_CERT_DIGEST_LEN);
    }
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    ck_assert_int_eq(ocspx_ledger_create(&ledger, digests, n,
                                         ocspx_registry_hosts(registry, pool),
                                         pool),
                     APR_SUCCESS);
}

/** What the refresher would have written. */
static inline void set_state(unsigned i, const ocspx_cache_state_t *state)
{
    static const unsigned char der[] = "a response";

    if (state->expiry)
        ck_assert_int_eq(
            ocspx_cache_put(cache, i, der, sizeof(der), state->expiry, NULL),
            APR_SUCCESS);
    ocspx_cache_state_set(cache, i, state);
}

/** Asked half-way through a validity of @a left and as much again. */
static inline void make_stapled(unsigned i, apr_interval_time_t left)
{
    set_state(i, &(ocspx_cache_state_t){.due = NOW + left / 2,
                                        .this_update = NOW - left,
                                        .next_update = NOW + left,
                                        .expiry = NOW + left,
                                        .fetched = NOW - left / 2,
                                        .tried = NOW - left / 2,
                                        .took = 42000,
                                        .http_status = 200,
                                        .source = OCSPX_CACHE_NETWORK,
                                        .requests = 1,
                                        .peer = "192.0.2.1:80"});
}

/** @param left of the validity of what is still stapled; 0: nothing is */
static inline void make_failing(unsigned i, apr_interval_time_t left,
                                ocspx_cause_e cause, const char *message)
{
    ocspx_cache_state_t state = {.due = NOW + SECONDS(60),
                                 .tried = NOW - SECONDS(60),
                                 .failing_since = NOW - HOURS(2),
                                 .failures = 7,
                                 .cause = cause,
                                 .requests = 7};

    apr_cpystrn(state.message, message, sizeof(state.message));
    if (left) {
        state.this_update = NOW - HOURS(72);
        state.next_update = state.expiry = NOW + left;
        state.source = OCSPX_CACHE_DISK;
    }
    set_state(i, &state);
}

static inline void make_revoked(unsigned i, apr_interval_time_t left)
{
    ocspx_cache_state_t state = {.due = NOW + left / 2,
                                 .this_update = NOW - left,
                                 .next_update = NOW + left,
                                 .tried = NOW,
                                 .cause = OCSPX_CAUSE_REVOKED,
                                 .revoked = 1,
                                 .message = "revoked yesterday"};

    if (!ocspx_registry_get(registry, i)->policy->withhold_revoked)
        state.expiry = NOW + left;
    set_state(i, &state);
}

static const char *shared; /* the store; NULL: none */

/* One there was, two not, one wrong, three put. */
static inline void share_something(void)
{
    static const ocspx_ledger_share_e what[] = {
        OCSPX_LEDGER_SHARE_HIT,  OCSPX_LEDGER_SHARE_MISS,
        OCSPX_LEDGER_SHARE_MISS, OCSPX_LEDGER_SHARE_BAD,
        OCSPX_LEDGER_SHARE_PUT,  OCSPX_LEDGER_SHARE_PUT,
        OCSPX_LEDGER_SHARE_PUT};
    unsigned i;

    shared = "redis:store.test:6379";
    for (i = 0; i < sizeof(what) / sizeof(*what); i++)
        ocspx_ledger_share_count(ledger, what[i]);
}

static inline ocspx_report_t *make_report(const ocspx_report_query_t *query)
{
    source = (ocspx_report_source_t){registry, cache,    ledger,
                                     others,   findings, shared};
    return ocspx_report_make(&source, query, NOW, pool);
}

/* As the refresher does after each attempt. */
static inline void judge_egress(apr_time_t when)
{
    ocspx_ledger_host_t answers;

    ocspx_egress_judge(&answers, ledger, 0, when);
}

/* --- what is printed ------------------------------------------------- */

typedef struct {
    char *text;
    apr_size_t len, room;
} model_text_t;

static inline void take_piece(void *baton, const char *piece, apr_size_t len)
{
    model_text_t *to = baton;

    if (to->len + len + 1 > to->room) {
        char *more = apr_palloc(pool, 2 * (to->room + len + 1));

        memcpy(more, to->text ? to->text : "", to->len);
        to->text = more;
        to->room = 2 * (to->room + len + 1);
    }
    memcpy(to->text + to->len, piece, len);
    to->len += len;
    to->text[to->len] = '\0';
}

static inline const char *report_as_json(const ocspx_report_t *report)
{
    model_text_t text = {0};

    ocspx_report_print_json(report, take_piece, &text, pool);
    return text.text;
}

#endif
