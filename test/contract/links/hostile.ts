/** A link whose other end sends what can be read and should never be sent, without having signed in. */
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Frame } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import type { Link } from '@fernlab/shared/rpc/link'
import { BATCH, CALLBACK, CANCEL, ITEMS, LINGER, MORE, PING, RESUME } from '@fernlab/shared/rpc/messages'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { createPeer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { long } from '../../support/long.ts'

const MESSAGES = long ? 100_000 : 3000
/** So few ids that most are of a call that is under way, was, or never will be. */
const id = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom('a', 'rpc', 'x'.repeat(64)))
const count = fc.constantFrom(0, 1, 2, 65, 2 ** 31, Number.MAX_SAFE_INTEGER)
const params = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, [], {}, 'x', { token: 'wrong' }, { token: 7 }, { $x: 1 }),
  fc.record({ id, upTo: count, seen: count }),
  fc.record({ id, from: count, items: fc.array(fc.integer(), { maxLength: 5 }) }),
  fc.record({ token: fc.constantFrom('', 'wrong', '../..'), seen: count }),
  fc.record({ id, token: fc.constant('kept') }),
  fc.record({ callback: count, args: fc.constant([1]) }),
)
/** Batches that can be read: lists, tables, numbers in arrays, of methods that may stand in one and of others. */
const batch = fc
  .record({ count: fc.integer({ min: 1, max: 12 }), stop: fc.boolean(), packs: fc.boolean(), isTyped: fc.boolean() })
  .chain(({ count, isTyped, ...how }) => {
    const methods = fc.constantFrom(['x/act'], [SIGN_IN, 'x/act'], [BATCH], ['x/act', RESUME, CANCEL, SIGN_IN, 'x/act'])
    const list = fc.array(fc.constantFrom<unknown>(null, {}, { token: 'right' }, 7), {
      minLength: count,
      maxLength: count,
    })
    const table = fc.constantFrom(
      { names: ['token'], columns: [Array.from({ length: count }, () => 'right')] },
      { names: ['a', 'b'], columns: [new Float64Array(count), new Uint8Array(count)] },
      { names: [], columns: [] },
    )
    return methods.chain((named) =>
      fc.record({
        methods: fc.constant(named),
        calls: fc
          .array(fc.nat(named.length - 1), { minLength: count, maxLength: count })
          .map((calls) => (isTyped ? Uint8Array.from(calls) : calls)),
        params: fc.oneof(list, table),
        stop: fc.constant(how.stop),
        packs: fc.constant(how.packs),
      }),
    )
  })
/** What would sign in, where it can't. */
const right = fc.constant({ token: 'right' })
const method = fc.constantFrom('x/act', SIGN_IN, BATCH, CALLBACK, CANCEL, ITEMS, LINGER, MORE, PING, RESUME, 'rpc.none')
const message = fc.oneof(
  fc.record(
    { id, method, params, credit: fc.constantFrom(0, 1, 64), lingerMs: count, timeoutMs: count },
    { requiredKeys: ['id', 'method'] },
  ),
  fc.record({ method, params }, { requiredKeys: ['method'] }),
  fc.record({ id, method: fc.constant(BATCH), params: batch }),
  fc.record({ method: fc.constantFrom(SIGN_IN, BATCH, 'x/act'), params: right }),
  fc.record({ id, method: fc.constantFrom('x/act', RESUME, BATCH, 'rpc.none'), params: right }),
  fc.record({ id, result: params }),
  fc.record({ id: fc.oneof(id, fc.constant(null)), error: fc.record({ code: fc.integer(), message: fc.string() }) }),
)

/** Asserts that none of it does anything, though all of it does once the link is signed in; that the other end still answers or has ended the link, and that nothing stays. */
export async function hostile([link, serverLink]: readonly [Link, Link], signal: AbortSignal): Promise<void> {
  let asked = 0
  let done = 0
  let isSignedIn = false
  const lingering = new Lingering({ clock: systemClock })
  const server = createPeer({
    link: serverLink,
    clock: systemClock,
    lingering,
    limits: { ...defaultLimits, unreadable: Number.POSITIVE_INFINITY },
    serve: () => {
      asked++
      if (isSignedIn) return void done++
      throw new LabError({ code: 'sign-in-needed', kind: 'caller', message: 'sign in first' })
    },
    signIn: (given) => {
      if ((given as { token?: unknown } | undefined)?.token === 'right') {
        isSignedIn = true
        return null
      }
      throw new LabError({ code: 'token-refused', kind: 'caller', message: 'no token of this site' })
    },
  })
  let isOver = false
  const answered = new Set<unknown>()
  link.listen({
    frame: (frame: Frame) => {
      const said = link.format.read(frame, defaultLimits) as { id?: unknown }
      answered.add(said.id)
    },
    drained: () => {},
    ended: () => {
      isOver = true
    },
  })
  const say = (each: object) => link.send(link.format.write(each, defaultLimits))
  const sendAll = async (numRuns: number, seed: number) => {
    for (const [at, each] of fc.sample(message, { numRuns, seed }).entries()) {
      say(each)
      if (at % 100 === 0) await systemClock.sleep(0, signal)
    }
    const last = `the last of ${seed}`
    say({ id: last, method: PING })
    while (!answered.has(last) && !isOver) await systemClock.sleep(1, signal)
    assert.ok(answered.has(last), 'it is answered after all of it')
    while (server.underWay.served > 0 && !isOver) await systemClock.sleep(1, signal)
  }
  await sendAll(MESSAGES, 2)
  assert.equal([done, server.underWay], [0, { calls: 0, served: 0, callbacks: 0 }])
  assert.ok(asked > MESSAGES / 10, `${asked} calls came so far that they were refused`)
  say({ id: 'in', method: SIGN_IN, params: { token: 'right' } })
  await sendAll(300, 3)
  assert.ok(done > 30, `${done} calls were done by who has signed in`)
  await link.close()
  await server.close()
}
