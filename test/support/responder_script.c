/* responder_script: from a script and a request to an answer. */
#include "responder_private.h"

#include <string.h>

#include <apr_strings.h>

#define OCSP_TYPE "application/ocsp-response"
#define CERT_TYPE "application/pkix-cert"
/** So many bytes are never all of an answer's head. */
#define IN_HEAD 30
/** So many bytes follow a response. */
#define TRAILED 3

#define DAY apr_time_from_sec(86400)
#define HOUR apr_time_from_sec(3600)
#define MINUTE apr_time_from_sec(60)

/** Who else appears in the answers of one issuer. */
typedef struct {
    const pki_t *issuer;
    const pki_t *stranger; /* a CA of the same name with another key */
    const pki_t *no_eku;   /* issued, but not for signing OCSP */
    const pki_t *expired;  /* was a delegated signer until yesterday */
    const pki_t *decoy;    /* another leaf */
} cast_t;

static cast_t *make_cast(const pki_t *issuer, apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    cast_t *cast = apr_palloc(p, sizeof(*cast));
    pki_spec_t stranger = {.cn = "Stranger", .ca = 1};
    pki_spec_t no_eku = {.cn = "No OCSP signer"};
    pki_spec_t expired = {.cn = "Expired OCSP signer",
                          .ocsp_signing = 1,
                          .not_before = now - 30 * DAY,
                          .not_after = now - DAY};
    pki_spec_t decoy = {.cn = "decoy.test"};

    cast->issuer = issuer;
    cast->stranger = pki_make(&stranger, NULL, p);
    cast->no_eku = pki_make(&no_eku, issuer, p);
    cast->expired = pki_make(&expired, issuer, p);
    cast->decoy = pki_make(&decoy, issuer, p);
    return cast;
}

static const cast_t *cast_of(responder_t *r, const pki_t *issuer)
{
    cast_t *cast;

    for (int i = 0; i < r->casts->nelts; i++) {
        cast = APR_ARRAY_IDX(r->casts, i, cast_t *);
        if (cast->issuer == issuer)
            return cast;
    }
    cast = make_cast(issuer, r->pool);
    APR_ARRAY_PUSH(r->casts, cast_t *) = cast;
    return cast;
}

static OCSP_CERTID *asked_about(OCSP_REQUEST *request)
{
    return OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
}

static const EVP_MD *digest_of(OCSP_REQUEST *request)
{
    ASN1_OBJECT *digest = NULL;

    OCSP_id_get0_info(NULL, &digest, NULL, NULL, asked_about(request));
    return EVP_get_digestbyobj(digest);
}

static int is_certid_of(const responder_cert_t *cert, OCSP_REQUEST *request)
{
    OCSP_CERTID *id = OCSP_cert_to_id(digest_of(request), cert->leaf->cert,
                                      cert->issuer->cert);
    int same = id != NULL && OCSP_id_cmp(id, asked_about(request)) == 0;

    OCSP_CERTID_free(id);
    return same;
}

/** The last certificate added with this serial number; -1: none. */
static int last_with_serial(const responder_t *r, const ASN1_INTEGER *serial)
{
    const int *last = apr_hash_get(r->by_serial, serial->data, serial->length);

    return last != NULL ? *last : -1;
}

void responder_script_enter(responder_t *r, int cert)
{
    responder_cert_t *entered = &r->certs[cert];
    const ASN1_INTEGER *serial = X509_get0_serialNumber(entered->leaf->cert);

    entered->same_serial = last_with_serial(r, serial);
    apr_hash_set(r->by_serial, serial->data, serial->length,
                 apr_pmemdup(r->pool, &cert, sizeof(cert)));
}

int responder_script_find(const responder_t *r, OCSP_REQUEST *request)
{
    ASN1_INTEGER *serial = NULL;
    int first = -1;

    if (OCSP_request_onereq_count(request) < 1 || digest_of(request) == NULL)
        return -1;
    OCSP_id_get0_info(NULL, NULL, NULL, &serial, asked_about(request));
    for (int i = last_with_serial(r, serial); i >= 0;
         i = r->certs[i].same_serial)
        if (is_certid_of(&r->certs[i], request))
            first = i;
    return first;
}

int responder_script_is_sha256(OCSP_REQUEST *request)
{
    return OCSP_request_onereq_count(request) > 0 &&
           digest_of(request) == EVP_sha256();
}

