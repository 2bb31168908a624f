/* test_cli_check: `ocspx check' as a person runs it, and servers that are none,
 * or that do not speak TLS.
 */
#include "check_scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

/* --- usage ----------------------------------------------------------- */

static const struct {
    const char *arguments, *says;
} misused[] = {
    {"", "check needs at least one HOST"},
    {"--json", "check needs at least one HOST"},
    {"a.test --frobnicate", "unrecognized option"},
    {"a.test --timeout 0", "--timeout '0': must be from 1 to 3600"},
    {"a.test --timeout 3601", "--timeout '3601': must be from 1 to 3600"},
    {"a.test --timeout soon", "--timeout 'soon': must be a whole number"},
    {"a.test --trust missing", "missing cannot be read"},
    {"''", "host '': must be a name or address"},
    {"a.test:", "host 'a.test:': the port must be from 1 to 65535"},
    {"a.test:0", "the port must be"},
    {"a.test:65536", "the port must be"},
    {"a.test:4294967739", "the port must be"},
    {"a.test:443x", "the port must be"},
    {"a.test:-1", "the port must be"},
    {"[::1]:x", "the port must be"},
    {"[::1", "must be a name or address"},
    {"[a.test]", "must be a name or address"},
    {"a.test:1:2", "must be a name or address"},
    {"https://a.test/", "must be a name or address"},
    {"a.test/", "must be a name or address"},
    {"'a test'", "must be a name or address"},
    {"a..test", "must be a name or address"},
    {".a.test", "must be a name or address"},
    {"g\xc3\xbcnther.test", "must be a name or address"},
    {"localhost a.test:0", "host 'a.test:0'"},
    {"a.test --connect a.test:0", "--connect 'a.test:0': the port"},
    {"a.test --connect ''", "--connect '': must be a name or address"},
};

START_TEST(wrong_usage_is_unknown_to_nagios)
{
    const char *command =
        apr_pstrcat(pool, "check ", misused[_i].arguments, NULL);

    assert_says(run(3, command), misused[_i].says);
    ck_assert_str_eq(run_shell(3, apr_pstrcat(pool, "$OCSPX ", command,
                                              " 2>/dev/null", NULL)),
                     "");
}
END_TEST

START_TEST(help_is_given)
{
    assert_says(run_shell(0, "$OCSPX check --help 2>/dev/null"),
                "Usage: ocspx check HOST[:PORT]...");
    assert_says(run_shell(0, "$OCSPX --help"), "  check    ");
    assert_says(run_shell(3, "$OCSPX check --help >/dev/full"),
                "standard output cannot be written");
}
END_TEST

/* --- no server ------------------------------------------------------- */

static const struct {
    const char *given, *host; /* a port is added behind a colon */
    int port;                 /* 0: that */
} targets[] = {
    {"localhost", "localhost", 443},
    {"localhost:", "localhost", 0},
    {"127.0.0.1:", "127.0.0.1", 0},
    {"[::1]:", "::1", 0},
    {"[::1]", "::1", 443},
    {"::1", "::1", 443},
    {"lo_cal-host.test. --connect 127.0.0.1:", "lo_cal-host.test", 443},
};

/* Whether somebody listens at the port for TLS on this machine or not. */
START_TEST(hosts_are_understood)
{
    int port = procs_free_port();
    const char *given = targets[_i].given;
    int open = given[strlen(given) - 1] == ':';
    json_t *hosts = json_loads(
        run_shell(0, apr_pstrcat(pool, "$OCSPX check --timeout 1 --json ",
                                 given, open ? apr_itoa(pool, port) : "",
                                 "; true", NULL)),
        0, NULL);
    json_t *host = json_array_get(hosts, 0);

    ck_assert_str_eq(text_of(host, "host"), targets[_i].host);
    ck_assert_int_eq(json_integer_value(json_object_get(host, "port")),
                     targets[_i].port != 0 ? targets[_i].port : port);
    json_decref(hosts);
}
END_TEST

