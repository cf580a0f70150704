/**
 * Who is at this node: people, their programs and the holds they show, by which links, and which programs are away and may
 * come back.
 *
 * INVARIANTS: who is told of comings and goings is told of each first link and each last one, once; a program whose last link
 * has gone is gone for good only where no token that it has shown by any of its links would let it in again: that one of them
 * has ended is no end of the others.
 */
import type { ServiceToken } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Caller } from '../service-source.ts'

type Hold = NonNullable<Caller['hold']>

/** Told when programs and holds come and go. */
export interface AttendanceListener {
  /** A first link of the person's program is there. */
  came(program: string): void
  /**
   * The last one has gone; `isOver`: none of its tokens is good any more, so that nobody is waited for. Returns for how many
   * milliseconds anything of the program is kept until it comes back: for as long it is remembered, and not at all for 0.
   */
  left(program: string, isOver: boolean): number
  /** The same of a hold of the hub. */
  holdCame(hold: Hold): void
  holdLeft(hold: Hold, graceMs: number): void
}

/** Who is at the other end of a link that has signed in, as the newest sign-in there says. */
export interface Attender {
  readonly person: string
  readonly program: string
  readonly hold: Hold | undefined
  readonly graceMs: number
  /** Undefined for whoever owns the machine, and needs none. */
  readonly token: ServiceToken | undefined
  /** The link ends since its token is good no more. */
  readonly isOver: boolean
}

export interface AttendanceOptions {
  readonly listener: AttendanceListener
  /** Whether the token would let somebody in now. */
  readonly isGood: (token: ServiceToken) => boolean
  readonly isRevoked: (token: ServiceToken) => boolean
  readonly clock: Pick<Clock, 'monotonic'>
}

type Pass = ServiceToken | 'owner'
type Seen = Pick<Attender, 'person' | 'program' | 'hold'> & { readonly pass: Pass }
/** A program that is remembered until then. */
interface Away {
  readonly person: string
  readonly passes: readonly Pass[]
  readonly untilMs: number
}

/** Of one program, those that its links have shown before; a person has hardly as many links. */
const MOST_PASSES = 32
/** Of one person; of the one that left first nothing is known then but what its grace says. */
const MOST_AWAY = 256

export class Attendance {
  readonly #options: AttendanceOptions
  readonly #seen = new Map<Attender, Seen>()
  readonly #people = new Map<string, number>()
  readonly #holds = new Map<string, number>()
  /** Those that have a link: how many, and what these and those that have gone were let in by before. */
  readonly #programs = new Map<string, { links: number; passes: readonly Pass[] }>()
  /** Those that have none, and may come back; the one that has left first is first. */
  readonly #away = new Map<string, Away>()

  constructor(options: AttendanceOptions) {
    this.#options = options
  }

  /** How many programs that are away are remembered. */
  get away(): number {
    return this.#away.size
  }

  linksOf(person: string): number {
    return this.#people.get(person) ?? 0
  }

  /** A link has signed in, or has done so again: as another program, with another hold, or with neither any more. */
  enter(attender: Attender): void {
    const before = this.#seen.get(attender)
    const now = seenOf(attender)
    this.#seen.set(attender, now)
    if (before === undefined) count(this.#people, now.person, 1)
    if (now.program !== before?.program) {
      this.#programCame(now.program)
      if (before !== undefined) this.#programLeft(before, false)
    } else if (!isSame(before.pass, now.pass)) this.#keepPass(before)
    if (now.hold?.lease === before?.hold?.lease) return
    if (now.hold !== undefined && count(this.#holds, now.hold.lease, 1) === 1) {
      this.#options.listener.holdCame(now.hold)
    }
    this.#holdLeft(before?.hold, attender.graceMs)
  }

  /** A link has gone, whether it had signed in or not. */
  leave(attender: Attender): void {
    const seen = this.#seen.get(attender)
    if (seen === undefined) return
    this.#seen.delete(attender)
    this.#holdLeft(seen.hold, attender.graceMs)
    count(this.#people, seen.person, -1)
    this.#programLeft(seen, attender.isOver)
  }

  /** Tokens were revoked: programs that are away, and have shown one of these and no other that is good, are gone for good. */
  endRevoked(): void {
    const { isRevoked, listener } = this.#options
    this.#forgetOld()
    const isGone = (pass: Pass) => pass !== 'owner' && isRevoked(pass)
    for (const [program, { passes }] of [...this.#away]) {
      // That one ran out meanwhile is no reason by itself: its grace was given while it was good.
      if (!passes.some(isGone) || passes.some((one) => this.#isGood(one))) continue
      this.#away.delete(program)
      listener.left(program, true)
    }
  }

  #programCame(program: string): void {
    const present = this.#programs.get(program)
    if (present !== undefined) {
      present.links++
      return
    }
    // What let it in before is as good as it was: it has come by one link, and may by others.
    this.#programs.set(program, { links: 1, passes: this.#away.get(program)?.passes ?? [] })
    this.#away.delete(program)
    this.#options.listener.came(program)
  }

  #programLeft({ person, program, pass }: Seen, isOver: boolean): void {
    const present = this.#programs.get(program)
    if (present === undefined) return
    present.links--
    if (!isOver) this.#keepPass({ program, pass })
    present.passes = present.passes.filter((one) => this.#isGood(one))
    if (present.links > 0) return
    const { passes } = present
    this.#programs.delete(program)
    this.#forgetOld()
    const keptMs = this.#options.listener.left(program, passes.length === 0)
    if (keptMs <= 0 || passes.length === 0) return
    const ofPerson = [...this.#away].filter(([, away]) => away.person === person)
    const [oldest] = ofPerson.length < MOST_AWAY ? [] : ofPerson
    if (oldest !== undefined) this.#away.delete(oldest[0])
    this.#away.set(program, { person, passes, untilMs: this.#options.clock.monotonic() + keptMs })
  }

  /** The program may be let in by it again, though no link of its shows it any more. */
  #keepPass({ program, pass }: Pick<Seen, 'program' | 'pass'>): void {
    const present = this.#programs.get(program)
    if (present === undefined) return
    const shown = [...present.passes.filter((other) => !isSame(other, pass)), pass]
    present.passes = shown.filter((one) => this.#isGood(one)).slice(-MOST_PASSES)
  }

  #holdLeft(hold: Hold | undefined, graceMs: number): void {
    if (hold !== undefined && count(this.#holds, hold.lease, -1) === 0) this.#options.listener.holdLeft(hold, graceMs)
  }

  #isGood(pass: Pass): boolean {
    return pass === 'owner' || this.#options.isGood(pass)
  }

  #forgetOld(): void {
    const nowMs = this.#options.clock.monotonic()
    for (const [program, { untilMs }] of this.#away) if (nowMs > untilMs) this.#away.delete(program)
  }
}

const seenOf = ({ person, program, hold, token }: Attender): Seen => ({
  person,
  program,
  hold,
  pass: token ?? 'owner',
})

/** Links show one token as often as they like. */
const isSame = (one: Pass, other: Pass): boolean =>
  one === 'owner' || other === 'owner' ? one === other : one.jti === other.jti

function count(all: Map<string, number>, key: string, by: 1 | -1): number {
  const next = (all.get(key) ?? 0) + by
  if (next === 0) all.delete(key)
  else all.set(key, next)
  return next
}
