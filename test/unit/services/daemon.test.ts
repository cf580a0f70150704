import { Daemon, type DaemonOptions } from '@fernlab/edge/services/daemons/daemon'
import { DaemonCalls, MOST_CALLS, MOST_STUCK } from '@fernlab/edge/services/daemons/daemon-calls'
import { type DaemonEvent, nextState, pauseAfter } from '@fernlab/edge/services/daemons/daemon-state'
import { createLineCutter, createLogLines } from '@fernlab/edge/services/daemons/log-lines'
import type { DaemonState } from '@fernlab/shared/contracts/daemon-control'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { busy, linkEnded, wireError } from '@fernlab/shared/rpc/errors'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the supervision of a daemon')
/** What is settled has been told. */
const clockTurn = () => new Promise<void>((resolve) => void setImmediate(resolve))

const states: DaemonState[] = ['stopped', 'starting', 'up', 'unhealthy', 'backing-off', 'failed', 'stopping']
const events: DaemonEvent[] = ['start', 'ready', 'silence', 'answer', 'end', 'due', 'give-up', 'stop']

test('each state has its events, and every other one throws', () => {
  const table = states.map((state) => {
    const known = events.flatMap((event) => {
      try {
        return `${event} → ${nextState(state, event)}`
      } catch (thrown) {
        assert.ok(thrown instanceof LabError && thrown.code === 'daemon-state')
        return []
      }
    })
    return `${state}: ${known.join(', ')}`
  })
  assert.equal(table, [
    'stopped: start → starting',
    'starting: ready → up, end → backing-off, stop → stopping',
    'up: silence → unhealthy, end → backing-off, stop → stopping',
    'unhealthy: answer → up, end → backing-off, stop → stopping',
    'backing-off: due → starting, give-up → failed, stop → stopped',
    'failed: start → starting, stop → stopped',
    'stopping: end → stopped',
  ])
})

test('pauses grow with each end within a minute, and the seventh is the last', () => {
  const ends: number[] = []
  const pauses = [0, 1, 2, 3, 4, 5, 6].map((at) => {
    ends.push(at)
    return pauseAfter(ends, at)
  })
  assert.equal(pauses, [250, 500, 1000, 2000, 4000, 8000, undefined])
  ends.push(59_999)
  assert.is(pauseAfter(ends, 60_003), 2000)
  assert.equal(ends, [4, 5, 6, 59_999].slice(0, 4))
})

/** A daemon whose process does what the test says. */
function supervised(more: Partial<DaemonOptions> = {}) {
  const clock = new ManualClock()
  const told: string[] = []
  const heard: object[] = []
  const world = {
    answers: true,
    busy: false,
    cut: async () => {},
    ends: false,
    bytes: 0,
    started: 0,
    end: (_: string) => {},
  }
  const daemon = new Daemon({
    name: 'fits',
    clock,
    memoryMB: 64,
    hungS: 10,
    load: async () => {},
    onState: (state, reason) => told.push(reason === undefined ? state : `${state} (${reason})`),
    start: ({ onPeer, onEnd }) => {
      world.started++
      const [near, far] = localLinks()
      const peer = createPeer({ link: near, clock })
      far.listen({
        frame: (frame) => {
          const { id, ...said } = frame as { id?: number }
          if (id === undefined) heard.push(said)
          else if (world.busy) far.send({ id, error: wireError(busy('1024 calls are under way')) })
          else if (world.answers) far.send({ id, result: null })
        },
        drained: () => {},
        ended: () => {},
      })
      let isOver = false
      world.cut = () => far.close('it was cut')
      world.end = (reason) => {
        if (isOver) return
        isOver = true
        onEnd(reason, undefined)
      }
      const end = world.end
      if (world.ends) queueMicrotask(() => end('it fell over'))
      else queueMicrotask(() => onPeer(peer))
      return { pid: 1, memoryBytes: async () => world.bytes, kill: end, stop: async () => end('it was stopped') }
    },
    ...more,
  })
  return { clock, told, heard, world, daemon }
}

test('when it was last up stays told while it is not, however often it is tried again', async () => {
  const { clock, told, world, daemon } = supervised()
  await daemon.up()
  await clockTurn()
  assert.equal([daemon.state, daemon.lastUpMs], ['up', undefined])
  await clock.advance(1000)
  const lostMs = clock.now()
  world.ends = true
  world.end('it fell over')
  await clock.advance(60_000)
  assert.is(daemon.state, 'failed', told.join(', '))
  assert.is(daemon.lastUpMs, lostMs, 'and not when a start of it failed last')
  world.ends = false
  await daemon.up()
  await clockTurn()
  await clock.advance(1000)
  const stoppedMs = clock.now()
  await daemon.down()
  await clock.advance(5000)
  await daemon.up()
  assert.equal([daemon.state, daemon.lastUpMs], ['starting', stoppedMs])
})

