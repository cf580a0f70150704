/** What every link must do, as a suite to run on each: two peers over it, as client and node use it. */
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { RpcLimits } from '@fernlab/shared/rpc/limits'
import type { Link } from '@fernlab/shared/rpc/link'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { createPeer, type Peer, PING } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { rejection } from './driver-contract.ts'
import { everyKind } from './links/every-kind.ts'
import { fuzz } from './links/fuzz.ts'
import { hostile } from './links/hostile.ts'

/** Makes links, one after another, between this process's two ends. */
export interface LinkUnderTest {
  /** The end that connected, and the end that it reached. */
  open(): Promise<readonly [client: Link, server: Link]>
  /** Ends the connection under a link as a broken wire does. */
  cut(server: Link): void
  close(): Promise<void>
}

const MEGABYTES_5 = 5_000_000

/** Resolves when it holds; the test's own limit ends the wait. */
async function until(holds: () => boolean, signal: AbortSignal): Promise<void> {
  while (!holds()) await systemClock.sleep(2, signal)
}

/** Runs the contract; `make` prepares a way of linking. */
export function linkContract(name: string, make: () => Promise<LinkUnderTest>): void {
  const test = suite(`link contract: ${name}`, { timeoutMs: 30_000 })
  let under: LinkUnderTest
  test.before(async () => {
    under = await make()
  })
  test.after(() => under.close())

  async function pair({ lingering, limits }: { lingering?: Lingering; limits?: RpcLimits } = {}) {
    const [clientLink, serverLink] = await under.open()
    const served = everyKind()
    const troubles: LabError[] = []
    const server = createPeer({
      link: serverLink,
      clock: systemClock,
      serve: served.serve,
      onTrouble: (error) => troubles.push(error),
      owner: () => 'ada',
      ...(lingering === undefined ? {} : { lingering }),
      ...(limits === undefined ? {} : { limits }),
    })
    const client = createPeer({ link: clientLink, clock: systemClock })
    return { client, server, serverLink, troubles, ...served }
  }

  const isFree = ({ underWay: { calls, served, callbacks } }: Peer) => calls === 0 && served === 0 && callbacks === 0

  test('a value comes back as it was sent', async () => {
    const { client } = await pair()
    const values = [
      null,
      true,
      'ñ 𝄞 \u0000',
      -1.5,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      2 ** 40,
      [1, [2, []]],
      { a: { b: null }, 'with space': 1 },
      { $type: 'float64', base64: 'mine' },
      { $$type: { $type: 1 } },
      new Float64Array([1.5, Number.POSITIVE_INFINITY, -0]),
      new Float32Array([1, 2]),
      new Int16Array([-3, 3]),
      new Uint8Array([0, 255]),
      new BigInt64Array([-(2n ** 63n)]),
      new Float64Array(0),
    ]
    for (const value of values) {
      const back = await client.call('echo', value)
      assert.equal(back, value)
      if (ArrayBuffer.isView(value)) assert.is((back as object).constructor, value.constructor)
    }
    assert.equal(await client.call('later', values), values)
    await client.close()
  })

  test('nothing that was sent is shared with who gets it', async () => {
    const { client, heard } = await pair()
    const sent = { list: [1], wave: new Float64Array([1]) }
    await client.call('note', sent)
    sent.list.push(2)
    sent.wave[0] = 2
    assert.equal(heard, [{ list: [1], wave: new Float64Array([1]) }])
    await client.close()
  })

  test('an error arrives as the same error', async () => {
    const { client } = await pair()
    const error = await rejection(client.call('fail'))
    assert.equal(error.toJSON(), {
      code: 'voltage-too-high',
      kind: 'caller',
      message: '12 V is above the limit of 5 V',
      studentMessage: 'Too high.',
      retry: 'later',
      issues: [{ path: 'voltage', message: 'too high' }],
      details: { limit: 5 },
    })
    assert.is((await rejection(client.call('nothing'))).code, 'method-unknown')
    assert.is((await rejection(client.call('rpc.nothing'))).code, 'method-unknown')
    await client.close()
  })

  test('what a service throws or returns never ends the link', async () => {
    const { client } = await pair()
    assert.is((await rejection(client.call('throwNothing'))).code, 'internal-error')
    const cycle = await rejection(client.call('cycle'))
    assert.is(cycle.code, 'value-unwritable')
    assert.match(cycle.message, /result\.self/)
    assert.is((await rejection(client.call('huge'))).code, 'message-too-large')
    assert.is(
      (await rejection(client.call('echo', { f: { g: new Map() } }))).message,
      'params.f.g is a Map, not a plain object',
    )
    assert.is(await client.call('echo', 1), 1)
    await client.close()
  })

  test('a call that is late is given up at both ends', async ({ signal }) => {
    const { client, server, heard, waiting } = await pair()
    const error = await rejection(client.call('never', 'a', { timeoutMs: 20 }))
    assert.is(error.code, 'deadline-exceeded')
    await until(() => heard.length === 2, signal)
    assert.is(heard[0], 'a begun')
    // Both ends have a clock: whichever is first.
    assert.match(String(heard[1]), /^a (call-cancelled|deadline-exceeded)$/)
    waiting.get('a')?.(1)
    await until(() => isFree(client) && isFree(server), signal)
    assert.is(await client.call('echo', 2), 2)
    await client.close()
  })

  test('a cancelled call reaches the signal of the other end, and a one-way call comes in its turn', async ({
    signal,
  }) => {
    const { client, heard } = await pair()
    const controller = new AbortController()
    const call = client.call('never', 'b', { signal: controller.signal })
    await until(() => heard.length === 1, signal)
    controller.abort()
    assert.is((await rejection(call)).code, 'call-cancelled')
    client.send('note', 'after')
    await until(() => heard.length === 3, signal)
    assert.equal(heard, ['b begun', 'b call-cancelled', 'after'])
    assert.is((await rejection(client.call('echo', 1, { signal: controller.signal }))).code, 'call-cancelled')
    await client.close()
  })

  test('a stream gives its items in order, ends, and fails as its source does', async () => {
    const { client } = await pair()
    const taken: unknown[] = []
    for await (const item of client.stream('count', { to: 1000 }, { credit: 10 })) taken.push(item)
    assert.equal(
      taken,
      Array.from({ length: 1000 }, (_, i) => i + 1),
    )
    const failing = client.stream('count', { to: 5, failAfter: 2 })
    assert.equal([(await failing.next()).value, (await failing.next()).value], [1, 2])
    assert.is((await rejection(failing.next())).code, 'sensor-lost')
    assert.is((await failing.next()).done, true)
    assert.is((await rejection(client.call('count', { to: 1 }))).code, 'call-invalid')
    assert.is((await rejection(client.stream('echo').next())).code, 'call-invalid')
    await client.close()
  })

  test('a slow receiver holds up the source, and leaving the loop ends it', async ({ signal }) => {
    const { client, server, heard } = await pair()
    const stream = client.stream('count', { to: 1e9 }, { credit: 8 })
    assert.is((await stream.next()).value, 1)
    await client.call('echo')
    await client.call('echo')
    assert.ok(heard.length <= 9, `${heard.length} items were made for a credit of 8`)
    for await (const item of stream) if (item === 100) break
    await until(() => heard.at(-1) === 'count ended', signal)
    assert.ok(heard.length < 120)
    await until(() => isFree(client) && isFree(server), signal)
    await client.close()
  })

  test('a stream goes on over another link without a gap, for its owner alone', async ({ signal }) => {
    const lingering = new Lingering({ clock: systemClock })
    const first = await pair({ lingering })
    const options = { credit: 4, lingerMs: 20_000 }
    const stream = first.client.stream('count', { to: 40 }, options)
    const taken: unknown[] = []
    for (let n = 0; n < 10; n++) taken.push((await stream.next()).value)
    under.cut(first.serverLink)
    await endsWithLink(async () => {
      for (;;) taken.push((await stream.next()).value)
    })
    assert.ok(stream.place !== undefined)
    await until(() => first.server.underWay.served === 0, signal)
    const [thiefLink, strangersLink] = await under.open()
    const strangers = createPeer({
      link: strangersLink,
      clock: systemClock,
      serve: first.serve,
      lingering,
      owner: () => 'eve',
    })
    const thief = createPeer({ link: thiefLink, clock: systemClock })
    assert.is((await rejection(thief.resume(stream.place).next())).code, 'stream-gone')
    await thief.close()
    await strangers.close()
    const second = await pair({ lingering })
    for await (const item of second.client.resume(stream.place, options)) taken.push(item)
    assert.equal(
      taken,
      Array.from({ length: 40 }, (_, i) => i + 1),
    )
    await until(() => lingering.size === 0 && isFree(second.server), signal)
    await second.client.close()
  })

  test('a stream that nobody comes back for ends', async ({ signal }) => {
    const lingering = new Lingering({ clock: systemClock })
    const { client, serverLink, heard } = await pair({ lingering })
    const stream = client.stream('count', { to: 1e9 }, { credit: 4, lingerMs: 30 })
    await stream.next()
    under.cut(serverLink)
    await until(() => lingering.size === 0 && heard.at(-1) === 'count ended', signal)
  })

  test('a batch does its calls in order, and stops at the first error where it was told to', async () => {
    const { client } = await pair()
    const calls = [['echo', 1], ['fail'], ['later', 3], ['rpc.batch', { calls: [], stop: true }]] as const
    const all = await client.batch(calls)
    assert.equal([all[0], all[2]], [{ result: 1 }, { result: 3 }])
    const errors = [all[1], all[3]].map((outcome) => outcome !== undefined && 'error' in outcome && outcome.error.code)
    assert.equal(errors, ['voltage-too-high', 'call-invalid'])
    const stopped = await client.batch(calls, { stop: true })
    assert.equal(stopped.slice(2), [{ skipped: true }, { skipped: true }])
    // Before the other end has said that it takes columns, and after.
    for (const heard of ['nothing', 'what it takes']) {
      if (heard === 'what it takes') await client.call(PING)
      const many = await client.batch(Array.from({ length: 40_000 }, (_, i) => ['echo', { i }] as const))
      assert.is(many.length, 40_000, heard)
      assert.equal(many[39_999], { result: { i: 39_999 } }, heard)
    }
    await client.close()
  })

  test('a function among the arguments calls back, as long as its call lasts', async ({ signal }) => {
    const { client, server } = await pair()
    const each = (n: number) => {
      if (n === 3) throw new LabError({ code: 'enough', kind: 'caller', message: 'enough' })
      return n * 10
    }
    assert.equal(await client.call('callBack', { each, times: 3 }), [0, 10, 20])
    assert.is((await rejection(client.call('callBack', { each, times: 5 }))).code, 'enough')
    await until(() => isFree(client) && isFree(server), signal)
    assert.is((await rejection(server.call('rpc.callback', { callback: 1, args: [] }))).code, 'callback-unknown')
    await client.close()
  })

  test('5 MB there and back hold up no small call', async () => {
    const { client } = await pair()
    const wave = new Float64Array(MEGABYTES_5 / 8).map((_, i) => i)
    let isBack = false
    const large = client.call('echo', wave).then((back) => {
      isBack = true
      return back
    })
    if (client.link.kind !== 'in-process') {
      await client.call('echo', 1)
      assert.is(isBack, false)
    }
    assert.equal(await large, wave)
    const text = 'ñ𝄞'.repeat(400_000)
    assert.ok((await client.call('echo', text)) === text)
    await client.close()
  })

  test('when the link breaks, what may have been done is uncertain, and all is freed', async ({ signal }) => {
    const { client, server, serverLink, heard } = await pair()
    const calls = [client.call('never', 'x'), client.call('never', 'y', { idempotent: true })].map(rejection)
    const stream = client.stream('count', { to: 1e9 }, { credit: 2 })
    await stream.next()
    await until(() => heard.includes('x begun') && heard.includes('y begun'), signal)
    under.cut(serverLink)
    const [uncertain, repeatable] = await Promise.all(calls)
    assert.is(uncertain?.code, 'call-uncertain')
    assert.is(uncertain?.retry, 'never')
    assert.equal([repeatable?.code, repeatable?.retry], ['link-ended', 'now'])
    await endsWithLink(async () => {
      for (;;) if ((await stream.next()).done === true) return
    })
    await until(() => ['x link-ended', 'y link-ended', 'count ended'].every((what) => heard.includes(what)), signal)
    assert.ok(isFree(client) && isFree(server))
    assert.is((await rejection(client.call('echo'))).code, 'link-ended')
    await client.close()
    await server.close()
  })

  test('more calls than may be under way are refused, and the others are answered', async () => {
    const { client, waiting } = await pair()
    const never = Array.from({ length: 1024 }, (_, i) => client.call('never', String(i)))
    assert.is((await rejection(client.call('echo', 1))).code, 'link-busy')
    // Each is there once the last is.
    await systemClock.sleep(0)
    while (waiting.size < 1024) await systemClock.sleep(1)
    for (const resolve of waiting.values()) resolve('done')
    assert.is((await Promise.all(never)).length, 1024)
    assert.is(await client.call('echo', 1), 1)
    await client.close()
  })

  test('random frames do no call, leave nothing, and do not end the process', async ({ signal }) => {
    await fuzz(await under.open(), signal)
  })

  test('messages that nobody should send do nothing without a sign-in, and leave nothing', async ({ signal }) => {
    await hostile(await under.open(), signal)
  })

  test('both ends hear once that one has closed', async ({ signal }) => {
    const { client, server } = await pair()
    const ends: string[] = []
    client.onEnd(({ code }) => ends.push(`client ${code}`))
    server.onEnd(({ code }) => ends.push(`server ${code}`))
    await Promise.all([client.close(), client.close()])
    await until(() => ends.length === 2, signal)
    await server.close()
    assert.equal(ends.sort(), ['client link-ended', 'server link-ended'])
  })

  test.run()
}

/** The loop must end with an error of the link, or at its end. */
async function endsWithLink(loop: () => Promise<void>): Promise<void> {
  try {
    await loop()
  } catch (error) {
    assert.is((error as LabError).kind, 'link')
  }
}
