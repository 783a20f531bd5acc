/* Has calls on files below FAULT_ROOT fail with the number that the file FAULT_CONTROL holds, as long as it is there.
 * With FAULT_NO_LOCK every lock is granted, as some network file systems do. Loaded by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int number(void) {
  const char *control = getenv("FAULT_CONTROL");
  char text[16] = {0};
  if (!control) return 0;
  int handle = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (handle < 0) return 0;
  long got = syscall(SYS_read, handle, text, sizeof text - 1);
  syscall(SYS_close, handle);
  return got > 0 ? atoi(text) : 0;
}

static int below(const char *path) {
  const char *root = getenv("FAULT_ROOT");
  return root && path && strncmp(path, root, strlen(root)) == 0;
}

static int strikes(int folder, const char *path, int kept) {
  char whole[PATH_MAX];
  int error = errno, found = 0;
  if (path && path[0] != '/') {
    char link[64], base[PATH_MAX] = {0};
    if (folder == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    if (readlink(link, base, sizeof base - 1) > 0 && snprintf(whole, sizeof whole, "%s/%s", base, path) < PATH_MAX) path = whole;
  }
  if (below(path)) found = number();
  errno = error;
  if (kept && found != EIO && found != ESTALE && found != EMFILE) return 0; /* what is there can still be read */
  if (found) errno = found;
  return found;
}

static int strikes_handle(int handle) {
  char link[64], path[PATH_MAX] = {0};
  int error = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
  long got = readlink(link, path, sizeof path - 1);
  errno = error;
  return got > 0 ? strikes(AT_FDCWD, path, 0) : 0;
}

#define READS(flags) (((flags) & O_ACCMODE) == O_RDONLY && !((flags) & O_CREAT))
#define OPEN(name)                                                        \
  int name(const char *path, int flags, ...) {                            \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = va_arg(rest, mode_t);                                   \
    va_end(rest);                                                         \
    if (strikes(AT_FDCWD, path, READS(flags))) return -1;                 \
    return NEXT(name)(path, flags, mode);                                 \
  }
#define OPENAT(name)                                                      \
  int name(int folder, const char *path, int flags, ...) {                \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = va_arg(rest, mode_t);                                   \
    va_end(rest);                                                         \
    if (strikes(folder, path, READS(flags))) return -1;                   \
    return NEXT(name)(folder, path, flags, mode);                         \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int handle, const void *data, size_t size) { return strikes_handle(handle) ? -1 : NEXT(write)(handle, data, size); }
ssize_t pwrite(int handle, const void *data, size_t size, off_t at) {
  return strikes_handle(handle) ? -1 : NEXT(pwrite)(handle, data, size, at);
}
int fsync(int handle) { return strikes_handle(handle) ? -1 : NEXT(fsync)(handle); }
int fdatasync(int handle) { return strikes_handle(handle) ? -1 : NEXT(fdatasync)(handle); }
int ftruncate(int handle, off_t size) { return strikes_handle(handle) ? -1 : NEXT(ftruncate)(handle, size); }
int rename(const char *from, const char *to) { return strikes(AT_FDCWD, to, 0) ? -1 : NEXT(rename)(from, to); }
int mkdir(const char *path, mode_t mode) { return strikes(AT_FDCWD, path, 0) ? -1 : NEXT(mkdir)(path, mode); }
int unlink(const char *path) { return strikes(AT_FDCWD, path, 0) ? -1 : NEXT(unlink)(path); }
int flock(int handle, int what) {
  if (getenv("FAULT_NO_LOCK")) return 0;
  return strikes_handle(handle) ? -1 : NEXT(flock)(handle, what);
}