test('one that answers nothing is unhealthy within 10 s, and up again with its next answer', async () => {
  const { clock, told, world, daemon } = supervised()
  await daemon.up()
  await clock.advance(0)
  world.answers = false
  await clock.advance(8000)
  assert.equal(told, ['starting', 'up', 'unhealthy (it has not answered for 6 s)'])
  assert.throws(
    () => daemon.peer('fit'),
    (error: LabError) =>
      error.code === 'service-unhealthy' &&
      error.retry === 'later' &&
      error.message ===
        'fit can not be used: its daemon is unhealthy (it has not answered for 6 s); try again in a moment',
  )
  await daemon.down()
  assert.is(daemon.state, 'stopped')
  assert.throws(
    () => daemon.peer('fit'),
    (error: LabError) =>
      error.code === 'service-gone' &&
      error.message === 'fit can not be used: its daemon is stopped; "fernlab daemon up fits" on its machine starts it',
  )
})

test('who has a call under way when the process ends is told that and how, and not of its link', async () => {
  const { clock, world, daemon } = supervised()
  await daemon.up()
  await clock.advance(0)
  world.answers = false
  const peer = daemon.peer('fit')
  const broken = async (called: string, method: string, idempotent: boolean) => {
    const thrown = await rejection(peer.call(method, undefined, { idempotent }))
    return await daemon.broken(thrown, { peer, called })
  }
  const ends = [broken('fit/slope', 'fit/call', false), broken('fit/signals.read', 'fit/read', true)]
  await world.cut()
  // Its exit code is known a little later than that its link has ended.
  await clock.advance(100)
  ends.push(broken('fit/slope', 'fit/call', false))
  await clock.advance(100)
  world.end('its process exited with code 3')
  const because = '(its process exited with code 3)'
  const ended = `the process of daemon fits ended ${because}`
  const soon = 'it is started again by itself: try again in a moment'
  assert.equal(
    (await Promise.all(ends)).map(({ code, retry, message }) => [code, retry, message]),
    [
      [
        'call-uncertain',
        'never',
        `fit/slope was sent, and ${ended} before it answered, so it may have been done or not; "fernlab daemon logs fits" on its machine has what the process wrote`,
      ],
      ['service-gone', 'later', `fit/signals.read ended early, since ${ended}; ${soon}`],
      // It was not sent any more.
      ['service-gone', 'later', `fit/slope ended early, since ${ended}; ${soon}`],
    ],
  )
  assert.throws(
    () => daemon.peer('fit'),
    (error: LabError) => error.message === `fit can not be used: its daemon is backing-off ${because}; ${soon}`,
  )
  await daemon.down()
})

test('what a service says of a link of its own stays what it says, and one of which nobody knows how it ended is told so', async () => {
  const { clock, world, daemon } = supervised()
  await daemon.up()
  await clock.advance(0)
  const peer = daemon.peer('fit')
  const own = linkEnded('the instrument hung up')
  assert.is(await daemon.broken(own, { peer, called: 'fit/slope' }), own)
  world.answers = false
  const call = rejection(peer.call('fit/call'))
  await world.cut()
  const broken = daemon.broken(await call, { peer, called: 'fit/slope' })
  await clock.advance(5000)
  assert.match((await broken).message, /the process of daemon fits ended \(its link ended\) before it answered/)
  await daemon.down()
})

test('one that has too much to do to be asked is no ill one, and one whose link has ended is ended', async () => {
  const { clock, told, world, daemon } = supervised()
  await daemon.up()
  await clock.advance(0)
  world.busy = true
  await clock.advance(60_000)
  assert.equal([told, world.started], [['starting', 'up'], 1])
  world.busy = false
  world.answers = false
  await clock.advance(8000)
  assert.is(told[2], 'unhealthy (it has not answered for 6 s)')
  await world.cut()
  await clock.advance(0)
  assert.is(told[3], 'backing-off (its link ended)')
  await daemon.down()
})

