/**
 * What a running node finds on its own machine, for its hub.
 *
 * INVARIANTS: one look at a time, one file at a time, so that readings and interlocks wait for none; a bus is asked who is
 * there only when a person wants it, and never one with an instrument that is in use or that an interlock may watch; an
 * answer is bounded.
 */
import { MOST_FINDINGS, type NodeHardware } from '@fernlab/shared/contracts/hardware'
import type { ShownInstrument } from '@fernlab/shared/contracts/hardware-drafts'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench } from '../benches/bench.ts'
import { inUseReason } from '../benches/present-state.ts'
import type { Driver } from '../drivers/driver.ts'
import type { FoundChip } from '../drivers/i2c/scan.ts'
import { draftsOf } from './draft.ts'
import { type Find, type Finding, told } from './find.ts'
import { claimsOf } from './node-use.ts'
import { outOfUseFindings } from './out-of-use-beside.ts'
import { ownPerson, type Person } from './person.ts'
import { machineRoot, oneAtATime } from './root.ts'

/** Where and how a node looks. */
export interface Machine {
  /** Instead of `/`. */
  readonly rootFolder?: string
  readonly person?: Person
  readonly arch?: string
  /** Asks an I2C bus who is there, by the queue that its instruments share. */
  readonly scan?: (bus: number) => Promise<readonly FoundChip[]>
}

export interface NodeLook {
  /** Throws `look-under-way` while there is one. */
  look(scan: boolean): Promise<NodeHardware>
  /** The findings as they are; throws as `look`. */
  find(scan: boolean): Promise<readonly Finding[]>
}

export interface CreateNodeLookOptions {
  readonly machine: Machine | undefined
  readonly node: string
  /** Every instrument of the node, now. */
  readonly entries: () => Readonly<Record<string, InstrumentEntry>>
  /** Those that were added on the hub's page. */
  readonly added: () => readonly ShownInstrument[]
  /** Those that could not be made, with the reason. */
  readonly outOfUse: ReadonlyMap<string, string>
  readonly drivers: readonly Driver[]
  readonly benches: ReadonlyMap<string, Bench>
  /** The address of the hub's broker. */
  readonly broker: string | undefined
  readonly clock: Clock
}

export function createNodeLook(options: CreateNodeLookOptions): NodeLook {
  const { machine = {}, node, entries, added, outOfUse, drivers, benches, broker, clock } = options
  let isLooking = false

  const unasked = (bus: number): string | undefined => {
    const claims = claimsOf(entries(), drivers).filter(({ key }) => key.startsWith(`i2c:${bus}:`))
    const own = new Set(claims.map(({ instrument }) => instrument))
    for (const bench of benches.values()) {
      if (!Object.values(bench.entry.parts).some((instrument) => own.has(instrument))) continue
      const inUse = inUseReason(bench)
      if (inUse !== undefined) return inUse
      if ((bench.status.interlocks ?? []).length > 0) return `an interlock watches bench ${bench.name}`
    }
    return undefined
  }

  const find = async (scan: boolean): Promise<readonly Finding[]> => {
    if (isLooking) throw underWay()
    isLooking = true
    try {
      // Loaded when needed: most nodes are looked at once in a while.
      const { discover } = await import('./discovery.ts')
      return await discover({
        root: oneAtATime(machineRoot(machine.rootFolder)),
        person: machine.person ?? ownPerson(),
        arch: machine.arch ?? process.arch,
        node: {
          claims: claimsOf(entries(), drivers),
          findings: [
            ...ownFindings(node, Object.keys(entries()).length, benches.size, broker),
            ...outOfUseFindings(outOfUse),
          ],
        },
        ...(scan && machine.scan !== undefined ? { scan: machine.scan, unasked } : {}),
      })
    } finally {
      isLooking = false
    }
  }

  return {
    find,
    look: async (scan) => ({
      findings: bounded(await find(scan)),
      lookedAt: new Date(clock.now()).toISOString(),
      scanned: scan && machine.scan !== undefined,
      added: added(),
    }),
  }
}

const underWay = (): LabError =>
  new LabError({
    code: 'look-under-way',
    kind: 'caller',
    retry: 'later',
    message: 'the node is looking at its hardware already; ask again in a moment',
  })

/** What is known without looking: the node runs, and reaches its hub, or nobody would ask. */
function ownFindings(node: string, instruments: number, benches: number, broker: string | undefined): Finding[] {
  const ofInstruments = instruments === 1 ? '1 instrument' : `${instruments} instruments`
  const ofBenches = benches === 1 ? '1 bench' : `${benches} benches`
  const detail = `runs with ${ofInstruments} and ${ofBenches}`
  const group = 'Node'
  const way = [
    broker === 'in-process' ? 'within the same process' : (broker ?? 'without a hub'),
    'the node calls out, so no port has to be open on it',
  ]
  return [
    { group, what: node, verdict: 'ok', detail },
    { group, what: 'way to the hub', verdict: 'ok', ...told(way) },
  ]
}

const LONGEST_TEXT = 1000

/** As much of it as one answer takes, texts cut off where they are long beyond reason. */
export function bounded(findings: readonly Finding[]): NodeHardware['findings'] {
  const cut = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text)
  const shown = findings.slice(0, findings.length > MOST_FINDINGS ? MOST_FINDINGS - 1 : MOST_FINDINGS)
  const left = findings.length - shown.length
  return [
    ...shown.map(({ group, what, verdict, detail, facts, trouble, lines, find }) => ({
      group,
      what: cut(what),
      verdict,
      detail: cut(detail),
      ...(facts === undefined ? {} : { facts: facts.map(cut) }),
      ...(trouble === undefined ? {} : { trouble: cut(trouble) }),
      ...(lines === undefined ? {} : { lines: lines.map(cut) }),
      ...(find === undefined ? {} : { find: shownFind(find, verdict) }),
    })),
    ...(left === 0
      ? []
      : [
          {
            group: 'Machine',
            what: 'findings',
            verdict: 'look' as const,
            detail: `${left} more than can be shown; "fernlab doctor" on the node has them all`,
          },
        ]),
  ]
}

const shownFind = (find: Find, verdict: Finding['verdict']) => {
  const { id, kind, title, path, instruments, board, chips } = find
  const isFree = verdict === 'ok' && (kind === 'gpio' || instruments.length === 0)
  const drafts = isFree ? draftsOf(find) : []
  return {
    id,
    kind,
    title,
    path,
    instruments,
    ...(board === undefined ? {} : { board }),
    ...(chips === undefined ? {} : { chips }),
    ...(drafts.length === 0 ? {} : { drafts }),
  }
}
