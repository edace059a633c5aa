#ifndef CMICROHTTP_H
#define CMICROHTTP_H
// microhttpd.h asks for these itself, but only where it is not told what the system has.
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <microhttpd.h>

// libmicrohttpd is loaded when the first server starts: it brings GnuTLS along, and most commands serve nothing.
// Its functions are called through these; some of them are variadic, which Swift does not import.

/// 0 once the library is there; -1 if it cannot be loaded, and why is in `rasa_mhd_problem`.
int rasa_mhd_load(void);
const char *rasa_mhd_problem(void);

typedef void *(*rasa_mhd_begin_callback)(void *context, const char *target, struct MHD_Connection *connection);

/// A daemon without a thread of its own, which takes over the listening socket; null on failure. `memory` is what a
/// connection may use for its headers and buffers. A certificate and its key in PEM, or null, have it encrypt.
struct MHD_Daemon *rasa_mhd_start(
    int listener, unsigned connections, unsigned per_address, size_t memory,
    const char *certificate, const char *key, MHD_AccessHandlerCallback handler,
    rasa_mhd_begin_callback begin, MHD_RequestCompletedCallback completed, MHD_NotifyConnectionCallback changed,
    void *context);
int rasa_mhd_epoll(struct MHD_Daemon *daemon);
void rasa_mhd_run(struct MHD_Daemon *daemon);
/// Milliseconds until it wants to run; -1 for when something arrives.
int64_t rasa_mhd_timeout(struct MHD_Daemon *daemon);
/// Takes the listening socket out and returns it.
int rasa_mhd_quiesce(struct MHD_Daemon *daemon);
void rasa_mhd_stop(struct MHD_Daemon *daemon);

void rasa_mhd_suspend(struct MHD_Connection *connection);
void rasa_mhd_resume(struct MHD_Connection *connection);
int rasa_mhd_socket(struct MHD_Connection *connection);
void *rasa_mhd_socket_context(struct MHD_Connection *connection);
void rasa_mhd_headers(struct MHD_Connection *connection, MHD_KeyValueIteratorN iterator, void *context);

struct MHD_Response *rasa_mhd_bytes_response(const void *bytes, size_t count);
/// `size` is MHD_SIZE_UNKNOWN where only the end of the bytes will tell.
struct MHD_Response *rasa_mhd_stream_response(
    uint64_t size, MHD_ContentReaderCallback reader, void *context, MHD_ContentReaderFreeCallback release);
int rasa_mhd_add_header(struct MHD_Response *response, const char *name, const char *value);
int rasa_mhd_queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response);
void rasa_mhd_destroy(struct MHD_Response *response);

// Swift gives the cases of these enumerations names by what they have in common.
static inline enum MHD_Result rasa_mhd_yes(void) { return MHD_YES; }
static inline enum MHD_Result rasa_mhd_no(void) { return MHD_NO; }
static inline int rasa_mhd_has_started(enum MHD_ConnectionNotificationCode code) {
  return code == MHD_CONNECTION_NOTIFY_STARTED;
}
static inline uint64_t rasa_mhd_unknown_size(void) { return MHD_SIZE_UNKNOWN; }
static inline ssize_t rasa_mhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t rasa_mhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }
#endif
