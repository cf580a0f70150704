/** What several areas of the stand-in for the hub look at or change. */
import type { Me } from '@fernlab/shared/contracts/api'
import type { BookingLetters } from '@fernlab/shared/contracts/booking-notices'
import type { SignInRules } from '@fernlab/shared/contracts/sign-in'

export interface FakeState {
  /** Whether the hub knows who asks. */
  isSignedIn: boolean
  version: string
  /** Nothing in lists: a hub on its first day. */
  empty: boolean
  /** Of the person who is signed in. */
  role: Me['role']
  ownName: string
  /** The person's second factor. */
  factor: { on: boolean; recoveryCodes: number }
  /** Whether the person must set up a second factor first. */
  mustSetUp: boolean
  /** Whether the invitation leads into a group. */
  intoGroup: boolean
  signInRules: SignInRules
  /** Of the hub's machine. */
  timeZone: string
  /** Who drives a bench directly, by the bench's id. */
  readonly heldBy: Map<string, 'me' | 'other'>
  /** Benches whose clean-up was not done. */
  readonly unclean: Set<string>
  /** Benches with an interlock that has tripped; whether what tripped it holds still. */
  readonly interlocked: Map<string, { holds: boolean }>
  /** How often a bench's checks were asked for. */
  checked: number
  /** How often a node's buses were asked who is there. */
  scanned: number
  /** Whether the person gets letters about benches. */
  benchLetters: boolean
  bookingLetters: BookingLetters
  /** Whoever takes a bench waits for this. */
  taking: Promise<void>
}

/** As it is at first. */
export const fakeState = (isSignedIn: boolean): FakeState => ({
  isSignedIn,
  version: '0.1.0',
  empty: false,
  role: 'admin',
  ownName: 'Ana Ruiz',
  factor: { on: false, recoveryCodes: 0 },
  mustSetUp: false,
  intoGroup: false,
  signInRules: { registration: { open: false, domains: [], role: 'student' }, staffSecondFactor: false },
  timeZone: 'Europe/Madrid',
  heldBy: new Map(),
  unclean: new Set(),
  interlocked: new Map(),
  checked: 0,
  scanned: 0,
  benchLetters: false,
  bookingLetters: { wanted: true, possible: true, confirmed: true },
  taking: Promise.resolve(),
})

/** The person who is signed in, as others see them. */
export const ownPerson = ({ ownName }: Pick<FakeState, 'ownName'>) => ({ id: 'p1', name: ownName })

/** The same as the sign-in shows them. */
export const ownUser = ({ ownName }: Pick<FakeState, 'ownName'>) => ({
  ...ownPerson({ ownName }),
  email: 'ana@school.example',
  emailVerified: true,
  image: null,
  createdAt: '2026-09-01T08:00:00.000Z',
  updatedAt: '2026-09-01T08:00:00.000Z',
})
