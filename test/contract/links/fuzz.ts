/** A link whose other end is flooded with frames that nobody can read. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { Frame } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { long } from '../../support/long.ts'
import { SAMPLES, spoiledFrames } from './spoiled-frames.ts'

/** A million in the long run. */
const FRAMES = long ? 1_000_000 : 2000
/** What the memory of the process may differ by for other reasons. */
const LEFT_BYTES = 3_000_000
/** So many are on the way at most. */
const AHEAD = 1000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Memory in use, of objects and of buffers, once what nobody has is given back. */
function usedBytes(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Asserts that none does a call, that each is answered that it can't be read, and that nothing of them stays in memory. */
export async function fuzz([link, serverLink]: readonly [Link, Link], signal: AbortSignal): Promise<void> {
  let done = 0
  let read = 0
  let answered = 0
  const server = createPeer({
    link: serverLink,
    clock: systemClock,
    limits: { ...defaultLimits, unreadable: Number.POSITIVE_INFINITY },
    serve: () => done++,
    onTrouble: () => read++,
  })
  const ended = new Promise<void>((resolve) => {
    link.listen({ frame: () => answered++, drained: () => {}, ended: () => resolve() })
  })
  const good = link.format.write({ id: 1, method: 'a', params: { $x: [1, 'é', new Float32Array(2)] } }, defaultLimits)
  const frames = spoiledFrames(good, link.format)
  const until = async (holds: () => boolean) => {
    while (!holds()) {
      signal.throwIfAborted()
      await systemClock.sleep(1)
    }
  }
  let sent = 0
  const send = async (count: number) => {
    for (let n = 0; n < count; n++) {
      link.send(frames[sent++ % SAMPLES] as Frame)
      if (n % 100 === 0) await systemClock.sleep(0)
      await until(() => sent - answered <= AHEAD)
    }
    await until(() => answered === sent)
  }
  // What earlier tests left, and what is made once, is not of these.
  await send(Math.max(SAMPLES, FRAMES / 10))
  const before = usedBytes()
  await send(FRAMES)
  const grown = usedBytes() - before
  assert.ok(grown < LEFT_BYTES, `${FRAMES} frames left ${grown} bytes`)
  assert.equal([done, read, server.underWay], [0, sent, { calls: 0, served: 0, callbacks: 0 }])
  if (long) process.stdout.write(`${FRAMES} frames left ${grown} bytes\n`)
  await link.close()
  await ended
}
