import { accountExportSchema } from '@fernlab/shared/contracts/account-export'
import { changeMeSchema, closeAccountSchema, meSchema } from '@fernlab/shared/contracts/api'
import type { Caller } from '../../accounts/caller.ts'
import type { Attempts } from '../attempts.ts'
import type { AddRoute, ApiParts } from '../context.ts'

const RUNS_AT_ONCE = 100

/** Who is asking, and what they may do with their account. */
export function ownAccountRoutes(
  add: AddRoute,
  { accounts, bookings, runs, store, clock }: ApiParts,
  { guesses }: { guesses: Attempts },
): void {
  const me = async ({ personId: id, name, email, role, mustSetUp }: Caller) => {
    const row = await store.db
      .selectFrom('person')
      .select(['language', 'time_zone'])
      .where('id', '=', id)
      .executeTakeFirst()
    const language = row?.language ?? undefined
    return {
      id,
      name,
      email,
      role,
      ...(language === undefined ? {} : { language }),
      ...(row?.time_zone == null ? {} : { timeZone: row.time_zone }),
      ...(mustSetUp === undefined ? {} : { mustSetUp }),
    }
  }

  const meByToken = async (caller: Caller) => ({
    ...(await me(caller)),
    ...(caller.tokenExpiresAt === undefined ? {} : { tokenExpiresAt: new Date(caller.tokenExpiresAt).toISOString() }),
  })

  /** The JSON of an export, piece by piece: somebody may have thousands of runs. */
  async function* exportOf(caller: Caller): AsyncGenerator<string> {
    const { personId } = caller
    const about = {
      exportedAt: new Date(clock.now()).toISOString(),
      person: await me(caller),
      tokens: await accounts.tokens(personId),
      passkeys: (await accounts.passkeys.list(personId)).map(({ id: _id, ...passkey }) => passkey),
      ...(await accounts.own.traces(personId)),
    }
    yield `${JSON.stringify(about, null, 1).slice(0, -2)},\n "runs": [`
    let cursor: string | undefined
    let between = '\n'
    do {
      const page = await runs.list({
        person: personId,
        limit: RUNS_AT_ONCE,
        ...(cursor === undefined ? {} : { cursor }),
      })
      for (const run of page.items) {
        yield `${between}  ${JSON.stringify(run)}`
        between = ',\n'
      }
      cursor = page.cursor
    } while (cursor !== undefined)
    yield '\n ]\n}\n'
  }

  add(
    {
      method: 'get',
      path: '/api/v1/me',
      tag: 'Account',
      summary: 'Who is asking',
      access: 'signed-in',
      answer: { schema: meSchema, what: 'The person' },
    },
    async ({ c, caller }) => c.json(await meByToken(caller)),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/me',
      tag: 'Account',
      summary: 'Change one’s own name',
      access: 'account.manage',
      errors: ['person-unknown'],
      body: changeMeSchema,
      answer: { schema: meSchema, what: 'The person' },
    },
    async ({ c, body, caller }) => {
      await accounts.own.rename(caller.personId, body.name)
      return c.json(await meByToken({ ...caller, name: body.name }))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/me/sign-out-everywhere',
      tag: 'Account',
      summary: 'End every session of one’s own, this one too; tokens stay',
      access: 'account.manage',
      answer: { status: 204, what: 'They have ended' },
    },
    async ({ c, caller }) => {
      await accounts.own.signOutEverywhere(caller.personId)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/me/export',
      tag: 'Account',
      summary:
        'All that is known of oneself, to keep: person, sign-ins, tokens, passkeys, groups, invitations, bookings, doings, runs with outputs',
      description: 'Samples of runs are downloaded run by run.',
      access: 'account.manage',
      answer: { schema: accountExportSchema, what: 'A JSON file' },
    },
    async ({ c, caller }) => {
      c.header('content-type', 'application/json; charset=utf-8')
      c.header('content-disposition', 'attachment; filename="fernlab-account.json"')
      c.header('cache-control', 'no-store')
      // For a HEAD nothing is made: it would be neither read nor cancelled.
      if (c.req.method === 'HEAD') return c.body(null)
      return c.body(ReadableStream.from(exportOf(caller)).pipeThrough(new TextEncoderStream()))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/me/close',
      tag: 'Account',
      summary: 'Close one’s account for good; runs stay, of nobody who can be named; bookings to come are cancelled',
      access: 'account.manage',
      errors: ['wrong-credentials', 'last-admin', 'runs-open', 'person-unknown', 'too-many-attempts'],
      body: closeAccountSchema,
      answer: { status: 204, what: 'It is closed' },
    },
    async ({ c, body, caller }) => {
      await guesses.guess(c.get('address'), () => accounts.own.close(caller.personId, body.password))
      bookings.forget(caller.personId)
      return c.body(null, 204)
    },
  )
}
