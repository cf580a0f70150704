/**
 * Paths that open the page of one version of a lab, for a while.
 *
 * INVARIANTS: nobody makes a path that holds without this process's key; what it opens is in what is signed; the key is
 * never stored, so that a restart ends all of them.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'

export interface PageGrant {
  readonly lab: string
  readonly version: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface SignedPaths {
  /** Without a slash at its end; relative addresses of the page stay below it. */
  sign(grant: PageGrant): string
  /** What the path opens, and the file below it that was asked for; `expired` says that it held once. */
  read(pathname: string): (PageGrant & { readonly file: string }) | 'expired' | undefined
}

const PATH = /^\/([a-z0-9_-]+)\.(\d{1,9})\.([a-z0-9]{1,12})\.([\w-]{43})\/(.+)$/

/** Paths that hold until this process ends, at the longest. */
export function createSignedPaths({ clock }: { readonly clock: Clock }): SignedPaths {
  const key = randomBytes(32)
  const mac = (named: string) => createHmac('sha256', key).update(named).digest()
  return {
    sign: ({ lab, version, expiresAt }) => {
      const named = `${lab}.${version}.${expiresAt.toString(36)}`
      return `/${named}.${mac(named).toString('base64url')}`
    },
    read: (pathname) => {
      const [, lab = '', version = '', expires = '', signature = '', file = ''] = PATH.exec(pathname) ?? []
      const given = Buffer.from(signature, 'base64url')
      const wanted = mac(`${lab}.${version}.${expires}`)
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
      const expiresAt = Number.parseInt(expires, 36)
      return expiresAt <= clock.now() ? 'expired' : { lab, version: Number(version), expiresAt, file }
    },
  }
}
