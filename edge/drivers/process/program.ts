/** A driver's program that runs and has said what it is: calls, with an end to one that hangs or floods. */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import * as z from 'zod'
import { createProgramCalls, type ProgramCalls } from './calls.ts'
import { startChild } from './child.ts'
import { readDescription } from './description.ts'
import { perSecond } from './per-second.ts'

export interface ProgramOptions {
  readonly instrument: string
  /** The kind in node.yaml of the driver that it is for. */
  readonly driver: string
  readonly command: readonly [string, ...string[]]
  /** What it is called in messages. Default: its command. */
  readonly called?: string | undefined
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, unknown>>
  readonly clock: Clock
  readonly log: Log
}

export interface Program extends Pick<ProgramCalls, 'call'> {
  /** Asks it what it is; throws `description-wrong` with issues. */
  describe(signal: AbortSignal): Promise<InstrumentSpec>
  /** Gives it the time to end by itself, then ends it. */
  stop(): Promise<void>
  /** Ends it at once. */
  kill(reason: string): void
}

export interface ProgramListeners {
  readonly onEnd: (reason: LabError) => void
  /** The program says that its hardware is there, or is not. */
  readonly onConnection: (up: boolean, reason: string | undefined) => void
}

/** How long a program may go on with a call that was given up. */
const HUNG_MS = 5000
const STOP_MS = 1000
/** Messages in a second that nobody asked for. */
const UNASKED_PER_SECOND = 1000

const logParamsSchema = z.object({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  message: z.string(),
})
const connectionParamsSchema = z.object({ up: z.boolean(), reason: z.string().max(500).optional() })

/** Starts the program. */
export function startProgram(
  { instrument, driver, command, called, folder, env, settings, clock, log }: ProgramOptions,
  { onEnd, onConnection }: ProgramListeners,
): Program {
  const isBearable = perSecond(clock, UNASKED_PER_SECOND)
  let isStrange = false
  const child = startChild({
    instrument,
    command,
    called,
    folder,
    env,
    clock,
    log,
    onLine: (line) => {
      const kind = calls.receive(line)
      if (kind === 'answer') return
      if (!isBearable()) {
        return child.kill(
          `${instrument}: its program wrote more than ${UNASKED_PER_SECOND} messages in a second unasked`,
        )
      }
      if (kind === 'unasked' && !isStrange) {
        isStrange = true
        const how = 'its output is for messages alone: let it write notes to its error output'
        log.warn({ instrument, line: line.slice(0, 200) }, `a driver's program wrote what is no answer; ${how}`)
      }
    },
    onEnd: (reason) => {
      const error = new LabError({ code: 'program-ended', kind: 'link', retry: 'later', message: reason })
      calls.end(error)
      onEnd(error)
    },
  })
  const calls = createProgramCalls({
    instrument,
    send: child.send,
    onNotification: (method, params) => {
      const said = logParamsSchema.safeParse(params)
      if (method === 'log' && said.success) {
        const { level, message } = said.data
        return log[level]({ instrument, said: message.slice(0, 8192) }, "a driver's program says")
      }
      const connection = connectionParamsSchema.safeParse(params)
      if (method === 'connection' && connection.success) onConnection(connection.data.up, connection.data.reason)
    },
    onGivenUp: (method, answered) => {
      const cancel = clock.after(HUNG_MS, () =>
        child.kill(`${instrument}: its program hung in ${method}: it did not let go within ${HUNG_MS / 1000} s`),
      )
      void answered.then(cancel)
    },
  })
  return {
    call: calls.call,
    describe: async (signal) => {
      const { spec, issues } = readDescription(instrument, driver, await calls.call('describe', { settings }, signal))
      if (spec !== undefined) return spec
      throw new LabError({
        code: 'description-wrong',
        kind: 'configuration',
        message: `${instrument}: its program describes itself wrongly: ${issues[0]?.path}: ${issues[0]?.message}`,
        issues,
      })
    },
    stop: () => child.stop(STOP_MS),
    kill: child.kill,
  }
}
