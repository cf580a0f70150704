/** Firmware of our own, built again: the hex files in the repository are what their sources say. */
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { helloFile, helloFolder } from '../../support/boards/hello.ts'
import { buildFirmware } from '../../support/boards/toolchain.ts'
import { suite } from '../../support/suite.ts'

const test = suite('firmware, built again', { timeoutMs: 60_000 })

test('hello.hex is what gcc-avr makes of hello.c', async () => {
  assert.is(await buildFirmware(helloFolder, 'hello'), readFileSync(helloFile, 'utf8'))
})

test.run()
