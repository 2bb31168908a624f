/* client_other: the TLS clients other people use, as judges of a staple. */
#include "client_private.h"

#include <string.h>

#include <apr_strings.h>

#include "pki.h"
#include "procs.h"

#define LIMIT_MS 10000

static const char *host_of(const client_spec_t *spec)
{
    return spec->host != NULL ? spec->host : "127.0.0.1";
}

/** An IPv6 address in brackets. */
static const char *bracketed(const client_spec_t *spec, apr_pool_t *p)
{
    const char *host = host_of(spec);

    return strchr(host, ':') ? apr_pstrcat(p, "[", host, "]", NULL) : host;
}

static int limit_of(const client_spec_t *spec)
{
    return spec->timeout_ms != 0 ? spec->timeout_ms : LIMIT_MS;
}

int client_openssl(const char **output, const client_spec_t *spec,
                   apr_pool_t *p)
{
    const char *address =
        apr_psprintf(p, "%s:%d", bracketed(spec, p), spec->port);
    const char *argv[] = {"openssl",
                          "s_client",
                          "-connect",
                          address,
                          "-servername",
                          spec->name,
                          "-status",
                          "-verify_return_error",
                          "-CAfile",
                          spec->ca_file,
                          "-verify_hostname",
                          spec->name,
                          NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, limit_of(spec), p);
    *output = result.output;
    return result.status == 0 &&
           strstr(*output, "OCSP Response Status: successful") != NULL &&
           strstr(*output, "Cert Status: good") != NULL &&
           strstr(*output, "Verify return code: 0 (ok)") != NULL;
}

/* Given a file of roots, s_client has no others. */
int client_openssl_chain(const char **output, const client_spec_t *spec,
                         apr_pool_t *p)
{
    const char *argv[] = {
        "openssl",
        "s_client",
        "-connect",
        apr_psprintf(p, "%s:%d", bracketed(spec, p), spec->port),
        "-servername",
        spec->name,
        "-showcerts",
        "-verify_return_error",
        "-CAfile",
        spec->ca_file,
        spec->key != CLIENT_KEY_ANY ? "-sigalgs" : NULL,
        spec->key == CLIENT_KEY_RSA ? CLIENT_RSA_ALGORITHMS
                                    : CLIENT_EC_ALGORITHMS,
        NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, limit_of(spec), p);
    *output = result.output;
    return result.status == 0 &&
           strstr(*output, "Verify return code: 0 (ok)") != NULL;
}

int client_curl(const char **output, const client_spec_t *spec, apr_pool_t *p)
{
    const char *resolve =
        apr_psprintf(p, "%s:%d:%s", spec->name, spec->port, bracketed(spec, p));
    const char *url = apr_psprintf(p, "https://%s:%d/", spec->name, spec->port);
    const char *argv[] = {
        "curl",  "--silent",      "--show-error", "--verbose",   "--noproxy",
        "*",     "--cert-status", "--cacert",     spec->ca_file, "--resolve",
        resolve, "--output",      "/dev/null",    url,           NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, limit_of(spec), p);
    *output = result.output;
    return result.status == 0;
}

/** What ocsptool makes of a response; "" if there is no such file. */
static const char *print_response(const char *file, apr_pool_t *p)
{
    const char *argv[] = {"ocsptool", "--response-info", "--infile", file,
                          NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, LIMIT_MS, p);
    return result.status == 0 ? result.output : "";
}

/* gnutls-cli refuses a staple that is revoked or not well signed but is
 * content with none or an error response: so we look at what it got. */
int client_gnutls(const char **output, const client_spec_t *spec, apr_pool_t *p)
{
    const char *file = apr_pstrcat(p, procs_temp_dir(p), "/staple.der", NULL);
    const char *port = apr_itoa(p, spec->port);
    const char *argv[] = {
        "gnutls-cli", "--save-ocsp",       file,          "--port",
        port,         "--x509cafile",      spec->ca_file, "--sni-hostname",
        spec->name,   "--verify-hostname", spec->name,    host_of(spec),
        NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, limit_of(spec), p);
    *output =
        apr_pstrcat(p, result.output, "\n", print_response(file, p), NULL);
    return result.status == 0 &&
           strstr(*output, "Response Status: Successful") != NULL &&
           strstr(*output, "Certificate Status: good") != NULL;
}

int client_openssl_verify(const char **output, const unsigned char *der,
                          apr_size_t len, const char *ca_file,
                          const char *issuer_file, const char *cert_file,
                          apr_pool_t *p)
{
    const char *file = apr_pstrcat(p, procs_temp_dir(p), "/staple.der", NULL);
    const char *argv[] = {"openssl", "ocsp",    "-respin", file,
                          "-CAfile", ca_file,   "-issuer", issuer_file,
                          "-cert",   cert_file, NULL};
    procs_result_t result;

    pki_write_file(file, der, len);
    procs_run(&result, argv, NULL, LIMIT_MS, p);
    *output = result.output;
    return result.status == 0 && strstr(*output, "Response verify OK") != NULL;
}
