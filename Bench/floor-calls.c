// The floor for a whole persona: five model calls one after the other over one kept connection,
// bare libcurl, bodies read and thrown away.
//
//   floor-calls URL MODEL [--repeat R]
//
// One line a repetition: the nanoseconds that its five calls took.
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (unsigned long long)time.tv_sec * 1000000000ULL + (unsigned long long)time.tv_nsec;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes;
  (void)context;
  return size * count;
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: floor-calls URL MODEL [--repeat R]\n"), 2;
  long repeat = argc >= 5 && !strcmp(argv[3], "--repeat") ? strtol(argv[4], NULL, 10) : 1;
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
  for (long round = 0; round < repeat; round++) {
    unsigned long long start = now();
    for (int call = 0; call < 5; call++) {
      CURLcode code = curl_easy_perform(easy);
      if (code != CURLE_OK) return fprintf(stderr, "%s\n", curl_easy_strerror(code)), 1;
    }
    printf("%llu\n", now() - start);
  }
  curl_slist_free_all(headers);
  curl_easy_cleanup(easy);
  return 0;
}
