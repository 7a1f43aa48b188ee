/* The yardstick of the bench `mails`: sends the same mail over the same number of connections with nothing but sockets,
 * one thread each. Either each line is answered before the next is said ("in-turn"), or the whole envelope leaves in one
 * piece ("at-once", RFC 2920). No queue, nothing kept.
 *
 *   mails HOST PORT CONNECTIONS MAILS FROM TO FILE in-turn|at-once
 *
 * Prints {"secs":S,"cpu_secs":C}. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in server;
static const char *from, *to;
static int at_once;
static char *body;
static size_t body_length;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What has been read and not looked at yet. */
struct heard {
    int line;
    char text[4096];
    size_t length;
};

/* Takes one whole answer, which may have several lines, and wants it to begin with `code`. */
static void answered(struct heard *heard, char code) {
    size_t start = 0;
    for (;;) {
        char *end;
        heard->text[heard->length] = 0;
        while ((end = strstr(heard->text + start, "\r\n")) != NULL) {
            size_t next = (size_t)(end - heard->text) + 2;
            if (heard->text[start + 3] != '-') {
                if (heard->text[start] != code) {
                    fprintf(stderr, "the server said: %s", heard->text);
                    exit(1);
                }
                memmove(heard->text, heard->text + next, heard->length - next);
                heard->length -= next;
                return;
            }
            start = next;
        }
        ssize_t count = read(heard->line, heard->text + heard->length, sizeof heard->text - 1 - heard->length);
        if (count <= 0) fail("read");
        heard->length += (size_t)count;
    }
}

static void say(struct heard *heard, const char *text, size_t length, char code) {
    while (length > 0) {
        ssize_t count = write(heard->line, text, length);
        if (count <= 0) fail("write");
        text += count;
        length -= (size_t)count;
    }
    answered(heard, code);
}

static void *send_all(void *count) {
    char mail_from[256], rcpt_to[256], envelope[600];
    int yes = 1, line = socket(AF_INET, SOCK_STREAM, 0);
    struct heard heard = {.line = line};
    if (line < 0 || connect(line, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");
    setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    size_t from_length = (size_t)snprintf(mail_from, sizeof mail_from, "MAIL FROM:<%s>\r\n", from);
    size_t to_length = (size_t)snprintf(rcpt_to, sizeof rcpt_to, "RCPT TO:<%s>\r\n", to);
    size_t length = (size_t)snprintf(envelope, sizeof envelope, "%s%sDATA\r\n", mail_from, rcpt_to);
    answered(&heard, '2');
    say(&heard, "EHLO localhost\r\n", 16, '2');
    for (size_t left = *(size_t *)count; left > 0; left--) {
        if (at_once) {
            say(&heard, envelope, length, '2');
            answered(&heard, '2');
            answered(&heard, '3');
        } else {
            say(&heard, mail_from, from_length, '2');
            say(&heard, rcpt_to, to_length, '2');
            say(&heard, "DATA\r\n", 6, '3');
        }
        say(&heard, body, body_length, '2');
    }
    say(&heard, "QUIT\r\n", 6, '2');
    close(line);
    return NULL;
}

/* The mail as it goes over the line: dots at the beginning of lines doubled, and the final dot. */
static void load(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail(path);
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    char *raw = malloc(length);
    body = malloc(2 * length + 8);
    if (raw == NULL || body == NULL || fread(raw, 1, length, file) != length) fail(path);
    fclose(file);
    for (size_t at = 0; at < length; at++) {
        if (raw[at] == '.' && (at == 0 || raw[at - 1] == '\n')) body[body_length++] = '.';
        body[body_length++] = raw[at];
    }
    free(raw);
    memcpy(body + body_length, "\r\n.\r\n", 5);
    body_length += 5;
}

int main(int count, char **words) {
    if (count != 9) {
        fprintf(stderr, "usage: mails HOST PORT CONNECTIONS MAILS FROM TO FILE in-turn|at-once\n");
        return 2;
    }
    server.sin_family = AF_INET;
    server.sin_port = htons((unsigned short)atoi(words[2]));
    if (inet_pton(AF_INET, words[1], &server.sin_addr) != 1) fail(words[1]);
    size_t connections = (size_t)atoi(words[3]), each = (size_t)atoi(words[4]) / connections;
    from = words[5];
    to = words[6];
    at_once = strcmp(words[8], "at-once") == 0;
    load(words[7]);
    pthread_t *threads = calloc(connections, sizeof *threads);
    if (threads == NULL) fail("calloc");
    double begun = seconds(CLOCK_MONOTONIC), spent = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t at = 0; at < connections; at++)
        if (pthread_create(&threads[at], NULL, send_all, &each) != 0) fail("pthread_create");
    for (size_t at = 0; at < connections; at++) pthread_join(threads[at], NULL);
    printf("{\"secs\":%.6f,\"cpu_secs\":%.6f}\n", seconds(CLOCK_MONOTONIC) - begun,
           seconds(CLOCK_PROCESS_CPUTIME_ID) - spent);
    return 0;
}
