/*
 * The firmware's side of the link; see fernlab_link.h for its use and README.md for the wire.
 *
 * INVARIANTS: what fl_receive and fl_transmit share with the main loop are single bytes, so no interrupt sees half of
 * one; a request is answered by `fl_poll` alone; a set, a call or a stream is done once however often it is asked with
 * the same number; a frame is in the ring whole before `tx_ready` passes it; a sample that finds no room, or that is
 * late by a whole period, is left out and its number is used up, so that the host sees the gap.
 */
#include "fernlab_link.h"

#include <string.h>

#ifdef __AVR__
#define flash_byte(address) pgm_read_byte(address)
#define flash_dword(address) pgm_read_dword(address)
#define flash_float(address) pgm_read_float(address)
#define KEPT __attribute__((section(".noinit")))
#else
#define flash_byte(address) (*(const uint8_t *)(address))
#define flash_dword(address) (*(const uint32_t *)(address))
#define flash_float(address) (*(const float *)(address))
#define KEPT
#endif

/* Frame: kind, number, acknowledged number, credit, payload, CRC-32, all little-endian; see README.md. */
#define HEADER 4
#define CHECK 4
/* What COBS adds: the first code and the delimiter. */
#define STUFFING 2
#define AROUND (HEADER + CHECK + STUFFING)
#define KIND(kind) ((uint8_t)(FL_VERSION << 5 | (kind)))

enum { CONNECT = 1, DESCRIBE, READ, SET, CALL, STREAM, TIME, CREDIT };
enum { REPLY = 16, HELLO = 24, SAMPLES = 25 };

#define MOST_READ 16
#define HOST_SILENT_US 5000000UL
/* A slow stream sends its samples at least this often. */
#define FLUSH_US 20000UL
/* A frame of samples fills half of the ring at most: one is made while another leaves. */
#define SAMPLES_SIZE (FL_TX_SIZE / 2)
#define SAMPLES_HEAD 6

#if FL_TX_SIZE < 160 || FL_TX_SIZE > 254 || FL_RX_SIZE < 32 || FL_RX_SIZE > 250
#error "FL_TX_SIZE may be 160 to 254, FL_RX_SIZE 32 to 250"
#endif

/* Entries travel as they are in memory. */
#define ENTRY_SIZE 56
typedef char fl_entry_has_no_gaps[sizeof(fl_entry) == ENTRY_SIZE ? 1 : -1];
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the tables must be little-endian"
#endif
typedef char fl_sample_fits_its_frame[SAMPLES_SIZE >= AROUND + SAMPLES_HEAD + 4 * FL_STREAM_SIGNALS ? 1 : -1];

/* ---- CRC-32, four bits at a time ---- */

static const uint32_t crc_table[16] FL_FLASH = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

static uint32_t crc_next(uint32_t crc, uint8_t byte) {
  crc = flash_dword(&crc_table[(uint8_t)((uint8_t)crc ^ byte) & 15]) ^ (crc >> 4);
  return flash_dword(&crc_table[(uint8_t)((uint8_t)crc ^ (byte >> 4)) & 15]) ^ (crc >> 4);
}

uint32_t fl_crc32(uint32_t crc, const void *bytes, uint16_t size) {
  const uint8_t *at = (const uint8_t *)bytes;
  crc = ~crc;
  while (size-- > 0) crc = crc_next(crc, *at++);
  return ~crc;
}

#ifdef __AVR__
extern const uint8_t __data_load_end[];

uint32_t fl_flash_hash(void) {
  uint32_t crc = 0xffffffff;
  const uint8_t *at;
  for (at = 0; at < __data_load_end; at++) crc = crc_next(crc, pgm_read_byte(at));
  return ~crc;
}
#endif

/* ---- out: frames are stuffed (COBS) as they are written into the ring ---- */

static uint8_t tx[FL_TX_SIZE];
static volatile uint8_t tx_taken, tx_ready;
/* What is in the buffers is there before the index that says so: the compiler moves nothing across. */
#if defined(__GNUC__)
#define FENCE() __asm__ volatile("" ::: "memory")
#else
#define FENCE() ((void)0)
#endif
static uint8_t tx_at, tx_code, tx_run, tx_size;
static uint32_t tx_crc;

static uint8_t after(uint8_t at) { return ++at == FL_TX_SIZE ? 0 : at; }

static uint8_t room(void) {
  uint8_t taken = tx_taken;
  return (uint8_t)((taken > tx_at ? taken - tx_at : FL_TX_SIZE - tx_at + taken) - 1);
}

static void put(uint8_t byte) {
  tx[tx_at] = byte;
  tx_at = after(tx_at);
  tx_size++;
}

