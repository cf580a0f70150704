/*
 * new-driver: an oven that takes lines over a serial port.
 * "POWER 12.5" is answered "OK", "POWER?" is answered "12.5", "TEMP?" is answered "23.41", all else "ERR and why".
 *
 * The node writes one message a line, as JSON.stringify does: no spaces, `id` before `method`. README.md says where the
 * messages are described.
 */
#define _POSIX_C_SOURCE 200112L
#include "oven.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_UNKNOWN (-32601)
#define PARAMETERS_WRONG (-32602)
#define REFUSED (-32000)

static const char *const description =
    "{\"fernlab\":1,\"model\":\"new-driver\",\"signals\":{"
    "\"power\":{\"title\":\"Heater\",\"unit\":\"W\",\"access\":\"read-set\",\"limits\":{\"low\":0,\"high\":40}},"
    "\"temperature\":{\"title\":\"Temperature\",\"unit\":\"Cel\",\"precision\":2}},"
    "\"actions\":{\"stop\":{\"title\":\"Heater off\"}}}";

static const struct wire *wire;

static void result(long id, const char *json) {
  printf("{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":%s}\n", id, json);
  fflush(stdout);
}

/* `why` becomes a JSON text: what would end it is left out. */
static void refuse(long id, int code, const char *why) {
  char text[200];
  size_t length = 0;
  for (; *why && length < sizeof text - 1; why++)
    if (*why != '"' && *why != '\\' && (unsigned char)*why >= ' ') text[length++] = *why;
  text[length] = 0;
  printf("{\"jsonrpc\":\"2.0\",\"id\":%ld,\"error\":{\"code\":%d,\"message\":\"%s\"}}\n", id, code, text);
  fflush(stdout);
}

/* The text or the number that follows `"key":`; empty without one. */
static void member(const char *line, const char *key, char *value, size_t size) {
  char quoted[40];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  const char *at = strstr(line, quoted);
  size_t length = 0;
  if (at) {
    at += strlen(quoted);
    at += *at == '"';
    while (length < size - 1 && at[length] && !strchr("\",}]", at[length])) length++;
    memcpy(value, at, length);
  }
  value[length] = 0;
}

/* Asks the oven; an answer that is none refuses the call and gives 0. */
static int ask(long id, const char *line, char *answer) {
  char why[ANSWER_BYTES + 80];
  if (!wire) {
    refuse(id, REFUSED, "the oven is not open");
    return 0;
  }
  enum wire_result how = wire->ask(line, answer);
  if (how == WIRE_OK && strncmp(answer, "ERR", 3)) return 1;
  if (how == WIRE_GONE) {
    /* Unplugged: the node takes the instrument offline with these words, and starts this program again. */
    fprintf(stderr, "the oven is gone: %s\n", strerror(errno));
    exit(1);
  }
  if (how == WIRE_SILENT) snprintf(why, sizeof why, "no answer to %s", line);
  else snprintf(why, sizeof why, "%s is answered %s", line, answer);
  refuse(id, REFUSED, why);
  return 0;
}

static void open_oven(long id, const char *line) {
  char port[100], room[40], fault[16], said[ANSWER_BYTES], json[ANSWER_BYTES + 2];
  member(line, "port", port, sizeof port);
  member(line, "roomCel", room, sizeof room);
  member(line, "fault", fault, sizeof fault);
  if (strstr(line, "\"emulated\":true"))
    wire = open_emulated(*room ? strtod(room, NULL) : 20, strstr(line, "\"instant\":true") != NULL, fault);
  else if (*port) wire = open_serial(port);
  else return refuse(id, REFUSED, "settings need port, the oven's serial port, or emulated: true");
  if (!wire) return refuse(id, REFUSED, strerror(errno));
  if (!ask(id, "*IDN?", said)) return;
  snprintf(json, sizeof json, "\"%s\"", said);
  result(id, json);
}

static void read_signals(long id, const char *line) {
  char power[ANSWER_BYTES], cel[ANSWER_BYTES], json[160] = "{";
  size_t length = 1;
  if (strstr(line, "\"power\"")) {
    if (!ask(id, "POWER?", power)) return;
    length += (size_t)snprintf(json + length, 60, "\"power\":%.9g,", strtod(power, NULL));
  }
  if (strstr(line, "\"temperature\"")) {
    if (!ask(id, "TEMP?", cel)) return;
    length += (size_t)snprintf(json + length, 60, "\"temperature\":%.9g,", strtod(cel, NULL));
  }
  strcpy(json + length - (length > 1), "}");
  result(id, json);
}

/* Sends a line that is answered OK. */
static void tell(long id, const char *line) {
  char answer[ANSWER_BYTES];
  if (ask(id, line, answer)) result(id, "null");
}

static void set_power(long id, const char *line) {
  char value[40], order[60];
  member(line, "value", value, sizeof value);
  if (!strstr(line, "\"signal\":\"power\"") || !*value) return refuse(id, PARAMETERS_WRONG, "only power is set");
  snprintf(order, sizeof order, "POWER %.9g", strtod(value, NULL));
  tell(id, order);
}

static void close_oven(long id) {
  char answer[ANSWER_BYTES];
  int is_off = !wire || ask(id, "POWER 0", answer);
  if (wire) wire->close();
  wire = NULL;
  if (is_off) result(id, "null");
}

static void answer(long id, const char *line) {
  char method[20];
  member(line, "method", method, sizeof method);
  if (!strcmp(method, "describe")) result(id, description);
  else if (!strcmp(method, "open")) open_oven(id, line);
  else if (!strcmp(method, "read")) read_signals(id, line);
  else if (!strcmp(method, "set")) set_power(id, line);
  else if (!strcmp(method, "call")) tell(id, "POWER 0");
  else if (!strcmp(method, "close")) close_oven(id);
  else refuse(id, METHOD_UNKNOWN, "no such method");
}

int main(void) {
  static char line[65536];
  /* The end of the input means that the node is gone. */
  while (fgets(line, sizeof line, stdin)) {
    const char *id = strstr(line, "\"id\":");
    if (id && !strstr(line, "\"method\":\"cancel\"")) answer(strtol(id + 5, NULL, 10), line);
  }
  char said[ANSWER_BYTES];
  if (wire) wire->ask("POWER 0", said);
  return 0;
}
