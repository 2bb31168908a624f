/* fetch: ask the responder, verify the answer, save it. */
#include <apr_strings.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../engine/admit.h"
#include "../engine/fetch.h"
#include "cli.h"
#include "save.h"

#define TIMEOUT apr_time_from_sec(10)

static const char help[] =
    "Usage: ocspx fetch --cert FILE [OPTION]...\n"
    "Ask the OCSP responder of a certificate, verify the answer, save it.\n"
    "\n"
    "  --cert FILE      the certificate and its chain, PEM\n"
    "  --issuer FILE    its issuer, where the chain does not hold it\n"
    "  --url URL        ask this responder instead of the certificate's\n"
    "  --proxy URL      through this HTTP proxy; 'none': without any "
    "(default:\n"
    "                   what the environment's http_proxy says)\n"
    "  --state-dir DIR  save where mod_ocspx will load it from; run as root,\n"
    "                   this works as the owner of DIR\n"
    "  --out FILE       save in this file\n"
    "  --json           print JSON\n"
    "  --help           print this\n"
    "\n"
    "Exit status: 0 good, 1 anything else, 2 wrong usage or unreadable "
    "input.\n";

static const char no_proxy[] = "";

typedef struct {
    const char *cert, *issuer, *url, *proxy;
    cli_save_t save;
    int json, help;
} options_t;

/* One run: what is asked, and what came back. */
typedef struct {
    options_t options;
    const ocspx_cert_t *cert;
    const char *url; /* being asked */
    int done;
    ocspx_response_t response;
    const unsigned char *der;
    apr_size_t len;
    apr_pool_t *pool;
} run_t;

/* --- options --------------------------------------------------------- */

static int check_url(const char *option, const char *url, apr_pool_t *p)
{
    if (!url || url == no_proxy || ocspx_cert_url_ok(url, p))
        return 1;
    cli_complain("%s '%s': must be an http or https URL with a host", option,
                 url);
    return 0;
}

