/* peer_nginx: a private nginx with ssl_stapling. */
#include "peer_nginx.h"

#include <signal.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "../support/httpd.h"
#include "../support/procs.h"

#define STOP_MS 5000

struct peer_nginx_t {
    apr_pool_t *pool;
    peers_spec_t spec;
    const char *dir;
    int port;
    volatile pid_t *pid; /* shared with the guard; 0: not running */
    pid_t guard;
};

static const char *file(const peer_nginx_t *nginx, const char *name)
{
    return apr_pstrcat(nginx->pool, nginx->dir, "/", name, NULL);
}

static const char *main_lines(const peer_nginx_t *nginx)
{
    const char *user = httpd_user();

    return apr_psprintf(nginx->pool,
                        "daemon off;\n%s"
                        "%s%s%s"
                        "pid %s/pid;\nerror_log %s/log;\n"
                        "worker_rlimit_nofile 65536;\n"
                        "events { worker_connections 8192; }\n",
                        nginx->spec.single ? "master_process off;\n"
                                           : "worker_processes 2;\n",
                        user ? "user " : "", user ? user : "",
                        user ? ";\n" : "", nginx->dir, nginx->dir);
}

static const char *http_lines(const peer_nginx_t *nginx)
{
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi",
                                        "uwsgi", "scgi"};
    const char *text = "access_log off;\nserver_names_hash_max_size 65536;\n"
                       "server_names_hash_bucket_size 128;\n"
                       "ssl_protocols TLSv1.2 TLSv1.3;\nssl_stapling on;\n";

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        text = apr_psprintf(nginx->pool, "%s%s_temp_path %s/temp;\n", text,
                            kinds[i], nginx->dir);
    return text;
}

static const char *server_lines(const peer_nginx_t *nginx, int site,
                                apr_pool_t *p)
{
    const scene_t *scene = nginx->spec.scene;

    return apr_psprintf(p,
                        "server {\nlisten 127.0.0.1:%d ssl;\n"
                        "server_name %s;\n"
                        "ssl_certificate %s;\nssl_certificate_key %s;\n}\n",
                        nginx->port, scene->names[site],
                        scene->cert_files[site], scene->key_file);
}

static void write_conf(const peer_nginx_t *nginx)
{
    apr_array_header_t *parts;
    const char *text;
    apr_pool_t *p;

    apr_pool_create(&p, nginx->pool);
    parts = apr_array_make(p, 64, sizeof(const char *));
    APR_ARRAY_PUSH(parts, const char *) = main_lines(nginx);
    APR_ARRAY_PUSH(parts, const char *) = "http {\n";
    APR_ARRAY_PUSH(parts, const char *) = http_lines(nginx);
    for (int i = 0; i < nginx->spec.scene->count; i++)
        APR_ARRAY_PUSH(parts, const char *) = server_lines(nginx, i, p);
    APR_ARRAY_PUSH(parts, const char *) = "}\n";
    text = apr_array_pstrcat(p, parts, 0);
    pki_write_file(file(nginx, "nginx.conf"), text, strlen(text));
    apr_pool_destroy(p);
}

static void bench_has_died(void *dir)
{
    procs_drop_tree(dir);
}

static apr_status_t stop_with_pool(void *baton)
{
    peer_nginx_t *nginx = baton;

    peer_nginx_stop(nginx);
    procs_stop(nginx->guard, SIGKILL, STOP_MS);
    return APR_SUCCESS;
}

peer_nginx_t *peer_nginx_make(const peers_spec_t *spec, apr_pool_t *p)
{
    peer_nginx_t *nginx = apr_pcalloc(p, sizeof(*nginx));

    nginx->pool = p;
    nginx->spec = *spec;
    nginx->dir = procs_make_dir(p);
    nginx->port = procs_free_port();
    nginx->pid = procs_shared(sizeof(*nginx->pid), p);
    nginx->guard =
        procs_guard(nginx->pid, bench_has_died, apr_pstrdup(p, nginx->dir));
    write_conf(nginx);
    apr_pool_cleanup_register(p, nginx, stop_with_pool, apr_pool_cleanup_null);
    return nginx;
}

void peer_nginx_start(peer_nginx_t *nginx)
{
    const char *conf = file(nginx, "nginx.conf");
    const char *argv[] = {
        nginx->spec.runner, "nginx", "-p", nginx->dir, "-c", conf, NULL};

    *nginx->pid = procs_spawn(nginx->spec.runner ? argv : argv + 1,
                              file(nginx, "output"));
}

void peer_nginx_stop(peer_nginx_t *nginx)
{
    if (*nginx->pid == 0)
        return;
    procs_stop(*nginx->pid, SIGTERM, STOP_MS);
    procs_kill_group(*nginx->pid);
    *nginx->pid = 0;
}

int peer_nginx_port(const peer_nginx_t *nginx)
{
    return nginx->port;
}

pid_t peer_nginx_pid(const peer_nginx_t *nginx)
{
    return *nginx->pid;
}

const char *peer_nginx_log(const peer_nginx_t *nginx)
{
    return apr_pstrcat(nginx->pool,
                       procs_read_file(file(nginx, "output"), nginx->pool),
                       procs_read_file(file(nginx, "log"), nginx->pool), NULL);
}
