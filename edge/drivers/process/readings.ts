import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { Reading } from '../driver.ts'

const value = z.union([z.number(), z.string(), z.boolean()])
const answerSchema = z.record(z.string(), z.union([value, z.object({ value, time: z.number() })]))

/** The readings in an answer to `read`: values, or `{value, time}`; what has no time of its own is of `timeS`. */
export function readingsOf(
  spec: InstrumentSpec,
  names: readonly string[],
  said: unknown,
  timeS: number,
): Record<string, Reading> {
  const answer = answerSchema.safeParse(said)
  if (!answer.success) throw garbage(spec.name, said, 'no values by name of their signals')
  const readings: Record<string, Reading> = {}
  for (const name of names) {
    const given = Object.hasOwn(answer.data, name) ? answer.data[name] : undefined
    if (given === undefined) throw garbage(spec.name, said, `without ${name}`)
    readings[name] = typeof given === 'object' ? given : { value: given, time: timeS }
  }
  return readings
}

function garbage(name: string, said: unknown, what: string): LabError {
  return new LabError({
    code: 'instrument-garbage',
    kind: 'instrument',
    retry: 'later',
    message: `${name} answered ${JSON.stringify(said)?.slice(0, 120)}, ${what}`,
  })
}
