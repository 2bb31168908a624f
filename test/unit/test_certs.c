/* test_certs: certificates in every form they come in, and in none. */
#include "encoded.h"

#include <openssl/err.h>

#include "../../mod_ocspx/core/certs.h"

static apr_pool_t *pool;
static pki_t *a, *b, *c;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    a = pki_make(&(pki_spec_t){.cn = "a"}, NULL, pool);
    b = pki_make(&(pki_spec_t){.cn = "b"}, NULL, pool);
    c = pki_make(&(pki_spec_t){.cn = "c"}, NULL, pool);
}

static void tear_down(void)
{
    ck_assert_uint_eq(ERR_peek_error(), 0);
    apr_pool_destroy(pool);
}

/* --- helpers --------------------------------------------------------- */

static encoded_t text(const char *s)
{
    return (encoded_t){(const unsigned char *)s, strlen(s)};
}

static const char *string(encoded_t of)
{
    return apr_pstrmemdup(pool, (const char *)of.data, of.len);
}

static const char *pem(const pki_t *of)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_X509(bio, of->cert), 1);
    return string(encoded_bio(bio, pool));
}

static const char *key_pem(const pki_t *of, const EVP_CIPHER *cipher)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, of->key, cipher,
                                                   "secret", 6, NULL, NULL),
                     1);
    return string(encoded_bio(bio, pool));
}

/* A block of this name around any bytes. */
static const char *block(const char *name, encoded_t of)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_gt(PEM_write_bio(bio, name, "", of.data, (long)of.len), 0);
    return string(encoded_bio(bio, pool));
}

static const char *join(const char *one, const char *two, const char *three)
{
    return apr_pstrcat(pool, one, two, three, NULL);
}

/* With the line ends of another system. */
static const char *crlf(const char *s)
{
    char *out = apr_palloc(pool, 2 * strlen(s) + 1), *to = out;

    for (; *s; s++) {
        if (*s == '\n')
            *to++ = '\r';
        *to++ = *s;
    }
    *to = '\0';
    return out;
}

/* The common names of what is read, or the reason why nothing is. */
static const char *read_from(encoded_t from)
{
    const char *why = "", *names = "";
    apr_array_header_t *certs =
        ocspx_certs_read(&why, from.data, from.len, pool);
    char name[100];

    if (!certs)
        return why;
    for (int i = 0; i < certs->nelts; i++) {
        X509_NAME_get_text_by_NID(
            X509_get_subject_name(APR_ARRAY_IDX(certs, i, X509 *)),
            NID_commonName, name, sizeof(name));
        names = apr_pstrcat(pool, names, name, NULL);
    }
    return names;
}

static const char *read_text(const char *s)
{
    return read_from(text(s));
}

#define NONE "holds no certificate in PEM, DER or PKCS #7 form"

/* --- what is read ---------------------------------------------------- */

START_TEST(pem_in_order)
{
    ck_assert_str_eq(read_text(pem(a)), "a");
    ck_assert_str_eq(read_text(join(pem(b), pem(a), pem(c))), "bac");
    ck_assert_str_eq(read_text(join("A chain:\n", crlf(pem(b)),
                                    join("\n the CA\n", pem(a), "\nend\n"))),
                     "ba");
}
END_TEST

START_TEST(keys_are_passed_over)
{
    ck_assert_str_eq(read_text(join(pem(a), key_pem(a, NULL), pem(b))), "ab");
    /* nobody is asked for a passphrase */
    ck_assert_str_eq(
        read_text(join(key_pem(a, EVP_aes_128_cbc()), pem(a), pem(b))), "ab");
}
END_TEST

START_TEST(other_names_of_pem)
{
    encoded_t der = encoded_der(a->cert, pool);
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_str_eq(read_text(block("X509 CERTIFICATE", der)), "a");
    ck_assert_int_eq(PEM_write_bio_X509_AUX(bio, a->cert), 1);
    ck_assert_str_eq(read_from(encoded_bio(bio, pool)), "a");
}
END_TEST

START_TEST(der_alone)
{
    encoded_t one = encoded_der(a->cert, pool);

    ck_assert_str_eq(read_from(one), "a");
    one.len--;
    ck_assert_str_eq(read_from(one), NONE);
}
END_TEST

START_TEST(bundles)
{
    X509 *certs[] = {b->cert, a->cert, c->cert};
    encoded_t bundle = encoded_bundle(certs, 3, pool);

    ck_assert_str_eq(read_from(bundle), "bac");
    ck_assert_str_eq(read_text(block("PKCS7", bundle)), "bac");
    ck_assert_str_eq(read_text(block("PKCS #7 SIGNED DATA", bundle)), "bac");
    ck_assert_str_eq(read_text(join(pem(c), block("PKCS7", bundle), pem(a))),
                     "cbaca");
}
END_TEST

/* They belong to the pool, not to what they were read from. */
START_TEST(outlive_the_input)
{
    X509 *certs[] = {a->cert, b->cert};
    encoded_t bundle = encoded_bundle(certs, 2, pool);
    apr_array_header_t *read;
    const char *why;
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    read = ocspx_certs_read(&why, bundle.data, bundle.len, own);
    ck_assert_int_eq(X509_up_ref(APR_ARRAY_IDX(read, 1, X509 *)), 1);
    certs[0] = APR_ARRAY_IDX(read, 1, X509 *);
    apr_pool_destroy(own);
    ck_assert_int_eq(X509_cmp(certs[0], b->cert), 0);
    X509_free(certs[0]);
}
END_TEST