test('a process is told also while it does not answer, and one whose link has ended throws nothing', async () => {
  const { clock, heard, world, daemon } = supervised()
  assert.is(daemon.tell('gone', {}), undefined)
  await daemon.up()
  await clock.advance(0)
  world.answers = false
  await clock.advance(8000)
  assert.is(daemon.state, 'unhealthy')
  assert.is(daemon.tell('gone', { session: 's1' }), undefined)
  await clock.advance(0)
  assert.equal(heard, [{ method: 'gone', params: { session: 's1' } }])
  await daemon.down()
  world.answers = true
  await daemon.up()
  await clock.advance(0)
  await world.cut()
  assert.is(daemon.state, 'up')
  assert.is(daemon.tell('gone', {})?.code, 'link-ended')
  await daemon.down()
})

/** What is under way in a daemon that answers when it is told to. */
function callsOfDaemon() {
  const clock = new ManualClock()
  const givenUp: number[] = []
  const answers = new Map<number, () => void>()
  const calls = new DaemonCalls({ daemon: 'fit', clock, giveUp: (call) => void givenUp.push(call) })
  const call = (person: string, { method = 'fit/go', signal = new AbortController().signal } = {}) =>
    calls
      .share(person)
      .call(method, { signal }, (number) => new Promise<void>((done) => void answers.set(number, done)))
  /** As many as the person may have. */
  const takeAll = async (person: string) => {
    let refused: LabError | undefined
    while (refused === undefined) {
      call(person).catch((error: LabError) => {
        refused = error
      })
      await clockTurn()
    }
    return { all: calls.underWay(person), refused }
  }
  const answer = () => {
    for (const done of answers.values()) done()
    answers.clear()
  }
  return { clock, calls, call, takeAll, givenUp, answer }
}

test('whoever takes all that they may of a daemon, one or many, leaves room for the next', async () => {
  const { calls, call, takeAll, answer } = callsOfDaemon()
  const first = await takeAll('ada')
  assert.equal([first.all, first.refused.code, first.refused.retry], [MOST_CALLS, 'link-busy', 'later'])
  const taken: number[] = []
  for (const person of ['ben', 'cleo', 'dan', 'eve']) taken.push((await takeAll(person)).all)
  assert.equal(taken, [256, 171, 114, 76])
  const last = call('fay')
  assert.is(calls.underWay('fay'), 1, 'who has none has a place')
  for (let n = 0; n < 12; n++) assert.ok((await takeAll(`person ${n}`)).all > 0, String(n))
  answer()
  await last
  assert.is(calls.underWay(), 0)
})

test('a stream of a daemon counts until it has ended or was left, and a call that failed no more', async () => {
  const { calls, takeAll, answer } = callsOfDaemon()
  const share = calls.share('ada')
  const { signal } = new AbortController()
  async function* items() {
    yield 1
  }
  const [left, ended] = [share.stream(items), share.stream(items)]
  await rejection(share.call('fit/go', { signal }, () => Promise.reject(busy('no'))))
  await rejection(
    share.call('fit/go', { signal }, () => {
      throw busy('at once')
    }),
  )
  assert.is(calls.underWay('ada'), 2)
  assert.is((await takeAll('ada')).all, MOST_CALLS)
  assert.throws(
    () => share.stream(items),
    (error: LabError) => error.code === 'link-busy',
  )
  await left.return?.()
  await left.return?.()
  for await (const item of ended) assert.is(item, 1)
  answer()
  await clockTurn()
  assert.is(calls.underWay(), 0)
})

test('calls that were given up count until they end; too many that do not are a reason to start it again', async () => {
  const { clock, calls, call, givenUp, answer } = callsOfDaemon()
  const given = Array.from({ length: MOST_STUCK + 1 }, () => new AbortController())
  const reasons = given.map(({ signal }, n) =>
    rejection(call('ada', { signal, method: n < 100 ? 'fit/slow' : 'fit/read' })),
  )
  for (const one of given) one.abort(busy('given up'))
  assert.is(
    (await Promise.all(reasons)).every(({ message }) => message === 'given up'),
    true,
  )
  assert.equal([givenUp.length, calls.underWay('ada'), calls.stuck()], [MOST_STUCK + 1, MOST_STUCK + 1, undefined])
  const signal = AbortSignal.abort(busy('given up before'))
  assert.is((await rejection(call('ada', { signal }))).message, 'given up before')
  await clock.advance(10_000)
  assert.is(calls.stuck(), '129 calls that were given up have not ended: 100 of fit/slow, 29 of fit/read')
  answer()
  await clockTurn()
  assert.equal([calls.underWay(), calls.stuck()], [0, undefined])
})

