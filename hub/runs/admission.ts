/** Whether a run may be queued: everything that is checked before it exists. */
import type { SubmitRun } from '@fernlab/shared/contracts/api'
import { isStaff } from '@fernlab/shared/contracts/people'
import { priorities } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Issue, LabErrorInit } from '@fernlab/shared/primitives/lab-error'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { checkProtocol } from '@fernlab/shared/protocol/check-protocol'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { checkParameters } from '@fernlab/shared/protocol/parameters'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { Caller } from '../accounts/caller.ts'
import { longestOpening } from '../bench-care/outages.ts'
import { type CatalogueLab, type CatalogueProtocol, protocolIn } from '../catalogue/catalogue.ts'
import { type CompatibilityCache, whyNot } from '../fleet/compatible.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { Standing, Standings } from '../permissions/standings.ts'
import type { KnownLabs } from './known-labs.ts'

export interface Admitted {
  readonly lab: CatalogueLab
  readonly protocol: CatalogueProtocol
  /** In declared units, defaults filled in. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>
  readonly parametersJson: string
  readonly estimatedS: number
  /** What the caller gets of the priority that was asked for. */
  readonly priority: number
  /** As `Standing.requirePlace`: nothing may be awaited between this and counting the run as open. */
  requirePlace(): void
}

export interface Admission {
  /** Throws what `Runs.submit` says it throws. */
  admit(caller: Caller, body: SubmitRun): Promise<Admitted>
}

export interface CreateAdmissionOptions {
  readonly labs: KnownLabs
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  readonly standings: Standings
  readonly clock: Pick<Clock, 'now'>
  /** Throws `runs-refused` while new runs can't be taken (a full disk). */
  readonly requireSpace: () => void
}

/** What does not depend on who asks. */
type Checked = Omit<Admitted, 'priority' | 'requirePlace'>

const mostRemembered = 500

/** Staff get any priority, everybody else none sooner than permissions give. */
function allowedPriority({ role }: Caller, { unlimited, effective }: Standing, { protocol, priority }: SubmitRun) {
  const given = effective(protocol).gives.priority
  const soonest = isStaff(role) ? priorities.soonest : given
  return Math.max(soonest, priority ?? (unlimited ? priorities.usual : given))
}

/** Admission over catalogue and fleet; the same body is checked once until either changes. */
export function createAdmission({
  labs,
  book,
  compatible,
  standings,
  clock,
  requireSpace,
}: CreateAdmissionOptions): Admission {
  let shape = -1
  const known = new Map<string, Checked>()

  const check = (lab: CatalogueLab, body: SubmitRun): Checked => {
    const protocol = protocolIn(lab, body.protocol)
    if (protocol === undefined && body.protocol === SESSION_PROTOCOL) {
      throw refuse('no-sessions', `the lab ${lab.id} offers no live sessions`, [])
    }
    if (protocol === undefined) {
      throw refuse('protocol-unknown', `the lab ${lab.id} has no protocol ${body.protocol}`, [
        { path: 'protocol', message: `may be ${Object.keys(lab.protocols).join(', ')}` },
      ])
    }
    const { values, issues } = checkParameters(protocol.definition, body.parameters ?? {})
    if (issues.length > 0)
      throw refuse('parameters-invalid', 'the parameters are not as the protocol wants them', issues)
    const benches = benchesFor(lab, body.bench)
    const limits = lab.lab.limits ?? {}
    let complaints: Issue[] | undefined
    for (const bench of benches) {
      const parts = book.partsOf(bench)
      const found = checkProtocol(protocol.definition, { parts, limits, parameters: values })
      if (found.length > 0) {
        complaints ??= found
        continue
      }
      const { seconds } = estimate(protocol.definition, values, { parts })
      return { lab, protocol, parameters: values, parametersJson: JSON.stringify(values), estimatedS: seconds }
    }
    throw refuse('protocol-refused', 'no bench can do this with these parameters', complaints ?? [])
  }

  const benchesFor = (lab: CatalogueLab, wanted: string | undefined): BookedBench[] => {
    const ids = compatible.benchesFor(lab)
    const serving = [...book.benches.values()].filter(({ id }) => ids.has(id))
    if (wanted === undefined) {
      if (serving.length > 0) return serving
      const all = [...book.benches.values()]
      const issues = all.flatMap((bench) => whyNot(book, bench, lab).slice(0, 1)).slice(0, 10)
      const why = all.length === 0 ? 'this site has no bench yet' : `no bench serves the lab ${lab.id}`
      throw refuse('no-bench', why, issues, {
        retry: 'later',
        studentMessage: 'No bench can run this lab at the moment. The staff can see what is missing.',
      })
    }
    const bench = book.benches.get(wanted)
    if (bench === undefined) {
      throw refuse('bench-unknown', `there is no bench ${wanted}`, [
        { path: 'bench', message: 'is not a bench of this site' },
      ])
    }
    if (!ids.has(wanted)) throw refuse('no-bench', `${wanted} can't serve the lab ${lab.id}`, whyNot(book, bench, lab))
    return [bench]
  }

  /** What no bench is ever open for would wait for good. */
  const requireOpening = (lab: CatalogueLab, wanted: string | undefined, lastsS: number): void => {
    const openS = benchesFor(lab, wanted).map(({ plans }) => longestOpening(plans, clock.now()) / 1000)
    const mostS = Math.max(...openS)
    if (mostS > 0 && lastsS <= mostS) return
    if (mostS === 0) {
      throw refuse('never-open-so-long', `the benches of ${lab.id} are closed all week`, [], {
        studentMessage: 'The benches of this lab are closed all week. Ask the staff when they open.',
      })
    }
    const message = `this takes about ${Math.ceil(lastsS)} s, and no bench of ${lab.id} is open for more than ${Math.floor(mostS)} s at a time`
    throw refuse('never-open-so-long', message, [], {
      studentMessage: `This takes about ${inWords(lastsS)}, and the benches of this lab are open for ${inWords(mostS)} at a time at most. Make it shorter, or ask the staff.`,
    })
  }

  return {
    admit: async (caller, body) => {
      requireSpace()
      const lab = labs.peek(body.lab) ?? (await labs.lab(body.lab))
      if (lab === undefined) {
        throw refuse('lab-unknown', `there is no lab ${body.lab}`, [
          { path: 'lab', message: 'is not in the catalogue' },
        ])
      }
      if (body.model !== undefined) {
        const message = 'models are not supported by this release'
        throw refuse('model-not-supported', message, [{ path: 'model', message }])
      }
      const standing = await standings.of(caller, lab.id)
      if (protocolIn(lab, body.protocol) !== undefined) standing.requireQueue(body.protocol)
      if (shape !== book.shape || known.size >= mostRemembered) known.clear()
      shape = book.shape
      const key = JSON.stringify([lab.id, lab.version, body.protocol, body.bench, body.parameters])
      const checked = known.get(key) ?? check(lab, body)
      known.set(key, checked)
      requireOpening(lab, body.bench, checked.estimatedS)
      return {
        ...checked,
        priority: allowedPriority(caller, standing, body),
        requirePlace: () => standing.requirePlace(body.protocol, checked.estimatedS),
      }
    },
  }
}

function inWords(seconds: number): string {
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`
}

function refuse(code: string, message: string, issues: readonly Issue[], more: Partial<LabErrorInit> = {}): LabError {
  return new LabError({ code, kind: 'caller', message, issues, ...more })
}
