/* chain_flaws: what is wrong with the certificates of the path: times, strength
 * of keys and signatures, rights.
 */
#include "chain_private.h"

#include <apr_strings.h>
#include <openssl/x509v3.h>

#include "cert.h"
#include "text.h"

/* What OCSPX_CHAIN_LEVEL means. */
#define LEVEL_BITS 112

/* Certificates that live no longer are renewed in their last third. */
#define SHORT_LIVED apr_time_from_sec(7 * 86400)

/* --- times --------------------------------------------------------------- */

static const char *span(apr_time_t t, apr_pool_t *p)
{
    static const struct {
        apr_int64_t seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}};
    apr_int64_t seconds = apr_time_sec(t);

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (seconds >= 2 * units[i].seconds) {
            return apr_psprintf(p, "%" APR_INT64_T_FMT " %s",
                                seconds / units[i].seconds, units[i].name);
        }
    }
    return "less than two minutes";
}

/* Compared as OpenSSL compares, which also wants the form of RFC 5280. */
const char *ocspx_chain_invalid(const ocspx_chain_judge_t *j, const X509 *cert)
{
    time_t now = j->now;
    int from = X509_cmp_time(X509_get0_notBefore(cert), &now);
    int until = X509_cmp_time(X509_get0_notAfter(cert), &now);
    apr_time_t when;

    if (from == 0 || until == 0)
        return "has a validity that cannot be read";
    if (until < 0) {
        ocspx_cert_time(&when, X509_get0_notAfter(cert));
        return apr_psprintf(j->pool, "expired at %s, %s ago",
                            ocspx_text_time(when, j->pool),
                            span(j->question->now - when, j->pool));
    }
    if (from > 0) {
        ocspx_cert_time(&when, X509_get0_notBefore(cert));
        return apr_psprintf(j->pool, "is not valid before %s, %s from now",
                            ocspx_text_time(when, j->pool),
                            span(when - j->question->now, j->pool));
    }
    return NULL;
}

static void judge_soon(ocspx_chain_judge_t *j, X509 *cert)
{
    apr_time_t from;
    apr_time_t until;
    apr_time_t left;

    if (!ocspx_cert_time(&from, X509_get0_notBefore(cert)) ||
        !ocspx_cert_time(&until, X509_get0_notAfter(cert)))
        return;
    left = until - j->question->now;
    if (left >
        (until - from <= SHORT_LIVED ? (until - from) / 3 : OCSPX_CHAIN_SOON))
        return;
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_EXPIRED, cert,
                       "%s expires at %s, in %s", ocspx_chain_name(j, cert),
                       ocspx_text_time(until, j->pool), span(left, j->pool))
        ->severity = OCSPX_CAUSE_WARNING;
}

/* Clients have their own copy of a root. */
static void judge_time(ocspx_chain_judge_t *j, int depth)
{
    X509 *cert = j->path[depth];
    const char *invalid = ocspx_chain_invalid(j, cert);

    if (invalid) {
        ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_EXPIRED, cert, "%s %s",
                           ocspx_chain_name(j, cert), invalid);
    } else if (ocspx_chain_path_place(j, depth) >= 0 &&
               !(depth >= j->trusted && ocspx_chain_self_signed(cert))) {
        judge_soon(j, cert);
    }
}

/* --- strength ------------------------------------------------------------ */

static const char *weak_key(const ocspx_chain_judge_t *j, int depth)
{
    const EVP_PKEY *key = X509_get0_pubkey(j->path[depth]);

    if (!ocspx_chain_path_has(j, X509_V_ERR_EE_KEY_TOO_SMALL, depth) &&
        !ocspx_chain_path_has(j, X509_V_ERR_CA_KEY_TOO_SMALL, depth))
        return NULL;
    if (!key)
        return "has a key that cannot be used";
    return apr_psprintf(j->pool, "has a key of only %d bits (%s)",
                        EVP_PKEY_bits(key), OBJ_nid2sn(EVP_PKEY_base_id(key)));
}

/* OpenSSL passes over the last of the path, whose signature matters where it
 * is no root. */
static int has_weak_signature(const ocspx_chain_judge_t *j, int depth)
{
    X509 *cert = j->path[depth];
    int bits;

    if (depth < j->path_count - 1)
        return ocspx_chain_path_has(j, X509_V_ERR_CA_MD_TOO_WEAK, depth);
    return !ocspx_chain_self_signed(cert) &&
           (!X509_get_signature_info(cert, NULL, NULL, &bits, NULL) ||
            bits < LEVEL_BITS);
}

