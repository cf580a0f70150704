/** The session against an instrument that is silent, slow, garbled, cut off: on a clock that the test moves. */
import type { Fault } from '@fernlab/firmware-bridge/emulated/wire-device'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { parseNumber } from '@fernlab/firmware-bridge/scpi/replies'
import { ScpiSession, type ScpiSessionOptions } from '@fernlab/firmware-bridge/scpi/session'
import { openEmulated } from '@fernlab/firmware-bridge/transports/emulated'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('SCPI session')
const TIMEOUT_MS = 500

function setUp(options: Partial<ScpiSessionOptions> = {}) {
  const clock = new ManualClock()
  const log = recordingLog()
  const device = createWorlds({ clock, latencyMs: 1 }).world('rc').device('psu')
  const down = { now: false }
  let initialised = 0
  const all: ScpiSessionOptions = {
    instrument: 'psu-1',
    transport: { kind: 'emulated', world: 'rc', device: 'psu' },
    openTransport: async () => {
      if (down.now) throw new LabError({ code: 'transport-unreachable', kind: 'link', message: 'unplugged' })
      return openEmulated(device, clock)
    },
    clock,
    log,
    terminator: '\n',
    timeoutMs: TIMEOUT_MS,
    synchroniseBy: 'event-mask',
    quietMs: 50,
    errorQuery: 'SYST:ERR?',
    backOffMs: { first: 100, longest: 1000 },
    checkIdentity: () => {},
    initialise: async () => {
      initialised += 1
    },
    ...options,
  }
  const session = new ScpiSession(all)
  const signal = new AbortController().signal
  const ask = (message: string, by: AbortSignal = signal) =>
    session.exchange(
      (exchange) => exchange.query(message, (text) => parseNumber(text, { instrument: 'psu-1', command: message })),
      by,
    )
  const tell = (message: string, by: AbortSignal = signal) =>
    session.exchange((exchange) => exchange.write(message), by)
  return { options: all, clock, log, device, down, session, signal, ask, tell, initialised: () => initialised }
}

type Bench = ReturnType<typeof setUp>

/** Moves the clock until the promise has settled. */
async function during<T>(bench: Bench, promise: Promise<T>): Promise<T> {
  let settled = false
  const watched = promise.finally(() => {
    settled = true
  })
  watched.catch(() => undefined)
  for (let i = 0; i < 20_000 && !settled; i++) await bench.clock.advance(1)
  return await watched
}

const failing = async (bench: Bench, promise: Promise<unknown>): Promise<LabError> => {
  try {
    await during(bench, promise)
  } catch (error) {
    if (error instanceof LabError) return error
    throw error
  }
  throw new LabError({ code: 'no-rejection', kind: 'bug', message: 'a rejection was expected' })
}

const opened = async (options: Partial<ScpiSessionOptions> = {}): Promise<Bench> => {
  const bench = setUp(options)
  await during(bench, bench.session.open(bench.signal))
  return bench
}

test('names instrument, command and time when there is no answer', async () => {
  const bench = await opened()
  bench.device.setFault({ kind: 'silent' })
  const error = await failing(bench, bench.ask('MEAS:VOLT?'))
  assert.is(error.code, 'instrument-silent')
  assert.is(error.kind, 'instrument')
  assert.match(error.message, /psu-1 did not answer MEAS:VOLT\? within 500 ms/)
  assert.equal(error.details, { instrument: 'psu-1', command: 'MEAS:VOLT?', timeoutMs: 500, elapsedMs: 500 })
  await bench.session.close()
})

test('a late reply never answers the next question', async () => {
  for (const by of ['event-mask', 'identity'] as const) {
    const bench = await opened({ synchroniseBy: by })
    await during(bench, bench.tell('VOLT 1;CURR 2'))
    bench.device.setFault({ kind: 'slow', ms: TIMEOUT_MS + 20, answers: 1 })
    assert.is((await failing(bench, bench.ask('VOLT?'))).code, 'instrument-silent')
    assert.is(await during(bench, bench.ask('CURR?')), 2)
    assert.is(await during(bench, bench.ask('VOLT?')), 1)
    await bench.session.close()
  }
})

