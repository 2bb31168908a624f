/* test_fetch_headers: times out of header lines, sane and absurd; and the GET
 * form of a question.
 */
#include "../support/check_main.h"

#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/engine/fetch_get.h"
#include "../../mod_ocspx/engine/fetch_headers.h"

/* Sat, 21 Nov 2026 09:30:00 GMT */
#define NOW apr_time_from_sec(1795253400)
#define AFTER(sec) (NOW + apr_time_from_sec(sec))

static ocspx_fetch_headers_t headers;

/* Feed lines separated by "\n". */
static void feed(const char *lines)
{
    ocspx_fetch_headers_init(&headers);
    while (*lines) {
        size_t len = strcspn(lines, "\n");

        len += lines[len] == '\n';
        ocspx_fetch_headers_line(&headers, lines, len);
        lines += len;
    }
}

static const struct {
    const char *lines;
    apr_time_t wanted;
} fresh[] = {
    {"", 0},
    {"Cache-Control: max-age=60\r\n", AFTER(60)},
    {"cache-control:public,MAX-AGE=60 , no-transform", AFTER(60)},
    {"Cache-Control: max-age=\"60\"", AFTER(60)},
    {"Cache-Control: public\nCache-Control: max-age=60", AFTER(60)},
    {"Cache-Control: max-age=60\nCache-Control: max-age=90", AFTER(60)},
    {"Cache-Control: max-age=60, max-age=90", AFTER(60)},
    {"Cache-Control: s-maxage=60, x-max-age=70", 0},
    {"Cache-Control: max-age=60\nAge: 20", AFTER(40)},
    {"Age: 20\nAge: 50\nCache-Control: max-age=60", AFTER(40)},
    {"Cache-Control: max-age=60\nAge: 100", NOW},
    {"Cache-Control: max-age=60\nAge: -5", AFTER(60)},
    {"Cache-Control: max-age=0", NOW},
    {"Cache-Control: max-age=-1", 0},
    {"Cache-Control: max-age=", 0},
    {"Cache-Control: max-age=6x", 0},
    {"Cache-Control: max-age=18446744073709551676",
     AFTER(OCSPX_FETCH_HEADERS_SEC_MAX)},
    {"Cache-Control: max-age=60\nAge: 99999999999999999999999", NOW},
    {"Cache-Control: max-age=60\nExpires: Sat, 21 Nov 2026 10:30:00 GMT",
     AFTER(60)},
    {"Expires: Sat, 21 Nov 2026 10:30:00 GMT", AFTER(3600)},
    {"Expires: Saturday, 21-Nov-26 10:30:00 GMT", AFTER(3600)},
    /* by the responder's clock, whatever ours says */
    {"Date: Fri, 01 Jan 2021 00:00:00 GMT\n"
     "Expires: Fri, 01 Jan 2021 00:10:00 GMT\nAge: 60",
     AFTER(540)},
    {"Expires: Fri, 20 Nov 2026 10:30:00 GMT", NOW},
    {"Expires: 0", NOW},
    {"Expires: Thu, 01 Jan 1970 00:00:00 GMT", NOW},
    {"Expires: Fri, 31 Dec 9999 23:59:59 GMT",
     AFTER(OCSPX_FETCH_HEADERS_SEC_MAX)},
    {"Date: Fri, 31 Dec 9999 23:59:59 GMT\n"
     "Expires: Sat, 21 Nov 2026 10:30:00 GMT",
     NOW},
    /* only the last of several answers counts */
    {"HTTP/1.1 302 Found\nCache-Control: max-age=60\n\nHTTP/1.1 200 OK\n", 0},
    {"Cache-Control", 0},
    {"Cache-Control:", 0},
    {": max-age=60", 0},
};

START_TEST(fresh_until)
{
    feed(fresh[_i].lines);
    ck_assert_int_eq(ocspx_fetch_headers_fresh_until(&headers, NOW),
                     fresh[_i].wanted);
}
END_TEST

static const struct {
    const char *lines;
    apr_time_t wanted;
} retries[] = {
    {"", 0},
    {"Retry-After: 120", AFTER(120)},
    {"Retry-After: 120\nRetry-After: 5", AFTER(120)},
    {"Retry-After: 0", 0},
    {"Retry-After: -7", 0},
    {"Retry-After: soon", 0},
    {"Retry-After: 99999999999999999", AFTER(OCSPX_FETCH_HEADERS_SEC_MAX)},
    {"Retry-After: Sat, 21 Nov 2026 09:40:00 GMT", AFTER(600)},
    {"Retry-After: Sat, 21 Nov 2020 09:40:00 GMT", 0},
    {"Date: Fri, 01 Jan 2021 00:00:00 GMT\n"
     "Retry-After: Fri, 01 Jan 2021 00:01:00 GMT",
     AFTER(60)},
};

