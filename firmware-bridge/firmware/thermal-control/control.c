#include "control.h"

#include <math.h>

static float within(float value, float low, float high) { return value < low ? low : value > high ? high : value; }

float thermistor_celsius(float part) {
  const float x = within(part, 0.0001f, 0.9999f);
  return 1.0f / (1.0f / 298.15f + logf(x / (1.0f - x)) / 3950.0f) - 273.15f;
}

void control_begin(controller *self, const gains *by, float setpoint, float temperature, float power) {
  self->slow = temperature;
  self->integral = within(power - by->kp * (setpoint - temperature), 0, 100);
}

float control_step(controller *self, const gains *by, float setpoint, float temperature, float dt) {
  const float error = setpoint - temperature;
  const float slope = (temperature - self->slow) / DERIVATIVE_S;
  const float more = by->ki * error * dt;
  const float rest = by->kp * error - by->kd * slope;
  const float wanted = rest + self->integral + more;
  self->slow += (temperature - self->slow) * dt / DERIVATIVE_S;
  if ((wanted <= 100 || more < 0) && (wanted >= 0 || more > 0)) self->integral = within(self->integral + more, 0, 100);
  return within(rest + self->integral, 0, 100);
}
