/* certs: certificates from the bytes of a file or an answer. */
#include "certs.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

/* @return 0: there is none */
static int keep(apr_array_header_t *certs, X509 *cert, apr_pool_t *p)
{
    if (!cert)
        return 0;
    apr_pool_cleanup_register(p, cert, free_cert, apr_pool_cleanup_null);
    APR_ARRAY_PUSH(certs, X509 *) = cert;
    return 1;
}

/* @return 0: it is no such bundle, whether or not there is something in it */
static int read_bundle(apr_array_header_t *certs, const unsigned char *der,
                       long len, apr_pool_t *p)
{
    PKCS7 *bundle = d2i_PKCS7(NULL, &der, len);
    int ok = bundle && PKCS7_type_is_signed(bundle) && bundle->d.sign;

    for (int i = 0; ok && i < sk_X509_num(bundle->d.sign->cert); i++) {
        X509 *cert = sk_X509_value(bundle->d.sign->cert, i);

        X509_up_ref(cert);
        keep(certs, cert, p);
    }
    PKCS7_free(bundle);
    return ok;
}

static int is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return 1;
    return 0;
}

/* @return 0: it claims to be what it is not */
static int read_block(apr_array_header_t *certs, const char *name,
                      const unsigned char *der, long len, apr_pool_t *p)
{
    static const char *const plain[] = {PEM_STRING_X509, PEM_STRING_X509_OLD,
                                        NULL};
    static const char *const bundles[] = {PEM_STRING_PKCS7,
                                          PEM_STRING_PKCS7_SIGNED, NULL};

    if (is_one_of(name, plain))
        return keep(certs, d2i_X509(NULL, &der, len), p);
    if (!strcmp(name, PEM_STRING_X509_TRUSTED))
        return keep(certs, d2i_X509_AUX(NULL, &der, len), p);
    return !is_one_of(name, bundles) || read_bundle(certs, der, len, p);
}

/* Block by block, and not by PEM_read_bio_X509, which asks for the passphrase
 * of an encrypted one. @return 0: there is one that cannot be read */
static int read_pem(apr_array_header_t *certs, BIO *in, apr_pool_t *p)
{
    char *name, *header;
    unsigned char *der;
    int ok = 1;
    long len;

    while (ok && PEM_read_bio(in, &name, &header, &der, &len)) {
        ok = read_block(certs, name, der, len, p);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)len); /* may be a key */
    }
    return ok && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static void read_der(apr_array_header_t *certs, const unsigned char *data,
                     apr_size_t len, apr_pool_t *p)
{
    const unsigned char *at = data;

    if (!keep(certs, d2i_X509(NULL, &at, (long)len), p))
        read_bundle(certs, data, (long)len, p);
}

/* @return 0: one is damaged */
static int read_any(apr_array_header_t *certs, const unsigned char *data,
                    apr_size_t len, apr_pool_t *p)
{
    BIO *in = BIO_new_mem_buf(data, (int)len);
    int intact = !in || read_pem(certs, in, p);

    BIO_free(in);
    if (apr_is_empty_array(certs))
        read_der(certs, data, len, p);
    return intact;
}

apr_array_header_t *ocspx_certs_read(const char **why,
                                     const unsigned char *data, apr_size_t len,
                                     apr_pool_t *p)
{
    apr_array_header_t *certs = apr_array_make(p, 4, sizeof(X509 *));
    int intact;

    *why = "holds no certificate in PEM, DER or PKCS #7 form";
    if (len > INT_MAX)
        return NULL;
    ERR_set_mark();
    intact = read_any(certs, data, len, p);
    ERR_pop_to_mark();
    if (!intact)
        *why = apr_psprintf(p, "has a damaged certificate (number %d)",
                            certs->nelts + 1);
    return intact && !apr_is_empty_array(certs) ? certs : NULL;
}

const char *ocspx_certs_pem(const apr_array_header_t *certs, apr_pool_t *p)
{
    BIO *out = BIO_new(BIO_s_mem());
    const char *pem = NULL;
    int ok = out != NULL;
    char *text;

    ERR_set_mark();
    for (int i = 0; ok && i < certs->nelts; i++)
        ok = PEM_write_bio_X509(out, APR_ARRAY_IDX(certs, i, X509 *));
    if (ok) {
        long len = BIO_get_mem_data(out, &text);

        pem = apr_pstrmemdup(p, len ? text : "", (apr_size_t)len);
    }
    BIO_free(out);
    ERR_pop_to_mark();
    return pem;
}
