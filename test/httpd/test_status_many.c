/* test_status_many: a status page with 1,000 certificates, or as many as the
 * environment's OCSPX_MANY says. Prints how long each format takes, what it
 * costs in memory, and what a reader that polls 20 times a second takes away
 * from handshakes. Milliseconds and ratios say as much about the machine, so
 * all that has to be is that everything is there and the memory bounded.
 */
#include "status_scene.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MANY 1000
#define PAGE_ROWS 100
#define SERIES_MAX 1000 /* certificates with series of their own */
#define SETTLE_MS 180000

static int many;

/* --- the scene ------------------------------------------------------- */

static const char *name_of(int i)
{
    return apr_psprintf(w->pool, "site-%05d.test", i);
}

/* The responder answers "unauthorized" for those that it does not know. */
static void add_site(int i, EVP_PKEY *key)
{
    const char *name = name_of(i);
    pki_spec_t spec = {.cn = name,
                       .names = apr_pstrcat(w->pool, "DNS:", name, NULL),
                       .ocsp_urls = responder_url(w->responder),
                       .use_key = key};

    world_vhost(w, name,
                i < RESPONDER_CERTS_MAX ? world_leaf(w, &spec)
                                        : pki_make(&spec, w->issuer, w->pool),
                NULL);
}

/* One worker process, with few threads: each has its share of requests soon.
 * What failed is not tried again while we measure. */
static void configure(void)
{
    httpd_configure(
        w->httpd, &(httpd_config_t){.log_level = "warn ocspx:error",
                                    .servers = 1,
                                    .workers = 8,
                                    .global = PAGE "OCSPXRetry 3600 86400\n"});
}

static void set_up_many(void)
{
    const char *given = getenv("OCSPX_MANY");
    EVP_PKEY *key;

    many = given ? atoi(given) : MANY;
    ck_assert_int_ge(many, PAGE_ROWS);
    set_up();
    configure();
    key = pki_make(&(pki_spec_t){.cn = "key"}, NULL, w->pool)->key;
    for (int i = 0; i < many; i++)
        add_site(i, key);
    responder_start(w->responder);
}

/* --- asking ---------------------------------------------------------- */

/* Without curl, whose start takes longer than the page does. */
typedef struct {
    int status; /* 0: no answer */
    char *text; /* all of it, headers too; free() it */
    size_t len;
    double ms;
} reply_t;

static int connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void read_all(reply_t *reply, int fd)
{
    size_t size = 0;
    ssize_t got;

    do {
        if (size - reply->len < 65536) {
            size = 2 * size + 131072;
            reply->text = realloc(reply->text, size);
        }
        got = read(fd, reply->text + reply->len, size - 1 - reply->len);
        reply->len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    reply->text[reply->len] = '\0';
}

/** For any thread. */
static reply_t get(int port, const char *args)
{
    reply_t reply = {0};
    apr_time_t start = apr_time_now();
    int fd = connect_to(port);

    if (fd < 0)
        return reply;
    if (dprintf(fd, "GET /ocspx-status%s HTTP/1.0\r\n\r\n", args) > 0)
        read_all(&reply, fd);
    close(fd);
    reply.ms = (double)(apr_time_now() - start) / 1000;
    if (reply.text)
        sscanf(reply.text, "HTTP/1.%*d %d", &reply.status);
    return reply;
}

static reply_t must_get(const char *args)
{
    reply_t reply = get(httpd_plain_port(w->httpd), args);

    ck_assert_msg(reply.status == 200, "%s: %d %.300s", args, reply.status,
                  reply.text);
    return reply;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof(*values), compare);
    return values[n / 2];
}

/* --- what is asked for, and what has to be there ---------------------- */

static int occurrences(const char *text, const char *what)
{
    int n = 0;

    while ((text = strstr(text, what))) {
        text += strlen(what);
        n++;
    }
    return n;
}

static int pages(void)
{
    return (many - 1) / PAGE_ROWS + 1;
}

static void assert_rows(const char *text, int wanted)
{
    ck_assert_int_eq(occurrences(text, "<tbody class="), wanted);
    ck_assert_int_eq(occurrences(text, "</html>\n"), 1);
}

static void check_first(const char *text)
{
    assert_rows(text, PAGE_ROWS);
    assert_has(text, apr_psprintf(w->pool, " 1 of %d</span>", pages()));
}

static void check_last(const char *text)
{
    assert_rows(text, many - (pages() - 1) * PAGE_ROWS);
    assert_lacks(text, "rel=\"next\"");
}

static void check_search(const char *text)
{
    assert_rows(text, 1);
    assert_has(text, apr_pstrcat(w->pool, ">", name_of(42), "</a>", NULL));
}

