/* tools_tls: runs real TLS servers. */
#include "tools_private.h"

#include <string.h>

#include <apr_strings.h>

#include "procs.h"

/** The files of a site, in a directory of their own. */
typedef struct {
    const char *dir;
    const char *cert[2], *key[2]; /* the leaf alone, and its key */
    const char *chain;            /* what is sent above it */
    const char *full[2];          /* both */
    const char *staple;
} site_files_t;

static const char *name_file(const site_files_t *files, const char *name, int i,
                             apr_pool_t *p)
{
    return apr_psprintf(p, "%s/%s%d", files->dir, name, i);
}

static void write_leaf(site_files_t *files, int i, const pki_t *leaf,
                       apr_pool_t *p)
{
    const char *text;

    files->cert[i] = name_file(files, "cert", i, p);
    files->key[i] = name_file(files, "key", i, p);
    files->full[i] = name_file(files, "full", i, p);
    pki_write_certs(files->cert[i], leaf->cert, NULL);
    pki_write_key(files->key[i], leaf);
    text = apr_pstrcat(p, procs_read_file(files->cert[i], p),
                       procs_read_file(files->chain, p), NULL);
    pki_write_file(files->full[i], text, strlen(text));
}

static X509 *cert_of(const pki_t *pair)
{
    return pair != NULL ? pair->cert : NULL;
}

static void write_site(site_files_t *files, const tools_site_t *site,
                       apr_pool_t *p)
{
    files->dir = procs_temp_dir(p);
    files->chain = name_file(files, "chain", 0, p);
    pki_write_certs(files->chain, cert_of(site->chain[0]),
                    cert_of(site->chain[1]), cert_of(site->chain[2]),
                    cert_of(site->chain[3]), NULL);
    write_leaf(files, 0, site->leaf, p);
    if (site->other != NULL)
        write_leaf(files, 1, site->other, p);
    if (site->staple != NULL) {
        files->staple = name_file(files, "staple", 0, p);
        pki_write_file(files->staple, site->staple, site->staple_len);
    }
}

static const char *listen_on(const tools_site_t *site, int port, apr_pool_t *p)
{
    int v6 = site->host != NULL && strchr(site->host, ':') != NULL;

    return apr_psprintf(p, v6 ? "[%s]:%d" : "%s:%d",
                        site->host != NULL ? site->host : "127.0.0.1", port);
}

/** Add an option and its value to the arguments that end with NULL. */
static void option(const char **argv, const char *name, const char *value)
{
    while (*argv != NULL)
        argv++;
    argv[0] = name;
    argv[1] = value;
}

tools_t *tools_s_server_start(const tools_site_t *site, apr_pool_t *p)
{
    int port = site->port != 0 ? site->port : procs_free_port();
    site_files_t files = {0};
    /* Without -www, it would want to read from a terminal. */
    const char *argv[32] = {"openssl", "s_server", "-www"};

    write_site(&files, site, p);
    option(argv, "-accept", listen_on(site, port, p));
    option(argv, "-cert", files.cert[0]);
    option(argv, "-key", files.key[0]);
    if (site->chain[0] != NULL)
        option(argv, "-cert_chain", files.chain);
    if (site->other != NULL) {
        option(argv, "-dcert", files.cert[1]);
        option(argv, "-dkey", files.key[1]);
    }
    if (site->other != NULL && site->chain[0] != NULL)
        option(argv, "-dcert_chain", files.chain);
    if (site->staple != NULL)
        option(argv, "-status_file", files.staple);
    if (site->demands_certs)
        option(argv, "-Verify", "1");
    if (site->tls12_only)
        option(argv, "-tls1_2", NULL);
    return tools_start(argv, files.dir, port, p);
}

static const char *nginx_certs(const site_files_t *files, int i, apr_pool_t *p)
{
    return files->full[i] == NULL ? ""
                                  : apr_psprintf(p,
                                                 "ssl_certificate %s;\n"
                                                 "ssl_certificate_key %s;\n",
                                                 files->full[i], files->key[i]);
}

static const char *nginx_conf(const tools_site_t *site,
                              const site_files_t *files, int port,
                              apr_pool_t *p)
{
    const char *text = apr_psprintf(p,
                                    "daemon off;\n"
                                    "master_process off;\n"
                                    "pid %s/pid;\n"
                                    "error_log stderr;\n"
                                    "events {}\n"
                                    "http {\n"
                                    "access_log off;\n",
                                    files->dir);

    for (int i = 0; i < 5; i++) {
        static const char *const kinds[] = {"client_body", "proxy", "fastcgi",
                                            "uwsgi", "scgi"};

        text = apr_psprintf(p, "%s%s_temp_path %s/temp;\n", text, kinds[i],
                            files->dir);
    }
    return apr_pstrcat(
        p, text, "server {\nlisten ", listen_on(site, port, p), " ssl;\n",
        nginx_certs(files, 0, p), nginx_certs(files, 1, p), "ssl_protocols ",
        site->tls12_only ? "TLSv1.2;\n" : "TLSv1.2 TLSv1.3;\n",
        site->pass_to == NULL ? ""
                              : apr_pstrcat(p, "location / {\nproxy_pass ",
                                            site->pass_to, ";\n}\n", NULL),
        files->staple == NULL ? ""
                              : apr_pstrcat(p,
                                            "ssl_stapling on;\n"
                                            "ssl_stapling_file ",
                                            files->staple, ";\n", NULL),
        "}\n}\n", NULL);
}

tools_t *tools_nginx_start(const tools_site_t *site, apr_pool_t *p)
{
    int port = site->port != 0 ? site->port : procs_free_port();
    site_files_t files = {0};
    const char *conf, *text;

    write_site(&files, site, p);
    conf = name_file(&files, "nginx.conf", 0, p);
    text = nginx_conf(site, &files, port, p);
    pki_write_file(conf, text, strlen(text));
    return tools_start((const char *[]){tools_find("nginx", p), "-p", files.dir,
                                        "-c", conf, NULL},
                       files.dir, port, p);
}
