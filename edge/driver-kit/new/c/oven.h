/* The wire to the oven: real or emulated. */
#ifndef OVEN_H
#define OVEN_H

#include <stddef.h>

#define ANSWER_BYTES 128

enum wire_result { WIRE_OK, WIRE_SILENT, WIRE_GONE };

struct wire {
  /* Sends a line and puts the answer, without its end, into `answer` of ANSWER_BYTES. */
  enum wire_result (*ask)(const char *line, char *answer);
  void (*close)(void);
};

/* NULL, with errno set, when the port can not be opened. */
const struct wire *open_serial(const char *path);

/* `instant`: there at once and without noise; `fault`: "", "silent" or "sensor". */
const struct wire *open_emulated(double room_cel, int instant, const char *fault);

double seconds_now(void);

#endif
