/**
 * When benches are not for runs: staff plan it here, and what begins and ends by itself is told.
 *
 * INVARIANTS: what holds at a moment follows from the plans and that moment alone, so that a clock which jumps neither
 * loses nor doubles an outage; a plan is in the database before a run is kept away by it, and gone from there before a
 * run is let on again.
 */
import type { planOutageSchema, planOutagesSchema, Outage as ShownOutage } from '@fernlab/shared/contracts/bench-care'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import type { z } from 'zod'
import { namesOf } from '../accounts/names-of.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { isWeekly, type OutagePlan, outlookAt } from './outages.ts'

export interface BenchCare {
  /** What is planned and not over, the soonest first; throws `bench-unknown`. */
  outages(bench: string): Promise<ShownOutage[]>
  /** Takes effect at once; throws `bench-unknown`, `outage-over`, `outages-too-many`. */
  plan(bench: string, input: z.output<typeof planOutageSchema>, by: string): Promise<ShownOutage>
  /** The same for several benches, in one write: all of them or none; what is wrong with some is told with their places. */
  planMany(input: z.output<typeof planOutagesSchema>, by: string): Promise<ShownOutage[]>
  /** Takes a plan back, also one that is in force; throws `bench-unknown`, `outage-unknown`. */
  end(bench: string, id: string, by: string): Promise<void>
  close(): void
}

export interface CreateBenchCareOptions {
  readonly store: Store
  readonly book: FleetBook
  readonly clock: Clock
  readonly log: Log
  /** The bench shows something else now, or takes other runs. */
  readonly onChange: (bench: BookedBench) => void
  /** Cancels the run on the bench; repeated each second until it has ended. */
  readonly endRun: (run: string, why: string) => void
}

const TICK_MS = 1000
const MOST_PLANS = 100

