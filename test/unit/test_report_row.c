/* test_report_row: what a row says of a certificate and of what became of it;
 * whoever wrote it, it can be printed.
 */
#include "report_scene.h"

#include <openssl/err.h>

static int printable(const char *text)
{
    const char *c;

    for (c = text; c && *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return 0;
    return 1;
}

static const char *name_at(const apr_array_header_t *list, int i)
{
    ck_assert_int_lt(i, list->nelts);
    return APR_ARRAY_IDX(list, i, const char *);
}

/* --- the certificate ------------------------------------------------- */

START_TEST(what_the_certificate_says)
{
    ocspx_report_row_t row;
    ocspx_cert_t *cert = make_cert((pki_spec_t){
        .cn = "Subject",
        .names = "DNS:a.example,email:who@a.example,DNS:*.a.example,"
                 "IP:192.0.2.7,IP:2001:db8::7",
        .serial = 0x12345,
        .must_staple = 1,
        .not_before = NOW - HOUR,
        .not_after = NOW + HOUR});

    add_cert(cert);
    open_cache();
    row = only_row();
    ck_assert_str_eq(row.name, "a.example");
    ck_assert_int_eq(row.names->nelts, 4);
    ck_assert_str_eq(name_at(row.names, 0), "a.example");
    ck_assert_str_eq(name_at(row.names, 1), "*.a.example");
    ck_assert_str_eq(name_at(row.names, 2), "192.0.2.7");
    ck_assert_str_eq(name_at(row.names, 3), "2001:db8::7");
    ck_assert_int_eq(row.vhosts->nelts, 1);
    ck_assert_str_eq(name_at(row.vhosts, 0), "at a.example");
    ck_assert_str_eq(row.subject, "CN=Subject");
    ck_assert_str_eq(row.issuer, "CN=CA");
    ck_assert_str_eq(row.key_type, "EC 256");
    ck_assert_str_eq(row.fingerprint, cert->id);
    ck_assert_str_eq(row.serial, "012345");
    ck_assert_int_eq(row.must_staple, 1);
    ck_assert_int_eq(row.not_before, NOW - HOUR);
    ck_assert_int_eq(row.not_after, NOW + HOUR);
}
END_TEST

static const char *key_type_of(EVP_PKEY *key)
{
    ocspx_report_row_t row;

    registry = ocspx_registry_make(pool);
    source.registry = registry;
    add_cert(make_cert((pki_spec_t){.cn = "a", .use_key = key}));
    open_cache();
    row = only_row();
    ck_assert_int_eq(row.must_staple, 0);
    EVP_PKEY_free(key);
    return row.key_type;
}

static EVP_PKEY *make_key(int type, const char *option, const char *value)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *key = NULL;

    ck_assert_int_gt(EVP_PKEY_keygen_init(ctx), 0);
    if (option)
        ck_assert_int_gt(EVP_PKEY_CTX_ctrl_str(ctx, option, value), 0);
    ck_assert_int_gt(EVP_PKEY_keygen(ctx, &key), 0);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

START_TEST(keys_of_every_kind_have_a_name)
{
    ck_assert_str_eq(
        key_type_of(make_key(EVP_PKEY_RSA, "rsa_keygen_bits", "1024")),
        "RSA 1024");
    ck_assert_str_eq(
        key_type_of(make_key(EVP_PKEY_RSA_PSS, "rsa_keygen_bits", "1024")),
        "RSA-PSS 1024");
    ck_assert_str_eq(
        key_type_of(make_key(EVP_PKEY_EC, "ec_paramgen_curve", "P-384")),
        "EC 384");
    ck_assert_str_eq(key_type_of(make_key(EVP_PKEY_ED25519, NULL, NULL)),
                     "Ed25519");
    ck_assert_str_eq(key_type_of(make_key(EVP_PKEY_ED448, NULL, NULL)),
                     "Ed448");
    ck_assert_str_eq(key_type_of(make_key(EVP_PKEY_X25519, NULL, NULL)),
                     "X25519");
}
END_TEST

/* A certificate whose key OpenSSL cannot read, made by changing the key's
 * algorithm in place; and OpenSSL's queue stays as it was. */
START_TEST(an_unknown_key_has_no_name)
{
    static const unsigned char ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48,
                                       0xce, 0x3d, 0x02, 0x01};
    ocspx_cert_t *cert = make_cert((pki_spec_t){.cn = "a"});
    unsigned char *der = NULL, *at;
    int len = i2d_X509(cert->leaf, &der);
    const unsigned char *in = der;
    unsigned long before;
    X509 *odd;

    at = memmem(der, (size_t)len, ec, sizeof(ec));
    ck_assert_ptr_nonnull(at);
    at[8] = 0x7f;
    odd = d2i_X509(NULL, &in, len);
    ck_assert_ptr_nonnull(odd);
    ck_assert_int_eq(ocspx_cert_make(&cert, odd, NULL, pool), APR_SUCCESS);
    X509_free(odd);
    OPENSSL_free(der);
    add_cert(cert);
    open_cache();
    ck_assert_ptr_null(BIO_new_file("/no/such/file", "r"));
    before = ERR_peek_last_error();
    ck_assert_uint_ne(before, 0);
    ck_assert_ptr_null(only_row().key_type);
    ck_assert_uint_eq(ERR_peek_last_error(), before);
    ERR_clear_error();
}
END_TEST

