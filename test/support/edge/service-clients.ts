/** Clients of a node's services, and tokens as a hub signs them. */
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import type { ServiceKey, ServiceToken } from '@fernlab/shared/contracts/services'
import { connectUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { connectWebSocket } from '@fernlab/shared/links/websocket/websocket-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { createPeer, type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import { SignJWT } from 'jose'
import { SITE } from './scripted-hub.ts'

/** A hub's key, and tokens signed with it. */
export function signer(kid = 'hub-1'): {
  readonly key: ServiceKey
  sign(claims?: Partial<ServiceToken>, header?: object): Promise<string>
} {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  return {
    key: { kid, x },
    sign: (claims = {}, header = {}) =>
      new SignJWT({ ...claimsOf(claims) }).setProtectedHeader({ alg: 'EdDSA', kid, ...header }).sign(privateKey),
  }
}

let tokens = 0

export function claimsOf(more: Partial<ServiceToken> = {}): ServiceToken {
  const iat = Math.floor(Date.now() / 1000)
  const own = { iss: SITE, aud: `${SITE}/n1`, sub: 'ada', jti: `t${++tokens}`, iat, exp: iat + 600 }
  return { ...own, services: ['*'], rights: ['read', 'use', 'lock'], ...more }
}

export const onMachine = async (dataFolder: string): Promise<Peer> =>
  createPeer({
    clock: systemClock,
    link: await connectUnixSocket({
      path: join(dataFolder, 'services.sock'),
      format: cborFormat,
      clock: systemClock,
      signal: new AbortController().signal,
    }),
  })

/** Connected, and signed in where there is a token. */
export async function overNetwork(url: string, token?: string, graceS = 10, ca?: string): Promise<Peer> {
  const trust = ca === undefined ? {} : { ca }
  const link = await connectWebSocket({
    url,
    format: cborFormat,
    clock: systemClock,
    signal: new AbortController().signal,
    ...trust,
  })
  const peer = createPeer({ link, clock: systemClock })
  if (token !== undefined) await peer.call(SIGN_IN, { token, graceS })
  return peer
}

export const ended = (peer: Peer): Promise<string> =>
  new Promise((resolve) => peer.onEnd(({ message }) => resolve(message)))
