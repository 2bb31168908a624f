/* source: what the report is made from.
 *
 * A certificate that is used by a thousand virtual hosts is noted once, with
 * a thousand places.
 */
#include "source.h"

#include <apr_strings.h>
#include <string.h>

#include "directives.h"
#include "watchdog.h"

#define KEY_LEN (OCSPX_CERT_DIGEST_LEN + 1)

/* Why a certificate is not in the registry. */
typedef enum {
    WHY_OFF,
    WHY_MOD_SSL,
    WHY_NO_WATCHDOG,
    WHY_PROVIDED,
    WHY_NO_RESPONDER,
    WHY_NO_ISSUER
} why_e;

static const struct {
    ocspx_report_state_e state;
    ocspx_cause_e cause;
    const char *reason;
} reasons[] = {
    [WHY_OFF] = {OCSPX_REPORT_NOT_APPLICABLE, OCSPX_CAUSE_NONE,
                 "stapling is switched off"},
    [WHY_MOD_SSL] = {OCSPX_REPORT_OTHER_PROVIDER, OCSPX_CAUSE_OTHER_PROVIDER,
                     OCSPX_DIR_USE_STAPLING
                     " is off and " OCSPX_DIR_SSL_USE_STAPLING
                     " is on: mod_ssl staples it"},
    [WHY_NO_WATCHDOG] = {OCSPX_REPORT_NOT_APPLICABLE, OCSPX_CAUSE_NONE,
                         "mod_watchdog is not loaded: stapling is left to "
                         "mod_ssl"},
    [WHY_PROVIDED] = {OCSPX_REPORT_OTHER_PROVIDER, OCSPX_CAUSE_OTHER_PROVIDER,
                      "another module, such as mod_md with MDStapling, staples "
                      "it"},
    [WHY_NO_RESPONDER] = {OCSPX_REPORT_NOT_APPLICABLE, OCSPX_CAUSE_NO_URL,
                          "it names no OCSP responder"},
    [WHY_NO_ISSUER] = {OCSPX_REPORT_FAILING, OCSPX_CAUSE_CHAIN_MISSING,
                       "its issuer is not in the chain, and without it no "
                       "responder can be asked"},
};

static why_e why_not(server_rec *s, const ocspx_cert_t *cert, int provided)
{
    const ocspx_registry_policy_t policy = ocspx_settings_policy(s);
    int explicit_ssl;

    if (!ocspx_settings_stapling(&explicit_ssl, s))
        return explicit_ssl ? WHY_MOD_SSL : WHY_OFF;
    if (!ocspx_watchdog_available())
        return WHY_NO_WATCHDOG;
    if (provided)
        return WHY_PROVIDED;
    if (apr_is_empty_array(cert->urls) && !policy.force_url &&
        !policy.response_file)
        return WHY_NO_RESPONDER;
    return WHY_NO_ISSUER;
}

/* What only the certificate itself can tell. */
static ocspx_cause_e cause_of(why_e why, const ocspx_cert_t *cert)
{
    if (why == WHY_OFF && cert->must_staple)
        return OCSPX_CAUSE_MUST_STAPLE_OFF;
    if (why == WHY_NO_RESPONDER && cert->bad_url)
        return OCSPX_CAUSE_BAD_URL;
    return reasons[why].cause;
}

static const char *reason_of(why_e why, const ocspx_cert_t *cert, apr_pool_t *p)
{
    if (cause_of(why, cert) != OCSPX_CAUSE_BAD_URL)
        return reasons[why].reason;
    return apr_pstrcat(p, reasons[why].reason, " that can be asked, but ",
                       cert->bad_url, NULL);
}

