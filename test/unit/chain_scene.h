/* chain_scene: a small PKI, a question about what a server sends, and the
 * second opinion of `openssl verify' on every answer.
 */
#ifndef OCSPX_TEST_CHAIN_SCENE_H
#define OCSPX_TEST_CHAIN_SCENE_H

#include "../support/check_main.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <string.h>

#include "../../mod_ocspx/core/cert.h"
#include "../../mod_ocspx/core/chain.h"
#include "../../mod_ocspx/core/text.h"
#include "../support/pki.h"
#include "../support/procs.h"

#define DAY apr_time_from_sec(86400)
#define VERIFY_MS 20000

static apr_pool_t *pool;
static apr_time_t now;
static const char *dir;
static pki_t *root;
static pki_t *ca;
static pki_t *leaf;
static ocspx_chain_trust_t trust;
static ocspx_chain_question_t question;
static ocspx_chain_t out;
static apr_array_header_t *roots; /* X509 *: what is in the trust store */
static int second_opinion;        /* ask `openssl verify', too */

static inline apr_status_t free_store(void *store)
{
    X509_STORE_free(store);
    return APR_SUCCESS;
}

static inline void make_store(void)
{
    trust.roots = X509_STORE_new();
    apr_pool_cleanup_register(pool, trust.roots, free_store,
                              apr_pool_cleanup_null);
    roots = apr_array_make(pool, 2, sizeof(X509 *));
}

/* A copy: who reads a trust store has no other. */
static inline void add_root(const pki_t *of)
{
    X509 *copy = X509_dup(of->cert);

    ck_assert_int_eq(X509_STORE_add_cert(trust.roots, copy), 1);
    X509_free(copy);
    APR_ARRAY_PUSH(roots, X509 *) = of->cert;
}

/* These and no others; ends with NULL. */
static inline void trust_only(const pki_t *of, ...)
{
    va_list more;

    make_store();
    va_start(more, of);
    for (; of; of = va_arg(more, const pki_t *))
        add_root(of);
    va_end(more);
}

static inline pki_t *make(pki_spec_t spec, const pki_t *issuer)
{
    return pki_make(&spec, issuer, pool);
}

static inline pki_t *make_ca(const char *cn, const pki_t *issuer)
{
    return make((pki_spec_t){.cn = cn, .ca = 1}, issuer);
}

static inline pki_t *make_leaf(const pki_t *issuer)
{
    return make((pki_spec_t){.cn = "leaf", .names = "DNS:www.test"}, issuer);
}

static inline void set_up(void)
{
    apr_pool_create(&pool, NULL);
    now = apr_time_from_sec(apr_time_sec(apr_time_now()));
    dir = procs_temp_dir(pool);
    root = make_ca("Root", NULL);
    ca = make_ca("CA", root);
    leaf = make_leaf(ca);
    second_opinion = 1;
    trust = (ocspx_chain_trust_t){.all = 1};
    trust_only(root, NULL);
    question = (ocspx_chain_question_t){.trust = &trust, .now = now};
}

static inline void tear_down(void)
{
    apr_pool_destroy(pool);
}

static inline const ocspx_chain_finding_t *finding(int i)
{
    ck_assert_int_lt(i, out.findings->nelts);
    return &APR_ARRAY_IDX(out.findings, i, ocspx_chain_finding_t);
}

static inline const char *listing(void)
{
    const char *text = out.complete ? "complete" : "not complete";

    for (int i = 0; i < out.findings->nelts; i++) {
        text = apr_psprintf(pool, "%s\n  %s %s [%s] %s\n    %s", text,
                            ocspx_cause_severity_name(finding(i)->severity),
                            ocspx_cause_code(finding(i)->cause),
                            finding(i)->subject, finding(i)->message,
                            finding(i)->remedy);
    }
    return text;
}

static inline int has(ocspx_cause_e cause, ocspx_cause_severity_e severity)
{
    for (int i = 0; i < out.findings->nelts; i++)
        if (finding(i)->cause == cause && finding(i)->severity == severity)
            return 1;
    return 0;
}

static inline int is_clean(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return 0;
    return 1;
}

static inline void check_words(const ocspx_chain_finding_t *f)
{
    size_t len = strlen(f->message);

    ck_assert_msg(len > 3 && (f->message[len - 1] != '.' ||
                              !strcmp(f->message + len - 3, "...")),
                  "%s", f->message);
    ck_assert_msg(is_clean(f->message), "%s", f->message);
    ck_assert_msg(is_clean(f->subject), "%s", f->subject);
    ck_assert_msg(*f->remedy && is_clean(f->remedy), "%s", f->remedy);
}

