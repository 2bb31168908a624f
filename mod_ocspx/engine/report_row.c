/* report_row: one certificate in full. Everything in it can be printed: what
 * the certificate, the configuration and the shared memory say is escaped and
 * cut, whoever wrote it.
 */
#include "egress.h"
#include "report_private.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define NAMES_MAX 100

static const char *printable(const char *text, apr_pool_t *p)
{
    return ocspx_cert_printable(text, strlen(text), p);
}

/* --- what the certificate says --------------------------------------- */

static const char *key_name(const EVP_PKEY *key, apr_pool_t *p)
{
    int type = EVP_PKEY_base_id(key);

    switch (type) {
    case EVP_PKEY_EC:
        return apr_psprintf(p, "EC %d", EVP_PKEY_bits(key));
    case EVP_PKEY_RSA:
        return apr_psprintf(p, "RSA %d", EVP_PKEY_bits(key));
    case EVP_PKEY_RSA_PSS:
        return apr_psprintf(p, "RSA-PSS %d", EVP_PKEY_bits(key));
    case EVP_PKEY_ED25519:
        return "Ed25519";
    case EVP_PKEY_ED448:
        return "Ed448";
    default:
        return OBJ_nid2sn(type);
    }
}

/* NULL: of a kind that OpenSSL cannot read. */
static const char *key_type(const X509 *leaf, apr_pool_t *p)
{
    const char *name = NULL;
    const EVP_PKEY *key;

    ERR_set_mark();
    key = X509_get0_pubkey(leaf);
    if (key)
        name = key_name(key, p);
    ERR_pop_to_mark();
    return name;
}

/* In hex; RFC 5280 allows 20 bytes, others may not have read it. */
static const char *serial(const X509 *leaf, apr_pool_t *p)
{
    const ASN1_INTEGER *number = X509_get0_serialNumber(leaf);
    apr_size_t len = (apr_size_t)ASN1_STRING_length(number);
    const char *hex = apr_pescape_hex(p, ASN1_STRING_get0_data(number),
                                      len > 64 ? 64 : len, 0);

    return apr_pstrcat(
        p, ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER ? "-" : "", hex,
        len > 64 ? "..." : "", NULL);
}

static const apr_array_header_t *vhosts(const apr_array_header_t *places,
                                        apr_pool_t *p)
{
    int n = places->nelts > NAMES_MAX ? NAMES_MAX : places->nelts, i;
    apr_array_header_t *list = apr_array_make(p, n + 1, sizeof(const char *));

    for (i = 0; i < n; i++)
        APR_ARRAY_PUSH(list, const char *) =
            printable(APR_ARRAY_IDX(places, i, const char *), p);
    if (n < places->nelts)
        APR_ARRAY_PUSH(list, const char *) =
            apr_psprintf(p, "... and %d more", places->nelts - n);
    return list;
}

static void tell_cert(ocspx_report_row_t *row, const ocspx_cert_t *cert,
                      apr_pool_t *p)
{
    row->name = cert->name;
    row->names = ocspx_report_names(cert->leaf, NAMES_MAX, p);
    row->subject = ocspx_cert_name(X509_get_subject_name(cert->leaf), p);
    row->issuer = ocspx_cert_name(X509_get_issuer_name(cert->leaf), p);
    row->key_type = key_type(cert->leaf, p);
    row->fingerprint = cert->id;
    row->serial = serial(cert->leaf, p);
    row->must_staple = cert->must_staple;
    ocspx_cert_time(&row->not_before, X509_get0_notBefore(cert->leaf));
    row->not_after = cert->not_after;
}

/* --- what became of it ----------------------------------------------- */

static const char *source_name(apr_uint32_t source)
{
    static const char *const names[] = {
        [OCSPX_CACHE_NETWORK] = "network",
        [OCSPX_CACHE_DISK] = "disk",
        [OCSPX_CACHE_FILE] = "file",
        [OCSPX_CACHE_SHARED] = "shared",
    };

    return source <= OCSPX_CACHE_SHARED ? names[source] : NULL;
}

/* Of the segment; NULL: empty. */
static const char *text_in(const char *text, apr_size_t size, apr_pool_t *p)
{
    apr_size_t len = strnlen(text, size);

    return len ? ocspx_cert_printable(text, len, p) : NULL;
}

static void tell_cause(ocspx_report_row_t *row, ocspx_cause_e cause,
                       const char *message)
{
    if (cause > OCSPX_CAUSE_NONE && cause < OCSPX_CAUSE_COUNT) {
        row->cause = ocspx_cause_code(cause);
        row->cause_line = ocspx_cause_line(cause);
        row->remedy = ocspx_cause_remedy(cause);
    }
    row->message = message ? message : row->cause_line;
}