/* Each once. */
static void check_json(const char *text)
{
    json_t *json = json_loads(strstr(text, "\r\n\r\n"), 0, NULL);
    const json_t *rows = json_object_get(json, "certificates");
    char *seen = apr_pcalloc(w->pool, (apr_size_t)many);

    ck_assert_int_eq((int)json_array_size(rows), many);
    for (int i = 0; i < many; i++) {
        const json_t *row = json_array_get(rows, (size_t)i);
        const char *name = json_string_value(json_object_get(row, "name"));
        int number = -1;

        ck_assert_int_eq(sscanf(name, "site-%d.test", &number), 1);
        ck_assert(number >= 0 && number < many && !seen[number]++);
    }
    json_decref(json);
}

static void check_metrics(const char *text)
{
    ck_assert_int_eq(occurrences(text, "\nocspx_certificate_stapled{"),
                     many < SERIES_MAX ? many : SERIES_MAX);
    assert_has(text, "\n# EOF\n");
}

typedef struct {
    const char *what, *args;
    void (*check)(const char *text);
} format_t;

static format_t formats[5];

static void set_formats(void)
{
    formats[0] = (format_t){"page 1", "", check_first};
    formats[1] = (format_t){
        "last page", apr_psprintf(w->pool, "?page=%d", pages()), check_last};
    formats[2] = (format_t){
        "search", apr_pstrcat(w->pool, "?q=", name_of(42), NULL), check_search};
    formats[3] = (format_t){"JSON", "?format=json", check_json};
    formats[4] =
        (format_t){"OpenMetrics", "?format=openmetrics", check_metrics};
}

static void up_and_settled(void)
{
    long end = procs_ms() + SETTLE_MS;
    int waiting;

    printf("%d certificates: start %d ms\n", many, world_up(w));
    set_formats();
    do {
        reply_t reply = must_get("?format=openmetrics");

        waiting =
            !strstr(reply.text, "\nocspx_certificates{state=\"waiting\"} 0\n");
        free(reply.text);
        ck_assert_msg(procs_ms() < end, "still waiting");
        procs_sleep(waiting ? 100 : 0);
    } while (waiting);
}

/* --- memory ---------------------------------------------------------- */

static pid_t worker(void)
{
    pid_t children[8];

    ck_assert_int_eq(httpd_children(children, COUNT(children), w->httpd), 1);
    return children[0];
}

/** In KB. @param what "VmRSS", "VmHWM" ... */
static long memory_of(pid_t pid, const char *what)
{
    const char *path = apr_psprintf(w->pool, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "re");
    size_t len = strlen(what);
    char line[256];
    long kb = -1;

    ck_assert_ptr_nonnull(file);
    while (kb < 0 && fgets(line, sizeof(line), file))
        if (!strncmp(line, what, len) && line[len] == ':')
            kb = atol(line + len + 1);
    fclose(file);
    ck_assert_msg(kb >= 0, "no %s of %ld", what, (long)pid);
    return kb;
}

/* What threads and pools of connections keep for the next time, and the list
 * while it is sorted. JSON held whole would be above the first; a few dozen
 * bytes for each certificate, kept by each request, above the second. */
#define PEAK_KB (3072 + many / 4)
#define CREEP_KB 1024

static void request_all(int times)
{
    for (int i = 0; i < times; i++)
        free(must_get(formats[i % COUNT(formats)].args).text);
}

static void memory_is_bounded(void)
{
    long before, peak, half, end;
    pid_t pid;

    pid = worker();
    before = memory_of(pid, "VmRSS");
    request_all(50);
    half = memory_of(pid, "RssAnon");
    request_all(50);
    end = memory_of(pid, "RssAnon");
    peak = memory_of(pid, "VmHWM");
    ck_assert_int_eq(worker(), pid);
    printf("memory of the worker: %ld KB before, at most %ld KB more in 100 "
           "requests, %ld KB more after 100 than after 50\n",
           before, peak - before, end - half);
    if (MEMORY_IS_OURS) {
        ck_assert_int_le(peak - before, PEAK_KB);
        ck_assert_int_le(end - half, CREEP_KB);
    }
}

/* --- time ------------------------------------------------------------ */

#define TIMES 10

/* Of the worker, in milliseconds: what another's load does not change. */
static double processor_ms(void)
{
    struct timespec used = {0, 0};
    clockid_t clock;

    ck_assert_int_eq(clock_getcpuclockid(worker(), &clock), 0);
    ck_assert_int_eq(clock_gettime(clock, &used), 0);
    return (double)used.tv_sec * 1000 + (double)used.tv_nsec / 1000000;
}

