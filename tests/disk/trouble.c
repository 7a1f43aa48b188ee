/* A disk that fails when it is told to, and that tells what was asked of it: load it before a program (LD_PRELOAD).

   TROUBLE_RULES  a file with one rule a line: CALL PATH ERRNO FIRST TIMES
                  CALL is the name of a call below, or `sync` for any that syncs; PATH is how the file's path ends; FIRST
                  is the first visit that fails, counted from 1 since the file last changed; TIMES is how many fail, 0 for
                  all from there on. The file is read at every call, so that rules may come and go while the program runs.
   TROUBLE_LOG    a file to which each call is added when it is done, a sending before it is done: its number of bytes of
                  data, its result (0, or the errno), its name, its path, and then the data. Calls wait for each other, so
                  the order in the log is the order in which they happened.

   Only what the tests ask about is here. Calls of this library's own go to the kernel by number, so that they neither
   fail nor are told. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define RULES_MAX_BYTES 4096
#define RULES_MAX 16
#define PATH_MAX_BYTES 512
#define DATA_MAX_BYTES 65536

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char rules_now[RULES_MAX_BYTES];
static unsigned long visits[RULES_MAX];
static const char *rules_path, *log_path;

__attribute__((constructor)) static void begin(void) {
    rules_path = getenv("TROUBLE_RULES");
    log_path = getenv("TROUBLE_LOG");
}

static int errno_of(const char *name) {
    if (!strcmp(name, "EIO")) return EIO;
    if (!strcmp(name, "ENOSPC")) return ENOSPC;
    if (!strcmp(name, "EMFILE")) return EMFILE;
    if (!strcmp(name, "EAGAIN")) return EAGAIN;
    if (!strcmp(name, "EROFS")) return EROFS;
    abort(); /* a rule that nobody understands must not pass for one that never fires */
}

/* Reads the rules again; visits count from the last change. */
static void look_at_rules(void) {
    char text[RULES_MAX_BYTES];
    long length = 0;
    int fd = rules_path ? (int)syscall(SYS_openat, AT_FDCWD, rules_path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd >= 0) {
        length = syscall(SYS_read, fd, text, sizeof text - 1);
        syscall(SYS_close, fd);
    }
    text[length > 0 ? length : 0] = 0;
    if (strcmp(text, rules_now)) {
        strcpy(rules_now, text);
        memset(visits, 0, sizeof visits);
    }
}

static int is_sync(const char *call) { return !strcmp(call, "fsync") || !strcmp(call, "fdatasync"); }

static int ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && !strcmp(text + a - b, end);
}

/* The errno with which this call is to fail, or 0. */
static int verdict(const char *call, const char *path) {
    look_at_rules();
    char text[RULES_MAX_BYTES], *rest = text, *line;
    strcpy(text, rules_now);
    int found = 0;
    for (int place = 0; place < RULES_MAX && (line = strsep(&rest, "\n")); place++) {
        char wanted[32], end[PATH_MAX_BYTES], name[16];
        unsigned long first, times;
        if (sscanf(line, "%31s %511s %15s %lu %lu", wanted, end, name, &first, &times) != 5) continue;
        if (strcmp(wanted, call) && !(is_sync(call) && !strcmp(wanted, "sync"))) continue;
        if (!ends_with(path, end)) continue;
        unsigned long visit = ++visits[place];
        if (!found && visit >= first && (times == 0 || visit < first + times)) found = errno_of(name);
    }
    return found;
}

static void tell(const char *call, const char *path, int result, const void *data, size_t length) {
    if (!log_path) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) abort();
    if (length > DATA_MAX_BYTES) length = DATA_MAX_BYTES;
    char head[PATH_MAX_BYTES + 64];
    int size = snprintf(head, sizeof head, "%zu %d %s %s\n", length, result, call, path);
    syscall(SYS_write, fd, head, size);
    if (length) syscall(SYS_write, fd, data, length);
    syscall(SYS_write, fd, "\n", 1);
    syscall(SYS_close, fd);
}

/* The path of an open file; sockets have one that begins with `socket:`. */
static void path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX_BYTES - 1);
    path[length > 0 ? length : 0] = 0;
}

static int is_socket(const char *path) { return !strncmp(path, "socket:", 7); }

