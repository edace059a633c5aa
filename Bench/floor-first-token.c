// The floor for "process start to first streamed token": bare libcurl, no event loop, the least
// parsing that finds the text of each delta.
//
//   floor-first-token URL MODEL
//
// Writes each delta's text to standard output as it arrives.
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *pending;
static size_t pending_size, pending_capacity;

// Writes what stands between the quotes after "content": in each complete line.
static void take_line(const char *line, size_t length) {
  static const char key[] = "\"content\":\"";
  const char *found = memmem(line, length, key, sizeof key - 1);
  if (!found) return;
  const char *start = found + sizeof key - 1, *end = line + length, *stop = start;
  while (stop < end && *stop != '"') stop += *stop == '\\' ? 2 : 1;
  if (stop > start && stop <= end && write(1, start, (size_t)(stop - start)) < 0) exit(1);
}

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
  (void)context;
  size_t length = size * count;
  if (pending_size + length > pending_capacity) {
    pending_capacity = (pending_size + length) * 2;
    pending = realloc(pending, pending_capacity);
    if (!pending) return 0;
  }
  memcpy(pending + pending_size, bytes, length);
  pending_size += length;
  char *start = pending, *end = pending + pending_size, *newline;
  while ((newline = memchr(start, '\n', (size_t)(end - start)))) {
    take_line(start, (size_t)(newline - start));
    start = newline + 1;
  }
  pending_size = (size_t)(end - start);
  memmove(pending, start, pending_size);
  return length;
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: floor-first-token URL MODEL\n"), 2;
  char body[512];
  snprintf(body, sizeof body,
           "{\"model\":\"%s\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
           "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}",
           argv[2]);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL *easy = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
  CURLcode code = curl_easy_perform(easy);
  if (code != CURLE_OK) fprintf(stderr, "%s\n", curl_easy_strerror(code));
  curl_slist_free_all(headers);
  curl_easy_cleanup(easy);
  return code == CURLE_OK ? 0 : 1;
}
