import {
  createdTokenSchema,
  type createTokenSchema,
  type Me,
  meSchema,
  tokenSchema,
  tokenScopes,
} from '@fernlab/shared/contracts/api'
import { type Command, Option } from 'commander'
import type { z } from 'zod'
import { allPages } from '../all-pages.ts'
import { passwordFor } from '../asked.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { misspelt } from '../problem.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { signIn, whileSignedIn } from '../sign-in.ts'
import { printList } from '../table.ts'
import { wholeNumber } from '../whole-number.ts'
import { addTokenService } from './token-service.ts'

type Scope = (typeof tokenScopes)[number]
type Body = z.input<typeof createTokenSchema>
interface CreateOptions extends HubOptions {
  readonly scope: readonly string[]
  readonly days?: string
  readonly expires?: 'never'
  readonly code?: string
}

const usualDays = 90

/** `token create`, `token list`, `token revoke`, `token service`. */
export function addToken(program: Command, context: Context): void {
  const { terminal } = context
  const token = program.command('token').description('API tokens, for programs and integrators')
  addTokenService(token, context)
  const collect = (scope: string, scopes: readonly string[]) => [...scopes, ...scope.split(',')]

  withHub(token.command('create <name>').description('make a token; it is shown once'))
    .option('-s, --scope <scope>', `what it may do: ${tokenScopes.join(', ')}; may be repeated`, collect, [])
    .option('--days <days>', 'how long it is valid; 90 unless given, or as long as your own token')
    .addOption(new Option('--expires <when>', 'never: valid until it is revoked').choices(['never']).conflicts('days'))
    .option('--code <code>', 'of your authenticator app; asked for where it is needed')
    .action(async (name: string, options: CreateOptions) => {
      const scopes = readScopes(options.scope)
      const days =
        options.days === undefined ? usualDays : wholeNumber('--days', options.days, { least: 1, most: 3660 })
      const client = await openHub(context, options)
      const me = await client.call(meSchema, '/api/v1/me')
      const outlives = outlasts(me, options.expires === 'never' ? Number.POSITIVE_INFINITY : days)
      const asked = options.days !== undefined || options.expires === 'never'
      const ends = options.expires === 'never' || (outlives && !asked) ? {} : { expiresInDays: days }
      const make = (by: HubClient) =>
        by.call(createdTokenSchema, '/api/v1/tokens', {
          method: 'POST',
          body: { name, scopes, ...ends } satisfies Body,
        })
      const created = await (outlives && asked ? bySigningIn(context, client, me, options, make) : make(client))
      terminal.out(options.json ? JSON.stringify(created, null, 2) : created.token)
      if (options.json) return
      const until = created.expiresAt === undefined ? '' : ` It works until ${spokenTime(created.expiresAt)}.`
      terminal.err(`Keep it now, it is not shown again.${until} Revoke: fernlab token revoke ${created.id}`)
    })

  withHub(token.command('list').description('your tokens, without their secrets')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      const items = await allPages(client, tokenSchema, '/api/v1/tokens')
      printList(terminal, items, {
        ...options,
        columns: {
          token: (item) => item.id,
          name: (item) => item.name,
          scopes: (item) => item.scopes.join(', '),
          expires: (item) => cellTime(item.expiresAt) ?? 'never',
          'last used': (item) => cellTime(item.lastUsedAt) ?? 'never',
          state: (item) => (item.revokedAt === undefined ? 'valid' : 'revoked'),
        },
        empty: 'No tokens yet. Make one with "fernlab token create NAME --scope read".',
      })
    },
  )

  withHub(
    token
      .command('revoke [token]')
      .description('end a token, at once')
      .option('--all', 'end all of yours, also the one that this command uses'),
  ).action(async (id: string | undefined, options: HubOptions & { all?: boolean }) => {
    if ((id === undefined) === (options.all !== true))
      throw misspelt('token', 'name one token, or give --all', 'See "fernlab token list".')
    const client = await openHub(context, options)
    if (id === undefined) await client.fetch('/api/v1/tokens/revoke-all', { method: 'POST' })
    else await client.fetch(`/api/v1/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' })
    if (options.json) terminal.out(JSON.stringify({ id: id ?? 'all', revoked: true }))
    else if (id === undefined) terminal.out('all are revoked; sign in again with "fernlab login"')
    else terminal.out(`${id} is revoked`)
  })
}

/** No token makes one that outlasts it; a person who signs in does. */
async function bySigningIn<Result>(
  { terminal }: Context,
  hub: HubClient,
  { email, tokenExpiresAt }: Me,
  { code }: CreateOptions,
  act: (client: HubClient) => Promise<Result>,
): Promise<Result> {
  const verb = 'token create'
  if (terminal.asks)
    terminal.err(`That is longer than your own token lasts, until ${spokenTime(tokenExpiresAt ?? '')}.`)
  const password = await passwordFor(terminal, verb, 'Without --days and --expires it lasts as long as your own token.')
  const client = await signIn(terminal, hub, { verb, email, password, code })
  return await whileSignedIn(client, () => act(client))
}

const outlasts = ({ tokenExpiresAt }: Me, days: number): boolean =>
  tokenExpiresAt !== undefined && Date.now() + days * 86_400_000 > Date.parse(tokenExpiresAt)

function readScopes(texts: readonly string[]): Scope[] {
  const scopes = texts.map((text) => {
    const scope = tokenScopes.find((known) => known === text)
    if (scope === undefined) throw misspelt('scope', `"${text}" is not a scope`, `Scopes: ${tokenScopes.join(', ')}`)
    return scope
  })
  if (scopes.length === 0)
    throw misspelt('scope', 'a token needs a scope', `Give --scope with: ${tokenScopes.join(', ')}`)
  return scopes
}
