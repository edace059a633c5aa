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
/// Its certificate in PEM or DER, of `length` bytes; the caller frees it.
char *rasa_test_authority_certificate(rasa_test_authority *authority, int is_der, size_t *length);

/// For a host as `IP:127.0.0.1` or `DNS:example.org`, valid from and to so many seconds from now.
/// Self-signed without an authority.
rasa_test_identity *rasa_test_identity_make(
    rasa_test_authority *authority, const char *host, long from, long to);
void rasa_test_identity_free(rasa_test_identity *identity);

/// Relays bytes between a client and a server until one of them closes, or nothing has arrived for so many
/// milliseconds. With an identity the client speaks TLS. -1 if the TLS handshake failed.
int rasa_test_relay(
    rasa_test_identity *identity, int client, int server, int patience_milliseconds);
#endif
