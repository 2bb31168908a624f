/* facts_scene: an httpd with 40 certificates in every state there is, which
 * then nearly stay as they are for a while: who fails is asked again 11 to 13 s
 * after the start, and then not before 22 s.
 */
#ifndef OCSPX_TEST_FACTS_SCENE_H
#define OCSPX_TEST_FACTS_SCENE_H

#include "status_scene.h"

#define SECONDS(n) apr_time_from_sec(n)
#define HOURS(n) SECONDS(3600 * (n))
#define DAYS(n) HOURS(24 * (n))

#define SITES 40

/** A certificate, and what must have become of it. */
typedef struct {
    const char *name, *state;
    const pki_t *leaf;
    responder_t *responder;
    int stapled; /* a client gets something */
} site_t;

static site_t sites[SITES];
static int sites_count;

/* Asked anew 15 s after it was stapled, when nobody else is, and then not for
 * long, as the responder wishes. */
#define IMPATIENT "SSLStaplingStandardCacheTimeout 2\n"

static inline site_t *site_add(const char *name, const char *state,
                               const pki_t *leaf)
{
    ck_assert_int_lt(sites_count, SITES);
    sites[sites_count] = (site_t){
        .name = name, .state = state, .leaf = leaf, .responder = w->responder};
    return &sites[sites_count++];
}

static inline pki_t *site(const char *state, pki_spec_t spec,
                          const responder_script_t *script, const char *extra)
{
    pki_t *leaf = world_leaf(w, &spec);

    if (script)
        responder_script(w->responder, leaf, script);
    world_vhost(w, spec.cn, leaf, extra);
    site_add(spec.cn, state, leaf)->stapled =
        !strcmp(state, "stapled") || !strcmp(state, "revoked");
    return leaf;
}

/** These sites have a responder of which nobody else has to wait for an
 * answer. */
static inline void apart(void (*add_sites)(void))
{
    responder_t *usual = w->responder;

    w->responder = world_responder(w);
    add_sites();
    responder_start(w->responder);
    w->responder = usual;
}

/* --- stapled --------------------------------------------------------- */

static inline void scene_stapled(void)
{
    static const pki_spec_t specs[] = {
        {.cn = "www.test", .names = "DNS:www.test,DNS:test,DNS:a&b.test"},
        {.cn = "shop.test"},
        {.cn = "rsa.test", .key = PKI_RSA},
        {.cn = "must.test", .must_staple = 1},
        {.cn = "mail.test", .names = "DNS:mail.test,IP:127.0.0.1"},
        {.cn = "wild.test", .names = "DNS:wild.test,DNS:*.wild.test"},
        {.cn = "seven.test"},
        {.cn = "eight.test"},
    };
    pki_t *leaf = NULL;

    for (int i = 0; i < COUNT(specs); i++)
        leaf = site("stapled", specs[i],
                    &(responder_script_t){.age = HOURS(3 * i + 1),
                                          .lifetime = HOURS(100 + 7 * i)},
                    NULL);
    world_vhost(w, "again.eight.test", leaf, NULL);
    for (int i = 1; i < 3; i++)
        site("stapled",
             (pki_spec_t){.cn = apr_psprintf(w->pool, "soon-%d.test", i),
                          .not_before = apr_time_now() - DAYS(80),
                          .not_after = apr_time_now() + DAYS(2 * i)},
             &(responder_script_t){.lifetime = HOURS(30 * i)}, NULL);
}

/* --- failing --------------------------------------------------------- */

static inline const char *nobody(void)
{
    return apr_psprintf(w->pool, "http://127.0.0.1:%d/ocsp?a=1&b=2",
                        procs_free_port());
}

static inline void scene_failing(void)
{
    static const responder_script_t scripts[] = {
        {.answer = RESPONDER_HTML},
        {.answer = RESPONDER_TRY_LATER},
        {.answer = RESPONDER_WRONG_SIGNER},
        {.answer = RESPONDER_HTTP, .http_status = 404},
        {.answer = RESPONDER_UNAUTHORIZED},
        {.answer = RESPONDER_NOT_OCSP},
        {.answer = RESPONDER_EXPIRED},
        {.answer = RESPONDER_FUTURE},
        {.answer = RESPONDER_OTHER_CERTID},
        {.status = V_OCSP_CERTSTATUS_UNKNOWN},
    };

    for (int i = 0; i < COUNT(scripts); i++)
        site("failing",
             (pki_spec_t){.cn = apr_psprintf(w->pool, "failing-%d.test", i)},
             &scripts[i], NULL);
    site("failing", (pki_spec_t){.cn = "dead-1.test", .ocsp_urls = nobody()},
         NULL, NULL);
    site("failing",
         (pki_spec_t){
             .cn = "dead-2.test", .ocsp_urls = nobody(), .must_staple = 1},
         NULL, NULL);
    site("failing", (pki_spec_t){.cn = "no-file.test"}, NULL,
         "OCSPXResponseFile /nonexistent/response.der\n");
}

/* Stapled first: those that then still are, and those that no longer are. */
static const char *const outlived[] = {"login-1.test", "login-2.test"};
static const char *const ended[] = {"ended-1.test", "ended-2.test"};

static inline const site_t *site_of(const char *name)
{
    for (int i = 0; i < sites_count; i++)
        if (!strcmp(sites[i].name, name))
            return &sites[i];
    ck_abort_msg("no such site: %s", name);
}

