/* test_encoding: bytes that are no response, or not quite one. */
#include "judging.h"

#include <apr_strings.h>
#include <openssl/pem.h>

START_TEST(not_ocsp_at_all)
{
    static const char html[] = "<!DOCTYPE html>\r\n<html>Please log in";

    judge_bytes(html, sizeof(html) - 1);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "<!DOCTYPE html>\\x0d\\x0a");
    judge_bytes("", 0);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "0 bytes");
    ck_assert_ptr_null(out.signer);
}
END_TEST

/* id-pkix-ocsp-basic becomes id-pkix-ocsp-nonce by its last number. */
START_TEST(not_of_the_basic_type)
{
    static const unsigned char basic[] = {0x2b, 6, 1, 5, 5, 7, 48, 1, 1};
    pki_single_t single = good();
    apr_size_t len;
    const unsigned char *der = pki_response(
        &len, &(pki_response_t){.singles = &single, .count = 1, .signer = ca},
        pool);
    unsigned char *bytes = apr_pmemdup(pool, der, len);
    apr_size_t at = 0;

    while (memcmp(bytes + at, basic, sizeof(basic)) != 0)
        ck_assert_uint_lt(++at + sizeof(basic), len);
    bytes[at + sizeof(basic) - 1] = 2;
    judge_bytes(bytes, len);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "no readable basic response");
}
END_TEST

static unsigned char *delegated_good(apr_size_t *len, apr_size_t room)
{
    pki_single_t single = good();
    pki_response_t r = {.singles = &single,
                        .count = 1,
                        .signer = delegate(1, 0, 0),
                        .with_signer_cert = 1};
    const unsigned char *der = pki_response(len, &r, pool);
    unsigned char *bytes = apr_pcalloc(pool, *len + room);

    memcpy(bytes, der, *len);
    return bytes;
}

START_TEST(truncated_anywhere)
{
    apr_size_t len;
    const unsigned char *der = delegated_good(&len, 0);

    for (apr_size_t n = 0; n < len; n++) {
        unsigned char *exact = malloc(n + !n); /* so that ASan sees overreads */

        memcpy(exact, der, n);
        judge_bytes(exact, n);
        expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "not an OCSP response");
        free(exact);
    }
    judge_bytes(der, len);
    expect_good();
}
END_TEST

/* Any single bit may turn it into nothing worse than a rejection. */
START_TEST(flipped_anywhere)
{
    apr_size_t len;
    unsigned char *der = delegated_good(&len, 0);

    for (apr_size_t i = 0; i < len; i++) {
        der[i] ^= (unsigned char)(1u << (i % 8));
        judge_bytes(der, len);
        ck_assert_msg(out.verdict == OCSPX_RESPONSE_REJECT, "byte %lu",
                      (unsigned long)i);
        der[i] ^= (unsigned char)(1u << (i % 8));
    }
}
END_TEST

START_TEST(trailing_byte)
{
    apr_size_t len;
    const unsigned char *der = delegated_good(&len, 1);

    judge_bytes(der, len + 1);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "followed by 1 more");
}
END_TEST

static void lengthen(unsigned char *length)
{
    ck_assert_int_eq(length[0], 0x82);
    if (!++length[2])
        ++length[1];
}

/* A byte after the basic response, inside the octet string that wraps it:
 * four nested lengths, of two bytes each, have to count it. */
START_TEST(trailing_byte_inside)
{
    apr_size_t len;
    unsigned char *der = delegated_good(&len, 1);

    lengthen(der + 1);  /* OCSPResponse, then responseStatus */
    lengthen(der + 8);  /* [0] */
    lengthen(der + 12); /* ResponseBytes, then responseType */
    lengthen(der + 27); /* response */
    judge_bytes(der, len + 1);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "not encoded in DER");
}
END_TEST

START_TEST(leaves_the_error_queue_as_it_was)
{
    BIO *bio = BIO_new_mem_buf("not PEM", -1);
    unsigned long callers;

    ck_assert_ptr_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
    BIO_free(bio);
    callers = ERR_peek_last_error();
    ck_assert_uint_ne(callers, 0);
    ocspx_response_judge(&out, (const unsigned char *)"x", 1, cert, &policy,
                         now, pool);
    ck_assert_uint_eq(ERR_peek_last_error(), callers);
}
END_TEST

static TCase *encoding(void)
{
    TCase *tc = tcase_create("encoding");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, not_ocsp_at_all);
    tcase_add_test(tc, not_of_the_basic_type);
    tcase_add_test(tc, truncated_anywhere);
    tcase_add_test(tc, flipped_anywhere);
    tcase_add_test(tc, trailing_byte);
    tcase_add_test(tc, trailing_byte_inside);
    tcase_add_test(tc, leaves_the_error_queue_as_it_was);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("encoding");

    suite_add_tcase(suite, encoding());
    return ocspx_check_main(suite);
}
