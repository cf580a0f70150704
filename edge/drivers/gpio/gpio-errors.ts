/** What can be wrong with a pin or a chip, said so that a lab builder knows what to do. */
import { userInfo } from 'node:os'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export function gpioError(code: string, message: string, cause?: unknown): LabError {
  return new LabError({
    code,
    kind: 'instrument',
    retry: 'later',
    message,
    studentMessage: 'The pins of this bench can not be reached.',
    ...(cause === undefined ? {} : { cause }),
  })
}

export function notPermitted(path: string, cause?: unknown): LabError {
  const user = userName()
  return gpioError(
    'gpio-not-permitted',
    `${user} may not use ${path}: it must be in the group gpio; type: sudo usermod -aG gpio ${user}, then start the node anew`,
    cause,
  )
}

/** As `usermod` takes it; a user id that has no name is said as that. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `the user ${process.geteuid?.() ?? ''}`.trim()
  }
}

export function lineMissing(line: number, chip: string, lineCount: number): LabError {
  return gpioError('gpio-line-missing', `there is no line ${line}: ${chip} has the lines 0 to ${lineCount - 1}`)
}

export function lineHeld(line: number, chip: string, consumer: string | undefined): LabError {
  const by =
    consumer === undefined ? 'something else of this machine: sudo cat /sys/kernel/debug/gpio says what' : consumer
  return gpioError('gpio-line-held', `line ${line} of ${chip} is held by ${by}`)
}

/** The code of a system call that failed, as `EACCES`. */
export const systemCode = (thrown: unknown): string | undefined =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
