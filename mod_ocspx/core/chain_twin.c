/* chain_twin: certificates that have the name of an issuer, but not its key. */
#include "chain_private.h"

#include <apr_strings.h>
#include <openssl/x509v3.h>

static ocspx_chain_finding_t *report_twin(ocspx_chain_judge_t *j, X509 *twin,
                                          const char *is, X509 *needs)
{
    const char *key = ocspx_chain_issuer_key(j, needs);

    return ocspx_chain_report(
        j, OCSPX_CAUSE_CHAIN_WRONG_KEY, twin,
        "%s, which is %s, has the name of the issuer of %s, but not its key%s",
        ocspx_chain_full_name(j, twin), is, ocspx_chain_name(j, needs),
        key ? apr_pstrcat(j->pool, " ", key, NULL) : "");
}

static void report_wrong_key(ocspx_chain_judge_t *j, X509 *twin, int is_sent,
                             int depth)
{
    ocspx_chain_open_gap(j, depth);
    ocspx_chain_mend(
        j, report_twin(j, twin, is_sent ? "sent" : "trusted", j->path[depth]),
        is_sent ? "Take it out of the file and append" : "Append");
}

/* Is there one that OpenSSL would have found, had it not taken the twin? */
static int has_signer(ocspx_chain_judge_t *j, int depth)
{
    X509 *cert = j->path[depth];
    int place = ocspx_chain_path_place(j, depth);
    STACK_OF(X509) *trusted =
        ocspx_chain_path_trusted(j, X509_get_issuer_name(cert));

    for (int i = 0; i < j->served_count && place >= 0; i++)
        if (ocspx_chain_signed(j, i, place))
            return 1;
    for (int i = 0; i < sk_X509_num(trusted); i++)
        if (ocspx_chain_issued(sk_X509_value(trusted, i), cert))
            return 1;
    return 0;
}

/* Where a CA has changed its key, the old one may have signed the new one. */
static const char *remedy_of(const ocspx_chain_judge_t *j, int is_sent,
                             int place)
{
    if (!is_sent)
        return "Take it out of the trusted certificates, or have certificates "
               "issued that carry key identifiers.";
    if (j->served[place].tie == OCSPX_CHAIN_TIED)
        return "Put it behind the one that really signed, which is sent, too.";
    return "Take it out of the file: the one that really signed is sent, too.";
}

/* Without key identifiers OpenSSL takes the first of the name. */
void ocspx_chain_twin_taken(ocspx_chain_judge_t *j, int depth)
{
    X509 *twin = j->path[depth + 1];
    int place = ocspx_chain_path_place(j, depth + 1);
    int is_sent = depth + 1 < j->trusted;

    j->end = depth;
    if (has_signer(j, depth)) {
        report_twin(j, twin, is_sent ? "sent first" : "trusted", j->path[depth])
            ->remedy = remedy_of(j, is_sent, place);
    } else {
        report_wrong_key(j, twin, is_sent, depth);
    }
    if (place >= 0)
        ocspx_chain_tie(j, place, OCSPX_CHAIN_BLAMED);
}

/* Nothing that cannot be read was found to have signed anything. */
static int is_readable(X509 *cert)
{
    return !(X509_get_extension_flags(cert) & EXFLAG_INVALID) &&
           X509_get0_pubkey(cert);
}

void ocspx_chain_twin_sent(ocspx_chain_judge_t *j, int place, int depth)
{
    X509 *twin = j->served[place].cert;

    ocspx_chain_tie(j, place, OCSPX_CHAIN_BLAMED);
    if (is_readable(twin)) {
        report_wrong_key(j, twin, 1, depth);
        return;
    }
    ocspx_chain_open_gap(j, depth);
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_REFUSED, twin,
                       "clients find no issuer of %s: the extensions or the "
                       "key of %s cannot be read",
                       ocspx_chain_name(j, j->path[depth]),
                       ocspx_chain_name(j, twin));
}

void ocspx_chain_twin_trusted(ocspx_chain_judge_t *j, X509 *twin, int depth)
{
    report_wrong_key(j, twin, 0, depth);
}
