/* mending: the refresher's scene with a chain to be repaired:
 *
 *   root -> upper -> ca -> leaf
 *
 * of which only the leaf is configured, and only the root is trusted.
 */
#ifndef OCSPX_TEST_MENDING_H
#define OCSPX_TEST_MENDING_H

#include "encoded.h"
#include "refresh_scene.h"

#include <sys/stat.h>
#include <unistd.h>

#include "../../mod_ocspx/core/certs.h"
#include "../../mod_ocspx/engine/load.h"
#include "../support/procs.h"

#define CA_URL "http://ca/"
#define CA_URL2 "http://ca2/"
#define UPPER_URL "http://upper/"

static pki_t *root, *upper;
static ocspx_chain_trust_t trust;
static ocspx_repair_t *repair;
static const char *dir; /* of state */

static inline pki_t *make_cert(pki_spec_t spec, const pki_t *issuer)
{
    if (!spec.not_before)
        spec.not_before = START - SECONDS(86400);
    if (!spec.not_after)
        spec.not_after = START + SECONDS(8640000);
    return pki_make(&spec, issuer, pool);
}

static inline apr_status_t free_roots(void *roots)
{
    X509_STORE_free(roots);
    return APR_SUCCESS;
}

static inline void trust_root(void)
{
    trust.roots = X509_STORE_new();
    ck_assert_int_eq(X509_STORE_add_cert(trust.roots, root->cert), 1);
    apr_pool_cleanup_register(pool, trust.roots, free_roots,
                              apr_pool_cleanup_null);
}

static inline ocspx_repair_t *make_repair(ocspx_cert_t *of)
{
    ocspx_repair_t *made = apr_pcalloc(pool, sizeof(*made));

    made->cert = of;
    made->served = apr_array_make(pool, 1, sizeof(X509 *));
    made->trust = &trust;
    made->file = "/etc/leaf.pem";
    APR_ARRAY_PUSH(made->served, X509 *) = of->leaf;
    return made;
}

static inline ocspx_cert_t *make_unissued(const pki_t *of)
{
    ocspx_cert_t *made;

    ck_assert_int_eq(ocspx_cert_make(&made, of->cert, NULL, pool), APR_SUCCESS);
    return made;
}

/** A process that knows no more than the configuration. */
static inline void start_afresh(void)
{
    cert = make_unissued(leaf);
    repair = make_repair(cert);
    registry = ocspx_registry_make(pool);
}

/** The leaf asks these responders (NULL: none) about itself. */
static inline void make_leaf(const char *ocsp_urls)
{
    leaf = make_cert((pki_spec_t){.cn = "leaf",
                                  .names = "DNS:leaf.test",
                                  .ocsp_urls = ocsp_urls,
                                  .ca_issuers = CA_URL " " CA_URL2},
                     ca);
    start_afresh();
}

static inline void set_up_mending(void)
{
    const char *why;

    set_up();
    root = make_cert((pki_spec_t){.cn = "Root", .ca = 1}, NULL);
    upper = make_cert((pki_spec_t){.cn = "Upper", .ca = 1}, root);
    ca = make_cert((pki_spec_t){.cn = "CA", .ca = 1, .ca_issuers = UPPER_URL},
                   upper);
    trust_root();
    make_leaf("http://one/ http://two/");
    dir = procs_temp_dir(pool);
    memset(&config, 0, sizeof(config));
    ck_assert_int_eq(ocspx_store_open(&config.store, &why, dir, pool),
                     APR_SUCCESS);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
}

static inline void add(ocspx_cert_t *of, ocspx_repair_t *by)
{
    const char *conflict;

    ck_assert_ptr_nonnull(
        ocspx_registry_add(registry, &conflict, of, by, &policy, "here"));
}

static inline ocspx_refresh_t *make_mender(void)
{
    add(cert, repair);
    return make_refresher();
}

/* --- what the network answers ---------------------------------------- */

static inline void answer_to(const char *url, encoded_t body)
{
    ocspx_fetch_answer_t *answer = apr_pcalloc(pool, sizeof(*answer));

    *answer = (ocspx_fetch_answer_t){.message = "",
                                     .http_status = 200,
                                     .peer = "192.0.2.7:80",
                                     .requests = 1,
                                     .body = body.data,
                                     .body_len = body.len};
    apr_hash_set(network.answers, url, APR_HASH_KEY_STRING, answer);
}

static inline void answer_to_with(const char *url, const pki_t *of)
{
    answer_to(url, encoded_der(of->cert, pool));
}

static inline encoded_t whole_bundle(void)
{
    X509 *certs[] = {upper->cert, ca->cert};

    return encoded_bundle(certs, 2, pool);
}

static inline void fail_to(const char *url, ocspx_cause_e cause,
                           int http_status)
{
    ocspx_fetch_answer_t *answer = apr_pcalloc(pool, sizeof(*answer));

    *answer = (ocspx_fetch_answer_t){.cause = cause,
                                     .message = "no such luck",
                                     .http_status = http_status,
                                     .peer = "",
                                     .requests = 1,
                                     .unreachable = !http_status};
    apr_hash_set(network.answers, url, APR_HASH_KEY_STRING, answer);
}

/* --- what came of it ------------------------------------------------- */

static inline const char *kept_file(void)
{
    return ocspx_store_file(config.store, OCSPX_STORE_CHAIN, cert->id, pool);
}

/** Common names in the file that is kept, or "". */
static inline const char *kept(void)
{
    apr_array_header_t *certs;
    const char *why, *names = "", *pem;
    char name[100];

    if (access(kept_file(), F_OK))
        return "";
    pem = procs_read_file(kept_file(), pool);
    certs =
        ocspx_certs_read(&why, (const unsigned char *)pem, strlen(pem), pool);
    for (int i = 0; certs && i < certs->nelts; i++) {
        X509_NAME_get_text_by_NID(
            X509_get_subject_name(APR_ARRAY_IDX(certs, i, X509 *)),
            NID_commonName, name, sizeof(name));
        names = apr_pstrcat(pool, names, " ", name, NULL);
    }
    return names;
}

/** Put these there as if they had been kept. */
static inline void keep(const pki_t *one, const pki_t *two)
{
    pki_write_certs(kept_file(), one->cert, two->cert, NULL);
    ck_assert_int_eq(chmod(kept_file(), 0600), 0);
}

static inline int times_logged(const char *text)
{
    const char *at = log_text;
    int n = 0;

    while ((at = strstr(at, text))) {
        at++;
        n++;
    }
    return n;
}

#define assert_logged(text)                                                    \
    ck_assert_msg(times_logged(text) == 1, "not once \"%s\" in:\n%s", text,    \
                  log_text)
#define assert_not_logged(text)                                                \
    ck_assert_msg(!times_logged(text), "\"%s\" in:\n%s", text, log_text)

#endif
