/** The first backend that this machine has. */
import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import { gpioError } from '../gpio-errors.ts'
import type { Backend } from './backend.ts'

/** What says that a machine lacks a backend, rather than that something is wrong with the pins. */
const LACKS: readonly string[] = [
  'gpio-sysfs-missing',
  'onoff-missing',
  'gpiod-missing',
  'gpiod-unknown',
  'gpio-no-pull',
]

/** Tries them in order; rejects with what each of them lacks, or with what is wrong with the first that lacks nothing. */
export function autoBackend(backends: readonly Backend[]): Backend {
  return {
    open: async (request, signal) => {
      const lacking: LabError[] = []
      for (const backend of backends) {
        try {
          return await backend.open(request, signal)
        } catch (thrown) {
          if (signal.aborted) throw thrown
          const error = asLabError(thrown)
          if (!LACKS.includes(error.code)) throw error
          lacking.push(error)
        }
      }
      throw gpioError('gpio-no-backend', lacking.map(({ message }) => message).join('; or: '))
    },
  }
}
