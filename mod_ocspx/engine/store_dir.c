/* store_dir: the state directory: created for the worker user, checked, and
 * swept of what killed writers left.
 */
#include "store_private.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TEMP_STALE apr_time_from_sec(3600)

apr_status_t ocspx_store_could_not(const char **why, const char *what,
                                   const char *path, apr_pool_t *p)
{
    apr_status_t rv = errno;
    char words[120];

    *why = apr_psprintf(p, "cannot %s %s: %s", what, path,
                        apr_strerror(rv, words, sizeof(words)));
    return rv;
}

apr_status_t ocspx_store_refuse(const char **why, const char *path,
                                const char *is, apr_pool_t *p)
{
    *why = apr_psprintf(p, "%s %s", path, is);
    return APR_EINVAL;
}

apr_status_t ocspx_store_check_owner(const char **why, const struct stat *st,
                                     const char *path, uid_t owner, int or_root,
                                     apr_pool_t *p)
{
    if (st->st_uid != owner && !(or_root && st->st_uid == 0)) {
        *why = apr_psprintf(p, "%s belongs to user id %lu instead of %lu", path,
                            (unsigned long)st->st_uid, (unsigned long)owner);
        return APR_EINVAL;
    }
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return ocspx_store_refuse(why, path, "is writable by group or others",
                                  p);
    return APR_SUCCESS;
}

/* A slash at the end would make O_NOFOLLOW follow. */
static const char *without_slash(const char *path, apr_pool_t *p)
{
    apr_size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return apr_pstrmemdup(p, path, len);
}

static apr_status_t open_dir(int *fd, struct stat *st, const char **why,
                             const char *path, apr_pool_t *p)
{
    *fd = open(path, DIR_FLAGS);
    if (*fd >= 0 && fstat(*fd, st) == 0)
        return APR_SUCCESS;
    if (*fd >= 0)
        close(*fd);
    else if (lstat(path, st) == 0 && !S_ISDIR(st->st_mode))
        return ocspx_store_refuse(why, path,
                                  S_ISLNK(st->st_mode) ? "is a symbolic link"
                                                       : "is not a directory",
                                  p);
    return ocspx_store_could_not(why, "open the state directory", path, p);
}

/* A listing of the directory; @a fd stays open. */
static DIR *list(int fd)
{
    int copy = openat(fd, ".", DIR_FLAGS);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (!dir && copy >= 0)
        close(copy);
    return dir;
}

static int is_empty(int fd)
{
    DIR *dir = list(fd);
    struct dirent *entry;
    int others = 0;

    if (!dir)
        return 0;
    while ((entry = readdir(dir)))
        others +=
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return !others;
}

/* Give away what mkdir has just made. Somebody who may write in the parent
 * directory could have put another one in its place: an empty directory of
 * our own is the most that can be had that way. */
static apr_status_t give(const char **why, const char *path, uid_t uid,
                         gid_t gid, apr_pool_t *p)
{
    apr_status_t rv;
    struct stat st;
    int fd;

    rv = open_dir(&fd, &st, why, path, p);
    if (rv)
        return rv;
    if (st.st_uid != geteuid() || !is_empty(fd))
        rv = ocspx_store_refuse(why, path,
                                "was replaced while it was being created", p);
    else if (fchown(fd, uid, gid) != 0)
        rv = ocspx_store_could_not(why, "change the owner of", path, p);
    close(fd);
    return rv;
}

static apr_status_t check_existing(const char **why, const char *path,
                                   uid_t uid, apr_pool_t *p)
{
    apr_status_t rv;
    struct stat st;
    int fd;

    rv = open_dir(&fd, &st, why, path, p);
    if (rv)
        return rv;
    close(fd);
    return ocspx_store_check_owner(why, &st, path, uid, 0, p);
}

apr_status_t ocspx_store_prepare(const char **why, const char *path, uid_t uid,
                                 gid_t gid, apr_pool_t *p)
{
    apr_status_t rv;

    path = without_slash(path, p);
    if (mkdir(path, S_IRWXU) != 0)
        return errno == EEXIST
                   ? check_existing(why, path, uid, p)
                   : ocspx_store_could_not(why, "create the state directory",
                                           path, p);
    rv = give(why, path, uid, gid, p);
    if (rv)
        rmdir(path);
    return rv;
}

static int is_temp(const char *name)
{
    apr_size_t len = strlen(name);

    return name[0] == '.' &&
           len > 1 + OCSPX_CERT_ID_LEN + strlen(OCSPX_STORE_TEMP) &&
           name[1 + OCSPX_CERT_ID_LEN] == '.' &&
           !strcmp(name + len - strlen(OCSPX_STORE_TEMP), OCSPX_STORE_TEMP);
}

/* Old enough to be nobody's work any more. */
static int is_stale(int fd, const char *name)
{
    struct stat st;

    return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           apr_time_from_sec(st.st_mtime) < apr_time_now() - TEMP_STALE;
}

static void sweep(int fd)
{
    DIR *dir = list(fd);
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (is_temp(entry->d_name) && is_stale(fd, entry->d_name))
            unlinkat(fd, entry->d_name, 0);
    closedir(dir);
}

static apr_status_t close_store(void *data)
{
    ocspx_store_t *store = data;

    close(store->fd);
    return APR_SUCCESS;
}

apr_status_t ocspx_store_open(ocspx_store_t **store, const char **why,
                              const char *path, apr_pool_t *p)
{
    apr_status_t rv;
    struct stat st;
    int fd;

    path = without_slash(path, p);
    rv = open_dir(&fd, &st, why, path, p);
    if (rv)
        return rv;
    rv = ocspx_store_check_owner(why, &st, path, geteuid(), 1, p);
    if (rv) {
        close(fd);
        return rv;
    }
    sweep(fd);
    *store = apr_palloc(p, sizeof(**store));
    (*store)->fd = fd;
    (*store)->path = path;
    apr_pool_cleanup_register(p, *store, close_store, apr_pool_cleanup_null);
    return APR_SUCCESS;
}
