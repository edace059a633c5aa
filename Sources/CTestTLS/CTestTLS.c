#include "CTestTLS.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct rasa_test_authority {
  EVP_PKEY *key;
  X509 *certificate;
};

struct rasa_test_identity {
  SSL_CTX *context;
};

static int add_extension(X509 *certificate, X509 *issuer, int name, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, name, value);
  if (!extension) return 0;
  int done = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return done;
}

static X509 *certificate_of(EVP_PKEY *key, const char *name, long from, long to) {
  static _Atomic long serial = 1;
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), to);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
      0);
  return certificate;
}

rasa_test_authority *rasa_test_authority_make(const char *name) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  if (!key) return NULL;
  X509 *certificate = certificate_of(key, name, -86400, 86400);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  X509_sign(certificate, key, EVP_sha256());
  rasa_test_authority *authority = malloc(sizeof *authority);
  authority->key = key;
  authority->certificate = certificate;
  return authority;
}

void rasa_test_authority_free(rasa_test_authority *authority) {
  X509_free(authority->certificate);
  EVP_PKEY_free(authority->key);
  free(authority);
}

char *rasa_test_authority_certificate(
    rasa_test_authority *authority, int is_der, size_t *length) {
  BIO *memory = BIO_new(BIO_s_mem());
  if (is_der) i2d_X509_bio(memory, authority->certificate);
  else PEM_write_bio_X509(memory, authority->certificate);
  char *bytes = NULL;
  long count = BIO_get_mem_data(memory, &bytes);
  char *copy = malloc((size_t)count);
  memcpy(copy, bytes, (size_t)count);
  *length = (size_t)count;
  BIO_free(memory);
  return copy;
}

rasa_test_identity *rasa_test_identity_make(
    rasa_test_authority *authority, const char *host, long from, long to) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  if (!key) return NULL;
  X509 *certificate = certificate_of(key, "rasa test server", from, to);
  X509 *issuer = authority ? authority->certificate : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  add_extension(certificate, issuer, NID_subject_alt_name, host);
  add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth");
  X509_sign(certificate, authority ? authority->key : key, EVP_sha256());
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  rasa_test_identity *identity = malloc(sizeof *identity);
  identity->context = context;
  return identity;
}

void rasa_test_identity_free(rasa_test_identity *identity) {
  SSL_CTX_free(identity->context);
  free(identity);
}

static int send_all(SSL *tls, int socket, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = tls ? SSL_write(tls, bytes, (int)count) : send(socket, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    bytes += sent;
    count -= (size_t)sent;
  }
  return 1;
}

static void carry(SSL *tls, int client, int server, int patience) {
  char buffer[16384];
  while (1) {
    struct pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    int pending = tls && SSL_pending(tls) > 0;
    int ready = poll(ends, 2, pending ? 0 : patience);
    if (ready < 0 || (ready == 0 && !pending)) return;
    if (pending || ends[0].revents) {
      ssize_t count = tls ? SSL_read(tls, buffer, sizeof buffer)
                          : recv(client, buffer, sizeof buffer, 0);
      if (count <= 0 || !send_all(NULL, server, buffer, (size_t)count)) return;
    }
    if (ends[1].revents) {
      ssize_t count = recv(server, buffer, sizeof buffer, 0);
      if (count <= 0 || !send_all(tls, client, buffer, (size_t)count)) return;
    }
  }
}

int rasa_test_relay(rasa_test_identity *identity, int client, int server, int patience) {
  SSL *tls = NULL;
  if (identity) {
    struct timeval limit = {patience / 1000, 0};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    tls = SSL_new(identity->context);
    SSL_set_fd(tls, client);
    if (SSL_accept(tls) != 1) {
      SSL_free(tls);
      ERR_clear_error();
      return -1;
    }
  }
  carry(tls, client, server, patience);
  if (tls) {
    SSL_shutdown(tls);
    SSL_free(tls);
    ERR_clear_error();
  }
  return 0;
}
