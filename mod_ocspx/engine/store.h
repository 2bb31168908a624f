/* store: one DER file per certificate, so that a restart needs no network; and
 * beside it what its chain lacks, where that had to be fetched.
 *
 * The only user of the state directory. What is read back is as little
 * trusted as the network: the caller has it judged again.
 */
#ifndef OCSPX_STORE_H
#define OCSPX_STORE_H

#include <apr_pools.h>
#include <sys/types.h>

#include "../core/cert.h"

typedef struct ocspx_store_t ocspx_store_t;

/** What is kept of a certificate: its response, or what its chain lacks. */
typedef enum {
    OCSPX_STORE_RESPONSE, /* <id>.der */
    OCSPX_STORE_CHAIN     /* <id>.pem */
} ocspx_store_kind_e;

/**
 * Make sure that the directory exists with mode 0700 and belongs to @a uid;
 * only its last component is created. For the parent, which may be root.
 * Never follows a link in the last component, never changes a directory that
 * exists.
 * @param why on error one sentence for the operator, from @a p
 */
apr_status_t ocspx_store_prepare(const char **why, const char *path, uid_t uid,
                                 gid_t gid, apr_pool_t *p);

/**
 * Open the directory for the worker user. Refused: a symbolic link, not a
 * directory, owned by somebody else than the effective user (or root), or
 * writable by group or others.
 * @param why on error one sentence for the operator, from @a p
 */
apr_status_t ocspx_store_open(ocspx_store_t **store, const char **why,
                              const char *path, apr_pool_t *p);

/** The file of @a kind for @a id, there or not; from @a p. */
const char *ocspx_store_file(const ocspx_store_t *store,
                             ocspx_store_kind_e kind, const char *id,
                             apr_pool_t *p);

/**
 * Read what is kept for @a id; at most @a max bytes.
 * Refused: links, anything but a regular file with one name, foreign owner,
 * writable by group or others, empty or larger than @a max.
 * @return APR_ENOENT where there is none; else @a why says what is wrong
 */
apr_status_t ocspx_store_load(const unsigned char **data, apr_size_t *len,
                              const char **why, ocspx_store_t *store,
                              ocspx_store_kind_e kind, const char *id,
                              apr_size_t max, apr_pool_t *p);

/**
 * Replace what is kept for @a id: temporary file, fsync, rename. On any
 * error the old file stays and no new one is left. The directory is not synced,
 * which would double the cost: a power cut leaves the new file or the old.
 */
apr_status_t ocspx_store_save(const char **why, ocspx_store_t *store,
                              ocspx_store_kind_e kind, const char *id,
                              const unsigned char *data, apr_size_t len,
                              apr_pool_t *p);

/**
 * Read a file that somebody else keeps fresh (OCSPXResponseFile); may be a
 * link and belong to anybody, but must be a regular file of at most @a max
 * bytes.
 */
apr_status_t ocspx_store_read_file(const unsigned char **der, apr_size_t *len,
                                   const char **why, const char *path,
                                   apr_size_t max, apr_pool_t *p);

#endif
