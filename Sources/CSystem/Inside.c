#define _GNU_SOURCE
#include "CSystem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

// What rasa does as the first program in a sandbox that has no network but its own loopback: it listens there, hands
// the listening socket to the rasa outside, whose checking proxy accepts on it, and becomes the program.

static int stop(const char *what) {
  dprintf(STDERR_FILENO, "rasa: the sandbox's way out cannot be opened: %s: %s\n", what, strerror(errno));
  return 126;
}

static int number(const char *text) {
  char *end;
  long value = strtol(text, &end, 10);
  return *text != 0 && *end == 0 && value >= 0 && value <= INT_MAX ? (int)value : -1;
}

static int send_descriptor(int way, int descriptor) {
  char byte = 0;
  struct iovec piece = {.iov_base = &byte, .iov_len = 1};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {.msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return sendmsg(way, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int rasa_become_sandboxed(int count, char *const *arguments) {
  // DESCRIPTOR PORT PROCESSES PROGRAM ARGUMENTS…
  int way = count > 3 ? number(arguments[0]) : -1;
  int port = count > 3 ? number(arguments[1]) : -1;
  int processes = count > 3 ? number(arguments[2]) : -1;
  if (way < 3 || port < 1 || port > 65535 || processes < 1) {
    dprintf(STDERR_FILENO, "rasa: this argument is for rasa's own use in a sandbox\n");
    return 2;
  }
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return stop("socket");
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) return stop("bind");
  if (listen(listener, 64) != 0) return stop("listen");
  if (send_descriptor(way, listener) != 0) return stop("hand over");
  close(way);
  struct rlimit limit = {.rlim_cur = (rlim_t)processes, .rlim_max = (rlim_t)processes};
  setrlimit(RLIMIT_NPROC, &limit);
  execv(arguments[3], arguments + 3);
  dprintf(STDERR_FILENO, "bwrap: execvp %s: %s\n", arguments[3], strerror(errno));
  return 1;
}

int rasa_receive_descriptor(int way) {
  char byte;
  struct iovec piece = {.iov_base = &byte, .iov_len = 1};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  ssize_t received = recvmsg(way, &message, MSG_CMSG_CLOEXEC);
  if (received < 0) return -1;
  struct cmsghdr *header = received == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int))) {
    errno = EPROTO;
    return -1;
  }
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

int rasa_socket_pair(int *one, int *other) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return errno;
  // The one that is passed on is for a program that knows nothing of it.
  fcntl(ends[1], F_SETFL, 0);
  *one = ends[0];
  *other = ends[1];
  return 0;
}
