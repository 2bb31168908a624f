/* fetch: ask the responder, verify the answer, save it. */
#include <apr_strings.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../core/cert.h"
#include "ask.h"
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
    cli_answer_t answer;
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

static int ask_somebody(run_t *run)
{
    const options_t *o = &run->options;
    cli_question_t question = {
        .cert = run->cert, .proxy = o->proxy, .timeout = TIMEOUT};

    if (ocspx_fetch_global_init() != APR_SUCCESS ||
        ocspx_fetch_curl_make(&question.fetch, run->pool) != APR_SUCCESS) {
        cli_complain("libcurl cannot be set up");
        return 0;
    }
    if (o->url)
        cli_ask(&run->answer, &question, o->url, run->pool);
    else
        cli_ask_each(&run->answer, &question, run->pool);
    if (run->answer.response.cause == OCSPX_CAUSE_NO_URL)
        run->answer.response.message = apr_pstrcat(
            run->pool, run->answer.response.message, "; --url does", NULL);
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
static int conclude(run_t *run)
{
    const cli_save_t *save = &run->options.save;
    ocspx_response_t *response = &run->answer.response;
    const char *objection = NULL, *path = NULL;
    int status;
    json_t *json;
    int ok = 1;

    if (cli_is_useful(response))
        objection = cli_save_objection(save, run->cert, response, run->pool);
    if (objection) {
        response->verdict = OCSPX_RESPONSE_REJECT;
        response->cause = OCSPX_CAUSE_STALE;
        response->message = objection;
    }
    if (cli_is_useful(response))
        ok = cli_save(&path, save, run->cert, run->answer.der, run->answer.len,
                      run->pool);
    json = cli_json(response, run->pool);
    json_object_set_new(json, "saved",
                        path ? json_path(path, run->pool) : json_null());
    status = cli_print(response, json, run->options.json, run->pool);
    return ok ? status : CLI_NOT_GOOD;
}

static int run_fetch(int argc, char **argv, apr_pool_t *p)
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

const cli_command_t cli_fetch = {"fetch", run_fetch, CLI_UNUSABLE};
