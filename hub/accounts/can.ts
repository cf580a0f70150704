/**
 * Who may do what: the one place that decides, pure. Every route asks here; roles and permissions grow here.
 *
 * A token's scopes narrow what its person may do, they never widen it: `read` looks, `run` also works with runs,
 * `builder` also with labs, `admin` everything that the person may.
 */
import { type Caller, hasScope, type Role } from './caller.ts'

/** What can be asked for. */
export const actions = [
  'catalogue.read',
  'labs.push',
  'runs.submit',
  'runs.read',
  'runs.read-any',
  'runs.cancel',
  'bookings.make',
  'bookings.read',
  'bookings.read-any',
  'bookings.change',
  'bookings.series',
  'recurring.read',
  'recurring.read-any',
  'recurring.manage',
  'benches.read',
  'benches.drive',
  'benches.maintain',
  'benches.release',
  'benches.put-back',
  'services.read',
  'nodes.read',
  'nodes.equip',
  'nodes.manage',
  'tokens.read',
  'tokens.manage',
  'account.manage',
  'account.secure',
  'people.read',
  'people.invite',
  'people.manage',
  'groups.read',
  'groups.manage',
  'permissions.read',
  'permissions.manage',
  'audit.read',
  'usage.read',
  'usage.read-site',
  'storage.read',
  'settings.change',
  'metrics.read',
  'mqtt.watch',
] as const
export type Action = (typeof actions)[number]

/** What the action is on, where it matters whose it is. */
export interface ActionObject {
  readonly ownerId?: string
}

interface Rule {
  readonly roles: readonly Role[]
  /** Scopes of which a token needs one. */
  readonly scopes: readonly string[]
  /** Others than these roles may do it to what is theirs. */
  readonly ownOnlyExcept?: readonly Role[]
}

const everyone: readonly Role[] = ['admin', 'instructor', 'builder', 'student', 'guest']
const members: readonly Role[] = ['admin', 'instructor', 'builder', 'student']
const staff: readonly Role[] = ['admin', 'instructor']
const readers = ['read', 'run', 'builder', 'admin']
const runners = ['run', 'builder', 'admin']
/** Of one's own account; anybody may give it to a token of theirs. */
const owners = ['account', 'admin']

const rules: Readonly<Record<Action, Rule>> = {
  'catalogue.read': { roles: everyone, scopes: readers },
  'labs.push': { roles: ['admin', 'builder'], scopes: ['builder', 'admin'] },
  'runs.submit': { roles: members, scopes: runners },
  'runs.read': { roles: everyone, scopes: readers, ownOnlyExcept: staff },
  'runs.read-any': { roles: staff, scopes: readers },
  'runs.cancel': { roles: members, scopes: runners, ownOnlyExcept: staff },
  'bookings.make': { roles: members, scopes: runners },
  'bookings.read': { roles: everyone, scopes: readers, ownOnlyExcept: staff },
  'bookings.read-any': { roles: staff, scopes: readers },
  'bookings.change': { roles: members, scopes: runners, ownOnlyExcept: staff },
  'bookings.series': { roles: staff, scopes: runners },
  'recurring.read': { roles: everyone, scopes: readers, ownOnlyExcept: staff },
  'recurring.read-any': { roles: staff, scopes: readers },
  'recurring.manage': { roles: members, scopes: runners, ownOnlyExcept: staff },
  'benches.read': { roles: everyone, scopes: readers },
  'benches.drive': { roles: staff, scopes: ['run', 'builder', 'admin'] },
  'benches.maintain': { roles: [...staff, 'builder'], scopes: ['builder', 'admin'] },
  // One's own hold for who may drive, another's for who may maintain.
  'benches.release': { roles: [...staff, 'builder'], scopes: runners },
  'benches.put-back': { roles: [...staff, 'builder'], scopes: runners },
  'services.read': { roles: everyone, scopes: readers },
  'nodes.read': { roles: [...staff, 'builder'], scopes: readers },
  'nodes.equip': { roles: ['admin', 'builder'], scopes: ['builder', 'admin'] },
  'nodes.manage': { roles: ['admin'], scopes: ['admin'] },
  'tokens.read': { roles: members, scopes: [...readers, 'account'] },
  'tokens.manage': { roles: members, scopes: owners },
  'account.manage': { roles: everyone, scopes: owners },
  'account.secure': { roles: everyone, scopes: owners },
  'people.read': { roles: staff, scopes: readers },
  'people.invite': { roles: staff, scopes: ['admin'] },
  'people.manage': { roles: ['admin'], scopes: ['admin'] },
  'groups.read': { roles: everyone, scopes: readers },
  'groups.manage': { roles: staff, scopes: ['admin'] },
  'permissions.read': { roles: staff, scopes: readers },
  'permissions.manage': { roles: ['admin'], scopes: ['admin'] },
  'audit.read': { roles: ['admin'], scopes: ['admin'] },
  'usage.read': { roles: everyone, scopes: readers },
  'usage.read-site': { roles: ['admin'], scopes: readers },
  'storage.read': { roles: ['admin'], scopes: readers },
  'settings.change': { roles: ['admin'], scopes: ['admin'] },
  'metrics.read': { roles: ['admin'], scopes: ['admin'] },
  'mqtt.watch': { roles: [...staff, 'builder'], scopes: ['mqtt:read', 'mqtt:status'] },
}

/** `unseen`: the caller may not even know that the object exists; `second-factor`: not before it is set up. */
export type Decision = 'yes' | 'sign-in' | 'second-factor' | 'scope' | 'role' | 'unseen'

/** Whether the caller may do it, and if not, why. */
export function decide(caller: Caller | undefined, action: Action, object: ActionObject = {}): Decision {
  if (caller === undefined) return 'sign-in'
  if (caller.mustSetUp !== undefined && action !== 'account.secure') return 'second-factor'
  const rule = rules[action]
  if (!rule.roles.includes(caller.role)) return 'role'
  const foreign = object.ownerId !== undefined && object.ownerId !== caller.personId
  if (foreign && rule.ownOnlyExcept !== undefined && !rule.ownOnlyExcept.includes(caller.role)) return 'unseen'
  return rule.scopes.some((scope) => hasScope(caller, scope)) ? 'yes' : 'scope'
}

/** True when the caller may do it. */
export function can(caller: Caller | undefined, action: Action, object: ActionObject = {}): boolean {
  return decide(caller, action, object) === 'yes'
}

/** The scopes of a token of which one is needed, for messages. */
export function scopesFor(action: Action): readonly string[] {
  return rules[action].scopes
}

/** The roles that may do it, to what is theirs at least. */
export function rolesFor(action: Action): readonly Role[] {
  return rules[action].roles
}
