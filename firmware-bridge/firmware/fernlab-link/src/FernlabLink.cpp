#ifdef ARDUINO
#include "FernlabLink.h"

uint32_t fl_micros(void) { return micros(); }

uint32_t fl_image_hash(void) {
#ifdef __AVR__
  return fl_flash_hash();
#else
  const char built[] = __DATE__ __TIME__;
  return fl_crc32(0, built, sizeof built);
#endif
}
#endif
