import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the C library on an ATmega328P', { timeoutMs: 60_000 })
const library = `${root}firmware-bridge/firmware/fernlab-link`
const core = '/usr/share/arduino/hardware/arduino/avr'
const run = promisify(execFile)
const strict = ['-Wall', '-Wextra', '-Werror', '-Os', '-mmcu=atmega328p', '-DF_CPU=16000000UL', `-I${library}/src`]
const sections = ['-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections']
const c99 = ['-std=c99', '-pedantic', ...strict, ...sections]
let folder = ''

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-avr-'))
})
test.after(() => rm(folder, { recursive: true, force: true }))

/** Flash and RAM of an ELF file, in bytes. */
async function sizeOf(file: string): Promise<{ flash: number; ram: number }> {
  const { stdout } = await run('avr-size', [file])
  const [text = 0, data = 0, bss = 0] = (stdout.split('\n')[1] ?? '').trim().split(/\s+/).map(Number)
  return { flash: text + data, ram: data + bss }
}

/** An application that uses all of the library and does nothing itself; `with` the library, or alone. */
const application = (calls: string) => `
#include "fernlab_link.h"
#define NOTHING(SIGNAL, ACTION, ARGUMENT) SIGNAL(t, "Cel", FL_I16, FL_READ_SET, 0.01, -40, 300, 2, 1000)
FL_BOARD(NOTHING, "x", "1");
volatile uint8_t in;
uint8_t fl_read(uint8_t s, fl_value *v) { v->i = s; return 0; }
uint8_t fl_set(uint8_t s, fl_value v) { return s + (uint8_t)v.i; }
uint8_t fl_call(uint8_t s, const fl_value *v) { return s + (uint8_t)v->i; }
uint32_t fl_micros(void) { return in; }
uint32_t fl_image_hash(void) { return ${calls === '' ? '0' : 'fl_flash_hash()'}; }
int main(void) { for (;;) { ${calls} in++; } }
`

test('takes at most 4 kB of flash and 300 B of RAM, all of it used', async () => {
  const calls = 'fl_begin(); fl_poll(); fl_receive(in); in = fl_transmit() + fl_pending() + fl_host_present();'
  await writeFile(join(folder, 'with.c'), application(calls))
  await writeFile(join(folder, 'without.c'), application(''))
  const elf = async (name: string, ...more: string[]) => {
    const out = join(folder, `${name}.elf`)
    await run('avr-gcc', [...c99, join(folder, `${name}.c`), ...more, '-o', out])
    return await sizeOf(out)
  }
  const whole = await elf('with', `${library}/src/fernlab_link.c`)
  const rest = await elf('without')
  const flash = whole.flash - rest.flash
  const ram = whole.ram - rest.ram
  assert.ok(flash <= 4096, `${flash} B of flash`)
  assert.ok(flash > 2000, `${flash} B of flash: not all was measured`)
  assert.ok(ram <= 300, `${ram} B of RAM`)
})

test('its example in plain C fits an Uno, with room', async () => {
  const out = join(folder, 'uno.elf')
  const example = `${library}/examples/uno-adc-pwm/main.c`
  await run('avr-gcc', [
    ...c99.filter((flag) => flag !== '-pedantic'),
    example,
    `${library}/src/fernlab_link.c`,
    '-o',
    out,
  ])
  const { flash, ram } = await sizeOf(out)
  assert.ok(flash < 8192 && ram < 512, `${flash} B of flash, ${ram} B of RAM`)
})

test('its sketch is a whole program with the Arduino core', async () => {
  const arduino = ['-DARDUINO=10819', '-DARDUINO_AVR_UNO', '-DARDUINO_ARCH_AVR', '-DDECIMAL_DIG=__DECIMAL_DIG__']
  const include = [`-I${core}/cores/arduino`, `-I${core}/variants/standard`]
  const flags = [
    '-std=gnu++11',
    '-fno-exceptions',
    '-fno-threadsafe-statics',
    ...strict,
    ...sections,
    ...arduino,
    ...include,
  ]
  const object = async (name: string, compiler: string, ...args: string[]) => {
    const out = join(folder, `${name}.o`)
    await run(compiler, [...args, '-c', '-o', out])
    return out
  }
  const sketch = ['-include', 'Arduino.h', '-x', 'c++', `${library}/examples/Thermometer/Thermometer.ino`]
  const objects = [
    await object('sketch', 'avr-g++', ...flags, ...sketch),
    await object('wrapper', 'avr-g++', ...flags, `${library}/src/FernlabLink.cpp`),
    await object('library', 'avr-gcc', ...c99, `${library}/src/fernlab_link.c`),
  ]
  // The core's own code is not held to our warnings.
  const quiet = [...flags.filter((flag) => !/^-W(all|extra|error)$/.test(flag)), '-w']
  const parts = ['main', 'HardwareSerial', 'HardwareSerial0', 'Print', 'Stream', 'WString', 'new', 'abi']
  for (const part of parts) objects.push(await object(part, 'avr-g++', ...quiet, `${core}/cores/arduino/${part}.cpp`))
  const c = quiet.filter((flag) => !/^-std|^-fno/.test(flag))
  for (const part of ['wiring', 'wiring_analog', 'wiring_digital', 'hooks']) {
    objects.push(await object(part, 'avr-gcc', ...c, `${core}/cores/arduino/${part}.c`))
  }
  const out = join(folder, 'sketch.elf')
  await run('avr-g++', [...quiet, ...objects, '-o', out])
  const { flash, ram } = await sizeOf(out)
  assert.ok(flash < 16_384 && ram < 1024, `${flash} B of flash, ${ram} B of RAM`)
})

test.run()
