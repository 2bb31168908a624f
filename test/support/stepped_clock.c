/* stepped_clock: to be preloaded into a program whose clock a test steps: the
 * file that $OCSPX_CLOCK names holds the seconds it is ahead, as an int64_t,
 * and may change at any time. The monotonic clock goes on as ever.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t *ahead;
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_timedwait)(pthread_cond_t *, pthread_mutex_t *,
                             const struct timespec *);

/* Before anything else of the program, which may change its user later on. */
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("OCSPX_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    *(void **)&real_timedwait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    if (fd >= 0)
        ahead = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, fd, 0);
    if (ahead == NULL || ahead == MAP_FAILED || !real_gettime)
        abort();
    close(fd);
}

static time_t step(void)
{
    return (time_t)__atomic_load_n(ahead, __ATOMIC_RELAXED);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int rv = real_gettime(clock, now);

    if (rv == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += step();
    return rv;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec fine;
    int rv = clock_gettime(CLOCK_REALTIME, &fine);

    (void)zone;
    now->tv_sec = fine.tv_sec;
    now->tv_usec = fine.tv_nsec / 1000;
    return rv;
}

time_t time(time_t *now)
{
    struct timespec fine;

    clock_gettime(CLOCK_REALTIME, &fine);
    if (now != NULL)
        *now = fine.tv_sec;
    return fine.tv_sec;
}

/* The kernel's clock does not step. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond,
                           pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    struct timespec kernels = *until;

    kernels.tv_sec -= step();
    return real_timedwait(cond, mutex, &kernels);
}