static void judge_strength(ocspx_chain_judge_t *j, int depth)
{
    X509 *cert = j->path[depth];
    const char *key = weak_key(j, depth);
    const char *signature = "";

    if (has_weak_signature(j, depth)) {
        signature = apr_pstrcat(j->pool, key ? " and " : "", "is signed with ",
                                OBJ_nid2ln(X509_get_signature_nid(cert)), NULL);
    } else if (!key) {
        return;
    }
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_WEAK, cert, "%s %s%s",
                       ocspx_chain_name(j, cert), key ? key : "", signature);
}

/* --- rights -------------------------------------------------------------- */

static void report_no_ca(ocspx_chain_judge_t *j, int depth)
{
    X509 *cert = j->path[depth];
    const char *why = "has an extended key usage that excludes TLS servers";

    if (ocspx_chain_reported(j, OCSPX_CAUSE_CHAIN_NOT_CA, cert))
        return;
    if (!(X509_get_extension_flags(cert) & EXFLAG_CA))
        why = "is not a CA certificate";
    else if (!(X509_get_key_usage(cert) & KU_KEY_CERT_SIGN))
        why = "has a key usage without keyCertSign";
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_NOT_CA, cert,
                       "%s, which signed %s, %s", ocspx_chain_name(j, cert),
                       ocspx_chain_name(j, j->path[depth - 1]), why);
}

static void report_no_server(ocspx_chain_judge_t *j)
{
    X509 *leaf = j->path[0];
    const char *why = "has a key usage that excludes TLS";

    if (!(X509_get_extended_key_usage(leaf) & (XKU_SSL_SERVER | XKU_SGC)))
        why = "has an extended key usage without serverAuth";
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_NOT_SERVER, leaf, "%s %s",
                       ocspx_chain_name(j, leaf), why);
}

static void report_path_length(ocspx_chain_judge_t *j, int depth)
{
    X509 *cert = j->path[depth];

    if (ocspx_chain_reported(j, OCSPX_CAUSE_CHAIN_NOT_CA, cert))
        return;
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_NOT_CA, cert,
                       "%s allows for %ld CA certificates below it (path "
                       "length), and there are more",
                       ocspx_chain_name(j, cert), X509_get_pathlen(cert));
}

/* The lowest CA above that does not allow a name of this one. */
static X509 *find_constraint(const ocspx_chain_judge_t *j, int depth,
                             int (*check)(X509 *, NAME_CONSTRAINTS *))
{
    for (int d = depth + 1; d <= j->end; d++) {
        NAME_CONSTRAINTS *names =
            X509_get_ext_d2i(j->path[d], NID_name_constraints, NULL, NULL);
        int ok = !names || check(j->path[depth], names) == X509_V_OK;

        NAME_CONSTRAINTS_free(names);
        if (!ok)
            return j->path[d];
    }
    return NULL;
}

static void report_constraint(ocspx_chain_judge_t *j, int code, int depth)
{
    X509 *ca = find_constraint(j, depth, NAME_CONSTRAINTS_check);

    if (!ca)
        ca = find_constraint(j, depth, NAME_CONSTRAINTS_check_CN);
    if (!ca || ocspx_chain_reported(j, OCSPX_CAUSE_CHAIN_NOT_CA, ca))
        return;
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_NOT_CA, ca,
                       "%s does not allow a name of %s (name constraints: %s)",
                       ocspx_chain_name(j, ca),
                       ocspx_chain_name(j, j->path[depth]),
                       X509_verify_cert_error_string(code));
}

static void report_refusal(ocspx_chain_judge_t *j, int code, int depth)
{
    X509 *cert = j->path[depth];

    if (ocspx_chain_reported(j, OCSPX_CAUSE_CHAIN_REFUSED, cert))
        return;
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_REFUSED, cert,
                       "clients refuse %s: %s", ocspx_chain_name(j, cert),
                       X509_verify_cert_error_string(code));
}

static void judge_error(ocspx_chain_judge_t *j, int code, int depth)
{
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* chain_gap */
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD: /* judge_time */
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: /* judge_strength */
        break;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        report_no_ca(j, depth);
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        if (depth > 0)
            report_no_ca(j, depth);
        else
            report_no_server(j);
        break;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        report_path_length(j, depth);
        break;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
        report_constraint(j, code, depth);
        break;
    default:
        report_refusal(j, code, depth);
        break;
    }
}

void ocspx_chain_flaws_judge(ocspx_chain_judge_t *j)
{
    for (int i = 0; i < j->errors->nelts; i++) {
        const ocspx_chain_error_t *error =
            &APR_ARRAY_IDX(j->errors, i, ocspx_chain_error_t);

        if (error->depth <= j->end)
            judge_error(j, error->code, error->depth);
    }
    for (int depth = 0; depth <= j->end; depth++) {
        judge_time(j, depth);
        judge_strength(j, depth);
    }
}