static inline void scene_outlived(void)
{
    for (int i = 0; i < COUNT(outlived); i++) {
        site("failing", (pki_spec_t){.cn = outlived[i]},
             &(responder_script_t){.lifetime = HOURS(20 + i)}, IMPATIENT);
        sites[sites_count - 1].stapled = 1;
    }
}

static inline void scene_ended(void)
{
    for (int i = 0; i < COUNT(ended); i++)
        site("failing", (pki_spec_t){.cn = ended[i]},
             &(responder_script_t){.lifetime = SECONDS(4)}, NULL);
}

static inline void turn(const char *name)
{
    world_wait_good(w, name, 10000);
    responder_script(site_of(name)->responder, site_of(name)->leaf,
                     &(responder_script_t){.answer = RESPONDER_HTTP,
                                           .http_status = 503,
                                           .headers = "Retry-After: 600\r\n"});
}

/* --- neither --------------------------------------------------------- */

/** Asked, and no answer yet. */
static inline void scene_waiting(void)
{
    for (int i = 1; i < 3; i++)
        site("waiting",
             (pki_spec_t){.cn = apr_psprintf(w->pool, "new-%d.test", i)},
             &(responder_script_t){.answer = RESPONDER_HANG}, NULL);
}

static inline void scene_revoked(void)
{
    const responder_script_t revoked = {.status = V_OCSP_CERTSTATUS_REVOKED,
                                        .lifetime = DAYS(3)};

    site("revoked", (pki_spec_t){.cn = "revoked-1.test"}, &revoked, NULL);
    site("revoked", (pki_spec_t){.cn = "revoked-2.test"}, &revoked, NULL);
    site("withheld", (pki_spec_t){.cn = "withheld-1.test"}, &revoked,
         "OCSPXRevoked withhold\n");
    site("withheld", (pki_spec_t){.cn = "withheld-2.test"}, &revoked,
         "OCSPXRevoked withhold\n");
}

static inline void scene_left_alone(void)
{
    site("not-applicable", (pki_spec_t){.cn = "off.test"}, NULL,
         "OCSPXUseStapling off\n");
    site("not-applicable",
         (pki_spec_t){.cn = "off-must.test", .must_staple = 1}, NULL,
         "OCSPXUseStapling off\n");
    site("not-applicable", (pki_spec_t){.cn = "free.test", .ocsp_urls = ""},
         NULL, NULL);
    site("other-provider", (pki_spec_t){.cn = "legacy.test"}, NULL,
         "OCSPXUseStapling off\nSSLUseStapling on\n");
    site("other-provider", (pki_spec_t){.cn = "md.test"}, NULL,
         "MDStapling on\n");
}

static inline void scene_file(void)
{
    const char *file = httpd_path(w->httpd, "response.der");
    pki_t *leaf =
        site("stapled", (pki_spec_t){.cn = "file.test"}, NULL,
             apr_pstrcat(w->pool, "OCSPXResponseFile ", file, "\n", NULL));
    apr_time_t made = apr_time_now() - HOURS(1);
    pki_single_t single = {.cert = leaf->cert,
                           .issuer = w->issuer->cert,
                           .this_update = made - made % SECONDS(1),
                           .next_update = made - made % SECONDS(1) + DAYS(2)};
    pki_response_t response = {
        .singles = &single, .count = 1, .signer = w->issuer};
    apr_size_t len;
    const unsigned char *der = pki_response(&len, &response, w->pool);

    pki_write_file(file, der, len);
}

static inline void scene_incomplete(void)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "incomplete.test"});

    world_chain_vhost(w, "incomplete.test", leaf, NULL, NULL);
    site_add("incomplete.test", "failing", leaf);
}

/* --- all of it ------------------------------------------------------- */

static inline void scene_settle(void)
{
    for (int i = 0; i < COUNT(outlived); i++)
        turn(outlived[i]);
    for (int i = 0; i < COUNT(ended); i++)
        turn(ended[i]);
    for (int i = 0; i < COUNT(ended); i++)
        ck_assert(httpd_log_wait(
            w->httpd, apr_pstrcat(w->pool, "OCSPX0011: ", ended[i], NULL),
            60000));
    for (int i = 0; i < sites_count; i++) {
        const char *line =
            apr_pstrcat(w->pool, "OCSPX0010: ", sites[i].name, ": ", NULL);

        if (!strcmp(sites[i].state, "failing") &&
            strcmp(sites[i].name, "incomplete.test"))
            ck_assert_msg(httpd_log_wait(w->httpd, line, 60000), "%s", line);
    }
    world_handshake(w, ended[0]);
    for (int i = 0; i < 5; i++)
        world_handshake(w, i < 2 ? "failing-1.test" : "www.test");
}

static inline void scene_up(void)
{
    w = world_make();
    httpd_configure(
        w->httpd,
        &(httpd_config_t){.modules = "md",
                          .global = apr_pstrcat(
                              w->pool,
                              PAGE "OCSPXStartupWait 0\nOCSPXRetry 15 3600\n",
                              "SSLStaplingResponderTimeout 3600\n",
                              "SSLStaplingCache shmcb:stapling(131072)\n",
                              "OCSPXChainTrust ", w->root_file, "\nMDStoreDir ",
                              httpd_path(w->httpd, "md"), "\n", NULL)});
    scene_stapled();
    scene_failing();
    apart(scene_outlived);
    apart(scene_ended);
    apart(scene_waiting);
    scene_revoked();
    scene_left_alone();
    scene_file();
    scene_incomplete();
    up();
    scene_settle();
}

#endif
