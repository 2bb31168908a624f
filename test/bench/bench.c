/* bench: compares servers in what a staple costs. See build/bench. */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_general.h>

#include "../support/procs.h"

static const struct {
    const char *name;
    bench_section_fn *run;
} sections[] = {
    {"rate", section_rate},     {"hang", section_hang},
    {"count", section_count},   {"cache", section_cache},
    {"many", section_many},     {"spread", section_spread},
    {"linear", section_linear},
};

void bench_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
}

static void usage(void)
{
    fprintf(stderr, "Usage: bench [--smoke | --quick] --out DIR [SECTION...]\n"
                    "Sections:");
    for (int i = 0; i < COUNT(sections); i++)
        fprintf(stderr, " %s", sections[i].name);
    fprintf(stderr, "\n");
    exit(2);
}

static int is_section(const char *word)
{
    for (int i = 0; i < COUNT(sections); i++)
        if (!strcmp(sections[i].name, word))
            return 1;
    return 0;
}

/** @return the first section that is named; there may be none */
static char **parse(bench_t *bench, char **argv)
{
    char **names;

    bench->scale = BENCH_FULL;
    for (argv++; *argv && **argv == '-'; argv++) {
        if (!strcmp(*argv, "--smoke"))
            bench->scale = BENCH_SMOKE;
        else if (!strcmp(*argv, "--quick"))
            bench->scale = BENCH_QUICK;
        else if (!strcmp(*argv, "--out") && argv[1])
            bench->out = *++argv;
        else
            usage();
    }
    for (names = argv; *names; names++)
        if (!is_section(*names))
            usage();
    if (!bench->out)
        usage();
    return argv;
}

static int is_wanted(const char *name, char **names)
{
    if (!*names)
        return 1;
    for (; *names; names++)
        if (!strcmp(*names, name))
            return 1;
    return 0;
}

/** As a subreaper this process inherits every orphan: no child is left where
 * no descendant is. */
static int nothing_is_left(void)
{
    char pids[256] = "";
    FILE *children;

    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
        return 1;
    children = fopen("/proc/thread-self/children", "re");
    if (children && fgets(pids, sizeof(pids), children))
        bench_say("left running: %s", pids);
    if (children)
        fclose(children);
    return 0;
}

/** @return 0: something is left running */
static int run(const bench_t *bench, int i)
{
    long begin = procs_ms();
    apr_pool_t *p;

    apr_pool_create(&p, bench->pool);
    bench_say("%s ...", sections[i].name);
    sections[i].run(bench, p);
    apr_pool_destroy(p);
    bench_say("%s: %.0f s", sections[i].name,
              (double)(procs_ms() - begin) / 1000);
    return nothing_is_left();
}

/** Each virtual host of some peers keeps files open. */
static void allow_files(void)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
    bench_t bench = {0};
    char **names;
    int clean = 1;

    (void)argc;
    names = parse(&bench, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    allow_files();
    apr_initialize();
    apr_pool_create(&bench.pool, NULL);
    for (int i = 0; i < COUNT(sections); i++)
        if (is_wanted(sections[i].name, names))
            clean &= run(&bench, i);
    apr_pool_destroy(bench.pool);
    apr_terminate();
    return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
