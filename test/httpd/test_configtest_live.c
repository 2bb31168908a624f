/* test_configtest_live: httpd -t -D OCSPX_CHECK asks each responder once, and
 * says in a table what came of it.
 */
#include "configtest_scene.h"

/* A sentence below the rows, wherever its lines end. */
static void assert_note(const char *words)
{
    char *flat = apr_pstrdup(w->pool, table());
    char *to = flat;

    for (const char *from = flat; *from; from++)
        if (*from == '\n')
            *to++ = ' ';
        else if (*from != ' ' || to == flat || to[-1] != ' ')
            *to++ = *from;
    *to = '\0';
    ck_assert_msg(strstr(flat, words) != NULL, "no \"%s\" in: %s", words, flat);
}

/* --- verdicts --------------------------------------------------------- */

START_TEST(good_is_a_row_and_no_more)
{
    const pki_t *leaf;

    configure("info", "");
    leaf = world_leaf(
        w, &(pki_spec_t){.cn = "a.test", .names = "DNS:a.test,DNS:b.test"});
    world_vhost(w, "a.test", leaf, NULL);
    world_vhost(w, "b.test", leaf, NULL);
    responder_start(w->responder);
    assert_live(0);
    assert_row("a.test:[0-9]+", "complete", "good until");
    assert_row("b.test:[0-9]+", "complete", "good until");
    ck_assert_int_eq(lines_in(table(), "20[0-9-]+T[0-9:]+Z$"), 2);
    ck_assert(strstr(table(), "b.test") > strstr(table(), "a.test"));
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
    assert_said(0, "OCSPX00"); /* what the refresher says to itself */
}
END_TEST

static void broken(responder_script_t script)
{
    configure("info", "");
    world_site(w, "a.test");
    responder_script(w->responder, NULL, &script);
    responder_start(w->responder);
    assert_live(1);
}

START_TEST(refused_connection)
{
    broken((responder_script_t){.answer = RESPONDER_REFUSE});
    assert_row("a.test:[0-9]+", "complete", "CONNECT_REFUSED");
    assert_note(
        apr_psprintf(w->pool, " 127.0.0.1:%d", responder_port(w->responder)));
    assert_note("Allow outgoing TCP to the host and port named in the message");
}
END_TEST

START_TEST(revoked_certificate)
{
    broken((responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    assert_row("a.test:[0-9]+", "complete", "REVOKED");
    assert_note("Have a new certificate with a new key issued");
}
END_TEST

START_TEST(certificate_the_responder_does_not_know)
{
    broken((responder_script_t){.status = V_OCSP_CERTSTATUS_UNKNOWN});
    assert_row("a.test:[0-9]+", "complete", "UNKNOWN");
    assert_note("Normal for some minutes after issue");
}
END_TEST

START_TEST(forged_response)
{
    broken((responder_script_t){.answer = RESPONDER_WRONG_SIGNER});
    assert_row("a.test:[0-9]+", "complete", "SIGNER_UNKNOWN");
}
END_TEST

START_TEST(nothing_to_ask)
{
    configure("info", "");
    world_vhost(
        w, "none.test",
        world_leaf(w, &(pki_spec_t){.cn = "none.test", .ocsp_urls = ""}), NULL);
    world_vhost(w, "off.test", world_leaf(w, &(pki_spec_t){.cn = "off.test"}),
                "OCSPXUseStapling off");
    responder_start(w->responder);
    assert_live(0);
    assert_row("none.test:[0-9]+", "complete", "nothing to ask");
    assert_row("off.test:[0-9]+", "complete", "stapling is off");
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 0);
}
END_TEST

START_TEST(responder_of_the_configuration)
{
    configure("info", apr_pstrcat(w->pool, "SSLStaplingForceURL ",
                                  responder_url(w->responder), NULL));
    world_vhost(w, "a.test",
                world_leaf(w, &(pki_spec_t){.cn = "a.test", .ocsp_urls = ""}),
                NULL);
    responder_start(w->responder);
    assert_live(0);
    assert_row("a.test:[0-9]+", "complete", "good until");
}
END_TEST

START_TEST(url_that_cannot_be_asked)
{
    configure("info", "");
    world_vhost(w, "a.test",
                world_leaf(w, &(pki_spec_t){.cn = "a.test",
                                            .ocsp_urls = "ldap://a.test/"}),
                NULL);
    assert_live(1);
    assert_row("a.test:[0-9]+", "complete", "BAD_URL");
    assert_note("ldap://a.test/");
}
END_TEST

static void write_response(const pki_t *leaf, const char *path)
{
    const pki_single_t single = {.cert = leaf->cert,
                                 .issuer = w->issuer->cert,
                                 .this_update = apr_time_now(),
                                 .next_update =
                                     apr_time_now() + apr_time_from_sec(900)};
    apr_size_t len;
    const unsigned char *der = pki_response(
        &len,
        &(pki_response_t){.singles = &single, .count = 1, .signer = w->issuer},
        w->pool);

    pki_write_file(path, der, len);
}

START_TEST(response_files_are_read)
{
    const char *path = httpd_path(w->httpd, "a.der");
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "a.test"});

    configure("info", "");
    world_vhost(w, "a.test", leaf, "OCSPXResponseFile a.der");
    world_vhost(w, "b.test", world_leaf(w, &(pki_spec_t){.cn = "b.test"}),
                "OCSPXResponseFile b.der");
    write_response(leaf, path);
    responder_start(w->responder);
    assert_live(1);
    assert_row("a.test:[0-9]+", "complete", "good until");
    assert_row("b.test:[0-9]+", "complete", "FILE_UNREADABLE");
    ck_assert_int_eq(lines_in(table(), "^[ab].test:.* complete +/tmp"), 2);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 0);
}
END_TEST