/* --- what is not ----------------------------------------------------- */

START_TEST(nothing_there)
{
    encoded_t key = text(key_pem(a, NULL));

    ck_assert_str_eq(read_text(""), NONE);
    ck_assert_str_eq(read_from((encoded_t){NULL, 0}), NONE);
    ck_assert_str_eq(read_text("<html><body>Not found</body></html>"), NONE);
    ck_assert_str_eq(read_from((encoded_t){(const unsigned char *)"\0\0", 2}),
                     NONE);
    ck_assert_str_eq(read_from(key), NONE);
}
END_TEST

START_TEST(bundle_without)
{
    encoded_t empty = encoded_bundle(NULL, 0, pool);

    ck_assert_str_eq(read_from(empty), NONE);
    ck_assert_str_eq(read_text(block("PKCS7", empty)), NONE);
}
END_TEST

/* PKCS #7 also has envelopes; no place for certificates, though they may have
 * some. */
static encoded_t envelope(void)
{
    PKCS7 *other = PKCS7_new();
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PKCS7_set_type(other, NID_pkcs7_signedAndEnveloped), 1);
    ck_assert_int_eq(PKCS7_add_certificate(other, b->cert), 1);
    other->d.signed_and_enveloped->enc_data->algorithm->algorithm =
        OBJ_nid2obj(NID_aes_128_cbc);
    ck_assert_int_eq(i2d_PKCS7_bio(bio, other), 1);
    PKCS7_free(other);
    return encoded_bio(bio, pool);
}

START_TEST(other_pkcs7)
{
    encoded_t other = envelope();

    ck_assert_str_eq(read_from(other), NONE);
    ck_assert_str_eq(read_text(join(pem(a), block("PKCS7", other), "")),
                     "has a damaged certificate (number 2)");
}
END_TEST

/* signedData by name, with nothing in it at all */
START_TEST(hollow_bundle)
{
    static const unsigned char hollow[] = {0x30, 0x0b, 0x06, 0x09, 0x2a,
                                           0x86, 0x48, 0x86, 0xf7, 0x0d,
                                           0x01, 0x07, 0x02};

    ck_assert_str_eq(read_from(encoded_of(hollow, sizeof(hollow), pool)), NONE);
}
END_TEST

/* One that cannot be read spoils them all: which one it was matters. */
START_TEST(damaged)
{
    encoded_t der = encoded_der(b->cert, pool);
    char *cut = apr_pstrdup(pool, join(pem(a), pem(b), ""));
    X509 *certs[] = {b->cert};
    encoded_t bundle = encoded_bundle(certs, 1, pool);

    cut[strlen(cut) - 50] = '\0';
    ck_assert_str_eq(read_text(cut), "has a damaged certificate (number 2)");
    *strchr(cut, 'M') = '*';
    ck_assert_str_eq(read_text(cut), "has a damaged certificate (number 1)");
    der.len--;
    ck_assert_str_eq(read_text(join(pem(a), block("CERTIFICATE", der), pem(c))),
                     "has a damaged certificate (number 2)");
    ck_assert_str_eq(read_text(join(block("TRUSTED CERTIFICATE", der), "", "")),
                     "has a damaged certificate (number 1)");
    bundle.len--;
    ck_assert_str_eq(read_text(join(pem(a), pem(c), block("PKCS7", bundle))),
                     "has a damaged certificate (number 3)");
}
END_TEST

/* An error that somebody else left stays theirs. */
START_TEST(old_errors)
{
    encoded_t bundle = encoded_bundle(NULL, 0, pool);
    BIO *empty = BIO_new(BIO_s_mem());
    const char *data = block("PKCS7", envelope());

    ck_assert_ptr_null(PEM_read_bio_X509(empty, NULL, NULL, NULL));
    BIO_free(empty);
    ck_assert_str_eq(read_text(data), "has a damaged certificate (number 1)");
    ck_assert_str_eq(read_from(bundle), NONE);
    ck_assert_int_eq(ERR_GET_REASON(ERR_peek_last_error()),
                     PEM_R_NO_START_LINE);
    ERR_clear_error();
}
END_TEST

/* --- written --------------------------------------------------------- */

START_TEST(round_trip)
{
    apr_array_header_t *certs = apr_array_make(pool, 2, sizeof(X509 *));

    ck_assert_str_eq(ocspx_certs_pem(certs, pool), "");
    APR_ARRAY_PUSH(certs, X509 *) = b->cert;
    APR_ARRAY_PUSH(certs, X509 *) = a->cert;
    ck_assert_str_eq(ocspx_certs_pem(certs, pool), join(pem(b), pem(a), ""));
    ck_assert_str_eq(read_text(ocspx_certs_pem(certs, pool)), "ba");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("certs");
    TCase *tc = tcase_create("certs");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, pem_in_order);
    tcase_add_test(tc, keys_are_passed_over);
    tcase_add_test(tc, other_names_of_pem);
    tcase_add_test(tc, der_alone);
    tcase_add_test(tc, bundles);
    tcase_add_test(tc, outlive_the_input);
    tcase_add_test(tc, nothing_there);
    tcase_add_test(tc, bundle_without);
    tcase_add_test(tc, other_pkcs7);
    tcase_add_test(tc, hollow_bundle);
    tcase_add_test(tc, damaged);
    tcase_add_test(tc, old_errors);
    tcase_add_test(tc, round_trip);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
