/* chain_served: who signed whom among the certificates that are sent, and what
 * is to be said of those the path does without.
 */
#include "chain_private.h"

#include <openssl/x509v3.h>

/* By name and key identifiers; not whether the issuer may sign: who did without
 * the right to is asked for elsewhere. */
static int fits(X509 *issuer, X509 *cert)
{
    int rv = X509_check_issued(issuer, cert);

    return rv == X509_V_OK || rv == X509_V_ERR_KEYUSAGE_NO_CERTSIGN;
}

static int same_key(const X509 *a, const X509 *b)
{
    return ASN1_STRING_cmp(X509_get0_pubkey_bitstr(a),
                           X509_get0_pubkey_bitstr(b)) == 0;
}

/* A signature is checked only where no key is known yet that made it. */
int ocspx_chain_signed(ocspx_chain_judge_t *j, int issuer, int cert)
{
    ocspx_chain_served_t *of = &j->served[cert];
    X509 *by = j->served[issuer].cert;

    if (!fits(by, of->cert))
        return 0;
    if (of->signer)
        return same_key(of->signer, by);
    if (j->checks_left == 0)
        return 1;
    j->checks_left--;
    if (X509_verify(of->cert, X509_get0_pubkey(by)) != 1)
        return 0;
    of->signer = by;
    return 1;
}

/* Breadth first, so that `below' leads down the shortest way. */
void ocspx_chain_tie(ocspx_chain_judge_t *j, int place, ocspx_chain_tie_e tie)
{
    int *queue =
        apr_palloc(j->scratch, (apr_size_t)j->served_count * sizeof(*queue));
    int n = 0;

    j->served[place].tie = tie;
    queue[n++] = place;
    for (int at = 0; at < n; at++) {
        for (int i = 0; i < j->served_count; i++) {
            ocspx_chain_served_t *above = &j->served[i];

            if (above->tie != OCSPX_CHAIN_LOOSE ||
                !ocspx_chain_signed(j, i, queue[at]))
                continue;
            above->tie = tie;
            above->below = queue[at];
            queue[n++] = i;
        }
    }
}

static void judge_copies(ocspx_chain_judge_t *j, int place)
{
    const ocspx_chain_served_t *served = &j->served[place];

    if (served->copies > 1) {
        ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_EXTRA, served->cert,
                           "%s is sent %d times",
                           ocspx_chain_name(j, served->cert), served->copies)
            ->remedy = "Leave it in the file once.";
    }
}

/* With a gap nobody knows what is above it. */
static void report_loose(ocspx_chain_judge_t *j, int place)
{
    X509 *cert = j->served[place].cert;
    ocspx_chain_finding_t *finding = ocspx_chain_report(
        j, OCSPX_CAUSE_CHAIN_EXTRA, cert,
        "%s has signed none of the certificates that are sent",
        ocspx_chain_name(j, cert));

    if (j->out->gap) {
        finding->remedy = "Complete the chain first; unless the certificate "
                          "that is missing was signed by this one, take it "
                          "out of the file.";
    }
}

/* RFC 5246, 7.4.2: each certifies one before it. */
static void judge_order(ocspx_chain_judge_t *j, int place)
{
    const ocspx_chain_served_t *served = &j->served[place];

    for (int i = 0; i < place; i++)
        if (ocspx_chain_signed(j, place, i))
            return;
    ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_ORDER, served->cert,
                       "%s comes before %s, which it has signed",
                       ocspx_chain_name(j, served->cert),
                       ocspx_chain_name(j, j->served[served->below].cert));
}

static void judge_root(ocspx_chain_judge_t *j, X509 *cert)
{
    if (ocspx_chain_self_signed(cert) &&
        !ocspx_chain_reported(j, OCSPX_CAUSE_CHAIN_PRIVATE, cert)) {
        ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_ROOT, cert,
                           "%s is a root certificate, which clients do not "
                           "take from servers",
                           ocspx_chain_name(j, cert));
    }
}

static void judge_alternative(ocspx_chain_judge_t *j, X509 *cert)
{
    const char *invalid = ocspx_chain_invalid(j, cert);
    ocspx_chain_finding_t *finding;

    if (!invalid)
        return;
    finding = ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_EXPIRED, cert,
                                 "%s, which the chain does not need, %s",
                                 ocspx_chain_name(j, cert), invalid);
    finding->severity = OCSPX_CAUSE_WARNING;
    finding->remedy = "Take it out of the file: some old clients choose it and "
                      "fail.";
}

static void judge_tied(ocspx_chain_judge_t *j, int place)
{
    const ocspx_chain_served_t *served = &j->served[place];

    judge_root(j, served->cert);
    if (!j->misplaced &&
        !ocspx_chain_reported(j, OCSPX_CAUSE_CHAIN_ORDER, served->cert))
        judge_order(j, place);
    if (served->depth < 0 || served->depth > j->end)
        judge_alternative(j, served->cert);
}

void ocspx_chain_served_judge(ocspx_chain_judge_t *j)
{
    for (int i = 0; i < j->served_count; i++) {
        judge_copies(j, i);
        if (j->served[i].tie == OCSPX_CHAIN_LOOSE)
            report_loose(j, i);
        else if (j->served[i].tie == OCSPX_CHAIN_TIED && i > 0)
            judge_tied(j, i);
    }
}
