/* world: CA, responder and httpd of one test. */
#include "world.h"

#include <apr_strings.h>
#include <check.h>
#include <string.h>

#include "procs.h"

world_t *world_make(void)
{
    apr_pool_t *pool;
    world_t *w;

    apr_pool_create(&pool, NULL);
    w = apr_pcalloc(pool, sizeof(*w));
    w->pool = pool;
    w->root = pki_make(&(pki_spec_t){.cn = "Root", .ca = 1}, NULL, pool);
    w->issuer = pki_make(&(pki_spec_t){.cn = "Issuer", .ca = 1}, w->root, pool);
    w->signer = w->issuer;
    w->responder = world_responder(w);
    w->httpd = httpd_make(&(httpd_config_t){0}, pool);
    w->root_file = httpd_path(w->httpd, "root.pem");
    pki_write_certs(w->root_file, w->root->cert, NULL);
    return w;
}

void world_destroy(world_t *w)
{
    apr_pool_destroy(w->pool);
}

responder_t *world_responder(world_t *w)
{
    return responder_make(NULL, 0, w->pool);
}

void world_global(world_t *w, const char *lines)
{
    httpd_configure(w->httpd, &(httpd_config_t){.global = lines});
}

pki_t *world_leaf(world_t *w, const pki_spec_t *spec)
{
    pki_spec_t full = *spec;
    pki_t *leaf;

    if (full.names == NULL)
        full.names = apr_pstrcat(w->pool, "DNS:", full.cn, NULL);
    if (full.ocsp_urls == NULL)
        full.ocsp_urls = responder_url(w->responder);
    leaf = pki_make(&full, w->issuer, w->pool);
    responder_add(w->responder, leaf, w->issuer, w->signer);
    return leaf;
}

/** The first of the names, as a file name. */
static const char *file_name(const world_t *w, const char *names)
{
    char *name = apr_pstrdup(w->pool, names);

    name[strcspn(name, " ")] = '\0';
    return name;
}

const char *world_chain_vhost(world_t *w, const char *names, const pki_t *leaf,
                              const char *extra, ...)
{
    httpd_vhost_t vhost = {.names = names, .extra = extra};
    va_list chain;

    va_start(chain, extra);
    vhost.cert =
        httpd_cert_va(w->httpd, &vhost.key, file_name(w, names), leaf, chain);
    va_end(chain);
    httpd_vhost(w->httpd, &vhost);
    return vhost.cert;
}

void world_vhost(world_t *w, const char *names, const pki_t *leaf,
                 const char *extra)
{
    world_chain_vhost(w, names, leaf, extra, w->issuer, NULL);
}

pki_t *world_site(world_t *w, const char *name)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = name});

    world_vhost(w, name, leaf, NULL);
    return leaf;
}

int world_up(world_t *w)
{
    int ms = httpd_start(w->httpd);

    ck_assert_msg(ms >= 0, "httpd does not start: %s", httpd_output(w->httpd));
    return ms;
}

client_spec_t world_client(const world_t *w, const char *name)
{
    return (client_spec_t){
        .name = name, .port = httpd_port(w->httpd), .ca_file = w->root_file};
}

client_result_t world_handshake(const world_t *w, const char *name)
{
    client_spec_t spec = world_client(w, name);
    client_result_t result;

    client_handshake(&result, &spec, w->pool);
    return result;
}

static void complain(const world_t *w, const char *name, const char *wanted,
                     const client_result_t *result)
{
    httpd_log_dump(w->httpd);
    ck_abort_msg("%s: wanted %s; stapled %d, verified %d, status %d: %s", name,
                 wanted, result->stapled, result->verified, result->status,
                 result->error);
}

void world_assert_good(const world_t *w, const char *name)
{
    client_result_t result = world_handshake(w, name);

    if (!client_good(&result))
        complain(w, name, "a good staple", &result);
}

void world_assert_bare(const world_t *w, const char *name)
{
    client_result_t result = world_handshake(w, name);

    if (!result.ok || result.stapled)
        complain(w, name, "no staple", &result);
}

void world_assert_refused(const world_t *w, const char *name, const char *cause)
{
    const char *regex =
        apr_psprintf(w->pool, "OCSPX0010: %s: %s: ", name, cause);

    if (!httpd_log_wait(w->httpd, regex, 10000)) {
        httpd_log_dump(w->httpd);
        ck_abort_msg("not logged: %s", regex);
    }
    world_assert_bare(w, name);
}

int world_wait_good(const world_t *w, const char *name, int timeout_ms)
{
    client_spec_t spec = world_client(w, name);
    long begin = procs_ms();

    if (!client_wait_good(&spec, timeout_ms, w->pool))
        world_assert_good(w, name);
    return (int)(procs_ms() - begin);
}
