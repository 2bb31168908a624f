/* test_certs: every way to give a virtual host its certificate and issuer
 * leads to a staple at the very first handshake, for one request each.
 */
#include "../support/check_main.h"
#include "../support/world.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

static world_t *w;

static void setup(void)
{
    w = world_make();
}

static void teardown(void)
{
    world_destroy(w);
}

/** A first handshake that is stapled was waited for. */
static void start_all(void)
{
    responder_script(w->responder, NULL, &(responder_script_t){.delay_ms = 50});
    responder_start(w->responder);
    world_up(w);
}

static client_result_t handshake_by_key(client_key_e key)
{
    client_spec_t spec = world_client(w, "a.test");
    client_result_t result;

    spec.key = key;
    client_handshake(&result, &spec, w->pool);
    ck_assert_msg(client_good(&result), "key %d: %s", key, result.error);
    return result;
}

static void two_certs(const pki_t *rsa, const pki_t *ec)
{
    const char *keys[2];
    const char *certs[2] = {
        httpd_cert(w->httpd, &keys[0], "rsa", rsa, w->issuer, NULL),
        httpd_cert(w->httpd, &keys[1], "ec", ec, w->issuer, NULL)};

    httpd_vhost(w->httpd,
                &(httpd_vhost_t){
                    .names = "a.test",
                    .cert = apr_pstrcat(w->pool, certs[0], " ", certs[1], NULL),
                    .key = apr_pstrcat(w->pool, keys[0], " ", keys[1], NULL)});
}

START_TEST(rsa_and_ecdsa_have_their_own)
{
    pki_spec_t spec = {.cn = "a.test", .key = PKI_RSA};
    pki_t *rsa = world_leaf(w, &spec);
    pki_t *ec = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    client_result_t by_rsa;
    client_result_t by_ec;

    two_certs(rsa, ec);
    start_all();
    by_rsa = handshake_by_key(CLIENT_KEY_RSA);
    by_ec = handshake_by_key(CLIENT_KEY_EC);
    ck_assert_str_ne(by_rsa.serial, by_ec.serial);
    ck_assert_uint_eq(responder_requests(w->responder, rsa), 1);
    ck_assert_uint_eq(responder_requests(w->responder, ec), 1);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 2);
}
END_TEST

/* Then it is mod_ssl that asks whom to ask: what does not fit breaks no
 * handshake there, either. */
START_TEST(one_of_two_names_no_responder)
{
    static const struct {
        client_key_e key;
        client_tls_e tls;
        int stapled;
    } ways[] = {{CLIENT_KEY_RSA, CLIENT_TLS13, 1},
                {CLIENT_KEY_RSA, CLIENT_TLS12, 0},
                {CLIENT_KEY_EC, CLIENT_TLS13, 0}};
    pki_spec_t spec = {.cn = "a.test", .key = PKI_RSA};
    pki_spec_t spec_bare = {.cn = "a.test", .names = "DNS:a.test"};
    pki_t *rsa = world_leaf(w, &spec);
    client_result_t result;

    two_certs(rsa, pki_make(&spec_bare, w->issuer, w->pool));
    responder_script(w->responder, rsa,
                     &(responder_script_t){.padding = 16384});
    responder_start(w->responder);
    world_up(w);
    for (int i = 0; i < 3; i++) {
        client_spec_t client = world_client(w, "a.test");

        client.key = ways[i].key;
        client.tls = ways[i].tls;
        client_handshake(&result, &client, w->pool);
        ck_assert_msg(result.ok, "%d: %s", i, result.error);
        ck_assert_int_eq(result.stapled, ways[i].stapled);
    }
}
END_TEST

START_TEST(two_hundred_vhosts)
{
    enum { VHOSTS = 200 };
    const char *names[VHOSTS];
    int ms;

    for (int i = 0; i < VHOSTS; i++) {
        names[i] = apr_psprintf(w->pool, "v%d.test", i);
        world_site(w, names[i]);
    }
    /* More than the usual 5 s only for a test machine that is very busy. */
    world_global(w, "OCSPXStartupWait 30\n");
    responder_start(w->responder);
    ms = world_up(w);
    for (int i = 0; i < VHOSTS; i++)
        world_assert_good(w, names[i]);
    printf("%d virtual hosts: up after %d ms\n", VHOSTS, ms);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), VHOSTS);
}
END_TEST

