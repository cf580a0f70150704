/** Who is at the other end of one link, by the newest token that was shown there. */
import type { ServiceRight, ServiceToken } from '@fernlab/shared/contracts/services'
import { serviceRightSchema } from '@fernlab/shared/contracts/services'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Caller } from '../service-source.ts'
import { rightMissing } from './right-missing.ts'
import { expired, namesService, refused, type TokenTimes } from './tokens.ts'

export interface LinkCallerOptions {
  /** Whoever owns the node's machine: has all rights without a token. */
  readonly isOwner: boolean
  /** Who issues the node's own tokens: itself. */
  readonly audience: string
  readonly isRevoked: (token: ServiceToken) => boolean
  readonly timeOf: (issuer: string) => TokenTimes
  readonly isHeld: (hold: NonNullable<Caller['hold']>) => boolean
  readonly holdEnded: (hold: NonNullable<Caller['hold']>) => LabError
  /** The bench of the service, where whoever issues the tokens gives the right to use it with the bench. */
  readonly benchToTake: (service: string, issuer: string) => string | undefined
  readonly log: Log
}

/** What a sign-in answers. */
export interface SignedIn {
  readonly person: string
  readonly services: readonly string[]
  readonly rights: readonly ServiceRight[]
  /** RFC 3339, UTC; null: no token, no end. */
  readonly until: string | null
}

const allRights = serviceRightSchema.options

export class LinkCaller implements Caller {
  readonly isOwner: boolean
  /** The link ends for good: nobody waits for its caller to come back. */
  isOver = false
  graceMs = 0
  /** What its sign-ins call the program. */
  programName = ''
  readonly #options: LinkCallerOptions
  readonly #listeners: (() => void)[] = []
  #person: string | undefined
  #token: ServiceToken | undefined
  #hold: Caller['hold']
  #isEnded = false
  #cancel = () => {}

  constructor(options: LinkCallerOptions) {
    this.#options = options
    this.isOwner = options.isOwner
  }

  get isSignedIn(): boolean {
    return this.#person !== undefined
  }

  get person(): string {
    if (this.#person === undefined) throw signInRequired()
    return this.#person
  }

  get program(): string {
    return JSON.stringify([this.person, this.programName])
  }

  get hold(): Caller['hold'] {
    return this.#hold
  }

  /** The newest that was shown; the owner of the machine needs none. */
  get token(): ServiceToken | undefined {
    return this.#token
  }

  get issuedHere(): boolean {
    return this.#token?.iss === this.#options.audience
  }

  get isRevoked(): boolean {
    return this.#token !== undefined && this.#options.isRevoked(this.#token)
  }

  own(person: string): void {
    this.#person = person
  }

  take(token: ServiceToken, graceMs: number): void {
    this.graceMs = graceMs
    this.#hold = token.hold
    // What an owner shows is a hold; it takes away no rights, and does not end them.
    if (this.isOwner) return
    this.#person = token.sub
    this.#token = token
  }

  dropHold(): void {
    this.#hold = undefined
  }

  may(right: ServiceRight, service: string): boolean {
    if (this.isOwner) return true
    const token = this.#token
    return token?.rights.includes(right) === true && namesService(token.services, service)
  }

  /** Throws `service-not-in-token`, or `right-missing`, which says how the right is come by. */
  requireRight(right: ServiceRight, service: string): void {
    if (this.may(right, service)) return
    const what = `${service.slice(0, 100)} to ${right}`
    if (!this.may('read', service)) throw refused('service-not-in-token', `this token does not open ${what}`)
    const token = this.#token
    const bench =
      right === 'use' && token?.hold === undefined ? this.#options.benchToTake(service, token?.iss ?? '') : undefined
    if (bench === undefined) throw rightMissing(right, what, this)
    throw new LabError({
      code: 'right-missing',
      kind: 'caller',
      message: `this token does not open ${what}: whoever has bench ${bench} may; take it by a lock, or in a live session`,
      details: { bench },
    })
  }

  require(): void {
    if (this.isOwner) return
    const token = this.#token
    if (token === undefined) throw signInRequired()
    const { nowMs, by } = this.#options.timeOf(token.iss)
    if (token.exp * 1000 <= nowMs) throw expired(token, nowMs, by)
    if (token.hold !== undefined && !this.#options.isHeld(token.hold)) throw this.#options.holdEnded(token.hold)
    if (this.#options.isRevoked(token)) throw refused('token-revoked', 'this token was revoked')
  }

  answer(): SignedIn {
    const token = this.#token
    if (token === undefined) return { person: this.person, services: ['*'], rights: allRights, until: null }
    const { sub, services, rights, exp } = token
    return { person: sub, services, rights, until: new Date(exp * 1000).toISOString() }
  }

  /** What ends the link by itself, instead of what did before. */
  endsIn(cancel: () => void): void {
    this.#cancel()
    this.#cancel = cancel
  }

  onEnd(listener: () => void): void {
    if (this.#isEnded) listener()
    else this.#listeners.push(listener)
  }

  end(): void {
    this.#isEnded = true
    this.#cancel()
    for (const listener of this.#listeners.splice(0)) {
      try {
        listener()
      } catch (thrown) {
        // The others are told all the same: each frees something else.
        const { message } = asLabError(thrown)
        this.#options.log.error({ error: message }, 'something of a client that is gone was not freed')
      }
    }
  }
}

const signInRequired = () =>
  refused(
    'sign-in-required',
    'sign in first: this node wants a token, which programs give as token, fernlab takes by --token-file or FERNLAB_NODE_TOKENS, and a bare link sends as rpc.sign-in {token}',
  )