START_TEST(many_names_are_cut)
{
    ocspx_report_row_t row;
    ocspx_registry_entry_t *entry;
    const char *names = "DNS:n0";
    int i;

    for (i = 1; i < 100; i++)
        names = apr_psprintf(pool, "%s,DNS:n%d", names, i);
    add_cert(make_cert((pki_spec_t){.cn = "a", .names = names}));
    names = apr_psprintf(pool, "DNS:z,%s,DNS:n100,email:a@b", names);
    add_cert(make_cert((pki_spec_t){.cn = "b", .names = names}));
    entry = APR_ARRAY_IDX(registry->entries, 1, ocspx_registry_entry_t *);
    for (i = 1; i < 100; i++)
        APR_ARRAY_PUSH(entry->places, const char *) = "there";
    open_cache();
    row = row_of(make_report(), 0);
    ck_assert_int_eq(row.names->nelts, 100);
    ck_assert_str_eq(name_at(row.names, 99), "n99");
    row = row_of(make_report(), 1);
    ck_assert_int_eq(row.names->nelts, 101);
    ck_assert_str_eq(name_at(row.names, 99), "n98");
    ck_assert_str_eq(name_at(row.names, 100), "... and 2 more");
    ck_assert_int_eq(row.vhosts->nelts, 100);
    APR_ARRAY_PUSH(entry->places, const char *) = "there";
    row = row_of(make_report(), 1);
    ck_assert_int_eq(row.vhosts->nelts, 101);
    ck_assert_str_eq(name_at(row.vhosts, 99), "there");
    ck_assert_str_eq(name_at(row.vhosts, 100), "... and 1 more");
}
END_TEST

/* --- the response and the attempts ----------------------------------- */

static ocspx_cache_state_t some_state(void)
{
    return (ocspx_cache_state_t){
        .due = NOW + 1,
        .this_update = NOW + 2,
        .next_update = NOW + 3,
        .expiry = NOW + 4,
        .fetched = NOW + 5,
        .tried = NOW + 6,
        .failing_since = NOW + 7,
        .took = 8,
        .failures = 9,
        .cause = OCSPX_CAUSE_RESP_HTTP,
        .http_status = 503,
        .source = OCSPX_CACHE_SHARED,
        .requests = 10,
        .peer = "192.0.2.1:80",
        .message = "status 503",
    };
}

START_TEST(what_became_of_it)
{
    ocspx_cache_state_t state = some_state();
    ocspx_report_row_t row;
    unsigned char *der;

    add("a");
    open_cache();
    ocspx_cache_staple(&der, cache, 0, NOW);
    serve(0, NOW + 4);
    ocspx_cache_state_set(cache, 0, &state);
    ocspx_cache_staple(&der, cache, 0, NOW);
    OPENSSL_free(der);
    ocspx_cache_staple(&der, cache, 0, NOW + 4);
    ocspx_cache_staple(&der, cache, 0, NOW + 4);
    row = only_row();
    ck_assert_uint_eq(row.index, 0);
    ck_assert_int_eq(row.next_try, NOW + 1);
    ck_assert_int_eq(row.this_update, NOW + 2);
    ck_assert_int_eq(row.next_update, NOW + 3);
    ck_assert_int_eq(row.safe_until, NOW + 4);
    ck_assert_int_eq(row.fetched, NOW + 5);
    ck_assert_int_eq(row.failing_since, NOW + 7);
    ck_assert_int_eq(row.latency, 8);
    ck_assert_int_eq(row.tries, 9);
    ck_assert_str_eq(row.cause, "RESP_HTTP");
    ck_assert_str_eq(row.cause_line, ocspx_cause_line(OCSPX_CAUSE_RESP_HTTP));
    ck_assert_str_eq(row.remedy, ocspx_cause_remedy(OCSPX_CAUSE_RESP_HTTP));
    ck_assert_str_eq(row.message, "status 503");
    ck_assert_int_eq(row.http_status, 503);
    ck_assert_str_eq(row.source, "shared");
    ck_assert_int_eq(row.requests, 10);
    ck_assert_str_eq(row.address, "192.0.2.1:80");
    ck_assert_str_eq(row.responder, "http://ocsp.example/path");
    ck_assert_int_eq(row.bytes, LEN);
    ck_assert_int_eq(row.asked, 4);
    ck_assert_int_eq(row.stapled, 1);
    ck_assert_int_eq(row.empty, 1);
    ck_assert_int_eq(row.expired, 2);
    ck_assert_int_eq(row.revoked, 0);
}
END_TEST

