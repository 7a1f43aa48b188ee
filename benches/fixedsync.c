/* A disk on which every sync takes the same time: load it before a program (LD_PRELOAD), and fsync, fdatasync, syncfs
   and sync_file_range wait instead of writing. Real disks differ by a factor of a hundred and change from minute to
   minute; on this one a bench that counts commits gives the same answer everywhere.

   FIXEDSYNC_MICROS  how long one sync takes; 1000 if not set
   FIXEDSYNC_REPORT  if set, the number of syncs is told on standard error at the end, which proves that the library
                     was in the way at all

   Syncs take turns, as they do on one disk: two threads that sync at once wait for two syncs. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static long micros_per_sync = 1000;
static unsigned long syncs;

__attribute__((constructor)) static void begin(void) {
    const char *micros = getenv("FIXEDSYNC_MICROS");
    if (micros && atol(micros) >= 0) micros_per_sync = atol(micros);
}

__attribute__((destructor)) static void end(void) {
    if (syncs && getenv("FIXEDSYNC_REPORT")) fprintf(stderr, "fixedsync: %lu syncs of %ld us\n", syncs, micros_per_sync);
}

static int wait_for_the_disk(int fd) {
    struct stat about;
    if (fstat(fd, &about) != 0) return -1; /* EBADF, as the real call would have it */
    /* Without this the kernel may add 50 us of its own to each wait. */
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    pthread_mutex_lock(&disk);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += micros_per_sync % 1000000 * 1000;
    until.tv_sec += micros_per_sync / 1000000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
    syncs++;
    pthread_mutex_unlock(&disk);
    return 0;
}

int fsync(int fd) { return wait_for_the_disk(fd); }

int fdatasync(int fd) { return wait_for_the_disk(fd); }

int syncfs(int fd) { return wait_for_the_disk(fd); }

int sync_file_range(int fd, off64_t from, off64_t length, unsigned flags) {
    (void)from, (void)length, (void)flags;
    return wait_for_the_disk(fd);
}
