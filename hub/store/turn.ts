/**
 * What the hub changes in one turn of the event loop, as one atomic write.
 *
 * INVARIANTS: rows added in one turn are committed together or not at all, in the order of the statements' ranks; effects
 * (anything that leaves this process) run only after that commit and those of all turns before, in the order they were
 * added; when a write fails, `onFailure` is called once all writes under way have settled, again and again until it
 * succeeds; until then nothing can be added and no effect runs: memory that is ahead of the disk is never acted on.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Database, SqlValue, WriteStatement } from '@fernlab/shared/storage/database'
import type { FaultHook } from '../fault-point.ts'
import type { Precompiled } from './precompile.ts'

/** A statement that takes part in turns. */
export interface TurnStatement<Values> extends Precompiled<Values> {
  /** Lower ranks run first. */
  readonly rank: number
  /** Each of its rows must change exactly one row of the table. */
  readonly conditional: boolean
}

/** A row on its way into the database. */
export interface TurnRow<Values> {
  /** True until its turn ends: only then can it still be changed. */
  readonly open: boolean
  amend(changes: Partial<Values>): void
  /** Leaves it out. */
  drop(): void
}

export interface Turn {
  /** False while the memory is being read again after a failed write: drop what came, it will be repeated. */
  readonly open: boolean
  /** Throws `database-recovering` unless open: whoever refuses somebody for what the memory holds asks this before. */
  mustBeOpen(): void
  add<Values>(statement: TurnStatement<Values>, values: Values): TurnRow<Values>
  /** Runs once the rows of this turn and of all before are on disk; never when one of them, or the memory, failed. */
  afterCommit(effect: () => void): void
  /**
   * Resolves once the rows of this turn are on disk, whatever became of turns before: what is told to their caller rests on
   * them alone (without rows: on all before). Rejects when they were not written, with an error after which the same call
   * may be tried again.
   */
  kept(): Promise<void>
  /** One write of its own, which may fail alone; the memory is not read again while it is under way. */
  alone(statements: readonly WriteStatement[]): Promise<void>
  /** Resolves when everything that was added so far is committed or has failed. */
  settled(): Promise<void>
}

export interface CreateTurnOptions {
  readonly database: Database
  /** Reads the memory again from the database. */
  readonly onFailure: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

interface Pending {
  readonly rows: Map<TurnStatement<never>, PendingRow[]>
  readonly effects: (() => void)[]
  readonly callers: { resolve: () => void; reject: (error: LabError) => void }[]
  readonly state: { open: boolean }
}

class PendingRow {
  values: object | undefined
  /** Of its turn, and no more of it: whoever keeps a row keeps no turn in memory. */
  readonly #turn: { readonly open: boolean }

  constructor(values: object, turn: { readonly open: boolean }) {
    this.values = values
    this.#turn = turn
  }

  get open(): boolean {
    return this.#turn.open
  }

  amend(changes: object): void {
    this.#mustBeOpen()
    this.values = { ...this.values, ...changes }
  }

  drop(): void {
    this.#mustBeOpen()
    this.values = undefined
  }

  #mustBeOpen(): void {
    if (this.open) return
    throw new LabError({ code: 'turn-over', kind: 'bug', message: 'a row was changed after its turn' })
  }
}

const RELOAD_MS = 1000

