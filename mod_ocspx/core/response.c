/* response: may these bytes be stapled for this certificate, and until when?
 *
 * The checks run in protocol order, each with its own sentence, and the first
 * that fails names the cause. They do not replace OpenSSL's verification of
 * the whole: OCSP_basic_verify has the last word on what they let pass.
 */
#include "response.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <string.h>

#include "signer.h"
#include "text.h"

/* What one SingleResponse says. */
typedef struct {
    int status;
    apr_time_t this_update;
    apr_time_t next_update;
    apr_time_t revoked_at;
} statement_t;

typedef struct {
    ocspx_response_t *out;
    const ocspx_cert_t *cert;
    const ocspx_response_policy_t *policy;
    apr_time_t now;
    apr_pool_t *pool;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    ocspx_signer_t signer;
} judge_t;

/* Every check is a function that returns 1, or 0 by way of this one. */
__attribute__((format(printf, 3, 4))) static int
reject(judge_t *j, ocspx_cause_e cause, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    j->out->verdict = OCSPX_RESPONSE_REJECT;
    j->out->cause = cause;
    j->out->message = apr_pvsprintf(j->pool, format, args);
    va_end(args);
    return 0;
}

static const char *when(const judge_t *j, apr_time_t t)
{
    return ocspx_text_time(t, j->pool);
}

static int check_size(judge_t *j, apr_size_t len)
{
    return len <= OCSPX_RESPONSE_SIZE_MAX ||
           reject(j, OCSPX_CAUSE_RESP_TOO_LARGE,
                  "%" APR_SIZE_T_FMT " bytes, more than the %d that a TLS "
                  "handshake has room for",
                  len, OCSPX_RESPONSE_SIZE_MAX);
}

static int check_encoding(judge_t *j, const unsigned char *der, apr_size_t len)
{
    const apr_size_t shown = len < 24 ? len : 24;
    const unsigned char *end = der;

    j->response = d2i_OCSP_RESPONSE(NULL, &end, (long)len);
    if (!j->response) {
        return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                      "%" APR_SIZE_T_FMT " bytes that are not an OCSP response "
                      "and begin with \"%s\"",
                      len,
                      ocspx_cert_printable((const char *)der, shown, j->pool));
    }
    if (end != der + len) {
        return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                      "the OCSP response is followed by %ld more bytes",
                      (long)(der + len - end));
    }
    return 1;
}

static ocspx_cause_e cause_of_error(int status)
{
    switch (status) {
    case OCSP_RESPONSE_STATUS_TRYLATER:
        return OCSPX_CAUSE_RESP_TRYLATER;
    case OCSP_RESPONSE_STATUS_UNAUTHORIZED:
    case OCSP_RESPONSE_STATUS_SIGREQUIRED: /* it answers others, not us */
        return OCSPX_CAUSE_RESP_UNAUTHORIZED;
    case OCSP_RESPONSE_STATUS_INTERNALERROR:
    case OCSP_RESPONSE_STATUS_MALFORMEDREQUEST: /* what we send is correct */
        return OCSPX_CAUSE_RESP_INTERNAL;
    default:
        return OCSPX_CAUSE_RESP_NOT_OCSP;
    }
}

static int check_response_status(judge_t *j)
{
    int status = OCSP_response_status(j->response);

    if (status == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return 1;
    return reject(j, cause_of_error(status),
                  "the responder answers with the error %d (%s)", status,
                  OCSP_response_status_str(status));
}

/* Lengths in BER, or bytes that follow the inner structure: OpenSSL overlooks
 * them, stricter clients do not, and no signature covers them. */
static int is_der(const judge_t *j, const unsigned char *der, apr_size_t len)
{
    OCSP_RESPONSE *again =
        OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, j->basic);
    unsigned char *bytes = NULL;
    int n = again ? i2d_OCSP_RESPONSE(again, &bytes) : 0;
    int equal = n > 0 && (apr_size_t)n == len && !memcmp(bytes, der, len);

    OPENSSL_free(bytes);
    OCSP_RESPONSE_free(again);
    return equal;
}

static int check_type(judge_t *j, const unsigned char *der, apr_size_t len)
{
    j->basic = OCSP_response_get1_basic(j->response);
    if (!j->basic) {
        return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                      "the OCSP response holds no readable basic response");
    }
    if (!is_der(j, der, len)) {
        return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                      "the OCSP response is not encoded in DER");
    }
    if (!ocspx_cert_time(&j->out->produced_at,
                         OCSP_resp_get0_produced_at(j->basic))) {
        return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                      "producedAt is not a readable time");
    }
    return 1;
}

