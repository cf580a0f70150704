/** The boards that can be flashed, as data: what is on them, and how firmware gets there. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'

interface AnyBoard {
  /** As in node.yaml and on the command line. */
  readonly name: string
  readonly title: string
  readonly chip: string
  /** Of its boot loader, in bits per second. */
  readonly baudRate: number
  /** Free for firmware: without a boot loader that stays, and with flash of the largest size where boards differ. */
  readonly firmwareBytes: number
}

/** An Arduino with an AVR. */
export interface AvrBoard extends AnyBoard {
  /**
   * `stk500v1` and `avr109`: in our own process, over any transport, the latter after a touch at 1200 baud; `avrdude`: by
   * that program, over a serial port or TCP.
   */
  readonly method: 'stk500v1' | 'avr109' | 'avrdude'
  /** Signatures of the chips that may be on it. */
  readonly signatures: readonly (readonly [number, number, number])[]
  readonly pageBytes: number
  /** Entries of the interrupt vector table, four bytes each: firmware for another chip has another number. */
  readonly vectors: number
  /** As avrdude calls chip and programmer. */
  readonly avrdude: { readonly part: string; readonly programmer: string }
}

/** A board with one of Espressif's chips. */
export interface EspBoard extends AnyBoard {
  /** By esptool-js in our own process, over any transport. */
  readonly method: 'esptool'
  /** In the header of its images. */
  readonly chipId: number
  /** Where its second boot loader lies in flash. */
  readonly bootAddress: number
}

/** A board with one of Raspberry Pi's chips. */
export interface PicoBoard extends AnyBoard {
  /** By picotool, or by a copy to the drive that its boot loader shows. */
  readonly method: 'uf2'
  /** Of the UF2 files that its boot loader takes. */
  readonly families: readonly number[]
  /** What the drive says of the board, and its label. */
  readonly driveId: string
  readonly driveLabel: string
  /** Of its boot loader on USB. */
  readonly usbProduct: string
}

export type BoardKind = AvrBoard | EspBoard | PicoBoard

/** DS40002061B, 27.8.3; the 328PB: DS40001906C, 31.7. */
const MEGA328 = [
  [0x1e, 0x95, 0x0f],
  [0x1e, 0x95, 0x14],
  [0x1e, 0x95, 0x16],
] as const
const MEGA2560 = [[0x1e, 0x98, 0x01]] as const

/** DS40002056A (ATmega16U4/32U4), 28.3. */
const MEGA32U4 = [[0x1e, 0x95, 0x87]] as const

const mega328 = (name: string, title: string, baudRate: number, bootBytes: number): AvrBoard => ({
  name,
  title,
  chip: 'ATmega328P',
  method: 'stk500v1',
  signatures: MEGA328,
  baudRate,
  firmwareBytes: 32 * 1024 - bootBytes,
  pageBytes: 128,
  vectors: 26,
  avrdude: { part: 'atmega328p', programmer: 'arduino' },
})

/** USB has no speed; its boot loader Caterina takes 4 KiB. */
const mega32u4 = (name: string, title: string): AvrBoard => ({
  name,
  title,
  chip: 'ATmega32U4',
  method: 'avr109',
  signatures: MEGA32U4,
  baudRate: 57_600,
  firmwareBytes: 28 * 1024,
  pageBytes: 128,
  vectors: 43,
  avrdude: { part: 'atmega32u4', programmer: 'avr109' },
})

/** The speed is the one that it changes to once it is connected at 115200; its flash chip tells its size. */
const espressif = (name: string, chip: string, chipId: number, bootAddress: number): EspBoard => ({
  name,
  title: `${chip} board`,
  chip,
  method: 'esptool',
  chipId,
  bootAddress,
  baudRate: 460_800,
  firmwareBytes: 16 * 1024 * 1024,
})

/** RP2040 datasheet, 2.8.4; RP2350 datasheet, 5.5.3. Flash is as large as the chip can address. */
const raspberryPi = (
  name: string,
  title: string,
  more: Pick<PicoBoard, 'chip' | 'families' | 'driveId' | 'driveLabel' | 'usbProduct'>,
): PicoBoard => ({
  name,
  title,
  ...more,
  method: 'uf2',
  baudRate: 115_200,
  firmwareBytes: 16 * 1024 * 1024,
})

export const boardKinds: readonly BoardKind[] = [
  mega328('uno', 'Arduino Uno', 115_200, 512),
  mega328('nano', 'Arduino Nano', 115_200, 512),
  mega328('nano-old', 'Arduino Nano with the boot loader from before 2018', 57_600, 2048),
  mega328('pro-mini', 'Arduino Pro Mini, 16 MHz', 57_600, 2048),
  mega328('duemilanove', 'Arduino Duemilanove with an ATmega328P', 57_600, 2048),
  {
    name: 'mega2560',
    title: 'Arduino Mega 2560',
    chip: 'ATmega2560',
    method: 'avrdude',
    signatures: MEGA2560,
    baudRate: 115_200,
    firmwareBytes: 248 * 1024,
    pageBytes: 256,
    vectors: 57,
    avrdude: { part: 'atmega2560', programmer: 'wiring' },
  },
  mega32u4('leonardo', 'Arduino Leonardo'),
  mega32u4('micro', 'Arduino Micro'),
  mega32u4('pro-micro', 'Pro Micro with an ATmega32U4'),
  espressif('esp32', 'ESP32', 0, 0x1000),
  espressif('esp32-s3', 'ESP32-S3', 9, 0),
  espressif('esp32-c3', 'ESP32-C3', 5, 0),
  raspberryPi('pico', 'Raspberry Pi Pico', {
    chip: 'RP2040',
    families: [0xe48bff56],
    driveId: 'RPI-RP2',
    driveLabel: 'RPI-RP2',
    usbProduct: '0003',
  }),
  raspberryPi('pico2', 'Raspberry Pi Pico 2', {
    chip: 'RP2350',
    families: [0xe48bff59, 0xe48bff5a],
    driveId: 'RP2350',
    driveLabel: 'RP2350',
    usbProduct: '000f',
  }),
]

/** The board of that name; throws `board-unknown` with those that there are. */
export function boardKind(name: string): BoardKind {
  const found = boardKinds.find((kind) => kind.name === name)
  if (found !== undefined) return found
  const names = boardKinds.map((kind) => kind.name)
  throw new LabError({
    code: 'board-unknown',
    kind: 'configuration',
    message: `there is no board ${JSON.stringify(name)}${didYouMean(name, names)}; there are ${names.join(', ')}`,
  })
}
