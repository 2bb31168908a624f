/* fetch_verdict: what libcurl saw -> cause and sentence. */
#include "fetch_verdict.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <string.h>

#include "../core/cert.h"

#define OCSP_TYPE "application/ocsp-response"

/* --- names ----------------------------------------------------------- */

static const char *url_part(CURLU *handle, CURLUPart part, unsigned flags,
                            apr_pool_t *p)
{
    const char *copy = NULL;
    char *text;

    if (curl_url_get(handle, part, &text, flags) == CURLUE_OK) {
        copy = apr_pstrdup(p, text);
        curl_free(text);
    }
    return copy;
}

/* "host:port"; never a user name or password, which a proxy's URL may have. */
static const char *host_port(const char *url, unsigned flags, apr_pool_t *p)
{
    CURLU *handle = curl_url();
    const char *host = NULL, *port = NULL;

    if (handle && curl_url_set(handle, CURLUPART_URL, url,
                               CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) ==
                      CURLUE_OK) {
        host = url_part(handle, CURLUPART_HOST, 0, p);
        port = url_part(handle, CURLUPART_PORT, flags, p);
    }
    curl_url_cleanup(handle);
    if (!host)
        return "a URL without host";
    return port ? apr_psprintf(p, "%.100s:%s", host, port)
                : apr_psprintf(p, "%.100s", host);
}

static const char *server_name(const char *url, apr_pool_t *p)
{
    return host_port(url, CURLU_DEFAULT_PORT, p);
}

/* A proxy has another default port than its scheme, and it may change. */
static const char *proxy_name(const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    return facts->proxy && *facts->proxy ? host_port(facts->proxy, 0, p) : NULL;
}

/* "ocsp.example.com:80 through proxy squid:3128 [192.0.2.1:3128] (redirected
 * from other.example.com:80)", as far as it applies. */
static const char *who(const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    const char *name = server_name(facts->answered, p);
    const char *proxy = proxy_name(facts, p);
    const char *text = name;

    if (proxy)
        text = apr_pstrcat(p, text, " through proxy ", proxy, NULL);
    if (*facts->peer && strcmp(facts->peer, proxy ? proxy : name) != 0)
        text = apr_pstrcat(p, text, " [", facts->peer, "]", NULL);
    if (facts->redirects)
        text = apr_pstrcat(p, text, " (redirected from ",
                           server_name(facts->url, p), ")", NULL);
    return text;
}

/* --- one step each --------------------------------------------------- */

static void refuse(ocspx_fetch_verdict_t *out, ocspx_cause_e cause,
                   const char *message)
{
    out->cause = cause;
    out->message = message;
}

static long ms(const ocspx_fetch_facts_t *facts)
{
    return (long)apr_time_as_msec(facts->took);
}

static void unresolved(ocspx_fetch_verdict_t *out,
                       const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    out->unreachable = 1;
    refuse(out, OCSPX_CAUSE_DNS,
           apr_psprintf(p, "%s: the name was not resolved, after %ld ms",
                        who(facts, p), ms(facts)));
}

static void proxy_unresolved(ocspx_fetch_verdict_t *out,
                             const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    out->unreachable = 1;
    refuse(out, OCSPX_CAUSE_PROXY_DENIED,
           apr_psprintf(p, "%s: %s, after %ld ms", who(facts, p), facts->words,
                        ms(facts)));
}

/* Nobody out there has anything to do with it. */
static void out_of_resources(ocspx_fetch_verdict_t *out,
                             const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    char words[120];

    out->unreachable = 1;
    refuse(out, OCSPX_CAUSE_SERVER_LIMITS,
           apr_psprintf(p, "%s could not be asked: %s", who(facts, p),
                        facts->os_errno
                            ? apr_strerror((apr_status_t)facts->os_errno, words,
                                           sizeof(words))
                            : curl_easy_strerror(facts->code)));
}

static int lacks_resources(long os_errno)
{
    return os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS ||
           os_errno == ENOMEM;
}

