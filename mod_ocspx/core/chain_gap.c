/* chain_gap: a path that does not end at a trusted root. */
#include "chain_private.h"

#include <apr_strings.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "cert.h"

/* So many addresses are shown. */
#define URLS_MAX 3

/* So many ways around a dead end are tried. */
#define DETOURS_MAX 10

/* --- words --------------------------------------------------------------- */

static const char *issuer_name(const ocspx_chain_judge_t *j, X509 *cert)
{
    const char *name = ocspx_cert_name(X509_get_issuer_name(cert), j->pool);
    const char *key = ocspx_chain_issuer_key(j, cert);

    return apr_pstrcat(j->pool, *name ? name : "an issuer without a name",
                       key ? " with the key " : NULL, key, NULL);
}

static const char *addresses(const ocspx_chain_judge_t *j)
{
    const char *text = "";

    for (int i = 0; i < j->out->urls->nelts && i < URLS_MAX; i++) {
        const char *url = APR_ARRAY_IDX(j->out->urls, i, const char *);

        text =
            apr_pstrcat(j->pool, text, i > 0 ? ", " : "",
                        ocspx_cert_printable(url, strlen(url), j->pool), NULL);
    }
    return text;
}

/* --- an issuer that is missing ------------------------------------------- */

static void report_missing(ocspx_chain_judge_t *j, int depth, int is_sent)
{
    X509 *needs = j->path[depth];
    const char *urls;

    ocspx_chain_open_gap(j, depth);
    urls = addresses(j);
    ocspx_chain_mend(
        j,
        ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_MISSING, needs,
                           "%s, which issued %s, %s; %s%s",
                           issuer_name(j, needs), ocspx_chain_name(j, needs),
                           is_sent ? "is sent, but leads to no trusted root"
                                   : "is neither sent nor trusted",
                           *urls ? "it can be fetched from "
                                 : "no http address is known to fetch it from",
                           urls),
        "Set OCSPXChainRepair on, or append");
}

/* A certificate of the trust store ends the path, and is no root. */
static void report_dead_end(ocspx_chain_judge_t *j, X509 *top)
{
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_MISSING, top,
                       "%s is trusted, but is no root, and %s, which issued "
                       "it, is not trusted",
                       ocspx_chain_name(j, top), issuer_name(j, top))
        ->remedy = "Add the root to the trusted certificates "
                   "(OCSPXChainTrust).";
}

/* --- a root that only others know ---------------------------------------- */

/* Public CAs say where their certificates are. */
static int is_private(const ocspx_chain_judge_t *j, int depth)
{
    return !j->question->trust->all && depth > 0 &&
           X509_check_ca(j->path[depth]) == 1 &&
           ocspx_cert_ca_issuers(j->path[depth], j->scratch)->nelts == 0;
}

static void report_private(ocspx_chain_judge_t *j, X509 *top)
{
    const char *what =
        ocspx_chain_self_signed(top)
            ? "a root that is not among the trusted ones"
            : apr_pstrcat(j->pool, "issued by ", issuer_name(j, top),
                          ", which is neither sent nor trusted", NULL);
    ocspx_chain_finding_t *finding = ocspx_chain_report(
        j, OCSPX_CAUSE_CHAIN_PRIVATE, top, "the chain ends at %s, %s",
        ocspx_chain_name(j, top), what);

    j->private_root = 1;
    if (j->question->trust->all) {
        finding->severity = OCSPX_CAUSE_ERROR;
        finding->remedy = "Add it to the trusted certificates "
                          "(OCSPXChainTrust) if clients know it; otherwise use "
                          "a certificate of a CA that they know.";
    }
}

static void report_self_signed(ocspx_chain_judge_t *j)
{
    X509 *leaf = j->path[0];
    int is_trusted =
        !ocspx_chain_path_has(j, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0);
    ocspx_chain_finding_t *finding =
        ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_SELF_SIGNED, leaf,
                           "%s names itself as its issuer, and is %strusted",
                           ocspx_chain_name(j, leaf), is_trusted ? "" : "not ");

    if (is_trusted)
        finding->severity = OCSPX_CAUSE_INFO;
}

/* --- the end of the path ------------------------------------------------- */

/* Place of one of those sent that has the name of the issuer, by preference
 * the issuer itself (the path may be a circle); -1: there is none. */
static int find_namesake(ocspx_chain_judge_t *j, int place)
{
    X509_NAME *name = X509_get_issuer_name(j->served[place].cert);
    int found = -1;

    for (int i = 0; i < j->served_count; i++) {
        if (i == place ||
            X509_NAME_cmp(X509_get_subject_name(j->served[i].cert), name) != 0)
            continue;
        if (ocspx_chain_signed(j, i, place))
            return i;
        if (found < 0)
            found = i;
    }
    return found;
}