/* --- chains ----------------------------------------------------------- */

START_TEST(wrong_chain_needs_action_whatever_the_responder_says)
{
    pki_t *stranger =
        pki_make(&(pki_spec_t){.cn = "Stranger", .ca = 1}, NULL, w->pool);

    configure("warn", "");
    world_chain_vhost(w, "a.test", world_leaf(w, &(pki_spec_t){.cn = "a.test"}),
                      NULL, w->issuer, stranger, NULL);
    world_chain_vhost(w, "root.test",
                      world_leaf(w, &(pki_spec_t){.cn = "root.test"}), NULL,
                      w->issuer, w->root, NULL);
    world_chain_vhost(w, "order.test",
                      world_leaf(w, &(pki_spec_t){.cn = "order.test"}), NULL,
                      stranger, w->issuer, NULL);
    responder_start(w->responder);
    assert_live(2);
    assert_row("a.test:[0-9]+", "CHAIN_EXTRA", "good until");
    assert_row("order.test:[0-9]+", "CHAIN_(EXTRA|ORDER)", "good until");
    assert_note("CHAIN_EXTRA: ");
    assert_note("Take the certificate named in the message out of the file");
    assert_row("root.test:[0-9]+", "complete", "good until");
    configure("warn", "OCSPXChainCheck off");
    assert_live(0);
    assert_row("a.test:[0-9]+", "not checked", "good until");
}
END_TEST

START_TEST(without_issuer_there_is_no_question)
{
    configure("warn", "OCSPXChainCheck off");
    world_chain_vhost(w, "a.test", world_leaf(w, &(pki_spec_t){.cn = "a.test"}),
                      NULL, NULL);
    world_chain_vhost(
        w, "b.test",
        world_leaf(w, &(pki_spec_t){.cn = "b.test", .ocsp_urls = ""}),
        apr_pstrcat(w->pool, "SSLStaplingForceURL ",
                    responder_url(w->responder), NULL),
        NULL);
    responder_start(w->responder);
    assert_live(2);
    assert_row("a.test:[0-9]+", "not checked", "CHAIN_MISSING");
    assert_row("b.test:[0-9]+", "not checked", "CHAIN_MISSING");
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 0);
}
END_TEST

START_TEST(unreadable_certificate_is_a_row)
{
    const char *path;

    configure("warn", "");
    path = world_chain_vhost(
        w, "a.test", world_leaf(w, &(pki_spec_t){.cn = "a.test"}), NULL, NULL);
    pki_write_file(path, "nothing", 7);
    world_site(w, "b.test");
    responder_start(w->responder);
    assert_live(1);
    assert_row("a.test:[0-9]+", "unreadable", "not asked");
    assert_note("has no certificate in it");
    assert_row("b.test:[0-9]+", "complete", "good until");
}
END_TEST

START_TEST(rsa_and_ecdsa_have_a_row_each)
{
    const char *keys[2];
    const char *certs[2] = {
        httpd_cert(w->httpd, &keys[0], "rsa",
                   world_leaf(w, &(pki_spec_t){.cn = "a.test", .key = PKI_RSA}),
                   w->issuer, NULL),
        httpd_cert(w->httpd, &keys[1], "ec",
                   world_leaf(w, &(pki_spec_t){.cn = "a.test"}), w->issuer,
                   NULL)};

    configure("warn", "");
    httpd_vhost(w->httpd,
                &(httpd_vhost_t){
                    .names = "a.test",
                    .cert = apr_pstrcat(w->pool, certs[0], " ", certs[1], NULL),
                    .key = apr_pstrcat(w->pool, keys[0], " ", keys[1], NULL)});
    responder_start(w->responder);
    assert_live(0);
    assert_row("a.test:[0-9]+ RSA", "complete", "good until");
    assert_row("a.test:[0-9]+ EC", "complete", "good until");
    ck_assert(strstr(table(), " RSA ") < strstr(table(), " EC "));
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 2);
}
END_TEST

/* 80 columns, whatever the names. */
START_TEST(table_fits_a_terminal)
{
    static const char name[] =
        "a-long-name-of-a-virtual-host.in-a-long-name-of-a-domain.test";
    char *lines;
    char *state;

    configure("warn", "");
    world_site(w, name);
    world_chain_vhost(w, "b.test", world_leaf(w, &(pki_spec_t){.cn = "b.test"}),
                      NULL, NULL);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_REFUSE});
    responder_start(w->responder);
    assert_live(2);
    lines = apr_pstrdup(w->pool, table());
    *strstr(lines, "\n[") = '\0'; /* then comes the log */
    ck_assert_int_gt(lines_in(lines, "."), 8);
    for (char *line = apr_strtok(lines, "\n", &state); line != NULL;
         line = apr_strtok(NULL, "\n", &state))
        ck_assert_msg(strlen(line) < 80, "too long: %s", line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("configtest_live");
    TCase *tc = tcase_create("configtest_live");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, good_is_a_row_and_no_more);
    tcase_add_test(tc, refused_connection);
    tcase_add_test(tc, revoked_certificate);
    tcase_add_test(tc, certificate_the_responder_does_not_know);
    tcase_add_test(tc, forged_response);
    tcase_add_test(tc, nothing_to_ask);
    tcase_add_test(tc, responder_of_the_configuration);
    tcase_add_test(tc, url_that_cannot_be_asked);
    tcase_add_test(tc, response_files_are_read);
    tcase_add_test(tc, wrong_chain_needs_action_whatever_the_responder_says);
    tcase_add_test(tc, without_issuer_there_is_no_question);
    tcase_add_test(tc, unreadable_certificate_is_a_row);
    tcase_add_test(tc, rsa_and_ecdsa_have_a_row_each);
    tcase_add_test(tc, table_fits_a_terminal);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
