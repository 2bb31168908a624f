/* chain_leaf: the leaf's names against those of the virtual host, and whether
 * it gets the staple it demands.
 */
#include "chain_private.h"

#include <apr_strings.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "cert.h"

/* So many of the names that are covered are shown. */
#define SHOWN_MAX 3

/* An address in brackets, as in a URL, without them. */
static const char *bare(const char *host, apr_pool_t *p)
{
    size_t len = strlen(host);

    if (host[0] == '[' && host[len - 1] == ']')
        return apr_pstrmemdup(p, host + 1, len - 2);
    return host;
}

/* "*.suffix" is covered by that very wildcard alone: nothing else covers every
 * name. Other patterns cannot be compared with a certificate. */
static int is_comparable(const char *host)
{
    const char *rest = strncmp(host, "*.", 2) ? host : host + 2;

    return *rest && !strpbrk(rest, "*?");
}

static int covers(X509 *leaf, const char *host, apr_pool_t *p)
{
    int rv = X509_check_ip_asc(leaf, bare(host, p), 0);

    if (rv != -2) /* -2: it is no address */
        return rv == 1;
    return X509_check_host(leaf, host, strlen(host), 0, NULL) == 1;
}

static const char *names_of(const ocspx_chain_judge_t *j, const X509 *leaf)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    const char *text = "";
    int n = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type != GEN_DNS || n++ >= SHOWN_MAX)
            continue;
        text = apr_pstrcat(
            j->scratch, text, *text ? ", " : "",
            ocspx_cert_printable(
                (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                (apr_size_t)ASN1_STRING_length(name->d.dNSName), j->scratch),
            NULL);
    }
    GENERAL_NAMES_free(names);
    return n > SHOWN_MAX
               ? apr_psprintf(j->scratch, "%s and %d more", text, n - SHOWN_MAX)
               : text;
}

static int is_repeated(const apr_array_header_t *hosts, int at)
{
    for (int i = 0; i < at; i++)
        if (!strcasecmp(APR_ARRAY_IDX(hosts, i, const char *),
                        APR_ARRAY_IDX(hosts, at, const char *)))
            return 1;
    return 0;
}

static void report_host(ocspx_chain_judge_t *j, X509 *leaf, const char *host)
{
    const char *names = names_of(j, leaf);

    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_NAME, leaf,
                       "%s does not cover %s%s%s%s", ocspx_chain_name(j, leaf),
                       ocspx_cert_printable(host, strlen(host), j->scratch),
                       *names ? " (only " : "", names, *names ? ")" : "");
}

static void judge_hosts(ocspx_chain_judge_t *j, X509 *leaf)
{
    const apr_array_header_t *hosts = j->question->hosts;

    for (int i = 0; hosts && i < hosts->nelts; i++) {
        const char *host = APR_ARRAY_IDX(hosts, i, const char *);

        if (is_comparable(host) && !covers(leaf, host, j->scratch) &&
            !is_repeated(hosts, i))
            report_host(j, leaf, host);
    }
}

static void judge_staple(ocspx_chain_judge_t *j, X509 *leaf)
{
    const char *why = j->question->unstapled;
    ocspx_cert_t *cert;

    /* Most have no such extension; then nothing else is read. */
    if (X509_get_ext_by_NID(leaf, NID_tlsfeature, -1) < 0 ||
        ocspx_cert_make(&cert, leaf, NULL, j->scratch) != APR_SUCCESS ||
        !cert->must_staple)
        return;
    if (why && !*why)
        return;
    if (why) {
        ocspx_chain_report(j, OCSPX_CAUSE_MUST_STAPLE_OFF, leaf,
                           "%s: clients demand a staple for it, but %s",
                           ocspx_chain_name(j, leaf), why);
    } else if (apr_is_empty_array(cert->urls) && !cert->bad_url) {
        ocspx_chain_report(j, OCSPX_CAUSE_MUST_STAPLE_OFF, leaf,
                           "%s: clients demand a staple for it, but it names "
                           "no responder to ask",
                           ocspx_chain_name(j, leaf))
            ->remedy = "Name the responder by SSLStaplingForceURL, or use a "
                       "certificate without the must-staple extension.";
    }
}

void ocspx_chain_leaf_judge(ocspx_chain_judge_t *j)
{
    X509 *leaf = j->served[0].cert;

    judge_hosts(j, leaf);
    judge_staple(j, leaf);
}
