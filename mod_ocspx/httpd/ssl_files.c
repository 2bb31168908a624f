/* ssl_files: which certificates mod_ssl is told to use for which server. */
#include "ssl_files.h"

#include <ap_listen.h>
#include <apr_strings.h>
#include <http_core.h>
#include <string.h>

#include "settings.h"

ocspx_ssl_files_t ocspx_ssl_files_make(apr_pool_t *p)
{
    return (ocspx_ssl_files_t){
        .certs = apr_array_make(p, 2, sizeof(const char *)),
    };
}

/* A virtual host's first three take the place of the main server's, one by
 * one; the others come in addition. */
#define REPLACING 3

static apr_array_header_t *merge_certs(const apr_array_header_t *base,
                                       const apr_array_header_t *add,
                                       apr_pool_t *p)
{
    apr_array_header_t *certs = apr_array_make(p, 2, sizeof(const char *));
    int n = add->nelts < REPLACING ? add->nelts : REPLACING;
    int i;

    for (i = 0; i < n; i++)
        APR_ARRAY_PUSH(certs, const char *) =
            APR_ARRAY_IDX(add, i, const char *);
    for (i = n; i < base->nelts; i++)
        APR_ARRAY_PUSH(certs, const char *) =
            APR_ARRAY_IDX(base, i, const char *);
    for (i = n; i < add->nelts; i++)
        APR_ARRAY_PUSH(certs, const char *) =
            APR_ARRAY_IDX(add, i, const char *);
    return certs;
}

ocspx_ssl_files_t ocspx_ssl_files_merge(const ocspx_ssl_files_t *base,
                                        const ocspx_ssl_files_t *add,
                                        apr_pool_t *p)
{
    return (ocspx_ssl_files_t){
        .engine = add->engine ? add->engine : base->engine,
        .certs = merge_certs(base->certs, add->certs, p),
        .chain = add->chain ? add->chain : base->chain,
        .ca_file = add->ca_file ? add->ca_file : base->ca_file,
        .ca_path = add->ca_path ? add->ca_path : base->ca_path,
    };
}

/* --- directives ------------------------------------------------------ */

static ocspx_ssl_files_t *files_of(const server_rec *s)
{
    return &ocspx_settings_of(s)->ssl_files;
}

/* Without mod_ssl httpd would not know these directives, and must not start
 * to serve in the clear what was to be served over TLS. */
static const char *refuse(const cmd_parms *cmd)
{
    if (ap_find_linked_module("mod_ssl.c"))
        return NULL;
    return apr_pstrcat(cmd->pool, cmd->cmd->name,
                       ": is a directive of mod_ssl, which is not loaded",
                       NULL);
}

/* mod_ssl refuses a path that cannot be, and those in a directory section. */
static const char *take_path(const char **path, const cmd_parms *cmd,
                             const char *arg)
{
    const char *full = ap_server_root_relative(cmd->pool, arg);

    if (full && !cmd->path)
        *path = full;
    return refuse(cmd);
}

/* "optional" has meant no TLS since httpd 2.4.64. */
const char *ocspx_ssl_files_engine(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    files_of(cmd->server)->engine =
        strcasecmp(arg, "on") ? OCSPX_SSL_ENGINE_OFF : OCSPX_SSL_ENGINE_ON;
    return refuse(cmd);
}

const char *ocspx_ssl_files_cert(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *path = arg;
    const char *wrong = ocspx_ssl_files_is_token(arg)
                            ? refuse(cmd)
                            : take_path(&path, cmd, arg);

    (void)dir;
    APR_ARRAY_PUSH(files_of(cmd->server)->certs, const char *) = path;
    return wrong;
}

const char *ocspx_ssl_files_chain(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return take_path(&files_of(cmd->server)->chain, cmd, arg);
}

const char *ocspx_ssl_files_ca_file(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return take_path(&files_of(cmd->server)->ca_file, cmd, arg);
}

const char *ocspx_ssl_files_ca_path(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return take_path(&files_of(cmd->server)->ca_path, cmd, arg);
}

/* --- questions ------------------------------------------------------- */

int ocspx_ssl_files_is_token(const char *name)
{
    return !strncmp(name, "pkcs11:", 7);
}

static const char *protocol_of_listener(const server_addr_rec *addr)
{
    const ap_listen_rec *listener;

    for (listener = ap_listeners; listener; listener = listener->next)
        if (listener->bind_addr->port == addr->host_port &&
            apr_sockaddr_equal(listener->bind_addr, addr->host_addr))
            return listener->protocol;
    return NULL;
}

/* httpd itself gives a server its listener's protocol when it opens the
 * sockets, which it does not in a test. */
static const char *protocol(const server_rec *s)
{
    server_rec *unconst = (server_rec *)(uintptr_t)s;
    const char *name = ap_get_server_protocol(unconst);
    const server_addr_rec *addr;

    for (addr = s->addrs; addr && !name; addr = addr->next)
        name = protocol_of_listener(addr);
    return name;
}

int ocspx_ssl_files_tls(const server_rec *s)
{
    const ocspx_ssl_files_t *files = files_of(s);
    const char *name;

    if (files->engine != OCSPX_SSL_ENGINE_UNSET)
        return files->engine == OCSPX_SSL_ENGINE_ON;
    if (apr_is_empty_array(files->certs))
        return 0;
    name = protocol(s);
    return name && !strcmp(name, "https");
}
