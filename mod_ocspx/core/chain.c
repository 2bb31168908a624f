/* chain: judges a chain as a client does that knows the roots and gets the
 * rest from the server.
 *
 * OpenSSL finds and verifies the path, once, and is not stopped by what it
 * objects to; everything else is an explanation of that, or about what is sent
 * besides the path. So no signature is checked twice, and the verdict is that
 * of the clients in the field.
 */
#include "chain_private.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <string.h>

#include "cert.h"

/* Nobody sends a chain that needs nearly as many; a hostile one ends here. */
#define CHECKS_MAX 1000

#define HEX_MAX 20

ocspx_chain_finding_t *ocspx_chain_report(ocspx_chain_judge_t *j,
                                          ocspx_cause_e cause, X509 *about,
                                          const char *format, ...)
{
    ocspx_chain_finding_t *finding = apr_array_push(j->out->findings);
    va_list args;

    va_start(args, format);
    finding->message = apr_pvsprintf(j->pool, format, args);
    va_end(args);
    finding->cause = cause;
    finding->severity = ocspx_cause_severity(cause);
    finding->remedy = ocspx_cause_remedy(cause);
    finding->subject =
        about ? ocspx_cert_name(X509_get_subject_name(about), j->pool) : "";
    APR_ARRAY_PUSH(j->about, X509 *) = about;
    return finding;
}

int ocspx_chain_reported(const ocspx_chain_judge_t *j, ocspx_cause_e cause,
                         const X509 *about)
{
    for (int i = 0; i < j->about->nelts; i++) {
        const ocspx_chain_finding_t *finding =
            &APR_ARRAY_IDX(j->out->findings, i, ocspx_chain_finding_t);

        if (finding->cause == cause &&
            APR_ARRAY_IDX(j->about, i, X509 *) == about)
            return 1;
    }
    return 0;
}

/* Long ones are cut. */
static const char *hex_of(const ASN1_STRING *bytes, apr_pool_t *p)
{
    const unsigned char *data = ASN1_STRING_get0_data(bytes);
    int len = ASN1_STRING_length(bytes);
    char *hex = apr_pcalloc(p, HEX_MAX * 2UL + 1);

    for (int i = 0; i < len && i < HEX_MAX; i++)
        apr_snprintf(hex + i * 2L, 3, "%02x", data[i]);
    return len > HEX_MAX ? apr_pstrcat(p, hex, "...", NULL) : hex;
}

static const char *subject_or_none(const ocspx_chain_judge_t *j, X509 *cert)
{
    const char *name = ocspx_cert_name(X509_get_subject_name(cert), j->pool);

    return *name ? name : "a certificate without a subject";
}

const char *ocspx_chain_full_name(const ocspx_chain_judge_t *j, X509 *cert)
{
    return apr_psprintf(j->pool, "%s (serial %s, issued by %s)",
                        subject_or_none(j, cert),
                        hex_of(X509_get_serialNumber(cert), j->pool),
                        ocspx_cert_name(X509_get_issuer_name(cert), j->pool));
}

const char *ocspx_chain_issuer_key(const ocspx_chain_judge_t *j, X509 *cert)
{
    const ASN1_OCTET_STRING *id = X509_get0_authority_key_id(cert);

    return id ? hex_of(id, j->pool) : NULL;
}

static int is_namesake(X509 *other, X509 *cert)
{
    return other != cert &&
           X509_NAME_cmp(X509_get_subject_name(other),
                         X509_get_subject_name(cert)) == 0 &&
           X509_cmp(other, cert) != 0;
}

const char *ocspx_chain_name(const ocspx_chain_judge_t *j, X509 *cert)
{
    for (int i = 0; i < j->served_count; i++)
        if (is_namesake(j->served[i].cert, cert))
            return ocspx_chain_full_name(j, cert);
    for (int i = 0; i < j->path_count; i++)
        if (is_namesake(j->path[i], cert))
            return ocspx_chain_full_name(j, cert);
    return subject_or_none(j, cert);
}

int ocspx_chain_self_signed(X509 *cert)
{
    return (X509_get_extension_flags(cert) & EXFLAG_SS) != 0;
}

static void add_served(ocspx_chain_judge_t *j, X509 *cert)
{
    for (int i = 0; i < j->served_count; i++) {
        if (X509_cmp(j->served[i].cert, cert) == 0) {
            j->served[i].copies++;
            return;
        }
    }
    j->served[j->served_count++] =
        (ocspx_chain_served_t){.cert = cert, .copies = 1, .depth = -1};
}

