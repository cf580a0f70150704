/**
 * Where a person drives the bench in a live session: commands on the lease that the session's run holds.
 *
 * INVARIANTS: a command reaches the bench only while the live step lasts, by the run's own lease and within its limits; the
 * step ends when its time is over, when somebody finishes it, when for the idle time no command and no byte of the lab's
 * own page has come, or when the hub has been silent too long, whether or not a hub is there; what is under way is given up
 * and has ended before the step does; every command leaves a row, also one that failed.
 */
import type { Duplex } from 'node:stream'
import {
  COMMANDS_STREAM,
  type CommandRow,
  type SessionStage,
  WAS_STOPPED,
} from '@fernlab/shared/contracts/session-columns'
import { DEFAULT_CATEGORY } from '@fernlab/shared/contracts/sessions'
import type { SessionCommand, Visitor, VisitRow } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Instruction } from '@fernlab/shared/protocol/expand'
import type { Camera, LabPage } from '../drivers/driver.ts'
import { followVisit } from './follow-visit.ts'
import type { Performance } from './performance.ts'
import { doCommand, readings, rowsOf, type SeatReadings } from './seat-commands.ts'

type Live = Extract<Instruction, { op: 'live' }>

export interface Seat {
  readonly stage: SessionStage
  /** Why the live step ended; undefined while it has not. */
  readonly reason: string | undefined
  /** Of the live step; undefined while it does not last. */
  readonly secondsLeft: number | undefined
  /** How long the live step lasts in all; undefined while it does not last. */
  readonly seconds: number | undefined
  /** Of the lab's own server, while the live step lasts. */
  readonly visited: Visited | undefined
  /** What a part of the bench sees, until the session is over; throws `session-not-active`, `not-a-camera`. */
  look(part: string): Looked
  /** So many requests have come from browsers through the hub, so far. */
  requested(requests: number): void
  /** What browsers have asked for there: rows beside the commands. */
  noted(rows: readonly VisitRow[]): void
  /** Does what the person asks; throws `session-not-active` before and after the live step. */
  command(by: string, command: SessionCommand, abort: AbortSignal): Promise<SeatReadings>
  /** The same of what is read by a program again and again: it leaves no rows. */
  read(keys: readonly { readonly part: string; readonly signal: string }[], abort: AbortSignal): Promise<SeatReadings>
  /** Told when the live step has ended. */
  onOver(listener: () => void): void
  /** Makes the live step so long in all, if that is longer; resolves with what is left. */
  extend(by: string, seconds: number): number
  /** Ends the live step; nothing when it has ended. */
  finish(by: string): void
  /** The hub was heard; while the person is still awaited, nothing counts as idle. */
  renew(awaited?: boolean): void
  /** Performs the live step. */
  hold(instruction: Live, context: Performance, signal: AbortSignal): Promise<void>
  /** The steps have ended, however they did. */
  leave(): void
}

/** A camera of the bench while a session lasts. */
export interface Looked {
  readonly camera: Camera
  /** Aborts when the session is over. */
  readonly over: AbortSignal
}

/** A lab's own server while a session takes place there. */
export interface Visited extends LabPage {
  connect(signal: AbortSignal): Promise<Duplex>
  /** Aborts when the session is over. */
  readonly over: AbortSignal
  /** What went through the hub just now: somebody is there. */
  count(more: Partial<LabPageUse>): void
}

/** What browsers did through the hub; received from the lab's server, sent to it. */
interface LabPageUse {
  requests: number
  connections: number
  receivedBytes: number
  sentBytes: number
}

export interface CreateSeatOptions {
  readonly clock: Clock
  readonly log: Log
  /** What the lab is called. */
  readonly lab: string
  /** Whom a lab's own server is told of. */
  readonly visitor: Visitor | undefined
  /** Ends the run because its hub is gone. */
  readonly onSilence: (reason: string) => void
}

const MOST_UNDER_WAY = 16
/** Bytes come by the thousand: so often they count as somebody being there. */
const USE_MS = 500
const useKeys = ['requests', 'connections', 'receivedBytes', 'sentBytes'] as const