static void unconnected(ocspx_fetch_verdict_t *out,
                        const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    char words[120];

    out->unreachable = 1;
    if (lacks_resources(facts->os_errno))
        out_of_resources(out, facts, p);
    else if (facts->os_errno == ECONNREFUSED)
        refuse(out, OCSPX_CAUSE_CONNECT_REFUSED,
               apr_psprintf(p, "%s refused the connection, after %ld ms",
                            who(facts, p), ms(facts)));
    else
        refuse(out, OCSPX_CAUSE_CONNECT_TIMEOUT,
               apr_psprintf(p, "%s: no connection, after %ld ms: %s",
                            who(facts, p), ms(facts),
                            apr_strerror((apr_status_t)facts->os_errno, words,
                                         sizeof(words))));
}

static void timed_out(ocspx_fetch_verdict_t *out,
                      const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    out->unreachable = !facts->heard;
    if (!facts->resolved)
        unresolved(out, facts, p);
    else if (!facts->connected)
        refuse(out, OCSPX_CAUSE_CONNECT_TIMEOUT,
               apr_psprintf(p, "%s accepted no connection within %ld ms",
                            who(facts, p), ms(facts)));
    else
        refuse(out, OCSPX_CAUSE_RESP_TIMEOUT,
               apr_psprintf(p,
                            "%s gave no complete answer to %s within %ld ms "
                            "(%s)",
                            who(facts, p), facts->method, ms(facts),
                            facts->heard
                                ? apr_psprintf(p, "%" APR_SIZE_T_FMT " bytes",
                                               facts->body_len)
                                : "nothing came"));
}

static void too_many_redirects(ocspx_fetch_verdict_t *out,
                               const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    refuse(out, OCSPX_CAUSE_INTERCEPTED,
           apr_psprintf(p, "%s redirects again after %ld redirects",
                        who(facts, p), facts->redirects));
}

static void bad_url(ocspx_fetch_verdict_t *out,
                    const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    if (facts->redirects)
        refuse(out, OCSPX_CAUSE_INTERCEPTED,
               apr_psprintf(p, "%s redirects to something that is not http: %s",
                            server_name(facts->url, p), facts->answered));
    else
        refuse(out, OCSPX_CAUSE_BAD_URL,
               apr_psprintf(p, "%s cannot be asked: %s", facts->url,
                            *facts->words ? facts->words
                                          : curl_easy_strerror(facts->code)));
}

/* TLS, a broken connection, or something that is not HTTP. */
static void broken(ocspx_fetch_verdict_t *out, const ocspx_fetch_facts_t *facts,
                   apr_pool_t *p)
{
    refuse(out, OCSPX_CAUSE_RESP_HTTP,
           apr_psprintf(p, "%s gave no answer to %s, after %ld ms: %s",
                        who(facts, p), facts->method, ms(facts),
                        *facts->words ? facts->words
                                      : curl_easy_strerror(facts->code)));
}

/* --- an answer came -------------------------------------------------- */

/* Is the media type, without its parameters, @a wanted? */
static int is_type(const char *type, const char *wanted)
{
    apr_size_t len = strlen(wanted);

    return !strncasecmp(type, wanted, len) &&
           (!type[len] || type[len] == ';' || apr_isspace(type[len]));
}

static int is_html(const char *type)
{
    return is_type(type, "text/html") || is_type(type, "application/xhtml+xml");
}

static int denied_by_proxy(const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    long status = facts->connect_status ? facts->connect_status : facts->status;

    return status == 407 ||
           (status == 403 && (facts->connect_status || proxy_name(facts, p)));
}

static void denied(ocspx_fetch_verdict_t *out, const ocspx_fetch_facts_t *facts,
                   apr_pool_t *p)
{
    refuse(out, OCSPX_CAUSE_PROXY_DENIED,
           apr_psprintf(p, "%s answered %ld to %s", who(facts, p),
                        facts->connect_status ? facts->connect_status
                                              : facts->status,
                        facts->connect_status ? "CONNECT" : facts->method));
}

static int intercepted(const ocspx_fetch_facts_t *facts)
{
    return facts->status == 511 || /* RFC 6585: network login required */
           (is_html(facts->type) && (facts->status == 200 || facts->redirects));
}

static void wrong_body(ocspx_fetch_verdict_t *out,
                       const ocspx_fetch_facts_t *facts, ocspx_cause_e cause,
                       const char *is, apr_pool_t *p)
{
    refuse(out, cause,
           apr_psprintf(p, "%s answered %s with %s", who(facts, p),
                        facts->method, is));
}

