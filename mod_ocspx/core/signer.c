/* signer: who signed a response, and may they? */
#include "signer.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"

typedef struct {
    ocspx_signer_t *out;
    OCSP_BASICRESP *basic;
    X509 *issuer;
    STACK_OF(X509) * issuers; /* the one issuer, as OpenSSL wants it */
    X509 *signer;             /* borrowed from basic, or the issuer */
    apr_time_t now;
    apr_pool_t *pool;
} judge_t;

/* Every check is a function that returns 1, or 0 by way of this one. */
__attribute__((format(printf, 3, 4))) static int
reject(judge_t *j, ocspx_cause_e cause, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    j->out->cause = cause;
    j->out->message = apr_pvsprintf(j->pool, format, args);
    va_end(args);
    return 0;
}

static const char *subject(const judge_t *j, const X509 *cert)
{
    return ocspx_cert_name(X509_get_subject_name(cert), j->pool);
}

static STACK_OF(X509) * stack_of(X509 *cert)
{
    STACK_OF(X509) *stack = sk_X509_new_null();

    if (stack && !sk_X509_push(stack, cert)) {
        sk_X509_free(stack);
        return NULL;
    }
    return stack;
}

static const char *responder_id(const judge_t *j)
{
    const ASN1_OCTET_STRING *key = NULL;
    const X509_NAME *name = NULL;
    const char *hex = "";

    if (!OCSP_resp_get0_id(j->basic, &key, &name))
        return "nobody";
    if (name)
        return ocspx_cert_name(name, j->pool);
    for (int i = 0; i < ASN1_STRING_length(key) && i < 20; i++) {
        hex =
            apr_psprintf(j->pool, "%s%02x", hex, ASN1_STRING_get0_data(key)[i]);
    }
    return apr_pstrcat(j->pool, "the key with the hash ", hex, NULL);
}

static int is_delegated(const judge_t *j)
{
    return X509_check_issued(j->issuer, j->signer) == X509_V_OK &&
           X509_verify(j->signer, X509_get0_pubkey(j->issuer)) == 1;
}

static int check_known(judge_t *j)
{
    if (!OCSP_resp_get0_signer(j->basic, &j->signer, j->issuers)) {
        return reject(j, OCSPX_CAUSE_SIGNER_UNKNOWN,
                      "signed by %s, who is neither the issuer (%s) nor in "
                      "the response with a certificate",
                      responder_id(j), subject(j, j->issuer));
    }
    j->out->name = subject(j, j->signer);
    if (j->signer != j->issuer && !is_delegated(j)) {
        return reject(j, OCSPX_CAUSE_SIGNER_UNKNOWN,
                      "signed by %s, whose certificate is not one the issuer "
                      "(%s) has issued",
                      j->out->name, subject(j, j->issuer));
    }
    return 1;
}

/* The mere absence of the extension would read as "everything is allowed". */
static int check_purpose(judge_t *j)
{
    if (j->signer == j->issuer ||
        ((X509_get_extension_flags(j->signer) & EXFLAG_XKUSAGE) &&
         (X509_get_extended_key_usage(j->signer) & XKU_OCSP_SIGN)))
        return 1;
    return reject(j, OCSPX_CAUSE_SIGNER_NO_EKU,
                  "signed by %s, whose certificate lacks the extended key "
                  "usage OCSPSigning",
                  j->out->name);
}

static int check_validity(judge_t *j)
{
    apr_time_t from;
    apr_time_t until;

    if (!ocspx_cert_time(&from, X509_get0_notBefore(j->signer)) ||
        !ocspx_cert_time(&until, X509_get0_notAfter(j->signer))) {
        return reject(j, OCSPX_CAUSE_SIGNER_EXPIRED,
                      "signed by %s, whose validity cannot be read",
                      j->out->name);
    }
    if (until <= j->now) {
        return reject(j, OCSPX_CAUSE_SIGNER_EXPIRED,
                      "signed by %s, whose certificate expired at %s",
                      j->out->name, ocspx_text_time(until, j->pool));
    }
    if (from > j->now) {
        return reject(j, OCSPX_CAUSE_SIGNER_EXPIRED,
                      "signed by %s, whose certificate is not valid before %s",
                      j->out->name, ocspx_text_time(from, j->pool));
    }
    j->out->until = j->signer == j->issuer ? 0 : until;
    return 1;
}

/* The digest of this signature algorithm, where it is one that can be forged:
 * less than SHA-1, which is bad for certificates but common in responses, and
 * which the strictest clients accept there. NULL: it is not */
static const char *forgeable(int algorithm)
{
    int digest = NID_undef;
    const EVP_MD *md;

    OBJ_find_sigid_algs(algorithm, &digest, NULL);
    md = EVP_get_digestbynid(digest);
    return md && EVP_MD_size(md) < SHA_DIGEST_LENGTH ? OBJ_nid2ln(digest)
                                                     : NULL;
}

/* Of the response, and of the certificate that lets its signer sign. */
static int check_digest(judge_t *j)
{
    const ASN1_OBJECT *algorithm;
    const char *digest;

    X509_ALGOR_get0(&algorithm, NULL, NULL,
                    OCSP_resp_get0_tbs_sigalg(j->basic));
    digest = forgeable(OBJ_obj2nid(algorithm));
    if (!digest && j->signer != j->issuer)
        digest = forgeable(X509_get_signature_nid(j->signer));
    return !digest || reject(j, OCSPX_CAUSE_BAD_SIGNATURE,
                             "signed by %s with %s, which anybody can forge",
                             j->out->name, digest);
}

static int check_signature(judge_t *j)
{
    if (!j->out->objection ||
        OCSP_basic_verify(j->basic, j->issuers, NULL, OCSP_NOVERIFY) > 0)
        return 1;
    return reject(j, OCSPX_CAUSE_BAD_SIGNATURE,
                  "the signature was not made with the key of %s, or the "
                  "response was changed since",
                  j->out->name);
}

static X509_STORE *make_store(X509 *issuer, apr_time_t now)
{
    X509_STORE *store = X509_STORE_new();

    if (store && X509_STORE_add_cert(store, issuer)) {
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store),
                                   (time_t)apr_time_sec(now));
        return store;
    }
    X509_STORE_free(store);
    return NULL;
}

/* OpenSSL's verdict on everything; NULL: it agrees. */
static const char *objection(const judge_t *j)
{
    X509_STORE *store = make_store(j->issuer, j->now);
    int ok = j->issuers && store &&
             OCSP_basic_verify(j->basic, j->issuers, store, 0) > 0;
    const char *reason;

    X509_STORE_free(store);
    if (ok)
        return NULL;
    reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "no reason given";
}

void ocspx_signer_judge(ocspx_signer_t *out, OCSP_BASICRESP *basic,
                        const ocspx_cert_t *cert, apr_time_t now, apr_pool_t *p)
{
    judge_t j = {.out = out,
                 .basic = basic,
                 .issuer = cert->issuer,
                 .issuers = stack_of(cert->issuer),
                 .now = now,
                 .pool = p};

    memset(out, 0, sizeof(*out));
    out->objection = objection(&j);
    (void)(check_known(&j) && check_purpose(&j) && check_validity(&j) &&
           check_digest(&j) && check_signature(&j));
    sk_X509_free(j.issuers);
}