/* The first that is no CA certificate; if all are, the first. */
static X509 *find_leaf(const apr_array_header_t *served)
{
    for (int i = 0; i < served->nelts; i++)
        if (X509_check_ca(APR_ARRAY_IDX(served, i, X509 *)) != 1)
            return APR_ARRAY_IDX(served, i, X509 *);
    return APR_ARRAY_IDX(served, 0, X509 *);
}

static void take_served(ocspx_chain_judge_t *j)
{
    const apr_array_header_t *served = j->question->served;
    X509 *first = APR_ARRAY_IDX(served, 0, X509 *);
    X509 *leaf = find_leaf(served);

    j->served =
        apr_pcalloc(j->scratch, (apr_size_t)served->nelts * sizeof(*j->served));
    add_served(j, leaf);
    j->served[0].copies = 0;
    for (int i = 0; i < served->nelts; i++)
        add_served(j, APR_ARRAY_IDX(served, i, X509 *));
    j->misplaced = leaf != first;
    if (j->misplaced) {
        ocspx_chain_report(j, OCSPX_CAUSE_CHAIN_ORDER, leaf,
                           "%s, a CA certificate, comes first, and %s behind "
                           "it: the server's own certificate must come first",
                           ocspx_chain_name(j, first),
                           ocspx_chain_name(j, leaf))
            ->severity = OCSPX_CAUSE_ERROR;
    }
}

static int is_complete(const ocspx_chain_judge_t *j)
{
    return ocspx_chain_worst(j->out) < OCSPX_CAUSE_ERROR &&
           (j->private_root || (j->verified && apr_is_empty_array(j->errors)));
}

/* What comes after the verdict does not touch it. */
static void judge(ocspx_chain_judge_t *j)
{
    take_served(j);
    ocspx_chain_path_find(j);
    ocspx_chain_tie(j, 0, OCSPX_CHAIN_TIED);
    ocspx_chain_gap_judge(j);
    ocspx_chain_flaws_judge(j);
    j->out->complete = is_complete(j);
    ocspx_chain_served_judge(j);
    ocspx_chain_leaf_judge(j);
}

static void sort_findings(ocspx_chain_t *chain, apr_pool_t *p)
{
    apr_array_header_t *sorted = apr_array_make(p, chain->findings->nelts,
                                                sizeof(ocspx_chain_finding_t));

    for (int severity = OCSPX_CAUSE_ERROR; severity >= OCSPX_CAUSE_INFO;
         severity--) {
        for (int i = 0; i < chain->findings->nelts; i++) {
            const ocspx_chain_finding_t *finding =
                &APR_ARRAY_IDX(chain->findings, i, ocspx_chain_finding_t);

            if ((int)finding->severity == severity)
                APR_ARRAY_PUSH(sorted, ocspx_chain_finding_t) = *finding;
        }
    }
    chain->findings = sorted;
}

void ocspx_chain_judge(ocspx_chain_t *out,
                       const ocspx_chain_question_t *question, apr_pool_t *p)
{
    ocspx_chain_judge_t j = {.question = question,
                             .out = out,
                             .pool = p,
                             .now = (time_t)apr_time_sec(question->now),
                             .checks_left = CHECKS_MAX};

    memset(out, 0, sizeof(*out));
    apr_pool_create(&j.scratch, p);
    out->findings = apr_array_make(j.scratch, 4, sizeof(ocspx_chain_finding_t));
    out->urls = apr_array_make(p, 1, sizeof(const char *));
    j.about = apr_array_make(j.scratch, 4, sizeof(X509 *));
    ERR_set_mark();
    if (question->served->nelts > 0) {
        judge(&j);
    } else {
        ocspx_chain_report(&j, OCSPX_CAUSE_CHAIN_REFUSED, NULL,
                           "no certificate is sent");
    }
    sort_findings(out, p);
    apr_pool_destroy(j.scratch);
    ERR_pop_to_mark();
}

ocspx_cause_severity_e ocspx_chain_worst(const ocspx_chain_t *chain)
{
    ocspx_cause_severity_e worst = OCSPX_CAUSE_INFO;

    for (int i = 0; i < chain->findings->nelts; i++) {
        const ocspx_chain_finding_t *finding =
            &APR_ARRAY_IDX(chain->findings, i, ocspx_chain_finding_t);

        if (finding->severity > worst)
            worst = finding->severity;
    }
    return worst;
}

int ocspx_chain_issued(X509 *issuer, X509 *cert)
{
    int issued;

    ERR_set_mark();
    issued = X509_check_ca(issuer) == 1 &&
             X509_check_issued(issuer, cert) == X509_V_OK &&
             X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
    ERR_pop_to_mark();
    return issued;
}
