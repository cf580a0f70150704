import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import { matchesPattern, patternProblem } from '@fernlab/shared/protocol/patterns'
import * as z from 'zod'
import { checkKind } from '../check-kind.ts'

const configSchema = z.strictObject({
  part: z.string().min(1).max(100).describe("The part whose instrument is asked, as in the bench's parts."),
  pattern: z
    .string()
    .min(1)
    .max(500)
    .describe(
      'A pattern in RE2 syntax that the answer must hold, such as a serial number. Default: any answer will do.',
    )
    .exactOptional(),
})

/** A check ends by its own time. */
const LONGEST_MS = 60_000

/** An instrument answers, and is the one that belongs there. It waits its turn among the commands to the instrument. */
export const identifyKind = checkKind({
  kind: 'identify',
  config: configSchema,
  harmless: false,
  findings: ({ part, pattern }, { parts }) => {
    const findings: Finding[] = []
    if (!Object.hasOwn(parts, part))
      findings.push({ path: ['part'], message: `there is no part ${part}${didYouMean(part, Object.keys(parts))}` })
    const problem = pattern === undefined ? undefined : patternProblem(pattern)
    if (problem !== undefined) findings.push({ path: ['pattern'], message: problem })
    return findings
  },
  unfit: ({ part }, parts) => {
    const handle = parts.get(part)
    if (handle === undefined || handle.identifies) return []
    return [
      { path: ['part'], message: `${handle.name} can not say who it is: its driver ${handle.spec.driver} has no way` },
    ]
  },
  perform: async ({ part, pattern }, bench, signal) => {
    const handle = bench.parts.get(part)
    if (handle === undefined)
      throw new LabError({ code: 'part-unknown', kind: 'bug', message: `there is no part ${part}` })
    const taken = () => {
      if (bench.lease === undefined) return
      throw new LabError({ code: 'bench-busy', kind: 'caller', retry: 'later', message: `${bench.name} is in use` })
    }
    const identity = await handle.identify({ signal, guard: taken, timeoutMs: LONGEST_MS })
    if (pattern === undefined || matchesPattern(pattern, identity)) return
    const said = JSON.stringify(identity.slice(0, 120))
    throw new LabError({
      code: 'instrument-unexpected',
      kind: 'instrument',
      message: `${handle.name} says that it is ${said}, which does not match ${JSON.stringify(pattern)}`,
      details: { instrument: handle.name, identity: identity.slice(0, 120) },
    })
  },
})
