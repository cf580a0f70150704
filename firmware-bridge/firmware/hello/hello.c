/*
 * The smallest firmware that shows that a board works: says its name and version at 115200 baud, sends back every line
 * that it gets, and blinks the LED. `v` on a line of its own asks for name and version again.
 *
 * Plain registers of the ATmega328P, no libraries. The core sleeps between interrupts.
 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdint.h>

#ifndef HELLO_VERSION
#define HELLO_VERSION "1.0.0"
#endif

static const char BANNER[] PROGMEM = "fernlab-hello " HELLO_VERSION "\r\n";

#define LINE 64
static volatile char received[LINE];
static volatile uint8_t received_head;
static volatile uint8_t ticks;

ISR(USART_RX_vect)
{
    const char byte = UDR0;
    received[received_head % LINE] = byte;
    received_head++;
}

/* 16 MHz / 1024 / 156 = 100 Hz */
ISR(TIMER0_COMPA_vect)
{
    ticks++;
    if (ticks >= 50) {
        ticks = 0;
        PINB = _BV(PINB5);
    }
}

static void send(char byte)
{
    while (!(UCSR0A & _BV(UDRE0)))
        ;
    UDR0 = byte;
}

static void send_banner(void)
{
    const char *at = BANNER;
    char byte;
    while ((byte = pgm_read_byte(at++)) != 0)
        send(byte);
}

int main(void)
{
    char line[LINE];
    uint8_t length = 0;
    uint8_t taken = 0;

    MCUSR = 0;
    wdt_disable();
    DDRB = _BV(DDB5);
    /* 115200 baud with double speed: 2.1 % fast, as the Uno's own boot loader */
    UCSR0A = _BV(U2X0);
    UBRR0 = 16;
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    TCCR0A = _BV(WGM01);
    OCR0A = 155;
    TIMSK0 = _BV(OCIE0A);
    TCCR0B = _BV(CS02) | _BV(CS00);
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
    send_banner();

    for (;;) {
        cli();
        if (taken == received_head) {
            sleep_enable();
            sei();
            sleep_cpu();
            sleep_disable();
            continue;
        }
        sei();
        const char byte = received[taken++ % LINE];
        if (byte != '\n') {
            if (byte != '\r' && length < LINE)
                line[length++] = byte;
            continue;
        }
        if (length == 1 && line[0] == 'v') {
            send_banner();
        } else {
            for (uint8_t i = 0; i < length; i++)
                send(line[i]);
            send('\r');
            send('\n');
        }
        length = 0;
    }
}
