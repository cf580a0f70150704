/** What is wrong with a boot loader that was there a moment ago, whatever it speaks. */
import { LabError } from '@fernlab/shared/primitives/lab-error'

export function unanswered(place: string, what: string, ms: number): LabError {
  return new LabError({
    code: 'board-unanswered',
    kind: 'instrument',
    retry: 'later',
    message: `the boot loader at ${place} did not answer ${what} within ${ms} ms`,
  })
}

export function outOfStep(place: string, what: string): LabError {
  return new LabError({
    code: 'board-out-of-step',
    kind: 'instrument',
    retry: 'later',
    message: `the boot loader at ${place} gave another answer to ${what} than the protocol has; the line is disturbed`,
  })
}
