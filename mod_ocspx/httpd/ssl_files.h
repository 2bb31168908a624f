/* ssl_files: which certificates mod_ssl is told to use for which server; read
 * beside it, as it reads them, because in a configuration test it does nothing.
 */
#ifndef OCSPX_SSL_FILES_H
#define OCSPX_SSL_FILES_H

#include <httpd.h>
#include <http_config.h>

typedef enum {
    OCSPX_SSL_ENGINE_UNSET,
    OCSPX_SSL_ENGINE_OFF,
    OCSPX_SSL_ENGINE_ON
} ocspx_ssl_engine_e;

/** One server's directives; NULL or empty: not given. */
typedef struct {
    ocspx_ssl_engine_e engine;
    apr_array_header_t *certs; /* const char *: SSLCertificateFile */
    const char *chain;         /* SSLCertificateChainFile */
    const char *ca_file;       /* SSLCACertificateFile */
    const char *ca_path;       /* SSLCACertificatePath */
} ocspx_ssl_files_t;

ocspx_ssl_files_t ocspx_ssl_files_make(apr_pool_t *p);
ocspx_ssl_files_t ocspx_ssl_files_merge(const ocspx_ssl_files_t *base,
                                        const ocspx_ssl_files_t *add,
                                        apr_pool_t *p);

/* The directives. What they say is checked by mod_ssl; they fail only where it
 * is not loaded. */
const char *ocspx_ssl_files_engine(cmd_parms *cmd, void *dir, const char *arg);
const char *ocspx_ssl_files_cert(cmd_parms *cmd, void *dir, const char *arg);
const char *ocspx_ssl_files_chain(cmd_parms *cmd, void *dir, const char *arg);
const char *ocspx_ssl_files_ca_file(cmd_parms *cmd, void *dir, const char *arg);
const char *ocspx_ssl_files_ca_path(cmd_parms *cmd, void *dir, const char *arg);

/** Is this the name of an object in a token, and no file? */
int ocspx_ssl_files_is_token(const char *name);

/** Will mod_ssl do TLS for @a s? Also right before the sockets are open. */
int ocspx_ssl_files_tls(const server_rec *s);

#endif
