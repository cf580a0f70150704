import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type FirmwareImage, readIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'

const run = promisify(execFile)
/** Debian's package arduino-core-avr. */
const OPTIBOOT = '/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot'

/**
 * Builds optiboot for the Uno. It is 532 bytes with Debian's compiler, more than the 512 where its own Makefile puts it:
 * hence a boot section of 1 KiB. It blinks as it starts, an eighth of a second each time; three times on an Uno.
 */
export async function buildOptiboot(blinks = 3): Promise<FirmwareImage> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-optiboot-'))
  const elf = join(folder, 'optiboot.elf')
  const hex = join(folder, 'optiboot.hex')
  const defines = [
    '-DF_CPU=16000000L',
    `-DLED_START_FLASHES=${blinks}`,
    '-DBAUD_RATE=115200',
    '-DDECIMAL_DIG=__DECIMAL_DIG__',
  ]
  const sections = ['-Wl,--section-start=.text=0x7c00', '-Wl,--section-start=.version=0x7ffe', '-Wl,--relax']
  const flags = [`-I${OPTIBOOT}`, '-Os', '-fno-split-wide-types', '-mmcu=atmega328p', '-nostartfiles']
  await run('avr-gcc', [...flags, ...defines, ...sections, '-o', elf, `${OPTIBOOT}/optiboot.c`])
  const kept = ['-j', '.text', '-j', '.data', '-j', '.version', '--set-section-flags', '.version=alloc,load']
  await run('avr-objcopy', [...kept, '-O', 'ihex', elf, hex])
  return readIntelHex(await readFile(hex, 'utf8'), 'optiboot.hex')
}

/** Runs the Makefile of one of our firmwares; gives the text of its hex file and the path of the ELF file. */
export async function buildFirmware(folder: string, name: string): Promise<{ hex: string; elf: string }> {
  const out = await mkdtemp(join(tmpdir(), 'fernlab-firmware-'))
  await mkdir(out, { recursive: true })
  await run('make', ['-C', folder, `OUT=${out}`, `${out}/${name}.hex`])
  return { hex: await readFile(join(out, `${name}.hex`), 'utf8'), elf: join(out, `${name}.elf`) }
}

/** RAM that an ELF file takes before anything runs, in bytes. */
export async function ramOf(elf: string): Promise<number> {
  const { stdout } = await run('avr-size', [elf])
  const [, data = 0, bss = 0] = (stdout.split('\n')[1] ?? '').trim().split(/\s+/).map(Number)
  return data + bss
}
