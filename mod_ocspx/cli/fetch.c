/* fetch: ask the responder, verify the answer, save it. */
#include <apr_file_io.h>
#include <apr_strings.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../engine/fetch.h"
#include "../engine/store.h"
#include "cli.h"

#define TIMEOUT apr_time_from_sec(10)
#define RESPONSE_MAX 65536

static const char help[] =
    "Usage: ocspx fetch --cert FILE [OPTION]...\n"
    "Ask the OCSP responder of a certificate, verify the answer, save it.\n"
    "\n"
    "  --cert FILE      the certificate and its chain, PEM\n"
    "  --issuer FILE    its issuer, where the chain does not hold it\n"
    "  --url URL        ask this responder instead of the certificate's\n"
    "  --proxy URL      through this HTTP proxy\n"
    "  --state-dir DIR  save where mod_ocspx will load it from; run as root "
    "it\n"
    "                   works as the owner of DIR\n"
    "  --out FILE       save in this file\n"
    "  --json           print JSON\n"
    "  --help           print this\n"
    "\n"
    "Exit status: 0 good, 1 anything else, 2 wrong usage or unreadable "
    "input.\n";

typedef struct {
    const char *cert, *issuer, *url, *proxy, *state_dir, *out;
    int json, help;
} options_t;

/* One run: what is asked, and what came back. */
typedef struct {
    const options_t *options;
    const ocspx_cert_t *cert;
    ocspx_response_t response;
    const unsigned char *der;
    apr_size_t len;
    const char *saved;
    int done;
    apr_pool_t *pool;
} run_t;

static int parse(options_t *o, int argc, char **argv)
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

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'c')
            o->cert = optarg;
        else if (c == 'i')
            o->issuer = optarg;
        else if (c == 'u')
            o->url = optarg;
        else if (c == 'p')
            o->proxy = optarg;
        else if (c == 'd')
            o->state_dir = optarg;
        else if (c == 'o')
            o->out = optarg;
        else if (c == 'j')
            o->json = 1;
        else if (c == 'h')
            o->help = 1;
        else
            return 0;
    }
    if (o->help || (o->cert && !(o->state_dir && o->out) && optind == argc))
        return 1;
    cli_complain("fetch needs --cert, at most one of --state-dir and --out, "
                 "and nothing else; --help says more");
    return 0;
}

/* The network is nothing for root: be whom the state directory belongs to. */
static int become_owner(const char *dir)
{
    struct stat st;

    if (geteuid() || stat(dir, &st))
        return 1; /* opening the store says what is wrong with it */
    if (!setgroups(0, NULL) && !setgid(st.st_gid) && !setuid(st.st_uid))
        return 1;
    cli_complain("cannot become user %u, the owner of %s", (unsigned)st.st_uid,
                 dir);
    return 0;
}

