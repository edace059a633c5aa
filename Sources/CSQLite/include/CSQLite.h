#ifndef CSQLITE_H
#define CSQLITE_H
#include <sqlite3.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/vfs.h>
#include <time.h>

// Swift imports neither variadic functions nor the cast behind SQLITE_TRANSIENT.

static inline int csqlite_configure(int option, int value) {
  return sqlite3_config(option, value);
}

static inline int csqlite_configure_connection(sqlite3 *connection, int option, int value) {
  return sqlite3_db_config(connection, option, value, (int *)0);
}

static inline int csqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, uint64_t count) {
  return sqlite3_bind_text64(
      statement, index, text ? text : "", text ? count : 0, SQLITE_TRANSIENT, SQLITE_UTF8);
}

// An empty array may have no address, which SQLite would take for NULL.
static inline int csqlite_bind_bytes(
    sqlite3_stmt *statement, int index, const void *bytes, uint64_t count) {
  if (count == 0) return sqlite3_bind_zeroblob(statement, index, 0);
  return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

// The system's error behind a failure of the connection; 0 when there is none. Failed writes leave
// theirs with the file: the log's when there is one, else the database's.
static inline int csqlite_system_error(sqlite3 *connection) {
  int error = sqlite3_system_errno(connection);
  sqlite3_file *log = 0;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (!error && log && log->pMethods)
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
  if (!error) sqlite3_file_control(connection, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
  return error;
}

// The kind of file system that holds a file, as linux/magic.h numbers them; 0 when unknown.
static inline uint32_t csqlite_file_system(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 ? (uint32_t)status.f_type : 0;
}

// A lock on one byte that belongs to the open file and not, as others do, to the whole process.
#ifndef F_OFD_SETLK
#define F_OFD_SETLK 37
#endif
static inline int csqlite_lock_byte(int descriptor, short kind, off_t place) {
  struct flock lock = {.l_type = kind, .l_whence = SEEK_SET, .l_start = place, .l_len = 1};
  return fcntl(descriptor, F_OFD_SETLK, &lock);
}

// Waits for the semaphore so many nanoseconds at most, whatever happens to the wall clock; 0 when
// it has come. The function is newer than the standard that headers keep to by default.
extern int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline);
static inline int csqlite_wait(sem_t *semaphore, int64_t nanoseconds) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  int64_t later = end.tv_nsec + (nanoseconds > 0 ? nanoseconds : 0);
  end.tv_sec += later / 1000000000;
  end.tv_nsec = later % 1000000000;
  int result;
  do result = sem_clockwait(semaphore, CLOCK_MONOTONIC, &end);
  while (result != 0 && errno == EINTR);
  return result;
}
#endif