test('one that is stuck is ended and started again, though it answers', async () => {
  let stuck: string | undefined
  const { clock, told, world, daemon } = supervised({ stuck: () => stuck })
  await daemon.up()
  await clock.advance(4000)
  stuck = '129 calls that were given up have not ended'
  await clock.advance(2000)
  stuck = undefined
  assert.is(told[2], 'backing-off (129 calls that were given up have not ended)')
  await clock.advance(250)
  assert.equal([daemon.state, world.started], ['up', 2])
  await daemon.down()
})

test('one that stays so for longer than its limit is ended and started again', async () => {
  const { clock, told, world, daemon } = supervised()
  await daemon.up()
  await clock.advance(0)
  world.answers = false
  await clock.advance(12_000)
  assert.is(told[3], 'backing-off (it did not answer for 10 s)')
  world.answers = true
  await clock.advance(250)
  assert.equal([daemon.state, world.started], ['up', 2])
})

test('one that has more memory than it may is ended and started again', async () => {
  const { clock, told, world, daemon } = supervised()
  await daemon.up()
  world.bytes = 65 * 1024 * 1024
  await clock.advance(2000)
  assert.is(told[2], 'backing-off (it had 65 MB of memory, and may have 64 MB)')
})

test('one that ends again and again stays down until somebody starts it; one that was stopped meanwhile stays so', async () => {
  const { clock, told, world, daemon } = supervised()
  world.ends = true
  await daemon.up()
  await clock.advance(30_000)
  assert.equal([daemon.state, world.started], ['failed', 7])
  assert.is(told.at(-1), 'failed (it ended 7 times within a minute, at last because it fell over)')
  world.ends = false
  assert.is(await daemon.up(), true)
  await clock.advance(0)
  assert.equal([daemon.state, await daemon.up()], ['up', false])
  world.end('it was killed')
  assert.is(daemon.state, 'backing-off')
  assert.is(await daemon.down(), true)
  await clock.advance(60_000)
  assert.equal([daemon.state, world.started, await daemon.down()], ['stopped', 8, false])
})

test('one that is started in its pause has one process, and the end of the pause does nothing more', async () => {
  const { clock, told, world, daemon } = supervised()
  await daemon.up()
  await clock.advance(0)
  world.end('it was killed')
  assert.is(daemon.state, 'backing-off')
  assert.is(await daemon.up(), true)
  await clock.advance(60_000)
  assert.equal([daemon.state, world.started, daemon.restarts], ['up', 2, 0])
  assert.equal(told, ['starting', 'up', 'backing-off (it was killed)', 'stopped', 'starting', 'up'])
  await daemon.down()
})

test('one whose services can not be made in time, or at all, is ended', async () => {
  const slow = supervised({ load: () => new Promise(() => {}) })
  await slow.daemon.up()
  await slow.clock.advance(60_000)
  assert.is(slow.told[1], 'backing-off (it was not ready within 60 s)')
  await slow.daemon.down()
  const wrong = supervised({ load: () => Promise.reject(new TypeError('no')) })
  await wrong.daemon.up()
  await wrong.clock.advance(0)
  assert.is(wrong.told[1], 'backing-off (its services could not be made: unexpected: no)')
  await wrong.daemon.down()
})

test('what is written is kept as lines, however it is cut, and never without a bound', () => {
  const lines: string[] = []
  const cutter = createLineCutter((text) => lines.push(text))
  for (const byte of Buffer.from('one\r\n\nzwölf\n')) cutter.take(Buffer.of(byte))
  cutter.take(Buffer.from('x'.repeat(20_000)))
  cutter.end()
  assert.equal(
    lines.map((line) => (line.length > 10 ? line.length : line)),
    ['one', 'zwölf', 8192, 8192, 3616],
  )
  const kept = createLogLines()
  const same = (text: string) => text
  for (let i = 0; i < 2500; i++) kept.add({ number: i, daemon: 'fit', time: '', from: 'output', text: String(i) }, same)
  assert.equal([kept.newest(9999).length, kept.newest(1)[0]?.text, kept.newest(0).length], [2000, '2499', 0])
  for (let i = 0; i < 100; i++)
    kept.add({ number: i, daemon: 'fit', time: '', from: 'output', text: 'y'.repeat(8192) }, same)
  assert.is(kept.newest(9999).length, 64)
})

test.run()