interface Held {
  readonly context: Performance
  readonly signal: AbortSignal
  readonly beganAt: number
  seconds: number
  end(reason: string): void
  touched(): void
  heard(): void
  lasts(): void
}

/** The seat of one attempt. */
export function createSeat({ clock, log, lab, visitor, onSilence }: CreateSeatOptions): Seat {
  let stage: SessionStage = 'preparing'
  let reason: string | undefined
  let held: Held | undefined
  let visited: Visited | undefined
  const use: LabPageUse = { requests: 0, connections: 0, receivedBytes: 0, sentBytes: 0 }
  let usedAt = Number.NEGATIVE_INFINITY
  const underWay = new Set<Promise<unknown>>()
  const listeners: (() => void)[] = []

  const note = ({ recorder }: Performance, row: Partial<CommandRow>) => {
    recorder.row(COMMANDS_STREAM, clock.now() / 1000, { ...emptyRow, ...row })
  }

  const active = (): Held => {
    if (held !== undefined && !held.signal.aborted) return held
    throw new LabError({
      code: 'session-not-active',
      kind: 'caller',
      message: stage === 'preparing' ? 'the bench is still being prepared' : 'the session has ended',
      studentMessage: stage === 'preparing' ? 'The bench is still being prepared.' : 'Your time on the bench is over.',
    })
  }

  const countUse = (now: Held, more: Partial<LabPageUse>) => {
    for (const key of useKeys) use[key] += more[key] ?? 0
    if (clock.monotonic() - usedAt < USE_MS || now.signal.aborted) return
    usedAt = clock.monotonic()
    now.touched()
  }

  /** The end of the live step waits for it, the rows that it leaves too. */
  const during = <Result>(now: Held, work: (signal: AbortSignal) => Promise<Result>, abort: AbortSignal) => {
    if (underWay.size >= MOST_UNDER_WAY) {
      throw new LabError({
        code: 'session-busy',
        kind: 'caller',
        retry: 'now',
        message: `${MOST_UNDER_WAY} commands are under way already`,
      })
    }
    now.touched()
    const doing = work(AbortSignal.any([abort, now.signal]))
    underWay.add(doing)
    return doing.finally(() => underWay.delete(doing))
  }

  const leftOf = ({ beganAt, seconds }: Held): number => Math.max(0, seconds - (clock.monotonic() - beganAt) / 1000)

  /** Hands the session to the lab's own server, while it still is being prepared. */
  const startVisit = async ({ server, seconds }: Live, context: Performance, signal: AbortSignal) => {
    if (server === undefined) return undefined
    if (visitor === undefined) {
      throw new LabError({ code: 'visitor-missing', kind: 'bug', message: 'the hub does not say who comes' })
    }
    const leased = context.lease.labServer(server.part)
    const { part, experiment = lab, category = DEFAULT_CATEGORY, data = {} } = server
    const row = { what: 'lab-start', target: part, value: JSON.stringify({ user: visitor.unique, seconds }) }
    try {
      const page = await context.visit.start(
        leased,
        { ...visitor, seconds, experiment, category, data },
        clock.now(),
        signal,
      )
      note(context, { ...row, outcome: 'done' })
      return { leased, part, page }
    } catch (thrown) {
      note(context, { ...row, outcome: asLabError(thrown).message })
      throw thrown
    }
  }

  return {
    get visited() {
      return visited
    },
    look: (part) => {
      const { context, signal } = active()
      const { camera, name } = context.lease.instrument(part)
      if (camera !== undefined) return { camera, over: signal }
      throw new LabError({ code: 'not-a-camera', kind: 'caller', message: `${part} (${name}) is not a camera` })
    },
    requested: (requests) => {
      use.requests = Math.max(use.requests, requests)
    },
    noted: (rows) => {
      const { context } = active()
      for (const row of rows) note(context, row)
    },
    get stage() {
      return stage
    },
    get reason() {
      return reason
    },
    get secondsLeft() {
      return held === undefined ? undefined : leftOf(held)
    },
    get seconds() {
      return held?.seconds
    },
    command: async (by, command, abort) => {
      const now = active()
      const work = async (signal: AbortSignal) => {
        try {
          const found = await doCommand(now.context, command, signal)
          for (const row of rowsOf(command, found)) note(now.context, { by, ...row, outcome: 'done' })
          return found
        } catch (thrown) {
          const error = asLabError(thrown)
          for (const row of rowsOf(command, {})) note(now.context, { by, ...row, outcome: error.message })
          throw error
        }
      }
      return await during(now, work, abort)
    },
    read: async (keys, abort) => {
      const now = active()
      return await during(now, (signal) => readings(now.context, keys, signal), abort)
    },
    onOver: (listener) => void listeners.push(listener),
    extend: (by, seconds) => {
      const now = active()
      if (seconds > now.seconds) {
        now.seconds = seconds
        now.touched()
        now.lasts()
        note(now.context, { by, what: 'extend', value: JSON.stringify(seconds), outcome: 'done' })
      }
      return leftOf(now)
    },
    finish: (by) => {
      if (held === undefined || held.signal.aborted) return
      note(held.context, { by, what: 'finish', outcome: 'done' })
      held.end('it was finished')
    },
    renew: (awaited = false) => {
      held?.heard()
      if (awaited) held?.touched()
    },
    hold: async (instruction, context, signal) => {
      const { idleS, silenceS } = instruction
      await context.recorder.open(COMMANDS_STREAM, signal)
      const visit = await startVisit(instruction, context, signal)
      const over = new AbortController()
      const timers = new Map<string, () => void>()
      const restart = (name: string, seconds: number, then: () => void) => {
        timers.get(name)?.()
        timers.set(name, clock.after(seconds * 1000, then))
      }
      const onAbort = () => over.abort(ended)
      signal.addEventListener('abort', onAbort, { once: true })
      const mine: Held = {
        context,
        signal: over.signal,
        beganAt: clock.monotonic(),
        seconds: instruction.seconds,
        end: (why) => {
          reason ??= why
          over.abort(ended)
        },
        touched: () => restart('idle', idleS, () => mine.end(`nothing was done for ${idleS} s`)),
        heard: () => restart('silence', silenceS, () => onSilence(`the hub was silent for ${silenceS} s`)),
        lasts: () => restart('time', leftOf(mine), () => mine.end('its time was over')),
      }
      mine.touched()
      mine.heard()
      mine.lasts()
      held = mine
      stage = 'active'
      note(context, { what: 'begin', value: JSON.stringify(instruction.seconds), outcome: 'done' })
      context.recorder.flush()
      if (visit !== undefined) {
        const { page, leased } = visit
        visited = { ...page, connect: leased.connect, over: over.signal, count: (more) => countUse(mine, more) }
      }
      const followed =
        visit === undefined
          ? undefined
          : followVisit({
              visit: context.visit,
              server: visit.leased,
              part: visit.part,
              clock,
              log,
              signal: over.signal,
              note: (row) => note(context, row),
            })
      followed?.then(
        (how) => {
          if (how === 'ended') mine.end("the lab's server has ended it")
        },
        () => over.abort(ended),
      )
      try {
        if (signal.aborted) onAbort()
        if (!over.signal.aborted) {
          await new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve(), { once: true }))
        }
        await Promise.allSettled(underWay)
        signal.throwIfAborted()
        await followed
      } finally {
        for (const cancel of timers.values()) cancel()
        signal.removeEventListener('abort', onAbort)
        held = undefined
        visited = undefined
        if (use.connections > 0) note(context, { what: 'lab-page', value: JSON.stringify(use), outcome: 'done' })
        stage = 'finishing'
        note(context, { what: 'end', value: JSON.stringify(reason ?? WAS_STOPPED), outcome: 'done' })
        context.recorder.flush()
        for (const listener of listeners) listener()
      }
    },
    leave: () => {
      stage = 'finishing'
    },
  }
}

const ended = new LabError({
  code: 'session-not-active',
  kind: 'caller',
  message: 'the session ended before the command was done',
  studentMessage: 'Your time on the bench ended before this was done.',
})

const emptyRow: CommandRow = { by: '', what: '', target: '', value: 'null', outcome: '' }
