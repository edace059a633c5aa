#define _GNU_SOURCE
#include <iconv.h>
#include "CSystem.h"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>

char *const *rasa_environment(void) { return environ; }

void rasa_prepare_heaps(void) {
  mallopt(M_TOP_PAD, 2 << 20);
  // Any of these settings ends the adaptation of the others, so they are set to what it would come to.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 2 << 20);
}

static atomic_int signal_pipe = -1;

static void write_signal_number(int signal_number) {
  // The interrupted code may be about to read errno.
  int saved = errno;
  int write_end = atomic_load(&signal_pipe);
  if (write_end >= 0) {
    unsigned char byte = (unsigned char)signal_number;
    // A full pipe already holds more signals than anybody will handle.
    ssize_t ignored = write(write_end, &byte, 1);
    (void)ignored;
  }
  errno = saved;
}

int rasa_signal_pipe_open(int write_end) {
  int none = -1;
  return atomic_compare_exchange_strong(&signal_pipe, &none, write_end) ? 0 : EBUSY;
}

int rasa_signal_pipe_attach(int signal_number, struct sigaction *previous) {
  if (sigaction(signal_number, NULL, previous) != 0) return errno;
  // The parent, such as nohup, has decided that this signal is ignored.
  if (previous->sa_handler == SIG_IGN) return EALREADY;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = write_signal_number;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return sigaction(signal_number, &action, previous) == 0 ? 0 : errno;
}

int rasa_signal_pipe_detach(int signal_number, const struct sigaction *previous) {
  return sigaction(signal_number, previous, NULL) == 0 ? 0 : errno;
}

int rasa_signal_ignore(int signal_number, struct sigaction *previous) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  sigemptyset(&action.sa_mask);
  return sigaction(signal_number, &action, previous) == 0 ? 0 : errno;
}

ssize_t rasa_write_now(int descriptor, const void *bytes, size_t count) {
  struct iovec piece = {.iov_base = (void *)bytes, .iov_len = count};
  return pwritev2(descriptor, &piece, 1, -1, RWF_NOWAIT);
}

void rasa_fill_standard_descriptors(void) {
  for (int number = 0; number < 3; number++) {
    if (fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // This is the lowest free number. No O_CLOEXEC: children need it, too.
    int opened = open("/dev/null", number == 0 ? O_RDONLY : O_WRONLY);
    if (opened > number) close(opened);
  }
}

static uint64_t raised_limit(int resource, rlim_t most) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return UINT64_MAX;
  rlim_t wanted = limit.rlim_max < most ? limit.rlim_max : most;
  if (limit.rlim_cur < wanted) {
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = wanted;
    if (setrlimit(resource, &limit) != 0) limit.rlim_cur = before;
  }
  return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

uint64_t rasa_raise_open_files(uint64_t most) {
  uint64_t limit = raised_limit(RLIMIT_NOFILE, most);
  int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (lowest < 0) return errno == EMFILE || errno == EINVAL ? 0 : limit;
  close(lowest);
  return limit > (uint64_t)lowest ? limit - (uint64_t)lowest : 0;
}

uint64_t rasa_raise_address_space(void) { return raised_limit(RLIMIT_AS, RLIM_INFINITY); }

int rasa_terminal_columns(int descriptor) {
  struct winsize size;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int rasa_open_beneath(int folder, const char *path, int flags) {
  struct open_how how;
  memset(&how, 0, sizeof how);
  how.flags = (unsigned)flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

int rasa_is_kernel_file(int descriptor) {
  struct statfs system;
  if (fstatfs(descriptor, &system) != 0) return 0;
  switch ((unsigned long)system.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC: return 1;
    default: return 0;
  }
}

int rasa_pipe(int *read_end, int *write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  if (fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
    int code = errno;
    close(ends[0]);
    close(ends[1]);
    return code;
  }
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

int rasa_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int rasa_spawn_change_folder(posix_spawn_file_actions_t *actions, const char *folder) {
  return posix_spawn_file_actions_addchdir_np(actions, folder);
}

short rasa_spawn_session_flag(void) { return POSIX_SPAWN_SETSID; }

int rasa_resize_terminal(int descriptor, int columns) {
  struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
  return ioctl(descriptor, TIOCSWINSZ, &size);
}

int rasa_open_terminal(int columns, char *name, size_t name_size) {
  int person = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (person < 0) return -1;
  struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
  if (grantpt(person) != 0 || unlockpt(person) != 0 || ioctl(person, TIOCSWINSZ, &size) != 0 ||
      ptsname_r(person, name, name_size) != 0) {
    close(person);
    return -1;
  }
  return person;
}

long rasa_decode(const char *charset, const uint8_t *bytes, size_t count, uint8_t *text, size_t capacity) {
  iconv_t converter = iconv_open("UTF-8", charset);
  if (converter == (iconv_t)-1) return -1;
  char *in = (char *)bytes, *out = (char *)text;
  size_t left = count, room = capacity;
  int failed = iconv(converter, &in, &left, &out, &room) == (size_t)-1 || iconv(converter, NULL, NULL, &out, &room) == (size_t)-1;
  iconv_close(converter);
  return failed || left > 0 ? -1 : (long)(capacity - room);
}
