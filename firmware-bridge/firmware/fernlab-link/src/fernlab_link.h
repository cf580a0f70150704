/*
 * fernlab-link: a microcontroller that introduces itself to a Fernlab node.
 *
 * C99, no heap, one link per firmware. The wire is described in README.md. An application
 *   1. lists its signals and actions with FL_BOARD (below),
 *   2. defines fl_read, fl_set, fl_call, fl_micros and fl_image_hash,
 *   3. calls fl_begin once, gives every byte from the wire to fl_receive, takes bytes for the wire from fl_transmit,
 *      and calls fl_poll from its main loop, at least once per sample of a stream.
 *
 * fl_receive, fl_transmit and fl_pending may be called from interrupts; the other functions only from the main loop.
 * Where an interrupt takes the bytes, the main loop asks fl_pending and enables that interrupt with interrupts off:
 * between the two the last byte might go, and what goes after it would be of no frame.
 */
#ifndef FERNLAB_LINK_H
#define FERNLAB_LINK_H

#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define FL_FLASH PROGMEM
#else
#define FL_FLASH
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the wire. */
#ifndef FL_VERSION
#define FL_VERSION 1
#endif

/* Bytes of RAM for frames on their way out (160 to 254), and the longest frame that can come in (32 to 250). */
#ifndef FL_TX_SIZE
#define FL_TX_SIZE 192
#endif
#ifndef FL_RX_SIZE
#define FL_RX_SIZE 48
#endif
/* Signals that one stream can have. */
#ifndef FL_STREAM_SIGNALS
#define FL_STREAM_SIGNALS 8
#endif

/* Types on the wire: the low bits are the size in bytes. */
#define FL_BOOL 0x01
#define FL_U8 0x11
#define FL_U16 0x12
#define FL_I16 0x22
#define FL_I32 0x24
#define FL_F32 0x44

/* What may be done with a signal. */
#define FL_READ 1
#define FL_SET 2
#define FL_READ_SET 3

/* What a function of the application answers: FL_OK, or why not. 128 to 255 are the application's own reasons. */
#define FL_OK 0
#define FL_UNKNOWN 1    /* there is no such signal or action, or it can not be read or set */
#define FL_LIMITS 2     /* the value is outside of the limits */
#define FL_REFUSED 3    /* not now */
#define FL_MALFORMED 4  /* a request that makes no sense */
#define FL_NO_SESSION 5 /* the firmware has started anew since the host said hello */

/* A value: `i` for all types but FL_F32, which is in `f`. It counts steps: value = step * i. */
typedef union {
  int32_t i;
  float f;
} fl_value;

/* One line of the board's description. Limits are in steps. */
typedef struct {
  float step, low, high;
  uint32_t shortest_us; /* the shortest period of a stream; 0 for no bound */
  uint8_t role, type, access, digits;
  char name[24];
  char unit[12];
} fl_entry;

#define FL_ROLE_SIGNAL 1
#define FL_ROLE_ACTION 2
#define FL_ROLE_ARGUMENT 3

/*
 * The board's description is one list, written once:
 *
 *   #define OVEN(SIGNAL, ACTION, ARGUMENT)                                                        \
 *     //     name         unit   type    access       step  low  high  digits  max. rate in Hz    \
 *     SIGNAL(temperature, "Cel", FL_I16, FL_READ,     0.1,  -40, 300,  1,      1000)              \
 *     SIGNAL(power,       "%",   FL_U8,  FL_READ_SET, 1,    0,   100,  0,      0)                 \
 *     ACTION(pulse)                                                                               \
 *     ARGUMENT(pulse, seconds, "s", FL_U16, 0.001, 0, 60)
 *   FL_BOARD(OVEN, "oven", "1.0.0")
 *
 * (without the comment: one can not stand in a macro.) This gives the numbers FL_temperature, FL_power, FL_pulse and
 * FL_pulse_seconds, and the tables in flash. Units are UCUM; names at most 23 letters, digits and _, units at most 11.
 * The step of FL_F32 is 1. A rate of 0 sets no bound. Arguments follow their action.
 */
