import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'

/** What can go wrong with one instrument, each naming it, the command and the time it took. */
export interface HandleErrors {
  silent(command: string, began: number): LabError
  failed(command: string, began: number, thrown: unknown): LabError
  offline(command: string, reason: string): LabError
}

export function createHandleErrors(name: string, clock: Clock): HandleErrors {
  const since = (began: number) => Math.round(clock.monotonic() - began)
  return {
    silent: (command, began) => {
      const elapsedMs = since(began)
      return new LabError({
        code: 'instrument-silent',
        kind: 'instrument',
        retry: 'later',
        message: `${name} did not answer ${command} within ${elapsedMs} ms`,
        studentMessage: 'An instrument of this bench did not answer. What was measured until then is kept.',
        details: { instrument: name, command, elapsedMs },
      })
    },
    failed: (command, began, thrown) => {
      const cause = asLabError(thrown)
      const { instrument, command: named, elapsedMs: took } = cause.details
      if (instrument === name && named !== undefined && took !== undefined) return cause
      const elapsedMs = since(began)
      return new LabError({
        code: cause.kind === 'bug' ? 'instrument-failed' : cause.code,
        kind: cause.kind === 'caller' ? 'caller' : 'instrument',
        retry: cause.retry,
        message: `${name}: ${command} failed after ${elapsedMs} ms: ${cause.message}`,
        studentMessage:
          cause.kind === 'caller' || cause.studentMessage !== cause.message
            ? cause.studentMessage
            : 'An instrument of this bench failed. What was measured until then is kept.',
        details: { ...cause.details, instrument: name, command, elapsedMs },
        cause,
      })
    },
    offline: (command, reason) =>
      new LabError({
        code: 'instrument-offline',
        kind: 'instrument',
        retry: 'later',
        message: `${name} is offline (${reason}), ${command} was not done`,
        studentMessage: 'An instrument of this bench is not connected.',
        details: { instrument: name, command, elapsedMs: 0 },
      }),
  }
}

/** Something urgent goes first. */
export function overtakenError(command: string): LabError {
  return new LabError({
    code: 'operation-overtaken',
    kind: 'caller',
    retry: 'later',
    message: `${command} was given up: the bench goes to its safe state`,
    studentMessage: 'The bench went to its safe state meanwhile.',
  })
}
