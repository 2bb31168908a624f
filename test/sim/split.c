/* split: work in pieces, done by several processes. */
#include "split.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    split_work_fn *work;
    const void *baton;
    unsigned pieces;
    apr_pool_t *pool;
    apr_uint64_t *next; /* piece, of all processes */
} job_t;

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static pid_t start(const job_t *job, apr_uint64_t *sums)
{
    apr_uint64_t piece;
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while ((piece = __atomic_fetch_add(job->next, 1, __ATOMIC_RELAXED)) <
           job->pieces) {
        apr_pool_t *p;

        apr_pool_create(&p, job->pool);
        job->work(job->baton, (unsigned)piece, sums, p);
        apr_pool_destroy(p);
    }
    _exit(EXIT_SUCCESS);
}

static void await(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) != pid || status)
        fail("a process of several");
}

/* The next piece, then the sums of each process. */
const apr_uint64_t *split(split_work_fn *work, const void *baton,
                          unsigned pieces, unsigned processes,
                          apr_size_t numbers, apr_pool_t *p)
{
    pid_t *pids = apr_palloc(p, processes * sizeof(*pids));
    apr_size_t size = (1 + processes * numbers) * sizeof(apr_uint64_t);
    apr_uint64_t *shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    apr_uint64_t *all = apr_pcalloc(p, numbers * sizeof(*all));
    const job_t job = {work, baton, pieces, p, shared};
    apr_size_t i;
    unsigned k;

    if (shared == MAP_FAILED)
        fail("mmap");
    for (k = 0; k < processes; k++)
        pids[k] = start(&job, shared + 1 + k * numbers);
    for (k = 0; k < processes; k++) {
        await(pids[k]);
        for (i = 0; i < numbers; i++)
            all[i] += shared[1 + k * numbers + i];
    }
    munmap(shared, size);
    return all;
}

unsigned split_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (unsigned)n : 1;
}
