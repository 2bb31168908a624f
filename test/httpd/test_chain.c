/* test_chain: every defect that a chain can have is found at the start, told
 * once and for its virtual host alone, and a chain is called complete exactly
 * where `openssl s_client' accepts it.
 */
#include "chain_scene.h"

/* A chain may only be so weak where OpenSSL is told to live with it. */
#define LENIENT "SSLCipherSuite DEFAULT@SECLEVEL=0"

/* ---- complete ---------------------------------------------------------- */

static void complete_in_file(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      w->issuer, NULL);
}

static void leaf_and_file(const char *chain, const char *extra)
{
    httpd_vhost_t vhost = {.names = BROKEN, .chain = chain, .extra = extra};

    vhost.cert = httpd_cert(w->httpd, &vhost.key, BROKEN,
                            chain_leaf((pki_spec_t){0}, w->issuer), NULL);
    httpd_vhost(w->httpd, &vhost);
}

static const char *issuer_file(void)
{
    const char *file = httpd_path(w->httpd, "issuer.pem");

    pki_write_certs(file, w->issuer->cert, NULL);
    return file;
}

static void complete_by_chain_file(void)
{
    leaf_and_file(issuer_file(), NULL);
}

static void complete_by_ca_file(void)
{
    leaf_and_file(NULL, apr_pstrcat(w->pool, "SSLCACertificateFile ",
                                    issuer_file(), NULL));
}

static void complete_of_three(void)
{
    pki_t *sub = chain_ca("Sub", w->issuer);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, sub), NULL, sub,
                      w->issuer, NULL);
}

static void complete_without_any(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->root), NULL,
                      NULL);
}

/* ---- what is sent ------------------------------------------------------ */

static void leaf_alone(void)
{
    pki_spec_t spec = {.ca_issuers = "http://ca.test/issuer.der"};

    world_chain_vhost(w, BROKEN, chain_leaf(spec, w->issuer), NULL, NULL);
}

static void leaf_alone_without_url(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      NULL);
}

static void upper_of_two_missing(void)
{
    pki_spec_t spec = {
        .cn = "Sub", .ca = 1, .ca_issuers = "http://ca.test/upper.der"};
    pki_t *sub = chain_make(spec, w->issuer);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, sub), NULL, sub,
                      NULL);
}

static void lower_of_two_missing(void)
{
    pki_t *sub = chain_ca("Sub", w->issuer);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, sub), NULL,
                      w->issuer, NULL);
}

static void wrong_order(void)
{
    pki_t *sub = chain_ca("Sub", w->issuer);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, sub), NULL,
                      w->issuer, sub, NULL);
}

static void sent_twice(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      w->issuer, w->issuer, NULL);
}

static void unrelated(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      w->issuer, chain_ca("Bystander", w->root), NULL);
}

static void root_sent(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      w->issuer, w->root, NULL);
}

static void self_signed(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, NULL), NULL, NULL);
}

/* ---- times ------------------------------------------------------------- */

static void leaf_with_times(apr_time_t from, apr_time_t to)
{
    pki_spec_t spec = {.not_before = apr_time_now() + from,
                       .not_after = apr_time_now() + to};

    world_chain_vhost(w, BROKEN, chain_leaf(spec, w->issuer), NULL, w->issuer,
                      NULL);
}

static void intermediate_with_times(apr_time_t from, apr_time_t to)
{
    pki_t *ca = chain_make((pki_spec_t){.cn = "Timed CA",
                                        .ca = 1,
                                        .not_before = apr_time_now() + from,
                                        .not_after = apr_time_now() + to},
                           w->root);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, ca), NULL, ca,
                      NULL);
}

static void leaf_expired(void)
{
    leaf_with_times(-30 * DAY, -2 * DAY);
}

static void leaf_from_tomorrow(void)
{
    leaf_with_times(DAY, 90 * DAY);
}

static void leaf_expires_soon(void)
{
    leaf_with_times(-DAY, 10 * DAY);
}

static void intermediate_expired(void)
{
    intermediate_with_times(-30 * DAY, -2 * DAY);
}

