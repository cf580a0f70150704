/**
 * Tokens by which nodes' ends of tunnels come in.
 *
 * INVARIANTS: a token is taken once, and within `TOKEN_MS`; it says which tunnel it is for, so that whoever brings it
 * decides nothing; how long a wrong one takes to be refused says nothing of the right one.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { newSecret } from '../accounts/secret-text.ts'

export interface AwaitedTunnel {
  readonly token: string
  /** Makes the token good for nothing, unless it was taken. */
  giveUp(reason: LabError): void
}

export interface TunnelTokens<Tunnel> {
  /** Calls back once: when the token is brought, or when it will not be any more. */
  make(arrive: (tunnel: Tunnel) => void, fail: (reason: LabError) => void): AwaitedTunnel
  /** What to do with the tunnel whose `Authorization` this is; undefined for one that is wrong, used or expired. */
  take(authorization: string | undefined): ((tunnel: Tunnel) => void) | undefined
}

const TOKEN_MS = 10_000

interface Awaited<Tunnel> {
  readonly digest: Buffer
  readonly arrive: (tunnel: Tunnel) => void
}

/** No token is good when the process begins. */
export function createTunnelTokens<Tunnel>({ clock }: { readonly clock: Clock }): TunnelTokens<Tunnel> {
  const awaited = new Map<string, Awaited<Tunnel>>()
  return {
    make: (arrive, fail) => {
      const id = newId(clock.now())
      const secret = newSecret()
      let open = true
      const end = () => {
        const was = open
        open = false
        awaited.delete(id)
        cancel()
        return was
      }
      const giveUp = (reason: LabError) => {
        if (end()) fail(reason)
      }
      const cancel = clock.after(TOKEN_MS, () => giveUp(expired()))
      awaited.set(id, {
        digest: digestOf(secret),
        arrive: (tunnel) => {
          if (end()) arrive(tunnel)
        },
      })
      return { token: `${id}.${secret}`, giveUp }
    },
    take: (authorization) => {
      const [, id = '', secret = ''] = /^Bearer ([0-9a-z]+)\.([\w-]+)$/i.exec(authorization ?? '') ?? []
      const found = awaited.get(id)
      if (!timingSafeEqual(digestOf(secret), found?.digest ?? nobody)) return undefined
      awaited.delete(id)
      return found?.arrive
    },
  }
}

const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
/** Compared with what is brought under an unknown id: no secret has it. */
const nobody = Buffer.alloc(32)

function expired(): LabError {
  return new LabError({
    code: 'node-silent',
    kind: 'link',
    retry: 'later',
    message: `the node did not connect within ${TOKEN_MS / 1000} s`,
    studentMessage: 'The lab’s page can not be brought here at the moment. Try again in a little while.',
  })
}
