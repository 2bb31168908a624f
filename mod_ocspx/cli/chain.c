/* chain: would clients accept what a server sends from this file? */
#include <getopt.h>
#include <stdio.h>

#include "../engine/trust.h"
#include "cli.h"
#include "findings.h"

static const char help[] =
    "Usage: ocspx chain --served FILE [OPTION]...\n"
    "Would clients accept the certificates in this file, sent in this order?\n"
    "\n"
    "  --served FILE    what is sent: the server's certificate, then its\n"
    "                   chain; PEM\n"
    "  --trust PATH     the only roots that clients know: a PEM file, or a\n"
    "                   directory as openssl rehash makes it (default: the\n"
    "                   system's, and that of any private CA)\n"
    "  --host NAME      a name or address that the certificate has to cover;\n"
    "                   may be given several times\n"
    "  --at TIME        judge as of this time (RFC 3339, such as\n"
    "                   2026-01-31T12:00:00Z) instead of now\n"
    "  --json           print JSON: complete, and findings with code,\n"
    "                   severity, subject, message and remedy\n"
    "  --help           print this\n"
    "\n"
    "Exit status: 0 complete and no warning, 1 anything else, 2 wrong usage "
    "or\n"
    "unreadable input.\n";

typedef struct {
    const char *served, *trust;
    apr_array_header_t *hosts; /* const char * */
    apr_time_t at;
    int json, help;
} options_t;

static int add_host(options_t *o, const char *host)
{
    APR_ARRAY_PUSH(o->hosts, const char *) = host;
    if (*host)
        return 1;
    cli_complain("--host '': must be a name or an address");
    return 0;
}

static int parse(options_t *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"served", required_argument, NULL, 's'},
        {"trust", required_argument, NULL, 'r'},
        {"host", required_argument, NULL, 'n'},
        {"at", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        int ok = 1;

        if (c == 's')
            o->served = optarg;
        else if (c == 'r')
            o->trust = optarg;
        else if (c == 'n')
            ok = add_host(o, optarg);
        else if (c == 't')
            ok = cli_parse_time(&o->at, "--at", optarg);
        else if (c == 'j')
            o->json = 1;
        else if (c == 'h')
            o->help = 1;
        else
            ok = 0;
        if (!ok)
            return 0;
    }
    if (o->help || (o->served && optind == argc))
        return 1;
    cli_complain("chain needs --served and nothing else; --help says more");
    return 0;
}

static void print_words(const ocspx_chain_t *chain, apr_pool_t *p)
{
    const char *count = cli_findings_count(chain->findings, p);

    printf("%s%s%s\n", chain->complete ? "complete" : "not complete",
           *count ? ": " : "", count);
    cli_findings_print(chain->findings, "");
}

static int conclude(const ocspx_chain_t *chain, int as_json, apr_pool_t *p)
{
    if (as_json)
        cli_print_json(json_pack("{s:b, s:o}", "complete", chain->complete,
                                 "findings",
                                 cli_findings_json(chain->findings)));
    else
        print_words(chain, p);
    return chain->complete && ocspx_chain_worst(chain) == OCSPX_CAUSE_INFO
               ? CLI_GOOD
               : CLI_NOT_GOOD;
}

static int judge(const options_t *o, apr_pool_t *p)
{
    ocspx_chain_question_t question = {
        .served = cli_read_certs(o->served, p),
        .hosts = o->hosts,
        .file = o->served,
        .now = o->at,
    };
    ocspx_chain_t chain;
    const char *why;

    if (!question.served)
        return CLI_UNUSABLE;
    if (ocspx_trust_load(&question.trust, &why, o->trust, p) != APR_SUCCESS)
        return cli_complain("%s", why);
    ocspx_chain_judge(&chain, &question, p);
    return conclude(&chain, o->json, p);
}

static int run(int argc, char **argv, apr_pool_t *p)
{
    options_t o = {.hosts = apr_array_make(p, 1, sizeof(const char *)),
                   .at = apr_time_now()};

    if (!parse(&o, argc, argv))
        return CLI_UNUSABLE;
    if (!o.help)
        return judge(&o, p);
    fputs(help, stdout);
    return CLI_GOOD;
}

const cli_command_t cli_chain = {"chain", run, CLI_UNUSABLE};
