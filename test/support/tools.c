/* tools: runs the real programs that tests use as responder and proxy. */
#include "tools_private.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "procs.h"

#define START_MS 5000
#define STOP_MS 2000

struct tools_t {
    pid_t pid; /* 0: stopped */
    int port;
    const char *url;
    const char *log;
};

/** Servers are not in everybody's PATH. */
const char *tools_find(const char *program, apr_pool_t *p)
{
    const char *argv[] = {
        "sh", "-c",
        "PATH=\"$PATH:/usr/sbin:/usr/local/sbin\"; command -v \"$0\"", program,
        NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, START_MS, p);
    return result.status == 0
               ? apr_pstrmemdup(p, result.output, strcspn(result.output, "\n"))
               : "";
}

static apr_status_t stop_with_pool(void *tool)
{
    tools_stop(tool);
    return APR_SUCCESS;
}

tools_t *tools_start(const char *const *argv, const char *dir, int port,
                     apr_pool_t *p)
{
    tools_t *tool = apr_pcalloc(p, sizeof(*tool));

    tool->port = port;
    tool->url = apr_psprintf(p, "http://127.0.0.1:%d/", port);
    tool->log = apr_pstrcat(p, dir, "/log", NULL);
    tool->pid = procs_spawn(argv, tool->log);
    apr_pool_cleanup_register(p, tool, stop_with_pool, apr_pool_cleanup_null);
    if (!procs_wait_port(port, START_MS))
        procs_die("%s does not listen:\n%s", argv[0], tools_log(tool, p));
    return tool;
}

/** One line of the index of `openssl ca', which `openssl ocsp' reads; it takes
 * no two with the same subject. */
static const char *index_line(const tools_ocsp_entry_t *entry, apr_pool_t *p)
{
    BIGNUM *number =
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(entry->leaf->cert), NULL);
    char *serial = BN_bn2hex(number);
    const char *line = apr_psprintf(
        p, "%s\t491231235959Z\t%s\t%s\tunknown\t/CN=%s\n",
        entry->revoked ? "R" : "V",
        entry->revoked ? "250101000000Z,keyCompromise" : "", serial, serial);

    OPENSSL_free(serial);
    BN_free(number);
    return line;
}

tools_t *tools_ocsp_start(int port, const pki_t *issuer, const pki_t *signer,
                          const tools_ocsp_entry_t *entries, int count,
                          int minutes, apr_pool_t *p)
{
    const char *dir = procs_temp_dir(p);
    const char *index = apr_pstrcat(p, dir, "/index.txt", NULL);
    const char *ca = apr_pstrcat(p, dir, "/ca.pem", NULL);
    const char *cert = apr_pstrcat(p, dir, "/signer.pem", NULL);
    const char *key = apr_pstrcat(p, dir, "/signer.key", NULL);
    const char *lines = "";
    const char *argv[] = {"openssl", "ocsp", "-index",   index,
                          "-CA",     ca,     "-rsigner", cert,
                          "-rkey",   key,    "-nmin",    apr_itoa(p, minutes),
                          "-port",   NULL,   NULL};

    port = port != 0 ? port : procs_free_port();
    argv[13] = apr_itoa(p, port);
    for (int i = 0; i < count; i++)
        lines = apr_pstrcat(p, lines, index_line(&entries[i], p), NULL);
    pki_write_file(index, lines, strlen(lines));
    pki_write_certs(ca, issuer->cert, NULL);
    pki_write_certs(cert, signer->cert, NULL);
    pki_write_key(key, signer);
    return tools_start(argv, dir, port, p);
}

tools_t *tools_proxy_start(apr_pool_t *p)
{
    return tools_proxy_start_with("", p);
}

tools_t *tools_proxy_start_with(const char *lines, apr_pool_t *p)
{
    const char *dir = procs_temp_dir(p);
    const char *conf = apr_pstrcat(p, dir, "/proxy.conf", NULL);
    const char *argv[] = {"tinyproxy", "-d", "-c", conf, NULL};
    int port = procs_free_port();
    const char *text = apr_psprintf(p,
                                    "Port %d\n"
                                    "Listen 127.0.0.1\n"
                                    "Allow 127.0.0.1\n"
                                    "Timeout 60\n"
                                    "MaxClients 100\n"
                                    "LogLevel Info\n"
                                    "%s",
                                    port, lines);

    pki_write_file(conf, text, strlen(text));
    return tools_start(argv, dir, port, p);
}

void tools_proxy_reload(const tools_t *proxy)
{
    kill(proxy->pid, SIGUSR1);
}

const char *tools_url(const tools_t *tool)
{
    return tool->url;
}

int tools_port(const tools_t *tool)
{
    return tool->port;
}

const char *tools_log(const tools_t *tool, apr_pool_t *p)
{
    return procs_read_file(tool->log, p);
}

void tools_stop(tools_t *tool)
{
    if (tool->pid != 0) {
        procs_stop(tool->pid, SIGTERM, STOP_MS);
        procs_kill_group(tool->pid);
        tool->pid = 0;
    }
}

void tools_signal(const tools_t *tool, int sig)
{
    if (tool->pid != 0)
        kill(tool->pid, sig);
}

int tools_have(const char *program)
{
    apr_pool_t *p;
    int found;

    apr_pool_create(&p, NULL);
    found = *tools_find(program, p) != '\0';
    apr_pool_destroy(p);
    return found;
}
