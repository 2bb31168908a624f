/* pki: certification authorities, certificates and OCSP responses, made on
 * the spot and in every broken way a test needs. Aborts with a message when
 * OpenSSL fails: a test has no use for a half-made certificate.
 */
#ifndef OCSPX_TEST_PKI_H
#define OCSPX_TEST_PKI_H

#include <apr_pools.h>
#include <apr_time.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

/** A certificate with its key; freed with the pool it was made from. */
typedef struct {
    X509 *cert;
    EVP_PKEY *key;
} pki_t;

typedef enum { PKI_EC, PKI_RSA } pki_key_e;

typedef struct {
    const char *cn;         /* subject; required; "": an empty one */
    const char *names;      /* "DNS:a,DNS:b" or NULL */
    const char *ocsp_urls;  /* "http://a/ http://b/" space-separated, or NULL */
    const char *ca_issuers; /* likewise: where the issuer's certificate is */
    pki_key_e key;          /* EC P-256 or RSA */
    int bits;               /* of an RSA key; 0: 2048 */
    EVP_PKEY *use_key;      /* this key instead of a new one, or NULL */
    apr_time_t not_before;  /* 0: a day ago */
    apr_time_t not_after;   /* 0: in 90 days */
    long serial;            /* 0: random */
    const EVP_MD *md;       /* of its signature; NULL: SHA-256 */
    int ca;                 /* basicConstraints CA, keyUsage keyCertSign;
                               what is none can still be used as issuer */
    const char *pathlen;    /* of a CA: "0"; NULL: no limit */
    const char *key_usage;  /* "keyCertSign,cRLSign"; NULL: as suits ca */
    const char *eku;        /* extendedKeyUsage "serverAuth,clientAuth" */
    const char *constraints; /* on names: "permitted;DNS:a,excluded;DNS:b.a" */
    int no_key_ids;          /* neither its own nor its issuer's */
    int must_staple;         /* TLS feature status_request */
    int ocsp_signing;        /* extendedKeyUsage id-kp-OCSPSigning */
} pki_spec_t;

/** Make a certificate issued by @a issuer; NULL: self-signed. */
pki_t *pki_make(const pki_spec_t *spec, const pki_t *issuer, apr_pool_t *p);

/** One SingleResponse. */
typedef struct {
    X509 *cert;
    X509 *issuer;
    int status; /* V_OCSP_CERTSTATUS_* */
    apr_time_t this_update;
    apr_time_t next_update;  /* 0: none */
    apr_time_t revoked_at;   /* when status is revoked; 0: an hour ago */
    const EVP_MD *certid_md; /* NULL: SHA-1 */
    int unknown_critical;    /* add an unknown critical extension */
    int unknown;             /* add an unknown one that is not */
} pki_single_t;

typedef struct {
    const pki_single_t *singles;
    int count;
    const pki_t *signer;     /* the issuer itself or a delegated signer */
    const EVP_MD *md;        /* of the signature; NULL: SHA-256 */
    int with_signer_cert;    /* put the signer's certificate in */
    const pki_t *passed_off; /* put this one's in instead */
    int by_key;              /* responderID by key hash, else by name */
    int break_signature;     /* flip a bit of the signature */
    int nonce;               /* add one */
    int unknown_critical;    /* add an unknown critical extension */
    apr_size_t padding;      /* about so many bytes more (a non-critical
                                extension) */
    apr_time_t produced_at;  /* 0: now */
} pki_response_t;

/** DER of a successful response as described; from @a p. */
const unsigned char *pki_response(apr_size_t *len, const pki_response_t *r,
                                  apr_pool_t *p);

/** DER of an error response (OCSP_RESPONSE_STATUS_TRYLATER ...); from @a p. */
const unsigned char *pki_response_error(apr_size_t *len, int status,
                                        apr_pool_t *p);

/** Write certificates as PEM, in order; the last argument is NULL. */
void pki_write_certs(const char *path, ...);
void pki_write_key(const char *path, const pki_t *of);
void pki_write_file(const char *path, const void *data, apr_size_t len);

#endif