START_TEST(refused_port)
{
    int port = procs_free_port();
    json_t *host =
        assert_found(check_at(port), "critical: error CONNECT_REFUSED");

    ck_assert_str_eq(
        message_of(host, "CONNECT_REFUSED"),
        apr_psprintf(pool, "no connection to 127.0.0.1:%d: Connection refused",
                     port));
    ck_assert_str_eq(handshakes_of(host),
                     "failed, not tried, not tried, not tried");
    ck_assert(json_is_null(json_object_get(host, "connected")));
    json_decref(host);
    host = assert_found(
        apr_psprintf(pool, "check a.test --connect 127.0.0.1:%d", port),
        "critical: error CONNECT_REFUSED");
    json_decref(host);
}
END_TEST

START_TEST(port_behind_a_wall)
{
    long begin = procs_ms();

    responder_script(responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_BLACK_HOLE});
    responder_start(responder);
    json_decref(
        assert_found(apr_pstrcat(pool, check_at(responder_port(responder)),
                                 "--timeout 1", NULL),
                     "critical: error CONNECT_TIMEOUT"));
    ck_assert_int_ge(procs_ms() - begin, 1000);
    ck_assert_int_lt(procs_ms() - begin, 5000);
}
END_TEST

START_TEST(name_that_does_not_resolve)
{
    json_t *host =
        assert_found("check none.invalid --timeout 2", "unknown: error DNS");

    assert_says(message_of(host, "DNS"), "the name none.invalid ");
    json_decref(host);
    assert_says(run(3, "check none.invalid --timeout 2"),
                "UNKNOWN - none.invalid: DNS: ");
}
END_TEST

/* --- servers that do not speak TLS ----------------------------------- */

/* What a server says before it hangs up, or hangs. */
typedef struct {
    const char *bytes;
    int len;
    int hang;
} speech_t;

#define SAY(text) .bytes = text, .len = sizeof(text) - 1

static pid_t speaker;

static int listen_at(int port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 16))
        procs_die("nobody can listen at port %d", port);
    return fd;
}

/** Waits for the ClientHello, writes it down, says its piece. */
static void speak(int listener, const speech_t *speech)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char bytes[4096];
        ssize_t len = read(fd, bytes, sizeof(bytes));

        pki_write_file("hello", bytes, len > 0 ? (apr_size_t)len : 0);
        if (write(fd, speech->bytes, (size_t)speech->len) < 0)
            _exit(1);
        if (!speech->hang)
            close(fd);
    }
}

/** @return its port */
static int start_speaker(const speech_t *speech)
{
    int port = procs_free_port();

    speaker = procs_fork();
    if (speaker == 0)
        speak(listen_at(port), speech);
    ck_assert(procs_wait_port(port, 5000));
    return port;
}

static void tear_down(void)
{
    if (speaker != 0)
        procs_stop(speaker, SIGKILL, 1000);
    speaker = 0;
    strike_the_scene();
}

