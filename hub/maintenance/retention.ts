/**
 * Removes old samples and old runs by the site's rules, and of direct uses what was exchanged in them like samples.
 *
 * INVARIANTS: only finished runs and uses are touched; outputs, the start and the stop of a run stay when its samples go; the
 * time of the next sweep is in the database, and claiming it is conditional, so that of several hubs one sweeps; after a
 * jump of the clock, or a start that is days late, nothing is removed by the night's rules before the clock has gone on
 * steadily for hours, and then it is, whatever the time of day; a clock that was ahead does not put off the next sweep.
 */
import { retentionSchema } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { sql } from 'kysely'
import { createSettings } from '../store/settings.ts'
import type { Store } from '../store/store.ts'
import { startTicker } from '../ticker.ts'
import { createClockTrust } from './clock-trust.ts'
import type { Retention } from './maintenance.ts'

export interface RetentionSweep {
  readonly dataOf: number
  readonly runs: number
}

const dayMs = 86_400_000
const rulesName = 'retention'
const dueName = 'retention.due'
/** Small bites, so that other writes come in between. */
const documentsAtOnce = 50
const runsAtOnce = 20
/** From one night to the next, with the clocks put back. */
const LONGEST_NIGHT_MS = 26 * 3_600_000
/** A hub that starts so late was off for days, or its clock is wrong. */
const SURPRISING_MS = 36 * 3_600_000
const exchangesAtOnce = 1000
const directUsesAtOnce = 1000
const keepAll: Retention = { dataDays: null, runDays: null }

export interface CreateRetentionOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** What else is taken away each night, stopping early when asked to. */
  readonly forget?: (stopped: () => boolean) => Promise<void>
  /** Called after each sweep: there may be more room. */
  readonly onSwept?: () => Promise<void>
}

