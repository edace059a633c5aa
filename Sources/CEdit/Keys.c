#define _GNU_SOURCE
#include "Keys.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 4096
#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"
#define MARK_LENGTH 6
// More than a person types between two reads.
#define BURST 64
// How long a terminal may take between two pieces of one paste, in milliseconds.
#define QUIET 40
// The rest of a longer paste is read and dropped.
#define LONGEST_BURST (1 << 26)

struct rasa_keys {
  int input;
  int wake;
  bool gathers;
  bool in_paste;
  // Read and not used yet: bytes[used..<count].
  unsigned char *bytes;
  size_t used;
  size_t count;
  size_t capacity;
};

rasa_keys *rasa_keys_open(int input, int wake) {
  rasa_keys *keys = calloc(1, sizeof *keys);
  if (keys == NULL) return NULL;
  keys->input = input;
  keys->wake = wake;
  keys->capacity = 2 * CHUNK;
  keys->bytes = malloc(keys->capacity);
  if (keys->bytes == NULL) {
    free(keys);
    return NULL;
  }
  return keys;
}

void rasa_keys_close(rasa_keys *keys) {
  free(keys->bytes);
  free(keys);
}

void rasa_keys_gather(rasa_keys *keys, int gathers) { keys->gathers = gathers != 0; }
void rasa_keys_begin_paste(rasa_keys *keys) { keys->in_paste = true; }
void rasa_keys_end_paste(rasa_keys *keys) { keys->in_paste = false; }
void rasa_keys_discard(rasa_keys *keys) { keys->used = keys->count = 0; }

/// 1 if there is something to read, 0 on timeout, or the reason why there is no more.
static int wait_for_keys(rasa_keys *keys, int milliseconds) {
  for (;;) {
    struct pollfd wanted[2] = {{keys->input, POLLIN, 0}, {keys->wake, POLLIN, 0}};
    int ready = poll(wanted, keys->wake < 0 ? 1 : 2, milliseconds);
    if (ready == 0) return 0;
    if (ready < 0) {
      if (errno == EINTR) continue;
      return RASA_KEYS_END;
    }
    if (wanted[1].revents != 0) return RASA_KEYS_WOKEN;
    return 1;
  }
}

/// Reads what the terminal has; returns the number of bytes, or the reason why there are none.
static int read_more(rasa_keys *keys, size_t most) {
  if (keys->count + most > keys->capacity) {
    size_t capacity = keys->capacity * 2;
    unsigned char *larger = realloc(keys->bytes, capacity);
    if (larger == NULL) return RASA_KEYS_END;
    keys->bytes = larger;
    keys->capacity = capacity;
  }
  for (;;) {
    ssize_t got = read(keys->input, keys->bytes + keys->count, most);
    if (got > 0) {
      keys->count += (size_t)got;
      return (int)got;
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
      int ready = wait_for_keys(keys, -1);
      if (ready < 0) return ready;
      continue;
    }
    return RASA_KEYS_END;
  }
}

static bool is_break(unsigned char byte) { return byte == '\r' || byte == '\n'; }

static size_t breaks(const rasa_keys *keys) {
  size_t count = 0;
  for (size_t i = 0; i < keys->count; i++) count += is_break(keys->bytes[i]);
  return count;
}

/// Marks pasted text for a terminal that does not. One line that ends with
/// the return key keeps that as a key: a program that types does so.
static void mark_burst(rasa_keys *keys) {
  if (keys->bytes == NULL || memchr(keys->bytes, '\033', keys->count) != NULL) return;
  bool ended = is_break(keys->bytes[keys->count - 1]);
  size_t lines = breaks(keys);
  if (keys->count <= BURST && lines <= (ended ? 1 : 0)) return;
  size_t length = keys->count - (ended && lines == 1 ? 1 : 0);
  unsigned char *marked = malloc(keys->count + 2 * MARK_LENGTH + CHUNK);
  if (marked == NULL) return;
  memcpy(marked, PASTE_BEGIN, MARK_LENGTH);
  memcpy(marked + MARK_LENGTH, keys->bytes, length);
  memcpy(marked + MARK_LENGTH + length, PASTE_END, MARK_LENGTH);
  size_t rest = keys->count - length;
  memcpy(marked + 2 * MARK_LENGTH + length, keys->bytes + length, rest);
  keys->capacity = keys->count + 2 * MARK_LENGTH + CHUNK;
  free(keys->bytes);
  keys->bytes = marked;
  keys->count = 2 * MARK_LENGTH + length + rest;
}

static int fill(rasa_keys *keys) {
  keys->used = keys->count = 0;
  int ready = wait_for_keys(keys, -1);
  if (ready < 0) return ready;
  // Where a line may be followed by other lines for others, nothing is taken before it is wanted.
  if (!keys->gathers && !keys->in_paste) return read_more(keys, 1);
  int got = read_more(keys, CHUNK);
  if (got < 0 || keys->in_paste) return got;
  while (keys->count > BURST || breaks(keys) > 0) {
    if (memchr(keys->bytes, '\033', keys->count) != NULL) break;
    ready = wait_for_keys(keys, QUIET);
    if (ready < 0) return ready;
    if (ready == 0) break;
    got = read_more(keys, CHUNK);
    // The end is reported again once the bytes before it have been used.
    if (got == RASA_KEYS_END) break;
    if (got < 0) return got;
    if (keys->count > LONGEST_BURST) keys->count -= (size_t)got;
  }
  mark_burst(keys);
  return 1;
}

static int next_byte(rasa_keys *keys) {
  if (keys->used == keys->count) {
    int got = fill(keys);
    if (got < 0) return got;
  }
  return keys->bytes[keys->used++];
}

int rasa_keys_next(rasa_keys *keys) {
  int first = next_byte(keys);
  if (first < 0x80) return first;
  int length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first >= 0xF5) return 0xFFFD;
  int scalar = first & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F);
  for (int i = 1; i < length; i++) {
    int next = next_byte(keys);
    if (next < 0) return next;
    if ((next & 0xC0) != 0x80) {
      keys->used--;
      return 0xFFFD;
    }
    scalar = scalar << 6 | (next & 0x3F);
  }
  bool is_scalar = scalar <= 0x10FFFF && (scalar < 0xD800 || scalar > 0xDFFF);
  bool is_shortest = scalar >= (length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80);
  return is_scalar && is_shortest ? scalar : 0xFFFD;
}
