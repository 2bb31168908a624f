/* input: what the commands read: certificates and numbers. */
#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "cli.h"

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

static void keep(apr_array_header_t *certs, X509 *cert, apr_pool_t *p)
{
    apr_pool_cleanup_register(p, cert, free_cert, apr_pool_cleanup_null);
    APR_ARRAY_PUSH(certs, X509 *) = cert;
}

apr_array_header_t *cli_read_certs(const char *path, apr_pool_t *p)
{
    apr_array_header_t *certs = apr_array_make(p, 4, sizeof(X509 *));
    BIO *in = BIO_new_file(path, "rb");
    X509 *cert;

    if (!in) {
        cli_complain("%s cannot be read", path);
        return NULL;
    }
    while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL)))
        keep(certs, cert, p);
    if (apr_is_empty_array(certs) && BIO_reset(in) == 0 &&
        (cert = d2i_X509_bio(in, NULL)))
        keep(certs, cert, p);
    BIO_free(in);
    ERR_clear_error();
    if (!apr_is_empty_array(certs))
        return certs;
    cli_complain("%s holds no certificate in PEM or DER form", path);
    return NULL;
}

ocspx_cert_t *cli_read_pair(const char *path, const char *issuer_path,
                            apr_pool_t *p)
{
    apr_array_header_t *certs = cli_read_certs(path, p);
    apr_array_header_t *issuers;
    ocspx_cert_t *cert;
    int i;

    issuers = certs && issuer_path ? cli_read_certs(issuer_path, p) : certs;
    if (!issuers)
        return NULL;
    for (i = issuer_path ? 0 : 1; i < issuers->nelts; i++)
        if (ocspx_cert_make(&cert, APR_ARRAY_IDX(certs, 0, X509 *),
                            APR_ARRAY_IDX(issuers, i, X509 *),
                            p) == APR_SUCCESS)
            return cert;
    cli_complain("%s does not hold the issuer of the first certificate in %s",
                 issuer_path ? issuer_path : path, path);
    return NULL;
}

int cli_parse_seconds(apr_interval_time_t *seconds, const char *option,
                      const char *arg)
{
    char *end;
    apr_int64_t number = apr_strtoi64(arg, &end, 10);

    if (!apr_isdigit(*arg) || *end || number > APR_INT32_MAX) {
        cli_complain("%s '%s': must be a whole number of seconds, not below 0",
                     option, arg);
        return 0;
    }
    *seconds = apr_time_from_sec(number);
    return 1;
}
