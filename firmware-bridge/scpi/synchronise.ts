/**
 * Brings an instrument and us back into step, so that a late reply never answers the next question.
 *
 * INVARIANTS: `event-mask` writes a number that the last two synchronisations did not use to the event status enable
 * register (`*ESE`, IEEE 488.2 clause 10.10) and asks it back, twice with different numbers: instruments answer in
 * order, so whatever comes before the second number is old, even a late reply that happens to equal the first.
 * `identity`, for instruments that lack `*ESE`, waits until the line has been quiet and then for the known identity.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Connection } from '../sessions/connection.ts'
import type { Reply } from './framing.ts'

export type SynchroniseBy = 'event-mask' | 'identity'

export interface SynchroniseOptions {
  readonly instrument: string
  readonly by: SynchroniseBy
  readonly clock: Clock
  readonly timeoutMs: number
  /** How long the line must be silent in `identity`. */
  readonly quietMs: number
  /** What `*IDN?` answers, when known. */
  readonly identity: string | undefined
  /** A number that grows with every synchronisation of this session. */
  readonly turn: number
}

/** Resolves with the number of old replies dropped, and the connection marked in step; rejects when it cannot be. */
export async function synchronise(
  connection: Connection<Reply>,
  options: SynchroniseOptions,
  signal: AbortSignal,
): Promise<number> {
  const dropped = await connection.listening(() =>
    options.by === 'event-mask' ? byEventMask(connection, options, signal) : byIdentity(connection, options, signal),
  )
  connection.markInStep()
  return dropped
}

async function byEventMask(
  connection: Connection<Reply>,
  options: SynchroniseOptions,
  signal: AbortSignal,
): Promise<number> {
  let dropped = 0
  for (const half of [0, 1]) {
    // 1–62: bit 6 is left alone, as some instruments ignore it; a number comes back after 31 synchronisations.
    const mark = 1 + ((options.turn * 2 + half) % 62)
    await connection.write(`*ESE ${mark}`, options.timeoutMs, signal)
    await connection.write('*ESE?', options.timeoutMs, signal)
    dropped += await dropUntil(connection, options, '*ESE?', signal, (reply) => {
      return reply.kind === 'line' && /^[+-]?\d+(\.0*)?$/.test(reply.text.trim()) && Number(reply.text) === mark
    })
  }
  await connection.write('*ESE 0', options.timeoutMs, signal)
  return dropped
}

async function byIdentity(
  connection: Connection<Reply>,
  options: SynchroniseOptions,
  signal: AbortSignal,
): Promise<number> {
  let dropped = 0
  const endMs = options.clock.monotonic() + options.timeoutMs
  for (;;) {
    const late = await quietOrReply(connection, options.quietMs, signal)
    if (!late) break
    dropped += 1
    if (options.clock.monotonic() > endMs) throw outOfStep(options, '*IDN?')
  }
  await connection.write('*IDN?', options.timeoutMs, signal)
  return (
    dropped +
    (await dropUntil(connection, options, '*IDN?', signal, (reply) => {
      if (reply.kind !== 'line') return false
      return options.identity === undefined ? reply.text.includes(',') : reply.text === options.identity
    }))
  )
}

/** True when a reply came within `quietMs`. */
async function quietOrReply(connection: Connection<Reply>, quietMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await connection.nextReply('(late replies)', quietMs, signal)
    return true
  } catch (error) {
    if (error instanceof LabError && error.code === 'instrument-silent') return false
    throw error
  }
}

async function dropUntil(
  connection: Connection<Reply>,
  options: SynchroniseOptions,
  message: string,
  signal: AbortSignal,
  isMark: (reply: Reply) => boolean,
): Promise<number> {
  const endMs = options.clock.monotonic() + options.timeoutMs
  for (let dropped = 0; ; dropped++) {
    const leftMs = endMs - options.clock.monotonic()
    if (leftMs < 0 || dropped > 1000) throw outOfStep(options, message)
    const reply = await connection.nextReply(message, leftMs, signal)
    if (isMark(reply)) return dropped
  }
}

function outOfStep(options: SynchroniseOptions, command: string): LabError {
  const { instrument, timeoutMs } = options
  return new LabError({
    code: 'instrument-out-of-step',
    kind: 'instrument',
    retry: 'later',
    message: `${instrument} sends replies, but none that answers ${command}, within ${timeoutMs} ms`,
    studentMessage: 'An instrument of this bench gives confused answers. What was measured until then is kept.',
    details: { instrument, command, timeoutMs },
  })
}
