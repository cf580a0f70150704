/*
 * The oven of oven.py in C99, without a library: cc -O2 -o oven oven.c
 * Messages are one a line, written by the node as JSON.stringify does: no spaces, `id` before `method`.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double room = 20, now_cel = 20, power_w = 0, at_s = 0;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* 2 degrees for each watt, reached with a time constant of 30 s. */
static double temperature(void) {
  double passed = seconds() - at_s;
  at_s += passed;
  now_cel += (room + 2 * power_w - now_cel) * (passed < 30 ? passed / 30 : 1);
  return now_cel;
}

static void result(long id, const char *json) {
  printf("{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":%s}\n", id, json);
  fflush(stdout);
}

static void refuse(long id, int code, const char *why) {
  printf("{\"jsonrpc\":\"2.0\",\"id\":%ld,\"error\":{\"code\":%d,\"message\":\"%s\"}}\n", id, code, why);
  fflush(stdout);
}

static const char *const description =
    "{\"fernlab\":1,\"model\":\"oven\",\"signals\":{"
    "\"heater\":{\"unit\":\"W\",\"access\":\"read-set\",\"limits\":{\"low\":0,\"high\":40}},"
    "\"temperature\":{\"unit\":\"Cel\",\"precision\":2}},"
    "\"actions\":{\"cool\":{}}}";

static void answer(long id, const char *line) {
  if (strstr(line, "\"method\":\"describe\"")) return result(id, description);
  if (strstr(line, "\"method\":\"open\"")) {
    at_s = seconds();
    return result(id, "\"Fernlab,oven,1\"");
  }
  if (strstr(line, "\"method\":\"read\"")) {
    char heater[40] = "", cel[40] = "", json[96];
    if (strstr(line, "\"heater\"")) snprintf(heater, sizeof heater, "\"heater\":%.9g", power_w);
    if (strstr(line, "\"temperature\"")) snprintf(cel, sizeof cel, "\"temperature\":%.4f", temperature());
    snprintf(json, sizeof json, "{%s%s%s}", heater, *heater && *cel ? "," : "", cel);
    return result(id, json);
  }
  if (strstr(line, "\"method\":\"set\"")) {
    const char *value = strstr(line, "\"value\":");
    if (!strstr(line, "\"signal\":\"heater\"") || !value) return refuse(id, -32602, "only heater is set");
    temperature();
    power_w = strtod(value + strlen("\"value\":"), NULL);
    return result(id, "null");
  }
  if (strstr(line, "\"method\":\"call\"")) {
    power_w = 0;
    now_cel = room;
    return result(id, "null");
  }
  if (strstr(line, "\"method\":\"close\"")) {
    power_w = 0;
    return result(id, "null");
  }
  refuse(id, -32601, "no such method");
}

int main(void) {
  static char line[65536];
  /* The end of the input means that the node is gone. */
  while (fgets(line, sizeof line, stdin)) {
    const char *id = strstr(line, "\"id\":");
    if (id && !strstr(line, "\"method\":\"cancel\"")) answer(strtol(id + 5, NULL, 10), line);
  }
  return 0;
}