static void on_answer(void *baton, const ocspx_fetch_answer_t *answer)
{
    static const ocspx_response_policy_t policy = {
        .skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    run_t *run = baton;

    run->done = 1;
    if (answer->cause) {
        run->response = (ocspx_response_t){
            .verdict = OCSPX_RESPONSE_REJECT,
            .cause = answer->cause,
            .message = apr_pstrdup(run->pool, answer->message),
            .status = -1,
        };
        return;
    }
    run->der = apr_pmemdup(run->pool, answer->body, answer->body_len);
    run->len = answer->body_len;
    ocspx_response_judge(&run->response, run->der, run->len, run->cert, &policy,
                         apr_time_now(), run->pool);
}

static int usable(const run_t *run)
{
    return run->response.verdict == OCSPX_RESPONSE_GOOD ||
           run->response.verdict == OCSPX_RESPONSE_REVOKED;
}

static int ask(run_t *run, ocspx_fetch_t *fetch, const char *url)
{
    ocspx_fetch_question_t question = {
        .url = url,
        .proxy = run->options->proxy,
        .timeout = TIMEOUT,
        .max_size = RESPONSE_MAX,
    };

    run->done = 0;
    if (ocspx_cert_request(&question.request, &question.request_len, run->cert,
                           OCSPX_CERT_SHA1, run->pool) != APR_SUCCESS ||
        fetch->start(fetch, &question, on_answer, run) != APR_SUCCESS) {
        cli_complain("%s cannot be asked", url);
        return 0;
    }
    while (!run->done)
        fetch->poll(fetch, TIMEOUT);
    return 1;
}

static int ask_all(run_t *run)
{
    const apr_array_header_t *urls = run->cert->urls;
    ocspx_fetch_t *fetch;
    int i;

    if (ocspx_fetch_global_init() != APR_SUCCESS ||
        ocspx_fetch_curl_make(&fetch, run->pool) != APR_SUCCESS) {
        cli_complain("libcurl cannot be set up");
        return 0;
    }
    if (run->options->url)
        return ask(run, fetch, run->options->url);
    if (apr_is_empty_array(urls)) {
        cli_complain("%s names no OCSP responder; --url does", run->cert->name);
        return 0;
    }
    for (i = 0; i < urls->nelts && !usable(run); i++)
        if (!ask(run, fetch, APR_ARRAY_IDX(urls, i, const char *)))
            return 0;
    return 1;
}

static int save_in_store(run_t *run)
{
    const char *dir = run->options->state_dir;
    ocspx_store_t *store;
    const char *why;

    if (ocspx_store_open(&store, &why, dir, run->pool) != APR_SUCCESS ||
        ocspx_store_save(&why, store, run->cert->id, run->der, run->len,
                         run->pool) != APR_SUCCESS) {
        cli_complain("%s", why);
        return 0;
    }
    run->saved = apr_psprintf(run->pool, "%s/%s.der", dir, run->cert->id);
    return 1;
}

/* Replaced in one step: httpd may be reading it. */
static int save_in_file(run_t *run)
{
    const char *path = run->options->out;
    char *temp = apr_pstrcat(run->pool, path, ".XXXXXX", NULL);
    apr_file_t *file;
    apr_status_t rv;

    rv = apr_file_mktemp(&file, temp,
                         APR_FOPEN_CREATE | APR_FOPEN_WRITE | APR_FOPEN_EXCL |
                             APR_FOPEN_BINARY,
                         run->pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(file, run->der, run->len, NULL);
        if (rv == APR_SUCCESS)
            rv =
                apr_file_perms_set(temp, APR_FPROT_UREAD | APR_FPROT_UWRITE |
                                             APR_FPROT_GREAD | APR_FPROT_WREAD);
        if (rv == APR_SUCCESS)
            rv = apr_file_sync(file);
        apr_file_close(file);
        if (rv == APR_SUCCESS)
            rv = apr_file_rename(temp, path, run->pool);
        if (rv != APR_SUCCESS)
            apr_file_remove(temp, run->pool);
    }
    if (rv != APR_SUCCESS) {
        char text[120];

        cli_complain("%s cannot be written: %s", path,
                     apr_strerror(rv, text, sizeof(text)));
        return 0;
    }
    run->saved = path;
    return 1;
}

static cli_exit_e run(int argc, char **argv, apr_pool_t *p)
{
    options_t o = {0};
    run_t r = {.options = &o, .pool = p};
    json_t *json;

    if (!parse(&o, argc, argv))
        return CLI_UNUSABLE;
    if (o.help) {
        fputs(help, stdout);
        return CLI_GOOD;
    }
    r.cert = cli_read_pair(o.cert, o.issuer, p);
    if (!r.cert || (o.state_dir && !become_owner(o.state_dir)) || !ask_all(&r))
        return CLI_UNUSABLE;
    if (usable(&r) &&
        ((o.state_dir && !save_in_store(&r)) || (o.out && !save_in_file(&r))))
        return CLI_UNUSABLE;
    json = cli_json(&r.response, p);
    if (r.saved)
        json_object_set_new(json, "saved", json_string(r.saved));
    return cli_print(&r.response, json, o.json, p);
}

const cli_command_t cli_fetch = {"fetch", run};