static int reject_critical(judge_t *j, X509_EXTENSION *ext)
{
    char oid[80];

    OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(ext), 1);
    return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                  "the OCSP response has a critical extension (%s) that "
                  "clients need not understand",
                  oid);
}

/* All are unknown to some client: RFC 6960, 4.4 has none marked critical. */
static int check_extensions(judge_t *j)
{
    int at = OCSP_BASICRESP_get_ext_by_critical(j->basic, 1, -1);

    if (at >= 0)
        return reject_critical(j, OCSP_BASICRESP_get_ext(j->basic, at));
    for (int i = 0; i < OCSP_resp_count(j->basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(j->basic, i);

        at = OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1);
        if (at >= 0)
            return reject_critical(j, OCSP_SINGLERESP_get_ext(single, at));
    }
    return 1;
}

static int check_signer(judge_t *j)
{
    const ocspx_signer_t *signer = &j->signer;

    ocspx_signer_judge(&j->signer, j->basic, j->cert, j->now, j->pool);
    j->out->signer = signer->name;
    return signer->cause == OCSPX_CAUSE_NONE ||
           reject(j, signer->cause, "%s", signer->message);
}

static int read_statement(judge_t *j, statement_t *s, OCSP_SINGLERESP *single)
{
    ASN1_GENERALIZEDTIME *revoked = NULL;
    ASN1_GENERALIZEDTIME *from = NULL;
    ASN1_GENERALIZEDTIME *to = NULL;

    memset(s, 0, sizeof(*s));
    s->status = OCSP_single_get0_status(single, NULL, &revoked, &from, &to);
    if (!ocspx_cert_time(&s->this_update, from) ||
        (to && !ocspx_cert_time(&s->next_update, to)) ||
        (to && s->next_update == 0) || /* 0 stands for "none" */
        (revoked && !ocspx_cert_time(&s->revoked_at, revoked))) {
        return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                      "a time in the OCSP response is not readable");
    }
    return 1;
}

static int reject_certid(judge_t *j)
{
    char *serial =
        i2s_ASN1_INTEGER(NULL, X509_get0_serialNumber(j->cert->leaf));

    reject(j, OCSPX_CAUSE_WRONG_CERT,
           "none of %d statements is about %s with the serial number %s",
           OCSP_resp_count(j->basic), j->cert->name, serial ? serial : "?");
    OPENSSL_free(serial);
    return 0;
}

static int same(const statement_t *a, const statement_t *b)
{
    return a->status == b->status && a->this_update == b->this_update &&
           a->next_update == b->next_update;
}