test('whatever goes wrong and whenever, an answer is right or an error', async () => {
  const fault = fc.oneof(
    fc.constant(undefined),
    fc.constantFrom<Fault>(
      { kind: 'silent', answers: 1 },
      { kind: 'garbage', answers: 1 },
      { kind: 'truncated', answers: 1 },
      { kind: 'disconnect', answers: 1 },
    ),
    fc.integer({ min: 1, max: 1200 }).map((ms): Fault => ({ kind: 'slow', ms, answers: 1 })),
  )
  const step = fc.record({ fault, value: fc.integer({ min: 0, max: 30 }), giveUpMs: fc.option(fc.nat({ max: 600 })) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      const bench = await opened()
      for (const { fault, value, giveUpMs } of steps) {
        bench.device.setFault(undefined)
        await during(bench, bench.tell(`VOLT ${value};CURR ${value / 100}`)).catch(() => undefined)
        bench.device.setFault(fault)
        const controller = new AbortController()
        if (giveUpMs !== null) {
          bench.clock.after(giveUpMs, () => {
            controller.abort(new LabError({ code: 'stopped', kind: 'caller', message: 'stopped' }))
          })
        }
        const answers = await during(
          bench,
          Promise.allSettled([bench.ask('VOLT?', controller.signal), bench.ask('CURR?'), bench.ask('VOLT?')]),
        )
        const truth = answers[0].status === 'fulfilled' ? answers[0].value : undefined
        if (truth !== undefined && answers[2].status === 'fulfilled') assert.is(answers[2].value, truth)
        if (answers[1].status === 'fulfilled' && answers[2].status === 'fulfilled') {
          assert.ok(Math.abs(answers[1].value * 100 - answers[2].value) < 1e-9, JSON.stringify(answers))
        }
        for (const answer of answers) if (answer.status === 'rejected') assert.instance(answer.reason, LabError)
      }
      // A well instrument is reached again after all of it.
      bench.device.setFault(undefined)
      await bench.clock.advance(3000)
      await during(bench, bench.tell('VOLT 7'))
      assert.is(await during(bench, bench.ask('VOLT?')), 7)
      await bench.session.close()
    }),
    { numRuns: cases(60) },
  )
})

test('a command without reply does not wait until the instrument is back in step', async () => {
  const bench = await opened()
  await during(bench, bench.tell('VOLT 5;OUTP ON'))
  bench.device.setFault({ kind: 'slow', ms: 5000, answers: 1 })
  const controller = new AbortController()
  const question = bench.ask('VOLT?', controller.signal)
  question.catch(() => undefined)
  await bench.clock.advance(10)
  controller.abort(new LabError({ code: 'stopped', kind: 'caller', message: 'stopped' }))
  let done = false
  void bench.tell('OUTP OFF').then(() => {
    done = true
  })
  await bench.clock.advance(1)
  assert.ok(done, 'the command was not written within 1 ms')
  await bench.session.close()
})

test('garbage costs one answer, names it, and the next is right', async () => {
  for (const kind of ['garbage', 'truncated'] as const) {
    const bench = await opened()
    await during(bench, bench.tell('VOLT 3'))
    bench.device.setFault({ kind, answers: 1 })
    const error = await failing(bench, bench.ask('VOLT?'))
    assert.is(error.code, kind === 'garbage' ? 'reply-garbled' : 'instrument-silent')
    assert.is(error.details.command, 'VOLT?')
    assert.is(await during(bench, bench.ask('VOLT?')), 3)
    await bench.session.close()
  }
})

