#ifndef CZLIB_H
#define CZLIB_H
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

// Initialising a stream is a macro. Both answer how many bytes they have written, or 0 when they do
// not fit or are not what they should be.

/// Raw deflate with no more memory than so short a text needs.
static inline size_t czlib_deflate(
    const uint8_t *_Nullable bytes, size_t count, uint8_t *_Nullable result, size_t room) {
  if (count == 0 || count > UINT32_MAX || room > UINT32_MAX) return 0;
  int window = 9;
  while (window < 15 && ((size_t)1 << window) < count) window++;
  z_stream stream = {
      .next_in = (Bytef *)bytes, .avail_in = (uInt)count, .next_out = result, .avail_out = (uInt)room};
  if (deflateInit2(&stream, 4, Z_DEFLATED, -window, window > 12 ? 8 : 5, Z_DEFAULT_STRATEGY) != Z_OK)
    return 0;
  int code = deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  return code == Z_STREAM_END ? stream.total_out : 0;
}

/// The whole of `count` bytes has to give the whole of `room` bytes.
static inline size_t czlib_inflate(
    const uint8_t *_Nullable bytes, size_t count, uint8_t *_Nullable result, size_t room) {
  if (count == 0 || count > UINT32_MAX || room > UINT32_MAX) return 0;
  z_stream stream = {
      .next_in = (Bytef *)bytes, .avail_in = (uInt)count, .next_out = result, .avail_out = (uInt)room};
  if (inflateInit2(&stream, -15) != Z_OK) return 0;
  int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return code == Z_STREAM_END && stream.avail_in == 0 ? stream.total_out : 0;
}
#endif
