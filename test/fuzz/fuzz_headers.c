/* fuzz_headers: the header of an answer, as the fetcher reads it, and what it
 * makes the verdict on the transfer say.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/engine/fetch_headers.h"
#include "../../mod_ocspx/engine/fetch_verdict.h"

const char fuzz_name[] = "headers";
const unsigned fuzz_mutations = 5000;

void fuzz_start(apr_pool_t *p)
{
    (void)p;
}

void fuzz_seeds(apr_pool_t *p)
{
    (void)p;
    fuzz_seed_text("HTTP/1.1 200 OK\r\nDate: Wed, 18 May 2033 03:33:20 GMT\r\n"
                   "Content-Type: application/ocsp-response\r\n"
                   "Cache-Control: public, max-age=3600, no-transform\r\n"
                   "Expires: Wed, 18 May 2033 05:33:20 GMT\r\nAge: 60\r\n\r\n");
    fuzz_seed_text("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\n");
    fuzz_seed_text("HTTP/1.1 503 No\r\nretry-after: "
                   "Wed, 18 May 2033 04:33:20 GMT\r\nDate: x\r\n");
    fuzz_seed_text("HTTP/1.1 302 Found\r\nAge: 5\r\nHTTP/1.1 200 OK\r\n"
                   "Content-Encoding: gzip\r\nContent-Type: text/html\r\n");
    fuzz_seed_text("Cache-Control: max-age=\"60\",max-age=18446744073709551676"
                   "\nAge: -5\nExpires: 0\nDate: Sunday, 06-Nov-94 08:49:37 "
                   "GMT\nDate: Sun Nov  6 08:49:37 1994\n:\n");
}

static ocspx_fetch_headers_t read_lines(const unsigned char *data, size_t len)
{
    const char *at = (const char *)data, *end = at + len;
    ocspx_fetch_headers_t headers;

    memset(&headers, 0x5a, sizeof(headers));
    ocspx_fetch_headers_init(&headers);
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((line_end ? line_end + 1 : end) - at);

        ocspx_fetch_headers_line(&headers, at, n);
        at += n;
    }
    return headers;
}

/* Not said, or from now on for a year. */
static void assert_soon(apr_time_t t)
{
    ck_assert(!t ||
              (t >= FUZZ_NOW &&
               t <= FUZZ_NOW + apr_time_from_sec(OCSPX_FETCH_HEADERS_SEC_MAX)));
}

static void assert_verdict(const ocspx_fetch_headers_t *headers,
                           const char *text, long status, apr_pool_t *p)
{
    const ocspx_fetch_facts_t facts = {.words = text,
                                       .method = "GET",
                                       .url = "http://ocsp.test/",
                                       .answered = text,
                                       .peer = "192.0.2.7:80",
                                       .type = headers->type,
                                       .encoded = headers->encoded,
                                       .status = status,
                                       .redirects = status % 2,
                                       .resolved = 1,
                                       .connected = 1,
                                       .sent = 1,
                                       .heard = 1,
                                       .body_len = 1,
                                       .max_size = 65536};
    ocspx_fetch_verdict_t verdict;

    memset(&verdict, 0x5a, sizeof(verdict));
    ocspx_fetch_verdict(&verdict, &facts, p);
    ck_assert_int_ge(verdict.cause, OCSPX_CAUSE_NONE);
    ck_assert_int_lt(verdict.cause, OCSPX_CAUSE_COUNT);
    if (verdict.cause != OCSPX_CAUSE_NONE)
        fuzz_assert_printable(verdict.message);
    else
        ck_assert_str_eq(verdict.message, "");
    ck_assert(verdict.cause != OCSPX_CAUSE_NONE || status == 200);
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    static const long statuses[] = {200, 302, 407, 429, 500};
    ocspx_fetch_headers_t first = read_lines(data, len);
    ocspx_fetch_headers_t again = read_lines(data, len);
    apr_time_t date = ocspx_fetch_headers_date(&first);

    ck_assert_mem_eq(&first, &again, sizeof(first));
    ck_assert_uint_lt(strnlen(first.type, sizeof(first.type)),
                      sizeof(first.type));
    ck_assert(first.encoded == 0 || first.encoded == 1);
    ck_assert(date >= 0);
    assert_soon(ocspx_fetch_headers_fresh_until(&first, FUZZ_NOW));
    assert_soon(ocspx_fetch_headers_retry_after(&first, FUZZ_NOW));
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        assert_verdict(&first, apr_pstrmemdup(p, (const char *)data, len),
                       statuses[i], p);
}
