import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Caller } from '../accounts/caller.ts'
import type { Broker } from './broker.ts'
import { hasMqttScope, type Identity } from './topic-rules.ts'

/** Integrators' tokens are looked at again this often, so that one that expires loses its connections. */
const RECHECK_MS = 60_000

export interface MqttAuthentication {
  /** The identity behind a user name and password; undefined for a wrong one. */
  identify(username: string, password: string): Promise<Identity | undefined>
  close(): void
}

export interface AuthenticateOptions {
  readonly verifyNode: (node: string, password: string) => Promise<boolean>
  readonly verifyToken: (token: string) => Promise<Caller | undefined>
  readonly onRevoked: (listener: (tokenId: string) => void) => () => void
  readonly broker: Broker
  readonly clock: Clock
}

/** Signs in nodes by their credential and integrators by `token` and an API token; revoking cuts connections at once. */
export function authenticateMqtt(options: AuthenticateOptions): MqttAuthentication {
  const { verifyNode, verifyToken, onRevoked, broker, clock } = options
  const tokens = new Map<string, string>()

  const cut = (tokenId: string) => {
    tokens.delete(tokenId)
    broker.disconnect((who) => who.kind === 'integrator' && who.tokenId === tokenId)
  }
  const stop = onRevoked(cut)

  const recheck = async () => {
    for (const [tokenId, token] of tokens) if ((await verifyToken(token)) === undefined) cut(tokenId)
  }
  let cancel = () => {}
  const again = () => {
    cancel = clock.after(RECHECK_MS, () => {
      // A look-up that fails says nothing about the token: it is looked at again.
      recheck().catch(() => undefined)
      again()
    })
  }
  again()

  return {
    identify: async (username, password) => {
      if (username !== 'token') {
        return (await verifyNode(username, password)) ? { kind: 'node', node: username } : undefined
      }
      const caller = await verifyToken(password)
      if (caller?.tokenId === undefined || !hasMqttScope(caller.scopes)) return undefined
      tokens.set(caller.tokenId, password)
      const admin = caller.role === 'admin' && (caller.scopes === 'all' || caller.scopes.includes('admin'))
      return { kind: 'integrator', tokenId: caller.tokenId, scopes: caller.scopes, admin }
    },
    close: () => {
      stop()
      cancel()
    },
  }
}
