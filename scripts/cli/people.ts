import { type PersonInfo, personSchema } from '@fernlab/shared/contracts/api'
import { allPages } from './all-pages.ts'
import type { HubClient } from './hub-client.ts'
import { mistake } from './problem.ts'

export interface PeopleOptions {
  readonly search?: string
  readonly group?: string
  readonly role?: string
}

/** People of the hub, by part of name or address, group and role. */
export const findPeople = (client: HubClient, { search, group, role }: PeopleOptions): Promise<PersonInfo[]> =>
  allPages(client, personSchema, '/api/v1/users', {
    query: new URLSearchParams({
      ...(search === undefined ? {} : { q: search }),
      ...(group === undefined ? {} : { group }),
      ...(role === undefined ? {} : { role }),
    }),
  })

/** Who has the mail address. */
export async function personAt(client: HubClient, email: string): Promise<PersonInfo> {
  const person = (await findPeople(client, { search: email })).find((item) => item.email === email.toLowerCase())
  if (person !== undefined) return person
  throw mistake('email', `nobody here has the mail address ${email}`, 'See "fernlab user list".')
}