static void intermediate_from_tomorrow(void)
{
    intermediate_with_times(DAY, 90 * DAY);
}

static void intermediate_expires_soon(void)
{
    intermediate_with_times(-DAY, 10 * DAY);
}

/* ---- rights ------------------------------------------------------------ */

static void wrong_key(void)
{
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      chain_ca("Issuer", w->root), NULL);
}

static void not_a_ca(void)
{
    pki_t *other = chain_make((pki_spec_t){.cn = "No CA"}, w->issuer);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, other), NULL,
                      other, w->issuer, NULL);
}

static void path_too_long(void)
{
    pki_t *last = chain_make(
        (pki_spec_t){.cn = "Last CA", .ca = 1, .pathlen = "0"}, w->root);
    pki_t *further = chain_ca("One too many", last);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, further), NULL,
                      further, last, NULL);
}

static void name_not_permitted(void)
{
    pki_t *ca =
        chain_make((pki_spec_t){.cn = "Restricted",
                                .ca = 1,
                                .constraints = "permitted;DNS:other.test"},
                   w->root);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, ca), NULL, ca,
                      NULL);
}

static void for_ocsp_only(void)
{
    world_chain_vhost(w, BROKEN,
                      chain_leaf((pki_spec_t){.ocsp_signing = 1}, w->issuer),
                      NULL, w->issuer, NULL);
}

/* ---- strength ---------------------------------------------------------- */

static void leaf_sha1(void)
{
    world_chain_vhost(w, BROKEN,
                      chain_leaf((pki_spec_t){.md = EVP_sha1()}, w->issuer),
                      LENIENT, w->issuer, NULL);
}

/* There is no ECDSA with MD5. */
static void leaf_md5(void)
{
    pki_t *ca = chain_make(
        (pki_spec_t){.cn = "RSA CA", .ca = 1, .key = PKI_RSA}, w->root);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){.md = EVP_md5()}, ca),
                      LENIENT, ca, NULL);
}

static void intermediate_sha1(void)
{
    pki_t *ca = chain_make(
        (pki_spec_t){.cn = "Old CA", .ca = 1, .md = EVP_sha1()}, w->root);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, ca), LENIENT, ca,
                      NULL);
}

static void leaf_rsa_1024(void)
{
    pki_spec_t spec = {.key = PKI_RSA, .bits = 1024};

    world_chain_vhost(w, BROKEN, chain_leaf(spec, w->issuer), LENIENT,
                      w->issuer, NULL);
}

static void intermediate_rsa_1024(void)
{
    pki_t *ca = chain_make(
        (pki_spec_t){.cn = "Small CA", .ca = 1, .key = PKI_RSA, .bits = 1024},
        w->root);

    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, ca), LENIENT, ca,
                      NULL);
}

/* ---- the table --------------------------------------------------------- */

typedef struct {
    void (*vhost)(void);
    const char *level; /* of the one finding; NULL: there is none */
    const char *code;
    const char *facts; /* regular expression for the rest of the line */
    int complete;
} case_t;