static void stuff(uint8_t byte) {
  if (byte != 0) {
    put(byte);
    tx_run++;
    return;
  }
  tx[tx_code] = tx_run;
  tx_code = tx_at;
  tx_run = 1;
  put(0);
}

static void write8(uint8_t byte) {
  tx_crc = crc_next(tx_crc, byte);
  stuff(byte);
}

/* The low bytes of a number. */
static void write_low(uint32_t bits, uint8_t size) {
  while (size-- > 0) {
    write8((uint8_t)bits);
    bits >>= 8;
  }
}

static void write32(uint32_t bits) { write_low(bits, 4); }

/* ---- what is known of the host ---- */

static uint32_t session, heard_at;
static uint8_t present;
static uint8_t last_number, last_status;
/* Frames that were none: by their check, and by their form. */
static uint8_t bad_checks;
static volatile uint8_t bad_forms;

static void write_header(uint8_t kind, uint8_t number) {
  tx_crc = 0xffffffff;
  tx_code = tx_at;
  tx_run = 1;
  tx_size = 0;
  put(0);
  write8(KIND(kind));
  write8(number);
  write8(last_number);
  write8(FL_RX_SIZE - HEADER - CHECK);
}

static void finish(void) {
  uint32_t crc = ~tx_crc;
  uint8_t i;
  for (i = 0; i < 4; i++) {
    stuff((uint8_t)crc);
    crc >>= 8;
  }
  tx[tx_code] = tx_run;
  put(0);
  FENCE();
  tx_ready = tx_at;
}

int16_t fl_transmit(void) {
  uint8_t at = tx_taken, byte;
  if (at == tx_ready) return -1;
  FENCE();
  byte = tx[at];
  FENCE();
  tx_taken = after(at);
  return byte;
}

uint8_t fl_pending(void) { return tx_taken != tx_ready; }

/* ---- in: COBS is undone byte by byte ---- */

static uint8_t rx[FL_RX_SIZE];
static volatile uint8_t rx_full, rx_length;
static uint8_t rx_left, rx_started, rx_skip;
static uint32_t rx_time;

void fl_receive(uint8_t byte) {
  if (byte == 0) {
    if (rx_full) {
      rx_skip = 0;
      return;
    }
    if (rx_started && !rx_skip && rx_left == 0 && rx_length >= HEADER + CHECK) {
      rx_time = fl_micros();
      FENCE();
      rx_full = 1;
    } else {
      if (rx_started) bad_forms++;
      rx_length = 0;
    }
    rx_started = rx_left = rx_skip = 0;
    return;
  }
  if (rx_full || rx_skip) {
    rx_skip = 1;
    rx_started = !rx_full;
    return;
  }
  if (rx_left == 0) {
    uint8_t next = rx_length;
    /* The code before stood for a zero. */
    if (rx_started) {
      if (next == FL_RX_SIZE) {
        rx_skip = 1;
        return;
      }
      rx[next++] = 0;
    }
    rx_length = next;
    rx_started = 1;
    rx_left = byte - 1;
    return;
  }
  if (rx_length == FL_RX_SIZE) {
    rx_skip = 1;
    return;
  }
  rx[rx_length] = byte;
  rx_length++;
  rx_left--;
}

static uint32_t rx32(uint8_t at) {
  return (uint32_t)rx[at] | (uint32_t)rx[at + 1] << 8 | (uint32_t)rx[at + 2] << 16 | (uint32_t)rx[at + 3] << 24;
}

/* ---- values ---- */

static uint8_t entries(void) { return flash_byte(&fl_entries); }

static uint8_t type_of(uint8_t entry) { return flash_byte(&fl_table[entry].type); }

static uint8_t is_signal(uint8_t entry, uint8_t access) {
  return entry < entries() && flash_byte(&fl_table[entry].role) == FL_ROLE_SIGNAL &&
         (flash_byte(&fl_table[entry].access) & access) != 0;
}

static uint8_t is_within(uint8_t entry, fl_value value) {
  float steps = type_of(entry) == FL_F32 ? value.f : (float)value.i;
  return steps >= flash_float(&fl_table[entry].low) && steps <= flash_float(&fl_table[entry].high);
}

static uint8_t read_signal(uint8_t signal, fl_value *value) {
  value->i = 0;
  return is_signal(signal, FL_READ) ? fl_read(signal, value) : FL_UNKNOWN;
}

