/* directives: the directive table. */
#ifndef OCSPX_DIRECTIVES_H
#define OCSPX_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

/* mod_ssl's own, read as they stand. */
#define OCSPX_DIR_SSL_USE_STAPLING "SSLUseStapling"
#define OCSPX_DIR_SSL_CACHE "SSLStaplingCache"
#define OCSPX_DIR_SSL_TIMEOUT "SSLStaplingResponderTimeout"
#define OCSPX_DIR_SSL_FORCE_URL "SSLStaplingForceURL"
#define OCSPX_DIR_SSL_SKEW "SSLStaplingResponseTimeSkew"
#define OCSPX_DIR_SSL_MAX_AGE "SSLStaplingResponseMaxAge"
#define OCSPX_DIR_SSL_STANDARD_TIMEOUT "SSLStaplingStandardCacheTimeout"
#define OCSPX_DIR_SSL_ERROR_TIMEOUT "SSLStaplingErrorCacheTimeout"
#define OCSPX_DIR_SSL_RETURN_ERRORS "SSLStaplingReturnResponderErrors"
#define OCSPX_DIR_SSL_FAKE_TRY_LATER "SSLStaplingFakeTryLater"
#define OCSPX_DIR_SSL_PROXY "SSLOCSPProxyURL"
#define OCSPX_DIR_SSL_ENGINE "SSLEngine"
#define OCSPX_DIR_SSL_CERT "SSLCertificateFile"
#define OCSPX_DIR_SSL_CHAIN "SSLCertificateChainFile"
#define OCSPX_DIR_SSL_CA_FILE "SSLCACertificateFile"
#define OCSPX_DIR_SSL_CA_PATH "SSLCACertificatePath"

/* Ours. */
#define OCSPX_DIR_USE_STAPLING "OCSPXUseStapling"
#define OCSPX_DIR_CACHE "OCSPXCache"
#define OCSPX_DIR_STATE_DIR "OCSPXStateDir"
#define OCSPX_DIR_STARTUP_WAIT "OCSPXStartupWait"
#define OCSPX_DIR_REFRESH_AT "OCSPXRefreshAt"
#define OCSPX_DIR_RETRY "OCSPXRetry"
#define OCSPX_DIR_MATURITY "OCSPXMaturity"
#define OCSPX_DIR_MAX_PARALLEL "OCSPXMaxParallel"
#define OCSPX_DIR_PROXY "OCSPXProxy"
#define OCSPX_DIR_METHOD "OCSPXMethod"
#define OCSPX_DIR_CERTID_HASH "OCSPXCertIDHash"
#define OCSPX_DIR_MAX_RESPONSE_SIZE "OCSPXMaxResponseSize"
#define OCSPX_DIR_RESPONSE_FILE "OCSPXResponseFile"
#define OCSPX_DIR_REVOKED "OCSPXRevoked"
#define OCSPX_DIR_CHAIN_CHECK "OCSPXChainCheck"
#define OCSPX_DIR_CHAIN_TRUST "OCSPXChainTrust"
#define OCSPX_DIR_CHAIN_REPAIR "OCSPXChainRepair"
#define OCSPX_DIR_NOTIFY "OCSPXNotify"
#define OCSPX_DIR_ENV_VARS "OCSPXEnvVars"
#define OCSPX_DIR_SHARE "OCSPXShare"

extern const command_rec ocspx_directives_table[];

#endif
