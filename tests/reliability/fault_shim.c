/* Makes the n-th write, fsync, rename or link below a folder fail, for the thread that does it and once.
   Loaded with LD_PRELOAD; a test arms it by calling `fault_arm` through ctypes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE, FSYNC, RENAME, OPEN, KINDS };

static char below[PATH_MAX];
static int armed = -1, wanted_error;
static long seen[KINDS], wanted;

void fault_arm(const char *folder, int kind, long n, int error)
{
    strncpy(below, folder, sizeof below - 1);
    memset(seen, 0, sizeof seen);
    armed = kind, wanted = n, wanted_error = error;
}

long fault_seen(int kind) { return seen[kind]; }

static int fails_at(const char *path, int kind)
{
    if (!below[0] || strncmp(path, below, strlen(below)) != 0)
        return 0;
    if (__sync_add_and_fetch(&seen[kind], 1) != wanted || kind != armed)
        return 0;
    errno = wanted_error;
    return 1;
}

static int fails(int fd, int kind)
{
    char link[64], path[PATH_MAX];
    int error = errno;
    if (!below[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = error;
    if (size < 0)
        return 0;
    path[size] = 0;
    return fails_at(path, kind);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) { return fails(fd, WRITE) ? -1 : REAL(write)(fd, data, size); }
ssize_t writev(int fd, const struct iovec *v, int n) { return fails(fd, WRITE) ? -1 : REAL(writev)(fd, v, n); }
ssize_t pwrite64(int fd, const void *d, size_t n, off64_t at) { return fails(fd, WRITE) ? -1 : REAL(pwrite64)(fd, d, n, at); }
int fsync(int fd) { return fails(fd, FSYNC) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails(fd, FSYNC) ? -1 : REAL(fdatasync)(fd); }
int rename(const char *a, const char *b) { return fails_at(b, RENAME) ? -1 : REAL(rename)(a, b); }
int link(const char *a, const char *b) { return fails_at(b, RENAME) ? -1 : REAL(link)(a, b); }
int linkat(int x, const char *a, int y, const char *b, int f) { return fails_at(b, RENAME) ? -1 : REAL(linkat)(x, a, y, b, f); }
int renameat2(int x, const char *a, int y, const char *b, unsigned f) { return fails_at(b, RENAME) ? -1 : REAL(renameat2)(x, a, y, b, f); }

int open64(const char *path, int flags, ...)
{
    __builtin_va_list more;
    __builtin_va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? __builtin_va_arg(more, mode_t) : 0;
    __builtin_va_end(more);
    if ((flags & O_CREAT) && fails_at(path, OPEN))
        return -1;
    return REAL(open64)(path, flags, mode);
}
