/* procs: runs other programs, bounded in time, and never leaves one behind.
 *
 * Everything started here gets SIGKILL when the test process dies, however it
 * dies.
 */
#ifndef OCSPX_TEST_PROCS_H
#define OCSPX_TEST_PROCS_H

#include <apr_pools.h>
#include <sys/types.h>

typedef struct {
    int status;         /* exit status; -1: killed by a signal or the limit */
    int timed_out;      /* did not end in time and was killed */
    const char *output; /* stdout and stderr, mixed as they came; ends in 0 */
} procs_result_t;

/**
 * Run a program to its end, or kill it after @a timeout_ms.
 * @param argv the program is looked up in PATH; ends with NULL
 * @param input its stdin; NULL: nothing
 */
void procs_run(procs_result_t *result, const char *const *argv,
               const char *input, int timeout_ms, apr_pool_t *p);

/**
 * Start a program in a process group of its own, with no descriptor but the
 * standard ones; output is appended to the file @a log.
 * @return its pid, which is also the group's
 */
pid_t procs_spawn(const char *const *argv, const char *log);

/** Fork; in the child: own group, dies with the parent. As fork(). */
pid_t procs_fork(void);

/** Reap @a pid if it ends within @a timeout_ms; @return 1: it did. */
int procs_wait(pid_t pid, int timeout_ms);

/** Send @a sig; if that does not end it in time, SIGKILL. Reaps.
 * @return 1: it ended by itself in time */
int procs_stop(pid_t pid, int sig, int timeout_ms);

/** SIGKILL it, and reap it, with @a p. */
void procs_end_with(pid_t pid, apr_pool_t *p);

/** SIGKILL a whole process group and reap all of it. */
void procs_kill_group(pid_t group);

/**
 * Fork a guard which, when this process dies, kills the group that *group (in
 * shared memory; NULL or 0: none) names at that time and then calls @a last.
 * @return its pid, for procs_stop(pid, SIGKILL, ...)
 */
pid_t procs_guard(const volatile pid_t *group, void (*last)(void *),
                  void *baton);

/** Memory shared with processes forked later; zeroed; unmapped with @a p. */
void *procs_shared(apr_size_t size, apr_pool_t *p);

/**
 * A TCP port nobody listens on, and that nobody else gets from here while this
 * process lives; outside of the range from which the kernel takes the ports of
 * clients. To be bound with SO_REUSEADDR.
 */
int procs_free_port(void);

/**
 * Wait until something listens there; does not connect: `openssl ocsp' waits
 * for ever on a client that says nothing. @return 1: it does
 */
int procs_wait_port(int port, int timeout_ms);

/** Monotonic clock, milliseconds. */
long procs_ms(void);
void procs_sleep(int ms);

/** Whole file, 0 after it; "" if it cannot be read. */
const char *procs_read_file(const char *path, apr_pool_t *p);

/**
 * A directory of its own under /tmp, mode 0755; removed with @a p, or when
 * this process dies before that (OCSPX_KEEP in the environment: then kept).
 */
const char *procs_temp_dir(apr_pool_t *p);

/** The same for who has a guard that calls procs_drop_tree() in the end. */
const char *procs_make_dir(apr_pool_t *p);
void procs_drop_tree(const char *path);
void procs_remove_tree(const char *path);

/** Print a message, abort. */
void procs_die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
