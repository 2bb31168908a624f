/* served: what OpenSSL sends to clients with a certificate. */
#include "served.h"

#include <apr_errno.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "../core/cert.h"

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

static void add(apr_array_header_t *served, X509 *cert)
{
    X509_up_ref(cert);
    apr_pool_cleanup_register(served->pool, cert, free_cert,
                              apr_pool_cleanup_null);
    APR_ARRAY_PUSH(served, X509 *) = cert;
}

static void add_all(apr_array_header_t *served, const STACK_OF(X509) * certs)
{
    int i;

    for (i = 0; i < sk_X509_num(certs); i++)
        add(served, sk_X509_value(certs, i));
}

/* --- from an SSL_CTX ------------------------------------------------- */

static const STACK_OF(X509) * configured(SSL_CTX *ctx)
{
    STACK_OF(X509) *certs = NULL;

    SSL_CTX_get0_chain_certs(ctx, &certs);
    if (!certs)
        SSL_CTX_get_extra_chain_certs_only(ctx, &certs);
    return certs;
}

/* Where OpenSSL looks for a chain that is not configured; NULL: nowhere. */
static X509_STORE *automatic(SSL_CTX *ctx)
{
    X509_STORE *store = NULL;

    if (SSL_CTX_get_mode(ctx) & SSL_MODE_NO_AUTO_CHAIN)
        return NULL;
#ifdef SSL_CTX_get0_chain_cert_store
    SSL_CTX_get0_chain_cert_store(ctx, &store);
#endif
    return store ? store : SSL_CTX_get_cert_store(ctx);
}

/* OpenSSL, too, sends what it found on the way, whatever the verdict. */
static void build(apr_array_header_t *served, X509 *leaf, X509_STORE *store)
{
    X509_STORE_CTX *search = X509_STORE_CTX_new();

    if (search && X509_STORE_CTX_init(search, store, leaf, NULL) == 1) {
        (void)X509_verify_cert(search);
        add_all(served, X509_STORE_CTX_get0_chain(search));
    }
    X509_STORE_CTX_free(search);
}

apr_array_header_t *ocspx_served_by_ctx(SSL_CTX *ctx, apr_pool_t *p)
{
    apr_array_header_t *served = apr_array_make(p, 4, sizeof(X509 *));
    X509 *leaf = SSL_CTX_get0_certificate(ctx);
    const STACK_OF(X509) * chain;
    X509_STORE *store;

    if (!leaf)
        return served;
    ERR_set_mark();
    chain = configured(ctx);
    store = chain ? NULL : automatic(ctx);
    if (store)
        build(served, leaf, store);
    if (apr_is_empty_array(served))
        add(served, leaf);
    if (chain)
        add_all(served, chain);
    ERR_pop_to_mark();
    return served;
}

/* --- from files ------------------------------------------------------ */

typedef struct {
    const ocspx_ssl_files_t *files;
    SSL_CTX *ctx;
    int store_failed;
    apr_array_header_t *troubles;
    apr_hash_t *stores;
} load_t;

static int says_nothing_found(unsigned long error)
{
#ifdef X509_R_NO_CERTIFICATE_OR_CRL_FOUND
    if (ERR_GET_LIB(error) == ERR_LIB_X509 &&
        ERR_GET_REASON(error) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND)
        return 1;
#endif
    return ERR_GET_LIB(error) == ERR_LIB_PEM &&
           ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* Why the last call failed, in words that follow a file's name. */
static const char *reason(apr_pool_t *p)
{
    unsigned long error = ERR_peek_error();
    const char *text = ERR_reason_error_string(error);
    char buf[120];

    ERR_clear_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SYS)
        return apr_pstrcat(
            p, "cannot be read: ",
            apr_strerror(ERR_GET_REASON(error), buf, sizeof(buf)), NULL);
    if (!error || says_nothing_found(error))
        return "has no certificate in it (PEM is expected)";
    return apr_psprintf(p, "is damaged: %s", text ? text : "no reason given");
}

static const char *trouble_with(const char *file, apr_pool_t *p)
{
    return apr_psprintf(p, "%s %s", ocspx_cert_printable(file, strlen(file), p),
                        reason(p));
}

static void note_trouble(load_t *load, const char *trouble)
{
    APR_ARRAY_PUSH(load->troubles, const char *) = trouble;
}

/* A file that wants a pass phrase must not stop to ask for one. */
static int no_pass_phrase(char *buf, int size, int write, void *baton)
{
    (void)buf;
    (void)size;
    (void)write;
    (void)baton;
    return 0;
}

static apr_status_t free_store(void *store)
{
    X509_STORE_free(store);
    return APR_SUCCESS;
}

/* What came of reading CA files. */
typedef struct {
    X509_STORE *store;
    const char *trouble; /* NULL: none */
} store_t;

static store_t *read_store(const ocspx_ssl_files_t *files, apr_pool_t *p)
{
    store_t *read = apr_pcalloc(p, sizeof(*read));

    read->store = X509_STORE_new();
    apr_pool_cleanup_register(p, read->store, free_store,
                              apr_pool_cleanup_null);
    ERR_clear_error();
    if (!read->store || X509_STORE_load_locations(read->store, files->ca_file,
                                                  files->ca_path) != 1)
        read->trouble =
            trouble_with(files->ca_file ? files->ca_file : files->ca_path, p);
    return read;
}

