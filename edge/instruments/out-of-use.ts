/** Instruments that could not be made, so that a mistake in one takes no other bench down. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Instrument } from '../drivers/driver.ts'

export interface NamedDriver {
  readonly name: string
  readonly driver: string
}

/** Stands for one until the node starts again: it is never online, says why, and what it can do is not known. */
export function outOfUse({ name, driver }: NamedDriver, why: string): Instrument {
  const error = () =>
    new LabError({
      code: 'instrument-out-of-use',
      kind: 'configuration',
      message: why,
      studentMessage: 'An instrument of this bench is out of use. The staff can see why.',
      details: { instrument: name },
    })
  return {
    spec: { name, driver, signals: [], actions: [] },
    open: () => Promise.reject(error()),
    read: () => Promise.reject(error()),
    set: () => Promise.reject(error()),
    call: () => Promise.reject(error()),
    close: () => Promise.resolve(),
  }
}

/** Why it is, and what to do. */
export function outOfUseReason({ code, issues, message }: LabError): string {
  const base = code === 'driver-config-wrong' ? 'config.' : ''
  const said = issues.map((issue) => `${base}${issue.path}: ${issue.message}`).join('; ') || message
  return `out of use: ${said.trim().replace(/\.$/, '')}. Mend that, then start the node again`
}
