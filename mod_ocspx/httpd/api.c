/* api: what other modules may ask and hear: include/mod_ocspx.h. */
#include "api.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "../../include/mod_ocspx.h"
#include "connection.h"
#include "source.h"

/* What the first version had; no caller has less. */
#define SIZE_MIN                                                               \
    (offsetof(ocspx_status_t, message) +                                       \
     sizeof(((ocspx_status_t *)NULL)->message))

/* NULL: there is no configuration yet, and nothing to tell. */
static const ocspx_generation_t *generation_ready(void)
{
    const ocspx_generation_t *generation = ocspx_generation_current();

    return generation && generation->server ? generation : NULL;
}

/* --- one certificate -------------------------------------------------- */

static void tell_entry(ocspx_status_t *status,
                       const ocspx_generation_t *generation, unsigned index,
                       apr_time_t now, apr_pool_t *p)
{
    ocspx_report_source_t source = ocspx_source_of(generation);
    ocspx_report_row_t row;

    ocspx_report_entry(&row, &source, index, now, p);
    *status = (ocspx_status_t){
        .size = sizeof(*status),
        .fingerprint = row.fingerprint,
        .name = row.name,
        .state = row.state,
        .stapled = row.safe_until != 0,
        .this_update = row.this_update,
        .next_update = row.next_update,
        .safe_until = row.safe_until,
        .failing_since = row.failing_since,
        .cause = row.cause,
        .message = row.message,
    };
}

static void tell_other(ocspx_status_t *status,
                       const ocspx_report_other_t *other)
{
    *status = (ocspx_status_t){
        .size = sizeof(*status),
        .fingerprint = other->cert->id,
        .name = other->cert->name,
        .state = ocspx_report_state_name(other->state),
        .cause = other->cause == OCSPX_CAUSE_NONE
                     ? NULL
                     : ocspx_cause_code(other->cause),
        .message = other->reason,
    };
}

/* The strings of the configuration are gone with it, at a reload. */
static void keep(ocspx_status_t *status, apr_pool_t *p)
{
    status->fingerprint = apr_pstrdup(p, status->fingerprint);
    status->name = apr_pstrdup(p, status->name);
    status->message = apr_pstrdup(p, status->message);
}

/* As much of it as the caller knows. */
static void hand_over(ocspx_status_t *to, const ocspx_status_t *status)
{
    apr_size_t size = to->size;

    memset(to, 0, size);
    memcpy(to, status, size < sizeof(*status) ? size : sizeof(*status));
    to->size = size;
}

static int answer(ocspx_status_t *to, const ocspx_generation_t *generation,
                  const ocspx_source_cert_t *cert, apr_pool_t *p)
{
    ocspx_status_t status;

    if (!cert || to->size < SIZE_MIN)
        return 0;
    if (cert->entry)
        tell_entry(&status, generation, cert->entry->index, apr_time_now(), p);
    else
        tell_other(&status, &APR_ARRAY_IDX(generation->others, cert->other,
                                           ocspx_report_other_t));
    keep(&status, p);
    hand_over(to, &status);
    return 1;
}

/* --- the functions ---------------------------------------------------- */

static int ocspx_connection_status(ocspx_status_t *status, conn_rec *c,
                                   apr_pool_t *p)
{
    const ocspx_generation_t *generation = generation_ready();
    const ocspx_connection_t *connection = ocspx_connection_of(c);

    return generation && connection &&
           answer(status, generation,
                  ocspx_source_cert(generation, connection->leaf), p);
}

static int ocspx_connection_stapled(conn_rec *c)
{
    const ocspx_connection_t *connection = ocspx_connection_of(c);

    return connection && connection->stapled;
}

static int ocspx_server_status(ocspx_status_t *status, server_rec *s,
                               unsigned i, apr_pool_t *p)
{
    const ocspx_generation_t *generation = generation_ready();

    return generation && answer(status, generation,
                                ocspx_source_cert_of(generation, s, i), p);
}

/* NULL: unknown */
static const ocspx_registry_entry_t *find(const ocspx_registry_t *registry,
                                          const char *fingerprint)
{
    unsigned char digest[OCSPX_CERT_DIGEST_LEN];

    if (strlen(fingerprint) != OCSPX_CERT_ID_LEN ||
        apr_unescape_hex(digest, fingerprint, OCSPX_CERT_ID_LEN, 0, NULL) !=
            APR_SUCCESS)
        return NULL;
    return apr_hash_get(registry->by_digest, digest, sizeof(digest));
}

static int ocspx_response_copy(const unsigned char **der, apr_size_t *len,
                               const char *fingerprint, apr_pool_t *p)
{
    const ocspx_generation_t *generation = generation_ready();
    const ocspx_registry_entry_t *entry;
    unsigned char *copy;
    int copied;

    if (!generation || !generation->cache)
        return 0;
    entry = find(generation->registry, fingerprint);
    if (!entry)
        return 0;
    copied = ocspx_cache_peek(&copy, generation->cache, entry->index,
                              apr_time_now());
    if (!copied)
        return 0;
    *len = (apr_size_t)copied;
    *der = apr_pmemdup(p, copy, *len);
    OPENSSL_free(copy);
    return 1;
}

void ocspx_api_register(apr_pool_t *p)
{
    APR_REGISTER_OPTIONAL_FN(ocspx_connection_status);
    APR_REGISTER_OPTIONAL_FN(ocspx_connection_stapled);
    APR_REGISTER_OPTIONAL_FN(ocspx_server_status);
    APR_REGISTER_OPTIONAL_FN(ocspx_response_copy);
    (void)p;
}

/* --- events ----------------------------------------------------------- */

/* APR's hooks have no namespace: "event" alone might be somebody else's. */
APR_IMPLEMENT_OPTIONAL_HOOK_RUN_ALL(ocspx, OCSPX, int, ocspx_event,
                                    (const char *event,
                                     const ocspx_status_t *status,
                                     apr_pool_t *p),
                                    (event, status, p), OK, DECLINED)

int ocspx_api_listened(void)
{
    return apr_optional_hook_get("ocspx_event") != NULL;
}

void ocspx_api_event(const ocspx_generation_t *generation, ocspx_event_e event,
                     unsigned index, apr_time_t now, apr_pool_t *ptemp)
{
    ocspx_status_t status;

    if (!ocspx_api_listened())
        return;
    tell_entry(&status, generation, index, now, ptemp);
    ocspx_run_ocspx_event(ocspx_event_name(event), &status, ptemp);
}

void ocspx_api_finding(const ocspx_report_finding_t *finding, apr_pool_t *ptemp)
{
    ocspx_status_t status = {
        .size = sizeof(status),
        .name = finding->finding.subject,
        .cause = ocspx_cause_code(finding->finding.cause),
        .message = finding->finding.message,
    };

    ocspx_run_ocspx_event(ocspx_event_name(OCSPX_EVENT_CHAIN_BROKEN), &status,
                          ptemp);
}
