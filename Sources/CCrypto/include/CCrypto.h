#ifndef CCRYPTO_H
#define CCRYPTO_H
#include <stddef.h>
#include <stdint.h>

/// The SHA-256 of the bytes, into 32 bytes.
void ccrypto_sha256(const uint8_t *_Nullable bytes, size_t count, uint8_t *_Nonnull digest);

#endif