static void judge_body(ocspx_fetch_verdict_t *out,
                       const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    ocspx_cause_e something_else = facts->certificate
                                       ? OCSPX_CAUSE_CHAIN_NOT_CERT
                                       : OCSPX_CAUSE_RESP_NOT_OCSP;

    if (!facts->certificate && !is_type(facts->type, OCSP_TYPE))
        wrong_body(out, facts, OCSPX_CAUSE_RESP_NOT_OCSP,
                   *facts->type ? apr_psprintf(p,
                                               "type \"%s\" instead of "
                                               "\"" OCSP_TYPE "\"",
                                               facts->type)
                                : "no Content-Type",
                   p);
    else if (facts->encoded)
        wrong_body(out, facts, something_else,
                   "a Content-Encoding that nobody asked for", p);
    else if (facts->oversized)
        wrong_body(
            out, facts, OCSPX_CAUSE_RESP_TOO_LARGE,
            apr_psprintf(p, "more than the %" APR_SIZE_T_FMT " bytes allowed",
                         facts->max_size),
            p);
    else if (!facts->body_len)
        wrong_body(out, facts, something_else, "an empty body", p);
}

static void judge_answer(ocspx_fetch_verdict_t *out,
                         const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    if (facts->flooded)
        wrong_body(out, facts, OCSPX_CAUSE_RESP_TOO_LARGE, "an endless header",
                   p);
    else if (intercepted(facts))
        wrong_body(out, facts, OCSPX_CAUSE_INTERCEPTED,
                   apr_psprintf(p, "a page of \"%s\", status %ld",
                                *facts->type ? facts->type : "unknown type",
                                facts->status),
                   p);
    else if (facts->status != 200)
        wrong_body(out, facts, OCSPX_CAUSE_RESP_HTTP,
                   apr_psprintf(p, "status %ld, after %ld ms", facts->status,
                                ms(facts)),
                   p);
    else
        judge_body(out, facts, p);
}

/* --- which step ------------------------------------------------------ */

typedef void step_fn(ocspx_fetch_verdict_t *out,
                     const ocspx_fetch_facts_t *facts, apr_pool_t *p);

static const struct {
    CURLcode code;
    step_fn *step;
} steps[] = {
    {CURLE_OK, judge_answer},
    {CURLE_COULDNT_RESOLVE_HOST, unresolved},
    {CURLE_COULDNT_RESOLVE_PROXY, proxy_unresolved},
    {CURLE_COULDNT_CONNECT, unconnected},
    {CURLE_OPERATION_TIMEDOUT, timed_out},
    {CURLE_OUT_OF_MEMORY, out_of_resources},
    {CURLE_TOO_MANY_REDIRECTS, too_many_redirects},
    {CURLE_URL_MALFORMAT, bad_url},
    {CURLE_UNSUPPORTED_PROTOCOL, bad_url},
};

static step_fn *find_step(const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    unsigned i;

    if (facts->flooded || facts->oversized)
        return judge_answer;
    /* Whatever came of the connection then: some proxies cut it off. */
    if (denied_by_proxy(facts, p))
        return denied;
    /* There was a connection, however soon it was gone. */
    if (facts->code == CURLE_COULDNT_CONNECT && facts->os_errno == ECONNRESET)
        return broken;
    /* HTTP/0.9, that is, anything at all, has this code as well. */
    if (facts->code == CURLE_UNSUPPORTED_PROTOCOL && facts->sent &&
        !facts->redirects)
        return broken;
    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i].code == facts->code)
            return steps[i].step;
    return broken;
}

void ocspx_fetch_verdict(ocspx_fetch_verdict_t *out,
                         const ocspx_fetch_facts_t *facts, apr_pool_t *p)
{
    *out = (ocspx_fetch_verdict_t){.message = ""};
    find_step(facts, p)(out, facts, p);
    out->message = ocspx_cert_printable(out->message, strlen(out->message), p);
    out->may_differ = out->cause != OCSPX_CAUSE_NONE && facts->sent &&
                      facts->code != CURLE_OPERATION_TIMEDOUT &&
                      facts->connect_status < 400 && facts->status != 407;
}