/** Applies the rules each night at about 3 o'clock, and when they are changed. */
export function createRetention({
  store,
  clock,
  log,
  forget = async () => {},
  onSwept = async () => {},
}: CreateRetentionOptions) {
  let working: Promise<unknown> = Promise.resolve()
  let closing = false
  let stopTicker = async () => {}
  const trust = createClockTrust(clock)
  let isFirstTick = true
  /** The log has it that a sweep waits. */
  let isWaiting = false

  const settings = createSettings(store, clock)
  const rules = async (): Promise<Retention> => {
    const stored = await settings.read(rulesName)
    return stored === undefined ? keepAll : retentionSchema.parse(JSON.parse(stored))
  }

  const removeData = async (before: number): Promise<number> => {
    let removed = 0
    for (;;) {
      const runs = await store.db
        .selectFrom('run')
        .select('id')
        .where('ended_at', '<', before)
        .where('data_removed_at', 'is', null)
        .orderBy('ended_at')
        .limit(runsAtOnce)
        .execute()
      if (runs.length === 0) return removed
      for (const { id } of runs) {
        // The next sweep goes on from here.
        if (closing) return removed
        await removeDocuments(id, true)
        await store.write([store.db.updateTable('run').set({ data_removed_at: clock.now() }).where('id', '=', id)])
        removed++
      }
    }
  }
  const removeDocuments = async (runId: string, pagesOnly: boolean) => {
    for (;;) {
      const some = store.db
        .selectFrom('document')
        .select('id')
        .where('run_id', '=', runId)
        .$if(pagesOnly, (query) => query.where('name', 'in', ['event_page', 'picture']))
        .limit(documentsAtOnce)
      const [result] = await store.write([store.db.deleteFrom('document').where('id', 'in', some)])
      if ((result?.changes ?? 0) < documentsAtOnce) break
    }
    for (;;) {
      const some = store.db.selectFrom('recording').select('id').where('run_id', '=', runId).limit(documentsAtOnce)
      const [result] = await store.write([store.db.deleteFrom('recording').where('id', 'in', some)])
      if ((result?.changes ?? 0) < documentsAtOnce) return
    }
  }
  const removeRuns = async (before: number): Promise<number> => {
    let removed = 0
    for (;;) {
      const runs = await store.db
        .selectFrom('run')
        .select('id')
        .where('ended_at', '<', before)
        .limit(runsAtOnce)
        .execute()
      if (runs.length === 0) return removed
      for (const { id } of runs) {
        // The next sweep goes on from here.
        if (closing) return removed
        await removeDocuments(id, false)
        await store.write([
          store.db.deleteFrom('run_event').where('run_id', '=', id),
          store.db.deleteFrom('attempt').where('run_id', '=', id),
          store.db.deleteFrom('run_download').where('run_id', '=', id),
          store.db.deleteFrom('live_partner').where('run_id', '=', id),
          store.db.deleteFrom('live_session').where('run_id', '=', id),
          store.db.deleteFrom('run').where('id', '=', id),
        ])
        removed++
      }
    }
  }
  const removeExchanges = async (before: number): Promise<void> => {
    while (!closing) {
      const some = store.db.selectFrom('direct_command').select('id').where('at', '<', before).limit(exchangesAtOnce)
      const [result] = await store.write([store.db.deleteFrom('direct_command').where('id', 'in', some)])
      if ((result?.changes ?? 0) < exchangesAtOnce) return
    }
  }
  const removeDirectUses = async (before: number): Promise<number> => {
    await removeExchanges(before)
    let removed = 0
    while (!closing) {
      const some = store.db.selectFrom('direct_use').select('id').where('ended_at', '<', before).limit(directUsesAtOnce)
      const [result] = await store.write([store.db.deleteFrom('direct_use').where('id', 'in', some)])
      removed += result?.changes ?? 0
      if ((result?.changes ?? 0) < directUsesAtOnce) break
    }
    return removed
  }
  const sweep = async (): Promise<RetentionSweep> => {
    const { dataDays, runDays } = await rules()
    const now = clock.now()
    const runs = runDays === null ? 0 : await removeRuns(now - runDays * dayMs)
    const dataOf = dataDays === null ? 0 : await removeData(now - dataDays * dayMs)
    const directUses = runDays === null ? 0 : await removeDirectUses(now - runDays * dayMs)
    if (dataDays !== null) await removeExchanges(now - dataDays * dayMs)
    if (runs + dataOf + directUses > 0) {
      const detail = JSON.stringify({ runs, dataOf, ...(directUses === 0 ? {} : { directUses }), dataDays, runDays })
      await store.write([
        store.db
          .insertInto('audit')
          .values({ at: now, person_id: null, action: 'retention.sweep', subject: 'runs', detail }),
      ])
      log.info({ runs, dataOf, directUses }, 'old results were removed by the retention rules')
    }
    await forget(() => closing)
    await onSwept()
    return { dataOf, runs }
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = working.then(work, work)
    working = next.catch(() => {})
    return next
  }
  const couldNot = (error: unknown) => {
    const { code, message } = asLabError(error)
    log.error({ code, error: message }, 'old results could not be removed')
  }
  const sweepSoon = () => {
    inTurn(sweep).catch(couldNot)
  }
  /** Sweeps when it is due; of several hubs, the one whose update counts. */
  const tick = async () => {
    trust.look()
    const isStart = isFirstTick
    isFirstTick = false
    const due = await settings.read(dueName)
    const next = String(nextNight(clock.now()))
    if (due === undefined) {
      await store.write([settings.keep(dueName, next, null)])
      return
    }
    const lateMs = clock.now() - Number(due)
    // It is never set further ahead: the clock was ahead when it was.
    const isFar = -lateMs > LONGEST_NIGHT_MS
    if (lateMs < 0 && !isFar) return
    if (isStart && lateMs > SURPRISING_MS) trust.doubt()
    if (!isFar && !trust.isGiven) {
      if (!isWaiting)
        log.warn({ lateMs }, 'the retention rules are due: they wait some hours, in case the clock is wrong')
      isWaiting = true
      return
    }
    isWaiting = false
    const claim = store.db
      .updateTable('setting')
      .set({ value: next, changed_at: sql<number>`${clock.now()}` })
      .where('name', '=', dueName)
      .where('value', '=', due)
    try {
      await store.write([{ query: claim, expect: 1 }])
    } catch (error) {
      if (asLabError(error).code === 'precondition-failed') return
      throw error
    }
    if (isFar) return
    await inTurn(sweep)
  }

  return {
    rules,
    sweep: () => inTurn(sweep),
    tick,
    change: async (retention: Retention, by: string) => {
      await store.write(settings.change(rulesName, { from: await rules(), to: retention }, by))
      sweepSoon()
    },
    /** After a change of other rules. */
    sweepSoon,
    start: async () => {
      await tick()
      stopTicker = startTicker('* * * * *', () => tick().catch(couldNot))
    },
    close: async () => {
      closing = true
      await stopTicker()
      await working
    },
  }
}

/** The next 3 o'clock by the machine's own time. */
function nextNight(nowMs: number): number {
  const night = new Date(nowMs)
  night.setHours(3, 0, 0, 0)
  if (night.getTime() <= nowMs) night.setDate(night.getDate() + 1)
  return night.getTime()
}
