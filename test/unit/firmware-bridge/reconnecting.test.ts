import { type Losable, Reconnecting } from '@fernlab/firmware-bridge/sessions/reconnecting'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a connection that comes back by itself')
const { signal } = new AbortController()
const lost = new LabError({ code: 'transport-closed', kind: 'link', message: 'unplugged' })
const turns = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A port that one at a time can have, which opens and closes when the test says so. */
function slowPort() {
  const waiting: (() => void)[] = []
  const port = {
    holders: 0,
    most: 0,
    tell: (_: LabError | undefined) => {},
    /** Lets the next opening or closing happen. */
    next: async () => {
      waiting.shift()?.()
      await turns()
    },
    connect: async (): Promise<Losable> => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      port.holders++
      port.most = Math.max(port.most, port.holders)
      return {
        onClose: (listener) => {
          port.tell = listener
        },
        close: async () => {
          await new Promise<void>((resolve) => waiting.push(resolve))
          port.holders--
        },
      }
    },
  }
  return port
}

async function opened() {
  const clock = new ManualClock()
  const port = slowPort()
  const backOffMs = { first: 10, longest: 10 }
  const connection = new Reconnecting({
    instrument: 'the meter',
    clock,
    log: silentLog,
    backOffMs,
    connect: port.connect,
  })
  const open = connection.open(signal)
  await turns()
  await port.next()
  await open
  return { clock, port, connection }
}

/** Whether it has resolved by now. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  let done = false
  void work.then(() => {
    done = true
  })
  await turns()
  return done
}

test('closed, it has let go of its port', async () => {
  const { port, connection } = await opened()
  const close = connection.close()
  assert.not(await isDone(close))
  await port.next()
  await close
  assert.is(port.holders, 0)
})

test('closed while the port that was lost is still closing, it waits for that', async () => {
  const { port, connection } = await opened()
  port.tell(lost)
  await turns()
  const close = connection.close()
  assert.not(await isDone(close))
  await port.next()
  await close
  assert.is(port.holders, 0)
})

test('closed while it opens the port again, it waits for that and lets go of it', async () => {
  const { clock, port, connection } = await opened()
  port.tell(lost)
  await turns()
  await port.next()
  await clock.advance(10)
  await turns()
  const close = connection.close()
  assert.not(await isDone(close))
  await port.next()
  assert.is(port.holders, 1)
  await port.next()
  await close
  assert.is(port.holders, 0)
  assert.is(port.most, 1)
})

test('a port that never closes is let go of within a second', async () => {
  const { clock, connection } = await opened()
  const close = connection.close()
  assert.not(await isDone(close))
  await clock.advance(1000)
  await close
})

test.run()
