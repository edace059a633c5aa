#include "CMicroHTTP.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

// Each function of the library that is called, by its name.
#define FUNCTIONS(F)                                                                                        \
  F(MHD_start_daemon)                                                                                       \
  F(MHD_get_daemon_info)                                                                                    \
  F(MHD_run)                                                                                                \
  F(MHD_get_timeout)                                                                                        \
  F(MHD_quiesce_daemon)                                                                                     \
  F(MHD_stop_daemon)                                                                                        \
  F(MHD_suspend_connection)                                                                                 \
  F(MHD_resume_connection)                                                                                  \
  F(MHD_get_connection_info)                                                                                \
  F(MHD_get_connection_values_n)                                                                            \
  F(MHD_create_response_from_buffer)                                                                        \
  F(MHD_create_response_from_callback)                                                                      \
  F(MHD_add_response_header)                                                                                \
  F(MHD_queue_response)                                                                                     \
  F(MHD_destroy_response)

#define DECLARE(name) __typeof__(name) *name##_;
static struct {
  FUNCTIONS(DECLARE)
} library;

static char problem[512];
static int is_loaded;

static void load(void) {
  // Not closed: the functions are used for as long as the program runs.
  void *handle = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    snprintf(problem, sizeof problem, "%s", dlerror());
    return;
  }
#define FIND(name)                                                                                          \
  if (!(library.name##_ = (__typeof__(name) *)dlsym(handle, #name))) {                                      \
    snprintf(problem, sizeof problem, "libmicrohttpd has no %s", #name);                                    \
    return;                                                                                                 \
  }
  FUNCTIONS(FIND)
  is_loaded = 1;
}

int rasa_mhd_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return is_loaded ? 0 : -1;
}

const char *rasa_mhd_problem(void) { return problem; }

// The target is read by the server itself, with its %00 and all.
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
  (void)context, (void)connection;
  size_t length = 0;
  while (text[length]) length += 1;
  return length;
}

struct MHD_Daemon *rasa_mhd_start(
    int listener, unsigned connections, unsigned per_address, size_t memory,
    const char *certificate, const char *key, MHD_AccessHandlerCallback handler,
    rasa_mhd_begin_callback begin, MHD_RequestCompletedCallback completed, MHD_NotifyConnectionCallback changed,
    void *context) {
  const int encrypts = certificate && key;
  return library.MHD_start_daemon_(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (encrypts ? MHD_USE_TLS : 0), 0, NULL, NULL, handler, context,
      MHD_OPTION_LISTEN_SOCKET, listener,
      MHD_OPTION_CONNECTION_LIMIT, connections,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
      MHD_OPTION_CONNECTION_TIMEOUT, 0u,
      MHD_OPTION_STRICT_FOR_CLIENT, 1,
      MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
      MHD_OPTION_URI_LOG_CALLBACK, begin, context,
      MHD_OPTION_NOTIFY_COMPLETED, completed, context,
      MHD_OPTION_NOTIFY_CONNECTION, changed, context,
      // Without encryption the list ends here.
      encrypts ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, certificate,
      MHD_OPTION_HTTPS_MEM_KEY, key,
      MHD_OPTION_END);
}

int rasa_mhd_epoll(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = library.MHD_get_daemon_info_(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  return info ? info->epoll_fd : -1;
}

void rasa_mhd_run(struct MHD_Daemon *daemon) { library.MHD_run_(daemon); }

int64_t rasa_mhd_timeout(struct MHD_Daemon *daemon) {
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (library.MHD_get_timeout_(daemon, &milliseconds) == MHD_NO) return -1;
  return milliseconds > INT32_MAX ? INT32_MAX : (int64_t)milliseconds;
}

int rasa_mhd_quiesce(struct MHD_Daemon *daemon) { return library.MHD_quiesce_daemon_(daemon); }
void rasa_mhd_stop(struct MHD_Daemon *daemon) { library.MHD_stop_daemon_(daemon); }
void rasa_mhd_suspend(struct MHD_Connection *connection) { library.MHD_suspend_connection_(connection); }
void rasa_mhd_resume(struct MHD_Connection *connection) { library.MHD_resume_connection_(connection); }

int rasa_mhd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      library.MHD_get_connection_info_(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

void *rasa_mhd_socket_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      library.MHD_get_connection_info_(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

void rasa_mhd_headers(struct MHD_Connection *connection, MHD_KeyValueIteratorN iterator, void *context) {
  library.MHD_get_connection_values_n_(connection, MHD_HEADER_KIND, iterator, context);
}

struct MHD_Response *rasa_mhd_bytes_response(const void *bytes, size_t count) {
  return library.MHD_create_response_from_buffer_(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *rasa_mhd_stream_response(
    uint64_t size, MHD_ContentReaderCallback reader, void *context, MHD_ContentReaderFreeCallback release) {
  return library.MHD_create_response_from_callback_(size, 32 * 1024, reader, context, release);
}

int rasa_mhd_add_header(struct MHD_Response *response, const char *name, const char *value) {
  return library.MHD_add_response_header_(response, name, value) == MHD_YES;
}

int rasa_mhd_queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
  return library.MHD_queue_response_(connection, status, response) == MHD_YES;
}

void rasa_mhd_destroy(struct MHD_Response *response) { library.MHD_destroy_response_(response); }