static const case_t cases[] = {
    {complete_in_file, NULL, NULL, NULL, 1},
    {complete_by_chain_file, NULL, NULL, NULL, 1},
    {complete_by_ca_file, NULL, NULL, NULL, 1},
    {complete_of_three, NULL, NULL, NULL, 1},
    {complete_without_any, NULL, NULL, NULL, 1},

    {leaf_alone, "error", "CHAIN_MISSING",
     "CN=Issuer.*http://ca.test/issuer.der", 0},
    {leaf_alone_without_url, "error", "CHAIN_MISSING", "CN=Issuer", 0},
    {upper_of_two_missing, "error", "CHAIN_MISSING",
     "CN=Issuer.*http://ca.test/upper.der", 0},
    {wrong_order, "warn", "CHAIN_ORDER", "CN=(Sub|Issuer)", 1},
    {sent_twice, "warn", "CHAIN_EXTRA", "CN=Issuer", 1},
    {unrelated, "warn", "CHAIN_EXTRA", "CN=Bystander", 1},
    {root_sent, "info", "CHAIN_ROOT", "CN=Root", 1},
    {self_signed, "warn", "CHAIN_SELF_SIGNED", "CN=" BROKEN, 0},

    {leaf_expired, "error", "CHAIN_EXPIRED", "CN=" BROKEN, 0},
    {leaf_from_tomorrow, "error", "CHAIN_EXPIRED", "CN=" BROKEN, 0},
    {leaf_expires_soon, "warn", "CHAIN_EXPIRED", "CN=" BROKEN, 1},
    {intermediate_expired, "error", "CHAIN_EXPIRED", "CN=Timed CA", 0},
    {intermediate_from_tomorrow, "error", "CHAIN_EXPIRED", "CN=Timed CA", 0},
    {intermediate_expires_soon, "warn", "CHAIN_EXPIRED", "CN=Timed CA", 1},

    {wrong_key, "error", "CHAIN_WRONG_KEY", "CN=Issuer", 0},
    {not_a_ca, "error", "CHAIN_NOT_CA", "CN=No CA", 0},
    {path_too_long, "error", "CHAIN_NOT_CA", "CN=Last CA", 0},
    {name_not_permitted, "error", "CHAIN_NOT_CA", "CN=Restricted", 0},
    {for_ocsp_only, "error", "CHAIN_NOT_SERVER", "CN=" BROKEN, 0},

    {leaf_sha1, "error", "CHAIN_WEAK", "CN=" BROKEN ".*[Ss][Hh][Aa]-?1", 0},
    {leaf_md5, "error", "CHAIN_WEAK", "CN=" BROKEN ".*[Mm][Dd]5", 0},
    {intermediate_sha1, "error", "CHAIN_WEAK", "CN=Old CA.*[Ss][Hh][Aa]-?1", 0},
    {leaf_rsa_1024, "error", "CHAIN_WEAK", "CN=" BROKEN ".*1024", 0},
    {intermediate_rsa_1024, "error", "CHAIN_WEAK", "CN=Small CA.*1024", 0},
};

#define CASES ((int)(sizeof(cases) / sizeof(*cases)))

/** One line says it, at the right level, with facts and remedy. */
static void assert_told(const case_t *c)
{
    const char *rest;

    ck_assert_int_eq(chain_findings(BROKEN, ""), c->code != NULL);
    if (c->code == NULL)
        return;
    rest = apr_pstrcat(w->pool, c->code, ": .*", c->facts, ".*\\. [A-Z]", NULL);
    if (chain_findings_at(c->level, BROKEN, rest) != 1)
        chain_fail(apr_psprintf(w->pool, "no such %s: %s", c->level, rest));
}

START_TEST(defect_is_told_and_verdict_is_right)
{
    const case_t *c = &cases[_i];

    chain_sound();
    c->vhost();
    world_up(w);
    if (chain_findings(BROKEN, "") != (c->code != NULL))
        chain_fail("not one finding, or one where there is none");
    assert_told(c);
    ck_assert_int_eq(chain_findings(SOUND, ""), 0);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), c->code != NULL);
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), c->complete);
    ck_assert_int_eq(chain_verdict(world_client(w, SOUND)), 1);
    chain_summary(2, 1 + c->complete);
}
END_TEST

/* The upper one is sent, and nobody can know whether it belongs there. */
START_TEST(lower_of_two_is_missing)
{
    chain_sound();
    lower_of_two_missing();
    world_up(w);
    ck_assert_int_eq(
        chain_findings_at("error", BROKEN, "CHAIN_MISSING: .*CN=Sub"), 1);
    ck_assert_int_eq(
        chain_findings_at("warn", BROKEN, "CHAIN_EXTRA: .*CN=Issuer"), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), 2);
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), 0);
    chain_summary(2, 1);
}
END_TEST

static Suite *chain_suite(void)
{
    Suite *suite = suite_create("chain");
    TCase *tests = tcase_create("chain");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, chain_setup, chain_teardown);
    tcase_add_loop_test(tests, defect_is_told_and_verdict_is_right, 0, CASES);
    tcase_add_test(tests, lower_of_two_is_missing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(chain_suite());
}
