/* main: the `ocspx` command line: finds the command and runs it. */
#include <apr_general.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../core/version.h"
#include "cli.h"

static const cli_command_t *const commands[] = {
    &cli_verify, &cli_fetch, &cli_chain, &cli_check, &cli_status};

static const char usage[] =
    "Usage: ocspx COMMAND [OPTION]...\n"
    "\n"
    "Commands:\n"
    "  verify   would this response be stapled for this certificate?\n"
    "  fetch    ask the responder, verify the answer, save it\n"
    "  chain    would clients accept the certificates in this file?\n"
    "  check    what does a strict client get from these servers?\n"
    "  status   what a server staples until when, and what fails\n"
    "\n"
    "  ocspx COMMAND --help says more; ocspx --version prints the version.\n"
    "\n"
    "Exit status: 0 good, 1 anything else, 2 wrong usage or unreadable input;\n"
    "of check and status: that of a Nagios plugin.\n";

int cli_complain(const char *format, ...)
{
    va_list args;

    fputs("ocspx: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return CLI_UNUSABLE;
}

/* What was printed may still fail to arrive, as on a full disk. */
static int flush_output(int status, int lost)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    cli_complain("standard output cannot be written: %s", strerror(errno));
    return lost;
}

static int run_command(const cli_command_t *command, int argc, char **argv,
                       apr_pool_t *p)
{
    static char name[] = "ocspx"; /* what getopt_long complains as */

    argv[0] = name;
    return flush_output(command->run(argc, argv, p), command->lost);
}

static int run(int argc, char **argv, apr_pool_t *p)
{
    size_t i;

    if (argc < 2) {
        fputs(usage, stderr);
        return CLI_UNUSABLE;
    }
    for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (!strcmp(argv[1], commands[i]->name))
            return run_command(commands[i], argc - 1, argv + 1, p);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        fputs(usage, stdout);
    else if (!strcmp(argv[1], "--version"))
        puts("ocspx " OCSPX_VERSION);
    else
        return cli_complain("'%s' is not a command; ocspx --help lists "
                            "them",
                            argv[1]);
    return flush_output(CLI_GOOD, CLI_UNUSABLE);
}

int main(int argc, char **argv)
{
    apr_pool_t *p;
    int status;

    apr_initialize();
    apr_pool_create(&p, NULL);
    status = run(argc, argv, p);
    apr_pool_destroy(p);
    apr_terminate();
    return status;
}