static void set_times(pki_single_t *single, pki_response_t *response,
                      const responder_script_t *script)
{
    apr_interval_time_t lifetime = script->lifetime ? script->lifetime : DAY;
    apr_time_t now = apr_time_now();
    apr_time_t at = now - script->age;

    if (script->answer == RESPONDER_EXPIRED)
        at = now - MINUTE - lifetime;
    response->produced_at = at;
    if (script->answer == RESPONDER_FUTURE)
        at = now + HOUR;
    single->this_update = at - at % APR_USEC_PER_SEC;
    single->next_update =
        script->no_next_update ? 0 : single->this_update + lifetime;
}

static void set_signer(pki_response_t *response, const responder_cert_t *cert,
                       const cast_t *cast, responder_answer_e answer)
{
    response->signer = cert->signer;
    if (answer == RESPONDER_WRONG_SIGNER)
        response->signer = cast->stranger;
    else if (answer == RESPONDER_SIGNER_NO_EKU)
        response->signer = cast->no_eku;
    else if (answer == RESPONDER_SIGNER_EXPIRED)
        response->signer = cast->expired;
    response->with_signer_cert = response->signer != cert->issuer;
    response->break_signature = answer == RESPONDER_BAD_SIGNATURE;
}

static const unsigned char *sign(apr_size_t *len, responder_t *r, int index,
                                 OCSP_REQUEST *request,
                                 const responder_script_t *script,
                                 apr_pool_t *p)
{
    const responder_cert_t *cert = &r->certs[index];
    const cast_t *cast = cast_of(r, cert->issuer);
    pki_single_t ours = {.cert = cert->leaf->cert,
                         .issuer = cert->issuer->cert,
                         .status = script->status,
                         .certid_md = digest_of(request)};
    pki_response_t response = {.count = 1, .padding = script->padding};
    pki_single_t singles[RESPONDER_SINGLES_MAX];

    set_times(&ours, &response, script);
    set_signer(&response, cert, cast, script->answer);
    singles[0] = singles[1] = singles[2] = ours;
    if (script->answer == RESPONDER_OTHER_CERTID ||
        script->answer == RESPONDER_SEVERAL)
        singles[0].cert = cast->decoy->cert;
    if (script->answer == RESPONDER_SEVERAL) {
        singles[2].cert = cast->no_eku->cert;
        response.count = 3;
    }
    response.singles = singles;
    if (script->craft != NULL)
        script->craft(&response, singles);
    return pki_response(len, &response, p);
}

/** What is right, or right but for the way it is sent. */
static void reply_body(responder_reply_t *reply, const char *type,
                       const unsigned char *body, apr_size_t len,
                       const responder_slot_t *slot, apr_pool_t *p)
{
    responder_answer_e answer = slot->script.answer;

    if (answer == RESPONDER_WRONG_TYPE)
        type = "text/plain";
    if (answer == RESPONDER_NO_TYPE)
        type = NULL;
    if (answer == RESPONDER_TRUNCATED)
        len /= 2;
    responder_http_build(reply, 200, type, body, len, slot, p);
    if (answer == RESPONDER_CUT || answer == RESPONDER_RESET_IN_BODY)
        reply->len -= len / 2;
    if (answer == RESPONDER_RESET_AFTER_HEAD)
        reply->len -= len;
    if (answer == RESPONDER_RESET_IN_HEAD)
        reply->len = IN_HEAD;
    reply->reset =
        answer >= RESPONDER_RESET_IN_HEAD && answer <= RESPONDER_RESET_IN_BODY;
    reply->close |= reply->reset || answer == RESPONDER_CUT;
}

static void reply_signed(responder_reply_t *reply, responder_t *r, int cert,
                         OCSP_REQUEST *request, const responder_slot_t *slot,
                         apr_pool_t *p)
{
    apr_size_t len;
    const unsigned char *der = sign(&len, r, cert, request, &slot->script, p);

    if (slot->script.answer == RESPONDER_TRAILED) {
        der = memcpy(apr_pcalloc(p, len + TRAILED), der, len);
        len += TRAILED;
    }
    reply_body(reply, OCSP_TYPE, der, len, slot, p);
}

