/* peers: the servers that are compared. */
#include "peers.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "../support/httpd.h"
#include "../support/procs.h"
#include "load.h"
#include "peer_nginx.h"

#define UP_MS 30000
#define UP_SITE_MS 25
#define STAPLED_MS 60000
#define POLL_MS 5

struct peer_t {
    peers_e kind;
    peers_spec_t spec;
    apr_pool_t *pool;
    httpd_t *httpd; /* NULL: it is nginx */
    peer_nginx_t *nginx;
};

const char *const peers_names[PEERS_COUNT] = {"httpd, no stapling",
                                              "httpd, mod_ssl", "httpd, mod_md",
                                              "nginx", "httpd, mod_ocspx"};

/* Sizes and paths as needed, all else as it is by default. */
static const char *global_lines(const peer_t *peer)
{
    const httpd_t *h = peer->httpd;
    const char *more;

    switch (peer->kind) {
    case PEERS_MOD_SSL:
        more = peer->spec.mod_ssl_lines;
        return apr_psprintf(peer->pool,
                            "SSLUseStapling on\n"
                            "SSLStaplingCache shmcb:%s/staples(%d)\n%s",
                            httpd_root(h),
                            524288 + 2048 * peer->spec.scene->count,
                            more ? more : "");
    case PEERS_MOD_MD:
        return apr_psprintf(peer->pool, "MDStapling on\nMDStoreDir %s/md\n",
                            httpd_root(h));
    case PEERS_OCSPX:
        return peer->spec.ocspx_lines;
    case PEERS_PLAIN:
    case PEERS_NGINX:
    case PEERS_COUNT:
        break;
    }
    return NULL;
}

static void configure(peer_t *peer)
{
    const peers_spec_t *spec = &peer->spec;
    const scene_t *scene = spec->scene;

    httpd_configure(
        peer->httpd,
        &(httpd_config_t){.log_level = "warn",
                          .modules = peer->kind == PEERS_MOD_MD ? "md" : NULL,
                          /* which takes the longer the more is in it */
                          .without = spec->single ? "sessions" : NULL,
                          .without_ocspx = peer->kind != PEERS_OCSPX,
                          .servers = spec->single ? 1 : spec->servers,
                          .workers = spec->single ? 4 : 128,
                          .global = global_lines(peer)});
    for (int i = 0; i < scene->count; i++)
        httpd_vhost(peer->httpd, &(httpd_vhost_t){.names = scene->names[i],
                                                  .cert = scene->cert_files[i],
                                                  .key = scene->key_file});
}

peer_t *peers_make(peers_e kind, const peers_spec_t *spec, apr_pool_t *p)
{
    peer_t *peer = apr_pcalloc(p, sizeof(*peer));

    peer->kind = kind;
    peer->spec = *spec;
    peer->pool = p;
    if (kind == PEERS_NGINX) {
        peer->nginx = peer_nginx_make(spec, p);
    } else {
        peer->httpd = httpd_make(&(httpd_config_t){0}, p);
        configure(peer);
    }
    return peer;
}

static void start_httpd(const peer_t *peer)
{
    const char *before = getenv("HTTPD");

    if (peer->spec.runner)
        setenv("HTTPD", peer->spec.runner, 1);
    if (httpd_start(peer->httpd) < 0)
        procs_die("%s does not start:\n%s", peers_names[peer->kind],
                  httpd_output(peer->httpd));
    if (peer->spec.runner && before)
        setenv("HTTPD", before, 1);
    else if (peer->spec.runner)
        unsetenv("HTTPD");
}

/** What it says about itself. */
static const char *log_of(const peer_t *peer)
{
    if (peer->nginx)
        return peer_nginx_log(peer->nginx);
    httpd_log_dump(peer->httpd);
    return httpd_output(peer->httpd);
}

double peers_start(peer_t *peer)
{
    load_spec_t spec = {.scene = peer->spec.scene,
                        .port = peers_port(peer),
                        .tls = CLIENT_TLS13,
                        .no_status_request = 1};
    long begin = procs_ms();
    double ms;
    int stapled;

    if (peer->nginx)
        peer_nginx_start(peer->nginx);
    else
        start_httpd(peer);
    while (!load_shake(&stapled, &ms, &spec, 0)) {
        if (procs_ms() - begin > UP_MS + UP_SITE_MS * spec.scene->count)
            procs_die("%s does not start:\n%s", peers_names[peer->kind],
                      log_of(peer));
        procs_sleep(POLL_MS);
    }
    return (double)(procs_ms() - begin);
}

void peers_stop(peer_t *peer)
{
    if (peer->nginx)
        peer_nginx_stop(peer->nginx);
    else
        httpd_stop(peer->httpd);
}

int peers_port(const peer_t *peer)
{
    return peer->nginx ? peer_nginx_port(peer->nginx) : httpd_port(peer->httpd);
}

pid_t peers_pid(const peer_t *peer)
{
    return peer->nginx ? peer_nginx_pid(peer->nginx) : httpd_pid(peer->httpd);
}

void peers_wait_stapled(const peer_t *peer)
{
    client_spec_t client = scene_client(peer->spec.scene, 0, peers_port(peer));

    for (int i = 0; i < PEERS_GOOD_STAPLES; i++)
        if (!client_wait_good(&client, STAPLED_MS, peer->pool))
            procs_die("%s does not staple:\n%s", peers_names[peer->kind],
                      log_of(peer));
}
