import { spokenTime } from './shown-time.ts'

interface Wait {
  readonly position: number
  readonly estimatedStart?: string | null | undefined
  readonly reason?: string | null | undefined
}

/** Where somebody stands who waits, about when it begins, and why it waits; the time is told to the second. */
export function waitText({ position, estimatedStart, reason }: Wait): string {
  const about = estimatedStart ? `, about ${spokenTime(estimatedStart)}` : ''
  return `place ${position}${about}${reason ? `: ${reason}` : ''}`
}
