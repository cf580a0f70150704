/** What whoever lacks a right is told of where it comes from. Pure. */
import type { ServiceRight } from '@fernlab/shared/contracts/services'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { refused } from './tokens.ts'

/** As the hub gives them, to these roles and by API tokens with one of these scopes; a test compares it with the hub's own rules. */
export const givenByHub: Readonly<Record<ServiceRight, { readonly roles: string; readonly scopes: string }>> = {
  read: { roles: 'everybody', scopes: 'read, run, builder or admin' },
  use: { roles: 'admins and instructors', scopes: 'run, builder or admin' },
  lock: { roles: 'admins and instructors', scopes: 'run, builder or admin' },
  unlock: { roles: 'admins, instructors and builders', scopes: 'builder or admin' },
}

/** `right-missing`: the token does not open `what`, for which it would need the right; says who gives it to whom. */
export function rightMissing(right: ServiceRight, what: string, { issuedHere }: { issuedHere: boolean }): LabError {
  const { roles, scopes } = givenByHub[right]
  const next = issuedHere
    ? `ask the owner of the node's machine for one with the right ${right} (fernlab node token NAME --right ${right})`
    : `the hub gives the right ${right} to ${roles}, by an API token with the scope ${scopes}; anybody else asks one of them`
  return refused('right-missing', `this token does not open ${what}: ${next}`)
}
