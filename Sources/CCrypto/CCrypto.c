// The functions that replace these load providers and the system's configuration file on their
// first call, which costs more than a whole start of the program.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "CCrypto.h"
#include <openssl/sha.h>

void ccrypto_sha256(const uint8_t *bytes, size_t count, uint8_t *digest) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes, count);
  SHA256_Final(digest, &context);
}
