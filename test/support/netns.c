/* netns: a network of the test's own. */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <apr_strings.h>

#include "pki.h"
#include "procs.h"

#define RESOLVER "nameserver 127.0.0.1\nsearch .\n"

static void must(int ok, const char *what)
{
    if (!ok)
        procs_die("%s: %s", what, strerror(errno));
}

void netns_ip(const char *arguments, apr_pool_t *p)
{
    const char *line = apr_pstrcat(p, "ip ", arguments, NULL);
    procs_result_t result;
    char **argv;

    must(apr_tokenize_to_argv(line, &argv, p) == APR_SUCCESS, line);
    procs_run(&result, (const char *const *)argv, NULL, 5000, p);
    if (result.status != 0)
        procs_die("%s: %s", line, result.output);
}

int netns_of(pid_t pid)
{
    char path[64];
    int netns;

    apr_snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
    netns = open(path, O_RDONLY | O_CLOEXEC);
    must(netns >= 0, path);
    return netns;
}

void netns_go(int netns)
{
    must(setns(netns, CLONE_NEWNET) == 0, "setns");
}

void netns_leave(void)
{
    must(unshare(CLONE_NEWNET) == 0, "a network namespace");
}

void netns_replace_file(const char *path, const char *by)
{
    must(mount(by, path, NULL, MS_BIND, NULL) == 0, path);
}

void netns_enter(apr_pool_t *p)
{
    const char *resolver = apr_pstrcat(p, procs_temp_dir(p), "/resolv", NULL);

    if (geteuid() != 0)
        procs_die("this test needs root, for network namespaces");
    must(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "namespaces");
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mounts");
    pki_write_file(resolver, RESOLVER, strlen(RESOLVER));
    netns_replace_file("/etc/resolv.conf", resolver);
    netns_ip("link set lo up", p);
}
