/* spawn: starts a program that has nothing of ours but its standard input. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <unistd.h>

extern char **environ;

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM 1
#endif
#endif

/* Whatever the thread that starts it has. */
static int set_signals(posix_spawnattr_t *attr)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawnattr_setsigmask(attr, &none) ||
           posix_spawnattr_setsigdefault(attr, &all) ||
           posix_spawnattr_setpgroup(attr, 0) ||
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
}

/* What others opened without O_CLOEXEC is none of the program's business. */
#ifdef HAVE_CLOSEFROM
static int close_others(posix_spawn_file_actions_t *files)
{
    return posix_spawn_file_actions_addclosefrom_np(files, 3);
}
#else
#define DESCRIPTORS_MAX 4096
static int close_others(posix_spawn_file_actions_t *files)
{
    int fd, flags, rv = 0;

    for (fd = 3; fd < DESCRIPTORS_MAX && !rv; fd++) {
        flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC))
            rv = posix_spawn_file_actions_addclose(files, fd);
    }
    return rv;
}
#endif

static int redirect(posix_spawn_file_actions_t *files, int in)
{
    return posix_spawn_file_actions_adddup2(files, in, 0) ||
           posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY,
                                            0) ||
           posix_spawn_file_actions_adddup2(files, 1, 2) || close_others(files);
}

static int start(pid_t *pid, int in, const char *const *argv)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int rv = ENOMEM;

    if (posix_spawn_file_actions_init(&files))
        return ENOMEM;
    if (posix_spawnattr_init(&attr)) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    if (!set_signals(&attr) && !redirect(&files, in))
        rv = posix_spawn(pid, argv[0], &files, &attr,
                         (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rv;
}

int ocspx_spawn(pid_t *pid, int *in, const char *const *argv)
{
    int fds[2];
    int rv;

    if (pipe2(fds, O_CLOEXEC))
        return errno;
    rv = start(pid, fds[0], argv);
    close(fds[0]);
    if (rv) {
        close(fds[1]);
        return rv;
    }
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    *in = fds[1];
    return 0;
}
