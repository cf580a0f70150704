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
  fc.record({
    methods: fc.constantFrom(['x/act'], [SIGN_IN], [BATCH], ['x/act', RESUME, CANCEL]),
    calls: fc.array(fc.constant(0), { maxLength: 4 }),
    params: fc.array(fc.constant(null), { maxLength: 4 }),
    stop: fc.boolean(),
  }),
)
const method = fc.constantFrom('x/act', SIGN_IN, BATCH, CALLBACK, CANCEL, ITEMS, LINGER, MORE, PING, RESUME, 'rpc.none')
const message = fc.oneof(
  fc.record(
    { id, method, params, credit: fc.constantFrom(0, 1, 64), lingerMs: count, timeoutMs: count },
    { requiredKeys: ['id', 'method'] },
  ),
  fc.record({ method, params }, { requiredKeys: ['method'] }),
  fc.record({ id, result: params }),
  fc.record({ id: fc.oneof(id, fc.constant(null)), error: fc.record({ code: fc.integer(), message: fc.string() }) }),
)

/** Asserts that none of it does anything, that the other end still answers or has ended the link, and that nothing stays. */
export async function hostile([link, serverLink]: readonly [Link, Link], signal: AbortSignal): Promise<void> {
  let done = 0
  const lingering = new Lingering({ clock: systemClock })
  const server = createPeer({
    link: serverLink,
    clock: systemClock,
    lingering,
    limits: { ...defaultLimits, unreadable: Number.POSITIVE_INFINITY },
    serve: () => {
      throw new LabError({ code: 'sign-in-needed', kind: 'caller', message: 'sign in first' })
    },
    signIn: (given) => {
      if ((given as { token?: unknown } | undefined)?.token === 'right') return done++
      throw new LabError({ code: 'token-refused', kind: 'caller', message: 'no token of this site' })
    },
  })
  let isOver = false
  let isAnswered = false
  const last = 'the last one'
  link.listen({
    frame: (frame: Frame) => {
      const said = link.format.read(frame, defaultLimits) as { id?: unknown }
      if (said.id === last) isAnswered = true
    },
    drained: () => {},
    ended: () => {
      isOver = true
    },
  })
  for (const [at, each] of fc.sample(message, { numRuns: MESSAGES, seed: 2 }).entries()) {
    link.send(link.format.write(each, defaultLimits))
    if (at % 100 === 0) await systemClock.sleep(0, signal)
  }
  link.send(link.format.write({ id: last, method: PING }, defaultLimits))
  while (!isAnswered && !isOver) await systemClock.sleep(1, signal)
  assert.ok(isAnswered, 'it is answered after all of it')
  assert.equal([done, server.underWay], [0, { calls: 0, served: 0, callbacks: 0 }])
  await link.close()
  await server.close()
}