static int parse(options_t *o, int argc, char **argv, apr_pool_t *p)
{
    static const struct option longs[] = {
        {"cert", required_argument, NULL, 'c'},
        {"issuer", required_argument, NULL, 'i'},
        {"url", required_argument, NULL, 'u'},
        {"proxy", required_argument, NULL, 'p'},
        {"state-dir", required_argument, NULL, 'd'},
        {"out", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (c == 'c')
            o->cert = optarg;
        else if (c == 'i')
            o->issuer = optarg;
        else if (c == 'u')
            o->url = optarg;
        else if (c == 'p')
            o->proxy = strcmp(optarg, "none") ? optarg : no_proxy;
        else if (c == 'd')
            o->save.state_dir = optarg;
        else if (c == 'o')
            o->save.file = optarg;
        else if (c == 'j')
            o->json = 1;
        else if (c == 'h')
            o->help = 1;
        else
            return 0;
    if (o->help)
        return 1;
    if (!o->cert || (o->save.state_dir && o->save.file) || optind != argc) {
        cli_complain("fetch needs --cert, at most one of --state-dir and "
                     "--out, and nothing else; --help says more");
        return 0;
    }
    return check_url("--url", o->url, p) && check_url("--proxy", o->proxy, p);
}

/* --- asking ---------------------------------------------------------- */

static void refuse(run_t *run, ocspx_cause_e cause, const char *message)
{
    run->response = (ocspx_response_t){
        .verdict = OCSPX_RESPONSE_REJECT,
        .cause = cause,
        .message = message,
        .status = -1,
    };
}

static int usable(const run_t *run)
{
    return run->response.verdict == OCSPX_RESPONSE_GOOD ||
           run->response.verdict == OCSPX_RESPONSE_REVOKED;
}

static void judge(run_t *run, const ocspx_fetch_answer_t *answer)
{
    static const ocspx_response_policy_t policy = {
        .skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    ocspx_admit_candidate_t candidate = {
        .der = apr_pmemdup(run->pool, answer->body, answer->body_len),
        .len = answer->body_len,
        .date = answer->date,
    };

    run->der = candidate.der;
    run->len = candidate.len;
    ocspx_admit_judge(&run->response, &candidate, run->cert, &policy,
                      apr_time_now(), run->pool);
    if (!usable(run))
        run->response.message =
            apr_psprintf(run->pool, "%s: %s", run->url, run->response.message);
}

static void on_answer(void *baton, const ocspx_fetch_answer_t *answer)
{
    run_t *run = baton;

    run->done = 1;
    if (answer->cause)
        refuse(run, answer->cause, apr_pstrdup(run->pool, answer->message));
    else
        judge(run, answer);
}

static void ask(run_t *run, ocspx_fetch_t *fetch, const char *url)
{
    ocspx_fetch_question_t question = {
        .url = url,
        .proxy = run->options.proxy,
        .timeout = TIMEOUT,
        .max_size = OCSPX_RESPONSE_SIZE_MAX,
    };

    run->url = url;
    run->done = 0;
    refuse(run, OCSPX_CAUSE_BAD_URL,
           apr_pstrcat(run->pool, "cannot ask ", url, NULL));
    if (ocspx_cert_request(&question.request, &question.request_len, run->cert,
                           OCSPX_CERT_SHA1, run->pool) == APR_SUCCESS &&
        fetch->start(fetch, &question, on_answer, run) == APR_SUCCESS)
        while (!run->done && fetch->poll(fetch, TIMEOUT) == APR_SUCCESS)
            ;
}

/* The certificate's responders, until one has been useful. */
static void ask_each(run_t *run, ocspx_fetch_t *fetch)
{
    const ocspx_cert_t *cert = run->cert;
    int i;

    if (cert->bad_url)
        refuse(run, OCSPX_CAUSE_BAD_URL,
               apr_pstrcat(run->pool, cert->name, " names the responder ",
                           cert->bad_url, NULL));
    else
        refuse(run, OCSPX_CAUSE_NO_URL,
               apr_pstrcat(run->pool, cert->name,
                           " names no OCSP responder; --url does", NULL));
    for (i = 0; i < cert->urls->nelts && !usable(run); i++)
        ask(run, fetch, APR_ARRAY_IDX(cert->urls, i, const char *));
}

static int ask_somebody(run_t *run)
{
    ocspx_fetch_t *fetch;

    if (ocspx_fetch_global_init() != APR_SUCCESS ||
        ocspx_fetch_curl_make(&fetch, run->pool) != APR_SUCCESS) {
        cli_complain("libcurl cannot be set up");
        return 0;
    }
    if (run->options.url)
        ask(run, fetch, run->options.url);
    else
        ask_each(run, fetch);
    return 1;
}

/* --- the command ----------------------------------------------------- */

/* A path need not be text that JSON can hold. */
static json_t *json_path(const char *path, apr_pool_t *p)
{
    json_t *json = json_string(path);

    return json ? json
                : json_string(ocspx_cert_printable(path, strlen(path), p));
}

/* Save what may be saved, and print what is known. */
static cli_exit_e conclude(run_t *run)
{
    const cli_save_t *save = &run->options.save;
    const char *objection = NULL, *path = NULL;
    cli_exit_e status;
    json_t *json;
    int ok = 1;

    if (usable(run))
        objection =
            cli_save_objection(save, run->cert, &run->response, run->pool);
    if (objection) {
        run->response.verdict = OCSPX_RESPONSE_REJECT;
        run->response.cause = OCSPX_CAUSE_STALE;
        run->response.message = objection;
    }
    if (usable(run))
        ok = cli_save(&path, save, run->cert, run->der, run->len, run->pool);
    json = cli_json(&run->response, run->pool);
    json_object_set_new(json, "saved",
                        path ? json_path(path, run->pool) : json_null());
    status = cli_print(&run->response, json, run->options.json, run->pool);
    return ok ? status : CLI_NOT_GOOD;
}

static cli_exit_e run_fetch(int argc, char **argv, apr_pool_t *p)
{
    run_t run = {.pool = p};
    options_t *o = &run.options;

    if (!parse(o, argc, argv, p))
        return CLI_UNUSABLE;
    if (o->help) {
        fputs(help, stdout);
        return CLI_GOOD;
    }
    run.cert = cli_read_pair(o->cert, o->issuer, p);
    if (!run.cert || !cli_save_open(&o->save, p) || !ask_somebody(&run))
        return CLI_UNUSABLE;
    return conclude(&run);
}

const cli_command_t cli_fetch = {"fetch", run_fetch};
