/* chains: the check of what each virtual host sends, and what it found.
 *
 * mod_ssl sets its virtual hosts up one by one; what is found is collected
 * and logged in the end, so that a certificate that a thousand of them share
 * makes one line, not a thousand.
 */
#include "chains.h"

#include <apr_strings.h>
#include <http_log.h>

#include "../engine/repair.h"
#include "../engine/trust.h"
#include "served.h"
#include "settings.h"

APLOG_USE_MODULE(ocspx);

ocspx_chains_t *ocspx_chains_make(apr_pool_t *p)
{
    ocspx_chains_t *chains = apr_pcalloc(p, sizeof(*chains));

    chains->pool = p;
    chains->unknown = apr_hash_make(p);
    chains->seen = apr_hash_make(p);
    chains->findings = apr_array_make(p, 4, sizeof(ocspx_chains_finding_t *));
    return chains;
}

const char *ocspx_chains_place(const server_rec *s, apr_pool_t *p)
{
    unsigned port = s->addrs ? s->addrs->host_port : s->port;

    if (!s->defn_name)
        return apr_psprintf(p, "%s:%u (main server)", s->server_hostname, port);
    return apr_psprintf(p, "%s:%u (%s:%u)", s->server_hostname, port,
                        s->defn_name, s->defn_line_number);
}

const ocspx_chain_trust_t *ocspx_chains_trust(ocspx_chains_t *chains,
                                              const server_rec *s)
{
    const ocspx_chain_trust_t *own = ocspx_settings_of(s)->chain_trust;
    const char *why;

    if (own)
        return own;
    if (!chains->system && ocspx_trust_load(&chains->system, &why, NULL,
                                            chains->pool) != APR_SUCCESS)
        ap_abort_on_oom();
    return chains->system;
}

/* --- checking -------------------------------------------------------- */

static void add_names(apr_array_header_t *hosts, const apr_array_header_t *more)
{
    if (more)
        apr_array_cat(hosts, more);
}

static apr_array_header_t *hosts_of(const server_rec *s, apr_pool_t *p)
{
    apr_array_header_t *hosts = apr_array_make(p, 4, sizeof(const char *));

    if (s->server_hostname)
        APR_ARRAY_PUSH(hosts, const char *) = s->server_hostname;
    add_names(hosts, s->names);
    add_names(hosts, s->wild_names);
    return hosts;
}

/* As in ocspx_chain_question_t. */
static const char *why_unstapled(server_rec *s)
{
    const ocspx_settings_t *d = ocspx_settings_of(s);
    int explicit_ssl;

    if (!ocspx_settings_stapling(&explicit_ssl, s))
        return explicit_ssl ? "" : "stapling is switched off";
    return d->force_url || d->response_file ? "" : NULL;
}

/* The refresher has to do with what is stapled only. */
static int will_be_repaired(server_rec *s, const ocspx_chain_t *chain)
{
    int explicit_ssl;

    return ocspx_settings_chain_repair(s) &&
           ocspx_settings_stapling(&explicit_ssl, s) &&
           ocspx_repair_possible(chain);
}

/* What is being repaired is no reason not to start. */
static void promise_repair(ocspx_chain_t *chain)
{
    int i;

    for (i = 0; i < chain->findings->nelts; i++) {
        ocspx_chain_finding_t *finding =
            &APR_ARRAY_IDX(chain->findings, i, ocspx_chain_finding_t);

        if (finding->cause != OCSPX_CAUSE_CHAIN_MISSING &&
            finding->cause != OCSPX_CAUSE_CHAIN_WRONG_KEY)
            continue;
        finding->severity = OCSPX_CAUSE_WARNING;
        finding->remedy = "OCSPXChainRepair fetches what is missing, in the "
                          "background; it will say when it has.";
    }
}

static ocspx_chains_finding_t *
make_finding(server_rec *s, const ocspx_chain_finding_t *finding, apr_pool_t *p)
{
    ocspx_chains_finding_t *kept = apr_pcalloc(p, sizeof(*kept));

    kept->server = s;
    kept->finding = *finding;
    kept->finding.subject = apr_pstrdup(p, finding->subject);
    kept->finding.message = apr_pstrdup(p, finding->message);
    kept->finding.remedy = apr_pstrdup(p, finding->remedy);
    return kept;
}

