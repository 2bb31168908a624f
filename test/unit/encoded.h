/* encoded: certificates in the forms that files and CAs have them in. */
#ifndef OCSPX_TEST_ENCODED_H
#define OCSPX_TEST_ENCODED_H

#include "../support/check_main.h"

#include <apr_strings.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "../support/pki.h"

typedef struct {
    const unsigned char *data;
    apr_size_t len;
} encoded_t;

static inline encoded_t encoded_of(const void *data, apr_size_t len,
                                   apr_pool_t *p)
{
    return (encoded_t){apr_pmemdup(p, data, len), len};
}

/** All that was written to @a bio, which is freed. */
static inline encoded_t encoded_bio(BIO *bio, apr_pool_t *p)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    encoded_t encoded = encoded_of(text, (apr_size_t)len, p);

    BIO_free(bio);
    return encoded;
}

static inline encoded_t encoded_der(X509 *cert, apr_pool_t *p)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(i2d_X509_bio(bio, cert), 1);
    return encoded_bio(bio, p);
}

/** A PKCS #7 bundle of these; NULL is none. To be freed. */
static inline PKCS7 *encoded_pkcs7(X509 *const *certs, int count)
{
    PKCS7 *bundle = PKCS7_new();

    ck_assert_int_eq(PKCS7_set_type(bundle, NID_pkcs7_signed), 1);
    ck_assert_int_eq(PKCS7_content_new(bundle, NID_pkcs7_data), 1);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(PKCS7_add_certificate(bundle, certs[i]), 1);
    return bundle;
}

static inline encoded_t encoded_bundle(X509 *const *certs, int count,
                                       apr_pool_t *p)
{
    PKCS7 *bundle = encoded_pkcs7(certs, count);
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(i2d_PKCS7_bio(bio, bundle), 1);
    PKCS7_free(bundle);
    return encoded_bio(bio, p);
}

#endif
