/* trust: the roots that clients know, from a file, a directory or the system.
 *
 * A file is read here and now. A directory is not: OpenSSL looks into it for
 * the one certificate that a chain needs, by the hash in its name.
 */
#include "trust.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../core/cert.h"

typedef struct {
    X509_STORE *roots;
    const char *path;
    const char *shown; /* the path, printable */
    const char **why;
    apr_pool_t *pool;
} load_t;

__attribute__((format(printf, 3, 4))) static apr_status_t
refuse(const load_t *load, apr_status_t rv, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *load->why = apr_pvsprintf(load->pool, format, args);
    va_end(args);
    return rv;
}

static apr_status_t unreadable(const load_t *load, apr_status_t rv)
{
    char words[120];

    return refuse(load, rv, "%s cannot be read: %s", load->shown,
                  apr_strerror(rv, words, sizeof(words)));
}

static apr_status_t unusable(const load_t *load)
{
    return refuse(load, APR_ENOMEM,
                  "%s cannot be used: OpenSSL is out of "
                  "memory",
                  load->shown);
}

/* --- a file ---------------------------------------------------------- */

/* A certificate may be encrypted, strange as it is: nobody is to be asked. */
static int no_passphrase(char *buffer, int size, int writing, void *baton)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)baton;
    return -1;
}

/* With what a TRUSTED CERTIFICATE says of its uses. */
static apr_status_t read_certs(const load_t *load, BIO *in)
{
    int count = 0;
    X509 *cert;

    while ((cert = PEM_read_bio_X509_AUX(in, NULL, no_passphrase, NULL))) {
        int added = X509_STORE_add_cert(load->roots, cert);

        X509_free(cert);
        if (!added)
            return unusable(load);
        count++;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return refuse(load, APR_EINVAL, "certificate %d in %s is damaged",
                      count + 1, load->shown);
    if (!count)
        return refuse(load, APR_EINVAL, "%s holds no certificate in PEM form",
                      load->shown);
    return APR_SUCCESS;
}

static apr_status_t load_file(const load_t *load)
{
    FILE *file = fopen(load->path, "re");
    apr_status_t rv;
    BIO *in;

    if (!file)
        return unreadable(load, errno);
    in = BIO_new_fp(file, BIO_NOCLOSE);
    rv = in ? read_certs(load, in) : unusable(load);
    BIO_free(in);
    fclose(file);
    return rv;
}

/* --- a directory ----------------------------------------------------- */

/* Is this a name that OpenSSL looks for, such as 4a6481c9.0? */
static int is_hash(const char *name)
{
    const size_t hash = 8;

    return strspn(name, "0123456789abcdef") == hash && name[hash] == '.' &&
           name[hash + 1] &&
           !name[hash + 1 + strspn(name + hash + 1, "0123456789")];
}

static int is_file(const load_t *load, const char *name)
{
    const char *path = apr_pstrcat(load->pool, load->path, "/", name, NULL);
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE, load->pool) == APR_SUCCESS &&
           info.filetype == APR_REG;
}

static apr_status_t look_into(const load_t *load)
{
    apr_dir_t *dir;
    apr_finfo_t entry;
    apr_status_t rv = apr_dir_open(&dir, load->path, load->pool);
    int found = 0;

    if (rv)
        return unreadable(load, rv);
    while (!found && apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS)
        found = is_hash(entry.name) && is_file(load, entry.name);
    apr_dir_close(dir);
    if (!found)
        return refuse(load, APR_EINVAL,
                      "%s holds no certificate under its hash; openssl "
                      "rehash %s gives them such names",
                      load->shown, load->shown);
    return APR_SUCCESS;
}

static apr_status_t load_dir(const load_t *load)
{
    apr_status_t rv = look_into(load);
    X509_LOOKUP *lookup;

    if (rv)
        return rv;
    if (strchr(load->path, ':')) /* several directories, to OpenSSL */
        return refuse(load, APR_EINVAL,
                      "%s cannot be used: there is a colon in its path",
                      load->shown);
    lookup = X509_STORE_add_lookup(load->roots, X509_LOOKUP_hash_dir());
    if (!lookup || !X509_LOOKUP_add_dir(lookup, load->path, X509_FILETYPE_PEM))
        return unusable(load);
    return APR_SUCCESS;
}

/* --- any ------------------------------------------------------------- */

static apr_status_t load_system(const load_t *load)
{
    if (X509_STORE_set_default_paths(load->roots))
        return APR_SUCCESS;
    return refuse(load, APR_ENOMEM,
                  "the system's certificates cannot be used: "
                  "OpenSSL is out of memory");
}

static apr_status_t load_path(load_t *load)
{
    apr_finfo_t info;
    apr_status_t rv;

    load->shown =
        ocspx_cert_printable(load->path, strlen(load->path), load->pool);
    rv = apr_stat(&info, load->path, APR_FINFO_TYPE, load->pool);
    if (rv)
        return unreadable(load, rv);
    if (info.filetype == APR_DIR)
        return load_dir(load);
    if (info.filetype == APR_REG)
        return load_file(load);
    return refuse(load, APR_EINVAL, "%s is neither a file nor a directory",
                  load->shown);
}

static apr_status_t free_store(void *roots)
{
    X509_STORE_free(roots);
    return APR_SUCCESS;
}

apr_status_t ocspx_trust_load(const ocspx_chain_trust_t **trust,
                              const char **why, const char *path, apr_pool_t *p)
{
    ocspx_chain_trust_t *loaded;
    load_t load = {.path = path, .why = why, .pool = p};
    apr_status_t rv;

    load.roots = X509_STORE_new();
    if (!load.roots)
        return refuse(&load, APR_ENOMEM, "OpenSSL is out of memory");
    apr_pool_cleanup_register(p, load.roots, free_store, apr_pool_cleanup_null);
    ERR_set_mark();
    rv = path ? load_path(&load) : load_system(&load);
    ERR_pop_to_mark();
    if (rv)
        return rv;
    loaded = apr_palloc(p, sizeof(*loaded));
    loaded->roots = load.roots;
    loaded->all = path != NULL;
    *trust = loaded;
    return APR_SUCCESS;
}
