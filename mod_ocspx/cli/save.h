/* save: where `ocspx fetch' puts a response. */
#ifndef OCSPX_CLI_SAVE_H
#define OCSPX_CLI_SAVE_H

#include "../engine/store.h"
#include "cli.h"

/** One of the two, or neither. */
typedef struct {
    const char *state_dir, *file;
    ocspx_store_t *store;
} cli_save_t;

/**
 * See that there is a place, before anybody is asked. Run as root, with a
 * state directory, the process then works as the owner of that directory.
 * @return 0, after a complaint, where there is none
 */
int cli_save_open(cli_save_t *save, apr_pool_t *p);

/**
 * Why a good or revoked response must not take the place of what the state
 * directory holds; NULL: it may.
 */
const char *cli_save_objection(const cli_save_t *save, const ocspx_cert_t *cert,
                               const ocspx_response_t *response, apr_pool_t *p);

/**
 * Save a response.
 * @param path where it is now; NULL: nowhere, as nothing was asked for
 * @return 0, after a complaint, where it cannot be saved
 */
int cli_save(const char **path, const cli_save_t *save,
             const ocspx_cert_t *cert, const unsigned char *der, apr_size_t len,
             apr_pool_t *p);

#endif