static const struct {
    const char *name;
    speech_t speech;
    const char *says;
    const char *handshakes;
} strangers[] = {
    {"silent",
     {"", 0, 1},
     "took the connection but did not answer the TLS "
     "handshake within 1 s",
     "failed, not tried, not tried, not tried"},
    {"closing",
     {"", 0, 0},
     "closed the connection instead of answering",
     "closed, closed, closed, closed"},
    {"http",
     {SAY("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")},
     "speaks plain HTTP, not TLS: it says \"HTTP/1.1 400 Bad Request\"",
     "failed, not tried, not tried, not tried"},
    {"http that hangs",
     {SAY("HTTP/1.1 400 Bad Request\r\n"), .hang = 1},
     "speaks plain HTTP",
     "failed, not tried, not tried, not tried"},
    {"mail",
     {SAY("220 mail.test ESMTP\r\n"), .hang = 1},
     "speaks something else, not TLS: it says \"220 mail.test ESMTP\"",
     "failed, not tried, not tried, not tried"},
    {"garbage",
     {SAY("\x16\x42\xff|\n")},
     "speaks something else, not TLS: it says \"\\x16B\\xff|\"",
     "failed, not tried, not tried, not tried"},
    {"nearly a record",
     {SAY("\x17\x03\x03 no\n")},
     "speaks something else, not TLS: it says \"\\x17\\x03\\x03 no\"",
     "failed, not tried, not tried, not tried"},
    {"half a record",
     {SAY("\x16\x03\x03\x01"), .hang = 1},
     "did not finish the TLS handshake within 1 s",
     "failed, not tried, not tried, not tried"},
    {"cut record",
     {SAY("\x16\x03\x03\x01")},
     "closed the connection during the TLS handshake",
     "failed, failed, failed, failed"},
    {"broken record",
     {SAY("\x16\x03\x03\x00\x04\x63\x00\x00\x00")},
     "does not complete the TLS handshake: ",
     "failed, failed, failed, failed"},
    {"unknown name",
     {SAY("\x15\x03\x03\x00\x02\x02\x70")},
     "does not complete the TLS handshake: tlsv1 unrecognized name",
     "failed, failed, failed, failed"},
    {"nothing on offer",
     {SAY("\x15\x03\x03\x00\x02\x02\x28")},
     "neither TLS 1.3 nor TLS 1.2, neither ECDSA nor RSA: 127.0.0.1:",
     "not offered, not offered, not offered, not offered"},
    {"too old",
     {SAY("\x15\x03\x01\x00\x02\x02\x46")},
     "protocol version",
     "not offered, not offered, not offered, not offered"},
};

START_TEST(strangers_are_told_in_one_sentence)
{
    int port = start_speaker(&strangers[_i].speech);
    long begin = procs_ms();
    json_t *host =
        assert_found(apr_pstrcat(pool, check_at(port), "--timeout 1", NULL),
                     "critical: error HANDSHAKE_FAILED");

    ck_assert_int_lt(procs_ms() - begin, 5000);
    assert_says(message_of(host, "HANDSHAKE_FAILED"), strangers[_i].says);
    assert_says(message_of(host, "HANDSHAKE_FAILED"),
                apr_psprintf(pool, "127.0.0.1:%d ", port));
    ck_assert_str_eq(handshakes_of(host), strangers[_i].handshakes);
    json_decref(host);
}
END_TEST

/* Nagios takes what follows a bar for numbers. */
START_TEST(first_line_has_no_bar)
{
    int port = start_speaker(&(speech_t){SAY("a|b|c\r\n")});
    const char *text = run(2, check_at(port));
    const char *wanted = apr_psprintf(
        pool,
        "CRITICAL - a.test:%d: HANDSHAKE_FAILED: 127.0.0.1:%d speaks something "
        "else, not TLS: it says \"a/b/c\"\n",
        port, port);

    ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "%s", text);
    assert_says(text, "it says \"a|b|c\"");
}
END_TEST

/* An address is no server name (RFC 6066, 3). */
START_TEST(names_are_sent_and_addresses_are_not)
{
    int port = start_speaker(&strangers[0].speech);

    run(2, apr_pstrcat(pool, check_at(port), "--timeout 1", NULL));
    run_shell(0, "grep -qa a.test hello");
    run(2, apr_psprintf(pool, "check 127.0.0.1:%d --timeout 1", port));
    run_shell(1, "grep -qaF 127.0.0.1 hello");
    run(2, apr_psprintf(pool, "check ::1 --connect 127.0.0.1:%d --timeout 1",
                        port));
    run_shell(1, "grep -qaF ::1 hello");
}
END_TEST

/* --- several hosts --------------------------------------------------- */

