/**
 * The interlocks of a node: conditions over signals that force a bench to its safe state and keep it there.
 *
 * INVARIANTS: the bench is told in the turn in which a reading arrives, before anything is written or logged: nothing
 * here waits for storage or for the hub on that way; what is latched is on disk as soon as the disk takes it, before any
 * document that says that it has tripped, and holds from the node's next start on; a reset is on disk before it counts,
 * and changes nothing while the condition holds or its signals can not be read.
 */
import type { InterlockEntry, InterlockStatus } from '@fernlab/shared/contracts/interlocks'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Bench } from '../benches/bench.ts'
import type { SignalValue } from '../drivers/driver.ts'
import type { Journal } from '../store/journal.ts'
import { latchStatement } from '../store/store.ts'
import { compileCondition } from './condition.ts'
import { next, type Observed, type Standing } from './standing.ts'
import { createWatch, type Watch, type WatchedSignal } from './watch.ts'

export interface Interlocks {
  /** How those of the bench stand. */
  of(bench: Bench): readonly InterlockStatus[]
  /** Begins to poll; before that, every reading counts already. */
  start(): void
  /**
   * Resets those of the bench that are latched, or the one named, and resolves when that is on disk. Throws
   * `interlock-unknown`, or `interlock-holds` while what tripped one is not over, or came back before the disk had it, and
   * what `signal` aborts with: then none is reset.
   */
  reset(bench: Bench, name?: string, signal?: AbortSignal): Promise<readonly InterlockStatus[]>
  close(): void
}

export interface CreateInterlocksOptions {
  readonly entries: Readonly<Record<string, InterlockEntry>>
  readonly benches: ReadonlyMap<string, Bench>
  /** What a former life of the node left latched. */
  readonly latched: ReadonlyMap<string, { readonly at: number; readonly reason: string }>
  readonly journal: Pick<Journal, 'append' | 'attempt'>
  readonly clock: Clock
  readonly log: Log
  readonly onValue: (instrument: string, signal: string, value: SignalValue, unit: string, timeS: number) => void
}

const UNREAD_TIMES = 20
const LEAST_UNREAD_MS = 2000

interface Interlock {
  readonly name: string
  readonly watch: Watch
  readonly status: InterlockStatus
  /** It stays as it is until a person resets it. */
  readonly latched: boolean
  readonly holds: boolean
  /** How often the condition has come true, or its signals have gone. */
  readonly risings: number
  observe(observed: Observed, why: () => string): void
  /** Writes that it is latched. */
  keep(): void
}

/** Interlocks over the benches as node.yaml has them, each checked. */
export function createInterlocks({ entries, benches, ...options }: CreateInterlocksOptions): Interlocks {
  const byBench = new Map<Bench, Interlock[]>()
  const listed = new Map<Bench, readonly InterlockStatus[]>()
  const tell = (bench: Bench) => {
    const statuses = (byBench.get(bench) ?? []).map(({ status }) => status)
    listed.set(bench, statuses)
    bench.interlocked(statuses)
  }
  for (const [name, entry] of Object.entries(entries)) {
    const bench = benches.get(entry.bench)
    if (bench === undefined) continue
    const one = createInterlock(name, entry, bench, () => tell(bench), options)
    byBench.set(bench, [...(byBench.get(bench) ?? []), one])
  }
  for (const bench of byBench.keys()) tell(bench)
  const { journal, log } = options

  return {
    of: (bench) => listed.get(bench) ?? [],
    start: () => {
      for (const all of byBench.values()) for (const { watch } of all) watch.start()
    },
    reset: async (bench, name, signal) => {
      const all = byBench.get(bench) ?? []
      if (name !== undefined && !all.some((one) => one.name === name)) throw unknown(bench, name)
      const asked = all.filter((one) => name === undefined || one.name === name)
      const meant = asked.filter(({ latched }) => latched)
      const held = (meant.length === 0 ? asked : meant).find(({ holds }) => holds)
      if (held !== undefined) throw stillHolds(bench, held.status)
      if (meant.length === 0) return listed.get(bench) ?? []
      const risings = meant.map((one) => one.risings)
      await journal.attempt('other', () => meant.map((one) => latchStatement(one.name, null)))
      try {
        signal?.throwIfAborted()
        // Nobody has looked at the bench since, also where that is over again.
        const again = meant.find((one, i) => one.risings !== risings[i])
        if (again !== undefined) throw stillHolds(bench, again.status)
      } catch (thrown) {
        // What was written says otherwise.
        for (const one of meant) one.keep()
        throw thrown
      }
      for (const one of meant) one.observe({ what: 'reset' }, () => '')
      log.info({ bench: bench.name, interlocks: meant.map((one) => one.name) }, 'interlocks were reset')
      return listed.get(bench) ?? []
    },
    close: () => {
      for (const all of byBench.values()) for (const { watch } of all) watch.stop()
    },
  }
}

