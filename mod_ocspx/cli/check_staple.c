/* check_staple: what was stapled to a certificate, or was not, and what its
 * responder says.
 */
#include <apr_strings.h>
#include <stdlib.h>

#include "check_judge.h"

/* A clock that is off by more than this is worth a word. */
#define CLOCK_TOLERANCE apr_time_from_sec(300)

/* "TLS 1.3 with ECDSA, TLS 1.2 with ECDSA" */
static const char *in_words(unsigned handshakes, apr_pool_t *p)
{
    const char *text = "";

    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        if (handshakes & 1u << i)
            text = apr_pstrcat(p, text, *text ? ", " : "", cli_check_version(i),
                               " with ", cli_check_key(i), NULL);
    return text;
}

/* --- the staple ------------------------------------------------------ */

static int names_responder(const ocspx_cert_t *cert)
{
    return cert->bad_url || !apr_is_empty_array(cert->urls);
}

static void judge_missing(const cli_judge_t *j, const cli_check_cert_t *cert)
{
    unsigned missing = cert->handshakes & ~cert->stapled;
    int demanded = cert->cert->must_staple;

    if (!missing || (!demanded && !names_responder(cert->cert)))
        return;
    cli_judge_add(
        j, (ocspx_chain_finding_t){
               .cause = OCSPX_CAUSE_STAPLE_MISSING,
               .severity = demanded ? OCSPX_CAUSE_ERROR : OCSPX_CAUSE_WARNING,
               .subject = cert->subject,
               .message = apr_psprintf(
                   j->pool, "%s %s, but none is sent in %s", cert->cert->name,
                   demanded ? "demands a staple" : "can have a staple",
                   in_words(missing, j->pool))});
}

/* A good one may have a note. */
static void tell_staple(const cli_judge_t *j, const cli_check_cert_t *cert,
                        const ocspx_response_t *staple)
{
    ocspx_chain_finding_t f = {
        .cause = staple->cause,
        .severity = OCSPX_CAUSE_ERROR,
        .subject = cert->subject,
        .message = staple->message,
    };

    if (staple->verdict == OCSPX_RESPONSE_GOOD) {
        f.severity = ocspx_cause_severity(f.cause);
    } else if (staple->cause != OCSPX_CAUSE_REVOKED) {
        f.message = apr_pstrcat(
            j->pool, "clients refuse the staple: ", staple->message, NULL);
        f.remedy = "Have the server fetch a current response, as mod_ocspx "
                   "does, or renew the file that it staples from; no staple "
                   "at all does less harm.";
    }
    cli_judge_add(j, f);
}

/* Without its issuer nobody can tell; the chain may be to blame or may not. */
static void doubt_staple(const cli_judge_t *j, const cli_check_cert_t *cert,
                         ocspx_response_t *staple)
{
    *staple = (ocspx_response_t){
        .verdict = OCSPX_RESPONSE_REJECT,
        .cause = OCSPX_CAUSE_CHAIN_MISSING,
        .status = -1,
        .message = apr_psprintf(j->pool,
                                "the staple cannot be verified: the issuer of "
                                "%s is neither sent nor trusted",
                                cert->cert->name)};
    cli_judge_add(
        j, (ocspx_chain_finding_t){
               .cause = staple->cause,
               .severity = OCSPX_CAUSE_WARNING,
               .subject = cert->subject,
               .message = staple->message,
               .remedy = "Have the server send its issuer; for a private CA, "
                         "name its certificates by --trust."});
}

static int is_worse(const ocspx_response_t *a, const ocspx_response_t *b)
{
    int a_good = a->verdict == OCSPX_RESPONSE_GOOD;
    int b_good = b->verdict == OCSPX_RESPONSE_GOOD;

    if (!a_good || !b_good)
        return b_good;
    return a->expiry < b->expiry;
}

