/** Which board or adapter a USB device is, by the numbers that its maker gave it. */

export interface Board {
  readonly title: string
  /** Present where the numbers leave no doubt that it is a board which is flashed. */
  readonly board?: string
}

/** `vendor:product`, in hexadecimal; from the vendors' own core definitions (boards.txt) and their USB chips' manuals. */
const products: Readonly<Record<string, Board>> = {
  '2341:0001': { title: 'Arduino Uno', board: 'uno' },
  '2341:0043': { title: 'Arduino Uno', board: 'uno' },
  '2341:0243': { title: 'Arduino Uno', board: 'uno' },
  '2a03:0043': { title: 'Arduino Uno', board: 'uno' },
  '2341:0010': { title: 'Arduino Mega 2560', board: 'mega2560' },
  '2341:0042': { title: 'Arduino Mega 2560', board: 'mega2560' },
  '2341:0242': { title: 'Arduino Mega 2560', board: 'mega2560' },
  '2a03:0042': { title: 'Arduino Mega 2560', board: 'mega2560' },
  '2341:0036': { title: 'Arduino Leonardo in its boot loader', board: 'leonardo' },
  '2341:8036': { title: 'Arduino Leonardo', board: 'leonardo' },
  '2341:8037': { title: 'Arduino Micro', board: 'micro' },
  '2341:003d': { title: 'Arduino Due, programming port', board: 'due' },
  '2341:003e': { title: 'Arduino Due, native port', board: 'due' },
  '2341:8057': { title: 'Arduino Nano 33 IoT' },
  '2341:805a': { title: 'Arduino Nano 33 BLE' },
  '2341:0069': { title: 'Arduino Uno R4 Minima' },
  '2341:1002': { title: 'Arduino Uno R4 WiFi' },
  '2e8a:0003': { title: 'Raspberry Pi Pico in its boot loader', board: 'pico' },
  '2e8a:000a': { title: 'Raspberry Pi Pico', board: 'pico' },
  '2e8a:0005': { title: 'Raspberry Pi Pico with MicroPython', board: 'pico' },
  '2e8a:000c': { title: 'Raspberry Pi Debug Probe' },
  '303a:1001': { title: 'ESP32-S3 or -C3, by its own USB', board: 'esp32' },
  '303a:0002': { title: 'ESP32-S2, by its own USB', board: 'esp32' },
  '16c0:0483': { title: 'Teensy' },
  '0483:374b': { title: 'ST-Link of a Nucleo board' },
  '0483:5740': { title: 'STM32 board, by its own USB' },
  '1a86:7523': { title: 'CH340: an Uno or Nano copy, an ESP32 board or a bare adapter' },
  '1a86:5523': { title: 'CH341: a copy of a board, or a bare adapter' },
  '1a86:55d4': { title: 'CH9102: mostly an ESP32 board' },
  '10c4:ea60': { title: 'CP210x: mostly an ESP32 board, or an instrument' },
  '10c4:ea70': { title: 'CP2105, two ports' },
  '0403:6001': { title: 'FTDI FT232R: an older Nano, an adapter or an instrument' },
  '0403:6010': { title: 'FTDI FT2232, two ports' },
  '0403:6011': { title: 'FTDI FT4232, four ports' },
  '0403:6014': { title: 'FTDI FT232H' },
  '0403:6015': { title: 'FTDI FT-X: an adapter or an instrument' },
  '067b:2303': { title: 'Prolific PL2303: an adapter' },
}

const vendors: Readonly<Record<string, string>> = {
  '2341': 'Arduino board',
  '2a03': 'Arduino board',
  '2e8a': 'Raspberry Pi microcontroller board',
  '303a': 'Espressif board',
  '0403': 'FTDI adapter',
}

/** What a USB device probably is; undefined where its numbers say nothing. */
export function boardOf(vendor: string, product: string): Board | undefined {
  const known = products[`${vendor}:${product}`]
  if (known !== undefined) return known
  const maker = vendors[vendor]
  return maker === undefined ? undefined : { title: maker }
}
