/* peers: the servers that are compared, on loopback, each with all sites of a
 * scene.
 */
#ifndef OCSPX_BENCH_PEERS_H
#define OCSPX_BENCH_PEERS_H

#include <sys/types.h>

#include "scene.h"

typedef enum {
    PEERS_PLAIN,   /* httpd without stapling: what all others are measured by */
    PEERS_MOD_SSL, /* SSLUseStapling, shmcb */
    PEERS_MOD_MD,  /* MDStapling */
    PEERS_NGINX,   /* ssl_stapling */
    PEERS_OCSPX,
    PEERS_COUNT
} peers_e;

typedef struct {
    const scene_t *scene;
    int single;                /* one process, for callgrind */
    int servers;               /* httpd's children; 0: 2 */
    const char *runner;        /* a program that runs the server; or NULL */
    const char *ocspx_lines;   /* more lines for mod_ocspx; or NULL */
    const char *mod_ssl_lines; /* and for mod_ssl's stapling */
} peers_spec_t;

typedef struct peer_t peer_t;

extern const char *const peers_names[PEERS_COUNT];

peer_t *peers_make(peers_e kind, const peers_spec_t *spec, apr_pool_t *p);

/** Returns once a handshake succeeds; dies with the server's log if none does.
 * @return milliseconds it took */
double peers_start(peer_t *peer);
void peers_stop(peer_t *peer); /* also done with the pool */

int peers_port(const peer_t *peer);
pid_t peers_pid(const peer_t *peer); /* the parent's, and the group */

/** Several, as each of nginx's workers asks for itself. */
#define PEERS_GOOD_STAPLES 10

/** Dies unless a strict client soon gets so many good staples from the first
 * site. */
void peers_wait_stapled(const peer_t *peer);

#endif
