/* store_scene: a place for the tests of the store: a state directory, and
 * beside it things that must not be touched.
 */
#ifndef OCSPX_TEST_STORE_SCENE_H
#define OCSPX_TEST_STORE_SCENE_H

#include "../support/check_main.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/store_private.h"
#include "../support/pki.h"
#include "../support/procs.h"

#define NOBODY 65534

static apr_pool_t *pool;
static const char *base;    /* has all of it */
static const char *dir;     /* the state directory */
static const char *outside; /* a directory with a file "victim" */
static const char *victim;

static inline const char *in(const char *directory, const char *name)
{
    return apr_pstrcat(pool, directory, "/", name, NULL);
}

static inline void scene_make(void)
{
    umask(022);
    apr_pool_create(&pool, NULL);
    base = procs_temp_dir(pool);
    dir = in(base, "state");
    outside = in(base, "outside");
    victim = in(outside, "victim");
    ck_assert_int_eq(mkdir(outside, 0755), 0);
    pki_write_file(victim, "precious", 8);
}

static inline void scene_end(void)
{
    apr_pool_destroy(pool);
}

/* What ctime says changes with everything but a read. */
static inline const char *trace(const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return "gone";
    return apr_psprintf(pool, "%o %u:%u %ld.%09ld %ld", st.st_mode, st.st_uid,
                        st.st_gid, (long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
                        (long)st.st_size);
}

static inline const char *trace_outside(void)
{
    return apr_pstrcat(pool, trace(outside), " ", trace(victim), NULL);
}

static int scene_files;

static inline int scene_count_one(const char *path, const struct stat *st,
                                  int type, struct FTW *walk)
{
    (void)path;
    (void)st;
    (void)type;
    scene_files += walk->level > 0;
    return 0;
}

/** How many things there are in @a directory. */
static inline int files_in(const char *directory)
{
    scene_files = 0;
    nftw(directory, scene_count_one, 8, FTW_PHYS);
    return scene_files;
}

static inline int open_files(void)
{
    return files_in("/proc/self/fd");
}

#define assert_says(why, part)                                                 \
    ck_assert_msg(strstr(why, part), "\"%s\" lacks \"%s\"", why, part)

/* In a child, where no Check assertion works. */
#define NEED(what)                                                             \
    do {                                                                       \
        if (!(what)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);         \
            return 1;                                                          \
        }                                                                      \
    } while (0)

/** Run @a work in a child, which root makes nobody's. @return wait status */
static inline int in_child(int (*work)(void), int as_nobody)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        if (as_nobody && geteuid() == 0 &&
            (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
            _exit(2);
        _exit(work());
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/** Give to nobody what root has made; others keep it. */
static inline void give_away(const char *path)
{
    if (geteuid() == 0)
        ck_assert_int_eq(lchown(path, NOBODY, NOBODY), 0);
}

#endif
