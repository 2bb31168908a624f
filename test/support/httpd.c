/* httpd: a private httpd: its directory, configuration and virtual hosts. */
#include "httpd_private.h"

#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "procs.h"

/** Runs in the guard, when the test has died before its end. */
static void test_has_died(void *baton)
{
    httpd_t *h = baton;

    httpd_log_dump(h);
    procs_drop_tree(h->root);
}

static apr_status_t stop_with_pool(void *baton)
{
    httpd_t *h = baton;

    httpd_stop(h);
    httpd_log_judge(h, httpd_output(h));
    httpd_log_judge(h, procs_read_file(httpd_log_path(h), h->pool));
    procs_stop(h->guard, SIGKILL, 5000);
    return APR_SUCCESS;
}

httpd_t *httpd_make(const httpd_config_t *config, apr_pool_t *p)
{
    httpd_t *h = apr_pcalloc(p, sizeof(*h));

    h->pool = p;
    h->root = procs_make_dir(p);
    h->port = procs_free_port();
    do {
        h->plain_port = procs_free_port();
    } while (h->plain_port == h->port);
    h->vhosts = apr_array_make(p, 1, sizeof(httpd_vhost_t));
    h->pid = procs_shared(sizeof(*h->pid), p);
    h->guard = procs_guard(h->pid, test_has_died, h);
    httpd_configure(h, config);
    apr_pool_cleanup_register(p, h, stop_with_pool, apr_pool_cleanup_null);
    return h;
}

static const char *copy(const httpd_t *h, const char *text,
                        const char *otherwise)
{
    return apr_pstrdup(h->pool, text != NULL ? text : otherwise);
}

void httpd_configure(httpd_t *h, const httpd_config_t *config)
{
    const char *state = config->state_dir;

    h->config = *config;
    h->config.mpm = copy(h, config->mpm, "event");
    h->config.log_level =
        copy(h, config->log_level,
             config->without_ocspx ? "warn" : "warn ocspx:debug");
    h->config.modules = copy(h, config->modules, "");
    h->config.without = copy(h, config->without, "");
    h->config.state_dir = copy(h, state, httpd_path(h, "state"));
    h->config.servers = config->servers != 0 ? config->servers : 2;
    h->config.workers = config->workers != 0 ? config->workers : 64;
    h->config.global = copy(h, config->global, "");
    h->config.early = copy(h, config->early, "");
}

void httpd_vhost(httpd_t *h, const httpd_vhost_t *vhost)
{
    httpd_vhost_t *own = apr_array_push(h->vhosts);

    *own = *vhost;
    own->names = copy(h, vhost->names, NULL);
    own->cert = copy(h, vhost->cert, NULL);
    own->key = copy(h, vhost->key, NULL);
    own->chain = copy(h, vhost->chain, NULL);
    own->extra = copy(h, vhost->extra, "");
    own->port = vhost->port != 0 ? vhost->port : h->port;
}

void httpd_vhosts_clear(httpd_t *h)
{
    apr_array_clear(h->vhosts);
}

int httpd_port(const httpd_t *h)
{
    return h->port;
}

int httpd_plain_port(const httpd_t *h)
{
    return h->plain_port;
}

const char *httpd_root(const httpd_t *h)
{
    return h->root;
}

const char *httpd_path(const httpd_t *h, const char *name)
{
    return apr_pstrcat(h->pool, h->root, "/", name, NULL);
}

/** Append the PEM of one certificate, by way of a file of its own. */
static const char *append_pem(httpd_t *h, const char *pem, const pki_t *of)
{
    const char *part = httpd_path(h, "part.pem");

    pki_write_certs(part, of->cert, NULL);
    return apr_pstrcat(h->pool, pem, procs_read_file(part, h->pool), NULL);
}

const char *httpd_cert_va(httpd_t *h, const char **key, const char *name,
                          const pki_t *leaf, va_list chain)
{
    const char *path = apr_pstrcat(h->pool, h->root, "/", name, ".pem", NULL);
    const char *pem = append_pem(h, "", leaf);
    const pki_t *next;

    while ((next = va_arg(chain, const pki_t *)) != NULL)
        pem = append_pem(h, pem, next);
    pki_write_file(path, pem, strlen(pem));
    *key = apr_pstrcat(h->pool, h->root, "/", name, ".key", NULL);
    pki_write_key(*key, leaf);
    return path;
}

const char *httpd_cert(httpd_t *h, const char **key, const char *name,
                       const pki_t *leaf, ...)
{
    const char *path;
    va_list chain;

    va_start(chain, leaf);
    path = httpd_cert_va(h, key, name, leaf, chain);
    va_end(chain);
    return path;
}

const char *httpd_user(void)
{
    if (geteuid() != 0)
        return NULL;
    return getpwnam("www-data") != NULL ? "www-data" : "nobody";
}
