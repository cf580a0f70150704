/*
 * The library against bytes of every kind, as fast as the machine can: fuzz FRAMES SEED.
 *
 * Frames are random, or good ones that were broken (bits flipped, bytes cut out, put in, doubled, two merged, cut off),
 * and among them a good one now and then that must be taken. What the library takes is told by the values that it has
 * set: each good frame sets `mark` to a number of its own. Prints how many good ones were taken, how many were not,
 * and how many others were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../firmware-bridge/firmware/fernlab-link/src/fernlab_link.c"

#define FUZZ(SIGNAL, ACTION, ARGUMENT)                                                \
  SIGNAL(mark, "1", FL_I32, FL_READ_SET, 1, -2147483648.0, 2147483647.0, 0, 0)        \
  SIGNAL(other, "V", FL_F32, FL_READ_SET, 1, -1e30, 1e30, 0, 0)                       \
  ACTION(act)                                                                         \
  ARGUMENT(act, by, "1", FL_I32, 1, -2147483648.0, 2147483647.0)
FL_BOARD(FUZZ, "fuzz", "1");

static uint32_t now, changes;
static int32_t mark;

uint32_t fl_micros(void) { return now; }
uint32_t fl_image_hash(void) { return 1; }
uint8_t fl_read(uint8_t signal, fl_value *value) {
  value->i = signal;
  return FL_OK;
}
uint8_t fl_set(uint8_t signal, fl_value value) {
  (void)signal;
  changes++;
  mark = value.i;
  return FL_OK;
}
uint8_t fl_call(uint8_t action, const fl_value *arguments) {
  (void)action;
  (void)arguments;
  changes++;
  return FL_OK;
}

/* xorshift64* (Vigna, 2016). */
static uint64_t state;
static uint32_t any(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * 2685821657736338717ULL) >> 32);
}
static uint32_t below(uint32_t bound) { return (uint32_t)(((uint64_t)any() * bound) >> 32); }

/* A good frame, stuffed, with its delimiter; gives its length. */
static uint32_t good(uint8_t *out, uint8_t kind, uint8_t number, const uint8_t *payload, uint8_t size) {
  uint8_t raw[FL_RX_SIZE], code = 0, at = 1, i;
  uint32_t crc;
  raw[0] = KIND(kind);
  raw[1] = number;
  raw[2] = raw[3] = 0;
  for (i = 0; i < size; i++) raw[HEADER + i] = payload[i];
  size = (uint8_t)(size + HEADER);
  crc = fl_crc32(0, raw, size);
  for (i = 0; i < 4; i++) raw[size++] = (uint8_t)(crc >> (8 * i));
  for (i = 0; i < size; i++) {
    if (raw[i] != 0) {
      out[at++] = raw[i];
    } else {
      out[code] = (uint8_t)(at - code);
      code = at++;
    }
  }
  out[code] = (uint8_t)(at - code);
  out[at++] = 0;
  return at;
}

static void give(const uint8_t *bytes, uint32_t size) {
  uint32_t i;
  for (i = 0; i < size; i++) {
    fl_receive(bytes[i]);
    if (bytes[i] == 0) {
      fl_poll();
      while (fl_transmit() >= 0) {
      }
    }
  }
}

static uint8_t request(uint8_t *payload, uint8_t *kind) {
  uint8_t i, size;
  static const uint8_t kinds[] = {SET, SET, SET, CALL, STREAM, READ, DESCRIBE, TIME};
  *kind = kinds[below(sizeof kinds)];
  size = *kind == SET ? (uint8_t)(5 * (1 + below(8))) : *kind == CALL ? 5 : (uint8_t)(1 + below(40));
  for (i = 0; i < size; i++) payload[i] = (uint8_t)any();
  if (*kind == SET) for (i = 0; i < size; i += 5) payload[i] = 0;
  if (*kind == CALL) payload[0] = 2;
  return size;
}

/* Whether the frame stands whole between two delimiters. */
static int holds(const uint8_t *bytes, uint32_t size, const uint8_t *frame, uint32_t length) {
  uint32_t at;
  for (at = 0; at + length <= size; at++) {
    if ((at == 0 || bytes[at - 1] == 0) && memcmp(bytes + at, frame, length) == 0) return 1;
  }
  return 0;
}

static uint32_t break_once(uint8_t *bytes, uint32_t size) {
  uint32_t at = below(size - 1);
  switch (below(5)) {
    case 0:
      bytes[at] ^= (uint8_t)(1u << below(8));
      return size;
    case 1:
      bytes[at] = (uint8_t)any();
      return size;
    case 2:
      memmove(bytes + at, bytes + at + 1, size - at - 1);
      return size > 3 ? size - 1 : size;
    case 3:
      if (size > 100) return size;
      memmove(bytes + at + 1, bytes + at, size - at);
      bytes[at] = below(2) ? (uint8_t)any() : bytes[at + 1];
      return size + 1;
    default:
      return size > 24 ? size - 1 - below(20) : size;
  }
}

/* Breaks the frame, in one way or in several, until it is none. */
static uint32_t breaks(uint8_t *bytes, uint32_t size) {
  uint8_t frame[128];
  const uint32_t length = size;
  memcpy(frame, bytes, size);
  do {
    size = break_once(bytes, size);
    bytes[size - 1] = 0;
  } while (below(2) || holds(bytes, size, frame, length));
  return size;
}

int main(int count, char **arguments) {
  uint32_t frames = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1000000, i, taken = 0, wrong = 0, lost = 0;
  uint8_t bytes[256], payload[64], number = 1, kind;
  const uint8_t hello[4] = {1, 2, 3, 4};
  state = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
  fl_begin();
  give(bytes, good(bytes, CONNECT, number++, hello, 4));
  for (i = 0; i < frames; i++) {
    uint32_t size, n;
    now += 100;
    changes = 0;
    if (i % 1000 == 999) {
      uint8_t set[5] = {0};
      uint32_t value = i + 1;
      for (n = 0; n < 4; n++) set[1 + n] = (uint8_t)(value >> (8 * n));
      /* What is left of the frame before must not spoil this one. */
      bytes[0] = 0;
      give(bytes, 1);
      changes = 0;
      number = (uint8_t)(last_number + 1);
      give(bytes, good(bytes, SET, number, set, 5));
      if (changes == 1 && (uint32_t)mark == value) taken++;
      else lost++;
      continue;
    }
    if (below(4) == 0) {
      size = 1 + below(60);
      for (n = 0; n < size; n++) bytes[n] = (uint8_t)any();
      bytes[size++] = 0;
    } else {
      uint8_t length = request(payload, &kind);
      size = breaks(bytes, good(bytes, kind, (uint8_t)any(), payload, length));
    }
    give(bytes, size);
    if (changes > 0 || session != 0x04030201) wrong++;
  }
  printf("{\"taken\":%lu,\"lost\":%lu,\"wrong\":%lu}\n", (unsigned long)taken, (unsigned long)lost, (unsigned long)wrong);
  return 0;
}