START_TEST(several_at_once_and_in_order)
{
    int port = start_speaker(&(speech_t){.bytes = "", .hang = 1});
    const char *command = "check --connect 127.0.0.1 --timeout 1";
    long begin, took;
    json_t *hosts;

    for (int i = 0; i < 12; i++)
        command = apr_psprintf(pool, "%s h%d.test:%d", command, i,
                               i % 3 == 0 ? procs_free_port() : port);
    begin = procs_ms();
    hosts = check_all(2, command);
    took = procs_ms() - begin;
    ck_assert_uint_eq(json_array_size(hosts), 12);
    for (int i = 0; i < 12; i++) {
        const json_t *host = json_array_get(hosts, (size_t)i);

        ck_assert_str_eq(text_of(host, "host"),
                         apr_psprintf(pool, "h%d.test", i));
        ck_assert_str_eq(found_at(host),
                         i % 3 == 0 ? "critical: error CONNECT_REFUSED"
                                    : "critical: error HANDSHAKE_FAILED");
    }
    json_decref(hosts);
    ck_assert_int_ge(took, 1000);
    ck_assert_int_lt(took, 4000); /* one after the other: 8 s */
}
END_TEST

START_TEST(more_than_eight_are_not_checked_at_once)
{
    int port = start_speaker(&(speech_t){.bytes = "", .hang = 1});
    const char *command = "check --connect 127.0.0.1 --timeout 1";
    long begin = procs_ms();

    for (int i = 0; i < 9; i++)
        command = apr_psprintf(pool, "%s h%d.test:%d", command, i, port);
    json_decref(check_all(2, command));
    ck_assert_int_ge(procs_ms() - begin, 2000);
}
END_TEST

START_TEST(critical_counts_more_than_unknown)
{
    const char *both = apr_psprintf(
        pool, "localhost:%d none.invalid --timeout 2", procs_free_port());

    json_decref(check_all(2, apr_pstrcat(pool, "check ", both, NULL)));
}
END_TEST

START_TEST(progress_is_for_terminals)
{
    int port = start_speaker(&strangers[0].speech);
    const char *command = apr_psprintf(
        pool, "check a.test:%d b.test:%d --connect 127.0.0.1 --timeout 1", port,
        port);
    const char *output = run_shell(
        0, apr_pstrcat(pool, "script -qec \"$OCSPX ", command,
                       " >out\" /dev/null </dev/null; cat out", NULL));
    const char *wiped = strstr(output, "\r\033[K");

    assert_says(output, " of 2 checked");
    ck_assert_ptr_nonnull(wiped);
    ck_assert_ptr_null(strstr(wiped, " checked"));
    assert_says(wiped, "CRITICAL - a.test:");
    output = run(2, command);
    ck_assert_ptr_null(strstr(output, "checked"));
    ck_assert_ptr_null(strchr(output, '\033'));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *check_suite(void)
{
    Suite *suite = suite_create("cli check");
    TCase *tests = tcase_create("check");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, check_scene_make, tear_down);
    tcase_add_loop_test(tests, wrong_usage_is_unknown_to_nagios, 0,
                        COUNT(misused));
    tcase_add_test(tests, help_is_given);
    tcase_add_loop_test(tests, hosts_are_understood, 0, COUNT(targets));
    tcase_add_test(tests, refused_port);
    tcase_add_test(tests, port_behind_a_wall);
    tcase_add_test(tests, name_that_does_not_resolve);
    tcase_add_loop_test(tests, strangers_are_told_in_one_sentence, 0,
                        COUNT(strangers));
    tcase_add_test(tests, first_line_has_no_bar);
    tcase_add_test(tests, names_are_sent_and_addresses_are_not);
    tcase_add_test(tests, several_at_once_and_in_order);
    tcase_add_test(tests, more_than_eight_are_not_checked_at_once);
    tcase_add_test(tests, critical_counts_more_than_unknown);
    tcase_add_test(tests, progress_is_for_terminals);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(check_suite());
}
