/*
 * A firmware that runs on a Unix machine: the library as it is on a microcontroller, with a socket for its wire.
 *
 *   board [--reset-every-ms N] [--port N] [--baud N] [--plain 1]
 *
 * Listens on a port of 127.0.0.1, a free one unless told, which it prints, and serves one connection at a time. A line on its standard input
 * says `reset` (the firmware starts anew, as it does for each connection), `cut` (the connection ends), `freeze` and
 * `thaw` (it does nothing meanwhile). Ends with its standard input. With a baud rate,
 * bytes leave as slowly as on such a wire (8N1); `--plain` sends nothing but bytes, without an end. -DVARIANT has a signal more, -DOTHER_VERSION speaks
 * another version of the link.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef OTHER_VERSION
#define FL_VERSION 2
#endif
#include "../../../firmware-bridge/firmware/fernlab-link/src/fernlab_link.c"

#ifndef VARIANT
#define EXTRA(SIGNAL)
#else
#define EXTRA(SIGNAL) SIGNAL(extra, "1", FL_U8, FL_READ, 1, 0, 255, 0, 0)
#endif

/* a, b, c and d are made of the sample's time in µs, so that each sample can be checked. */
#define BENCH(SIGNAL, ACTION, ARGUMENT)                                          \
  SIGNAL(a, "V", FL_U16, FL_READ, 0.001, 0, 65.535, 3, 0)                        \
  SIGNAL(b, "V", FL_U16, FL_READ, 0.001, 0, 65.535, 3, 0)                        \
  SIGNAL(c, "V", FL_U16, FL_READ, 0.001, 0, 65.535, 3, 0)                        \
  SIGNAL(d, "V", FL_I16, FL_READ, 0.001, -32.768, 32.767, 3, 0)                  \
  SIGNAL(level, "V", FL_F32, FL_READ_SET, 1, -10, 10, 4, 0)                      \
  SIGNAL(power, "%", FL_U8, FL_READ_SET, 1, 0, 100, 0, 100)                      \
  SIGNAL(lamp, "1", FL_BOOL, FL_READ_SET, 1, 0, 1, 0, 0)                         \
  SIGNAL(count, "1", FL_I32, FL_READ_SET, 1, -2000000000, 2000000000, 0, 0)      \
  SIGNAL(sets, "1", FL_I32, FL_READ, 1, 0, 2000000000, 0, 0)                     \
  SIGNAL(trim, "V", FL_I16, FL_SET, 0.01, -1, 1, 2, 0)                           \
  EXTRA(SIGNAL)                                                                  \
  ACTION(clear)                                                                  \
  ACTION(add)                                                                    \
  ARGUMENT(add, amount, "1", FL_I32, 1, -1000, 1000)                             \
  ARGUMENT(add, volts, "V", FL_F32, 1, 0, 1)                                     \
  ACTION(jam)
FL_BOARD(BENCH, "bench", "1.2.0");

static struct {
  float level;
  int32_t power, lamp, count, sets;
} now;

/* The firmware's time goes on in steps of at most this, however long the machine kept it waiting. */
#ifndef STEP_US
#define STEP_US 200
#endif

static int64_t firmware_us;

static int64_t machine_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

uint32_t fl_micros(void) { return (uint32_t)firmware_us; }

uint32_t fl_image_hash(void) { return 0xfe41ab00; }

uint8_t fl_read(uint8_t signal, fl_value *value) {
  uint32_t at = stream_count > 0 ? stream_sample : 0;
  switch (signal) {
    case FL_a: value->i = (int32_t)(at & 0xffff); break;
    case FL_b: value->i = (int32_t)((at * 3) & 0xffff); break;
    case FL_c: value->i = (int32_t)(~at & 0xffff); break;
    case FL_d: value->i = (int16_t)(at * 7); break;
    case FL_level: value->f = now.level; break;
    case FL_power: value->i = now.power; break;
    case FL_lamp: value->i = now.lamp; break;
    case FL_count: value->i = now.count; break;
    case FL_sets: value->i = now.sets; break;
    default: return FL_UNKNOWN;
  }
  return FL_OK;
}

uint8_t fl_set(uint8_t signal, fl_value value) {
  now.sets++;
  switch (signal) {
    case FL_level: now.level = value.f; break;
    case FL_power: now.power = value.i; break;
    case FL_lamp: now.lamp = value.i; break;
    case FL_count: now.count = value.i; break;
    case FL_trim: break;
    default: return FL_UNKNOWN;
  }
  return FL_OK;
}

uint8_t fl_call(uint8_t action, const fl_value *arguments) {
  if (action == FL_clear) {
    memset(&now, 0, sizeof now);
  } else if (action == FL_add) {
    now.count += arguments[0].i;
    now.level += arguments[1].f;
  } else {
    return 200;
  }
  return FL_OK;
}

static long reset_every_ms, baud, plain;

static int16_t next_byte(void) { return plain ? 'U' : fl_transmit(); }

