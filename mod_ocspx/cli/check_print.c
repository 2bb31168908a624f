/* check_print: what is known of hosts, in words and as JSON. */
#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../core/text.h"
#include "check.h"
#include "cli.h"
#include "findings.h"

static const char *const words[] = {
    [CLI_NAGIOS_OK] = "ok",
    [CLI_NAGIOS_WARNING] = "warning",
    [CLI_NAGIOS_CRITICAL] = "critical",
    [CLI_NAGIOS_UNKNOWN] = "unknown",
};

static const char *const results[] = {
    [CLI_HANDSHAKE_UNTRIED] = "not tried",
    [CLI_HANDSHAKE_DONE] = "done",
    [CLI_HANDSHAKE_NOT_OFFERED] = "not offered",
    [CLI_HANDSHAKE_CLOSED] = "closed",
    [CLI_HANDSHAKE_FAILED] = "failed",
    [CLI_HANDSHAKE_HOPELESS] = "failed",
};

static const char *peer_of(const cli_check_host_t *host)
{
    const cli_address_t *peer = host->handshakes[0].peer;

    return peer ? peer->text : NULL;
}

/* By how much the responder's clock is ahead. */
static apr_int64_t clock_difference(const cli_answer_t *answer)
{
    return apr_time_sec(answer->date - answer->at);
}

/* --- in words -------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void
print_member(const char *label, const char *format, ...)
{
    va_list args;

    printf("  %-12s", label);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* Each version takes two handshakes: "ECDSA, RSA not offered". */
static void print_handshakes(const cli_check_host_t *host)
{
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i += 2) {
        const cli_handshake_t *h = &host->handshakes[i];

        print_member(cli_check_version(i), "%s %s, %s %s", cli_check_key(i),
                     results[h[0].result], cli_check_key(i + 1),
                     results[h[1].result]);
    }
}

static const char *describe_staple(const cli_check_cert_t *cert)
{
    if (cert->stapled)
        return cert->staple.message;
    if (!cert->cert || cert->cert->must_staple || cert->cert->bad_url ||
        !apr_is_empty_array(cert->cert->urls))
        return "none is sent";
    return "none; the certificate names no responder";
}

static const char *describe_age(const cli_check_cert_t *cert, apr_pool_t *p)
{
    apr_interval_time_t newer =
        cert->answer->response.this_update - cert->staple.this_update;

    if (!cert->stapled || !cert->staple.this_update ||
        !cert->answer->response.this_update)
        return "";
    if (!newer)
        return ", as old as the staple";
    return apr_psprintf(p, ", %" APR_INT64_T_FMT " s %s than the staple",
                        (apr_int64_t)llabs(apr_time_sec(newer)),
                        newer > 0 ? "newer" : "older");
}

static void print_answer(const cli_check_cert_t *cert, apr_pool_t *p)
{
    const cli_answer_t *answer = cert->answer;

    print_member(
        "responder", "%s, %" APR_TIME_T_FMT " ms%s", answer->url,
        apr_time_as_msec(answer->took),
        answer->date
            ? apr_psprintf(p, ", its clock differs by %" APR_INT64_T_FMT " s",
                           clock_difference(answer))
            : "");
    print_member("", "%s%s", answer->response.message, describe_age(cert, p));
}

static void print_cert(const cli_check_cert_t *cert, apr_pool_t *p)
{
    printf("\n  %-12s%s", cert->key, cert->subject);
    if (cert->cert)
        printf(", until %s%s", ocspx_text_time(cert->cert->not_after, p),
               cert->cert->must_staple ? ", demands a staple" : "");
    putchar('\n');
    print_member("chain", "%s",
                 cert->chain.complete ? "complete" : "not complete");
    print_member("staple", "%s", describe_staple(cert));
    if (cert->answer)
        print_answer(cert, p);
}

static void print_host(const cli_check_host_t *host, apr_pool_t *p)
{
    printf("%s - %s: %s\n", cli_nagios_name(host->state), host->target->label,
           host->summary);
    if (peer_of(host)) {
        print_member("connected", "%s", peer_of(host));
        print_handshakes(host);
    }
    for (int i = 0; i < host->certs->nelts; i++)
        print_cert(APR_ARRAY_IDX(host->certs, i, cli_check_cert_t *), p);
    cli_findings_print(host->findings, "  ");
}

void cli_check_print(const apr_array_header_t *hosts, apr_pool_t *p)
{
    for (int i = 0; i < hosts->nelts; i++) {
        if (i)
            putchar('\n');
        print_host(APR_ARRAY_IDX(hosts, i, cli_check_host_t *), p);
    }
}

/* --- as JSON --------------------------------------------------------- */

static json_t *handshake_json(const cli_check_host_t *host, int i)
{
    const cli_handshake_t *h = &host->handshakes[i];

    return json_pack("{s:s, s:s, s:s, s:b, s:s?}", "version",
                     cli_check_version(i), "key", cli_check_key(i), "result",
                     results[h->result], "stapled", h->staple != NULL,
                     "message", h->error.message);
}

static json_t *handshakes_json(const cli_check_host_t *host)
{
    json_t *json = json_array();

    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        json_array_append_new(json, handshake_json(host, i));
    return json;
}

static json_t *responder_json(const cli_answer_t *answer, apr_pool_t *p)
{
    json_t *json;

    if (!answer)
        return json_null();
    json = cli_json(&answer->response, p);
    json_object_set_new(json, "url", json_string(answer->url));
    json_object_set_new(json, "answered", json_boolean(answer->answered));
    json_object_set_new(json, "milliseconds",
                        json_integer(apr_time_as_msec(answer->took)));
    json_object_set_new(json, "clockDifference",
                        answer->date ? json_integer(clock_difference(answer))
                                     : json_null());
    return json;
}

static json_t *cert_json(const cli_check_cert_t *cert, apr_pool_t *p)
{
    const ocspx_cert_t *c = cert->cert;

    return json_pack(
        "{s:s, s:s, s:s?, s:b, s:b, s:o, s:o}", "key", cert->key, "subject",
        cert->subject, "notAfter", c ? cli_time_or_null(c->not_after, p) : NULL,
        "mustStaple", c && c->must_staple, "complete", cert->chain.complete,
        "staple", cert->stapled ? cli_json(&cert->staple, p) : json_null(),
        "responder", responder_json(cert->answer, p));
}

static json_t *certs_json(const cli_check_host_t *host, apr_pool_t *p)
{
    json_t *json = json_array();

    for (int i = 0; i < host->certs->nelts; i++)
        json_array_append_new(
            json,
            cert_json(APR_ARRAY_IDX(host->certs, i, cli_check_cert_t *), p));
    return json;
}

static json_t *host_json(const cli_check_host_t *host, apr_pool_t *p)
{
    return json_pack("{s:s, s:i, s:s?, s:s, s:s, s:o, s:o, s:o}", "host",
                     host->target->host, "port", host->target->port,
                     "connected", peer_of(host), "status", words[host->state],
                     "summary", host->summary, "handshakes",
                     handshakes_json(host), "certificates", certs_json(host, p),
                     "findings", cli_findings_json(host->findings));
}

void cli_check_print_json(const apr_array_header_t *hosts, apr_pool_t *p)
{
    json_t *json = json_array();

    for (int i = 0; i < hosts->nelts; i++)
        json_array_append_new(
            json, host_json(APR_ARRAY_IDX(hosts, i, cli_check_host_t *), p));
    cli_print_json(json);
}
