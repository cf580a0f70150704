/** The site's rules for coming in, a setting that admins change. */
import { type SignInRules, signInRulesSchema } from '@fernlab/shared/contracts/sign-in'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Mail } from '../mail/mail.ts'
import { createSettings } from '../store/settings.ts'
import type { Store } from '../store/store.ts'
import type { Role } from './caller.ts'
import { hasSecondFactor } from './factors.ts'

export type { SignInRules } from '@fernlab/shared/contracts/sign-in'

const settingName = 'sign-in'
const initial: SignInRules = { registration: { open: false, domains: [], role: 'student' }, staffSecondFactor: false }

export interface SignInRulesBook {
  /** What holds now; registration is closed while the site has no mail server. */
  now(): Promise<SignInRules>
  /**
   * Throws `mail-not-configured` for a registration that could send no letter, and `second-factor-missing` where whoever
   * wants a second factor of all staff has none.
   */
  change(rules: SignInRules, by: string): Promise<void>
}

export interface SignInRulesOptions {
  readonly store: Store
  readonly mail: Mail
  readonly clock: Clock
}

/** Keeps the rules in the store. */
export function createSignInRules({ store, mail, clock }: SignInRulesOptions): SignInRulesBook {
  const settings = createSettings(store, clock)
  const stored = async (): Promise<SignInRules> => {
    const kept = await settings.read(settingName)
    return kept === undefined ? initial : signInRulesSchema.parse({ ...initial, ...JSON.parse(kept) })
  }
  return {
    now: async () => {
      const rules = await stored()
      const { registration } = rules
      return { ...rules, registration: { ...registration, open: registration.open && mail.configured } }
    },
    change: async (rules, by) => {
      if (rules.registration.open && !mail.configured) {
        const message = 'needs a mail server: set FERNLAB_SMTP_URL and start the hub again'
        throw new LabError({
          code: 'mail-not-configured',
          kind: 'caller',
          message: `registration ${message}`,
          issues: [{ path: 'registration.open', message }],
          studentMessage: 'People confirm their address by mail, and this site sends none. Set FERNLAB_SMTP_URL first.',
        })
      }
      const before = await stored()
      if (rules.staffSecondFactor && !before.staffSecondFactor) await requireOwn(store, by)
      await store.write(settings.change(settingName, { from: before, to: rules }, by))
    },
  }
}

/** True where the rules want a second factor of people with the role: of staff and lab builders. */
export function needsSecondFactor({ staffSecondFactor }: SignInRules, role: Role): boolean {
  return staffSecondFactor && role !== 'student' && role !== 'guest'
}

/** Whoever wants a second factor of others begins with their own, or would shut themselves out. */
async function requireOwn(store: Store, personId: string): Promise<void> {
  const own = store.db.selectFrom('person').select('person.id').where('person.id', '=', personId)
  if ((await own.where(hasSecondFactor).executeTakeFirst()) !== undefined) return
  const message = 'needs a second factor of your own first'
  throw new LabError({
    code: 'second-factor-missing',
    kind: 'caller',
    message: `this ${message}`,
    issues: [{ path: 'staffSecondFactor', message }],
    studentMessage: 'Set up your own second factor under Account first: you would be shut out as well.',
  })
}