/* Bytes that the wire has had time for until the firmware's present; an idle wire saves no time up. */
static size_t wire_takes(int64_t *busy_until_us, size_t most) {
  size_t bytes;
  if (baud == 0) return most;
  if (*busy_until_us == 0) *busy_until_us = firmware_us;
  bytes = (size_t)((firmware_us - *busy_until_us) * baud / 10000000);
  return bytes < most ? bytes : most;
}

static int send_some(int wire) {
  static int64_t busy_until_us;
  static uint8_t out[4096];
  static size_t count;
  size_t takes = wire_takes(&busy_until_us, sizeof out - count), sent = 0;
  int16_t byte = 0;
  while (sent < takes && (byte = next_byte()) >= 0) out[count + sent++] = (uint8_t)byte;
  count += sent;
  if (baud > 0) busy_until_us = byte < 0 ? firmware_us : busy_until_us + (int64_t)sent * 10000000 / baud;
  /* Many steps of the firmware, one message of the machine. */
  if (count == 0 || (baud > 0 && machine_us() - firmware_us > STEP_US && count < sizeof out)) return 1;
  takes = count;
  count = 0;
  return write(wire, out, takes) == (ssize_t)takes;
}

/* What a line on the standard input asks for; 'q' at its end. */
static int asked(void) {
  char line[16];
  return read(0, line, sizeof line) <= 0 ? 'q' : line[0];
}

/* Lets the firmware live up to the present. */
static int go_on(int wire) {
  int64_t until = machine_us();
  do {
    firmware_us = until - firmware_us > STEP_US ? firmware_us + STEP_US : until;
    fl_poll();
    if (!send_some(wire)) return 0;
  } while (firmware_us < until);
  return 1;
}

static int receive_some(int wire) {
  uint8_t in[256];
  ssize_t i, count = read(wire, in, sizeof in);
  for (i = 0; i < count; i++) {
    fl_receive(in[i]);
    if (in[i] == 0) fl_poll();
  }
  return count > 0;
}

/* One life of the firmware; ends with what is to be done: 'r'eset, 'c'ut or 'q'uit. */
static int live(int wire, uint16_t starts) {
  int64_t began = firmware_us = machine_us();
  int frozen = 0;
  boots = (uint16_t)(starts - 1);
  boots_check = (uint16_t)~boots;
  fl_begin();
  for (;;) {
    struct timeval wait = {0, stream_count > 0 || plain ? 500 : 2000};
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(0, &ready);
    if (!frozen) FD_SET(wire, &ready);
    if (select(wire + 1, &ready, NULL, NULL, &wait) < 0) return 'q';
    if (FD_ISSET(0, &ready)) {
      int what = asked();
      if (what != 'f' && what != 't') return what;
      frozen = what == 'f';
      firmware_us = machine_us();
    }
    if (frozen) continue;
    if (!go_on(wire)) return 'c';
    if (FD_ISSET(wire, &ready) && !receive_some(wire)) return 'c';
    if (!go_on(wire)) return 'c';
    if (reset_every_ms > 0 && firmware_us - began > reset_every_ms * 1000) return 'r';
  }
}

/* Each life is a process of its own: its memory begins as it is after a reset. */
static int serve(int wire, uint16_t *starts) {
  for (;;) {
    int status;
    pid_t child = fork();
    (*starts)++;
    if (child == 0) _exit(live(wire, *starts));
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return 'q';
    if (WEXITSTATUS(status) != 'r') return WEXITSTATUS(status);
  }
}

int main(int count, char **arguments) {
  struct sockaddr_in address = {0};
  socklen_t size = sizeof address;
  int i, one = 1, port = socket(AF_INET, SOCK_STREAM, 0);
  uint16_t starts = 0;
  for (i = 1; i + 1 < count; i += 2) {
    if (strcmp(arguments[i], "--reset-every-ms") == 0) reset_every_ms = atol(arguments[i + 1]);
    if (strcmp(arguments[i], "--baud") == 0) baud = atol(arguments[i + 1]);
    if (strcmp(arguments[i], "--plain") == 0) plain = atol(arguments[i + 1]);
    if (strcmp(arguments[i], "--port") == 0) address.sin_port = htons((uint16_t)atol(arguments[i + 1]));
  }
  signal(SIGPIPE, SIG_IGN);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(port, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(port, (struct sockaddr *)&address, sizeof address) < 0 || listen(port, 4) < 0) return 1;
  if (getsockname(port, (struct sockaddr *)&address, &size) < 0) return 1;
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(0, &ready);
    FD_SET(port, &ready);
    if (select(port + 1, &ready, NULL, NULL, NULL) < 0) return 1;
    if (FD_ISSET(0, &ready) && asked() == 'q') return 0;
    if (FD_ISSET(port, &ready)) {
      int wire = accept(port, NULL, NULL), ended;
      if (wire < 0) return 1;
      setsockopt(wire, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      ended = serve(wire, &starts);
      close(wire);
      if (ended == 'q') return 0;
    }
  }
}