START_TEST(a_newer_one_that_is_held)
{
    ocspx_cache_state_t state = some_state();
    ocspx_report_row_t row;

    add("a");
    open_cache();
    state.held.until = NOW + 100;
    state.held.expiry = NOW + 200;
    ocspx_cache_state_set(cache, 0, &state);
    ck_assert_int_eq(only_row().held_until, 0); /* nothing is stapled */
    serve(0, NOW + 4);
    ocspx_cache_state_set(cache, 0, &state);
    row = only_row();
    ck_assert_int_eq(row.held_until, NOW + 100);
    ck_assert_int_eq(row.safe_until, NOW + 200);
    ck_assert_int_eq(row.next_update, NOW + 3);
    ck_assert_int_eq(row.bytes, LEN);
}
END_TEST

/* Expired: still what the response said, but no staple. */
START_TEST(what_has_passed_is_told_as_it_was)
{
    ocspx_cache_state_t state = some_state();
    ocspx_report_row_t row;

    add("a");
    open_cache();
    serve(0, NOW - 1);
    state.this_update = NOW - 3;
    state.next_update = NOW - 2;
    state.expiry = NOW - 1;
    state.due = NOW - 4;
    ocspx_cache_state_set(cache, 0, &state);
    row = only_row();
    ck_assert_int_eq(row.this_update, NOW - 3);
    ck_assert_int_eq(row.next_update, NOW - 2);
    ck_assert_int_eq(row.next_try, NOW - 4);
    ck_assert_int_eq(row.safe_until, 0);
    ck_assert_int_eq(row.bytes, 0);
    ck_assert_ptr_null(row.source);
}
END_TEST

START_TEST(sources_by_name)
{
    static const char *const names[] = {NULL,   "network", "disk",
                                        "file", "shared",  NULL};
    ocspx_cache_state_t state = {.expiry = NOW + 1};

    add("a");
    open_cache();
    serve(0, NOW + 1);
    for (state.source = 0; state.source < 6; state.source++) {
        ocspx_cache_state_set(cache, 0, &state);
        if (names[state.source])
            ck_assert_str_eq(only_row().source, names[state.source]);
        else
            ck_assert_ptr_null(only_row().source);
    }
}
END_TEST

START_TEST(all_well_needs_no_words)
{
    ocspx_report_row_t row;

    add("a");
    open_cache();
    row = only_row();
    ck_assert_ptr_null(row.cause);
    ck_assert_ptr_null(row.cause_line);
    ck_assert_ptr_null(row.message);
    ck_assert_ptr_null(row.remedy);
    ck_assert_ptr_null(row.address);
    ck_assert_int_eq(row.latency, -1);
    serve(0, NOW + 1);
    row = only_row();
    ck_assert_ptr_null(row.cause);
    ck_assert_ptr_null(row.message);
    ck_assert_int_eq(row.latency, 0);
}
END_TEST

START_TEST(revocation_has_its_own_words)
{
    ocspx_cache_state_t state = some_state();

    add("a");
    open_cache();
    serve(0, NOW + 4);
    set_revoked(0);
    ck_assert_str_eq(only_row().cause, "REVOKED");
    ck_assert_str_eq(only_row().message, ocspx_cause_line(OCSPX_CAUSE_REVOKED));
    state.revoked = 1;
    state.failures = 0;
    apr_cpystrn(state.message, "revoked yesterday", sizeof(state.message));
    ocspx_cache_state_set(cache, 0, &state);
    ck_assert_str_eq(only_row().cause, "REVOKED");
    ck_assert_str_eq(only_row().message, "revoked yesterday");
    state.failures = 1;
    ocspx_cache_state_set(cache, 0, &state);
    ck_assert_str_eq(only_row().cause, "RESP_HTTP");
}
END_TEST

