// A thermometer (TMP36 at A0) and a heater (a transistor at pin 9) that a Fernlab node finds by itself.
#include <FernlabLink.h>

#define BOARD(SIGNAL, ACTION, ARGUMENT)                                                   \
  /*     name         unit   type    access       step  low  high  digits  rate in Hz */  \
  SIGNAL(temperature, "Cel", FL_I16, FL_READ,     0.1,  -50, 150,  1,      1000)          \
  SIGNAL(power,       "%",   FL_U8,  FL_READ_SET, 1,    0,   100,  0,      0)             \
  ACTION(off)                                                                             \
  ACTION(blink)                                                                           \
  ARGUMENT(blink, duration, "s", FL_U16, 0.001, 0, 60)
FL_BOARD(BOARD, "thermometer", "1.0.0");

const uint8_t heater = 9;

FernlabLink board;
uint8_t power = 0;
uint32_t blinkEnds = 0;

uint8_t fl_read(uint8_t signal, fl_value *value) {
  if (signal == FL_power) {
    value->i = power;
  } else {
    // 10 mV/K and 500 mV at 0 °C, of 5 V in 1024 steps; in tenths of a degree.
    value->i = analogRead(A0) * 5000L / 1024 - 500;
  }
  return FL_OK;
}

uint8_t fl_set(uint8_t, fl_value value) {
  power = value.i;
  analogWrite(heater, power * 255 / 100);
  return FL_OK;
}

uint8_t fl_call(uint8_t action, const fl_value *arguments) {
  if (action == FL_off) return fl_set(FL_power, fl_value{0});
  digitalWrite(LED_BUILTIN, HIGH);
  blinkEnds = millis() + arguments[0].i;
  return FL_OK;
}

void setup() {
  pinMode(LED_BUILTIN, OUTPUT);
  Serial.begin(500000);
  board.begin(Serial);
}

void loop() {
  board.poll();
  // Nobody watches a heater whose node is gone.
  if (power > 0 && !board.hostPresent()) fl_set(FL_power, fl_value{0});
  if (static_cast<int32_t>(millis() - blinkEnds) >= 0) digitalWrite(LED_BUILTIN, LOW);
}
