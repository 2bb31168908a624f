/* test_faults: everything an OCSP responder, or what answers in its place, can
 * say: a table with the cause that is named, and what is stapled.
 */
#include "fault_story.h"

#define KB 1024
#define HOUR apr_time_from_sec(3600)
#define DAY apr_time_from_sec(86400)

/* --- who else signs --------------------------------------------------- */

static struct {
    pki_t *foreign; /* may sign OCSP, but for another CA */
    pki_t *unborn;  /* not valid before tomorrow */
    pki_t *signer;  /* may */
    pki_t *forger;  /* has the signer's name, but not its key */
    pki_t *rsa;     /* may, and can use old digests */
    pki_t *other_ca;
} cast;

static void make_cast(void)
{
    pki_spec_t spec = {.cn = "Signer", .ocsp_signing = 1};
    apr_pool_t *p = w->pool;

    cast.other_ca = pki_make(&(pki_spec_t){.cn = "Other CA", .ca = 1}, NULL, p);
    cast.foreign = pki_make(&spec, cast.other_ca, p);
    cast.signer = pki_make(&spec, w->issuer, p);
    cast.forger = pki_make(&spec, NULL, p);
    spec.not_before = apr_time_now() + DAY;
    cast.unborn = pki_make(&spec, w->issuer, p);
    spec.not_before = 0;
    spec.key = PKI_RSA;
    cast.rsa = pki_make(&spec, w->issuer, p);
}

static void sign_by(pki_response_t *response, const pki_t *signer)
{
    response->signer = signer;
    response->with_signer_cert = 1;
}

static void by_foreign(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    sign_by(response, cast.foreign);
}

static void by_unborn(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    sign_by(response, cast.unborn);
}

static void by_delegate(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    sign_by(response, cast.signer);
}

static void by_nobody(pki_response_t *response, pki_single_t *singles)
{
    by_delegate(response, singles);
    response->with_signer_cert = 0;
    response->by_key = 1;
}

static void by_forger(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    sign_by(response, cast.forger);
    response->passed_off = cast.signer;
}

static void by_md5(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    sign_by(response, cast.rsa);
    response->md = EVP_md5();
}

static void by_sha1(pki_response_t *response, pki_single_t *singles)
{
    by_md5(response, singles);
    response->md = EVP_sha1();
}

/** The certificate speaks for itself: nobody would know a wrong key. */
static void by_leaf(pki_response_t *response, pki_single_t *singles)
{
    for (EACH_SITE(site))
        if (site->leaf->cert == singles->cert)
            sign_by(response, site->leaf);
}

/* --- what is said ----------------------------------------------------- */

static void state_twice(pki_response_t *response, pki_single_t *singles)
{
    singles[1] = singles[0];
    response->count = 2;
}

static void good_then_revoked(pki_response_t *response, pki_single_t *singles)
{
    state_twice(response, singles);
    singles[1].status = V_OCSP_CERTSTATUS_REVOKED;
}

static void revoked_then_good(pki_response_t *response, pki_single_t *singles)
{
    state_twice(response, singles);
    singles[0].status = V_OCSP_CERTSTATUS_REVOKED;
}

/** One of the two by another hash of the CertID. */
static void revoked_by_sha256(pki_response_t *response, pki_single_t *singles)
{
    revoked_then_good(response, singles);
    singles[0].certid_md = EVP_sha256();
}

static void state_nothing(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    response->count = 0;
}

static void critical(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    response->unknown_critical = 1;
}

static void critical_in_single(pki_response_t *response, pki_single_t *singles)
{
    (void)response;
    singles->unknown_critical = 1;
}

static void unknown_in_single(pki_response_t *response, pki_single_t *singles)
{
    (void)response;
    singles->unknown = 1;
}

static void with_nonce(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    response->nonce = 1;
}

static void by_sha256(pki_response_t *response, pki_single_t *singles)
{
    (void)response;
    singles->certid_md = EVP_sha256();
}

/** The hashes are those of another issuer, the serial number is right. */
static void other_issuer(pki_response_t *response, pki_single_t *singles)
{
    (void)response;
    singles->issuer = cast.other_ca->cert;
}

