/* test_faults_network: everything that can happen on the way to a responder:
 * names, connections, TLS, proxies and bad lines; a table with the cause that
 * is named, and what is stapled.
 */
#include "../support/line.h"
#include "../support/names.h"
#include "../support/tools.h"
#include "fault_story.h"

#define CA_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define SEED 4711

static names_t *names;
static line_t *line;
static responder_t *beyond; /* the line */

/* --- a responder that does not listen as it should --------------------- */

static const char *make_listener(site_t *site)
{
    site->responder = responder_make(address_of(site), 8080, w->pool);
    return responder_url(site->responder);
}

static void set_listener(const site_t *site, int is_wrong)
{
    responder_script(site->responder, NULL,
                     is_wrong ? &site->fault->script : &good);
}

static const way_t by_listener = {make_listener, set_listener};

/* --- names ------------------------------------------------------------- */

static const char *name_of(const site_t *site)
{
    return apr_pstrcat(w->pool, "ocsp.", site->host, NULL);
}

static const char *make_name(site_t *site)
{
    return apr_pstrcat(w->pool, "http://", name_of(site), "/ocsp", NULL);
}

static void set_name(const site_t *site, int is_wrong)
{
    const names_entry_t right = {.v4 = address_of(site)};

    set_answer(site, is_wrong);
    names_set(names, name_of(site), is_wrong ? site->fault->detail : &right);
}

static const way_t by_name = {make_name, set_name};

/* --- routes ------------------------------------------------------------ */

static const char *make_route(site_t *site)
{
    const char *address = line_v4(line, site->number);

    site->responder = beyond;
    return apr_pstrcat(w->pool, "http://", address, "/ocsp", NULL);
}

static void set_route(const site_t *site, int is_wrong)
{
    const char *kind = is_wrong ? site->fault->detail : "unicast";

    set_answer(site, is_wrong);
    netns_ip(apr_pstrcat(w->pool, "route replace ", kind, " ",
                         line_v4(line, site->number), "/32",
                         is_wrong ? "" : " dev line0", NULL),
             w->pool);
}

static const way_t by_route = {make_route, set_route};

/* --- TLS --------------------------------------------------------------- */

/** Of a responder's certificate. */
typedef struct {
    int is_strange; /* of a CA nobody trusts */
    int is_over;
    const char *names;          /* NULL: those of its address */
    responder_answer_e instead; /* of TLS; 0: it is TLS */
} tls_t;

typedef struct {
    int port;
    tools_t *server;    /* NULL: not running */
    responder_t *other; /* that knows no TLS */
} tls_end_t;

static const char *make_tls(site_t *site)
{
    tls_end_t *end = apr_pcalloc(w->pool, sizeof(*end));

    site->own = end;
    end->port = procs_free_port();
    end->other = responder_make(address_of(site), end->port, w->pool);
    return apr_psprintf(w->pool, "https://%s:%d/ocsp", address_of(site),
                        end->port);
}

static tools_t *start_tls(const site_t *site, int port, const tls_t *tls)
{
    pki_spec_t spec = {.cn = "Responder",
                       .names = tls->names,
                       .not_after =
                           tls->is_over ? apr_time_now() - LIFETIME : 0};
    tools_site_t server = {
        .host = address_of(site), .port = port, .pass_to = "http://127.0.0.1"};

    if (spec.names == NULL)
        spec.names = apr_pstrcat(w->pool, "IP:", address_of(site), NULL);
    server.leaf = pki_make(&spec, tls->is_strange ? NULL : w->root, w->pool);
    return tools_nginx_start(&server, w->pool);
}

static void set_tls(const site_t *site, int is_wrong)
{
    static const tls_t right = {0};
    const tls_t *tls = is_wrong ? site->fault->detail : &right;
    tls_end_t *end = site->own;

    set_answer(site, is_wrong);
    if (end->server != NULL)
        tools_stop(end->server);
    end->server = NULL;
    responder_stop(end->other);
    if (tls->instead == 0) {
        end->server = start_tls(site, end->port, tls);
        return;
    }
    responder_script(end->other, NULL,
                     &(responder_script_t){.answer = tls->instead});
    responder_start(end->other);
}

static const way_t by_tls = {make_tls, set_tls};

/* --- proxies ----------------------------------------------------------- */

/** The responder is the proxy, too, and nobody else could be reached. */
static const char *make_proxy(site_t *site)
{
    site->vhost = apr_pstrcat(w->pool, "OCSPXProxy http://", address_of(site),
                              ":80\n", NULL);
    return apr_psprintf(w->pool, "http://ocsp%d.example/", site->number);
}

static const way_t by_proxy = {make_proxy, set_answer};

/* --- bad lines --------------------------------------------------------- */

/** One name with an address of either family. */
static const char *make_line(site_t *site)
{
    names_set(names, name_of(site),
              &(names_entry_t){.v4 = line_v4(line, site->number),
                               .v6 = line_v6(line, site->number)});
    site->responder = beyond;
    return make_name(site);
}

static void set_line(const site_t *site, int is_wrong)
{
    static const line_quality_t perfect = {0};

    set_answer(site, is_wrong);
    line_set(line, site->number, is_wrong ? site->fault->detail : &perfect);
}

static const way_t by_line = {make_line, set_line};

/* --- the table --------------------------------------------------------- */