#define REAL(name) \
    static __typeof__(&name) real_##name; \
    if (!real_##name) real_##name = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* A call on an open file. Sendings are told before they happen, all else when it has happened. */
#define ON_FILE(name, fd, failed, data, length, call) \
    char path[PATH_MAX_BYTES]; \
    int kept = errno; \
    path_of(fd, path); \
    pthread_mutex_lock(&turn); \
    int error = verdict(#name, path); \
    __typeof__(call) result = failed; \
    if (is_socket(path)) tell(#name, path, error, data, length); \
    errno = kept; \
    if (error) errno = error; \
    else { \
        result = call; \
        if (result == failed) error = errno; \
    } \
    kept = errno; \
    if (!is_socket(path)) tell(#name, path, error, data, length); \
    pthread_mutex_unlock(&turn); \
    errno = kept; \
    return result

int fsync(int fd) { REAL(fsync); ON_FILE(fsync, fd, -1, "", 0, real_fsync(fd)); }
int fdatasync(int fd) { REAL(fdatasync); ON_FILE(fdatasync, fd, -1, "", 0, real_fdatasync(fd)); }
int ftruncate(int fd, off_t to) { REAL(ftruncate); ON_FILE(ftruncate, fd, -1, "", 0, real_ftruncate(fd, to)); }
int ftruncate64(int fd, off64_t to) { REAL(ftruncate64); ON_FILE(ftruncate, fd, -1, "", 0, real_ftruncate64(fd, to)); }

ssize_t write(int fd, const void *data, size_t length) {
    REAL(write);
    ON_FILE(write, fd, -1, data, length, real_write(fd, data, length));
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    REAL(pwrite);
    ON_FILE(write, fd, -1, data, length, real_pwrite(fd, data, length, at));
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    REAL(pwrite64);
    ON_FILE(write, fd, -1, data, length, real_pwrite64(fd, data, length, at));
}

/* What is read is not told; reading a socket may wait for ever, and takes no turn. */
#define READING(name, call) \
    char path[PATH_MAX_BYTES]; \
    int kept = errno; \
    path_of(fd, path); \
    if (path[0] == '/') { \
        pthread_mutex_lock(&turn); \
        int error = verdict("read", path); \
        pthread_mutex_unlock(&turn); \
        if (error) { \
            errno = error; \
            return -1; \
        } \
    } \
    errno = kept; \
    return call

ssize_t read(int fd, void *data, size_t length) { REAL(read); READING(read, real_read(fd, data, length)); }

ssize_t pread(int fd, void *data, size_t length, off_t at) {
    REAL(pread);
    READING(pread, real_pread(fd, data, length, at));
}

ssize_t pread64(int fd, void *data, size_t length, off64_t at) {
    REAL(pread64);
    READING(pread64, real_pread64(fd, data, length, at));
}

/* The first piece stands for the whole: requests are sent in one. */
ssize_t send(int fd, const void *data, size_t length, int flags) {
    REAL(send);
    ON_FILE(send, fd, -1, data, length, real_send(fd, data, length, flags));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    REAL(sendmsg);
    const struct iovec *pieces = message->msg_iov;
    size_t count = message->msg_iovlen;
    char whole[DATA_MAX_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < count && length + pieces[i].iov_len <= sizeof whole; i++) {
        memcpy(whole + length, pieces[i].iov_base, pieces[i].iov_len);
        length += pieces[i].iov_len;
    }
    ON_FILE(send, fd, -1, whole, length, real_sendmsg(fd, message, flags));
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    REAL(writev);
    char whole[DATA_MAX_BYTES];
    size_t length = 0;
    for (int i = 0; i < count && length + pieces[i].iov_len <= sizeof whole; i++) {
        memcpy(whole + length, pieces[i].iov_base, pieces[i].iov_len);
        length += pieces[i].iov_len;
    }
    ON_FILE(write, fd, -1, whole, length, real_writev(fd, pieces, count));
}

#define ON_PATH(name, path, failed, call) \
    pthread_mutex_lock(&turn); \
    int error = verdict(#name, path); \
    __typeof__(call) result = failed; \
    if (error) errno = error; \
    else { \
        result = call; \
        if (result == failed) error = errno; \
    } \
    int kept = errno; \
    tell(#name, path, error, "", 0); \
    pthread_mutex_unlock(&turn); \
    errno = kept; \
    return result

static mode_t mode_of(int flags, va_list more) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

#define WITH_MODE(flags) \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = mode_of(flags, more); \
    va_end(more)

int open(const char *path, int flags, ...) {
    REAL(open);
    WITH_MODE(flags);
    ON_PATH(open, path, -1, real_open(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
    REAL(open64);
    WITH_MODE(flags);
    ON_PATH(open, path, -1, real_open64(path, flags, mode));
}

int rename(const char *from, const char *to) { REAL(rename); ON_PATH(rename, to, -1, real_rename(from, to)); }

int unlink(const char *path) { REAL(unlink); ON_PATH(unlink, path, -1, real_unlink(path)); }

/* A thread has no path: rules name `thread`. */
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *), void *with) {
    REAL(pthread_create);
    pthread_mutex_lock(&turn);
    int error = verdict("pthread_create", "thread");
    pthread_mutex_unlock(&turn);
    return error ? error : real_pthread_create(thread, how, work, with);
}
