/* check_judge: what the facts about a host mean. No I/O, no clock. */
#include <apr_strings.h>
#include <string.h>

#include "../core/text.h"
#include "check_judge.h"

static ocspx_chain_finding_t *finding_at(const apr_array_header_t *findings,
                                         int i)
{
    return &APR_ARRAY_IDX(findings, i, ocspx_chain_finding_t);
}

static int known(const cli_judge_t *j, const ocspx_chain_finding_t *f)
{
    const apr_array_header_t *findings = j->host->findings;

    for (int i = 0; i < findings->nelts; i++) {
        const ocspx_chain_finding_t *other = finding_at(findings, i);

        if (other->cause == f->cause && !strcmp(other->message, f->message))
            return 1;
    }
    return 0;
}

void cli_judge_add(const cli_judge_t *j, ocspx_chain_finding_t f)
{
    if (!f.remedy)
        f.remedy = ocspx_cause_remedy(f.cause);
    if (!known(j, &f))
        APR_ARRAY_PUSH(j->host->findings, ocspx_chain_finding_t) = f;
}

/* --- the connection -------------------------------------------------- */

static const char *connection_remedy(ocspx_cause_e cause)
{
    if (cause == OCSPX_CAUSE_DNS)
        return "Check the spelling, and look the name up on this machine "
               "(getent hosts NAME); --connect goes to an address instead.";
    if (cause == OCSPX_CAUSE_CONNECT_REFUSED ||
        cause == OCSPX_CAUSE_CONNECT_TIMEOUT)
        return "Check that the server is up and listens there, and that no "
               "firewall is in between.";
    return NULL;
}

static int any_done(const cli_check_host_t *host)
{
    return !apr_is_empty_array(host->certs);
}

/* What a server does not offer is an error only where it offers nothing; and
 * some end the connection in place of saying so. */
static int is_error(const cli_check_host_t *host, const cli_handshake_t *h)
{
    switch (h->result) {
    case CLI_HANDSHAKE_FAILED:
    case CLI_HANDSHAKE_HOPELESS:
        return 1;
    case CLI_HANDSHAKE_NOT_OFFERED:
    case CLI_HANDSHAKE_CLOSED:
        return !any_done(host);
    case CLI_HANDSHAKE_UNTRIED:
    case CLI_HANDSHAKE_DONE:
    default:
        return 0;
    }
}

static void refuse(const cli_judge_t *j, const cli_net_error_t *error)
{
    cli_judge_add(
        j, (ocspx_chain_finding_t){.cause = error->cause,
                                   .severity = OCSPX_CAUSE_ERROR,
                                   .subject = j->host->target->label,
                                   .message = error->message,
                                   .remedy = connection_remedy(error->cause)});
}

static int offers_nothing(const cli_check_host_t *host)
{
    int refused = 0;

    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        refused += host->handshakes[i].result == CLI_HANDSHAKE_NOT_OFFERED;
    return refused == CLI_CHECK_HANDSHAKES;
}

static void judge_handshakes(const cli_judge_t *j)
{
    const cli_check_host_t *host = j->host;
    cli_net_error_t first = host->handshakes[0].error;

    if (host->unresolved.cause)
        refuse(j, &host->unresolved);
    if (offers_nothing(host)) {
        first.message = apr_pstrcat(
            j->pool, "neither TLS 1.3 nor TLS 1.2, neither ECDSA nor RSA: ",
            first.message, NULL);
        refuse(j, &first);
        return;
    }
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        if (is_error(host, &host->handshakes[i]))
            refuse(j, &host->handshakes[i].error);
}

/* --- the chain ------------------------------------------------------- */

