/*
 * The temperature of a heated block: measured by a thermistor, driven by hand or by a PID on the board.
 *
 * INVARIANTS: a hand on the heater takes it from the controller; a block above CUT_OUT, or a thermistor that is broken or
 * has come off, cuts the heater out until `reset`; the heater is off, and the controller too, while no host is heard (5 s).
 * The switches are safe in any order: heater 0 and control 0 are never refused.
 */
#include <math.h>

#include "board.h"
#include "control.h"
#include "fernlab_link.h"

#define CUT_OUT 80.0f
/* Cooler than so much a tripped board may be reset. */
#define COOL 70.0f
/* Parts of the supply beyond which the thermistor is short (above 145 Cel), or open (below -45 Cel). */
#define SHORT 0.025f
#define OPEN 0.985f
#define AMBIENT_STEPS 20

/*         name         unit       type     access       step   low  high  digits rate in Hz */
#define THERMAL(SIGNAL, ACTION, ARGUMENT)                                              \
  SIGNAL(temperature, "Cel",       FL_I16,  FL_READ,     0.01,  -55, 150,  2,     20)  \
  SIGNAL(ambient,     "Cel",       FL_I16,  FL_READ,     0.01,  -55, 128,  2,     20)  \
  SIGNAL(heater,      "%",         FL_U16,  FL_READ_SET, 0.1,   0,   100,  1,     20)  \
  SIGNAL(setpoint,    "Cel",       FL_I16,  FL_READ_SET, 0.1,   0,   70,   1,     20)  \
  SIGNAL(control,     "1",         FL_BOOL, FL_READ_SET, 1,     0,   1,    0,     20)  \
  SIGNAL(kp,          "%/K",       FL_U16,  FL_READ_SET, 0.01,  0,   100,  2,     20)  \
  SIGNAL(ki,          "%/(K.s)",   FL_U16,  FL_READ_SET, 0.001, 0,   20,   3,     20)  \
  SIGNAL(kd,          "%.s/K",     FL_U16,  FL_READ_SET, 0.01,  0,   100,  2,     20)  \
  SIGNAL(tripped,     "1",         FL_BOOL, FL_READ,     1,     0,   1,    0,     20)  \
  ACTION(reset)
FL_BOARD(THERMAL, "thermal-control", "1.0.0");

static const gains DEFAULT_GAINS = {8.0f, 0.9f, 6.0f};
#define DEFAULT_SETPOINT 25.0f

static gains by;
static controller pid;
static float temperature, setpoint, power;
static int16_t ambient;
static uint8_t is_controlled, is_tripped, is_measured;
static uint32_t hash;

static void heat(float percent) {
  power = percent;
  board_heat((uint16_t)(percent * 10 + 0.5f));
}

static void off(void) {
  is_controlled = 0;
  heat(0);
}

static int32_t steps(float value, float per_unit) { return (int32_t)lroundf(value * per_unit); }

uint8_t fl_read(uint8_t signal, fl_value *value) {
  switch (signal) {
    case FL_temperature: value->i = steps(temperature, 100); return is_measured ? FL_OK : FL_REFUSED;
    case FL_ambient: value->i = ambient; return is_measured && ambient != NO_AMBIENT ? FL_OK : FL_REFUSED;
    case FL_heater: value->i = steps(power, 10); return FL_OK;
    case FL_setpoint: value->i = steps(setpoint, 10); return FL_OK;
    case FL_control: value->i = is_controlled; return FL_OK;
    case FL_kp: value->i = steps(by.kp, 100); return FL_OK;
    case FL_ki: value->i = steps(by.ki, 1000); return FL_OK;
    case FL_kd: value->i = steps(by.kd, 100); return FL_OK;
    default: value->i = is_tripped; return FL_OK;
  }
}

static uint8_t set_heater(float percent) {
  if (is_tripped && percent > 0) return FL_REFUSED;
  is_controlled = 0;
  heat(percent);
  return FL_OK;
}

static uint8_t set_control(uint8_t on) {
  if (on && (is_tripped || !is_measured)) return FL_REFUSED;
  if (on && !is_controlled) control_begin(&pid, &by, setpoint, temperature, power);
  if (!on && is_controlled) heat(0);
  is_controlled = on;
  return FL_OK;
}

uint8_t fl_set(uint8_t signal, fl_value value) {
  const float number = (float)value.i;
  switch (signal) {
    case FL_heater: return set_heater(number / 10);
    case FL_control: return set_control(value.i != 0);
    case FL_setpoint: setpoint = number / 10; return FL_OK;
    case FL_kp: by.kp = number / 100; return FL_OK;
    case FL_ki: by.ki = number / 1000; return FL_OK;
    default: by.kd = number / 100; return FL_OK;
  }
}

static void begin(void) {
  off();
  by = DEFAULT_GAINS;
  setpoint = DEFAULT_SETPOINT;
}

/* The only action: as after power came on. */
uint8_t fl_call(uint8_t action, const fl_value *arguments) {
  (void)action;
  (void)arguments;
  begin();
  if (temperature > COOL) return is_tripped ? FL_REFUSED : FL_OK;
  is_tripped = 0;
  return FL_OK;
}

uint32_t fl_image_hash(void) { return hash; }

static void step(uint16_t sum) {
  static uint8_t until_ambient;
  const float part = ((float)sum / CONVERSIONS + 0.5f) / 1024;
  temperature = thermistor_celsius(part);
  if (until_ambient == 0) {
    ambient = board_ambient();
    until_ambient = AMBIENT_STEPS;
  }
  until_ambient--;
  is_measured = 1;
  if (temperature > CUT_OUT || part < SHORT || part > OPEN) is_tripped = 1;
  if (is_tripped || !fl_host_present()) off();
  else if (is_controlled) heat(control_step(&pid, &by, setpoint, temperature, STEP_S));
}

int main(void) {
  uint16_t sum;
  hash = fl_flash_hash();
  begin();
  board_begin();
  fl_begin();
  for (;;) {
    fl_poll();
    if (board_step(&sum)) step(sum);
    board_rest();
  }
}
