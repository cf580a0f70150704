/* What a thermistor's reading means, and the controller; nothing of it knows the board. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

/* %/K, %/(K.s), %.s/K */
typedef struct {
  float kp, ki, kd;
} gains;

typedef struct {
  /* What the error has added up to, in %. */
  float integral;
  /* The temperature behind a low pass of DERIVATIVE_S: how far it lags is its slope. */
  float slow;
} controller;

#define DERIVATIVE_S 0.5f

/*
 * The temperature in degrees Celsius of a thermistor of 10 kOhm at 25 degrees and B = 3950 K, with 10 kOhm to the supply, at
 * `part` (0 to 1) of the supply: R/(R + 10 kOhm) = part, and 1/T = 1/298.15 K + ln(R/10 kOhm)/B.
 */
float thermistor_celsius(float part);

/* Begins with what the heater has now, so that it does not jump where it need not. */
void control_begin(controller *self, const gains *by, float setpoint, float temperature, float power);

/*
 * The heater's power in %, 0 to 100, after one step of `dt` seconds. The derivative is that of the temperature, so that a
 * new setpoint gives no kick. The integral stands still while it would push an output that is at its limit further.
 */
float control_step(controller *self, const gains *by, float setpoint, float temperature, float dt);

#endif