START_TEST(a_note_beside_a_staple)
{
    ocspx_cache_state_t state = some_state();

    add("a");
    open_cache();
    serve(0, NOW + 4);
    state.failures = 0;
    state.cause = OCSPX_CAUSE_SIGNER_EXPIRES_EARLY;
    apr_cpystrn(state.message, "soon", sizeof(state.message));
    state.expiry = NOW + 4;
    ocspx_cache_state_set(cache, 0, &state);
    ck_assert_str_eq(only_row().state, "stapled");
    ck_assert_str_eq(only_row().cause, "SIGNER_EXPIRES_EARLY");
    ck_assert_str_eq(only_row().message, "soon");
    state.expiry = NOW; /* it was about what has ended */
    ocspx_cache_state_set(cache, 0, &state);
    ck_assert_ptr_null(only_row().cause);
}
END_TEST

/* --- hostile --------------------------------------------------------- */

START_TEST(nothing_unprintable_comes_through)
{
    static const char hostile[] = "<a \"'&>\r\n\t\x1b[31m\xff\xc3\x28";
    char *monster = apr_pcalloc(pool, 4097);
    ocspx_report_row_t row;
    ocspx_registry_entry_t *entry;
    unsigned i;

    memset(monster, '\x01', 4096);
    policy.force_url = hostile;
    i = add_cert(
        make_cert((pki_spec_t){.cn = "<a \"'&>\r\n\t\x1b[31m\xc3\xa4",
                               .names = "DNS:\xc3\x28\"'&,DNS:<script>\xff"}));
    entry = APR_ARRAY_IDX(registry->entries, i, ocspx_registry_entry_t *);
    APR_ARRAY_PUSH(entry->places, const char *) = monster;
    APR_ARRAY_PUSH(entry->places, const char *) = hostile;
    open_cache();
    serve(0, NOW + 1);
    set_failing(0, OCSPX_CAUSE_DNS, hostile);
    row = only_row();
    ck_assert(printable(row.name) && printable(row.subject) &&
              printable(row.responder) && printable(row.message));
    ck_assert_str_eq(name_at(row.names, 0), "\\xc3(\"'&");
    ck_assert_str_eq(name_at(row.names, 1), "<script>\\xff");
    ck_assert_ptr_nonnull(strstr(row.subject, "\\x1b[31m"));
    ck_assert_ptr_nonnull(strstr(row.message, "<a \"'&>\\x0d\\x0a\\x09\\x1b"));
    ck_assert(printable(name_at(row.vhosts, 1)));
    ck_assert_uint_le(strlen(name_at(row.vhosts, 1)), OCSPX_CERT_TEXT_MAX);
    ck_assert(printable(name_at(row.vhosts, 2)));
    policy.response_file = monster;
    APR_ARRAY_IDX(registry->entries, 0, ocspx_registry_entry_t *)->policy =
        &policy;
    ck_assert(printable(only_row().responder));
    apr_array_clear(registry->entries);
    add_other("a", OCSPX_REPORT_NOT_APPLICABLE, OCSPX_CAUSE_NONE, hostile);
    row = only_row();
    ck_assert(printable(row.name) && printable(row.message));
}
END_TEST

/* What is in the segment could be anything at all. */
START_TEST(any_state_makes_a_row)
{
    ocspx_cache_state_t state;
    ocspx_report_row_t row;
    int byte;

    add("a");
    open_cache();
    serve(0, NOW + 1);
    for (byte = 0; byte < 256; byte++) {
        memset(&state, byte, sizeof(state));
        ocspx_cache_state_set(cache, 0, &state);
        row = only_row();
        ck_assert(printable(row.address) && printable(row.message));
        if (byte >= 0x20 && byte < 0x7f) {
            ck_assert_uint_eq(strlen(row.address), sizeof(state.peer));
            ck_assert_uint_eq(strlen(row.message), sizeof(state.message));
        }
        ck_assert(!row.cause || strcmp(row.cause, "NONE"));
        ck_assert_int_ge(row.tries, 0);
        ck_assert_int_ge(row.http_status, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_row");
    TCase *tc = tcase_create("report_row");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, what_the_certificate_says);
    tcase_add_test(tc, keys_of_every_kind_have_a_name);
    tcase_add_test(tc, an_unknown_key_has_no_name);
    tcase_add_test(tc, many_names_are_cut);
    tcase_add_test(tc, what_became_of_it);
    tcase_add_test(tc, a_newer_one_that_is_held);
    tcase_add_test(tc, what_has_passed_is_told_as_it_was);
    tcase_add_test(tc, sources_by_name);
    tcase_add_test(tc, all_well_needs_no_words);
    tcase_add_test(tc, revocation_has_its_own_words);
    tcase_add_test(tc, a_note_beside_a_staple);
    tcase_add_test(tc, nothing_unprintable_comes_through);
    tcase_add_test(tc, any_state_makes_a_row);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
