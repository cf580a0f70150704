/**
 * Letters to staff about benches that go out of use and come back.
 *
 * INVARIANTS: a change is marked before its letters are written and again when all were handed over, each in a write that
 * only one can make; a change that a killed hub has left in between is told at the next start, in letters of the same
 * Message-ID, which a mailbox keeps once; when a letter could not be handed over, the change is due again, for those who
 * have none yet.
 */
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { createLossLog } from '../broker/loss-log.ts'
import type { FaultHook } from '../fault-point.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import { letterLanguage } from '../mail/letter-reasons.ts'
import type { LetterWriting } from '../mail/letter-writing.ts'
import { createRounds } from '../mail/rounds.ts'
import { benchLetter } from './bench-letter.ts'
import { whetherToTell } from './whether-to-tell.ts'

export interface BenchLetters {
  /** Looks now for what is due; repeated by itself. */
  look(): void
  /** Whether the person gets letters. */
  wanted(personId: string): Promise<boolean>
  /** Turns the person's letters on or off. */
  want(personId: string, wanted: boolean): Promise<void>
  /** Waits for what is under way. */
  close(): Promise<void>
}

export interface CreateBenchLettersOptions extends LetterWriting {
  readonly book: Pick<FleetBook, 'benches'>
  readonly faultPoint?: FaultHook | undefined
}

const TICK_MS = 10_000
const AGAIN_MS = 60_000
/** Of those who may look after benches, these get letters unless they say otherwise. */
const told = ['admin', 'builder'] as const
const mayBeTold = ['admin', 'builder', 'instructor'] as const

interface Due {
  readonly id: number
  readonly bench: string
}

/** Writes letters until it is closed; none where the site has no mail server. */
export function createBenchLetters(options: CreateBenchLettersOptions): BenchLetters {
  const { store, book, mail, site, publicUrl, clock, log, faultPoint } = options
  const { db } = store
  const losses = createLossLog(log)
  /** Who has a letter about a change whose other letters could not be handed over. */
  const served = new Map<number, Set<string>>()
  /** What a killed hub has left half told is due again. */
  let resumed = false
  let notBefore = Number.NEGATIVE_INFINITY

  const readers = async () => {
    const people = await db
      .selectFrom('user')
      .innerJoin('person', 'person.id', 'user.id')
      .leftJoin('bench_letters', 'bench_letters.person_id', 'user.id')
      .select(['user.id', 'user.name', 'user.email', 'person.role', 'person.language', 'bench_letters.wanted'])
      .where('person.role', 'in', mayBeTold)
      .where('person.suspended_at', 'is', null)
      // Accounts of programs have addresses at which nobody is.
      .where('user.email', 'not like', '%.invalid')
      .execute()
    return people.filter(({ role, wanted }) => (wanted === null ? told.some((each) => each === role) : wanted === 1))
  }

  const mark = (id: number, from: 'due' | 'sending', to: 'none' | 'due' | 'sending' | 'sent') => ({
    query: db.updateTable('bench_history').set({ letter: to }).where('id', '=', id).where('letter', '=', from),
    expect: 1,
  })

  const changeOf = async ({ id, bench }: Due) => {
    const of = db
      .selectFrom('bench_history')
      .select(['at', 'state', 'cause', 'reason', 'run_id'])
      .where('bench', '=', bench)
    const change = await of.where('id', '=', id).executeTakeFirstOrThrow()
    const next = await of.where('id', '>', id).orderBy('id').limit(1).executeTakeFirst()
    const before = await of
      .where('id', '<', id)
      .where('letter', '=', 'sent')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    return { change, endedAt: next?.at, toldBefore: before }
  }

  const tell = async ({ id, bench }: Due, change: Awaited<ReturnType<typeof changeOf>>['change']) => {
    const people = await readers()
    // What nobody was told has no end that is told.
    if (people.length === 0) return void (await store.write([mark(id, 'due', 'none')]))
    faultPoint?.('before-bench-letters-commit')
    await store.write([mark(id, 'due', 'sending')])
    const has = served.get(id) ?? new Set<string>()
    const title = book.benches.get(bench)?.title ?? null
    let failure: unknown
    for (const person of people) {
      if (has.has(person.id)) continue
      try {
        const letter = benchLetter(change, {
          ...{ bench: { id: bench, title }, person, language: letterLanguage(person.language) },
          ...{ site, publicUrl: publicUrl() },
        })
        const messageId = `<bench-change-${id}.${person.id}@${new URL(publicUrl()).hostname}>`
        await mail.send({ ...letter, messageId })
        has.add(person.id)
      } catch (error) {
        failure = error
      }
    }
    served.delete(id)
    if (failure === undefined) {
      faultPoint?.('before-bench-letters-sent')
      await store.write([mark(id, 'sending', 'sent')])
      faultPoint?.('after-bench-letters-sent')
      return losses.recovered('letters', {}, 'letters about benches are taken again')
    }
    served.set(id, has)
    notBefore = clock.monotonic() + AGAIN_MS
    losses.lost('letters', { error: asLabError(failure).message }, 'letters about benches could not be sent; trying on')
    await store.write([mark(id, 'sending', 'due')])
  }

  const work = async () => {
    if (!mail.configured) return
    if (!resumed) {
      const left = db.updateTable('bench_history').set({ letter: 'due' }).where('letter', '=', 'sending')
      await store.write([left])
      resumed = true
    }
    const due = await db
      .selectFrom('bench_history')
      .select(['id', 'bench'])
      .where('letter', '=', 'due')
      .orderBy('id')
      .execute()
    /** What comes after a change of which it is too early to say anything depends on it. */
    const waits = new Set<string>()
    for (const one of due) {
      if (rounds.closed || clock.monotonic() < notBefore) return
      if (waits.has(one.bench)) continue
      const { change, endedAt, toldBefore } = await changeOf(one)
      const verdict = whetherToTell(change, endedAt, toldBefore, clock.now())
      if (verdict === 'wait') waits.add(one.bench)
      else if (verdict === 'leave') await store.write([mark(one.id, 'due', 'none')])
      else await tell(one, change)
    }
  }

  const rounds = createRounds({
    work,
    everyMs: TICK_MS,
    onFailure: (error) => log.error({ error: asLabError(error).message }, 'letters about benches could not be written'),
    clock,
  })

  return {
    look: rounds.look,
    wanted: async (personId) => {
      const row = await db
        .selectFrom('person')
        .leftJoin('bench_letters', 'bench_letters.person_id', 'person.id')
        .select(['person.role', 'bench_letters.wanted'])
        .where('person.id', '=', personId)
        .executeTakeFirst()
      if (row === undefined) return false
      return row.wanted === null ? told.some((role) => role === row.role) : row.wanted === 1
    },
    want: async (personId, wanted) => {
      const row = { wanted: wanted ? 1 : 0 }
      await store.write([
        db
          .insertInto('bench_letters')
          .values({ person_id: personId, ...row })
          .onConflict((conflict) => conflict.column('person_id').doUpdateSet(row)),
      ])
    },
    close: rounds.close,
  }
}