#define LISTENER(mode)                                                         \
    .way = &by_listener, .script = {.answer = RESPONDER_##mode}
#define PROXY(status)                                                          \
    .way = &by_proxy,                                                          \
    .script = {.answer = RESPONDER_HTTP, .http_status = (status)}
#define ROUTE(kind) .way = &by_route, .detail = (kind)
#define NAME(...)                                                              \
    .way = &by_name, .detail = &(const names_entry_t)                          \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define TLS(...)                                                               \
    .way = &by_tls, .detail = &(const tls_t)                                   \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define LINE(...)                                                              \
    .way = &by_line, .detail = &(const line_quality_t)                         \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

static const fault_t table[] = {
    {"refused", "CONNECT_REFUSED", NULL, LISTENER(REFUSE)},
    {"black-hole", "CONNECT_TIMEOUT", NULL, LISTENER(BLACK_HOLE)},
    {"slammed", "RESP_HTTP", "reset", LISTENER(SLAM)},

    {"nxdomain", "DNS", NULL, NAME(.answer = NAMES_NXDOMAIN)},
    {"servfail", "DNS", NULL, NAME(.answer = NAMES_SERVFAIL)},
    {"dns-refused", "DNS", NULL, NAME(.answer = NAMES_REFUSED)},
    {"dns-silent", "DNS", "not resolved, after [23]... ms",
     NAME(.answer = NAMES_SILENT)},
    {"dns-garbage", "DNS", NULL, NAME(.answer = NAMES_GARBAGE)},
    {"no-address", "DNS", NULL, NAME(.answer = NAMES_FOUND)},
    {"dns-wrong-host", "CONNECT_REFUSED", NULL, .way = &by_name,
     .detail = &(const names_entry_t){.v6 = "::1"}},

    {"unreachable", "CONNECT_TIMEOUT", "No route", ROUTE("unreachable")},
    {"prohibited", "CONNECT_TIMEOUT", "ermission|prohibited",
     ROUTE("prohibit")},
    {"blackhole-route", "CONNECT_TIMEOUT", NULL, ROUTE("blackhole")},

    {"tls", TLS(0)},
    {"tls-strange", "RESP_HTTP", "certificate", TLS(.is_strange = 1)},
    {"tls-expired", "RESP_HTTP", "expired", TLS(.is_over = 1)},
    {"tls-other-name", "RESP_HTTP", "match|certificate",
     TLS(.names = "DNS:ocsp.example")},

    {"tls-silent", "RESP_TIMEOUT", "nothing came",
     TLS(.instead = RESPONDER_HANG)},
    {"tls-reset", "RESP_HTTP", "reset", TLS(.instead = RESPONDER_SLAM)},

    {"proxy-403", "PROXY_DENIED", "403", PROXY(403)},
    {"proxy-407", "PROXY_DENIED", "407", PROXY(407)},
    {"proxy-502", "RESP_HTTP", "502", PROXY(502)},

    {"line", LINE(0)},
    {"delay", LINE(.delay_ms = 300)},
    {"loss-10", .rough = 1, LINE(.loss = 10, .delay_ms = 100)},
    {"bad-line", .rough = 1,
     LINE(.loss = 10, .delay_ms = 100, .jitter_ms = 80, .duplicate = 5)},
    {"reordered", .script = {.padding = 15000},
     LINE(.delay_ms = 20, .jitter_ms = 60, .duplicate = 20)},
    {"lost", "CONNECT_TIMEOUT", NULL, LINE(.loss = 100)},
    {"ipv6-black-hole", LINE(.loss_v6 = 100)},
    {"ipv4-black-hole", LINE(.loss_v4 = 100)},
    {"mtu-black-hole", "RESP_TIMEOUT", NULL, .script = {.padding = 15000},
     LINE(.largest = 1000)},
};

/* --- what the line did -------------------------------------------------- */

static int number_of(const char *name)
{
    for (EACH_SITE(site))
        if (strcmp(site->fault->name, name) == 0 && !site->is_again)
            return site->number;
    ck_abort_msg("no fault %s", name);
}

/** Of both of a row's sites. */
static line_counts_t carried_for(const char *name)
{
    int i = number_of(name);
    line_counts_t sum = line_counts(line, i), other = line_counts(line, i + 1);

    sum.carried += other.carried;
    sum.lost += other.lost;
    sum.duplicated += other.duplicated;
    sum.overtaken += other.overtaken;
    return sum;
}

/** The lines were as bad as the table has them. */
static void check_lines(void)
{
    for (int i = 0; i < story->count; i++) {
        line_counts_t counts;

        if (table[i].way != &by_line)
            continue;
        counts = carried_for(table[i].name);
        printf("%-26s %5u packets, %4u lost, %4u doubled, %4u overtaken\n",
               table[i].name, counts.carried, counts.lost, counts.duplicated,
               counts.overtaken);
    }
    ck_assert_uint_gt(carried_for("bad-line").lost, 0);
    ck_assert_uint_gt(carried_for("reordered").overtaken, 0);
    ck_assert_uint_gt(carried_for("reordered").duplicated, 0);
    ck_assert_uint_gt(carried_for("ipv6-black-hole").lost, 0);
    ck_assert_uint_gt(carried_for("mtu-black-hole").lost, 0);
    ck_assert_uint_eq(carried_for("line").lost, 0);
}

static void prepare_world(void)
{
    netns_replace_file(CA_BUNDLE, w->root_file);
    names = names_start(w->pool);
    line = line_make(SEED, w->pool);
    beyond = responder_make("::", 80, w->pool);
}

static void start_responders(void)
{
    for (EACH_SITE(site))
        if (site->fault->way == &by_listener)
            responder_start(site->responder);
    line_go_far(line);
    responder_start(beyond);
    line_come_back(line);
}

int main(void)
{
    return run_faults(&(story_t){.name = "faults on the way",
                                 .faults = table,
                                 .count = sizeof(table) / sizeof(*table),
                                 .prepare = prepare_world,
                                 .begin = start_responders,
                                 .end = check_lines});
}