START_TEST(retry_after)
{
    feed(retries[_i].lines);
    ck_assert_int_eq(ocspx_fetch_headers_retry_after(&headers, NOW),
                     retries[_i].wanted);
}
END_TEST

static const struct {
    const char *lines;
    apr_time_t wanted;
} dates[] = {
    {"", 0},
    {"Date: Sat, 21 Nov 2026 09:30:00 GMT\r\n", NOW},
    {"DATE:Sat, 21 Nov 2026 09:30:00 GMT", NOW},
    {"Date: Sat, 21 Nov 2026 09:30:00 GMT\n"
     "Date: Sun, 22 Nov 2026 09:30:00 GMT",
     NOW},
    {"Date: yesterday", 0},
    {"Date: Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Date: Wed, 01 Jan 1908 00:00:00 GMT", 0},
    {"Date: Fri, 31 Dec 9999 23:59:59 GMT", apr_time_from_sec(253402300799)},
    {"X-Date: Sat, 21 Nov 2026 09:30:00 GMT", 0},
    {"Age: 60\nDate: Sat, 21 Nov 2026 09:30:00 GMT", AFTER(60)},
    {"Age: old\nDate: Sat, 21 Nov 2026 09:30:00 GMT", NOW},
    {"Age: 60", 0},
};

START_TEST(date)
{
    feed(dates[_i].lines);
    ck_assert_int_eq(ocspx_fetch_headers_date(&headers), dates[_i].wanted);
}
END_TEST

START_TEST(long_values)
{
    char line[3000];

    memset(line, ',', sizeof(line));
    memcpy(line, "Cache-Control: ", 15);
    memcpy(line + sizeof(line) - 10, "max-age=60", 10);
    ocspx_fetch_headers_init(&headers);
    ocspx_fetch_headers_line(&headers, line, sizeof(line));
    ck_assert_int_eq(ocspx_fetch_headers_fresh_until(&headers, NOW), 0);
    memset(line, 't', sizeof(line));
    memcpy(line, "Content-Type: ", 14);
    ocspx_fetch_headers_line(&headers, line, 900);
    ck_assert_uint_eq(strlen(headers.type), sizeof(headers.type) - 1);
}
END_TEST

START_TEST(encoding)
{
    feed("Content-Encoding: gzip");
    ck_assert_int_eq(headers.encoded, 1);
    feed("Content-Encoding: Identity\r\n");
    ck_assert_int_eq(headers.encoded, 0);
}
END_TEST

/* --- the GET form ---------------------------------------------------- */

static apr_pool_t *pool;

START_TEST(get_url)
{
    static const unsigned char bytes[] = {0xfb, 0xff, 0xfe, 0x30};

    apr_pool_create(&pool, NULL);
    ck_assert_str_eq(ocspx_fetch_get_url("http://a",
                                         (const unsigned char *)"\xfb\xff\xf3",
                                         3, pool),
                     "http://a/%2B%2F%2Fz");
    ck_assert_str_eq(ocspx_fetch_get_url("http://a/x", bytes, 4, pool),
                     "http://a/x/%2B%2F%2F%2BMA%3D%3D");
    ck_assert_str_eq(ocspx_fetch_get_url("http://a//", bytes, 4, pool),
                     "http://a/%2B%2F%2F%2BMA%3D%3D");
    apr_pool_destroy(pool);
}
END_TEST

START_TEST(get_fits)
{
    char url[OCSPX_FETCH_GET_MAX + 2];

    memset(url, 'a', sizeof(url));
    url[OCSPX_FETCH_GET_MAX] = '\0';
    ck_assert(ocspx_fetch_get_fits("http://a", url));
    url[OCSPX_FETCH_GET_MAX] = 'a';
    url[OCSPX_FETCH_GET_MAX + 1] = '\0';
    ck_assert(!ocspx_fetch_get_fits("http://a", url));
    ck_assert(!ocspx_fetch_get_fits("http://a/?b", "http://a/?b/MA"));
    ck_assert(!ocspx_fetch_get_fits("http://a/#b", "http://a/#b/MA"));
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

static Suite *suite(void)
{
    Suite *s = suite_create("fetch_headers");
    TCase *t = tcase_create("fetch_headers");

    tcase_add_loop_test(t, fresh_until, 0, COUNT(fresh));
    tcase_add_loop_test(t, retry_after, 0, COUNT(retries));
    tcase_add_loop_test(t, date, 0, COUNT(dates));
    tcase_add_test(t, long_values);
    tcase_add_test(t, encoding);
    tcase_add_test(t, get_url);
    tcase_add_test(t, get_fits);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return ocspx_check_main(suite());
}
