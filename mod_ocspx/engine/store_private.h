/* store_private: what the two halves of the store share.
 *
 *   store_dir.c  the directory: create, check, open, sweep
 *   store.c      the files in it: read, replace
 */
#ifndef OCSPX_STORE_PRIVATE_H
#define OCSPX_STORE_PRIVATE_H

#include "store.h"

#include <sys/stat.h>

/** How temporary files end: ".<id>.<pid>.tmp". */
#define OCSPX_STORE_TEMP ".tmp"

struct ocspx_store_t {
    int fd;
    const char *path;
};

/** "cannot <what> <path>: <errno in words>"; @return errno */
apr_status_t ocspx_store_could_not(const char **why, const char *what,
                                   const char *path, apr_pool_t *p);

/** "<path> <is>"; @return APR_EINVAL */
apr_status_t ocspx_store_refuse(const char **why, const char *path,
                                const char *is, apr_pool_t *p);

/** Is it owned by @a owner (or root, where @a or_root), and not writable by
 * group or others? */
apr_status_t ocspx_store_check_owner(const char **why, const struct stat *st,
                                     const char *path, uid_t owner, int or_root,
                                     apr_pool_t *p);

#endif
