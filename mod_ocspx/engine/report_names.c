/* report_names: whom a certificate is for. */
#include "report_private.h"

#include <apr_strings.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

static const char *address(const ASN1_OCTET_STRING *ip, apr_pool_t *p)
{
    int family = ASN1_STRING_length(ip) == 4    ? AF_INET
                 : ASN1_STRING_length(ip) == 16 ? AF_INET6
                                                : AF_UNSPEC;
    char text[INET6_ADDRSTRLEN];

    if (family == AF_UNSPEC ||
        !inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof(text)))
        return NULL;
    return apr_pstrdup(p, text);
}

/* NULL: of another kind. */
static const char *name_text(const GENERAL_NAME *name, apr_pool_t *p)
{
    if (name->type == GEN_DNS)
        return ocspx_cert_printable(
            (const char *)ASN1_STRING_get0_data(name->d.dNSName),
            (apr_size_t)ASN1_STRING_length(name->d.dNSName), p);
    return name->type == GEN_IPADD ? address(name->d.iPAddress, p) : NULL;
}

apr_array_header_t *ocspx_report_names(const X509 *leaf, int most,
                                       apr_pool_t *p)
{
    apr_array_header_t *list = apr_array_make(p, 4, sizeof(const char *));
    GENERAL_NAMES *names;
    int i, more = 0;

    ERR_set_mark();
    names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    ERR_pop_to_mark();
    for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const char *text;

        if (most && list->nelts == most)
            more += name->type == GEN_DNS || name->type == GEN_IPADD;
        else if ((text = name_text(name, p)))
            APR_ARRAY_PUSH(list, const char *) = text;
    }
    GENERAL_NAMES_free(names);
    if (more)
        APR_ARRAY_PUSH(list, const char *) =
            apr_psprintf(p, "... and %d more", more);
    return list;
}