/* The same certificate noted for the same reason is one other. */
static int number_of(ocspx_generation_t *generation, const ocspx_cert_t *cert,
                     why_e why, apr_pool_t *p)
{
    ocspx_report_other_t other = {.cert = cert,
                                  .state = reasons[why].state,
                                  .cause = cause_of(why, cert),
                                  .reason = reason_of(why, cert, p)};
    unsigned char *key = apr_palloc(p, KEY_LEN);
    int *number;

    memcpy(key, cert->digest, OCSPX_CERT_DIGEST_LEN);
    key[OCSPX_CERT_DIGEST_LEN] = (unsigned char)why;
    number = apr_hash_get(generation->others_seen, key, KEY_LEN);
    if (!number) {
        number = apr_pmemdup(p, &generation->others->nelts, sizeof(*number));
        other.places = apr_array_make(p, 1, sizeof(const char *));
        apr_hash_set(generation->others_seen, key, KEY_LEN, number);
        APR_ARRAY_PUSH(generation->others, ocspx_report_other_t) = other;
    }
    return *number;
}

/* --- by certificate and by virtual host ------------------------------- */

static void note(ocspx_generation_t *generation, server_rec *s,
                 const ocspx_source_cert_t *cert)
{
    apr_pool_t *p = generation->registry->pool;
    ocspx_source_cert_t *kept = apr_pmemdup(p, cert, sizeof(*cert));
    apr_array_header_t *of =
        apr_hash_get(generation->served, &s, sizeof(server_rec *));

    if (!of) {
        of = apr_array_make(p, 1, sizeof(const ocspx_source_cert_t *));
        apr_hash_set(generation->served,
                     apr_pmemdup(p, &s, sizeof(server_rec *)),
                     sizeof(server_rec *), of);
    }
    APR_ARRAY_PUSH(of, const ocspx_source_cert_t *) = kept;
    apr_hash_set(generation->certs, &kept->leaf, sizeof(X509 *), kept);
}

const ocspx_source_cert_t *
ocspx_source_cert(const ocspx_generation_t *generation, const X509 *leaf)
{
    return apr_hash_get(generation->certs, &leaf, sizeof(X509 *));
}

const ocspx_source_cert_t *
ocspx_source_cert_of(const ocspx_generation_t *generation, const server_rec *s,
                     unsigned i)
{
    const apr_array_header_t *of =
        apr_hash_get(generation->served, &s, sizeof(server_rec *));

    return of && i < (unsigned)of->nelts
               ? APR_ARRAY_IDX(of, i, const ocspx_source_cert_t *)
               : NULL;
}

/* --- filling ----------------------------------------------------------- */

void ocspx_source_add_entry(ocspx_generation_t *generation, server_rec *s,
                            X509 *leaf, const ocspx_registry_entry_t *entry)
{
    note(generation, s, &(ocspx_source_cert_t){.leaf = leaf, .entry = entry});
}

void ocspx_source_add(ocspx_generation_t *generation, server_rec *s, X509 *leaf,
                      int provided)
{
    apr_pool_t *p = generation->registry->pool;
    ocspx_cert_t *cert;
    int number;

    if (ocspx_cert_make(&cert, leaf, NULL, p) != APR_SUCCESS)
        return;
    number = number_of(generation, cert, why_not(s, cert, provided), p);
    APR_ARRAY_PUSH(
        APR_ARRAY_IDX(generation->others, number, ocspx_report_other_t).places,
        const char *) = ocspx_chains_place(s, p);
    note(generation, s, &(ocspx_source_cert_t){.leaf = leaf, .other = number});
}

void ocspx_source_prepare(ocspx_generation_t *generation, apr_pool_t *pconf)
{
    const apr_array_header_t *kept = generation->chains->findings;
    int i;

    for (i = 0; i < kept->nelts; i++) {
        const ocspx_chains_finding_t *finding =
            APR_ARRAY_IDX(kept, i, const ocspx_chains_finding_t *);

        APR_ARRAY_PUSH(generation->findings, ocspx_report_finding_t) =
            (ocspx_report_finding_t){
                .place = ocspx_chains_place(finding->server, pconf),
                .others = finding->others,
                .finding = finding->finding,
            };
    }
}

ocspx_report_source_t ocspx_source_of(const ocspx_generation_t *generation)
{
    return (ocspx_report_source_t){
        .registry = generation->registry,
        .cache = generation->cache,
        .ledger = generation->ledger,
        .others = generation->others,
        .findings = generation->findings,
        .share = generation->settings.share,
    };
}
