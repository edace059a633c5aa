#ifndef CTESTTLS_H
#define CTESTTLS_H
#include <stddef.h>

// What tests of TLS need: a CA that nobody knows, certificates of it that are right or wrong in one
// way, and a server that ends TLS in front of a plain one. For tests only.

/// A key and its own certificate, which signs others.
typedef struct rasa_test_authority rasa_test_authority;
/// A certificate and its key, ready to be shown to clients.
typedef struct rasa_test_identity rasa_test_identity;

rasa_test_authority *rasa_test_authority_make(const char *name);
void rasa_test_authority_free(rasa_test_authority *authority);
/// Its certificate in PEM, or in DER; `length` bytes, to be freed by the caller.
char *rasa_test_authority_certificate(rasa_test_authority *authority, int is_der, size_t *length);

/// For a host as `IP:127.0.0.1` or `DNS:example.org`, valid from and to so many seconds from now. Signed
/// by itself without an authority.
rasa_test_identity *rasa_test_identity_make(
    rasa_test_authority *authority, const char *host, long from, long to);
void rasa_test_identity_free(rasa_test_identity *identity);

/// Carries bytes between a client and a server until one of them ends, or nothing has moved for so
/// many milliseconds. With an identity the client speaks TLS. 0 when TLS came about, or was not asked.
int rasa_test_relay(
    rasa_test_identity *identity, int client, int server, int patience_milliseconds);
#endif
