/** Recurring runs over the database; the ticker asks it what is due. */
import type { Recurring } from '@fernlab/shared/contracts/recurring'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import type { Caller } from '../accounts/caller.ts'
import type { FaultHook } from '../fault-point.ts'
import type { Errands } from '../mail/errands.ts'
import { letterLanguage } from '../mail/letter-reasons.ts'
import type { Mail } from '../mail/mail.ts'
import type { Admission } from '../runs/admission.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Runs } from '../runs/runs.ts'
import { auditEntries, wasAndIs } from '../store/audit-entries.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import { startTicker } from '../ticker.ts'
import { nextDue, nextDues } from './decide-due.ts'
import { createFire, ownerLeft } from './fire.ts'
import { pausedLetter } from './paused-letter.ts'
import type { RecurringChange, RecurringRuns } from './recurring.ts'
import { lastTimes, nextShown, type RecurringRow, recurringRows, recurringView } from './recurring-rows.ts'
import type { RecurringTable } from './tables.ts'

export interface CreateRecurringOptions {
  readonly store: Store
  readonly runs: Pick<Runs, 'submit'>
  readonly admission: Admission
  readonly labs: KnownLabs
  readonly mail: Mail
  readonly errands: Errands
  /** What letters name and link to. */
  readonly site: string
  readonly publicUrl: () => string
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

/** How often it is looked whether something is due. */
const tickTimes = '*/10 * * * * *'
const mostOfPerson = 100

/** The recurring runs of this hub; it makes none before `start`. */
export function createRecurring(options: CreateRecurringOptions): RecurringRuns {
  const { store, runs, admission, labs, mail, errands, clock, log, faultPoint } = options
  const { db } = store
  const audit = auditEntries(store, clock)
  let working: Promise<void> | undefined
  let trouble = false
  let stopTicker = async () => {}

  const onPaused = (row: RecurringTable, error: LabError) => {
    if (!mail.configured) return
    errands.begin('a letter about a recurring run that was paused', async () => {
      const { site, publicUrl } = options
      const person = await db
        .selectFrom('user')
        .innerJoin('person', 'person.id', 'user.id')
        .select(['user.name', 'user.email', 'person.language'])
        .where('user.id', '=', row.person_id)
        .executeTakeFirstOrThrow()
      const language = letterLanguage(person.language)
      await mail.send(pausedLetter(row, { person, language, error, site, publicUrl: publicUrl() }))
    })
  }
  const fire = createFire({ store, runs, clock, log, onPaused, faultPoint })

  const tick = (): Promise<void> => {
    working ??= fire.due().finally(() => {
      working = undefined
    })
    return working
  }
  const attend = () => {
    tick().then(
      () => {
        if (trouble) log.info({}, 'recurring runs are made again')
        trouble = false
      },
      (error: unknown) => {
        const { code, message } = asLabError(error)
        if (!trouble) log.error({ code, error: message }, 'recurring runs can not be made; trying on')
        trouble = true
      },
    )
  }

  const view = async (row: RecurringRow): Promise<Recurring> =>
    recurringView(row, {
      lab: await labs.lab(row.lab),
      last: await lastTimes(store, row.id),
      nowMs: clock.now(),
    })
  const find = (id: string) => recurringRows(store).where('recurring.id', '=', id).executeTakeFirst()
  const existing = async (id: string): Promise<RecurringRow> => (await find(id)) ?? unknown(id)
  const shown = async (id: string): Promise<Recurring> => view(await existing(id))

  /** Whether its owner could have the run, and when it is due next. */
  const planned = async (caller: Caller, row: Omit<RecurringTable, 'due_at'>): Promise<number> => {
    if (row.starts_at !== null && row.ends_at !== null && row.ends_at <= row.starts_at) {
      throw invalid('until', 'the end must be after the start')
    }
    const due = nextDue(row, clock.now())
    if (due === undefined) throw invalid('until', 'no due time is to come before its end')
    await admission.admit(caller, {
      lab: row.lab,
      protocol: row.protocol,
      parameters: JSON.parse(row.parameters),
      ...(row.wanted_bench === null ? {} : { bench: row.wanted_bench }),
    })
    return due
  }

  /** Writes what a person changes, unless it is gone. */
  const update = async (id: string, set: Partial<RecurringTable>, entry: StoreQuery): Promise<Recurring> => {
    const query = db.updateTable('recurring').set(set).where('id', '=', id)
    await kept([{ query, expect: 1 }, entry], id)
    return shown(id)
  }
  const kept = async (queries: readonly StoreQuery[], id: string) => {
    try {
      await store.write(queries)
    } catch (error) {
      throw asLabError(error).code === 'precondition-failed' ? gone(id) : error
    }
  }

  return {
    create: async (caller, body) => {
      const now = clock.now()
      const row = {
        id: newId(now),
        person_id: caller.personId,
        name: body.name,
        lab: body.lab,
        protocol: body.protocol,
        parameters: JSON.stringify(body.parameters),
        wanted_bench: body.bench ?? null,
        priority: body.priority ?? null,
        cron: body.cron,
        time_zone: body.timeZone ?? ownTimeZone(),
        starts_at: msOf(body.from),
        ends_at: msOf(body.until),
        overlap: body.overlap,
        missed: body.missed,
        paused_for: null,
        decided_at: now,
        refusals: 0,
        created_at: now,
      }
      const due_at = await planned(caller, row)
      const count = db.selectFrom('recurring').select(({ fn }) => fn.countAll<number>().as('count'))
      const { count: held } = await count.where('person_id', '=', caller.personId).executeTakeFirstOrThrow()
      if (held >= mostOfPerson) {
        throw refuse('recurring-too-many', `one person has at most ${mostOfPerson}: remove some first`)
      }
      await store.write([
        db.insertInto('recurring').values({ ...row, due_at }),
        audit(caller.personId, 'recurring.created', row.id, { name: row.name, lab: row.lab, cron: row.cron }),
      ])
      return shown(row.id)
    },
    change: async (caller, id, body) => {
      const known = await existing(id)
      const { person_name: _, ...before } = known
      const after = { ...before, ...changedColumns(body) }
      const now = clock.now()
      const due = await planned(caller, after)
      const due_at = before.paused_for === null ? due : null
      const set = { ...changedColumns(body), due_at, decided_at: now, refusals: 0 }
      return update(id, set, audit(caller.personId, 'recurring.changed', id, wasAndIs(await view(known), body)))
    },
    get: async (id) => {
      const row = await find(id)
      return row === undefined ? undefined : view(row)
    },
    list: async ({ person, lab, limit, cursor }) => {
      let query = recurringRows(store)
        .orderBy('recurring.id', 'desc')
        .limit(limit + 1)
      if (person !== undefined) query = query.where('recurring.person_id', '=', person)
      if (lab !== undefined) query = query.where('recurring.lab', '=', lab)
      if (cursor !== undefined) query = query.where('recurring.id', '<', cursor)
      const found = await query.execute()
      const items = await Promise.all(found.slice(0, limit).map(view))
      const last = items.at(-1)
      return { items, ...(found.length > limit && last !== undefined ? { cursor: last.id } : {}) }
    },
    pause: async (caller, id) => {
      if ((await existing(id)).paused_for !== null) return shown(id)
      const set = { paused_for: 'asked' as const, due_at: null }
      return update(id, set, audit(caller.personId, 'recurring.paused', id))
    },
    resume: async (caller, id) => {
      const row = await existing(id)
      if (row.paused_for === null) return shown(id)
      if (row.paused_for === 'owner-left') throw ownerLeft(row.name)
      const now = clock.now()
      const set = { paused_for: null, due_at: nextDue(row, now) ?? null, decided_at: now, refusals: 0 }
      return update(id, set, audit(caller.personId, 'recurring.resumed', id))
    },
    runNow: async (caller, id) => {
      await fire.now(await existing(id), [audit(caller.personId, 'recurring.run', id)])
      return shown(id)
    },
    remove: async (caller, id) => {
      const { name } = await existing(id)
      const queries = [
        { query: db.deleteFrom('recurring').where('id', '=', id), expect: 1 },
        db.deleteFrom('recurring_time').where('recurring_id', '=', id),
        audit(caller.personId, 'recurring.removed', id, { name }),
      ]
      await kept(queries, id)
    },
    times: ({ cron, timeZone = ownTimeZone(), from, until }) => {
      const plan = { cron, time_zone: timeZone, starts_at: msOf(from), ends_at: msOf(until) }
      const next = nextDues(plan, clock.now(), nextShown).map((ms) => new Date(ms).toISOString())
      return { timeZone, next }
    },
    start: () => {
      stopTicker = startTicker(tickTimes, attend)
      attend()
    },
    tick,
    close: async () => {
      await stopTicker()
      await working?.catch(() => {}) // reported by the tick that began it
    },
  }
}

const msOf = (text: string | null | undefined): number | null =>
  text === undefined || text === null ? null : Date.parse(text)

/** The columns that a change names. */
function changedColumns(body: RecurringChange): Partial<RecurringTable> {
  const { name, protocol, parameters, bench, priority, cron, timeZone, from, until, overlap, missed } = body
  const given = {
    name,
    protocol,
    parameters: parameters === undefined ? undefined : JSON.stringify(parameters),
    wanted_bench: bench,
    priority,
    cron,
    time_zone: timeZone,
    starts_at: from === undefined ? undefined : msOf(from),
    ends_at: until === undefined ? undefined : msOf(until),
    overlap,
    missed,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function refuse(code: string, message: string, path = ''): LabError {
  return new LabError({ code, kind: 'caller', message, issues: path === '' ? [] : [{ path, message }] })
}
const invalid = (path: string, message: string) => refuse('recurring-invalid', message, path)
const gone = (id: string) => refuse('recurring-unknown', `there is no recurring run ${id}`)

function unknown(id: string): never {
  throw gone(id)
}