test('a loss is reported once however long it lasts, and so is the recovery', async () => {
  const bench = await opened()
  const seen: boolean[] = []
  bench.session.onConnection((up) => seen.push(up))
  bench.down.now = true
  bench.device.hangUp()
  assert.is((await failing(bench, bench.ask('VOLT?'))).code, 'instrument-disconnected')
  await bench.clock.advance(20_000)
  bench.down.now = false
  await bench.clock.advance(1500)
  assert.is(await during(bench, bench.ask('VOLT?')), 0)
  assert.equal(seen, [false, true])
  // Whoever listens logs it: the node does, once.
  assert.equal(
    bench.log.lines.filter((line) => line.level !== 'debug'),
    [],
  )
  assert.is(bench.initialised(), 2)
  await bench.session.close()
})

test('an instrument that stays silent is disconnected and found again when it speaks', async () => {
  const bench = await opened()
  bench.device.setFault({ kind: 'silent' })
  await failing(bench, bench.ask('VOLT?'))
  assert.is((await failing(bench, bench.ask('VOLT?'))).code, 'instrument-silent')
  assert.is((await failing(bench, bench.ask('VOLT?'))).kind, 'link')
  bench.device.setFault(undefined)
  await bench.clock.advance(5000)
  assert.is(await during(bench, bench.ask('VOLT?')), 0)
  await bench.session.close()
})

test('opening fails by its deadline when no one answers, and can be tried again', async () => {
  const bench = setUp()
  bench.device.setFault({ kind: 'silent' })
  assert.is((await failing(bench, bench.session.open(bench.signal))).code, 'instrument-silent')
  bench.device.setFault(undefined)
  await during(bench, bench.session.open(bench.signal))
  assert.is(await during(bench, bench.ask('VOLT?')), 0)
  await bench.session.close()
})

test('a wrong identity refuses the connection', async () => {
  const bench = setUp({
    checkIdentity: (identity) => {
      throw new LabError({ code: 'instrument-unexpected', kind: 'configuration', message: identity })
    },
  })
  assert.is((await failing(bench, bench.session.open(bench.signal))).code, 'instrument-unexpected')
  await bench.session.close()
})

test('reads the error queue to its end', async () => {
  const bench = await opened()
  const errors = await during(
    bench,
    bench.session.exchange(async (exchange) => {
      await exchange.write('NO:SUCH')
      await exchange.write('VOLT 99')
      return await exchange.errors()
    }, bench.signal),
  )
  assert.equal(
    errors.map((error) => error.code),
    [-113, -222],
  )
  await bench.session.close()
})