/* Which of several counts is up to the client: they must agree. */
static int check_certid(judge_t *j, statement_t *ours)
{
    int found = 0;

    for (int i = 0; i < OCSP_resp_count(j->basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(j->basic, i);
        statement_t s;

        if (!ocspx_cert_matches(j->cert, OCSP_SINGLERESP_get0_id(single)))
            continue;
        if (!read_statement(j, &s, single))
            return 0;
        if (found && !same(&s, ours)) {
            return reject(j, OCSPX_CAUSE_RESP_NOT_OCSP,
                          "the OCSP response contradicts itself about %s",
                          j->cert->name);
        }
        *ours = s;
        found = 1;
    }
    return found || reject_certid(j);
}

static int check_objection(judge_t *j)
{
    const char *reason = j->signer.objection;

    return !reason || reject(j, OCSPX_CAUSE_SIGNER_UNKNOWN,
                             "signed by %s, but OpenSSL does not accept it: %s",
                             j->out->signer, reason);
}

static int check_future(judge_t *j)
{
    apr_interval_time_t ahead = j->out->this_update - j->now;

    if (ahead > j->policy->skew) {
        return reject(j, OCSPX_CAUSE_FUTURE,
                      "thisUpdate (%s) is %" APR_TIME_T_FMT " s ahead of this "
                      "server's clock, %" APR_TIME_T_FMT " s are tolerated",
                      when(j, j->out->this_update), apr_time_sec(ahead),
                      apr_time_sec(j->policy->skew));
    }
    return 1;
}

static int check_stale(judge_t *j)
{
    const ocspx_response_t *out = j->out;
    apr_interval_time_t age = j->now - out->this_update;

    if (out->next_update && out->next_update < out->this_update) {
        return reject(j, OCSPX_CAUSE_STALE,
                      "nextUpdate (%s) is before thisUpdate (%s)",
                      when(j, out->next_update), when(j, out->this_update));
    }
    if (out->next_update && out->next_update <= j->now) {
        return reject(j, OCSPX_CAUSE_STALE, "expired: nextUpdate was %s",
                      when(j, out->next_update));
    }
    if (!out->next_update && age >= OCSPX_RESPONSE_KEEP_OPEN) {
        return reject(j, OCSPX_CAUSE_STALE,
                      "without nextUpdate, and thisUpdate was %s",
                      when(j, out->this_update));
    }
    if (j->policy->max_age && age > j->policy->max_age) {
        return reject(j, OCSPX_CAUSE_STALE,
                      "thisUpdate was %s, longer ago than the %" APR_TIME_T_FMT
                      " s allowed",
                      when(j, out->this_update),
                      apr_time_sec(j->policy->max_age));
    }
    return 1;
}

/* Facts that are known to be authentic, whatever becomes of them. */
static int take_facts(judge_t *j, const statement_t *s)
{
    j->out->status = s->status;
    j->out->this_update = s->this_update;
    j->out->next_update = s->next_update;
    j->out->revoked_at = s->revoked_at;
    return 1;
}

static apr_time_t expiry(const judge_t *j)
{
    const ocspx_response_t *out = j->out;
    apr_time_t until = out->next_update
                           ? out->next_update
                           : out->this_update + OCSPX_RESPONSE_KEEP_OPEN;

    return j->signer.until && j->signer.until < until ? j->signer.until : until;
}

static void conclude_good(judge_t *j)
{
    ocspx_response_t *out = j->out;
    const char *until = when(j, out->expiry);

    out->verdict = OCSPX_RESPONSE_GOOD;
    if (out->expiry != j->signer.until) {
        out->message = apr_psprintf(j->pool, "good until %s", until);
        return;
    }
    out->message =
        apr_psprintf(j->pool, "good until %s, when its signer %s expires",
                     until, out->signer);
    if (out->expiry < out->next_update) {
        out->cause = OCSPX_CAUSE_SIGNER_EXPIRES_EARLY;
        out->message =
            apr_pstrcat(j->pool, out->message, ", before nextUpdate (",
                        when(j, out->next_update), ")", NULL);
    }
}

static void conclude(judge_t *j)
{
    ocspx_response_t *out = j->out;

    out->expiry = expiry(j);
    switch (out->status) {
    case V_OCSP_CERTSTATUS_GOOD:
        conclude_good(j);
        break;
    case V_OCSP_CERTSTATUS_REVOKED:
        out->verdict = OCSPX_RESPONSE_REVOKED;
        out->cause = OCSPX_CAUSE_REVOKED;
        out->message = apr_psprintf(j->pool, "%s was revoked at %s",
                                    j->cert->name, when(j, out->revoked_at));
        break;
    default: /* the type of the response has no fourth */
        out->verdict = OCSPX_RESPONSE_UNKNOWN;
        out->cause = OCSPX_CAUSE_UNKNOWN;
        out->message = apr_psprintf(j->pool, "the responder does not know %s",
                                    j->cert->name);
    }
}

static int check_all(judge_t *j, const unsigned char *der, apr_size_t len)
{
    statement_t ours = {.status = -1};

    return check_size(j, len) && check_encoding(j, der, len) &&
           check_response_status(j) && check_type(j, der, len) &&
           check_extensions(j) && check_signer(j) && check_certid(j, &ours) &&
           check_objection(j) && take_facts(j, &ours) && check_stale(j) &&
           check_future(j);
}

void ocspx_response_judge(ocspx_response_t *out, const unsigned char *der,
                          apr_size_t len, const ocspx_cert_t *cert,
                          const ocspx_response_policy_t *policy, apr_time_t now,
                          apr_pool_t *p)
{
    judge_t j = {
        .out = out, .cert = cert, .policy = policy, .now = now, .pool = p};

    memset(out, 0, sizeof(*out));
    out->status = -1;
    ERR_set_mark();
    if (check_all(&j, der, len))
        conclude(&j);
    OCSP_BASICRESP_free(j.basic);
    OCSP_RESPONSE_free(j.response);
    ERR_pop_to_mark();
}

const char *ocspx_response_verdict_name(ocspx_response_verdict_e verdict)
{
    switch (verdict) {
    case OCSPX_RESPONSE_GOOD:
        return "good";
    case OCSPX_RESPONSE_REVOKED:
        return "revoked";
    case OCSPX_RESPONSE_UNKNOWN:
        return "unknown";
    case OCSPX_RESPONSE_REJECT:
    default:
        return "reject";
    }
}