static void use_store(load_t *load)
{
    const ocspx_ssl_files_t *files = load->files;
    apr_pool_t *p = apr_hash_pool_get(load->stores);
    const char *key = apr_pstrcat(p, files->ca_file ? files->ca_file : "", "\n",
                                  files->ca_path ? files->ca_path : "", NULL);
    store_t *read;

    if (!files->ca_file && !files->ca_path)
        return;
    read = apr_hash_get(load->stores, key, APR_HASH_KEY_STRING);
    if (!read) {
        read = read_store(files, p);
        apr_hash_set(load->stores, key, APR_HASH_KEY_STRING, read);
    }
    load->store_failed = read->trouble != NULL;
    if (read->trouble)
        note_trouble(load, read->trouble);
    else
        SSL_CTX_set1_cert_store(load->ctx, read->store);
}

/* A chain file that is a certificate's file, too, begins with that one. */
static int begins_with_leaf(const ocspx_ssl_files_t *files)
{
    int i;

    for (i = 0; i < files->certs->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(files->certs, i, const char *), files->chain))
            return 1;
    return 0;
}

static int add_extra(load_t *load, BIO *bio)
{
    int skip = begins_with_leaf(load->files);
    X509 *cert;

    while ((cert = PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL))) {
        if (skip || SSL_CTX_add_extra_chain_cert(load->ctx, cert) != 1)
            X509_free(cert);
        skip = 0;
    }
    /* The end of the file, or something else? */
    if (ERR_GET_REASON(ERR_peek_error()) != PEM_R_NO_START_LINE)
        return 0;
    ERR_clear_error();
    return 1;
}

static int use_chain(load_t *load)
{
    BIO *bio;
    int ok;

    if (!load->files->chain)
        return 1;
    ERR_clear_error();
    bio = BIO_new_file(load->files->chain, "r");
    ok = bio && add_extra(load, bio);
    if (!ok)
        note_trouble(load,
                     trouble_with(load->files->chain, load->troubles->pool));
    BIO_free(bio);
    return ok;
}

static int use_cert(load_t *load, const char *file)
{
    int ok;

    if (ocspx_ssl_files_is_token(file))
        return 0;
    ERR_clear_error();
    ok = load->files->chain
             ? SSL_CTX_use_certificate_file(load->ctx, file,
                                            SSL_FILETYPE_PEM) == 1
             : SSL_CTX_use_certificate_chain_file(load->ctx, file) == 1;
    if (!ok)
        note_trouble(load, trouble_with(file, load->troubles->pool));
    return ok && !(load->store_failed && !configured(load->ctx));
}

static int kind_of_key(const apr_array_header_t *served)
{
    X509 *leaf = APR_ARRAY_IDX(served, 0, X509 *);

    return EVP_PKEY_base_id(X509_get0_pubkey(leaf));
}

/* Of two certificates with the same kind of key the last one counts. */
static void replace_or_add(apr_array_header_t *all, apr_array_header_t *served)
{
    int i;

    for (i = 0; i < all->nelts; i++)
        if (kind_of_key(APR_ARRAY_IDX(all, i, apr_array_header_t *)) ==
            kind_of_key(served)) {
            APR_ARRAY_IDX(all, i, apr_array_header_t *) = served;
            return;
        }
    APR_ARRAY_PUSH(all, apr_array_header_t *) = served;
}

apr_array_header_t *ocspx_served_by_files(apr_array_header_t *troubles,
                                          const ocspx_ssl_files_t *files,
                                          apr_hash_t *stores, apr_pool_t *p)
{
    apr_array_header_t *all =
        apr_array_make(p, 2, sizeof(apr_array_header_t *));
    load_t load = {files, SSL_CTX_new(TLS_server_method()), 0, troubles,
                   stores};
    int i;

    if (!load.ctx)
        return all;
    /* What mod_ssl might refuse as too weak is read: weakness is a finding. */
    SSL_CTX_set_security_level(load.ctx, 0);
    SSL_CTX_set_default_passwd_cb(load.ctx, no_pass_phrase);
    use_store(&load);
    if (use_chain(&load))
        for (i = 0; i < files->certs->nelts; i++)
            if (use_cert(&load, APR_ARRAY_IDX(files->certs, i, const char *)))
                replace_or_add(all, ocspx_served_by_ctx(load.ctx, p));
    SSL_CTX_free(load.ctx);
    return all;
}

static int holds(const char *file, X509 *leaf)
{
    BIO *bio = BIO_new_file(file, "r");
    X509 *first =
        bio ? PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL) : NULL;
    int same = first && !X509_cmp(first, leaf);

    X509_free(first);
    BIO_free(bio);
    return same;
}

const char *ocspx_served_to_mend(const ocspx_ssl_files_t *files, X509 *leaf)
{
    const char *found = NULL;
    int i;

    if (files->chain)
        return files->chain;
    ERR_set_mark();
    for (i = 0; i < files->certs->nelts && !found; i++) {
        const char *file = APR_ARRAY_IDX(files->certs, i, const char *);

        if (!ocspx_ssl_files_is_token(file) && holds(file, leaf))
            found = file;
    }
    ERR_pop_to_mark();
    return found;
}
