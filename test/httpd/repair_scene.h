/* repair_scene: virtual hosts that lack an intermediate, a server that has
 * it, and a module that is told to fetch it (OCSPXChainRepair).
 */
#ifndef OCSPX_REPAIR_SCENE_H
#define OCSPX_REPAIR_SCENE_H

#include <apr_strings.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

/** The virtual host to be repaired, and where its intermediate is. */
#define SITE "site.test"
#define SOURCE "/issuer.der"
/** The virtual host beside it. */
#define SOUND "sound.test"

#define REPAIRED "OCSPX0022: " SITE ": "
#define SOON_MS 10000

static world_t *w;
static pki_t *leaf;

/** For the main server. */
static inline const char *repair_lines(void)
{
    return apr_psprintf(w->pool,
                        "OCSPXChainTrust %s\nOCSPXChainRepair on\n"
                        "OCSPXRetry 1 1\nSSLStaplingResponderTimeout 2\n",
                        w->root_file);
}

static inline void repair_setup(void)
{
    w = world_make();
    world_global(w, repair_lines());
}

static inline void repair_teardown(void)
{
    world_destroy(w);
}

/** A certificate for the site that says where its issuer's is. */
static inline pki_t *repair_leaf(pki_spec_t spec, const char *path)
{
    spec.cn = SITE;
    spec.ca_issuers = responder_url_of(w->responder, path);
    return world_leaf(w, &spec);
}

/** The site, with its leaf alone, and one that is all right. */
static inline void repair_sites(void)
{
    leaf = repair_leaf((pki_spec_t){0}, SOURCE);
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    world_site(w, SOUND);
}

/** Offer these bytes at the source. */
static inline void repair_offer_bytes(const char *path, const void *body,
                                      apr_size_t len)
{
    responder_document(w->responder, path,
                       &(responder_script_t){.body = body, .body_len = len});
}

/** Offer a certificate in DER. */
static inline void repair_offer(const char *path, const pki_t *of)
{
    unsigned char *der = NULL;
    int len = i2d_X509(of->cert, &der);

    ck_assert_int_gt(len, 0);
    repair_offer_bytes(path, der, (apr_size_t)len);
    OPENSSL_free(der);
}

/** Run a command where httpd's files are. */
static inline void repair_run(const char *command)
{
    const char *argv[] = {
        "sh", "-c",
        apr_psprintf(w->pool, "cd %s && %s", httpd_root(w->httpd), command),
        NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 10000, w->pool);
    ck_assert_msg(result.status == 0, "%s:\n%s", argv[2], result.output);
}

/** Offer the file "made" that a command makes. */
static inline void repair_offer_made(const char *path, const char *command)
{
    const char *made = httpd_path(w->httpd, "made");
    struct stat st;

    repair_run(command);
    ck_assert_int_eq(stat(made, &st), 0);
    repair_offer_bytes(path, procs_read_file(made, w->pool),
                       (apr_size_t)st.st_size);
}

static inline void repair_up(void)
{
    responder_start(w->responder);
    world_up(w);
}

static inline void repair_fail(const char *what)
{
    httpd_log_dump(w->httpd);
    ck_abort_msg("%s", what);
}

/** Wait for a line in the log. */
static inline void repair_await(const char *regex)
{
    if (!httpd_log_wait(w->httpd, regex, SOON_MS))
        repair_fail(apr_pstrcat(w->pool, "not logged: ", regex, NULL));
}

static inline void repair_graceful(void)
{
    if (httpd_graceful(w->httpd) < 0)
        repair_fail("no reload");
}

/** What the site sends: "site.test, Issuer". */
static inline const char *repair_sent(void)
{
    return world_handshake(w, SITE).chain;
}

/** The chain is as wanted, once the last generation's children are gone. */
static inline void repair_assert_sent(const char *chain)
{
    long deadline = procs_ms() + 3000;

    while (strcmp(repair_sent(), chain) != 0) {
        if (procs_ms() > deadline)
            repair_fail(apr_psprintf(w->pool, "sent: %s, wanted: %s",
                                     repair_sent(), chain));
        procs_sleep(50);
    }
}

/** The file that keeps what a certificate's chain lacks. */
static inline const char *repair_kept(const pki_t *of)
{
    unsigned char digest[32];
    const char *name = httpd_path(w->httpd, "state/");

    ck_assert_int_eq(X509_digest(of->cert, EVP_sha256(), digest, NULL), 1);
    for (unsigned i = 0; i < sizeof(digest); i++)
        name = apr_psprintf(w->pool, "%s%02x", name, digest[i]);
    return apr_pstrcat(w->pool, name, ".pem", NULL);
}

/** Start, have it repaired, and reload. */
static inline void repair_done(void)
{
    repair_up();
    repair_await(REPAIRED);
    repair_graceful();
    world_wait_good(w, SITE, SOON_MS);
}

#endif
