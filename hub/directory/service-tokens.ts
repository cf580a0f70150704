/**
 * Tokens that open a node's services to a person.
 *
 * INVARIANTS: a token is given while what it stands on holds, which is looked at again once it is known: the sign-in of who
 * asks, what that person may do, and the lease. What ends after that finds it in `issued`. It outlives neither an hour nor
 * the API token by which it was asked for.
 */
import type { GivenServiceToken } from '@fernlab/shared/contracts/directory'
import type { ServiceRight, ServiceToken } from '@fernlab/shared/contracts/services'
import { readSessionHold } from '@fernlab/shared/contracts/session-hold'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Caller, signInOf } from '../accounts/caller.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { findServices } from './directory.ts'
import type { KnownService } from './entries.ts'
import type { Holds } from './holds.ts'
import type { IssuedToken, IssuedTokens } from './issued-tokens.ts'
import { mayHave, rightsFor } from './rights.ts'
import type { ServiceBook } from './service-book.ts'
import type { SigningKey } from './service-key.ts'

const LASTS_MS = 3_600_000
/**
 * Of one person within LASTS_MS, ended ones too: each lock takes two, and what is kept of one is about half a kilobyte, 1
 * MB a person.
 */
const MOST_KEPT = 2000

export interface ServiceTokens {
  /**
   * Throws `service-unknown`, `service-ambiguous`, `services-apart` where they are of several nodes, `lease-ended` for
   * anything but an own lease there, `session-not-active` for anything but an own session there, `not-of-session` for what
   * is no part of its bench, `service-tokens-too-many`.
   */
  give(caller: Caller, asked: { services: readonly string[]; lease?: string | undefined }): Promise<GivenServiceToken>
}

export interface ServiceTokensOptions {
  readonly site: string
  readonly store: Store
  readonly holds: Holds
  readonly services: ServiceBook
  readonly issued: IssuedTokens
  readonly key: SigningKey
  readonly signInHolder: (signIn: string) => Promise<Caller | undefined>
  readonly clock: Clock
}

export function createServiceTokens(options: ServiceTokensOptions): ServiceTokens {
  const { site, store, holds, services, issued, key, signInHolder, clock } = options
  const audit = auditEntries(store, clock)

  return {
    give: async (caller, { services: named, lease }) => {
      const all = services.all()
      const found = oneNode(named.flatMap((each) => findServices(all, each)))
      const { node } = found
      const hold = lease === undefined ? undefined : await holds.own(caller, node, lease)
      const session = hold !== undefined && readSessionHold(hold.lease) !== undefined
      if (session) requireParts(found, hold.benchName)
      const { personId } = caller
      if (issued.all().filter((token) => token.personId === personId).length >= MOST_KEPT) throw tooMany()
      const now = clock.now()
      // Whole seconds, as in the token.
      const until = Math.min(now + LASTS_MS, caller.tokenExpiresAt ?? Number.POSITIVE_INFINITY)
      const expiresAt = Math.floor(until / 1000) * 1000
      const rights = rightsFor(caller, { hold: hold !== undefined, own: found.own, session })
      const token: IssuedToken = {
        id: newId(now),
        personId,
        signIn: signInOf(caller),
        node,
        rights,
        hold: hold === undefined ? undefined : { bench: hold.bench, lease: hold.lease },
        expiresAt,
        revokedAt: undefined,
      }
      const detail = { services: found.names, rights, until: new Date(expiresAt).toISOString() }
      await issued.add(token, [audit(personId, 'services.token', node, detail)])
      const still = await signInHolder(token.signIn)
      if (still === undefined) throw ended()
      if (!mayHave(still, rights, session)) throw lessened()
      if (lease !== undefined) await holds.own(still, node, lease)
      return {
        token: await key.sign(claimsOf(token, { site, names: found.names, benchName: hold?.benchName, now })),
        expiresAt: detail.until,
        ...(hold?.until === undefined ? {} : { heldUntil: new Date(hold.until).toISOString() }),
        lastsMs: Math.max(0, expiresAt - clock.now()),
        node,
        ...(found.goneSinceAt === undefined ? {} : { goneSince: new Date(found.goneSinceAt).toISOString() }),
        addresses: [...services.addressesOf(node)],
        rights: [...rights] as ServiceRight[],
      }
    },
  }
}

interface OneNode {
  readonly node: string
  readonly names: string[]
  readonly own: boolean
  readonly benches: readonly (string | undefined)[]
  /** Epoch ms; undefined while it is connected. */
  readonly goneSinceAt: number | undefined
}

/** As many as a token names. */
const MOST_SERVICES = 100

function oneNode(found: readonly KnownService[]): OneNode {
  const nodes = [...new Set(found.map(({ node }) => node))]
  const [node = '', ...others] = nodes
  if (others.length > 0) {
    const message = `these services are of several nodes, ${nodes.sort().join(', ')}: ask for a token for each node`
    throw new LabError({ code: 'services-apart', kind: 'caller', message })
  }
  const names = [...new Set(found.map(({ told }) => told.name))]
  if (names.length > MOST_SERVICES) {
    const message = `a token opens ${MOST_SERVICES} services, and these are ${names.length}: ask for several`
    throw new LabError({ code: 'request-invalid', kind: 'caller', message })
  }
  return {
    node,
    names,
    own: found.some(({ told }) => told.bench === undefined),
    benches: found.map(({ told }) => told.bench),
    goneSinceAt: found.some(({ present }) => present)
      ? undefined
      : Math.max(...found.map(({ lastSeenAt }) => lastSeenAt)),
  }
}

/** The rights of a token are for all that it names. */
function requireParts({ benches, names }: OneNode, bench: string): void {
  if (benches.every((each) => each === bench)) return
  const message = `a session opens the parts of its bench ${bench} alone, and not ${names.join(', ')}: ask for those apart`
  throw new LabError({ code: 'not-of-session', kind: 'caller', message })
}

function claimsOf(
  { id, personId, node, rights, hold, expiresAt }: IssuedToken,
  { site, names, benchName, now }: { site: string; names: string[]; benchName: string | undefined; now: number },
): ServiceToken {
  return {
    iss: site,
    aud: `${site}/${node}`,
    sub: personId,
    jti: id,
    iat: Math.floor(now / 1000),
    exp: expiresAt / 1000,
    services: names,
    rights: [...rights],
    ...(hold === undefined || benchName === undefined ? {} : { hold: { bench: benchName, lease: hold.lease } }),
  }
}

const ended = () =>
  new LabError({ code: 'token-refused', kind: 'caller', message: 'the sign-in or token by which you ask has ended' })

const lessened = () =>
  new LabError({ code: 'forbidden', kind: 'caller', message: 'your rights have changed meanwhile; ask again' })

const tooMany = () =>
  new LabError({
    code: 'service-tokens-too-many',
    kind: 'caller',
    retry: 'later',
    message: `nobody is given more than ${MOST_KEPT} tokens for services within an hour; use one until it ends`,
  })