static void judge_chain(const cli_judge_t *j, cli_check_cert_t *cert)
{
    apr_array_header_t *hosts =
        apr_array_make(j->pool, 1, sizeof(const char *));
    ocspx_chain_question_t question = {
        .served = cert->served,
        .trust = j->trust,
        .hosts = hosts,
        .now = j->host->now,
    };

    APR_ARRAY_PUSH(hosts, const char *) = j->host->target->host;
    ocspx_chain_judge(&cert->chain, &question, j->pool);
    for (int i = 0; i < cert->chain.findings->nelts; i++) {
        ocspx_chain_finding_t f = *finding_at(cert->chain.findings, i);

        if (f.cause == OCSPX_CAUSE_CHAIN_NAME)
            f.severity = OCSPX_CAUSE_ERROR; /* it was asked for by this one */
        /* Whether it is stapled need not be guessed from the certificate. */
        if (f.cause != OCSPX_CAUSE_MUST_STAPLE_OFF)
            cli_judge_add(j, f);
    }
}

/* --- the whole ------------------------------------------------------- */

static void judge_cert(const cli_judge_t *j, cli_check_cert_t *cert)
{
    judge_chain(j, cert);
    if (cert->cert)
        cli_judge_staples(j, cert);
}

/* Worst first, otherwise as they were. */
static void sort(apr_array_header_t *findings)
{
    for (int i = 1; i < findings->nelts; i++)
        for (int k = i; k > 0 && finding_at(findings, k)->severity >
                                     finding_at(findings, k - 1)->severity;
             k--) {
            ocspx_chain_finding_t f = *finding_at(findings, k);

            *finding_at(findings, k) = *finding_at(findings, k - 1);
            *finding_at(findings, k - 1) = f;
        }
}

/* What a finding means to a monitoring system, here and nowhere else. */
static cli_nagios_e state_of(const cli_check_host_t *host)
{
    static const cli_nagios_e states[] = {
        [OCSPX_CAUSE_INFO] = CLI_NAGIOS_OK,
        [OCSPX_CAUSE_WARNING] = CLI_NAGIOS_WARNING,
        [OCSPX_CAUSE_ERROR] = CLI_NAGIOS_CRITICAL,
    };

    if (host->unresolved.cause)
        return CLI_NAGIOS_UNKNOWN;
    return apr_is_empty_array(host->findings)
               ? CLI_NAGIOS_OK
               : states[finding_at(host->findings, 0)->severity];
}

static const char *sum_up_good(const cli_check_host_t *host, apr_pool_t *p)
{
    apr_time_t until = 0;

    for (int i = 0; i < host->certs->nelts; i++) {
        const cli_check_cert_t *cert =
            APR_ARRAY_IDX(host->certs, i, cli_check_cert_t *);

        if (cert->stapled && (!until || cert->staple.expiry < until))
            until = cert->staple.expiry;
    }
    if (!until)
        return "chain complete, nothing to staple";
    return apr_pstrcat(p, "chain complete, stapled until ",
                       ocspx_text_time(until, p), NULL);
}

static const char *sum_up_bad(const cli_check_host_t *host, apr_pool_t *p)
{
    const ocspx_chain_finding_t *first = finding_at(host->findings, 0);
    int more = -1;
    char *text;

    for (int i = 0; i < host->findings->nelts; i++)
        more += finding_at(host->findings, i)->severity != OCSPX_CAUSE_INFO;
    text =
        apr_pstrcat(p, ocspx_cause_code(first->cause), ": ", first->message,
                    more ? apr_psprintf(p, " (and %d more)", more) : "", NULL);
    /* To Nagios, what follows is not for people. */
    for (char *bar = text; (bar = strchr(bar, '|'));)
        *bar = '/';
    return text;
}

void cli_check_judge(cli_check_host_t *host, const ocspx_chain_trust_t *trust,
                     apr_pool_t *p)
{
    cli_judge_t j = {.host = host, .trust = trust, .pool = p};

    host->findings = apr_array_make(p, 4, sizeof(ocspx_chain_finding_t));
    judge_handshakes(&j);
    for (int i = 0; i < host->certs->nelts; i++)
        judge_cert(&j, APR_ARRAY_IDX(host->certs, i, cli_check_cert_t *));
    sort(host->findings);
    host->state = state_of(host);
    host->summary = host->state == CLI_NAGIOS_OK ? sum_up_good(host, p)
                                                 : sum_up_bad(host, p);
}
