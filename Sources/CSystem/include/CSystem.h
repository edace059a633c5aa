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

/// Routes signals into a pipe: the handler writes a signal's number as one byte. One pipe for the
/// whole life of the process: the handler may be about to write at any moment, so that its number
/// must never become that of another file. Answers 0, or EBUSY when a pipe is in place.
int rasa_signal_pipe_open(int write_end);
/// Keeps what was in force before in `previous`, for `rasa_signal_pipe_detach`. EALREADY when the
/// signal is ignored: then it stays so.
int rasa_signal_pipe_attach(int signal_number, struct sigaction *previous);
int rasa_signal_pipe_detach(int signal_number, const struct sigaction *previous);

/// A signal that is ignored from now on, in this process.
int rasa_signal_ignore(int signal_number, struct sigaction *previous);

/// Writes what can be written without waiting for a reader. -1 with errno set: EAGAIN when that is
/// nothing now, EOPNOTSUPP when this descriptor cannot be asked so.
ssize_t rasa_write_now(int descriptor, const void *bytes, size_t count);

/// Opens /dev/null in the place of standard descriptors that are closed, so that no file or socket
/// is taken for one of them.
void rasa_fill_standard_descriptors(void);

/// Raises the soft limit of open files towards the hard one, to `most` at most, and answers how many
/// more can be opened.
uint64_t rasa_raise_open_files(uint64_t most);

/// Raises the soft limit of the address space to the hard one and answers it, in bytes; UINT64_MAX
/// when there is none.
uint64_t rasa_raise_address_space(void);

/// Opens a path from a folder with these flags. It never leads out of that folder, neither by `..`
/// nor by a link. -1 with errno set when it fails: EXDEV when the path leads out.
int rasa_open_beneath(int folder, const char *path, int flags);

/// 1 when a descriptor is of a file that the kernel makes up (`/proc`, `/sys`), else 0.
int rasa_is_kernel_file(int descriptor);

/// A pipe whose ends no child inherits, the write end non-blocking. 0, or an error number.
int rasa_pipe(int *read_end, int *write_end);

/// The child starts without any descriptor from `first` on.
int rasa_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// The child starts in that folder.
int rasa_spawn_change_folder(posix_spawn_file_actions_t *actions, const char *folder);

/// The spawn flag that makes the child lead a session of its own.
short rasa_spawn_session_flag(void);

/// Makes a pseudo-terminal of 24 rows and answers its side for a program that plays the person,
/// non-blocking; `name` gets the path of the terminal itself. -1 with errno set when it fails.
int rasa_open_terminal(int columns, char *name, size_t name_size);

/// Gives a terminal of that kind another width, of which its programs are told.
int rasa_resize_terminal(int descriptor, int columns);

/// Columns of the terminal behind a descriptor; 0 when it is none or does not say.
int rasa_terminal_columns(int descriptor);
#endif
