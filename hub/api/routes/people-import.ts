import { importedPeopleSchema, importPeopleSchema, importProgressSchema } from '@fernlab/shared/contracts/api'
import type { AddRoute, ApiParts } from '../context.ts'
import { importAnswer } from '../import-answer.ts'

/** Lists of people. */
export function peopleImportRoutes(add: AddRoute, { accounts }: Pick<ApiParts, 'accounts'>): void {
  add(
    {
      method: 'post',
      path: '/api/v1/users/import',
      tag: 'People',
      summary: 'Make accounts for a list of people, each with a link to choose a password',
      description:
        'Who has an account stays as they are, but for the groups that the list puts them into. A list with a mistake makes nobody; the answer names the lines. Whoever ends the call before it is answered stops the import: then nobody is made, unless all are already.',
      access: 'people.invite',
      errors: ['import-invalid', 'import-overtaken', 'import-stopped'],
      body: importPeopleSchema,
      idempotency: 'secret',
      answer: { schema: importedPeopleSchema, what: 'The people of the list' },
    },
    async ({ c, body, caller }) => importAnswer(await accounts.importPeople.import(caller, body, c.req.raw.signal)),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/users/import',
      tag: 'People',
      summary: 'How far the caller’s own imports of people are, latest first',
      description: 'Of the last ten minutes, since the hub was started.',
      access: 'people.invite',
      answer: { schema: importProgressSchema, what: 'Imports under way and ended' },
    },
    ({ c, caller }) => c.json({ items: accounts.importPeople.progress(caller.personId) }),
  )
}
