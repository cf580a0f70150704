/** What the boot loaders in the ROM of Espressif's chips tell of themselves, as data. */

export interface EspChip {
  /** As Espressif calls it. */
  readonly name: string
  /** In the header of its images, and in what GET_SECURITY_INFO answers. */
  readonly chipId: number
  /** Whether its ROM knows GET_SECURITY_INFO; that of the ESP32 does not. */
  readonly tellsSecurity: boolean
  /** Where its second boot loader lies in flash. */
  readonly bootAddress: number
  /** Of the controller of its flash chip. */
  readonly spi: { readonly base: number; readonly user2: number; readonly w0: number }
  /** Registers that are read to tell the chip, its revision and its crystal. */
  readonly registers: Readonly<Record<number, number>>
}

/** 7c:df:a1:xx:xx:xx is a range of Espressif's. */
const MAC_LOW = 0xa1f2e417
const MAC_HIGH = 0x7cdf
const MAGIC = 0x40001000

/** The ESP32-D0WD-V3 (Technical Reference Manual 5.3, 20.5: eFuse words 1, 2, 3, 5; 40 MHz at 115200 baud). */
const esp32: EspChip = {
  name: 'ESP32',
  chipId: 0,
  tellsSecurity: false,
  bootAddress: 0x1000,
  spi: { base: 0x3ff42000, user2: 0x24, w0: 0x80 },
  registers: {
    [MAGIC]: 0x00f01d83,
    1072955412: 347,
    1073061892: MAC_LOW,
    1073061896: MAC_HIGH,
    1073061900: (1 << 9) | (1 << 15),
    1073061908: 1 << 20,
    1073111164: 0x80000000,
  },
}

const newer = (name: string, chipId: number, magic: number, efuse: number): EspChip => ({
  name,
  chipId,
  tellsSecurity: true,
  bootAddress: 0,
  spi: { base: 0x60002000, user2: 0x20, w0: 0x58 },
  registers: { [MAGIC]: magic, [efuse + 0x44]: MAC_LOW, [efuse + 0x48]: MAC_HIGH, [efuse + 0x50]: 4 << 18 },
})

/** By the name that the board has in the catalogue. */
export const espChips = {
  esp32,
  'esp32-s3': newer('ESP32-S3', 9, 0x09, 0x60007000),
  'esp32-c3': newer('ESP32-C3', 5, 0x1b31506f, 0x60008800),
} as const satisfies Readonly<Record<string, EspChip>>