/* What must hold of every answer, whatever the chain. */
static inline void check_coherence(void)
{
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_ptr_nonnull(out.urls);
    for (int i = 0; i < out.findings->nelts; i++) {
        check_words(finding(i));
        if (i > 0)
            ck_assert_int_le(finding(i)->severity, finding(i - 1)->severity);
        for (int k = 0; k < i; k++)
            ck_assert_msg(strcmp(finding(i)->message, finding(k)->message) != 0,
                          "%s", listing());
    }
    if (!out.complete) {
        ck_assert_msg(
            ocspx_chain_worst(&out) == OCSPX_CAUSE_ERROR ||
                has(OCSPX_CAUSE_CHAIN_SELF_SIGNED, OCSPX_CAUSE_WARNING),
            "%s", listing());
    }
    if (!out.gap)
        ck_assert_int_eq(out.urls->nelts, 0);
}

static inline const char *write_pem(const char *name,
                                    const apr_array_header_t *certs)
{
    const char *path = apr_pstrcat(pool, dir, "/", name, NULL);
    FILE *f = fopen(path, "w");

    for (int i = 0; i < certs->nelts; i++)
        PEM_write_X509(f, APR_ARRAY_IDX(certs, i, X509 *));
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

static inline apr_array_header_t *list_of(X509 *cert)
{
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(X509 *));

    APR_ARRAY_PUSH(list, X509 *) = cert;
    return list;
}

/* The one a private chain ends at, which its clients know. */
static inline X509 *find_anchor(void)
{
    const ocspx_chain_finding_t *f = finding(out.findings->nelts - 1);

    if (f->cause != OCSPX_CAUSE_CHAIN_PRIVATE ||
        f->severity != OCSPX_CAUSE_INFO)
        return NULL;
    for (int i = question.served->nelts - 1; i >= 0; i--) {
        X509 *cert = APR_ARRAY_IDX(question.served, i, X509 *);

        if (!strcmp(ocspx_cert_name(X509_get_subject_name(cert), pool),
                    f->subject))
            return cert;
    }
    return NULL;
}

static inline int openssl_agrees(void)
{
    X509 *anchor = out.findings->nelts > 0 ? find_anchor() : NULL;
    const char *argv[] = {
        "openssl",
        "verify",
        "-purpose",
        "sslserver",
        "-auth_level",
        "2",
        "-attime",
        apr_psprintf(pool, "%" APR_TIME_T_FMT, apr_time_sec(question.now)),
        "-no-CApath",
        "-no-CAstore",
        "-untrusted",
        write_pem("sent.pem", question.served),
        "-CAfile",
        write_pem("roots.pem", anchor ? list_of(anchor) : roots),
        anchor ? "-partial_chain" : "-trusted_first",
        write_pem("leaf.pem",
                  list_of(APR_ARRAY_IDX(question.served, 0, X509 *))),
        NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, VERIFY_MS, pool);
    ck_assert_msg(result.status >= 0, "%s", result.output);
    ck_assert_msg((result.status == 0) == out.complete, "openssl says %s%s",
                  result.output, listing());
    return 1;
}

static inline void judge_again(void)
{
    memset(&out, 0x5a, sizeof(out));
    ocspx_chain_judge(&out, &question, pool);
    check_coherence();
    if (second_opinion)
        openssl_agrees();
}

/* Have these judged, leaf first; ends with NULL. */
static inline void judge(const pki_t *of, ...)
{
    apr_array_header_t *served = apr_array_make(pool, 4, sizeof(X509 *));
    va_list more;

    va_start(more, of);
    for (; of; of = va_arg(more, const pki_t *))
        APR_ARRAY_PUSH(served, X509 *) = of->cert;
    va_end(more);
    question.served = served;
    judge_again();
}

static inline void expect_complete(int yes)
{
    ck_assert_msg(out.complete == yes, "%s", listing());
}

static inline void expect_count(int n)
{
    ck_assert_msg(out.findings->nelts == n, "%s", listing());
}

static inline void expect_at(int i, ocspx_cause_e cause,
                             ocspx_cause_severity_e severity,
                             const char *subject, const char *words)
{
    const ocspx_chain_finding_t *f = finding(i);

    ck_assert_msg(f->cause == cause && f->severity == severity &&
                      !strcmp(f->subject, subject) && strstr(f->message, words),
                  "not %s %s [%s] ...%s... but %s",
                  ocspx_cause_severity_name(severity), ocspx_cause_code(cause),
                  subject, words, listing());
}

/* This finding, and no other. */
static inline void expect_only(ocspx_cause_e cause,
                               ocspx_cause_severity_e severity,
                               const char *subject, const char *words)
{
    expect_count(1);
    expect_at(0, cause, severity, subject, words);
}

/* Nothing to complain of. */
static inline void expect_good(void)
{
    expect_complete(1);
    expect_count(0);
    ck_assert_ptr_null(out.gap);
}

static inline void expect_remedy(int i, const char *words)
{
    ck_assert_msg(strstr(finding(i)->remedy, words) != NULL, "no \"%s\" in: %s",
                  words, finding(i)->remedy);
}

#endif
