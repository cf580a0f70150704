/**
 * When a cron expression is due, by the calendar of a time zone. Pure.
 *
 * The expression is read by a calendar without clock changes, and what it names becomes an instant afterwards: a time
 * that the clocks skip is the moment at which they skip it, of one that they show twice it is the first.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { instantOf, type LocalTime, localTime } from '@fernlab/shared/primitives/zoned-time'
import { Cron } from 'croner'

const minuteMs = 60_000
/** Clocks are never turned by more. */
const longestTurnMs = 3 * 3_600_000

export interface DueTimes {
  /** The first after the instant; undefined when there is none any more. */
  next(afterMs: number): number | undefined
  /** The last that is not after the instant. */
  last(untilMs: number): number | undefined
}

/** Reads minute, hour, day of the month, month and day of the week; throws `cron-invalid`. */
export function dueTimes(expression: string, timeZone: string): DueTimes {
  const cron = readCron(expression)
  const instant = (shown: Date) => instantOf(localTime(shown.getTime(), 'UTC'), timeZone, 'first')
  const shownAt = (ms: number) => asUtc(localTime(ms, timeZone))
  return {
    next: (afterMs) => {
      let shown = cron.nextRun(new Date(shownAt(afterMs)))
      while (shown !== null && instant(shown) <= afterMs) shown = cron.nextRun(shown)
      return shown === null ? undefined : instant(shown)
    },
    last: (untilMs) => {
      // The clock shows some times again that were due when it showed them first.
      let [shown] = cron.previousRuns(1, new Date(shownAt(untilMs) + longestTurnMs))
      while (shown !== undefined && instant(shown) > untilMs) shown = cron.previousRuns(1, shown)[0]
      return shown === undefined ? undefined : instant(shown)
    },
  }
}

function readCron(expression: string): Cron {
  try {
    const cron = new Cron(expression, { mode: '5-part', timezone: 'UTC', paused: true })
    // Such as 31 February.
    if (cron.nextRun(new Date(0)) !== null) return cron
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.replace(/^CronPattern: /, '') : String(cause)
    throw cronInvalid(expression, detail, cause)
  }
  throw cronInvalid(expression, 'it names no day that comes')
}

function cronInvalid(expression: string, detail: string, cause?: unknown): LabError {
  const message = `${JSON.stringify(expression)} is not a cron expression: ${detail}`
  return new LabError({
    code: 'cron-invalid',
    kind: 'caller',
    message,
    issues: [{ path: 'cron', message }],
    studentMessage:
      'That is not a time that recurs. Five parts say when: minute, hour, day of the month, month, day of the week. 30 2 * * * is every night at 02:30.',
    cause,
  })
}

const asUtc = ({ year, month, day, minute }: LocalTime): number => Date.UTC(year, month - 1, day) + minute * minuteMs