static void other_issuer_by_sha256(pki_response_t *response,
                                   pki_single_t *singles)
{
    by_sha256(response, singles);
    other_issuer(response, singles);
}

static void backwards(pki_response_t *response, pki_single_t *singles)
{
    (void)response;
    singles->next_update = singles->this_update - HOUR;
}

static void produced_ahead(pki_response_t *response, pki_single_t *singles)
{
    (void)singles;
    response->produced_at = apr_time_now() + HOUR;
}

static void revoked_ahead(pki_response_t *response, pki_single_t *singles)
{
    (void)response;
    singles->revoked_at = apr_time_now() + DAY;
}

/* --- clocks ----------------------------------------------------------- */

/** By its Date, the responder's clock is so many seconds ahead of ours. */
static void set_clock(const site_t *site, int is_wrong)
{
    const int *ahead = site->fault->detail;
    responder_script_t script = site->fault->script;
    char date[APR_RFC822_DATE_LEN];

    set_answer(site, 0);
    if (!is_wrong)
        return;
    apr_rfc822_date(date, apr_time_now() + apr_time_from_sec(*ahead));
    script.headers = apr_pstrcat(w->pool, "Date: ", date, "\r\n", NULL);
    responder_script(site->responder, site->leaf, &script);
}

static const way_t by_clock = {make_answer, set_clock};

/* --- the table -------------------------------------------------------- */

#define ANSWER(name) .script = {.answer = RESPONDER_##name}
#define HTTP(status)                                                           \
    .script = {.answer = RESPONDER_HTTP, .http_status = (status)}
#define MOVED(to) .script = {.answer = RESPONDER_REDIRECT, .url = (to)}
#define BYTES(text)                                                            \
    .script = {                                                                \
        .answer = RESPONDER_RAW, .body = (text), .body_len = sizeof(text) - 1}
#define SIGNED(how) .script = {.craft = (how)}
#define CLOCK(seconds)                                                         \
    .way = &by_clock, .detail = &(const int)                                   \
    {                                                                          \
        seconds                                                                \
    }
#define NOON "Sat, 21 Nov 2026 12:00:0"

