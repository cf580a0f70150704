/* Lines over a serial port of 9600 baud. */
#define _POSIX_C_SOURCE 200112L
#include "oven.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_S 1.0

static int port = -1;

static enum wire_result ask(const char *line, char *answer) {
  size_t length = 0;
  double until = seconds_now() + ANSWER_S;
  /* What comes too late for the last question is no answer to this one. */
  tcflush(port, TCIFLUSH);
  if (write(port, line, strlen(line)) < 0 || write(port, "\n", 1) < 0) return WIRE_GONE;
  while (length < ANSWER_BYTES - 1) {
    struct pollfd ready = {port, POLLIN, 0};
    double left_s = until - seconds_now();
    if (left_s <= 0 || poll(&ready, 1, (int)(left_s * 1000) + 1) == 0) return WIRE_SILENT;
    if (read(port, answer + length, 1) != 1) return WIRE_GONE;
    if (answer[length] == '\n') break;
    if (answer[length] != '\r') length++;
  }
  answer[length] = 0;
  return WIRE_OK;
}

static void close_serial(void) {
  close(port);
  port = -1;
}

static const struct wire serial = {ask, close_serial};

const struct wire *open_serial(const char *path) {
  struct termios mode;
  port = open(path, O_RDWR | O_NOCTTY);
  if (port < 0 || tcgetattr(port, &mode) < 0) return NULL;
  /* Bytes as they come: nothing is translated, echoed or waited for. */
  mode.c_iflag = mode.c_oflag = mode.c_lflag = 0;
  mode.c_cflag = CS8 | CREAD | CLOCAL;
  cfsetispeed(&mode, B9600);
  cfsetospeed(&mode, B9600);
  return tcsetattr(port, TCSANOW, &mode) < 0 ? NULL : &serial;
}
