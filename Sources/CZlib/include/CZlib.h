#ifndef CZLIB_H
#define CZLIB_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

// Initialising a stream is a macro. Compressing and expanding answer how many bytes they have
// written, or 0 when they do not fit or are not what they should be.

// A stream for texts of that many bytes, with no more memory than they need.
static inline z_stream *_Nullable czlib_begin(size_t count) {
  int window = 9;
  while (window < 15 && ((size_t)1 << window) < count) window++;
  z_stream *stream = calloc(1, sizeof(z_stream));
  if (stream && deflateInit2(stream, 1, Z_DEFLATED, -window, window > 12 ? 8 : 5,
                             Z_DEFAULT_STRATEGY) != Z_OK) {
    free(stream);
    stream = 0;
  }
  return stream;
}

static inline void czlib_end(z_stream *_Nullable stream) {
  if (stream) deflateEnd(stream);
  free(stream);
}

// Raw deflate.
static inline size_t czlib_deflate(
    z_stream *_Nullable stream, const uint8_t *_Nullable bytes, size_t count,
    uint8_t *_Nullable result, size_t room) {
  if (!stream || count == 0 || count > UINT32_MAX || room > UINT32_MAX) return 0;
  if (deflateReset(stream) != Z_OK) return 0;
  stream->next_in = (Bytef *)bytes;
  stream->avail_in = (uInt)count;
  stream->next_out = result;
  stream->avail_out = (uInt)room;
  return deflate(stream, Z_FINISH) == Z_STREAM_END ? stream->total_out : 0;
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

// A zlib stream (RFC 1950), as far as its bytes and the room go. Answers how many bytes there are, 0
// when it is none, and one more than the room when there are more.
static inline size_t czlib_inflate_wrapped(
    const uint8_t *_Nullable bytes, size_t count, uint8_t *_Nullable result, size_t room) {
  if (count == 0 || count > UINT32_MAX || room > UINT32_MAX) return 0;
  z_stream stream = {
      .next_in = (Bytef *)bytes, .avail_in = (uInt)count, .next_out = result, .avail_out = (uInt)room};
  if (inflateInit2(&stream, 15) != Z_OK) return 0;
  int code = inflate(&stream, Z_SYNC_FLUSH);
  inflateEnd(&stream);
  if (code == Z_STREAM_END) return stream.total_out;
  if (stream.avail_out == 0) return room + 1;
  return 0;
}
#endif
