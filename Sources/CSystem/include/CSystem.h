#ifndef CSYSTEM_H
#define CSYSTEM_H
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/// The process's environment: `NAME=value` strings, ended by a null pointer.
char *const *rasa_environment(void);

/// Routes signals into a pipe: the handler writes a signal's number as one byte. The pipe is kept
/// for the life of the process: the handler may be about to write at any moment, so its number must never
/// be reused for another file. Returns 0, or EBUSY if there is a pipe already.
int rasa_signal_pipe_open(int write_end);
/// Stores the previous action for `rasa_signal_pipe_detach`. EALREADY if the signal is ignored, which it
/// then stays.
int rasa_signal_pipe_attach(int signal_number, struct sigaction *previous);
int rasa_signal_pipe_detach(int signal_number, const struct sigaction *previous);

/// Ignores a signal from now on, in this process.
int rasa_signal_ignore(int signal_number, struct sigaction *previous);

/// Writes as much as possible without waiting for a reader. -1 with errno set: EAGAIN if that is nothing,
/// EOPNOTSUPP if this descriptor has no non-blocking writes.
ssize_t rasa_write_now(int descriptor, const void *bytes, size_t count);

/// Opens /dev/null in the place of standard descriptors that are closed, so that no file or socket
/// is taken for one of them.
void rasa_fill_standard_descriptors(void);

/// Raises the soft limit of open files towards the hard one, to `most` at most, and returns how many
/// more can be opened.
uint64_t rasa_raise_open_files(uint64_t most);

/// Raises the soft limit of the address space to the hard one and returns it, in bytes; UINT64_MAX
/// if there is none.
uint64_t rasa_raise_address_space(void);

/// Opens a path from a folder with these flags. It never leads out of that folder, neither by `..`
/// nor by a link. -1 with errno set on failure: EXDEV if the path leads out.
int rasa_open_beneath(int folder, const char *path, int flags);

/// 1 if the descriptor is of a kernel file system (`/proc`, `/sys`), else 0.
int rasa_is_kernel_file(int descriptor);

/// A pipe that no child inherits, with a non-blocking write end. 0, or an error number.
int rasa_pipe(int *read_end, int *write_end);

/// The child starts without any descriptor from `first` on.
int rasa_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// The child starts in that folder.
int rasa_spawn_change_folder(posix_spawn_file_actions_t *actions, const char *folder);

/// The spawn flag that makes the child lead a session of its own.
short rasa_spawn_session_flag(void);

/// A program to start by `rasa_start_child`.
enum { rasa_most_child_descriptors = 16 };
struct rasa_child_limit {
  int resource;
  uint64_t most;
};
struct rasa_child {
  /// A path: nothing is looked up.
  const char *program;
  char *const *arguments;
  char *const *environment;
  /// NULL for that of this process.
  const char *folder;
  /// What becomes its descriptors 0, 1, 2, …; nothing else is inherited.
  const int *descriptors;
  int descriptor_count;
  const struct rasa_child_limit *limits;
  int limit_count;
  /// Whether it shares no keys of the kernel's keyrings with this process, and is ended before others when memory runs
  /// out.
  int is_confined;
};

/// Starts a program in a session of its own, with default signals. It is killed when the calling thread ends, so that
/// has to be one that lives as long as the process. 0, or an error number; `failed_at_folder` says what it is about.
int rasa_start_child(const struct rasa_child *child, pid_t *process, int *process_descriptor,
                     int *failed_at_folder);

/// Reaps a child: 0, or an error number; EAGAIN while it runs.
int rasa_wait_for_child(int process_descriptor, int *code, int *is_signal);

/// Makes thread heaps grow by megabytes. By default they grow a page at a time, and each step is a system call that
/// stalls every thread. Pages that are never written to cost address space, not memory.
void rasa_prepare_heaps(void);

/// Writes to a pipe. If it has no reader, fails with EPIPE and raises no signal.
ssize_t rasa_write_pipe(int descriptor, const void *bytes, size_t count);

/// A file in memory, at its beginning; -1 with errno set on failure.
int rasa_memory_file(const void *bytes, size_t count);

/// In a sandbox: listens on loopback, sends that socket over a descriptor, and becomes the program. The arguments are
/// the descriptor, the port, the most processes, the program and its arguments. Returns an exit code if it cannot.
int rasa_become_sandboxed(int count, char *const *arguments);

/// The descriptor that the other side has sent; -1 with errno set: EAGAIN if there is none yet, EPROTO if it sent
/// something else or is gone.
int rasa_receive_descriptor(int way);

/// A pair of connected sockets that no child inherits; the first one does not block. 0, or an error number.
int rasa_socket_pair(int *one, int *other);

/// Creates a pseudo-terminal of 24 rows and returns the non-blocking side of the program that plays the
/// person; `name` gets the path of the terminal itself. -1 with errno set on failure.
int rasa_open_terminal(int columns, char *name, size_t name_size);

/// Changes the width of such a terminal, and signals that to its programs.
int rasa_resize_terminal(int descriptor, int columns);

/// Columns of the terminal behind a descriptor; 0 if it is none or unknown.
int rasa_terminal_columns(int descriptor);

/// Converts text to UTF-8. The length, or -1 where the bytes are none of that charset or do not fit.
long rasa_decode(const char *charset, const uint8_t *bytes, size_t count, uint8_t *text, size_t capacity);
#endif
