import type { ChipModel } from './chip.ts'
import { ads1115 } from './chips/ads1115.ts'
import { bme280 } from './chips/bme280.ts'
import { ina219 } from './chips/ina219.ts'
import { lm75 } from './chips/lm75.ts'
import { mcp4725 } from './chips/mcp4725.ts'
import { mcp23017 } from './chips/mcp23017.ts'
import { pca9685 } from './chips/pca9685.ts'
import { sht31 } from './chips/sht31.ts'
import { tmp102 } from './chips/tmp102.ts'
import { tmp105 } from './chips/tmp105.ts'

/** The chips that the driver knows. */
export const chipModels: readonly ChipModel[] = [
  tmp102,
  tmp105,
  lm75,
  sht31,
  bme280,
  ads1115,
  mcp4725,
  pca9685,
  ina219,
  mcp23017,
]