/** Watches over the plans of the benches in the book. */
export function createBenchCare({ store, book, clock, log, onChange, endRun }: CreateBenchCareOptions): BenchCare {
  /** What was told last. */
  const told = new Map<string, string>()

  const benchOf = (id: string): BookedBench => {
    const bench = book.benches.get(id)
    if (bench !== undefined) return bench
    throw new LabError({ code: 'bench-unknown', kind: 'caller', message: `there is no bench ${id}` })
  }

  const look = (bench: BookedBench) => {
    const { current } = book.outlook(bench)
    const id = current?.plan.id
    if (id !== told.get(bench.id)) {
      if (id === undefined) told.delete(bench.id)
      else told.set(bench.id, id)
      log.info(
        { bench: bench.id, reason: current?.plan.reason },
        id === undefined ? 'a bench is for runs again' : 'a bench is not for runs',
      )
      onChange(bench)
    }
    if (current?.plan.atOnce === true && bench.runId !== null) {
      endRun(bench.runId, current.plan.reason)
    }
  }

  const tick = () => {
    for (const bench of book.benches.values()) if (bench.plans.length > 0 || told.has(bench.id)) look(bench)
    cancelTick = clock.after(TICK_MS, tick)
  }
  let cancelTick = clock.after(TICK_MS, tick)

  const shown = (bench: string, plan: OutagePlan, names: ReadonlyMap<string, string>): ShownOutage | undefined => {
    const now = clock.now()
    const { current, next } = outlookAt([plan], now)
    const outage = current ?? next
    const beyond = outage === undefined && !isWeekly(plan.when) && plan.when.from > now ? plan.when : undefined
    const from = outage?.from ?? beyond?.from
    if (from === undefined) return undefined
    const until = outage?.until ?? beyond?.until ?? Number.POSITIVE_INFINITY
    return {
      id: plan.id,
      bench,
      reason: plan.reason,
      atOnce: plan.atOnce,
      ...(isWeekly(plan.when) ? { weekly: plan.when } : {}),
      from: new Date(from).toISOString(),
      ...(Number.isFinite(until) ? { until: new Date(until).toISOString() } : {}),
      inForce: current !== undefined,
      createdBy: names.get(plan.createdBy) ?? '',
      createdAt: new Date(plan.createdAt).toISOString(),
    }
  }

  const audit = auditEntries(store, clock)

  /** Why a bench takes no more plans, while it has as many as there can be. */
  const fullness = (bench: BookedBench): string | undefined =>
    bench.plans.flatMap((known) => shown(bench.id, known, new Map()) ?? []).length >= MOST_PLANS
      ? `${bench.id} has ${MOST_PLANS} planned outages: take some back first`
      : undefined

  /** What is to be written for a plan, and what holds once it is; refused where it can not be. */
  const planned = async (
    bench: BookedBench,
    { reason, from, until, weekly, atOnce }: z.output<typeof planOutageSchema>,
    by: string,
  ) => {
    const now = clock.now()
    const plan: OutagePlan = {
      id: newId(now),
      reason,
      atOnce,
      when:
        weekly === undefined
          ? {
              from: from === undefined ? now : Date.parse(from),
              until: until === undefined ? null : Date.parse(until),
            }
          : { ...weekly, timeZone: weekly.timeZone ?? ownTimeZone() },
      createdBy: by,
      createdAt: now,
    }
    const outage = shown(bench.id, plan, await namesOf(store, [by]))
    if (outage === undefined) throw refuse('outage-over', 'until', 'is in the past: choose an end that is to come')
    const { when } = plan
    return {
      outage,
      statements: [
        store.db.insertInto('bench_outage').values({
          id: plan.id,
          bench: bench.id,
          reason,
          at_once: atOnce ? 1 : 0,
          from_at: isWeekly(when) ? null : when.from,
          until_at: isWeekly(when) ? null : when.until,
          weekly: isWeekly(when) ? JSON.stringify(when) : null,
          created_by: by,
          created_at: now,
        }),
        audit(by, 'bench.outage-planned', bench.id, { id: plan.id, reason, atOnce, when }),
      ],
      takeEffect: () => {
        bench.plans = [...bench.plans, plan]
        look(bench)
        onChange(bench)
      },
    }
  }

  return {
    outages: async (id) => {
      const { plans } = benchOf(id)
      const names = await namesOf(
        store,
        plans.map(({ createdBy }) => createdBy),
      )
      const list = plans.flatMap((plan) => shown(id, plan, names) ?? [])
      return list.sort((a, b) => Date.parse(a.from) - Date.parse(b.from))
    },
    plan: async (id, input, by) => {
      const bench = benchOf(id)
      const full = fullness(bench)
      if (full !== undefined) throw refuse('outages-too-many', '', full)
      const made = await planned(bench, input, by)
      await store.write(made.statements)
      made.takeEffect()
      return made.outage
    },
    planMany: async ({ benches: ids, ...input }, by) => {
      refuseSome('bench-unknown', ids, (id) => (book.benches.has(id) ? undefined : `there is no bench ${id}`))
      refuseSome('outages-too-many', ids, (id) => fullness(benchOf(id)))
      const made = await Promise.all(ids.map((id) => planned(benchOf(id), input, by)))
      await store.write(made.flatMap(({ statements }) => statements))
      for (const { takeEffect } of made) takeEffect()
      return made.map(({ outage }) => outage)
    },
    end: async (id, outage, by) => {
      const bench = benchOf(id)
      const plan = bench.plans.find((known) => known.id === outage)
      if (plan === undefined) throw refuse('outage-unknown', '', `${id} has no planned outage ${outage}`)
      await store.write([
        store.db
          .updateTable('bench_outage')
          .set({ ended_at: clock.now(), ended_by: by })
          .where('id', '=', outage)
          .where('ended_at', 'is', null),
        audit(by, 'bench.outage-ended', id, { id: outage, reason: plan.reason }),
      ])
      bench.plans = bench.plans.filter((known) => known !== plan)
      look(bench)
      onChange(bench)
    },
    close: () => cancelTick(),
  }
}

function refuse(code: string, path: string, message: string): LabError {
  const issues = path === '' ? [] : [{ path, message }]
  return new LabError({ code, kind: 'caller', message: path === '' ? message : `${path} ${message}`, issues })
}

/** Throws for all of the benches of which something is wrong, each with its place. */
function refuseSome(code: string, benches: readonly string[], wrongWith: (id: string) => string | undefined): void {
  const issues = benches.flatMap((id, at) => {
    const message = wrongWith(id)
    return message === undefined ? [] : [{ path: `benches[${at}]`, message }]
  })
  if (issues.length === 0) return
  throw new LabError({ code, kind: 'caller', message: issues.map(({ message }) => message).join('; '), issues })
}