static void keep(ocspx_chains_t *chains, server_rec *s,
                 const ocspx_chain_finding_t *finding, apr_pool_t *ptemp)
{
    const char *key =
        apr_pstrcat(ptemp, ocspx_cause_code(finding->cause), "\n",
                    ocspx_cause_severity_name(finding->severity), "\n",
                    finding->subject, "\n", finding->message, NULL);
    ocspx_chains_finding_t *kept =
        apr_hash_get(chains->seen, key, APR_HASH_KEY_STRING);

    if (kept) {
        kept->others++;
    } else {
        kept = make_finding(s, finding, chains->pool);
        apr_hash_set(chains->seen, apr_pstrdup(chains->pool, key),
                     APR_HASH_KEY_STRING, kept);
        APR_ARRAY_PUSH(chains->findings, ocspx_chains_finding_t *) = kept;
    }
    kept->required |=
        finding->severity == OCSPX_CAUSE_ERROR &&
        ocspx_settings_chain_check(s) == OCSPX_CHAIN_CHECK_REQUIRE;
}

/* Files are read, to be sure, only where one is to be named. */
static void judge(ocspx_chain_t *out, ocspx_chains_t *chains, server_rec *s,
                  const apr_array_header_t *served, apr_pool_t *p)
{
    const ocspx_chain_trust_t *trust = ocspx_chains_trust(chains, s);
    ocspx_chain_question_t question = {
        .served = served,
        .trust = trust,
        .unknown = trust == chains->system ? chains->unknown : NULL,
        .hosts = hosts_of(s, p),
        .unstapled = why_unstapled(s),
        .now = apr_time_now(),
    };

    ocspx_chain_judge(out, &question, p);
    if (!out->gap)
        return;
    question.file = ocspx_served_to_mend(&ocspx_settings_of(s)->ssl_files,
                                         APR_ARRAY_IDX(served, 0, X509 *));
    if (question.file)
        ocspx_chain_judge(out, &question, p);
}

void ocspx_chains_check(ocspx_chain_t *out, ocspx_chains_t *chains,
                        server_rec *s, const apr_array_header_t *served,
                        apr_pool_t *p)
{
    int checked = ocspx_settings_chain_check(s) != OCSPX_CHAIN_CHECK_OFF;
    int i;

    *out = (ocspx_chain_t){.complete = 1};
    if (checked || ocspx_settings_chain_repair(s))
        judge(out, chains, s, served, p);
    if (!checked)
        return;
    if (will_be_repaired(s, out))
        promise_repair(out);
    chains->checked++;
    chains->complete += (unsigned)out->complete;
    for (i = 0; i < out->findings->nelts; i++)
        keep(chains, s, &APR_ARRAY_IDX(out->findings, i, ocspx_chain_finding_t),
             p);
}

/* --- telling --------------------------------------------------------- */

static const char *and_others(unsigned others, apr_pool_t *p)
{
    if (!others)
        return "";
    return apr_psprintf(p, " and %u other virtual host%s", others,
                        others == 1 ? "" : "s");
}

static int level_of(const ocspx_chains_finding_t *kept)
{
    static const int levels[] = {
        [OCSPX_CAUSE_INFO] = APLOG_INFO,
        [OCSPX_CAUSE_WARNING] = APLOG_WARNING,
        [OCSPX_CAUSE_ERROR] = APLOG_ERR,
    };

    return kept->required ? APLOG_CRIT : levels[kept->finding.severity];
}

void ocspx_chains_log(const ocspx_chains_t *chains, server_rec *main_server)
{
    unsigned counts[] = {0, 0, 0};
    int i;

    for (i = 0; i < chains->findings->nelts; i++) {
        const ocspx_chains_finding_t *kept =
            APR_ARRAY_IDX(chains->findings, i, ocspx_chains_finding_t *);
        const ocspx_chain_finding_t *finding = &kept->finding;

        counts[finding->severity]++;
        ap_log_error(APLOG_MARK, level_of(kept), 0, kept->server,
                     "OCSPX0107: %s%s: %s: %s. %s",
                     ocspx_chains_place(kept->server, chains->pool),
                     and_others(kept->others, chains->pool),
                     ocspx_cause_code(finding->cause), finding->message,
                     finding->remedy);
    }
    if (chains->checked)
        ap_log_error(APLOG_MARK,
                     counts[OCSPX_CAUSE_ERROR] || counts[OCSPX_CAUSE_WARNING]
                         ? APLOG_WARNING
                         : APLOG_INFO,
                     0, main_server,
                     "OCSPX0108: %u certificate chain%s checked, %u complete; "
                     "errors: %u, warnings: %u, notes: %u",
                     chains->checked, chains->checked == 1 ? "" : "s",
                     chains->complete, counts[OCSPX_CAUSE_ERROR],
                     counts[OCSPX_CAUSE_WARNING], counts[OCSPX_CAUSE_INFO]);
}

int ocspx_chains_refuse(const ocspx_chains_t *chains)
{
    int i;

    for (i = 0; i < chains->findings->nelts; i++)
        if (APR_ARRAY_IDX(chains->findings, i, ocspx_chains_finding_t *)
                ->required)
            return 1;
    return 0;
}
