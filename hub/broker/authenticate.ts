import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Caller } from '../accounts/caller.ts'
import { can } from '../accounts/can.ts'
import type { Broker } from './broker.ts'
import { createLossLog } from './loss-log.ts'
import type { Identity } from './topic-rules.ts'

/** Integrators' tokens are looked at again this often, so that what was changed elsewhere takes effect. */
const RECHECK_MS = 60_000

export interface MqttAuthentication {
  /** The identity behind a user name and password; undefined for a wrong one. */
  identify(username: string, password: string): Promise<Identity | undefined>
  close(): void
}

export interface AuthenticateOptions {
  readonly verifyNode: (node: string, password: string) => Promise<boolean>
  readonly verifyToken: (token: string) => Promise<Caller | undefined>
  readonly tokenHolder: (tokenId: string) => Promise<Caller | undefined>
  readonly onRevoked: (listener: (tokenId: string) => void) => () => void
  /** Calls back with the person whose rights may have changed. */
  readonly onEnded: (listener: (personId: string) => void) => () => void
  readonly broker: Pick<Broker, 'disconnect' | 'identities'>
  readonly clock: Clock
  readonly log: Log
}

type Integrator = Extract<Identity, { kind: 'integrator' }>

/**
 * Signs in nodes by their credential and integrators by `token` and an API token; revoking, expiry, another role and the
 * end of an account cut connections at once, what another process changes within a minute.
 */
export function authenticateMqtt(options: AuthenticateOptions): MqttAuthentication {
  const { verifyNode, verifyToken, tokenHolder, onRevoked, onEnded, broker, clock, log } = options
  const losses = createLossLog(log)
  const ends = new Map<string, () => void>()

  const cut = (tokenId: string) => broker.disconnect((who) => who.kind === 'integrator' && who.tokenId === tokenId)
  const stops = [onRevoked(cut), onEnded((personId) => void recheckAll((who) => who.personId === personId))]

  const endInTime = (tokenId: string, expiresAt: number | undefined) => {
    const leftMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - clock.now()
    if (leftMs > RECHECK_MS || ends.has(tokenId)) return
    const end = () => {
      ends.delete(tokenId)
      cut(tokenId)
    }
    ends.set(tokenId, clock.after(leftMs, end))
  }

  const recheck = async (identity: Integrator) => {
    const { tokenId } = identity
    const caller = await tokenHolder(tokenId)
    const now = caller === undefined ? undefined : integratorOf(caller)
    if (now === undefined || rightsOf(now) !== rightsOf(identity)) cut(tokenId)
    else endInTime(tokenId, caller?.tokenExpiresAt)
  }

  const recheckAll = async (concerns: (who: Integrator) => boolean = () => true) => {
    let failed = false
    for (const identity of broker.identities()) {
      if (identity.kind !== 'integrator' || !concerns(identity)) continue
      try {
        await recheck(identity)
      } catch (error) {
        // It says nothing about the token, which is looked at again.
        failed = true
        losses.lost('recheck', { error: asLabError(error).message }, 'a token could not be looked up')
      }
    }
    if (!failed) losses.recovered('recheck', {}, 'tokens can be looked up again')
  }
  let closed = false
  let cancel = () => {}
  const again = () => {
    if (!closed) cancel = clock.after(RECHECK_MS, () => void recheckAll().finally(again))
  }
  again()

  return {
    identify: async (username, password) => {
      if (username !== 'token') {
        return (await verifyNode(username, password)) ? { kind: 'node', node: username } : undefined
      }
      const caller = await verifyToken(password)
      const identity = caller === undefined ? undefined : integratorOf(caller)
      if (identity !== undefined) endInTime(identity.tokenId, caller?.tokenExpiresAt)
      return identity
    },
    close: () => {
      closed = true
      for (const stop of stops) stop()
      cancel()
      for (const cancelEnd of ends.values()) cancelEnd()
    },
  }
}

const rightsOf = ({ scopes, admin, drives }: Integrator) => JSON.stringify([scopes, admin, drives])

/** Undefined for a token that is not for MQTT, and for one of somebody who may not make such tokens any more. */
function integratorOf(caller: Caller): Integrator | undefined {
  const { tokenId, personId, scopes, role } = caller
  if (tokenId === undefined || !can(caller, 'mqtt.watch')) return undefined
  const admin = role === 'admin' && (scopes === 'all' || scopes.includes('admin'))
  return { kind: 'integrator', tokenId, personId, scopes, admin, drives: can(caller, 'benches.drive') }
}
