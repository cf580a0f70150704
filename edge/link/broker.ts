/** Where a node's broker is, and as whom it comes there. */
import type { NodeSettings } from '../settings/settings.ts'

/** What the hub said at the enrolment may be its address in another network: it counts only where node.yaml names none. */
export function brokerUrl(configured: string | undefined, enrolled: string | undefined): string | undefined {
  return configured === 'in-process' || configured === undefined ? (enrolled ?? configured) : configured
}

export interface Credential {
  readonly username: string
  readonly password: string
}

/** The one that is given, else that of the enrolment, else none. */
export function credentialOf(
  given: Credential | undefined,
  { username, password }: Pick<NodeSettings, 'username' | 'password'>,
): Partial<Credential> {
  if (given !== undefined) return given
  return username === undefined || password === undefined ? {} : { username, password }
}
