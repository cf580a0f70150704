import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'

export const thermalControlFolder = fileURLToPath(
  new URL('../../../firmware-bridge/firmware/thermal-control/', import.meta.url),
)
export const thermalControlFile = `${thermalControlFolder}thermal-control.hex`
export const thermalControl = readIntelHex(readFileSync(thermalControlFile, 'utf8'), 'thermal-control.hex')
