import { getI18n } from 'react-i18next'
import { PartMissing } from '../notices/part-missing.ts'
import type { en } from './en.ts'
import type { enAccount } from './en-account.ts'
import type { enBookings } from './en-bookings.ts'
import type { enFilm } from './en-film.ts'
import type { enHardware } from './en-hardware.ts'
import type { enPermissions } from './en-permissions.ts'
import type { enRecurring } from './en-recurring.ts'
import type { enRefusals } from './en-refusals.ts'
import type { enSession } from './en-session.ts'
import type { enStaff } from './en-staff.ts'
import type { enUsage } from './en-usage.ts'

/** English texts that most first visits do without; they come with the parts of the page that say them. */
const late = {
  account: async () => (await import('./en-account.ts')).enAccount,
  bookings: async () => (await import('./en-bookings.ts')).enBookings,
  film: async () => (await import('./en-film.ts')).enFilm,
  session: async () => (await import('./en-session.ts')).enSession,
  staff: async () => (await import('./en-staff.ts')).enStaff,
  recurring: async () => (await import('./en-recurring.ts')).enRecurring,
  usage: async () => (await import('./en-usage.ts')).enUsage,
  permissions: async () => (await import('./en-permissions.ts')).enPermissions,
}

/** Every English text, the late ones among them; what the hub says of refused forms, and a node of its machine, is said in English as it came. */
export type English = typeof en &
  typeof enAccount &
  typeof enBookings &
  typeof enFilm &
  typeof enSession &
  typeof enStaff &
  typeof enRecurring &
  typeof enUsage &
  typeof enPermissions &
  typeof enRefusals &
  typeof enHardware

/** Loads a part of the page together with the late texts that it says; rejects with PartMissing when it does not come. */
export async function withTexts<Part>(names: readonly (keyof typeof late)[], part: () => Promise<Part>): Promise<Part> {
  const [loaded, ...texts] = await Promise.all([part(), ...names.map((name) => late[name]())]).catch((cause) => {
    throw new PartMissing(cause)
  })
  for (const some of texts) getI18n().addResourceBundle('en', 'translation', some, true)
  return loaded
}
