import type { Page } from 'playwright-core'
import type { DeskNode } from './desk-node.ts'
import type { Site } from './site.ts'

/** Names as people have them: a long one, and one that is written from the right. */
export const ines = 'María Inés Garza-Villarreal de la Fuente y Santos'
export const nour = 'نور الدين السيد'
export const course = 'Óptica, primavera'

/** Who is at their desk, and what one has left for another. */
export interface Cast {
  site: Site
  desk: DeskNode
  admin: Page
  instructor: Page
  student: Page
  builder: Page
  /** Invitations. */
  links: Record<'instructor' | 'lab builder' | 'guest' | 'student', string>
  /** What the student drove. */
  session: string
}

const madrid = 'Europe/Madrid'
const dayMs = 86_400_000

/** A day so many days from now, as a field for dates has it, where the browsers are. */
export const day = (ahead: number): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: madrid }).format(Date.now() + ahead * dayMs)

/** Its name. */
export const weekday = (ahead: number): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: madrid, weekday: 'long' }).format(Date.now() + ahead * dayMs)

/** A minute, as a field for times has it. */
export const minute = (ms: number): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: madrid, dateStyle: 'short', timeStyle: 'short' })
    .format(ms)
    .replace(' ', 'T')