START_TEST(shared_certificate_is_fetched_once)
{
    enum { VHOSTS = 20 };
    pki_spec_t spec = {.cn = "v0.test", .names = "DNS:v0.test"};
    const char *names[VHOSTS] = {"v0.test"};
    pki_t *leaf;

    for (int i = 1; i < VHOSTS; i++) {
        names[i] = apr_psprintf(w->pool, "v%d.test", i);
        spec.names = apr_pstrcat(w->pool, spec.names, ",DNS:", names[i], NULL);
    }
    leaf = world_leaf(w, &spec);
    for (int i = 0; i < VHOSTS; i++) /* each from a file of its own */
        world_vhost(w, names[i], leaf, NULL);
    start_all();
    for (int i = 0; i < VHOSTS; i++)
        world_assert_good(w, names[i]);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
}
END_TEST

START_TEST(wildcard)
{
    pki_spec_t spec = {.cn = "*.wild.test"};

    world_site(w, "other.test");
    world_vhost(w, "first.wild.test *.wild.test", world_leaf(w, &spec), NULL);
    start_all();
    world_assert_good(w, "first.wild.test");
    world_assert_good(w, "any.wild.test");
    world_assert_good(w, "other.test");
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 2);
}
END_TEST

/** A virtual host whose certificate file holds the leaf alone. */
static void add_leaf_alone(const char *name, const char *chain_file,
                           const char *extra)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = name});
    httpd_vhost_t vhost = {.names = name, .chain = chain_file, .extra = extra};

    vhost.cert = httpd_cert(w->httpd, &vhost.key, name, leaf, NULL);
    httpd_vhost(w->httpd, &vhost);
}

START_TEST(issuer_is_found_wherever_it_is)
{
    const char *chain = httpd_path(w->httpd, "chain.pem");

    pki_write_certs(chain, w->issuer->cert, NULL);
    world_site(w, "cert-file.test");
    add_leaf_alone("chain-file.test", chain, NULL);
    add_leaf_alone("ca-file.test", NULL,
                   apr_pstrcat(w->pool, "SSLCACertificateFile ", chain, NULL));
    start_all();
    world_assert_good(w, "cert-file.test");
    world_assert_good(w, "chain-file.test");
    world_assert_good(w, "ca-file.test");
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 3);
}
END_TEST

/** What `openssl ocsp' says of it, which sees the signer's certificate. */
static void openssl_accepts(const client_result_t *result, const char *name)
{
    const char *issuer = httpd_path(w->httpd, "issuer.pem");
    const char *leaf =
        httpd_path(w->httpd, apr_pstrcat(w->pool, name, ".pem", NULL));
    const char *output;

    pki_write_certs(issuer, w->issuer->cert, NULL);
    ck_assert_msg(client_openssl_verify(&output, result->der, result->len,
                                        w->root_file, issuer, leaf, w->pool),
                  "%s", output);
}

START_TEST(intermediate_with_delegated_signer)
{
    pki_spec_t signer = {.cn = "Signer", .ocsp_signing = 1};
    client_result_t result;
    client_spec_t spec;
    const char *output;

    w->signer = pki_make(&signer, w->issuer, w->pool);
    world_site(w, "a.test");
    start_all();
    result = world_handshake(w, "a.test");
    ck_assert_msg(client_good(&result), "%s", result.error);
    openssl_accepts(&result, "a.test");
    spec = world_client(w, "a.test");
    ck_assert_msg(client_openssl(&output, &spec, w->pool), "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "Signer"));
    ck_assert_msg(client_curl(&output, &spec, w->pool), "%s", output);
    ck_assert_msg(client_gnutls(&output, &spec, w->pool), "%s", output);
}
END_TEST

static Suite *certs_suite(void)
{
    Suite *suite = suite_create("certs");
    TCase *tests = tcase_create("certs");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rsa_and_ecdsa_have_their_own);
    tcase_add_test(tests, one_of_two_names_no_responder);
    tcase_add_test(tests, two_hundred_vhosts);
    tcase_add_test(tests, shared_certificate_is_fetched_once);
    tcase_add_test(tests, wildcard);
    tcase_add_test(tests, issuer_is_found_wherever_it_is);
    tcase_add_test(tests, intermediate_with_delegated_signer);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(certs_suite());
}
