/* scene: what all servers of one comparison have in common: a CA, one
 * certificate for each site, and the responder they name.
 */
#ifndef OCSPX_BENCH_SCENE_H
#define OCSPX_BENCH_SCENE_H

#include "../support/client.h"
#include "../support/pki.h"
#include "../support/responder.h"

typedef struct {
    apr_pool_t *pool;
    const char *dir;
    const pki_t *root, *issuer;
    const char *root_file;
    const char *key_file; /* one key for all */
    int count;            /* of sites, from 0 on */
    const char **names;
    const char **cert_files; /* leaf and issuer */
    const pki_t **leaves;
    responder_t *responder; /* running; answers after 50 ms */
} scene_t;

#define SCENE_DELAY_MS 50

scene_t *scene_make(int count, apr_pool_t *p);

/** Answers from now on; the delay stays. @param lifetime 0: a day */
void scene_answer(const scene_t *scene, responder_answer_e answer,
                  apr_interval_time_t lifetime);

/** A strict client for handshakes with a site. */
client_spec_t scene_client(const scene_t *scene, int site, int port);

#endif
