/* cause: the table of causes, in words for the administrator of an httpd. */
#include "cause.h"

typedef struct {
    const char *code;
    ocspx_cause_severity_e severity;
    const char *line;
    const char *remedy;
} cause_t;

/* Stringifying the enum's own name keeps code and value from drifting apart. */
#define CAUSE(name, severity, line, remedy)                                    \
    [OCSPX_CAUSE_##name] = {#name, OCSPX_CAUSE_##severity, line, remedy}

/* clang-format off */
static const cause_t causes[OCSPX_CAUSE_COUNT] = {
    CAUSE(NONE, INFO,
        "Nothing is wrong",
        "There is nothing to do."),

    CAUSE(SERVER_CLOCK, ERROR,
        "The clock of this server and that of the responder disagree",
        "Compare this server's clock with a time server (timedatectl, "
        "chronyc tracking) and set it right; if it is right, the responder's "
        "is wrong, which its operator must correct."),
    CAUSE(FUTURE, ERROR,
        "The response is valid only from a time that has not come yet",
        "Check that this server's clock is not slow; if it is right, the "
        "responder dates its responses ahead, which its operator must correct "
        "(SSLStaplingResponseTimeSkew tolerates more)."),
    CAUSE(STALE, WARNING,
        "The response is too old to be used",
        "Check that this server's clock is not fast; if it is right, the "
        "responder, or whoever keeps the file of OCSPXResponseFile fresh, "
        "hands out old responses: retries go on by themselves, tell the CA if "
        "it lasts (SSLStaplingResponseMaxAge also sets a limit)."),

    CAUSE(DNS, ERROR,
        "The name of the host to be asked could not be resolved",
        "Look the name in the message up on this server (getent hosts NAME) "
        "and repair its DNS, or name a proxy that resolves it by OCSPXProxy; "
        "if nobody knows the name, the CA has to say where its responder is "
        "(SSLStaplingForceURL)."),
    CAUSE(CONNECT_REFUSED, ERROR,
        "The host to be asked refuses connections",
        "Allow outgoing TCP to the host and port named in the message if a "
        "firewall rejects it; otherwise what should listen there (the proxy, "
        "where one is named) is down, and retries go on by themselves."),
    CAUSE(CONNECT_TIMEOUT, ERROR,
        "No connection to the host to be asked came about in time",
        "Open outgoing TCP to the host and port named in the message (to the "
        "proxy, where one is named), or name a proxy by OCSPXProxy; if other "
        "machines do not reach it either, it is down, and retries go on by "
        "themselves."),
    CAUSE(EGRESS_BLOCKED, ERROR,
        "No responder can be reached: this server's way out seems closed",
        "Open outgoing TCP, and DNS, to the hosts and ports named in the "
        "message (to the proxy, where there is one), or name a proxy by "
        "OCSPXProxy; with no way out at all, use OCSPXResponseFile."),
    CAUSE(PROXY_DENIED, ERROR,
        "The proxy does not pass the request on",
        "Allow the host named in the message in the proxy's rules, or correct "
        "the proxy and its credentials in OCSPXProxy (or SSLOCSPProxyURL)."),
    CAUSE(INTERCEPTED, ERROR,
        "Something between this server and the host to be asked answered in "
        "its place",
        "See who answers (curl -v URL), and exempt the host named in the "
        "message from the portal or filtering proxy on the way, or name "
        "another way out by OCSPXProxy; if it is that host itself, the URL is "
        "wrong, or its operator must mend it."),

    CAUSE(BAD_SIGNATURE, ERROR,
        "The signature of the response is wrong",
        "The response was damaged or forged: check what proxies stand "
        "between this server and the responder, and tell the CA if the "
        "responder itself sends it."),
    CAUSE(SIGNER_UNKNOWN, ERROR,
        "The response is signed by somebody this certificate's issuer has not "
        "appointed",
        "Check that the chain configured for this certificate holds the "
        "intermediate that issued it, and that SSLStaplingForceURL and "
        "OCSPXResponseFile, where set, are meant for its CA; if all is right, "
        "tell the CA."),
    CAUSE(SIGNER_EXPIRED, ERROR,
        "The certificate of the response's signer is not valid now",
        "Check this server's clock; if it is right, only the CA can renew the "
        "signer named in the message."),
    CAUSE(SIGNER_NO_EKU, ERROR,
        "The certificate of the response's signer does not permit the signing "
        "of OCSP responses",
        "Check that SSLStaplingForceURL, where set, names the responder of "
        "this CA; if so, tell the CA that the signer named in the message "
        "lacks the extended key usage OCSPSigning."),
    CAUSE(SIGNER_EXPIRES_EARLY, INFO,
        "The signer's certificate expires before the response does",
        "Nothing to do as long as refreshing works: the response is used "
        "only until its signer expires."),

    CAUSE(NO_URL, INFO,
        "The certificate names no OCSP responder",
        "Nothing to do if its CA offers no OCSP (some offer only CRLs); "
        "otherwise name the responder by SSLStaplingForceURL."),
    CAUSE(BAD_URL, WARNING,
        "A URL to be asked cannot be used",
        "Name the responder's http URL by SSLStaplingForceURL, and have the "
        "certificate issued anew with a correct one; where it is the address "
        "of the intermediate, append that to the file of SSLCertificateFile "
        "by hand."),
    CAUSE(MUST_STAPLE_OFF, ERROR,
        "The certificate demands stapling, but stapling is off",
        "Set OCSPXUseStapling on for this virtual host, or use a certificate "
        "without the must-staple extension."),
    CAUSE(WRONG_CERT, ERROR,
        "The response is about other certificates, not this one",
        "Check that SSLStaplingForceURL and OCSPXResponseFile are meant for "
        "this certificate, and that the chain holds its issuer; if all is "
        "right, tell the CA."),
    CAUSE(STORE_UNWRITABLE, WARNING,
        "Responses cannot be kept on disk and will not survive a restart",
        "Make the directory named in the message a directory of mode 0700 "
        "that belongs to httpd's User and has space left, or name another by "
        "OCSPXStateDir."),
    CAUSE(SHARE_DOWN, WARNING,
        "The store that servers share their responses in cannot be used",
        "See that the store named in the message runs, can be reached from "
        "this server and has room left (OCSPXShare); it is used again by "
        "itself once it works."),
    CAUSE(SHARE_BAD, WARNING,
        "The store that servers share their responses in holds something "
        "wrong",
        "See who else writes into the store named in the message; what is "
        "wrong there does no harm but more requests, and is replaced."),
    CAUSE(FILE_UNREADABLE, ERROR,
        "The response file cannot be read",
        "See that the file named in the message (OCSPXResponseFile) exists, "
        "is a regular file, can be read by httpd's User, and is not larger "
        "than OCSPXMaxResponseSize."),
    CAUSE(CACHE_FULL, ERROR,
        "The shared memory cannot hold the responses of all certificates",
        "Set OCSPXCache to at least the size named in the message, where it "
        "names one, and restart httpd."),
    CAUSE(SERVER_LIMITS, ERROR,
        "This server's processes have no descriptor or memory left for it",
        "Raise the limit named in the message (LimitNOFILE= or MemoryMax= of "
        "the service, ulimit), or let fewer clients in (MaxRequestWorkers); "
        "retries go on by themselves."),
    CAUSE(OTHER_PROVIDER, INFO,
        "Another module staples this certificate",
        "Nothing to do if that is intended; otherwise switch the other "
        "module's stapling off (mod_md: MDStapling off; mod_ssl: "
        "OCSPXUseStapling on)."),
    CAUSE(STAPLE_MISSING, WARNING,
        "No staple is sent with a certificate that can have one",
        "On an httpd, load mod_ocspx and see what its log says of this "
        "certificate; other servers have to be told to staple "
        "(ssl_stapling on for nginx)."),
    CAUSE(HANDSHAKE_FAILED, ERROR,
        "The server does not complete a TLS handshake",
        "Check that this is a port for TLS, and see in the server's error log "
        "why it ends the handshake."),

    CAUSE(CHAIN_MISSING, ERROR,
        "The chain sent to clients lacks an intermediate certificate",
        "Append the CA's intermediate certificate to the file named by "
        "SSLCertificateFile, or let OCSPXChainRepair do it; if the issuer is "
        "the root of a private CA, name it by OCSPXChainTrust."),
    CAUSE(CHAIN_ORDER, WARNING,
        "The certificates of the chain are in the wrong order",
        "Sort the file: first the server's own certificate, then the one that "
        "signed it, and so on upwards."),
    CAUSE(CHAIN_EXTRA, WARNING,
        "A certificate is sent that does not belong to the chain",
        "Take the certificate named in the message out of the file: it only "
        "makes handshakes longer, and confuses some clients."),
    CAUSE(CHAIN_ROOT, INFO,
        "The root certificate is sent, which clients have to know anyway",
        "Nothing has to be done; without the root in the file handshakes get "
        "shorter."),
    CAUSE(CHAIN_PRIVATE, INFO,
        "The chain ends at a root that this server does not know",
        "Nothing to do if it is your own CA and its clients know the root; "
        "OCSPXChainTrust then lets this check see to the end of the chain."),
    CAUSE(CHAIN_EXPIRED, ERROR,
        "A certificate of the chain is not valid now, or not for long",
        "Renew the certificate named in the message, or take the CA's current "
        "one; if its dates look right, check this server's clock."),
    CAUSE(CHAIN_WRONG_KEY, ERROR,
        "An intermediate certificate bears the right name but another key",
        "Replace it by the CA's certificate that really signed the one below "
        "it: CAs use several of the same name, one after the other."),
    CAUSE(CHAIN_NOT_CA, ERROR,
        "A certificate of the chain was not entitled to sign the one below it",
        "Clients refuse this chain: take the right intermediate from the CA, "
        "or have it correct its CA certificates."),
    CAUSE(CHAIN_NOT_SERVER, ERROR,
        "The certificate is not meant for TLS servers",
        "Clients refuse it: use a certificate whose key usage allows "
        "serverAuth."),
    CAUSE(CHAIN_WEAK, ERROR,
        "A certificate of the chain has a signature or key that is too weak",
        "Clients refuse it: have it issued anew with SHA-256 or better and a "
        "key of at least 2048 bits (RSA) or 256 bits (ECDSA)."),
    CAUSE(CHAIN_SELF_SIGNED, WARNING,
        "The certificate is signed by itself, not by a CA",
        "Get a certificate from a CA; for tests only, have the clients trust "
        "this one."),
    CAUSE(CHAIN_NAME, WARNING,
        "The certificate does not cover a name of the virtual host",
        "Have the certificate issued with the name in the message, or take "
        "the name out of ServerName and ServerAlias."),
    CAUSE(CHAIN_REFUSED, ERROR,
        "Clients refuse the chain",
        "See the message, in OpenSSL's words, and take certificate and chain "
        "from the CA anew."),
    CAUSE(CHAIN_NOT_CERT, ERROR,
        "What the CA's address for its certificate gives is no certificate",
        "Get the intermediate from the CA's web site and append it to the "
        "file named by SSLCertificateFile."),

    CAUSE(RESP_HTTP, WARNING,
        "The host asked answered with an HTTP error, or broke off",
        "See the message: retries go on by themselves; if it lasts, check the "
        "URL (curl -v URL), and for a responder try another request form by "
        "OCSPXMethod or OCSPXCertIDHash."),
    CAUSE(RESP_TIMEOUT, WARNING,
        "The host asked took the connection but did not answer in time",
        "Retries go on by themselves; if it lasts and other machines get an "
        "answer, raise SSLStaplingResponderTimeout or check the proxy on the "
        "way."),
    CAUSE(RESP_TRYLATER, WARNING,
        "The responder is busy and asks to try again later",
        "Nothing to do, retries go on by themselves; tell the CA if it "
        "lasts."),
    CAUSE(RESP_INTERNAL, WARNING,
        "The responder reports an internal error",
        "Retries go on by themselves; if it lasts, set OCSPXCertIDHash back "
        "to sha1 where it is sha256, otherwise tell the CA."),
    CAUSE(RESP_UNAUTHORIZED, WARNING,
        "The responder says it does not answer for this certificate",
        "Normal for some minutes after issue; if it lasts, check that "
        "SSLStaplingForceURL, where set, and the issuer in the chain are this "
        "certificate's, that it has not expired, and that OCSPXCertIDHash is "
        "sha1."),
    CAUSE(RESP_NOT_OCSP, ERROR,
        "What arrived is not an OCSP response that a client could use",
        "See who answers at the URL (curl -v URL): a wrong URL, a portal, or "
        "a proxy that rewrites answers; if it is the responder itself, tell "
        "the CA. The file of OCSPXResponseFile, where set, has to be one "
        "response in DER."),
    CAUSE(RESP_TOO_LARGE, ERROR,
        "The answer is larger than allowed",
        "Check that the URL is right; if it is, raise OCSPXMaxResponseSize "
        "where it is set, or tell the CA: TLS 1.3 has no room for more than "
        "64 KB."),

    CAUSE(UNKNOWN, ERROR,
        "The responder does not know this certificate",
        "Normal for some minutes after issue; if it lasts, check that "
        "SSLStaplingForceURL, where set, and the issuer in the chain are this "
        "certificate's, then tell the CA."),
    CAUSE(REVOKED, ERROR,
        "The certificate has been revoked",
        "Have a new certificate with a new key issued and install it."),
};
/* clang-format on */

static const cause_t *entry(ocspx_cause_e cause)
{
    unsigned i = (unsigned)cause;

    return &causes[i < OCSPX_CAUSE_COUNT ? i : OCSPX_CAUSE_NONE];
}

const char *ocspx_cause_code(ocspx_cause_e cause)
{
    return entry(cause)->code;
}

const char *ocspx_cause_line(ocspx_cause_e cause)
{
    return entry(cause)->line;
}

const char *ocspx_cause_remedy(ocspx_cause_e cause)
{
    return entry(cause)->remedy;
}

ocspx_cause_severity_e ocspx_cause_severity(ocspx_cause_e cause)
{
    return entry(cause)->severity;
}

const char *ocspx_cause_severity_name(ocspx_cause_severity_e severity)
{
    static const char *const names[] = {
        [OCSPX_CAUSE_INFO] = "info",
        [OCSPX_CAUSE_WARNING] = "warning",
        [OCSPX_CAUSE_ERROR] = "error",
    };

    return names[severity];
}

/* The enum is in the order of the groups. */
ocspx_cause_group_e ocspx_cause_group(ocspx_cause_e cause)
{
    static const struct {
        ocspx_cause_e last;
        ocspx_cause_group_e group;
    } groups[] = {
        {OCSPX_CAUSE_NONE, OCSPX_CAUSE_GROUP_OK},
        {OCSPX_CAUSE_STALE, OCSPX_CAUSE_GROUP_CLOCK},
        {OCSPX_CAUSE_INTERCEPTED, OCSPX_CAUSE_GROUP_EGRESS},
        {OCSPX_CAUSE_SIGNER_NO_EKU, OCSPX_CAUSE_GROUP_SIGNER},
        {OCSPX_CAUSE_SIGNER_EXPIRES_EARLY, OCSPX_CAUSE_GROUP_OK},
        {OCSPX_CAUSE_HANDSHAKE_FAILED, OCSPX_CAUSE_GROUP_CONFIGURATION},
        {OCSPX_CAUSE_CHAIN_NOT_CERT, OCSPX_CAUSE_GROUP_CHAIN},
        {OCSPX_CAUSE_RESP_TOO_LARGE, OCSPX_CAUSE_GROUP_RESPONDER},
        {OCSPX_CAUSE_UNKNOWN, OCSPX_CAUSE_GROUP_STATUS},
        {OCSPX_CAUSE_COUNT, OCSPX_CAUSE_GROUP_OK},
    };
    unsigned i = 0;

    while (i < sizeof(groups) / sizeof(groups[0]) - 1 && cause > groups[i].last)
        i++;
    return groups[i].group;
}

const char *ocspx_cause_group_name(ocspx_cause_group_e group)
{
    static const char *const names[OCSPX_CAUSE_GROUP_COUNT] = {
        [OCSPX_CAUSE_GROUP_OK] = "ok",
        [OCSPX_CAUSE_GROUP_CLOCK] = "clock",
        [OCSPX_CAUSE_GROUP_EGRESS] = "egress",
        [OCSPX_CAUSE_GROUP_SIGNER] = "signer",
        [OCSPX_CAUSE_GROUP_CONFIGURATION] = "configuration",
        [OCSPX_CAUSE_GROUP_CHAIN] = "chain",
        [OCSPX_CAUSE_GROUP_RESPONDER] = "responder",
        [OCSPX_CAUSE_GROUP_STATUS] = "status",
    };

    return names[group];
}
