// The link in an Arduino sketch; see examples/Thermometer. fl_micros and fl_image_hash are defined for the sketch.
#ifndef FERNLAB_LINK_ARDUINO_H
#define FERNLAB_LINK_ARDUINO_H

#include <Arduino.h>

#include "fernlab_link.h"

class FernlabLink {
 public:
  // The wire must have been begun: Serial.begin(500000).
  void begin(Stream &wire) {
    wire_ = &wire;
    fl_begin();
  }

  // From loop(), as often as can be: at least once per sample of a stream.
  void poll() {
    while (wire_->available() > 0) {
      const uint8_t byte = static_cast<uint8_t>(wire_->read());
      fl_receive(byte);
      if (byte == 0) fl_poll();
    }
    fl_poll();
    while (fl_pending() && wire_->availableForWrite() > 0) wire_->write(static_cast<uint8_t>(fl_transmit()));
  }

  // True while a node has been heard within the last 5 s.
  bool hostPresent() const { return fl_host_present() != 0; }

 private:
  Stream *wire_ = nullptr;
};

#endif
