/* pki_private: what the two halves of pki share.
 *
 *   pki.c           certificates
 *   pki_response.c  OCSP responses
 */
#ifndef OCSPX_TEST_PKI_PRIVATE_H
#define OCSPX_TEST_PKI_PRIVATE_H

#include "pki.h"

/** Unless @a ok, say what failed and abort. */
void pki_must(int ok, const char *what);

#endif