test('one who gives up while waiting holds up no one', async () => {
  const bench = await opened()
  bench.device.setFault({ kind: 'slow', ms: 300, answers: 1 })
  const controller = new AbortController()
  const answers = Promise.allSettled([bench.ask('VOLT?'), bench.ask('CURR?', controller.signal), bench.ask('CURR?')])
  await bench.clock.advance(50)
  controller.abort(new LabError({ code: 'stopped', kind: 'caller', message: 'stopped' }))
  assert.equal(
    (await during(bench, answers)).map((answer) => answer.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await bench.session.close()
})

test('closing ends what is under way and what waits, and nothing runs afterwards', async () => {
  const bench = await opened()
  bench.device.setFault({ kind: 'silent' })
  const waiting = [bench.ask('VOLT?'), bench.ask('CURR?')]
  await bench.clock.advance(10)
  await bench.session.close()
  for (const promise of waiting) assert.is((await failing(bench, promise)).code, 'instrument-closed')
  assert.is((await failing(bench, bench.ask('VOLT?'))).code, 'instrument-closed')
  await bench.session.close()
})

test('an instrument that was swapped for another of its model comes back', async () => {
  for (const synchroniseBy of ['event-mask', 'identity'] as const) {
    let serial = 1
    let hangUp = (_reason: Error) => {}
    const answer = common(
      (line) => (line === 'VOLT?' ? bytesOf(`${serial}\n`) : undefined),
      () => serial,
    )
    const bench = await opened({
      synchroniseBy,
      openTransport: async () => ({
        ...(await scripted(answer)()),
        onClose: (listen) => {
          hangUp = listen
        },
      }),
    })
    serial = 2
    hangUp(new Error('unplugged'))
    await bench.clock.advance(3000)
    assert.is(await during(bench, bench.ask('VOLT?')), 2, synchroniseBy)
    assert.is(bench.session.identity, 'Maker,Model,2,1')
    await bench.session.close()
  }
})

test('a transport that never opens does not end the tries', async () => {
  const bench = setUp()
  let stuck = true
  const { openTransport } = bench.options
  const session = new ScpiSession({
    ...bench.options,
    openTransport: (config, signal) => (stuck ? new Promise(() => {}) : openTransport(config, signal)),
  })
  const again = { ...bench, session }
  assert.is((await failing(again, session.open(bench.signal))).code, 'transport-unreachable')
  stuck = false
  await during(again, session.open(bench.signal))
  stuck = true
  bench.device.hangUp()
  await bench.clock.advance(5000)
  stuck = false
  await bench.clock.advance(20_000)
  const answer = session.exchange((exchange) => exchange.query('VOLT?', (text) => Number(text)), bench.signal)
  assert.is(await during(again, answer), 0)
  await during(again, session.close())
})

test('an instrument whose messages end in a carriage return is understood', async () => {
  const answer = common((line) => (line === 'VOLT?' ? bytesOf('3\n') : undefined))
  const bench = await opened({
    terminator: '\r',
    openTransport: scripted((line) => answer(line)?.map((byte) => (byte === 10 ? 13 : byte))),
  })
  assert.is(await during(bench, bench.ask('VOLT?')), 3)
  await bench.session.close()
})

/** A transport that answers each line by a function, for what no emulated instrument says. */
function scripted(answer: (line: string) => Uint8Array | undefined, close: () => Promise<void> = async () => {}) {
  let listener: (bytes: Uint8Array) => void = () => {}
  return async () => ({
    write: async (bytes: Uint8Array) => {
      const reply = answer(new TextDecoder().decode(bytes).trimEnd())
      if (reply !== undefined) queueMicrotask(() => listener(reply))
    },
    onData: (listen: typeof listener) => {
      listener = listen
    },
    onClose: () => {},
    close,
  })
}

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Keeps `*ESE` and `*IDN?` as every instrument does. */
function common(rest: (line: string) => Uint8Array | undefined, serial: () => number = () => 1) {
  let mask = '0'
  return (line: string) => {
    if (line.startsWith('*ESE ')) mask = line.slice(5)
    else if (line === '*ESE?') return bytesOf(`${mask}\n`)
    else if (line === '*IDN?') return bytesOf(`Maker,Model,${serial()},1\n`)
    else return rest(line)
    return undefined
  }
}

test('reads blocks, and tells a block from a line', async () => {
  const payload = Uint8Array.of(10, 35, 0, 255)
  const bench = await opened({
    openTransport: scripted(
      common((line) => (line === 'CURV?' ? join(bytesOf('#14'), payload, bytesOf('\n')) : bytesOf('1\n'))),
    ),
  })
  const block = (message: string) => bench.session.exchange((exchange) => exchange.queryBlock(message), bench.signal)
  assert.equal([...(await during(bench, block('CURV?')))], [...payload])
  assert.is((await failing(bench, block('VOLT?'))).code, 'reply-garbled')
  assert.is((await failing(bench, bench.ask('CURV?'))).code, 'reply-garbled')
  assert.is(await during(bench, bench.ask('VOLT?')), 1)
  await bench.session.close()
})

test('a line that never closes is let go of', async () => {
  const bench = await opened({
    openTransport: scripted(
      common(() => undefined),
      () => new Promise(() => {}),
    ),
  })
  await during(bench, bench.session.close())
  assert.is((await failing(bench, bench.ask('VOLT?'))).code, 'instrument-closed')
})

function join(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]))
}

test.run()
