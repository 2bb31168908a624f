/* fuzz_query: what anybody may ask of the status page: the query string, and
 * behind a line end the Accept header; and the answer in every format.
 */
#include "fuzz.h"
#include "world.h"

#include "answers.h"

#include <string.h>

const char fuzz_name[] = "query";
const unsigned fuzz_mutations = 1000;

static const fuzz_world_t *world;

void fuzz_start(apr_pool_t *p)
{
    static const char *const names[] = {"<script>alert(1)</script>",
                                        "\" onload=\"x", "a&b'c", "plain.test"};

    world = fuzz_world_make(p);
    answers_begin(world, p);
    for (int i = 0; i < 4; i++)
        add_spec(&(pki_spec_t){.cn = names[i],
                               .serial = 100 + i,
                               .ocsp_urls = "http://ocsp.test/?a=<b>&c=\"d\""});
    open_model();
    make_stapled(0, HOURS(10));
    make_failing(1, HOURS(5), OCSPX_CAUSE_RESP_HTTP, "<b>\"no\"</b>");
    make_revoked(2, HOURS(5));
    add_other("other.test", OCSPX_REPORT_OTHER_PROVIDER, "it's <mod_md>");
    add_finding(OCSPX_CAUSE_ERROR, "one & \"two\"");
}

void fuzz_seeds(apr_pool_t *p)
{
    static const char *const texts[] = {
        "\n",
        "format=html&state=failing&page=1\ntext/html",
        "format=json&q=plain&page=2\napplication/json;q=0.5, */*;q=0.1",
        "format=openmetrics\napplication/openmetrics-text; version=1.0.0",
        "format=prometheus\ntext/plain;version=0.0.4;q=0.9,*/*;q=0",
        "q=%3Cscript%3E%22%27%26&state=revoked",
        "state=other-provider&q=&page=0000001",
        "page=9999999&format=",
        "q=a+b%20c%2&x=y",
        "cert=00:11&cert=1",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fuzz_seed_text(texts[i]);
    for (unsigned i = 0; i < 2; i++)
        fuzz_seed_text(apr_pstrcat(
            p, "format=", i ? "der" : "html",
            "&cert=", ocspx_registry_get(registry, i)->cert->id, NULL));
}

static void assert_equal(const char *a, const char *b)
{
    ck_assert(!a == !b);
    ck_assert(!a || !strcmp(a, b));
}

/* Written and read again it is the same query. */
static void assert_rewritten(const ocspx_query_t *query)
{
    const char *args = ocspx_query_write(query, pool);
    ocspx_query_t again;

    ck_assert_ptr_null(ocspx_query_read(&again, args, pool));
    ck_assert_int_eq(again.format, query->format);
    assert_equal(again.report.search, query->report.search);
    assert_equal(again.report.state, query->report.state);
    assert_equal(again.report.cert, query->report.cert);
    ck_assert_uint_eq(again.report.page ? again.report.page : 1,
                      query->report.page ? query->report.page : 1);
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    char *args = apr_pstrmemdup(p, (const char *)data, len), *accept;
    ocspx_query_format_e format;
    const char *wrong;
    ocspx_query_t query;

    answers_pool(p);
    accept = strchr(args, '\n');
    if (accept)
        *accept++ = '\0';
    format = ocspx_query_accept(accept, p);
    ck_assert(format != OCSPX_QUERY_UNSAID && format != OCSPX_QUERY_DER);
    wrong = ocspx_query_read(&query, args, p);
    if (wrong) {
        fuzz_assert_printable(wrong);
        return;
    }
    assert_rewritten(&query);
    answers_assert(&query);
}
