/** Somebody besides the admin, who signs in and has a token. */
import type { Role } from '@fernlab/shared/contracts/people'
import { HubClient } from './hub-client.ts'

export interface NewPerson {
  readonly id: string
  /** Asks with their token. */
  readonly client: HubClient
  /** Of their sign-in. */
  readonly cookie: string
}

/** Joins by an invitation of the client's person. */
export async function newPerson(
  url: string,
  by: HubClient,
  { role = 'student', scopes = ['read', 'run'] }: { readonly role?: Role; readonly scopes?: readonly string[] } = {},
): Promise<NewPerson> {
  const { body } = await by.insist('POST', '/api/v1/invitations', { role, most: 1 })
  const invitation = new URLSearchParams(new URL((body as { link: string }).link).hash.slice(1)).get('token')
  const post = (path: string, json: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url, ...headers },
      body: JSON.stringify(json),
    })
  const account = {
    name: 'A Guest',
    email: `guest-${invitation?.slice(0, 12)}@example.org`,
    password: 'a-long-enough-password',
  }
  const joined = await post('/api/v1/join', { token: invitation, ...account })
  const { id } = (await joined.json()) as { id: string }
  const cookie = joined.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const made = await post('/api/v1/tokens', { name: 'test', scopes }, { cookie })
  const { token } = (await made.json()) as { token: string }
  return { id, client: new HubClient(() => url, token), cookie }
}
