/* verify: would this response be stapled for this certificate? */
#include <getopt.h>
#include <stdio.h>

#include "cli.h"

static const char help[] =
    "Usage: ocspx verify --cert FILE --issuer FILE --response FILE "
    "[OPTION]...\n"
    "Would mod_ocspx staple this response for this certificate?\n"
    "\n"
    "  --cert FILE      the certificate, PEM or DER\n"
    "  --issuer FILE    the certificate of its issuer, PEM or DER\n"
    "  --response FILE  the OCSP response, DER\n"
    "  --at TIME        judge as of this time (RFC 3339, such as\n"
    "                   2026-01-31T12:00:00Z) instead of now\n"
    "  --skew SECONDS   tolerated clock difference (300)\n"
    "  --max-age SECONDS  refuse an older thisUpdate (0: any age)\n"
    "  --json           print JSON\n"
    "  --help           print this\n"
    "\n"
    "Exit status: 0 good, 1 anything else, 2 wrong usage or unreadable "
    "input.\n";

typedef struct {
    const char *cert, *issuer, *response;
    apr_time_t at;
    ocspx_response_policy_t policy;
    int json, help;
} options_t;

static int parse(options_t *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"cert", required_argument, NULL, 'c'},
        {"issuer", required_argument, NULL, 'i'},
        {"response", required_argument, NULL, 'r'},
        {"at", required_argument, NULL, 't'},
        {"skew", required_argument, NULL, 's'},
        {"max-age", required_argument, NULL, 'm'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        int ok = 1;

        if (c == 'c')
            o->cert = optarg;
        else if (c == 'i')
            o->issuer = optarg;
        else if (c == 'r')
            o->response = optarg;
        else if (c == 't')
            ok = cli_parse_time(&o->at, "--at", optarg);
        else if (c == 's')
            ok = cli_parse_seconds(&o->policy.skew, "--skew", optarg);
        else if (c == 'm')
            ok = cli_parse_seconds(&o->policy.max_age, "--max-age", optarg);
        else if (c == 'j')
            o->json = 1;
        else if (c == 'h')
            o->help = 1;
        else
            ok = 0;
        if (!ok)
            return 0;
    }
    if (o->help || (o->cert && o->issuer && o->response && optind == argc))
        return 1;
    cli_complain("verify needs --cert, --issuer and --response and nothing "
                 "else; --help says more");
    return 0;
}

static int run(int argc, char **argv, apr_pool_t *p)
{
    options_t o = {.at = apr_time_now(),
                   .policy.skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    ocspx_response_t response;
    const unsigned char *der;
    ocspx_cert_t *cert;
    apr_size_t len;

    if (!parse(&o, argc, argv))
        return CLI_UNUSABLE;
    if (o.help) {
        fputs(help, stdout);
        return CLI_GOOD;
    }
    cert = cli_read_pair(o.cert, o.issuer, p);
    if (!cert || !cli_read_file(&der, &len, o.response, p))
        return CLI_UNUSABLE;
    ocspx_response_judge(&response, der, len, cert, &o.policy, o.at, p);
    return cli_print(&response, cli_json(&response, p), o.json, p);
}

const cli_command_t cli_verify = {"verify", run, CLI_UNUSABLE};