static const fault_t table[] = {
    /* the connection */
    {"hang", "RESP_TIMEOUT", "nothing came", ANSWER(HANG)},
    {"reset", "RESP_HTTP", NULL, ANSWER(RESET)},
    {"reset-in-head", "RESP_HTTP", NULL, ANSWER(RESET_IN_HEAD)},
    {"reset-after-head", "RESP_HTTP", NULL, ANSWER(RESET_AFTER_HEAD)},
    {"reset-in-body", "RESP_HTTP", NULL, ANSWER(RESET_IN_BODY)},
    {"closed-in-body", "RESP_HTTP", NULL, ANSWER(CUT)},
    {"byte-a-second", "RESP_TIMEOUT", NULL, .script = {.byte_ms = 1000}},
    {"slow", .script = {.delay_ms = 2000}},

    /* HTTP */
    {"no-http", "RESP_HTTP", NULL, BYTES("SSH-2.0-OpenSSH_9.2\r\n")},
    {"bad-status-line", "RESP_HTTP", NULL, BYTES("HTTP/1.1 OK\r\n\r\n")},
    {"bad-chunk", "RESP_HTTP", NULL,
     BYTES("HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
           "Transfer-Encoding: chunked\r\n\r\nxyz\r\n")},
    {"400", "RESP_HTTP", "status 400", HTTP(400)},
    {"401", "RESP_HTTP", "status 401", HTTP(401)},
    {"403", "RESP_HTTP", "status 403", HTTP(403)},
    {"404", "RESP_HTTP", "status 404", HTTP(404)},
    {"407", "PROXY_DENIED", "407", HTTP(407)},
    {"429", "RESP_HTTP", "status 429", HTTP(429)},
    {"429-seconds", "RESP_HTTP", "status 429", .retry_after = 8,
     .script = {.answer = RESPONDER_HTTP,
                .http_status = 429,
                .headers = "Retry-After: 8\r\n"}},
    {"429-date", "RESP_HTTP", "status 429", .retry_after = 8,
     .script = {.answer = RESPONDER_HTTP,
                .http_status = 429,
                .headers = "Date: " NOON "0 GMT\r\n"
                           "Retry-After: " NOON "8 GMT\r\n"}},
    {"429-a-year", "RESP_HTTP", "status 429", .retry_after = 10,
     .script = {.answer = RESPONDER_HTTP,
                .http_status = 429,
                .headers = "Retry-After: 31536000\r\n"}},
    {"500", "RESP_HTTP", "status 500", HTTP(500)},
    {"503-seconds", "RESP_HTTP", "status 503", .retry_after = 8,
     .script = {.answer = RESPONDER_HTTP,
                .http_status = 503,
                .headers = "Retry-After: 8\r\n"}},
    {"511", "INTERCEPTED", "511", HTTP(511)},
    {"html", "INTERCEPTED", "text/html", ANSWER(HTML)},
    {"portal", "INTERCEPTED", "text/html", MOVED("http://127.0.0.1/portal")},
    {"redirect-loop", "INTERCEPTED", "redirects again",
     MOVED("http://127.0.0.1/loop")},
    {"redirect-nowhere", "RESP_HTTP", NULL, MOVED("")},
    {"redirect-refused", "CONNECT_REFUSED", "redirected",
     MOVED("http://127.0.0.1:1/")},
    {"redirect-file", "INTERCEPTED", "file:", MOVED("file:///etc/passwd")},
    {"redirect-ftp", "INTERCEPTED", "ftp:", MOVED("ftp://127.0.0.1/")},
    {"redirect-gopher", "INTERCEPTED",
     "gopher:", MOVED("gopher://127.0.0.1:80/_GET")},
    {"wrong-type", "RESP_NOT_OCSP", "text/plain", ANSWER(WRONG_TYPE)},
    {"no-type", "RESP_NOT_OCSP", "no Content-Type", ANSWER(NO_TYPE)},
    {"gzip", "RESP_NOT_OCSP", "Content-Encoding",
     .script = {.headers = "Content-Encoding: gzip\r\n"}},
    {"chunked", .script = {.chunked = 1}},

    /* the body */
    {"empty", "RESP_NOT_OCSP", "empty", ANSWER(REPLAY)},
    {"noise", "RESP_NOT_OCSP", NULL, ANSWER(NOT_OCSP)},
    {"truncated", "RESP_NOT_OCSP", NULL, ANSWER(TRUNCATED)},
    {"trailed", "RESP_NOT_OCSP", "3 more bytes", ANSWER(TRAILED)},
    {"70-kb", "RESP_TOO_LARGE", NULL, .script = {.padding = 70 * KB}},
    {"70-kb-chunked", "RESP_TOO_LARGE", NULL,
     .script = {.padding = 70 * KB, .chunked = 1}},
    {"10-mb", "RESP_TOO_LARGE", NULL,
     .script = {.answer = RESPONDER_OVERSIZED, .size = 10 * KB * KB}},
    {"endless", "RESP_TOO_LARGE", NULL, ANSWER(ENDLESS)},
    {"16-kb", .script = {.padding = 15 * KB}},

    /* OCSPResponseStatus */
    {"malformed-request", "RESP_INTERNAL", NULL, .script = {.ocsp_status = 1}},
    {"internal-error", "RESP_INTERNAL", NULL, .script = {.ocsp_status = 2}},
    {"try-later", "RESP_TRYLATER", NULL, .script = {.ocsp_status = 3}},
    {"status-4", "RESP_NOT_OCSP", NULL, .script = {.ocsp_status = 4}},
    {"sig-required", "RESP_UNAUTHORIZED", NULL, .script = {.ocsp_status = 5}},
    {"unauthorized", "RESP_UNAUTHORIZED", NULL, .script = {.ocsp_status = 6}},
    {"status-7", "RESP_NOT_OCSP", NULL, .script = {.ocsp_status = 7}},

    /* the certificate's status */
    {"good", .script = {0}},
    {"revoked", "REVOKED", NULL,
     .script = {.status = V_OCSP_CERTSTATUS_REVOKED}},
    {"revoked-ahead", "REVOKED", NULL,
     .script = {.status = V_OCSP_CERTSTATUS_REVOKED, .craft = revoked_ahead}},
    {"unknown", "UNKNOWN", NULL,
     .script = {.status = V_OCSP_CERTSTATUS_UNKNOWN}},

    /* who signed it */
    {"delegate", SIGNED(by_delegate)},
    {"stranger", "SIGNER_UNKNOWN", NULL, ANSWER(WRONG_SIGNER)},
    {"foreign", "SIGNER_UNKNOWN", NULL, SIGNED(by_foreign)},
    {"no-signer-cert", "SIGNER_UNKNOWN", "hash", SIGNED(by_nobody)},
    {"no-eku", "SIGNER_NO_EKU", NULL, ANSWER(SIGNER_NO_EKU)},
    {"leaf-signs", "SIGNER_NO_EKU", NULL, SIGNED(by_leaf)},
    {"signer-expired", "SIGNER_EXPIRED", "expired at", ANSWER(SIGNER_EXPIRED)},
    {"signer-not-yet", "SIGNER_EXPIRED", "not valid before", SIGNED(by_unborn)},
    {"wrong-key", "BAD_SIGNATURE", NULL, SIGNED(by_forger)},
    {"bad-signature", "BAD_SIGNATURE", NULL, ANSWER(BAD_SIGNATURE)},
    {"md5", "BAD_SIGNATURE", "md5", SIGNED(by_md5)},
    {"sha1", SIGNED(by_sha1)},

    /* which certificate it is about */
    {"other-serial", "WRONG_CERT", NULL, ANSWER(OTHER_CERTID)},
    {"other-issuer", "WRONG_CERT", NULL, SIGNED(other_issuer)},
    {"other-issuer-sha256", "WRONG_CERT", NULL, SIGNED(other_issuer_by_sha256)},
    {"nothing-stated", "WRONG_CERT", NULL, SIGNED(state_nothing)},
    {"sha256-certid", SIGNED(by_sha256)},
    {"several", ANSWER(SEVERAL)},
    {"stated-twice", SIGNED(state_twice)},
    {"good-then-revoked", "RESP_NOT_OCSP", "contradicts",
     SIGNED(good_then_revoked)},
    {"revoked-then-good", "RESP_NOT_OCSP", "contradicts",
     SIGNED(revoked_then_good)},
    {"revoked-by-sha256", "RESP_NOT_OCSP", "contradicts",
     SIGNED(revoked_by_sha256)},

    /* when */
    {"expired", "STALE", NULL, ANSWER(EXPIRED)},
    {"future", "FUTURE", NULL, ANSWER(FUTURE)},
    {"clock-behind", "SERVER_CLOCK", "clock is 3[56].. s behind",
     ANSWER(FUTURE), CLOCK(3600)},
    {"clock-ahead", "SERVER_CLOCK", "clock is 3[56].. s ahead", ANSWER(EXPIRED),
     CLOCK(-3600)},
    {"backwards", "STALE", NULL, SIGNED(backwards)},
    {"no-next-update", .script = {.no_next_update = 1}},
    {"produced-ahead", SIGNED(produced_ahead)},
    {"ten-years", .script = {.lifetime = 3650 * DAY}},

    /* extensions */
    {"critical", "RESP_NOT_OCSP", "critical", SIGNED(critical)},
    {"critical-in-single", "RESP_NOT_OCSP", "critical",
     SIGNED(critical_in_single)},
    {"unknown-extension", .script = {.padding = 10}},
    {"unknown-in-single", SIGNED(unknown_in_single)},
    {"nonce", SIGNED(with_nonce)},
};

static void prepare_world(void)
{
    const responder_script_t page = {.answer = RESPONDER_HTML};
    const responder_script_t loop = {.answer = RESPONDER_REDIRECT,
                                     .url = "http://127.0.0.1/loop"};

    make_cast();
    responder_document(w->responder, "/portal", &page);
    responder_document(w->responder, "/loop", &loop);
}

int main(void)
{
    return run_faults(&(story_t){.name = "faults",
                                 .faults = table,
                                 .count = sizeof(table) / sizeof(*table),
                                 .prepare = prepare_world});
}
