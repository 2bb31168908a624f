/* peer_nginx: a private nginx with ssl_stapling. */
#ifndef OCSPX_BENCH_PEER_NGINX_H
#define OCSPX_BENCH_PEER_NGINX_H

#include "peers.h"

typedef struct peer_nginx_t peer_nginx_t;

peer_nginx_t *peer_nginx_make(const peers_spec_t *spec, apr_pool_t *p);
void peer_nginx_start(peer_nginx_t *nginx);
void peer_nginx_stop(peer_nginx_t *nginx);
int peer_nginx_port(const peer_nginx_t *nginx);
pid_t peer_nginx_pid(const peer_nginx_t *nginx);
const char *peer_nginx_log(const peer_nginx_t *nginx);

#endif
