#define _GNU_SOURCE
#include "CSystem.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { child_stack_size = 64 * 1024, most_signals = 64 };

struct child_start {
  const struct rasa_child *child;
  pid_t parent;
  // Written by the child, which shares this memory until it is the program.
  volatile int error;
  volatile int failed_at_folder;
};

static int fail(struct child_start *start) {
  start->error = errno != 0 ? errno : EINVAL;
  return 127;
}

static int close_all_from(int first) {
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0) return 0;
  // Kernels and containers without it: as many numbers as there can be.
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  rlim_t most = limit.rlim_cur < 1048576 ? limit.rlim_cur : 1048576;
  for (int number = first; (rlim_t)number < most; number++) close(number);
  return 0;
}

// Runs in the memory of the parent, whose thread waits: nothing here may allocate or lock.
static int run_child(void *context) {
  struct child_start *start = context;
  const struct rasa_child *child = start->child;

  // What the parent ignores would stay ignored, and what it handles must not be handled here.
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number <= most_signals; number++) sigaction(number, &standard, NULL);
  // The C library keeps two for itself and leaves them as they are. The kernel's structure is all zeros for SIG_DFL.
  unsigned long plain[4] = {0};
  for (int number = 32; number <= 33; number++) syscall(SYS_rt_sigaction, number, plain, NULL, sizeof plain[0]);

  if (setsid() < 0) return fail(start);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return fail(start);
  // The parent may have died before it said so.
  if (getppid() != start->parent) return 127;

  if (child->is_confined) {
    // Namespaces do not separate the keyring of a session. Kernels and containers without keyrings have nothing to lose.
    syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL);
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
      ssize_t written = write(score, "500", 3);
      (void)written;
      close(score);
    }
  }

  // First out of the way of each other's numbers, then into place.
  int moved[rasa_most_child_descriptors];
  int count = child->descriptor_count;
  for (int index = 0; index < count; index++) {
    moved[index] = fcntl(child->descriptors[index], F_DUPFD_CLOEXEC, count);
    if (moved[index] < 0) return fail(start);
  }
  for (int index = 0; index < count; index++) {
    if (dup2(moved[index], index) < 0) return fail(start);
  }
  if (close_all_from(count) != 0) return fail(start);

  // After the descriptors are in place: until then this has all of the parent's, which may be more than the limit.
  for (int index = 0; index < child->limit_count; index++) {
    // A limit that is lower already stays.
    struct rlimit limit;
    if (getrlimit(child->limits[index].resource, &limit) != 0) return fail(start);
    rlim_t wanted = child->limits[index].most;
    if (limit.rlim_max > wanted) limit.rlim_max = wanted;
    if (limit.rlim_cur > wanted) limit.rlim_cur = wanted;
    if (setrlimit(child->limits[index].resource, &limit) != 0) return fail(start);
  }

  if (child->folder != NULL && chdir(child->folder) != 0) {
    start->failed_at_folder = 1;
    return fail(start);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(child->program, child->arguments, child->environment);
  return fail(start);
}

int rasa_start_child(const struct rasa_child *child, pid_t *process, int *process_descriptor,
                     int *failed_at_folder) {
  if (child->descriptor_count > rasa_most_child_descriptors) return EMFILE;
  char *stack = mmap(NULL, child_stack_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return errno;
  // Where the end of children is ignored, their exit codes are lost.
  struct sigaction ended;
  if (sigaction(SIGCHLD, NULL, &ended) == 0 && ended.sa_handler == SIG_IGN) {
    ended.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &ended, NULL);
  }
  struct child_start start = {.child = child, .parent = getpid()};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int descriptor = -1;
  pid_t id = clone(run_child, stack + child_stack_size,
                   CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &descriptor);
  int code = id < 0 ? errno : start.error;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, child_stack_size);
  if (id < 0) return code;
  if (code != 0) {
    while (waitpid(id, NULL, 0) < 0 && errno == EINTR) {
    }
    close(descriptor);
    *failed_at_folder = start.failed_at_folder;
    return code;
  }
  *process = id;
  *process_descriptor = descriptor;
  return 0;
}

int rasa_wait_for_child(int process_descriptor, int *code, int *is_signal) {
  siginfo_t information;
  memset(&information, 0, sizeof information);
  // 3 is P_PIDFD, which the headers of some systems lack.
  while (waitid((idtype_t)3, (id_t)process_descriptor, &information, WEXITED | WNOHANG) != 0) {
    if (errno != EINTR) return errno;
  }
  if (information.si_pid == 0) return EAGAIN;
  *code = information.si_status;
  *is_signal = information.si_code == CLD_EXITED ? 0 : 1;
  return 0;
}

ssize_t rasa_write_pipe(int descriptor, const void *bytes, size_t count) {
  sigset_t broken, before;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, &before);
  ssize_t written = write(descriptor, bytes, count);
  int code = errno;
  if (written < 0 && code == EPIPE && !sigismember(&before, SIGPIPE)) {
    // Takes the signal that this write has brought, before it can end the process.
    struct timespec none = {0, 0};
    while (sigtimedwait(&broken, NULL, &none) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = code;
  return written;
}

int rasa_memory_file(const void *bytes, size_t count) {
  int descriptor = memfd_create("rasa", MFD_CLOEXEC);
  if (descriptor < 0) return -1;
  const char *rest = bytes;
  while (count > 0) {
    ssize_t written = write(descriptor, rest, count);
    if (written < 0) {
      if (errno == EINTR) continue;
      int code = errno;
      close(descriptor);
      errno = code;
      return -1;
    }
    rest += written;
    count -= (size_t)written;
  }
  lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}
