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

/// Routes a signal into a pipe: the handler writes the signal's number as one byte. Only one pipe
/// at a time; answers 0, or an error number (EBUSY when somebody else's pipe is in place).
int rasa_signal_pipe_open(int write_end);
/// Keeps what was in force before in `previous`, for `rasa_signal_pipe_detach`.
int rasa_signal_pipe_attach(int signal_number, struct sigaction *previous);
int rasa_signal_pipe_detach(int signal_number, const struct sigaction *previous);
void rasa_signal_pipe_close(void);

/// A signal that is ignored from now on, in this process.
int rasa_signal_ignore(int signal_number, struct sigaction *previous);

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

/// Columns of the terminal behind a descriptor; 0 when it is none or does not say.
int rasa_terminal_columns(int descriptor);
#endif
