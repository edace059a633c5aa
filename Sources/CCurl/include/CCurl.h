#ifndef CCURL_H
#define CCURL_H
#include <curl/curl.h>

// libcurl's setters and getters are variadic, which Swift does not import. Each shim below fixes
// one argument type; the caller chooses the one that the option's documentation names.

typedef size_t (*rasa_curl_bytes_callback)(char *bytes, size_t size, size_t count, void *context);
typedef int (*rasa_curl_socket_callback)(
    CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context);
typedef int (*rasa_curl_prerequest_callback)(
    void *context, char *peer_address, char *own_address, int peer_port, int own_port);
typedef int (*rasa_curl_timer_callback)(CURLM *multi, long milliseconds, void *context);

typedef curl_socket_t (*rasa_curl_open_socket_callback)(
    void *context, curlsocktype purpose, struct curl_sockaddr *address);

static inline CURLcode rasa_curl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode rasa_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode rasa_curl_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode rasa_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode rasa_curl_set_bytes_callback(
    CURL *easy, CURLoption option, rasa_curl_bytes_callback callback) {
  return curl_easy_setopt(easy, option, callback);
}
static inline CURLcode rasa_curl_set_prerequest_callback(
    CURL *easy, rasa_curl_prerequest_callback callback) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
}
static inline CURLcode rasa_curl_set_open_socket_callback(
    CURL *easy, rasa_curl_open_socket_callback callback) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
}
static inline CURLcode rasa_curl_get_pointer(CURL *easy, CURLINFO info, void **value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode rasa_curl_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode rasa_curl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLMcode rasa_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode rasa_curl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
  return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode rasa_curl_multi_set_socket_callback(
    CURLM *multi, rasa_curl_socket_callback callback) {
  return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
}
static inline CURLMcode rasa_curl_multi_set_timer_callback(
    CURLM *multi, rasa_curl_timer_callback callback) {
  return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
}

/// The result of a message that says a transfer is done.
static inline CURLcode rasa_curl_message_result(const CURLMsg *message) {
  return message->data.result;
}

/// Where this libcurl looks for the CAs that it trusts; null where its builder named no place. `curl_version_info` says
/// it as well, and asks every library of libcurl for its version on the way.
static inline const char *rasa_curl_built_in(CURLINFO info) {
  char *path = NULL;
  CURL *easy = curl_easy_init();
  if (!easy) return NULL;
  curl_easy_getinfo(easy, info, &path);
  curl_easy_cleanup(easy);
  return path;
}
static inline const char *rasa_curl_ca_file(void) { return rasa_curl_built_in(CURLINFO_CAINFO); }
static inline const char *rasa_curl_ca_folder(void) { return rasa_curl_built_in(CURLINFO_CAPATH); }
#endif