static uint32_t bits_of(fl_value value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static fl_value rx_value(uint8_t at) {
  fl_value value;
  value.i = (int32_t)rx32(at);
  return value;
}

/* ---- streaming ---- */

static uint8_t stream_count, stream_signals[FL_STREAM_SIGNALS], stream_size;
static uint32_t stream_period, stream_due;
static uint16_t stream_sample;
/* Number of the next frame of samples, and the first that the host does not want yet. */
static uint8_t stream_number, stream_limit;
/* Samples in the frame that is being written; 0 when there is none. */
static uint8_t stream_held;

static void send_held(void) {
  if (stream_held == 0) return;
  stream_held = 0;
  stream_number++;
  finish();
}

static uint8_t sample(fl_value *values) {
  uint8_t i;
  for (i = 0; i < stream_count; i++) {
    if (read_signal(stream_signals[i], &values[i]) != FL_OK) return 0;
  }
  return 1;
}

static void take_sample(uint32_t time) {
  fl_value values[FL_STREAM_SIGNALS];
  uint8_t i;
  if (!sample(values)) {
    send_held();
    return;
  }
  if (stream_held == 0) {
    if (stream_number == stream_limit || room() < SAMPLES_SIZE) return;
    write_header(SAMPLES, stream_number);
    write_low(stream_sample, 2);
    write32(time);
  }
  for (i = 0; i < stream_count; i++) write_low(bits_of(values[i]), type_of(stream_signals[i]) & 7);
  stream_held++;
  /* What is written so far has the code, but not the check and the delimiter. */
  if (tx_size + stream_size + CHECK + 1 > SAMPLES_SIZE ||
      (uint32_t)stream_held * stream_period >= FLUSH_US)
    send_held();
}

static void stream(void) {
  uint32_t late;
  if (stream_count == 0) return;
  late = fl_micros() - stream_due;
  if (late >= 0x80000000UL) return;
  /* Samples that were missed are not made up: their numbers are used up. */
  if (late >= stream_period) {
    send_held();
    for (; late >= stream_period; late -= stream_period) {
      stream_sample++;
      stream_due += stream_period;
    }
  }
  take_sample(stream_due);
  stream_sample++;
  stream_due += stream_period;
}

/* ---- requests ---- */

static uint8_t start_stream(uint8_t size) {
  uint8_t i, bytes = 0;
  uint32_t period = rx32(HEADER);
  uint8_t count = (uint8_t)(size - 4);
  if (size < 4 || count > FL_STREAM_SIGNALS || (count > 0 && period == 0)) return FL_MALFORMED;
  for (i = 0; i < count; i++) {
    uint8_t signal = rx[HEADER + 4 + i];
    if (!is_signal(signal, FL_READ)) return FL_UNKNOWN;
    if (period < flash_dword(&fl_table[signal].shortest_us)) return FL_LIMITS;
    bytes += type_of(signal) & 7;
  }
  stream_count = 0;
  for (i = 0; i < count; i++) stream_signals[i] = rx[HEADER + 4 + i];
  stream_period = period;
  stream_due = fl_micros() + period;
  stream_sample = 0;
  stream_number = 0;
  stream_limit = rx[3];
  stream_size = bytes;
  stream_count = count;
  return FL_OK;
}

static uint8_t set_signals(uint8_t size) {
  uint8_t at, status = FL_OK;
  const uint8_t end = (uint8_t)(HEADER + size);
  if (size == 0 || size % 5 != 0) return FL_MALFORMED;
  for (at = HEADER; at < end; at += 5) {
    if (!is_signal(rx[at], FL_SET)) return FL_UNKNOWN;
    if (!is_within(rx[at], rx_value(at + 1))) return FL_LIMITS;
  }
  for (at = HEADER; at < end && status == FL_OK; at += 5) status = fl_set(rx[at], rx_value(at + 1));
  return status;
}

static uint8_t call_action(uint8_t size) {
  fl_value arguments[(FL_RX_SIZE - HEADER - CHECK) / 4];
  uint8_t action = rx[HEADER], count = 0;
  if (size == 0 || action >= entries() || flash_byte(&fl_table[action].role) != FL_ROLE_ACTION) return FL_UNKNOWN;
  while (action + 1 + count < entries() && flash_byte(&fl_table[action + 1 + count].role) == FL_ROLE_ARGUMENT) {
    if (HEADER + 1 + 4 * (count + 1) > HEADER + size) return FL_MALFORMED;
    arguments[count] = rx_value((uint8_t)(HEADER + 1 + 4 * count));
    if (!is_within((uint8_t)(action + 1 + count), arguments[count])) return FL_LIMITS;
    count++;
  }
  return size == 1 + 4 * count ? fl_call(action, arguments) : FL_MALFORMED;
}

/* What is done once, however often it is asked. */
static uint8_t perform(uint8_t kind, uint8_t size) {
  if (kind == SET) return set_signals(size);
  if (kind == CALL) return call_action(size);
  return start_stream(size);
}

static void reply(uint8_t kind, uint8_t number, uint8_t status) {
  write_header(REPLY | kind, number);
  write8(status);
}

static uint16_t boots KEPT, boots_check KEPT;

static void write_self(void) {
  uint8_t i;
  write32(session);
  write_low(boots, 2);
  write32(fl_image_hash());
  write8(entries());
  write8(FL_STREAM_SIGNALS);
  for (i = 0; i < flash_byte(&fl_identity_size); i++) write8(flash_byte(&fl_identity[i]));
}

static void answer_read(uint8_t number, uint8_t size) {
  fl_value values[MOST_READ];
  uint8_t i, status = size == 0 || size > MOST_READ ? FL_MALFORMED : FL_OK;
  uint32_t time = fl_micros();
  for (i = 0; i < size && status == FL_OK; i++) status = read_signal(rx[HEADER + i], &values[i]);
  reply(READ, number, status);
  if (status != FL_OK) return;
  write32(time + (fl_micros() - time) / 2);
  for (i = 0; i < size; i++) write32(bits_of(values[i]));
}

static void answer_describe(uint8_t number, uint8_t size) {
  uint8_t i, entry = rx[HEADER];
  uint8_t is_known = size == 1 && entry < entries();
  const uint8_t *bytes = (const uint8_t *)&fl_table[entry];
  reply(DESCRIBE, number, is_known ? FL_OK : FL_UNKNOWN);
  if (!is_known) return;
  for (i = 0; i < ENTRY_SIZE; i++) write8(flash_byte(bytes + i));
}

static void answer_time(uint8_t number) {
  reply(TIME, number, FL_OK);
  write32(rx_time);
  write8((uint8_t)(bad_checks + bad_forms));
  write8(stream_number);
  write_low(stream_sample, 2);
}

static void start_session(uint8_t number) {
  session = rx32(HEADER);
  stream_count = 0;
  last_number = number;
  reply(CONNECT, number, FL_OK);
  write_self();
}

/* A request whose check is right: answers it. */
static void answer(uint8_t kind, uint8_t number, uint8_t size) {
  if (kind == CONNECT && size == 4) {
    start_session(number);
  } else if (session == 0) {
    reply(kind, number, FL_NO_SESSION);
  } else if (kind == SET || kind == CALL || kind == STREAM) {
    if (number != last_number) last_status = perform(kind, size);
    last_number = number;
    reply(kind, number, last_status);
  } else {
    last_number = number;
    if (kind == READ) answer_read(number, size);
    else if (kind == DESCRIBE) answer_describe(number, size);
    else if (kind == TIME) answer_time(number);
    else reply(kind, number, FL_MALFORMED);
  }
  finish();
}

static void say_hello(void) {
  write_header(HELLO, 0);
  write_self();
  finish();
}

/* Nonzero when the frame was dealt with; a request waits while there is no room for its answer. */
static uint8_t handle(uint8_t size) {
  uint8_t kind = rx[0], number = rx[1];
  if (fl_crc32(0, rx, (uint16_t)(HEADER + size)) != rx32((uint8_t)(HEADER + size))) {
    bad_checks++;
    return 1;
  }
  /* What the host says is for hosts, such as an echo of our own. */
  if ((kind & 31) == 0 || (kind & 31) >= REPLY) return 1;
  heard_at = rx_time;
  present = 1;
  if (kind == KIND(CREDIT)) {
    /* Never more than the host has said, however old the frame is that says less. */
    stream_limit = (uint8_t)(rx[2] + rx[3]);
    return 1;
  }
  send_held();
  if (room() < AROUND + 1 + 4 + 4 * MOST_READ) return 0;
  if (kind >> 5 != FL_VERSION) say_hello();
  else answer(kind & 31, number, size);
  return 1;
}

void fl_poll(void) {
  if (rx_full) {
    FENCE();
    if (handle((uint8_t)(rx_length - HEADER - CHECK))) {
      rx_length = 0;
      FENCE();
      rx_full = 0;
    }
  }
  stream();
  if (present && fl_micros() - heard_at > HOST_SILENT_US) {
    present = 0;
    stream_count = 0;
  }
}

uint8_t fl_host_present(void) { return present; }

void fl_begin(void) {
  if ((boots ^ boots_check) != 0xffff) boots = 0;
  boots++;
  boots_check = (uint16_t)~boots;
  put(0);
  say_hello();
}