static void judge_staple(const cli_judge_t *j, cli_check_cert_t *cert, int i)
{
    static const ocspx_response_policy_t policy = {
        .skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    const cli_handshake_t *handshake = &j->host->handshakes[i];
    ocspx_response_t staple;

    if (cert->cert->issuer) {
        ocspx_response_judge(&staple, handshake->staple, handshake->staple_len,
                             cert->cert, &policy, j->host->now, j->pool);
        if (staple.cause)
            tell_staple(j, cert, &staple);
    } else {
        doubt_staple(j, cert, &staple);
    }
    if (!cert->stapled || is_worse(&staple, &cert->staple))
        cert->staple = staple;
    cert->stapled |= 1u << i;
}

static void judge_each(const cli_judge_t *j, cli_check_cert_t *cert)
{
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        if ((cert->handshakes & 1u << i) && j->host->handshakes[i].staple)
            judge_staple(j, cert, i);
}

/* --- the responder --------------------------------------------------- */

static void judge_clock(const cli_judge_t *j, const cli_check_cert_t *cert)
{
    const cli_answer_t *answer = cert->answer;
    apr_interval_time_t ahead = answer->at - answer->date;

    if (!answer->date || llabs(ahead) <= CLOCK_TOLERANCE ||
        answer->response.cause == OCSPX_CAUSE_SERVER_CLOCK)
        return;
    cli_judge_add(j, (ocspx_chain_finding_t){
                         .cause = OCSPX_CAUSE_SERVER_CLOCK,
                         .severity = OCSPX_CAUSE_WARNING,
                         .subject = cert->subject,
                         .message = apr_psprintf(
                             j->pool,
                             "this machine's clock is %" APR_INT64_T_FMT
                             " s %s that of %s",
                             (apr_int64_t)llabs(apr_time_sec(ahead)),
                             ahead > 0 ? "ahead of" : "behind", answer->url)});
}

static const char *responder_message(const cli_judge_t *j,
                                     const cli_check_cert_t *cert)
{
    const ocspx_response_t *said = &cert->answer->response;

    if (said->verdict == OCSPX_RESPONSE_GOOD)
        return said->message;
    if (said->verdict != OCSPX_RESPONSE_REVOKED)
        return apr_pstrcat(
            j->pool, "the responder, asked from here: ", said->message, NULL);
    if (cert->stapled && cert->staple.verdict == OCSPX_RESPONSE_GOOD)
        return apr_pstrcat(j->pool, said->message,
                           ", but the staple still says good", NULL);
    return said->message;
}

static ocspx_cause_severity_e responder_severity(const ocspx_response_t *said)
{
    if (said->verdict == OCSPX_RESPONSE_GOOD)
        return ocspx_cause_severity(said->cause);
    return said->verdict == OCSPX_RESPONSE_REJECT ? OCSPX_CAUSE_WARNING
                                                  : OCSPX_CAUSE_ERROR;
}

static int is_said_by_staple(const cli_check_cert_t *cert)
{
    const ocspx_response_t *said = &cert->answer->response;

    return cli_is_useful(said) && cert->stapled &&
           cert->staple.cause == said->cause;
}

static void judge_responder(const cli_judge_t *j, const cli_check_cert_t *cert)
{
    const ocspx_response_t *said = &cert->answer->response;

    judge_clock(j, cert);
    if (!said->cause || is_said_by_staple(cert))
        return;
    cli_judge_add(
        j, (ocspx_chain_finding_t){.cause = said->cause,
                                   .severity = responder_severity(said),
                                   .subject = cert->subject,
                                   .message = responder_message(j, cert)});
}

static void judge_bad_url(const cli_judge_t *j, const cli_check_cert_t *cert)
{
    if (cert->cert->bad_url)
        cli_judge_add(j,
                      (ocspx_chain_finding_t){
                          .cause = OCSPX_CAUSE_BAD_URL,
                          .severity = OCSPX_CAUSE_WARNING,
                          .subject = cert->subject,
                          .message = apr_pstrcat(j->pool, cert->cert->name,
                                                 " names the responder ",
                                                 cert->cert->bad_url, NULL)});
}

/* --- the whole ------------------------------------------------------- */

void cli_judge_staples(const cli_judge_t *j, cli_check_cert_t *cert)
{
    judge_each(j, cert);
    judge_missing(j, cert);
    judge_bad_url(j, cert);
    if (cert->answer)
        judge_responder(j, cert);
}
