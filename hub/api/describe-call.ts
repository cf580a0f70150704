/** What a route's declaration says of itself besides its own words: who may call it, how it may fail, how it is repeated. */
import { rolesFor, scopesFor } from '../accounts/can.ts'
import type { Access, RouteSpec } from './context.ts'
import { errorCodes, type KnownCode } from './error-codes.ts'

type Shape = RouteSpec<undefined, undefined, undefined>
/** What of a declaration is described here. */
export type Described = Pick<Shape, 'method' | 'path' | 'access' | 'description' | 'errors' | 'idempotency'> & {
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
}

/** Of an object that a path names, the code of one that is not there. */
const absent: readonly (readonly [RegExp, KnownCode])[] = [
  [/\{bench\}/, 'bench-unknown'],
  [/\{node\}/, 'node-unknown'],
  [/\/labs\/\{lab\}/, 'lab-unknown'],
  [/\/(groups|courses)\/\{id\}/, 'group-unknown'],
  [/\/users\/\{id\}/, 'person-unknown'],
  [/\/runs\/\{id\}/, 'run-unknown'],
  [/\/uses\/\{id\}/, 'run-unknown'],
  [/\/sessions\/\{id\}/, 'session-unknown'],
  [/\/bookings\/\{id\}/, 'booking-unknown'],
  [/\/recurring\/\{id\}/, 'recurring-unknown'],
  [/\/invitations\/\{id\}/, 'invitation-unknown'],
  [/\/permissions\/\{id\}/, 'permission-unknown'],
  [/\/permission-templates\/\{id\}/, 'template-unknown'],
  [/\/passkeys\/\{id\}/, 'passkey-unknown'],
  [/\/sign-ins\/\{id\}/, 'sign-in-unknown'],
]

/** Whether a call with an `Idempotency-Key` is answered again. */
export const repeats = ({ method, access }: Pick<Described, 'method' | 'access'>): boolean =>
  method !== 'get' && access !== 'public'

/** Every code that the call can be answered with. */
export function errorsOf(spec: Described): KnownCode[] {
  const { method, path, access, query, body, errors = [] } = spec
  const isApi = path.startsWith('/api/')
  const codes: KnownCode[] = [
    ...(isApi && method !== 'get' ? (['origin-refused'] as const) : []),
    ...(isApi ? (['token-refused'] as const) : []),
    ...(access === 'public' ? [] : (['sign-in-needed'] as const)),
    ...(access === 'public' || access === 'signed-in'
      ? []
      : (['second-factor-needed', 'forbidden', 'scope-missing'] as const)),
    ...(body === undefined ? [] : (['malformed-json', 'wrong-content-type', 'body-too-large'] as const)),
    ...(body === undefined && query === undefined && !path.includes('{') ? [] : (['request-invalid'] as const)),
    ...(isPaged(query) ? (['cursor-invalid'] as const) : []),
    ...(path.includes('{') ? (['not-found'] as const) : []),
    ...absent.flatMap(([pattern, code]) => (pattern.test(path) ? [code] : [])),
    ...(repeats(spec)
      ? ([
          ...['request-invalid', 'idempotency-key-reused', 'still-at-work'],
          ...(spec.idempotency === 'done-again' ? [] : ['outcome-unknown']),
          ...(spec.idempotency === 'secret' ? ['already-done'] : []),
        ] as KnownCode[])
      : []),
    ...errors,
    ...(isApi ? (['internal-error', 'database-unusable', 'deadline-exceeded'] as const) : []),
    ...(isApi && method !== 'get' ? (['database-recovering', 'disk-full'] as const) : []),
  ]
  return [...new Set(codes)]
}

/** The route's own words, then who may call it, how it goes on and how it is repeated. */
export function descriptionOf(spec: Described): string {
  const { description, access, query, errors = [] } = spec
  return [
    ...(description === undefined ? [] : [description]),
    whoMay(access),
    ...(isPaged(query)
      ? ['A list: `limit` says how many come at once; where the answer has a `cursor`, pass it to get those after.']
      : []),
    ...(repeats(spec)
      ? [
          spec.idempotency === 'secret'
            ? 'Takes an `Idempotency-Key`; the answer holds a secret and is not kept.'
            : 'Takes an `Idempotency-Key`.',
        ]
      : []),
    ...(errors.includes('too-many-attempts')
      ? ['How often an address may try is limited; `retry-after` says how long.']
      : []),
  ].join(' ')
}

function whoMay(access: Access): string {
  if (access === 'public') return 'Open to strangers.'
  if (access === 'signed-in') return 'For everybody who is signed in.'
  const scopes = scopesFor(access)
    .map((scope) => `\`${scope}\``)
    .join(', ')
  const roles = rolesFor(access)
  const who = roles.length === 5 ? 'everybody who is signed in' : `the role ${roles.join(', ')}`
  return `For ${who}; a token needs the scope ${scopes}${scopesFor(access).length > 1 ? ' (one of them)' : ''}.`
}

const isPaged = (query: unknown): boolean =>
  typeof query === 'object' && query !== null && 'shape' in query && Object.hasOwn(query.shape as object, 'cursor')

/** The answers with these codes, one for each status. */
export function problemAnswers(codes: readonly KnownCode[]): Record<string, object> {
  const byStatus = new Map<number, KnownCode[]>()
  for (const code of codes) {
    const status = errorCodes[code]?.status ?? 500
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, here]) => [
      status,
      {
        description: here.map((code) => `\`${code}\`: ${errorCodes[code]?.means}`).join('; '),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(here.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
          },
        },
      },
    ]),
  )
}