void responder_script_error(responder_reply_t *reply, int ocsp_status,
                            const responder_slot_t *slot, apr_pool_t *p)
{
    apr_size_t len;
    const unsigned char *der = pki_response_error(&len, ocsp_status, p);

    responder_http_build(reply, 200, OCSP_TYPE, der, len, slot, p);
}

/** Answers in which no certificate plays a role. @return 0: not such */
static int reply_unsigned(responder_reply_t *reply, const char *type,
                          const responder_slot_t *slot, apr_pool_t *p)
{
    static const char html[] = "<html><body>Please log in.</body></html>\n";
    static const char noise[] = "This is no OCSP response.";
    const responder_script_t *script = &slot->script;
    responder_answer_e answer = script->answer;
    int status = script->http_status;

    if (answer == RESPONDER_HTTP) {
        responder_http_build(reply, status, "text/plain", slot->body,
                             script->body_len, slot, p);
    } else if (answer == RESPONDER_HTML) {
        responder_http_build(reply, 200, "text/html", html, sizeof(html) - 1,
                             slot, p);
    } else if (answer == RESPONDER_REDIRECT) {
        responder_http_build(reply, status ? status : 302, "text/plain", "", 0,
                             slot, p);
    } else if (answer == RESPONDER_OVERSIZED) {
        responder_http_build(reply, 200, type, apr_pcalloc(p, script->size),
                             script->size, slot, p);
    } else if (answer == RESPONDER_ENDLESS) {
        responder_http_endless(reply, type, slot, p);
    } else if (answer == RESPONDER_RAW) {
        reply->act = RESPONDER_SEND;
        reply->bytes = apr_pmemdup(p, slot->body, script->body_len);
        reply->len = script->body_len;
        reply->close = 1;
    } else if (answer == RESPONDER_REPLAY) {
        responder_http_build(reply, 200, type, slot->body, script->body_len,
                             slot, p);
    } else if (answer == RESPONDER_NOT_OCSP) {
        responder_http_build(reply, 200, type, noise, sizeof(noise) - 1, slot,
                             p);
    } else {
        return 0;
    }
    return 1;
}

/** The responseStatus of an answer that is only that; -1: not such. */
static int error_status(const responder_script_t *script)
{
    responder_answer_e answer = script->answer;

    if (script->ocsp_status != 0)
        return script->ocsp_status;
    if (answer == RESPONDER_TRY_LATER)
        return OCSP_RESPONSE_STATUS_TRYLATER;
    if (answer == RESPONDER_UNAUTHORIZED)
        return OCSP_RESPONSE_STATUS_UNAUTHORIZED;
    return answer == RESPONDER_INTERNAL ? OCSP_RESPONSE_STATUS_INTERNALERROR
                                        : -1;
}

/** Answers of the connection alone, and how to send any.
 * @return 0: an answer is still to be made */
static int reply_without_answer(responder_reply_t *reply,
                                const responder_script_t *script)
{
    responder_answer_e answer = script->answer;

    reply->delay_ms = script->delay_ms;
    reply->byte_ms = script->byte_ms;
    reply->close = script->close;
    if (answer == RESPONDER_HANG || answer == RESPONDER_BLACK_HOLE ||
        answer == RESPONDER_REFUSE)
        reply->act = RESPONDER_SAY_NOTHING;
    else if (answer == RESPONDER_RESET)
        reply->act = RESPONDER_DISCONNECT;
    else
        return 0;
    return 1;
}

void responder_script_reply(responder_reply_t *reply, responder_t *r, int cert,
                            OCSP_REQUEST *request, const responder_slot_t *slot,
                            apr_pool_t *p)
{
    int status = error_status(&slot->script);

    if (reply_without_answer(reply, &slot->script))
        return;
    if (status >= 0)
        responder_script_error(reply, status, slot, p);
    else if (!reply_unsigned(reply, OCSP_TYPE, slot, p))
        reply_signed(reply, r, cert, request, slot, p);
}

void responder_script_document(responder_reply_t *reply,
                               const responder_slot_t *slot, apr_pool_t *p)
{
    const char *type = slot->type[0] != '\0' ? slot->type : CERT_TYPE;

    if (!reply_without_answer(reply, &slot->script) &&
        !reply_unsigned(reply, type, slot, p))
        reply_body(reply, type, slot->body, slot->script.body_len, slot, p);
}