static void judge_missing(ocspx_chain_judge_t *j, int depth)
{
    X509 *needs = j->path[depth];
    int place = ocspx_chain_path_place(j, depth);
    int namesake = find_namesake(j, place);
    int is_sent = namesake >= 0 && ocspx_chain_signed(j, namesake, place);
    STACK_OF(X509) *trusted =
        ocspx_chain_path_trusted(j, X509_get_issuer_name(needs));

    if (namesake >= 0 && !is_sent)
        ocspx_chain_twin_sent(j, namesake, depth);
    else if (!is_sent && sk_X509_num(trusted) > 0)
        ocspx_chain_twin_trusted(j, sk_X509_value(trusted, 0), depth);
    else if (is_private(j, depth))
        report_private(j, needs);
    else
        report_missing(j, depth, is_sent);
}

/* From the leaf (exclusive) up to @a place. */
static int way_up(const ocspx_chain_judge_t *j, X509 **above, int place)
{
    int count = 0;
    int n;

    for (int i = place; i > 0; i = j->served[i].below)
        count++;
    n = count;
    for (int i = place; i > 0; i = j->served[i].below)
        above[--n] = j->served[i].cert;
    return count;
}

static int may_lead_on(const ocspx_chain_judge_t *j, int place)
{
    const ocspx_chain_served_t *served = &j->served[place];

    return served->tie == OCSPX_CHAIN_TIED && served->depth < 0 &&
           sk_X509_num(ocspx_chain_path_trusted(
               j, X509_get_issuer_name(served->cert))) > 0;
}

/* @return how many are @a above the leaf; 0: there is no other way */
static int find_detour(ocspx_chain_judge_t *j, X509 **above)
{
    int tries = 0;

    for (int i = 1; i < j->served_count && tries < DETOURS_MAX; i++) {
        if (may_lead_on(j, i)) {
            int count = way_up(j, above, i);

            if (ocspx_chain_path_holds(j, above, count))
                return count;
            tries++;
        }
    }
    return 0;
}

/* Clients that went wrong do not turn back, so this is an error of order. */
static int judge_detour(ocspx_chain_judge_t *j)
{
    X509 **above =
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are kept */
        apr_palloc(j->scratch, (apr_size_t)j->served_count * sizeof(*above));
    int count = find_detour(j, above);
    int fork = 1;
    ocspx_chain_finding_t *finding;

    while (fork <= count && fork < j->path_count &&
           j->path[fork] == above[fork - 1])
        fork++;
    if (fork > count || fork == j->path_count)
        return 0;
    finding = ocspx_chain_report(
        j, OCSPX_CAUSE_CHAIN_ORDER, above[fork - 1],
        "%s, by which a trusted root is reached, comes behind %s, by which "
        "none is, and many clients try only the first",
        ocspx_chain_full_name(j, above[fork - 1]),
        ocspx_chain_full_name(j, j->path[fork]));
    finding->severity = OCSPX_CAUSE_ERROR;
    finding->remedy = "Put it before the other one in the file, or take the "
                      "other one out.";
    j->end = fork - 1;
    return 1;
}

/* The end of a path that is too long is nothing but where OpenSSL stopped. */
static int has_no_root(const ocspx_chain_judge_t *j)
{
    static const int codes[] = {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
                                X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                                X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN};

    if (ocspx_chain_path_error(j, X509_V_ERR_CERT_CHAIN_TOO_LONG) >= 0)
        return 0;
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (ocspx_chain_path_error(j, codes[i]) >= 0)
            return 1;
    return 0;
}

static void report_damaged(ocspx_chain_judge_t *j, X509 *top)
{
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_REFUSED, top,
                       "clients find no issuer of %s: its extensions cannot "
                       "be read",
                       ocspx_chain_name(j, top));
}

static void judge_open_end(ocspx_chain_judge_t *j)
{
    int last = j->path_count - 1;
    X509 *top = j->path[last];

    if (X509_get_extension_flags(top) & EXFLAG_INVALID)
        report_damaged(j, top);
    else if (last >= j->trusted)
        report_dead_end(j, top);
    else if (judge_detour(j))
        return;
    else if (ocspx_chain_self_signed(top))
        report_private(j, top);
    else
        judge_missing(j, last);
}

void ocspx_chain_gap_judge(ocspx_chain_judge_t *j)
{
    int forged = ocspx_chain_path_error(j, X509_V_ERR_CERT_SIGNATURE_FAILURE);

    if (forged >= 0 && forged < j->path_count - 1)
        ocspx_chain_twin_taken(j, forged);
    else if (ocspx_chain_self_signed(j->path[0]))
        report_self_signed(j);
    else if (has_no_root(j))
        judge_open_end(j);
}
