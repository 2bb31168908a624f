/* status: what a server staples until when, and what fails; as a table, as
 * JSON, and as a Nagios plugin.
 */
#include "status.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: ocspx status URL|FILE|- [OPTION]...\n"
    "What a server staples until when, and what fails: from the URL of its\n"
    "handler ocspx-status, or from the JSON of that in a file or a pipe.\n"
    "\n"
    "  --state STATE    list the certificates in this state alone\n"
    "  --search TEXT    list those alone that have TEXT in a name, virtual "
    "host,\n"
    "                   subject or responder\n"
    "  --cert FINGERPRINT  tell all of this certificate (SHA-256, in hex)\n"
    "  --proxy URL      through this HTTP proxy; 'none': without any "
    "(default:\n"
    "                   what the environment's http_proxy says)\n"
    "  --json           print the JSON\n"
    "  --help           print this\n"
    "\n"
    "The first line and the exit status are those of a Nagios plugin, and of "
    "all\n"
    "certificates whichever are listed: 0 all is well; 1 something fails, or "
    "nobody\n"
    "refreshes, or a chain has warnings; 2 something is not stapled that "
    "should "
    "be,\n"
    "ends within 24 hours, is revoked, cannot be asked about, or a chain has "
    "errors;\n"
    "3 nothing can be said.\n";

typedef struct {
    cli_status_source_t source;
    cli_status_filter_t filter;
    const char *cert; /* as given */
    int json, help;
} options_t;

/* --- options --------------------------------------------------------- */

/* As `openssl x509 -fingerprint' prints it, too. @return NULL: it is none */
static const char *read_fingerprint(const char *text, apr_pool_t *p)
{
    char *id = apr_palloc(p, OCSPX_CERT_ID_LEN + 1);
    size_t len = 0;

    for (; *text && len < OCSPX_CERT_ID_LEN; text++)
        if (apr_isxdigit(*text))
            id[len++] = *text;
        else if (*text != ':')
            return NULL;
    id[len] = '\0';
    return len == OCSPX_CERT_ID_LEN && !*text ? id : NULL;
}

static int parse(options_t *o, int argc, char **argv, apr_pool_t *p)
{
    static const struct option longs[] = {
        {"state", required_argument, NULL, 's'},
        {"search", required_argument, NULL, 'q'},
        {"cert", required_argument, NULL, 'c'},
        {"proxy", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (c == 's')
            o->filter.state = optarg;
        else if (c == 'q')
            o->filter.search = optarg;
        else if (c == 'c')
            o->cert = optarg;
        else if (c == 'p')
            o->source.proxy = strcmp(optarg, "none") ? optarg : "";
        else if (c == 'j')
            o->json = 1;
        else if (c == 'h')
            o->help = 1;
        else
            return 0;
    if (o->cert)
        o->source.cert = read_fingerprint(o->cert, p);
    if (optind == argc - 1)
        o->source.place = argv[optind];
    return 1;
}

static int check(const options_t *o, apr_pool_t *p)
{
    const cli_status_filter_t *filter = &o->filter;

    if (!o->source.place)
        cli_complain("status needs one URL or file, or '-' for standard "
                     "input; --help says more");
    else if (filter->state && !cli_status_is_state(filter->state))
        cli_complain("--state '%s': must be failing, revoked, withheld, "
                     "waiting, stapled, other-provider or not-applicable",
                     filter->state);
    else if (o->cert && !o->source.cert)
        cli_complain("--cert '%s': must be the SHA-256 fingerprint of a "
                     "certificate, 64 hex digits",
                     o->cert);
    else if (o->source.proxy && *o->source.proxy &&
             !ocspx_cert_url_ok(o->source.proxy, p))
        cli_complain("--proxy '%s': must be an http or https URL with a host",
                     o->source.proxy);
    else if ((filter->state || filter->search) && (o->json || o->cert))
        cli_complain("--state and --search choose what is listed, which goes "
                     "neither with --json nor with --cert");
    else
        return 1;
    return 0;
}

/* --- the command ----------------------------------------------------- */

/* On standard output, where Nagios reads; JSON is not to be mixed with it. */
static cli_nagios_e give_up(const options_t *o, const char *why, apr_pool_t *p)
{
    why = cli_terminal_clean(why, p);
    if (o->json)
        cli_complain("%s", why);
    else
        printf("OCSPX %s - %s\n", cli_nagios_name(CLI_NAGIOS_UNKNOWN), why);
    return CLI_NAGIOS_UNKNOWN;
}

static const ocspx_report_row_t *find(const cli_status_t *status,
                                      const char *fingerprint)
{
    int i;

    for (i = 0; i < status->rows->nelts; i++) {
        const ocspx_report_row_t *row =
            &APR_ARRAY_IDX(status->rows, i, ocspx_report_row_t);

        if (!strcasecmp(row->fingerprint, fingerprint))
            return row;
    }
    return NULL;
}

/* Everything up to the bar in the colour of the level. */
static void print_line(const char *line, cli_nagios_e level,
                       const cli_terminal_t *terminal, apr_pool_t *p)
{
    const char *bar = strchr(line, '|');

    cli_terminal_put(terminal, cli_status_level_style(level),
                     apr_pstrmemdup(p, line, (apr_size_t)(bar - line)), 0);
    puts(bar);
}

static cli_nagios_e tell_cert(const options_t *o, const cli_status_t *status,
                              apr_pool_t *p)
{
    const ocspx_report_row_t *row = find(status, o->source.cert);
    apr_time_t now = status->totals.generated;
    cli_nagios_e level;
    cli_terminal_t terminal;

    if (!row)
        return give_up(o, "there is no such certificate", p);
    level = cli_status_judge_row(row, now);
    if (o->json)
        return level;
    cli_terminal_look(&terminal);
    print_line(cli_status_row_line(row, now, p), level, &terminal, p);
    cli_status_print_cert(status, row, &terminal, p);
    return level;
}

static cli_nagios_e tell_all(const options_t *o, const cli_status_t *status,
                             apr_pool_t *p)
{
    cli_nagios_e level = cli_status_judge(status);
    cli_terminal_t terminal;

    if (o->json)
        return level;
    cli_terminal_look(&terminal);
    print_line(cli_status_line(status, p), level, &terminal, p);
    cli_status_print(status, &o->filter, &terminal, p);
    return level;
}

static cli_nagios_e tell(const options_t *o, const json_t *json, apr_pool_t *p)
{
    cli_status_t status;
    const char *wrong = cli_status_decode(&status, json, p);

    if (wrong)
        return give_up(o,
                       apr_pstrcat(p, o->source.place,
                                   " is not the report of mod_ocspx: ", wrong,
                                   NULL),
                       p);
    if (o->json) {
        json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
    }
    return o->source.cert ? tell_cert(o, &status, p) : tell_all(o, &status, p);
}

static int run(int argc, char **argv, apr_pool_t *p)
{
    options_t o = {0};
    cli_nagios_e level;
    const char *why = NULL;
    json_t *json;

    if (!parse(&o, argc, argv, p) || (!o.help && !check(&o, p)))
        return CLI_NAGIOS_UNKNOWN;
    if (o.help) {
        fputs(help, stdout);
        return CLI_GOOD;
    }
    json = cli_status_load(&why, &o.source, p);
    level = json ? tell(&o, json, p) : give_up(&o, why, p);
    json_decref(json);
    return (int)level;
}

const cli_command_t cli_status = {"status", run, CLI_NAGIOS_UNKNOWN};
