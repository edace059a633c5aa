#ifndef CSQLITE_H
#define CSQLITE_H
#include <sqlite3.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// Swift imports neither variadic functions nor the cast behind SQLITE_TRANSIENT.

static inline int csqlite_configure(int option, int value) {
  return sqlite3_config(option, value);
}

// Page caches are not given memory for many pages at once.
static inline int csqlite_allocate_pages_singly(void) {
  return sqlite3_config(SQLITE_CONFIG_PAGECACHE, (void *)0, 0, 0);
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

// Flushes the write-ahead log, with everything that any process has written to it so far.
static inline int csqlite_flush_log(sqlite3 *connection) {
  sqlite3_file *log = 0;
  int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code != SQLITE_OK) return code;
  return log && log->pMethods ? log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) : SQLITE_OK;
}

// The database file itself, through SQLite's own descriptor: closing any other one would drop the locks that
// SQLite holds on the file.
static inline sqlite3_file *csqlite_file(sqlite3 *connection) {
  sqlite3_file *file = 0;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return file && file->pMethods ? file : 0;
}

static inline int csqlite_read_file(
    sqlite3 *connection, void *bytes, int count, int64_t offset) {
  sqlite3_file *file = csqlite_file(connection);
  return file ? file->pMethods->xRead(file, bytes, count, offset) : SQLITE_CANTOPEN;
}

static inline int csqlite_write_file(
    sqlite3 *connection, const void *bytes, int count, int64_t offset) {
  sqlite3_file *file = csqlite_file(connection);
  return file ? file->pMethods->xWrite(file, bytes, count, offset) : SQLITE_CANTOPEN;
}

static inline int csqlite_flush_file(sqlite3 *connection) {
  sqlite3_file *file = csqlite_file(connection);
  return file ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : SQLITE_CANTOPEN;
}

// The length of the write-ahead log in bytes; -1 when it cannot be told.
static inline int64_t csqlite_log_size(sqlite3 *connection) {
  sqlite3_file *log = 0;
  sqlite3_int64 size = 0;
  int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code != SQLITE_OK || !log || !log->pMethods) return -1;
  return log->pMethods->xFileSize(log, &size) == SQLITE_OK ? size : -1;
}

// Whether the file that is open is not the one of that name any more.
static inline int csqlite_has_moved(sqlite3 *connection) {
  int moved = 0;
  return sqlite3_file_control(connection, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
         moved;
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

// Numbers at the beginning of a file that all processes share: who waits sleeps until one changes.
// Null where there is no room for them.
static inline uint32_t *csqlite_share(int descriptor, int count) {
  size_t size = (size_t)count * sizeof(uint32_t);
  struct stat status;
  if (fstat(descriptor, &status) != 0) return 0;
  // Written and not only made longer: a page without room on the disk would end the process.
  if ((size_t)status.st_size < size) {
    char zeros[64] = {0};
    if (size > sizeof zeros || pwrite(descriptor, zeros, size, 0) != (ssize_t)size) return 0;
  }
  void *shared = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return shared == MAP_FAILED ? 0 : (uint32_t *)shared;
}

static inline void csqlite_unshare(uint32_t *shared, int count) {
  munmap(shared, (size_t)count * sizeof(uint32_t));
}

static inline uint32_t csqlite_shared(const uint32_t *number) {
  return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

// Changes the number and wakes the one who has waited longest.
static inline void csqlite_wake(uint32_t *number) {
  __atomic_add_fetch(number, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, number, FUTEX_WAKE, 1, (void *)0, (void *)0, 0);
}

// Sleeps while the number is that one, so many nanoseconds at most.
static inline void csqlite_sleep(uint32_t *number, uint32_t value, int64_t nanoseconds) {
  struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
  syscall(SYS_futex, number, FUTEX_WAIT, value, &time, (void *)0, 0);
}
#endif