#define FL_BOARD(list, firmware, version)                                                   \
  enum { list(FL_NUMBER_SIGNAL, FL_NUMBER_ACTION, FL_NUMBER_ARGUMENT) FL_ENTRIES };          \
  const fl_entry fl_table[] FL_FLASH = {list(FL_ENTRY_SIGNAL, FL_ENTRY_ACTION, FL_ENTRY_ARGUMENT)}; \
  const uint8_t fl_entries FL_FLASH = FL_ENTRIES;                                            \
  const char fl_identity[] FL_FLASH = firmware "\0" version;                                 \
  const uint8_t fl_identity_size FL_FLASH = sizeof(fl_identity) - 1;                         \
  typedef char fl_identity_is_too_long[sizeof(firmware version) <= 41 ? 1 : -1]

#define FL_NUMBER_SIGNAL(name, unit, type, access, step, low, high, digits, max_hz) FL_##name,
#define FL_NUMBER_ACTION(name) FL_##name,
#define FL_NUMBER_ARGUMENT(action, name, unit, type, step, low, high) FL_##action##_##name,
#define FL_ENTRY_SIGNAL(name, unit, type, access, step, low, high, digits, max_hz)            \
  {(float)(step), (float)((double)(low) / (step)), (float)((double)(high) / (step)),    \
   (max_hz) == 0 ? 0 : (uint32_t)(1000000UL / ((max_hz) + ((max_hz) == 0))), FL_ROLE_SIGNAL, type, access, digits, #name, unit},
#define FL_ENTRY_ACTION(name) {1.0f, 0.0f, 0.0f, 0, FL_ROLE_ACTION, 0, 0, 0, #name, ""},
#define FL_ENTRY_ARGUMENT(action, name, unit, type, step, low, high)                          \
  {(float)(step), (float)((double)(low) / (step)), (float)((double)(high) / (step)), 0, \
   FL_ROLE_ARGUMENT, type, 0, 0, #name, unit},

/* Made by FL_BOARD. */
extern const fl_entry fl_table[];
extern const uint8_t fl_entries;
extern const char fl_identity[];
extern const uint8_t fl_identity_size;

/* Defined by the application. They must return soon: nothing else is done meanwhile. */
uint8_t fl_read(uint8_t signal, fl_value *value);
/* The value is within the signal's limits, as those of an action's arguments are, which come in their order. */
uint8_t fl_set(uint8_t signal, fl_value value);
uint8_t fl_call(uint8_t action, const fl_value *arguments);
/* Microseconds from any start; wraps at 2^32. Also called from within fl_receive. */
uint32_t fl_micros(void);
/* Tells one build of the firmware from another; fl_flash_hash() on an AVR. */
uint32_t fl_image_hash(void);

/* Says hello to whoever listens. Call it once, before the others. */
void fl_begin(void);
/* One byte from the wire. */
void fl_receive(uint8_t byte);
/* The next byte for the wire, or -1 when there is none now. */
int16_t fl_transmit(void);
/* Nonzero when fl_transmit has a byte. */
uint8_t fl_pending(void);
/* Answers what was asked, and takes the sample that is due. */
void fl_poll(void);
/* Nonzero while a host has been heard within the last 5 s: a firmware may switch off what nobody watches. */
uint8_t fl_host_present(void);
/* CRC-32 (IEEE 802.3) of `size` bytes, continuing one of 0 for a start. */
uint32_t fl_crc32(uint32_t crc, const void *bytes, uint16_t size);
#ifdef __AVR__
/* CRC-32 of the program in flash up to its end: the same as that of the flashed file. 0.1 s for 30 kB at 16 MHz. */
uint32_t fl_flash_hash(void);
#endif

#ifdef __cplusplus
}
#endif
#endif
