/* The Uno's pins and peripherals: the heater at D9, the thermistor at A0, a TMP102 on the I2C bus. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* A tick is an overflow of timer 0: 256 times 64 us. */
#define TICK_S 0.016384f
/* Ticks and conversions of one step of the control: 20.3 steps a second. */
#define STEP_TICKS 3
#define STEP_S (STEP_TICKS * TICK_S)
#define CONVERSIONS (STEP_TICKS * 8)

/* What the bus answers when the thermometer does not. */
#define NO_AMBIENT INT16_MIN

/* Starts everything, with the heater off and a watchdog of half a second. */
void board_begin(void);
/* The heater's power from now on, in parts of 1000. */
void board_heat(uint16_t permille);
/* Nonzero once for each step of the control; `sum` is that of its conversions, of 1023 at most each. */
uint8_t board_step(uint16_t *sum);
/* The air beside the block, in hundredths of a degree; takes 0.4 ms. */
int16_t board_ambient(void);
/* Sends what waits, and sleeps until something has happened; the watchdog is content. */
void board_rest(void);

#endif
