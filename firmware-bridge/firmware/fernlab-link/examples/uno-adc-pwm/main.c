/*
 * Four voltages (A0 to A3), a PWM output (pin 9) and a lamp (pin 13) of an Arduino Uno, without the Arduino library:
 *
 *   avr-gcc -std=c99 -Os -mmcu=atmega328p -DF_CPU=16000000UL -I../../src main.c ../../src/fernlab_link.c -o main.elf
 *   avr-objcopy -O ihex main.elf main.hex
 *
 * The converter goes round the four inputs by itself, 2400 times a second, so that a sample of a stream costs no waiting.
 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "fernlab_link.h"

#ifndef BAUD
#define BAUD 1000000UL
#endif

/*         name    unit type    access       step               low  high          digits  rate in Hz */
#define BENCH(SIGNAL, ACTION, ARGUMENT)                                                    \
  SIGNAL(a0,    "V", FL_U16, FL_READ,     5.0 / 1024,        0,   1023 * 5.0 / 1024, 3, 1000) \
  SIGNAL(a1,    "V", FL_U16, FL_READ,     5.0 / 1024,        0,   1023 * 5.0 / 1024, 3, 1000) \
  SIGNAL(a2,    "V", FL_U16, FL_READ,     5.0 / 1024,        0,   1023 * 5.0 / 1024, 3, 1000) \
  SIGNAL(a3,    "V", FL_U16, FL_READ,     5.0 / 1024,        0,   1023 * 5.0 / 1024, 3, 1000) \
  SIGNAL(power, "%", FL_U8,  FL_READ_SET, 1,                 0,   100,               0, 0)    \
  SIGNAL(lamp,  "1", FL_BOOL, FL_READ_SET, 1,                0,   1,                 0, 0)    \
  ACTION(off)
FL_BOARD(BENCH, "uno-adc-pwm", "1.0.0");

/* ---- time: timer 2 counts half microseconds ---- */

static volatile uint32_t turns;

ISR(TIMER2_OVF_vect) { turns++; }

uint32_t fl_micros(void) {
  uint32_t whole;
  uint8_t part;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    whole = turns;
    part = TCNT2;
    /* It has turned, and its interrupt has not come yet. */
    if ((TIFR2 & _BV(TOV2)) && part < 128) whole++;
  }
  return whole << 7 | part >> 1;
}

/* ---- the wire ---- */

ISR(USART_RX_vect) { fl_receive(UDR0); }

ISR(USART_UDRE_vect) {
  UDR0 = (uint8_t)fl_transmit();
  if (!fl_pending()) UCSR0B &= (uint8_t)~_BV(UDRIE0);
}

/* ---- the converter ---- */

static volatile uint16_t inputs[4];

ISR(ADC_vect) {
  uint8_t input = ADMUX & 3;
  inputs[input] = ADC;
  ADMUX = (uint8_t)(_BV(REFS0) | ((input + 1) & 3));
  ADCSRA |= _BV(ADSC);
}

/* ---- what the board can do ---- */

static uint8_t power;

uint8_t fl_read(uint8_t signal, fl_value *value) {
  if (signal == FL_power) {
    value->i = power;
  } else if (signal == FL_lamp) {
    value->i = (PORTB & _BV(PORTB5)) != 0;
  } else {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) value->i = inputs[signal - FL_a0];
  }
  return FL_OK;
}

uint8_t fl_set(uint8_t signal, fl_value value) {
  if (signal == FL_power) {
    power = (uint8_t)value.i;
    OCR1A = (uint16_t)(power * 255U / 100U);
  } else if (value.i) {
    PORTB |= _BV(PORTB5);
  } else {
    PORTB &= (uint8_t)~_BV(PORTB5);
  }
  return FL_OK;
}

uint8_t fl_call(uint8_t action, const fl_value *arguments) {
  const fl_value none = {0};
  (void)action;
  (void)arguments;
  fl_set(FL_lamp, none);
  return fl_set(FL_power, none);
}

uint32_t fl_image_hash(void) { return fl_flash_hash(); }

int main(void) {
  const fl_value none = {0};
  DDRB = _BV(DDB1) | _BV(DDB5);
  /* Timer 1: 8-bit PWM at pin 9, 62.5 kHz. Timer 2: 2 MHz. */
  TCCR1A = _BV(COM1A1) | _BV(WGM10);
  TCCR1B = _BV(WGM12) | _BV(CS10);
  TCCR2B = _BV(CS21);
  TIMSK2 = _BV(TOIE2);
  UCSR0A = _BV(U2X0);
  UBRR0 = F_CPU / 8 / BAUD - 1;
  UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
  ADMUX = _BV(REFS0);
  ADCSRA = _BV(ADEN) | _BV(ADSC) | _BV(ADIE) | 7;
  sei();
  fl_begin();
  for (;;) {
    fl_poll();
    /* The interrupt that takes the last byte must not come in between: the next would send a byte of no frame. */
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      if (fl_pending()) UCSR0B |= _BV(UDRIE0);
    }
    /* Nobody watches a heater whose node is gone. */
    if (power > 0 && !fl_host_present()) fl_set(FL_power, none);
  }
}
