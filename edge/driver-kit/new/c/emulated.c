/* The oven without an oven: it takes the same lines, and warms up as a real one does. */
#define _POSIX_C_SOURCE 200112L
#include "oven.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CEL_PER_W 2.0
#define LAG_S 30.0
#define NOISE_CEL 0.02

static double room, now_cel, power_w, at_s;
static int is_instant;
static char fault[16];

double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pass_time(void) {
  double passed = seconds_now() - at_s;
  at_s += passed;
  double share = is_instant || passed > LAG_S ? 1 : passed / LAG_S;
  now_cel += (room + CEL_PER_W * power_w - now_cel) * share;
}

/* Of standard deviation 1, by the sum of twelve that are uniform. */
static double gauss(void) {
  double sum = -6;
  for (int i = 0; i < 12; i++) sum += rand() / (double)RAND_MAX;
  return sum;
}

static enum wire_result ask(const char *line, char *answer) {
  pass_time();
  if (!strcmp(fault, "silent")) return WIRE_SILENT;
  if (!strcmp(line, "*IDN?")) {
    snprintf(answer, ANSWER_BYTES, "Fernlab,new-driver,emulated");
  } else if (!strcmp(line, "POWER?")) {
    snprintf(answer, ANSWER_BYTES, "%.9g", power_w);
  } else if (!strcmp(line, "TEMP?")) {
    if (!strcmp(fault, "sensor")) snprintf(answer, ANSWER_BYTES, "ERR the sensor is broken");
    else snprintf(answer, ANSWER_BYTES, "%.2f", now_cel + (is_instant ? 0 : NOISE_CEL * gauss()));
  } else if (!strncmp(line, "POWER ", 6)) {
    char *end;
    double watts = strtod(line + 6, &end);
    int is_good = *end == 0 && end != line + 6 && watts >= 0 && watts <= 40;
    if (is_good) power_w = watts;
    snprintf(answer, ANSWER_BYTES, is_good ? "OK" : "ERR from 0 to 40");
  } else {
    snprintf(answer, ANSWER_BYTES, "ERR no such command");
  }
  return WIRE_OK;
}

static void close_emulated(void) { power_w = 0; }

static const struct wire emulated = {ask, close_emulated};

const struct wire *open_emulated(double room_cel, int instant, const char *how) {
  room = now_cel = room_cel;
  is_instant = instant;
  power_w = 0;
  at_s = seconds_now();
  snprintf(fault, sizeof fault, "%s", how);
  return &emulated;
}
