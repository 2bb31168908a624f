/* repair_scene: a chain of four, and what is needed to mend it.
 *
 *   Root -> Upper -> Lower -> leaf
 */
#ifndef OCSPX_TEST_REPAIR_SCENE_H
#define OCSPX_TEST_REPAIR_SCENE_H

#include "encoded.h"

#include <openssl/err.h>

#include "../../mod_ocspx/core/certs.h"
#include "../../mod_ocspx/engine/repair.h"
#include "../support/procs.h"

#define START apr_time_from_sec(2000000000)
#define DAYS(n) (apr_time_from_sec(86400) * (n))

static apr_pool_t *pool;
static apr_time_t now;
static pki_t *root, *upper, *lower, *leaf;
static ocspx_chain_trust_t trust;
static ocspx_repair_t repair;

/** A certificate of this time, valid for a year unless it says otherwise. */
static inline pki_t *make(const pki_spec_t *spec, const pki_t *issuer)
{
    pki_spec_t of_now = *spec;

    if (!of_now.not_before)
        of_now.not_before = START - DAYS(10);
    if (!of_now.not_after)
        of_now.not_after = START + DAYS(365);
    return pki_make(&of_now, issuer, pool);
}

static inline pki_t *make_ca(const char *cn, const char *urls,
                             const pki_t *issuer)
{
    return make(&(pki_spec_t){.cn = cn, .ca = 1, .ca_issuers = urls}, issuer);
}

static inline pki_t *make_leaf(const char *urls, const pki_t *issuer)
{
    return make(&(pki_spec_t){.cn = "leaf",
                              .names = "DNS:leaf.test",
                              .ca_issuers = urls},
                issuer);
}

static inline apr_status_t free_roots(void *roots)
{
    X509_STORE_free(roots);
    return APR_SUCCESS;
}

/** The certificates that clients trust; NULL ends them. */
static inline void trust_in(const pki_t *first, const pki_t *second)
{
    trust.roots = X509_STORE_new();
    apr_pool_cleanup_register(pool, trust.roots, free_roots,
                              apr_pool_cleanup_null);
    if (first)
        ck_assert_int_eq(X509_STORE_add_cert(trust.roots, first->cert), 1);
    if (second)
        ck_assert_int_eq(X509_STORE_add_cert(trust.roots, second->cert), 1);
}

/** @a of alone is configured; more by serve. */
static inline void repair_of(const pki_t *of)
{
    ocspx_cert_t *cert;

    ck_assert_int_eq(ocspx_cert_make(&cert, of->cert, NULL, pool), APR_SUCCESS);
    repair = (ocspx_repair_t){
        .cert = cert,
        .served = apr_array_make(pool, 1, sizeof(X509 *)),
        .trust = &trust,
    };
    APR_ARRAY_PUSH(repair.served, X509 *) = of->cert;
}

static inline void serve(const pki_t *cert)
{
    APR_ARRAY_PUSH(repair.served, X509 *) = cert->cert;
}

static inline void set_the_scene(void)
{
    apr_pool_create(&pool, NULL);
    now = START;
    root = make_ca("Root", NULL, NULL);
    upper = make_ca("Upper", "http://root/", root);
    lower = make_ca("Lower", "http://upper/ http://upper2/", upper);
    leaf = make_leaf("http://lower/ http://lower2/ http://lower3/", lower);
    trust_in(root, NULL);
    repair_of(leaf);
}

static inline void strike_the_scene(void)
{
    ck_assert_uint_eq(ERR_peek_error(), 0);
    apr_pool_destroy(pool);
}

/** The common names of these, in order. */
static inline const char *names_of(const apr_array_header_t *certs)
{
    const char *names = "";
    char name[100];

    for (int i = 0; i < certs->nelts; i++) {
        X509_NAME_get_text_by_NID(
            X509_get_subject_name(APR_ARRAY_IDX(certs, i, X509 *)),
            NID_commonName, name, sizeof(name));
        names = apr_pstrcat(pool, names, i ? " " : "", name, NULL);
    }
    return names;
}

#define assert_says(text, part)                                                \
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part)

/* --- attempts -------------------------------------------------------- */

/* Why the last answer was refused. */
static ocspx_cause_e said_cause;
static const char *said;

static inline ocspx_repair_try_t *begin(void)
{
    return ocspx_repair_begin(&repair, now, pool);
}

/* Ask the next URL, which has to be this one, and get @a answer. */
static inline ocspx_repair_result_e ask(ocspx_repair_try_t *attempt,
                                        const char *url, encoded_t answer)
{
    const char *next = ocspx_repair_next(attempt);

    ck_assert_ptr_nonnull(next);
    ck_assert_str_eq(next, url);
    said_cause = OCSPX_CAUSE_NONE;
    said = "";
    return ocspx_repair_take(&said_cause, &said, attempt, answer.data,
                             answer.len, now);
}

static inline encoded_t der(const pki_t *of)
{
    return encoded_der(of->cert, pool);
}

static inline encoded_t bundle(const pki_t *one, const pki_t *two,
                               const pki_t *three)
{
    X509 *certs[] = {one->cert, two->cert, three ? three->cert : NULL};

    return encoded_bundle(certs, three ? 3 : 2, pool);
}

static inline encoded_t text(const char *s)
{
    return (encoded_t){(const unsigned char *)s, strlen(s)};
}

static inline void assert_complete(const ocspx_repair_try_t *attempt,
                                   const char *names)
{
    ck_assert_str_eq(names_of(ocspx_repair_chain(attempt)), names);
}

/* Is @a answer refused for that cause, and all as before? */
static inline void assert_refused(encoded_t answer, ocspx_cause_e why,
                                  const char *says)
{
    ocspx_repair_try_t *attempt = begin();

    ck_assert_int_eq(ask(attempt, "http://lower/", answer),
                     OCSPX_REPAIR_REFUSED);
    ck_assert_str_eq(ocspx_cause_code(said_cause), ocspx_cause_code(why));
    assert_says(said, says);
    ck_assert_str_eq(names_of(attempt->path), "leaf");
    ck_assert_int_eq(attempt->sources->nelts, 0);
    /* the next URL has another chance */
    ck_assert_int_eq(ask(attempt, "http://lower2/", bundle(lower, upper, NULL)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper");
}

#endif