static void tell_trouble(ocspx_report_row_t *row,
                         const ocspx_report_look_t *look,
                         const ocspx_ledger_t *ledger, apr_pool_t *p)
{
    const ocspx_cache_state_t *state = &look->state;
    ocspx_cause_e cause = (ocspx_cause_e)state->cause;
    const char *message = text_in(state->message, sizeof(state->message), p);

    if (state->failures)
        tell_cause(row, ocspx_egress_cause(ledger, cause), message);
    else if (state->revoked)
        tell_cause(row, OCSPX_CAUSE_REVOKED, message);
    else if (look->bytes && cause == OCSPX_CAUSE_SIGNER_EXPIRES_EARLY)
        tell_cause(row, cause, message);
    else if (look->verdict == OCSPX_REPORT_NOT_APPLICABLE)
        tell_cause(row, OCSPX_CAUSE_NO_URL, NULL);
}

static void tell_response(ocspx_report_row_t *row,
                          const ocspx_report_look_t *look)
{
    const ocspx_cache_state_t *state = &look->state;

    row->revoked = state->revoked != 0;
    row->this_update = state->this_update;
    row->next_update = state->next_update;
    row->fetched = state->fetched;
    row->held_until = look->bytes ? state->held.until : 0;
    row->safe_until = look->safe_until;
    row->bytes = (apr_int64_t)look->bytes;
    row->source = look->bytes ? source_name(state->source) : NULL;
}

static void tell_attempts(ocspx_report_row_t *row,
                          const ocspx_cache_state_t *state, apr_pool_t *p)
{
    row->next_try = state->due;
    row->address = text_in(state->peer, sizeof(state->peer), p);
    row->latency = state->tried ? state->took : -1;
    row->http_status = state->http_status;
    row->failing_since = state->failing_since;
    row->tries = state->failures;
    row->requests = state->requests;
}

static void tell_handshakes(ocspx_report_row_t *row,
                            const ocspx_report_look_t *look)
{
    row->stapled = look->stapled;
    row->empty = look->empty;
    row->expired = look->expired;
    row->asked = row->stapled + row->empty + row->expired;
}

static const char *responder(const ocspx_registry_entry_t *entry, apr_pool_t *p)
{
    if (entry->policy->response_file)
        return printable(entry->policy->response_file, p);
    if (apr_is_empty_array(entry->urls))
        return NULL;
    return printable(APR_ARRAY_IDX(entry->urls, 0, const char *), p);
}

/* Looks at the cache anew, so that the row agrees with itself. */
static void tell_entry(ocspx_report_row_t *row,
                       const ocspx_report_source_t *source,
                       const ocspx_registry_entry_t *entry, apr_time_t now,
                       apr_pool_t *p)
{
    ocspx_report_look_t look;

    ocspx_report_look(&look, source, entry, now);
    row->index = entry->index;
    row->state = ocspx_report_state_name(look.verdict);
    row->responder = responder(entry, p);
    if (source->cache)
        tell_trouble(row, &look, source->ledger, p);
    else
        row->message = "stapling could not be set up: see the error log";
    tell_response(row, &look);
    tell_attempts(row, &look.state, p);
    tell_handshakes(row, &look);
}

static void tell_other(ocspx_report_row_t *row,
                       const ocspx_report_other_t *other, apr_pool_t *p)
{
    row->index = -1U;
    row->state = ocspx_report_state_name(other->state);
    row->latency = -1;
    tell_cause(row, other->cause, printable(other->reason, p));
}

static void tell(ocspx_report_row_t *row, const ocspx_report_source_t *source,
                 const ocspx_report_item_t *item, apr_time_t now, apr_pool_t *p)
{
    memset(row, 0, sizeof(*row));
    tell_cert(row, item->cert, p);
    row->vhosts = vhosts(ocspx_report_places(item), p);
    if (item->entry)
        tell_entry(row, source, item->entry, now, p);
    else
        tell_other(row, item->other, p);
}

void ocspx_report_row(ocspx_report_row_t *row, const ocspx_report_t *report,
                      unsigned i, apr_pool_t *p)
{
    tell(row, report->source, &report->items[i], report->totals.generated, p);
}

void ocspx_report_entry(ocspx_report_row_t *row,
                        const ocspx_report_source_t *source, unsigned index,
                        apr_time_t now, apr_pool_t *p)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(source->registry, index);
    const ocspx_report_item_t item = {.cert = entry->cert, .entry = entry};

    tell(row, source, &item, now, p);
}

unsigned
ocspx_report_history(ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS],
                     const ocspx_report_t *report)
{
    if (!report->cert || !report->count || !report->items->entry ||
        !report->source->ledger)
        return 0;
    return ocspx_ledger_attempts(attempts, report->source->ledger,
                                 report->items->entry->index);
}
