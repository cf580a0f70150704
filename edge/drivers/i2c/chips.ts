import type { ChipModel } from './chip.ts'
import { lm75 } from './chips/lm75.ts'
import { tmp102 } from './chips/tmp102.ts'
import { tmp105 } from './chips/tmp105.ts'

/** The chips that the driver knows. */
export const chipModels: readonly ChipModel[] = [tmp102, tmp105, lm75]
