/* scene: an httpd with certificates in every state, for looking at its status
 * page: see build/check-page. Prints the page's URL, and stays up until its
 * standard input ends.
 *
 *   scene trouble | calm | empty | many
 */
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/procs.h"
#include "../support/world.h"

#define SECONDS(n) apr_time_from_sec(n)
#define HOURS(n) SECONDS(3600 * (n))
#define DAYS(n) HOURS(24 * (n))

static world_t *w;
static const char *name = "trouble";

static const char *const global =
    "OCSPXStartupWait 3\n"
    "SSLStaplingResponderTimeout 3600\n"
    "SSLStaplingCache shmcb:stapling(131072)\n"
    "<Location \"/ocspx-status\">\n    SetHandler ocspx-status\n</Location>\n";

/* Asked anew, and so noticed, a moment after it was stapled. */
static const char *const impatient = "SSLStaplingStandardCacheTimeout 3\n";

/* --- stapled --------------------------------------------------------- */

static pki_t *stapled(const char *cn, const char *names,
                      apr_interval_time_t age, apr_interval_time_t lifetime)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = cn, .names = names});

    responder_script(w->responder, leaf,
                     &(responder_script_t){.age = age, .lifetime = lifetime});
    world_vhost(w, cn, leaf, NULL);
    return leaf;
}

static void calm(void)
{
    pki_t *soon;

    stapled("www.example.org",
            "DNS:www.example.org,DNS:example.org,DNS:api.example.org", DAYS(2),
            DAYS(7));
    stapled("shop.example.net", NULL, HOURS(30), DAYS(7));
    stapled("apps.example.com", "DNS:*.apps.example.com,DNS:apps.example.com",
            HOURS(5), DAYS(4));
    stapled("mail.example.org", NULL, HOURS(20), HOURS(72));
    world_vhost(w, "pay.example.net",
                world_leaf(w, &(pki_spec_t){.cn = "pay.example.net",
                                            .key = PKI_RSA,
                                            .must_staple = 1}),
                NULL);
    soon = world_leaf(w, &(pki_spec_t){.cn = "old.example.org",
                                       .not_after = apr_time_now() + DAYS(9)});
    responder_script(
        w->responder, soon,
        &(responder_script_t){.age = DAYS(3), .lifetime = DAYS(10)});
    world_vhost(w, "old.example.org", soon, NULL);
}

/* --- in trouble ------------------------------------------------------ */

static pki_t *failing(const char *cn, const responder_script_t *script)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = cn});

    responder_script(w->responder, leaf, script);
    world_vhost(w, cn, leaf, NULL);
    return leaf;
}

static void never_stapled(void)
{
    char *dead =
        apr_psprintf(w->pool, "http://127.0.0.1:%d/ocsp", procs_free_port());

    failing("intranet.example.org",
            &(responder_script_t){.answer = RESPONDER_HTML});
    failing("busy.example.com",
            &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    failing("forged.example.com",
            &(responder_script_t){.answer = RESPONDER_WRONG_SIGNER});
    world_vhost(w, "firewalled.example.net",
                world_leaf(w, &(pki_spec_t){.cn = "firewalled.example.net",
                                            .ocsp_urls = dead}),
                NULL);
}

/** Asked, and no answer yet: by a responder that nobody else has to wait for.
 */
static void waiting(const char *cn)
{
    responder_t *usual = w->responder;

    w->responder = world_responder(w);
    failing(cn, &(responder_script_t){.answer = RESPONDER_HANG});
    responder_start(w->responder);
    w->responder = usual;
}

static void others(void)
{
    pki_t *leaf =
        failing("revoked.example.org",
                &(responder_script_t){.status = 1, .lifetime = DAYS(3)});

    leaf = world_leaf(w, &(pki_spec_t){.cn = "withheld.example.org"});
    responder_script(w->responder, leaf, &(responder_script_t){.status = 1});
    world_vhost(w, "withheld.example.org", leaf, "OCSPXRevoked withhold\n");
    waiting("new.example.org");
    world_vhost(w, "legacy.example.org",
                world_leaf(w, &(pki_spec_t){.cn = "legacy.example.org"}),
                "OCSPXUseStapling off\nSSLUseStapling on\n");
    world_vhost(
        w, "free.example.org",
        world_leaf(w, &(pki_spec_t){.cn = "free.example.org", .ocsp_urls = ""}),
        NULL);
    world_chain_vhost(
        w, "incomplete.example.org",
        world_leaf(w, &(pki_spec_t){.cn = "incomplete.example.org"}), NULL,
        NULL);
}

/** Certificates that were stapled well, and whose responder then fails. */
static void trouble(void)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "login.example.net",
                                              .names = "DNS:login.example.net,"
                                                       "DNS:sso.example.net"});

    calm();
    responder_script(
        w->responder, leaf,
        &(responder_script_t){.age = DAYS(1), .lifetime = DAYS(4)});
    world_vhost(w, "login.example.net", leaf, impatient);
    never_stapled();
    others();
    responder_start(w->responder);
    world_up(w);
    world_wait_good(w, "login.example.net", 10000);
    responder_script(
        w->responder, leaf,
        &(responder_script_t){.answer = RESPONDER_HTTP, .http_status = 503});
    httpd_log_wait(w->httpd, "login.example.net: RESP_HTTP", 15000);
}

static void many(void)
{
    for (int i = 0; i < 250; i++)
        stapled(apr_psprintf(w->pool, "site-%03d.example.org", i), NULL,
                HOURS(i % 50), HOURS(100));
}

static void up(void (*fill)(void))
{
    fill();
    responder_start(w->responder);
    world_up(w);
}

static void nothing(void)
{
    httpd_vhost(w->httpd, &(httpd_vhost_t){.names = "plain.example.org"});
}

static void set(const char *which)
{
    if (!strcmp(which, "trouble"))
        trouble();
    else if (!strcmp(which, "calm"))
        up(calm);
    else if (!strcmp(which, "many"))
        up(many);
    else if (!strcmp(which, "empty"))
        up(nothing);
    else
        procs_die("no such scene: %s", which);
}

/* The world can only be made inside of a test. */
START_TEST(scene)
{
    w = world_make();
    httpd_configure(
        w->httpd, &(httpd_config_t){.global = global, .modules = "authz_host"});
    set(name);
    for (int i = 0; i < 40 && strcmp(name, "empty"); i++)
        world_handshake(w, i % 9 ? "www.example.org" : "busy.example.com");
    printf("http://127.0.0.1:%d/ocspx-status\n", httpd_plain_port(w->httpd));
    fflush(stdout);
    while (getchar() != EOF)
        ;
    world_destroy(w);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("scene");
    TCase *tests = tcase_create("scene");
    SRunner *runner = srunner_create(suite);
    int failed;

    if (argc > 1)
        name = argv[1];
    apr_initialize();
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, scene);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
