import { typedInstant } from '@fernlab/shared/primitives/typed-time'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'

/** A time as `<input type="datetime-local">` shows it, in the person's zone; empty for none. */
export function toLocal(iso: string | undefined): string {
  if (iso === undefined) return ''
  const at = new Date(iso)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** The time that such a field names; undefined while it is empty or not whole. */
export function fromLocal(text: string): string | undefined {
  const ms = typedInstant(text, ownTimeZone())
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
