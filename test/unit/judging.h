/* judging: the fixture of all tests that have a response judged. */
#ifndef OCSPX_TEST_JUDGING_H
#define OCSPX_TEST_JUDGING_H

#include "../support/check_main.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <string.h>

#include "../../mod_ocspx/core/response.h"
#include "../../mod_ocspx/core/text.h"
#include "../support/pki.h"

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)

static apr_pool_t *pool;
static apr_time_t now;
static pki_t *ca;
static pki_t *leaf;
static ocspx_cert_t *cert;
static ocspx_response_policy_t policy;
static ocspx_response_t out;

static inline void set_up(void)
{
    apr_pool_create(&pool, NULL);
    now = SEC(apr_time_sec(apr_time_now()));
    policy = (ocspx_response_policy_t){.skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    ca = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf", .names = "DNS:www.test"}, ca,
                    pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
}

static inline void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* Good, an hour old, valid for another. */
static inline pki_single_t good(void)
{
    return (pki_single_t){.cert = leaf->cert,
                          .issuer = ca->cert,
                          .status = V_OCSP_CERTSTATUS_GOOD,
                          .this_update = now - HOUR,
                          .next_update = now + HOUR};
}

static inline pki_t *delegate(int ocsp_signing, apr_time_t from,
                              apr_time_t until)
{
    return pki_make(&(pki_spec_t){.cn = "Responder",
                                  .ocsp_signing = ocsp_signing,
                                  .not_before = from,
                                  .not_after = until},
                    ca, pool);
}

/* What must hold of every judgement, whatever the response. */
static inline void check_coherence(void)
{
    ck_assert_ptr_nonnull(out.message);
    ck_assert_uint_gt(strlen(out.message), 0);
    for (const char *c = out.message; *c; c++)
        ck_assert(*c >= 0x20 && *c < 0x7f);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(out.verdict == OCSPX_RESPONSE_GOOD,
                     out.cause == OCSPX_CAUSE_NONE ||
                         out.cause == OCSPX_CAUSE_SIGNER_EXPIRES_EARLY);
    ck_assert_int_eq(out.verdict == OCSPX_RESPONSE_REJECT, out.expiry == 0);
}

static inline void judge_bytes(const void *der, apr_size_t len)
{
    memset(&out, 0x5a, sizeof(out));
    ocspx_response_judge(&out, der, len, cert, &policy, now, pool);
    check_coherence();
}

static inline void judge(pki_response_t r)
{
    apr_size_t len;
    const unsigned char *der;

    r.count = r.count ? r.count : 1;
    der = pki_response(&len, &r, pool);
    judge_bytes(der, len);
}

static inline void judge_single(pki_single_t single)
{
    judge((pki_response_t){.singles = &single, .signer = ca});
}

static inline void judge_signer(const pki_t *signer)
{
    pki_single_t single = good();

    judge((pki_response_t){
        .singles = &single, .signer = signer, .with_signer_cert = 1});
}

static inline void expect_good(void)
{
    ck_assert_msg(out.verdict == OCSPX_RESPONSE_GOOD, "%s", out.message);
    ck_assert_int_eq(out.status, V_OCSP_CERTSTATUS_GOOD);
    ck_assert_int_eq(out.revoked_at, 0);
    ck_assert_ptr_nonnull(strstr(out.message, "good until "));
}

static inline void expect_reject(ocspx_cause_e cause, const char *words)
{
    ck_assert_int_eq(out.verdict, OCSPX_RESPONSE_REJECT);
    ck_assert_msg(out.cause == cause, "%s instead of %s: %s",
                  ocspx_cause_code(out.cause), ocspx_cause_code(cause),
                  out.message);
    ck_assert_msg(strstr(out.message, words) != NULL, "no \"%s\" in: %s", words,
                  out.message);
}

#endif