/** A turn keeper over the database. */
export function createTurn({ database, onFailure, clock, log, faultPoint }: CreateTurnOptions): Turn {
  let pending: Pending | undefined
  const writes = new Set<Promise<unknown>>()
  const underWay = new Set<Promise<void>>()
  let recovering: Promise<void> | undefined
  let lossLogged = false

  const begin = (): Pending => {
    if (pending === undefined) {
      pending = { rows: new Map(), effects: [], callers: [], state: { open: true } }
      // What the first change leads to at once, a run's way to a free bench, belongs to the same turn.
      queueMicrotask(() => queueMicrotask(flush))
    }
    return pending
  }

  const write = async (statements: readonly WriteStatement[]): Promise<void> => {
    faultPoint?.('before-turn-commit')
    await database.write(statements)
    faultPoint?.('after-turn-commit')
  }

  const flush = () => {
    const turn = pending
    pending = undefined
    if (turn === undefined) return
    turn.state.open = false
    const statements = [...turn.rows]
      .map(([statement, rows]) => ({ statement, rows: bound(statement, rows) }))
      .filter(({ rows }) => rows.length > 0)
      .sort((a, b) => a.statement.rank - b.statement.rank)
    // Effects may rest on rows of turns before, which can fail alone: they wait for those too.
    const before = Promise.all(writes)
    before.catch(() => {}) // reported by its own turn
    const own: Promise<unknown> =
      statements.length === 0
        ? before
        : write(
            statements.map(({ statement: { sql, conditional }, rows }) => ({
              sql,
              rows,
              ...(conditional ? { expect: rows.length } : {}),
            })),
          )
    own.then(
      () => {
        for (const { resolve } of turn.callers) resolve()
      },
      (error: LabError) => {
        for (const { reject } of turn.callers) reject(forCaller(error))
      },
    )
    const written = own.then(() => before)
    const done = written.then(
      () => {
        if (lossLogged) log.info({}, 'the database takes writes again')
        lossLogged = false
        for (const effect of turn.effects) run(effect)
      },
      (error: LabError) => {
        if (!lossLogged) log.error({ code: error.code, error: error.message }, 'the database did not take a write')
        lossLogged = true
        recover()
      },
    )
    writes.add(written)
    watch(done)
    done.finally(() => writes.delete(written))
  }

  /** The memory is not read again before this is done. */
  const watch = (done: Promise<void>) => {
    underWay.add(done)
    done.finally(() => underWay.delete(done))
  }

  const run = (effect: () => void) => {
    try {
      effect()
    } catch (error) {
      log.error({ error: error instanceof Error ? error.stack : String(error) }, 'an effect failed')
    }
  }

  const recover = () => {
    recovering ??= reload().finally(() => {
      recovering = undefined
    })
  }

  const reload = async (): Promise<void> => {
    for (let logged = false; ; logged = true) {
      while (underWay.size > 0 || pending !== undefined) await Promise.all([Promise.resolve(), ...underWay])
      try {
        return await onFailure()
      } catch (error) {
        if (asLabError(error).code === 'database-closed') return
        if (!logged) log.error({ error: String(error) }, 'the memory can not be read again; trying on')
      }
      await clock.sleep(RELOAD_MS)
    }
  }

  const mustBeOpen = () => {
    if (recovering !== undefined) throw recoveringError()
  }

  return {
    get open() {
      return recovering === undefined
    },
    mustBeOpen,
    add: (statement, values) => {
      mustBeOpen()
      const turn = begin()
      const key = statement as TurnStatement<never>
      const row = new PendingRow(values as object, turn.state)
      const known = turn.rows.get(key)
      if (known === undefined) turn.rows.set(key, [row])
      else known.push(row)
      return row as TurnRow<never>
    },
    afterCommit: (effect) => {
      if (recovering === undefined) begin().effects.push(effect)
    },
    kept: () =>
      new Promise((resolve, reject) => {
        if (recovering === undefined) begin().callers.push({ resolve, reject })
        else reject(recoveringError())
      }),
    alone: async (statements) => {
      mustBeOpen()
      const writing = write(statements)
      watch(writing.catch(() => {})) // reported by who waits for it
      await writing
    },
    settled: async () => {
      while (underWay.size > 0 || pending !== undefined) await Promise.all([Promise.resolve(), ...underWay])
    },
  }
}

/** A condition that was not met is memory that ran ahead of the disk, not the caller's mistake. */
function forCaller(error: LabError): LabError {
  return error.retry === 'later' ? error : recoveringError(error)
}

function recoveringError(cause?: LabError): LabError {
  return new LabError({
    code: 'database-recovering',
    kind: 'configuration',
    retry: 'later',
    message: 'the database did not take the last write; its state is being read again',
    studentMessage: 'The last change could not be kept. Nothing was lost; try again in a moment.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function bound(statement: TurnStatement<never>, rows: readonly PendingRow[]): SqlValue[][] {
  const values: SqlValue[][] = []
  for (const row of rows) if (row.values !== undefined) values.push(statement.bind(row.values as never))
  return values
}
