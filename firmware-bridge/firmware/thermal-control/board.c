/*
 * One timer makes the time, the steps of the control, the conversions and the heater's pulses. The heater is on or off for
 * a tick at a time, spread as evenly as can be (sigma-delta), so that its power has a thousand levels without a timer.
 *
 * INVARIANTS: what interrupts and the main loop share is read with interrupts off; the core sleeps only when nothing has
 * happened since it last looked; a core that hangs is reset, and its pins let go of the heater.
 */
#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/atomic.h>
#include <util/twi.h>

#include "fernlab_link.h"

#ifndef BAUD
#define BAUD 500000UL
#endif
#define HEATER _BV(PORTB1)
#define TMP102 0x48
/* At 100 kbit/s a byte takes 90 us; these turns take more than 1 ms. */
#define BUS_PATIENCE 4000

static volatile uint32_t ticks;
static volatile uint8_t happened;
static volatile uint16_t heat_permille, step_sum;
static volatile uint8_t step_ready;

/* The watchdog stays on over the reset that it has made. */
void forget_watchdog(void) __attribute__((naked, used, section(".init3")));
void forget_watchdog(void) {
  MCUSR = 0;
  wdt_disable();
}

ISR(TIMER0_OVF_vect) {
  static uint16_t owed;
  ticks++;
  happened = 1;
  owed += heat_permille;
  if (heat_permille > 0 && owed >= 1000) {
    owed -= 1000;
    PORTB |= HEATER;
  } else {
    PORTB &= (uint8_t)~HEATER;
    if (heat_permille == 0) owed = 0;
  }
  ADCSRA |= _BV(ADSC);
}

ISR(ADC_vect) {
  static uint16_t sum;
  static uint8_t count;
  sum += ADC;
  count++;
  if (count == CONVERSIONS) {
    step_sum = sum;
    step_ready = 1;
    happened = 1;
    sum = 0;
    count = 0;
  } else if (count % 8 != 0) {
    ADCSRA |= _BV(ADSC);
  }
}

ISR(USART_RX_vect) {
  fl_receive(UDR0);
  happened = 1;
}

ISR(USART_UDRE_vect) {
  UDR0 = (uint8_t)fl_transmit();
  if (!fl_pending()) UCSR0B &= (uint8_t)~_BV(UDRIE0);
  happened = 1;
}

uint32_t fl_micros(void) {
  uint32_t whole;
  uint8_t part;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    whole = ticks;
    part = TCNT0;
    /* It has turned, and its interrupt has not come yet. */
    if ((TIFR0 & _BV(TOV0)) && part < 128) whole++;
  }
  return whole << 14 | (uint16_t)(part << 6);
}

void board_begin(void) {
  DDRB = HEATER;
  /* Timer 0: 16 MHz / 1024. The thermistor's divider is measured against the supply that feeds it. */
  TCCR0B = _BV(CS02) | _BV(CS00);
  TIMSK0 = _BV(TOIE0);
  ADMUX = _BV(REFS0);
  ADCSRA = _BV(ADEN) | _BV(ADIE) | 7;
  UCSR0A = _BV(U2X0);
  UBRR0 = F_CPU / 8 / BAUD - 1;
  UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
  /* 100 kbit/s. */
  TWBR = 72;
  set_sleep_mode(SLEEP_MODE_IDLE);
  wdt_enable(WDTO_500MS);
  sei();
}

void board_heat(uint16_t permille) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) heat_permille = permille;
}

uint8_t board_step(uint16_t *sum) {
  uint8_t ready;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    ready = step_ready;
    step_ready = 0;
    *sum = step_sum;
  }
  return ready;
}

/* Does one thing on the bus; nonzero when it ended as expected. */
static uint8_t bus(uint8_t control, uint8_t expected) {
  uint16_t patience = BUS_PATIENCE;
  TWCR = (uint8_t)(_BV(TWINT) | _BV(TWEN) | control);
  while (!(TWCR & _BV(TWINT)))
    if (--patience == 0) return 0;
  return TW_STATUS == expected;
}

int16_t board_ambient(void) {
  int16_t sixteenths = 0;
  uint8_t is_there = bus(_BV(TWSTA), TW_START);
  if (is_there) {
    TWDR = TMP102 << 1 | 1;
    is_there = bus(0, TW_MR_SLA_ACK) && bus(_BV(TWEA), TW_MR_DATA_ACK);
  }
  if (is_there) {
    sixteenths = (int16_t)(TWDR << 8);
    is_there = bus(0, TW_MR_DATA_NACK);
    sixteenths = (int16_t)((sixteenths | TWDR) >> 4);
  }
  TWCR = _BV(TWINT) | _BV(TWEN) | _BV(TWSTO);
  return is_there ? (int16_t)((int32_t)sixteenths * 25 / 4) : NO_AMBIENT;
}

void board_rest(void) {
  wdt_reset();
  cli();
  if (fl_pending()) UCSR0B |= _BV(UDRIE0);
  if (!happened) {
    sleep_enable();
    sei();
    sleep_cpu();
    sleep_disable();
    cli();
  }
  happened = 0;
  sei();
}