function createInterlock(
  name: string,
  entry: InterlockEntry,
  bench: Bench,
  tell: () => void,
  options: Omit<CreateInterlocksOptions, 'entries' | 'benches'>,
): Interlock {
  const { clock, log, journal, latched, onValue } = options
  const specOf = (key: string) => {
    const [part = '', signal = ''] = key.split('.')
    return bench.parts.get(part)?.spec.signals.find((spec) => spec.name === signal)
  }
  const condition = compileCondition(entry.when, specOf)
  const before = latched.get(name)
  // What tripped it then has to be looked at before it can be reset.
  let standing: Standing =
    before === undefined ? { state: 'unread' } : { state: 'tripped', because: 'condition', holds: true, latched: true }
  let tripped = before === undefined ? undefined : { since: new Date(before.at).toISOString(), reason: before.reason }

  let risings = 0
  const statusNow = (): InterlockStatus => ({
    name,
    ...(entry.title === undefined ? {} : { title: entry.title }),
    when: condition.text,
    state: standing.state === 'holding' ? 'clear' : standing.state,
    ...(standing.state === 'tripped' ? { ...tripped, holds: standing.holds, latched: standing.latched } : {}),
  })
  let status = statusNow()

  const keep = () => {
    const latch = { at: Date.parse(tripped?.since ?? ''), reason: tripped?.reason ?? '' }
    journal
      .append('other', () => [latchStatement(name, latch)])
      .catch((thrown) => log.error({ interlock: name, error: asLabError(thrown).message }, 'a latch was not written'))
  }

  const observe = (observed: Observed, why: () => string) => {
    const was = standing
    standing = next(was, observed, entry)
    if (standing === was) return
    const wasLatched = was.state === 'tripped' && was.latched
    if (standing.state === 'tripped' && standing.holds && !(was.state === 'tripped' && was.holds)) risings++
    if (standing.state === 'tripped' && (was.state !== 'tripped' || was.because !== standing.because))
      tripped = { since: new Date(clock.now()).toISOString(), reason: why() }
    const previous = status
    status = statusNow()
    if (JSON.stringify(previous) === JSON.stringify(status)) return
    tell()
    if (standing.state === 'tripped' && was.state !== 'tripped')
      log.error({ bench: bench.name, interlock: name, reason: tripped?.reason }, 'AN INTERLOCK HAS TRIPPED')
    if (standing.state !== 'tripped' && was.state === 'tripped')
      log.info({ bench: bench.name, interlock: name }, 'an interlock is clear again')
    if (standing.state === 'tripped' && standing.latched && !wasLatched) keep()
  }

  const signals = condition.signals.flatMap((key): WatchedSignal[] => {
    const [part = '', signal = ''] = key.split('.')
    const handle = bench.parts.get(part)
    return handle === undefined ? [] : [{ key, handle, signal, unit: specOf(key)?.unit ?? '1' }]
  })
  const watch = createWatch({
    condition,
    signals,
    everyMs: entry.everyMs,
    unreadMs: entry.unreadMs ?? Math.max(LEAST_UNREAD_MS, UNREAD_TIMES * entry.everyMs),
    clock,
    onSeen: (holds, why, atMs) => observe({ what: 'read', holds, atMs }, why),
    onUnread: (why) => observe({ what: 'unread', inUse: bench.lease !== undefined }, why),
    onPolled: ({ handle, signal, unit }, { value, time }) => onValue(handle.name, signal, value, unit, time),
  })
  return {
    name,
    watch,
    get status() {
      return status
    },
    get latched() {
      return standing.state === 'tripped' && standing.latched
    },
    get holds() {
      return standing.state === 'tripped' && standing.holds
    },
    get risings() {
      return risings
    },
    observe,
    keep,
  }
}

function unknown(bench: Bench, name: string): LabError {
  return new LabError({
    code: 'interlock-unknown',
    kind: 'caller',
    message: `bench ${bench.name} has no interlock ${name}`,
  })
}

function stillHolds(bench: Bench, { name, reason, holds, latched }: InterlockStatus): LabError {
  const why = holds === true ? `it still holds (${reason ?? ''})` : `it came back meanwhile (${reason ?? ''})`
  const then = latched === true ? '' : '; when that is over it is clear by itself'
  return new LabError({
    code: 'interlock-holds',
    kind: 'caller',
    retry: 'later',
    message: `interlock ${name} of bench ${bench.name} can not be reset: ${why}${then}`,
    details: { interlock: name },
  })
}
