/* chain_mend: how to close a gap in the file, in commands to be pasted. */
#include "chain_private.h"

#include <apr_strings.h>
#include <string.h>

#include "cert.h"

/* What only the trust store knows is not the file's gap. */
void ocspx_chain_open_gap(ocspx_chain_judge_t *j, int depth)
{
    if (depth < j->trusted) {
        j->out->gap = j->path[depth];
        j->out->urls = ocspx_cert_ca_issuers(j->out->gap, j->pool);
    }
}

/* Can it stand in a command, between single quotes, in a line of a log? Logs
 * double the backslash. */
static int is_pasteable(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e || *c == '\'' || *c == '\\')
            return 0;
    return strlen(text) <= OCSPX_CERT_TEXT_MAX;
}

/* RFC 5280, 4.2.2.1: one certificate, or a bundle whose name says so. */
static int is_bundle(const char *url)
{
    size_t len = strcspn(url, "?#");

    return len > 4 && (!strncasecmp(url + len - 4, ".p7c", 4) ||
                       !strncasecmp(url + len - 4, ".p7b", 4));
}

/* The last line of a file need not be ended; appended to that, nobody could
 * read the file any more. Hence the empty line. */
static const char *commands(const ocspx_chain_judge_t *j, const char *append,
                            const char *url)
{
    const char *file = j->question->file;
    const char *get =
        apr_psprintf(j->pool, "curl -gfsSo issuer.der '%s' &&", url);
    const char *print =
        apr_psprintf(j->pool, "openssl %s -inform DER -in issuer.der",
                     is_bundle(url) ? "pkcs7 -print_certs" : "x509");

    if (file && is_pasteable(file)) {
        return apr_psprintf(j->pool,
                            "%s the issuer's certificate to the file: %s "
                            "(echo; %s) >> '%s'",
                            append, get, print, file);
    }
    return apr_psprintf(j->pool,
                        "%s the issuer's certificate, which this prints, to "
                        "the file named by SSLCertificateFile: %s %s",
                        append, get, print);
}

/* Where there is no address to paste, the table of causes knows a remedy. */
void ocspx_chain_mend(const ocspx_chain_judge_t *j,
                      ocspx_chain_finding_t *finding, const char *append)
{
    for (int i = 0; i < j->out->urls->nelts; i++) {
        const char *url = APR_ARRAY_IDX(j->out->urls, i, const char *);

        if (is_pasteable(url)) {
            finding->remedy = commands(j, append, url);
            return;
        }
    }
}
