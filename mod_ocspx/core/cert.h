/* cert: one certificate and its issuer, as OCSP sees them. */
#ifndef OCSPX_CERT_H
#define OCSPX_CERT_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#define OCSPX_CERT_DIGEST_LEN 32
#define OCSPX_CERT_ID_LEN 64 /* its hex digits */
#define OCSPX_CERT_TEXT_MAX 255
/** So many URLs of a certificate are asked, whoever made it; one or two are
 * usual. */
#define OCSPX_CERT_URLS_MAX 8

/** Hash of the CertID in requests (RFC 6960, 4.1.1; RFC 5019, 2.1.1). */
typedef enum { OCSPX_CERT_SHA1, OCSPX_CERT_SHA256 } ocspx_cert_hash_e;

/** A certificate that can be asked about. Immutable once made. */
typedef struct {
    unsigned char digest[OCSPX_CERT_DIGEST_LEN]; /* SHA-256 of the leaf */
    char id[OCSPX_CERT_ID_LEN + 1]; /* the digest, lower-case hex */
    X509 *leaf;                     /* own reference, freed with the pool */
    X509 *issuer;                   /* own reference, freed with the pool;
                                       NULL: not known yet (see repair.h) */
    const char *name;               /* first DNS name, else subject, else id;
                                       printable ASCII whatever it says */
    apr_array_header_t *urls;       /* const char *: the http and https
                                       responder URLs, in order (RFC 5280,
                                       4.2.2.1), at most URLS_MAX of them;
                                       may be empty */
    const char *bad_url;            /* first URL left out for its scheme or
                                       form, escaped; NULL if none */
    apr_time_t not_after;
    int must_staple; /* TLS feature status_request (RFC 7633) */
} ocspx_cert_t;

/**
 * Make a cert from @a leaf and @a issuer (NULL: not known yet); takes
 * references of its own.
 * @return APR_EINVAL where @a issuer did not issue @a leaf by name and key
 * identifier (the signature is not checked: mod_ssl found the issuer)
 */
apr_status_t ocspx_cert_make(ocspx_cert_t **cert, X509 *leaf, X509 *issuer,
                             apr_pool_t *p);

/** Digest of a certificate alone; the key of registry, cache and store. */
apr_status_t ocspx_cert_digest(unsigned char digest[OCSPX_CERT_DIGEST_LEN],
                               const X509 *leaf);

/** Hex form of a digest; @a id has room for OCSPX_CERT_ID_LEN + 1 bytes. */
void ocspx_cert_id(char *id, const unsigned char *digest);

/** Where the certificate of the issuer of @a x can be fetched: the http and
 * https caIssuers URLs, const char *, in order (RFC 5280, 4.2.2.1). */
apr_array_header_t *ocspx_cert_ca_issuers(X509 *x, apr_pool_t *p);

/**
 * DER of an OCSP request for this one certificate, whose issuer is known,
 * without nonce (RFC 6960, 4.1.1); allocated from @a p.
 */
apr_status_t ocspx_cert_request(const unsigned char **der, apr_size_t *len,
                                const ocspx_cert_t *cert,
                                ocspx_cert_hash_e hash, apr_pool_t *p);

/**
 * Is this the CertID of @a cert, whose issuer is known, under whichever of
 * SHA-1 and the SHA-2 family it was made with (RFC 6960, 4.1.1)?
 */
int ocspx_cert_matches(const ocspx_cert_t *cert, const OCSP_CERTID *id);

/** ocspx_cert_printable of a name's one-line form (RFC 4514, in essence). */
const char *ocspx_cert_name(const X509_NAME *name, apr_pool_t *p);

/**
 * Printable ASCII of arbitrary bytes, anything else as \xNN; longer than
 * OCSPX_CERT_TEXT_MAX characters, it is cut and ends in "...".
 */
const char *ocspx_cert_printable(const char *text, apr_size_t len,
                                 apr_pool_t *p);

/** The time @a t stands for; 0 is returned where it is none. */
int ocspx_cert_time(apr_time_t *when, const ASN1_TIME *t);

/** Is this an absolute http or https URL with a host? */
int ocspx_cert_url_ok(const char *url, apr_pool_t *p);

#endif
