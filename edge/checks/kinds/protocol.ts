import { protocolCheckSchema } from '@fernlab/shared/contracts/bench-checks'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import { checkKind } from '../check-kind.ts'

/**
 * A protocol of a lab succeeds on the bench. The hub does it, by a run like any other: it knows the labs, and who waits.
 * Here is said what the node can tell without it.
 */
export const protocolKind = checkKind({
  kind: 'protocol',
  config: protocolCheckSchema,
  harmless: false,
  findings: ({ lab, expect }, { labs }) => {
    const findings: Finding[] = []
    if (labs !== undefined && !labs.includes(lab))
      findings.push({ path: ['lab'], message: `the bench is not for ${lab}${didYouMean(lab, labs)}: see its labs` })
    for (const [output, { low, high }] of Object.entries(expect)) {
      const path = ['expect', output]
      if (low === undefined && high === undefined) findings.push({ path, message: 'needs low, high or both' })
      else if (low !== undefined && high !== undefined && low > high)
        findings.push({ path, message: `low, ${low}, is above high, ${high}` })
    }
    return findings
  },
})
