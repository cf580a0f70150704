/** An instrument of the class USB Test and Measurement on a real kernel, by its driver usbtmc. */
import { appendFileSync, chmodSync, chownSync, existsSync } from 'node:fs'
import { createScpiDriver } from '@fernlab/edge/drivers/scpi/scpi'
import { ReplyFraming } from '@fernlab/firmware-bridge/scpi/framing'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { driverContract, rejection } from '../../contract/driver-contract.ts'
import { askHost } from '../../support/kernel/in-guest/host.ts'
import { suite } from '../../support/suite.ts'

const wire = { kind: 'usbtmc', serial: 'FL0815' } as const
/** A guest on a busy machine takes its time. */
const config = { model: 'fern-psu', transport: wire, timeoutMs: 8000 }
const driver = createScpiDriver()
const openTransport = createOpenTransport({ clock: systemClock, log: silentLog })
const context = { name: 'psu-1', clock: systemClock, log: silentLog, openTransport, configFolder: '.' }
const never = new AbortController().signal

interface Seen {
  readonly unasked: number
  readonly clears: number
  readonly wrong: number
}

async function untilThere(there: boolean): Promise<void> {
  while (existsSync('/dev/usbtmc0') !== there) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** Replies as they come. */
function repliesOf(transport: Transport) {
  const framing = new ReplyFraming()
  const found: ReturnType<ReplyFraming['push']> = []
  let tell = () => {}
  const put = (replies: typeof found) => {
    found.push(...replies)
    if (replies.length > 0) tell()
  }
  transport.onData((bytes) => put(framing.push(bytes)))
  transport.onMessageEnd?.(() => put(framing.end()))
  return {
    found,
    next: async () => {
      if (found.length === 0) {
        await new Promise<void>((resolve) => {
          tell = resolve
        })
      }
      return found.shift()
    },
  }
}

const test = suite('usbtmc', { timeoutMs: 30_000 })

async function withWire(work: (transport: Transport) => Promise<void>): Promise<void> {
  const transport = await openTransport(wire, never)
  try {
    await work(transport)
  } finally {
    await transport.close()
  }
}

test.before(() => untilThere(true))

test('answers whole, however they are cut into transfers', () =>
  withWire(async (transport) => {
    const replies = repliesOf(transport)
    for (const bytes of [null, 1, 7, 500, 512]) {
      await askHost('put at most into a transfer', bytes)
      await transport.write(Buffer.from('*IDN?\n'))
      const reply = await replies.next()
      assert.match(reply?.kind === 'line' ? reply.text : '', /^Fernlab,FPS-3003,/)
    }
    await askHost('put at most into a transfer', null)
    // A packet, a read of the kernel and the first request are full to the byte, one more and one less.
    for (const bytes of [499, 500, 501, 4083, 4084, 4085, 4096, 60_000]) {
      await transport.write(Buffer.from(`TEST:LINE? ${bytes}\n`))
      const reply = await replies.next()
      assert.is(reply?.kind === 'line' ? reply.text.length : -1, bytes - 1, String(bytes))
    }
    await transport.write(Buffer.from('TEST:BLOCK? 300000\n'))
    const block = await replies.next()
    if (block?.kind !== 'block') throw new Error(`a ${block?.kind} came`)
    assert.is(block.bytes.length, 300_000)
    assert.ok(block.bytes.every((byte, i) => byte === i % 251))
    assert.equal(replies.found, [])
    const { unasked, wrong } = await askHost<Seen>('seen')
    assert.equal({ unasked, wrong }, { unasked: 0, wrong: 0 })
  }))

test('a question without an answer is withdrawn', () =>
  withWire(async (transport) => {
    const replies = repliesOf(transport)
    const { clears } = await askHost<Seen>('seen')
    await askHost('keep silent')
    await transport.write(Buffer.from('VOLT?\n'), 200)
    while ((await askHost<Seen>('seen')).clears === clears) await new Promise((resolve) => setTimeout(resolve, 50))
    await askHost('answer')
    await transport.write(Buffer.from('*IDN?\n'))
    const reply = await replies.next()
    assert.match(reply?.kind === 'line' ? reply.text : '', /^Fernlab,FPS-3003,/)
    assert.is((await askHost<Seen>('seen')).clears, clears + 1)
  }))

test('the late answer of an instrument that can not be cleared is not taken for the next one', () =>
  withWire(async (transport) => {
    const replies = repliesOf(transport)
    await askHost('be stubborn')
    await transport.write(Buffer.from('VOLT?\n'), 200)
    await transport.write(Buffer.from('*IDN?\n'))
    const reply = await replies.next()
    assert.match(reply?.kind === 'line' ? reply.text : '', /^Fernlab,FPS-3003,/)
    assert.equal(replies.found, [])
  }))

test('a command goes out at once though an answer is waited for', () =>
  withWire(async (transport) => {
    await askHost('keep silent')
    const { clears } = await askHost<Seen>('seen')
    await transport.write(Buffer.from('OUTP ON\n'))
    await transport.write(Buffer.from('VOLT?\n'), 60_000)
    await transport.write(Buffer.from('OUTP OFF\n'), 60_000)
    await askHost('answer')
    const replies = repliesOf(transport)
    await transport.write(Buffer.from('OUTP?\n'))
    const reply = await replies.next()
    assert.is(reply?.kind === 'line' ? reply.text : '', '0')
    assert.is((await askHost<Seen>('seen')).clears, clears + 1)
  }))

test('is not opened twice, and says who has it', async () => {
  await withWire(async () => {
    const error = await rejection(openTransport({ kind: 'usbtmc', vendor: '0957', product: '0607' }, never))
    assert.is(error.code, 'transport-unreachable')
    assert.match(error.message, /another instrument of node.yaml, or another program, has it/)
  })
  await withWire(async () => {})
})

test('says what is there where a name fits nothing', async () => {
  const error = await rejection(openTransport({ kind: 'usbtmc', serial: 'MY1' }, never))
  assert.match(error.message, /serial MY1 .*not there.*Fernlab FERN-PSU with vendor 0957, product 0607, serial FL0815/)
})

test('without permission it says what to type', async () => {
  appendFileSync('/etc/passwd', 'lab:x:1000:1000::/:/bin/sh\n')
  const refusal = async () => {
    process.seteuid?.(1000)
    try {
      return (await rejection(openTransport(wire, never))).message
    } finally {
      process.seteuid?.(0)
    }
  }
  chmodSync('/dev/usbtmc0', 0o600)
  assert.match(await refusal(), /lab may not use it: it is root's alone; type: echo 'SUBSYSTEM=="usbmisc"/)
  chownSync('/dev/usbtmc0', 0, 20)
  chmodSync('/dev/usbtmc0', 0o660)
  assert.match(await refusal(), /it must be in the group dialout; type: sudo usermod -aG dialout lab/)
})

test('pulled out while an answer is due: the command fails at once, and the instrument comes back by itself', async () => {
  const instrument = await driver.create({ ...config, timeoutMs: 100_000 }, context)
  const seen: boolean[] = []
  let change: () => void = () => {}
  instrument.onConnection?.((up) => {
    seen.push(up)
    change()
  })
  const changed = () =>
    new Promise<void>((resolve) => {
      change = resolve
    })
  try {
    await instrument.open(never)
    await instrument.set('voltage', 2.5, never)
    await askHost('keep silent')
    const asked = rejection(instrument.read(['measured_voltage'], never))
    const lost = changed()
    await askHost('unplug')
    const failure = await asked
    assert.is(failure.kind, 'link', failure.message)
    if (seen.at(-1) !== false) await lost
    await untilThere(false)
    await askHost('answer')
    const back = changed()
    await askHost('plug')
    await back
    assert.equal(seen, [false, true])
    await instrument.set('voltage', 1.5, never)
    assert.is((await instrument.read(['voltage'], never)).voltage?.value, 1.5)
    // Nobody asks it anything, and it is missed all the same.
    const missed = changed()
    await askHost('unplug')
    await missed
    const again = changed()
    await askHost('plug')
    await again
  } finally {
    await instrument.close()
  }
})

test.run()

driverContract('scpi over USB', async () => {
  await untilThere(true)
  return {
    driver,
    config,
    context,
    settable: { name: 'voltage', values: [1.25, 3.5] as const },
    readable: ['voltage', 'output', 'measured_voltage', 'measured_current'],
    cut: () => void askHost('replug'),
    release: async () => {},
  }
})