static void measure(const format_t *format)
{
    double ms[TIMES], processor[TIMES];
    size_t len = 0;

    for (int i = 0; i < TIMES; i++) {
        double before = processor_ms();
        reply_t reply = must_get(format->args);

        processor[i] = processor_ms() - before;
        format->check(reply.text);
        ms[i] = reply.ms;
        len = reply.len;
        free(reply.text);
    }
    printf("%s: %.1f ms (processor: %.1f), %lu KB\n", format->what,
           median(ms, TIMES), median(processor, TIMES),
           (unsigned long)len / 1024);
}

static void everything_is_there(void)
{
    for (int i = 0; i < COUNT(formats); i++)
        measure(&formats[i]);
}

/* --- handshakes beside it --------------------------------------------- */

#define ROUNDS 5
#define POLL_MS 50

typedef struct {
    const char *const *args; /* in turn */
    int count;
    int port;
    int stop; /* atomic */
    int polls, failures;
} reader_t;

static void *run_reader(void *baton)
{
    reader_t *reader = baton;
    long next = procs_ms();

    while (!__atomic_load_n(&reader->stop, __ATOMIC_RELAXED)) {
        reply_t reply =
            get(reader->port, reader->args[reader->polls++ % reader->count]);
        long now = procs_ms();

        reader->failures += reply.status != 200;
        free(reply.text);
        next += POLL_MS;
        if (next > now)
            procs_sleep((int)(next - now));
        else
            next = now;
    }
    return NULL;
}

/* Handshakes a second; and a second of the worker's processor time, whatever
 * it spent that on. */
typedef struct {
    double rate[ROUNDS], processor[ROUNDS];
} rates_t;

static void load(rates_t *rates, int round, int seconds)
{
    const char **names = apr_palloc(w->pool, (apr_size_t)many * sizeof(*names));
    client_load_result_t result;
    double before = processor_ms();

    for (int i = 0; i < many; i++)
        names[i] = name_of(i);
    client_load_finish(
        &result,
        client_load_start(&(client_load_spec_t){.client = world_client(w, NULL),
                                                .names = names,
                                                .names_count = many,
                                                .threads = 2,
                                                .seconds = seconds},
                          w->pool));
    ck_assert_msg(result.failures + result.invalid == 0, "%s", result.error);
    rates->rate[round] = (double)result.handshakes / seconds;
    rates->processor[round] =
        1000 * (double)result.handshakes / (processor_ms() - before);
}

static void load_with(rates_t *rates, int round, int seconds, reader_t *reader)
{
    pthread_t thread;

    reader->port = httpd_plain_port(w->httpd);
    reader->stop = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_reader, reader), 0);
    load(rates, round, seconds);
    __atomic_store_n(&reader->stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    ck_assert_int_gt(reader->polls, 0);
    ck_assert_int_eq(reader->failures, 0);
}

static const char *compared(double *without, double *with)
{
    double alone = median(without, ROUNDS), beside = median(with, ROUNDS);

    return apr_psprintf(w->pool, "%.0f alone, %.0f beside, ratio %.2f", alone,
                        beside, beside / alone);
}

static void tell(const char *what, const reader_t *reader, rates_t *without,
                 rates_t *with, int seconds)
{
    printf("handshakes a second and a reader of %s, %.1f times a second: %s; "
           "a second of the processor: %s\n",
           what, (double)reader->polls / (ROUNDS * seconds),
           compared(without->rate, with->rate),
           compared(without->processor, with->processor));
}

static void handshakes_beside_a_reader(void)
{
    static const char *const all[] = {"", "?format=json",
                                      "?format=openmetrics"};
    reader_t page_alone = {.args = all, .count = 1};
    reader_t of_all = {.args = all, .count = COUNT(all)};
    rates_t without, with_page, with_all;
    int seconds = many > MANY ? 3 : 1;

    load(&without, 0, 1); /* to warm up */
    for (int i = 0; i < ROUNDS; i++) {
        load(&without, i, seconds);
        load_with(&with_page, i, seconds, &page_alone);
        load_with(&with_all, i, seconds, &of_all);
    }
    tell("the page", &page_alone, &without, &with_page, seconds);
    tell("page, JSON and metrics", &of_all, &without, &with_all, seconds);
}

/* In one test: the start takes longer than all the rest. */
START_TEST(many_certificates)
{
    up_and_settled();
    memory_is_bounded();
    everything_is_there();
    handshakes_beside_a_reader();
}
END_TEST

static Suite *status_many_suite(void)
{
    Suite *suite = suite_create("status_many");
    TCase *tests = tcase_create("status_many");

    tcase_set_timeout(tests, 600);
    tcase_add_checked_fixture(tests, set_up_many, tear_down);
    tcase_add_test(tests, many_certificates);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    return ocspx_check_main(status_many_suite());
}
