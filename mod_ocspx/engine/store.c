/* store: one DER file per certificate, so that a restart needs no network, and
 * one of PEM beside it where its chain had to be repaired.
 *
 * Everything happens relative to one descriptor of the directory, so that no
 * rename or link elsewhere in the file system can lead a read or a write
 * astray. A file is replaced as a whole or not at all:
 *
 *   .<id>.<pid>.tmp (new, 0600) -> write -> fsync -> rename to <id>.der/.pem
 *
 * A writer killed on the way leaves its temporary file, nothing else; the
 * next writer of that name replaces it, and opening the store an hour later
 * sweeps it away.
 */
#include "store_private.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Without O_NONBLOCK, opening a FIFO would wait for somebody to write. */
#define FILE_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* --- names ----------------------------------------------------------- */

static int is_id(const char *id)
{
    return strlen(id) == OCSPX_CERT_ID_LEN &&
           strspn(id, "0123456789abcdef") == OCSPX_CERT_ID_LEN;
}

static const char *full(const ocspx_store_t *store, const char *name,
                        apr_pool_t *p)
{
    return apr_pstrcat(p, store->path, "/", name, NULL);
}

static const char *name_of(ocspx_store_kind_e kind, const char *id,
                           apr_pool_t *p)
{
    return apr_pstrcat(p, id, kind == OCSPX_STORE_CHAIN ? ".pem" : ".der",
                       NULL);
}

const char *ocspx_store_file(const ocspx_store_t *store,
                             ocspx_store_kind_e kind, const char *id,
                             apr_pool_t *p)
{
    return full(store, name_of(kind, id, p), p);
}

/* --- reading --------------------------------------------------------- */

static apr_status_t check_size(const char **why, const struct stat *st,
                               apr_size_t max, const char *path, apr_pool_t *p)
{
    if (!S_ISREG(st->st_mode))
        return ocspx_store_refuse(why, path, "is not a regular file", p);
    if ((apr_uint64_t)st->st_size > max)
        return ocspx_store_refuse(
            why, path,
            apr_psprintf(p,
                         "has %" APR_INT64_T_FMT
                         " bytes, more than the %" APR_SIZE_T_FMT " allowed",
                         (apr_int64_t)st->st_size, max),
            p);
    return APR_SUCCESS;
}

/* In our own directory nobody but us and root has any business. */
static apr_status_t check_ours(const char **why, const struct stat *st,
                               const char *path, apr_pool_t *p)
{
    if (st->st_nlink != 1)
        return ocspx_store_refuse(why, path,
                                  "has more than one name (hard link)", p);
    return ocspx_store_check_owner(why, st, path, geteuid(), 1, p);
}

/* At most @a size bytes: the file may change while it is read, and the judge
 * of its content does not mind. */
static apr_status_t read_bytes(const unsigned char **data, apr_size_t *len,
                               const char **why, int fd, apr_size_t size,
                               const char *path, apr_pool_t *p)
{
    unsigned char *bytes = apr_palloc(p, size);
    apr_size_t have = 0;
    ssize_t n = 1;

    while (have < size && n) {
        n = read(fd, bytes + have, size - have);
        if (n > 0)
            have += (apr_size_t)n;
        else if (n < 0 && errno != EINTR)
            return ocspx_store_could_not(why, "read", path, p);
    }
    *data = bytes;
    *len = have;
    return have ? APR_SUCCESS : ocspx_store_refuse(why, path, "is empty", p);
}

/* Check and read an open file, and close it. */
static apr_status_t take(const unsigned char **data, apr_size_t *len,
                         const char **why, int fd, int ours, apr_size_t max,
                         const char *path, apr_pool_t *p)
{
    apr_status_t rv;
    struct stat st;

    if (fstat(fd, &st) != 0)
        rv = ocspx_store_could_not(why, "examine", path, p);
    else
        rv = check_size(why, &st, max, path, p);
    if (!rv && ours)
        rv = check_ours(why, &st, path, p);
    if (!rv)
        rv = read_bytes(data, len, why, fd, (apr_size_t)st.st_size, path, p);
    close(fd);
    return rv;
}

apr_status_t ocspx_store_load(const unsigned char **data, apr_size_t *len,
                              const char **why, ocspx_store_t *store,
                              ocspx_store_kind_e kind, const char *id,
                              apr_size_t max, apr_pool_t *p)
{
    const char *name, *path;
    int fd;

    if (!is_id(id))
        return ocspx_store_refuse(why, id, "is not a certificate id", p);
    name = name_of(kind, id, p);
    path = full(store, name, p);
    fd = openat(store->fd, name, FILE_FLAGS | O_NOFOLLOW);
    if (fd < 0 && errno == ELOOP)
        return ocspx_store_refuse(why, path, "is a symbolic link", p);
    if (fd < 0)
        return ocspx_store_could_not(why, "open", path, p);
    return take(data, len, why, fd, 1, max, path, p);
}

apr_status_t ocspx_store_read_file(const unsigned char **der, apr_size_t *len,
                                   const char **why, const char *path,
                                   apr_size_t max, apr_pool_t *p)
{
    int fd = open(path, FILE_FLAGS);

    if (fd < 0)
        return ocspx_store_could_not(why, "open", path, p);
    return take(der, len, why, fd, 0, max, path, p);
}

/* --- writing --------------------------------------------------------- */

/* Nobody but this process uses its name, so what bears it is left over from
 * a killed process with the same number. */
static int create(int dir, const char *temp)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir, temp, flags, S_IRUSR | S_IWUSR);

    if (fd < 0 && errno == EEXIST && unlinkat(dir, temp, 0) == 0)
        fd = openat(dir, temp, flags, S_IRUSR | S_IWUSR);
    return fd;
}

static int write_bytes(int fd, const unsigned char *data, apr_size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (apr_size_t)n;
        }
    }
    return fsync(fd);
}

/* Write and close; on failure errno is that of the first. */
static int fill(int fd, const unsigned char *data, apr_size_t len)
{
    int first;

    if (write_bytes(fd, data, len) == 0)
        return close(fd);
    first = errno;
    close(fd);
    errno = first;
    return -1;
}

apr_status_t ocspx_store_save(const char **why, ocspx_store_t *store,
                              ocspx_store_kind_e kind, const char *id,
                              const unsigned char *data, apr_size_t len,
                              apr_pool_t *p)
{
    const char *name, *temp;
    apr_status_t rv;
    int fd;

    if (!is_id(id))
        return ocspx_store_refuse(why, id, "is not a certificate id", p);
    name = name_of(kind, id, p);
    temp = apr_psprintf(p, ".%s.%ld" OCSPX_STORE_TEMP, id, (long)getpid());
    fd = create(store->fd, temp);
    if (fd < 0)
        return ocspx_store_could_not(why, "create", full(store, temp, p), p);
    if (fill(fd, data, len) == 0 &&
        renameat(store->fd, temp, store->fd, name) == 0)
        return APR_SUCCESS;
    rv = ocspx_store_could_not(why, "write", full(store, name, p), p);
    unlinkat(store->fd, temp, 0);
    return rv;
}
