import { sessionTimes } from '@fernlab/shared/contracts/sessions'
import type { Assignment, Visitor } from '@fernlab/shared/contracts/sync'
import { type Estimate, estimate } from '@fernlab/shared/protocol/estimate'
import { MAX_SECONDS } from '@fernlab/shared/protocol/protocol'
import { type Hold, type OpenRun, protocolOf } from '../runs/open-runs.ts'

/** The message by which a node learns of a run. */
export function assignmentOf(
  run: OpenRun,
  hold: Hold,
  { visitor, mostSeconds: most }: { readonly visitor?: Visitor; readonly mostSeconds?: number | undefined } = {},
): Assignment {
  const { definition } = protocolOf(run)
  return {
    runId: run.id,
    attempt: run.attempt,
    fence: hold.fence,
    bench: hold.bench.slice(hold.node.length + 1),
    lab: run.lab.id,
    protocol: run.protocol,
    protocolDigest: run.protocolDigest,
    definition,
    parameters: run.parameters,
    limits: run.lab.lab.limits ?? {},
    maxSeconds:
      most ??
      longest(
        run.session === undefined
          ? (run.estimatedS ?? estimate(definition, run.parameters).seconds)
          : estimate(definition, { ...run.parameters, seconds: mostSeconds(run, run.session.seconds) }).seconds,
      ),
    ...(visitor === undefined ? {} : { visitor }),
  }
}

/** What the session may be extended to. */
const mostSeconds = ({ lab }: OpenRun, seconds: number): number =>
  Math.max(seconds, sessionTimes(lab.lab.session ?? {}).mostSeconds)

/** How long the node may take: twice the estimate and a minute, a day at most. */
export function longest(estimatedS: Estimate['seconds']): number {
  return Math.min(MAX_SECONDS, Math.ceil(estimatedS * 2 + 60))
}
