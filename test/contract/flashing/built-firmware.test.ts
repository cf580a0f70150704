/** Firmware of our own, built again: the hex files in the repository are what their sources say. */
import { readFileSync } from 'node:fs'
import { readIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import * as assert from 'uvu/assert'
import { helloFile, helloFolder } from '../../support/boards/hello.ts'
import { thermalControlFile, thermalControlFolder } from '../../support/boards/thermal-control.ts'
import { buildFirmware, ramOf } from '../../support/boards/toolchain.ts'
import { suite } from '../../support/suite.ts'

const test = suite('firmware, built again', { timeoutMs: 60_000 })

test('hello.hex is what gcc-avr makes of hello.c', async () => {
  assert.is((await buildFirmware(helloFolder, 'hello')).hex, readFileSync(helloFile, 'utf8'))
})

test('thermal-control.hex is what gcc-avr makes of its sources, and leaves room on the chip', async () => {
  const { hex, elf } = await buildFirmware(thermalControlFolder, 'thermal-control')
  assert.is(hex, readFileSync(thermalControlFile, 'utf8'))
  const { end } = readIntelHex(hex, 'thermal-control.hex')
  assert.ok(end < 12 * 1024, `${end} B of flash`)
  const ram = await ramOf(elf)
  assert.ok(ram > 0 && ram < 512, `${ram} B of RAM, without its stack`)
})

test.run()
