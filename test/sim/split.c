/* split: work shared by several processes, which add up what they count. */
#include "split.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static pid_t start(split_work_fn *work, const void *baton, apr_uint64_t *sums,
                   split_part_t part, apr_pool_t *p)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work(baton, sums, part, p);
    _exit(EXIT_SUCCESS);
}

static void await(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) != pid || status)
        fail("a process of several");
}

const apr_uint64_t *split(split_work_fn *work, const void *baton,
                          unsigned processes, apr_size_t numbers, apr_pool_t *p)
{
    pid_t *pids = apr_palloc(p, processes * sizeof(*pids));
    apr_size_t size = processes * numbers * sizeof(apr_uint64_t);
    apr_uint64_t *sums = mmap(NULL, size, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    apr_uint64_t *all = apr_pcalloc(p, numbers * sizeof(*all));
    apr_size_t i;
    unsigned k;

    if (sums == MAP_FAILED)
        fail("mmap");
    for (k = 0; k < processes; k++)
        pids[k] = start(work, baton, sums + k * numbers,
                        (split_part_t){k, processes}, p);
    for (k = 0; k < processes; k++) {
        await(pids[k]);
        for (i = 0; i < numbers; i++)
            all[i] += sums[k * numbers + i];
    }
    munmap(sums, size);
    return all;
}

unsigned split_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (unsigned)n : 1;
}
