import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createProcessDriver } from '@fernlab/edge/drivers/process/process'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Log, recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { timesBusy } from '../../support/busy.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a driver’s program that goes wrong', { timeoutMs: 30_000 })
const faulty = fileURLToPath(new URL('../../support/process-drivers/faulty.py', import.meta.url))
const forever = new AbortController().signal

interface Faulty {
  readonly instrument: Instrument
  readonly log: ReturnType<typeof recordingLog>
  /** Each time that it was opened, the id of the process. */
  opened(): Promise<number[]>
  /** What it tells of its connection, in order; waits until there are as many. */
  told(count: number): Promise<{ up: boolean; reason?: string }[]>
}

const contextIn = (configFolder: string, log: Log) => ({
  name: 'box-1',
  clock: systemClock,
  log,
  openTransport: createOpenTransport({ clock: systemClock, log }),
  configFolder,
})

async function withFaulty(work: (faulty: Faulty) => Promise<void>, settings: object = {}): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-program-'))
  const log = recordingLog()
  const context = contextIn(folder, log)
  try {
    const config = { command: ['python3', faulty], settings: { folder, ...settings } }
    const instrument = await createProcessDriver().create(config, context)
    const seen: { up: boolean; reason?: string }[] = []
    let look = () => {}
    instrument.onConnection?.((up, reason) => {
      seen.push({ up, ...(reason === undefined ? {} : { reason }) })
      look()
    })
    try {
      await instrument.open(forever)
      await work({
        instrument,
        log,
        opened: async () => (await readFile(join(folder, 'opened'), 'utf8')).trim().split('\n').map(Number),
        told: (count) =>
          new Promise((resolve) => {
            look = () => {
              if (seen.length >= count) resolve(seen)
            }
            look()
          }),
      })
    } finally {
      await instrument.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Running: one that has ended and waits to be asked for its end does not count. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    return !/^\d+ \(.*\) Z/.test(await readFile(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('one that dies in a call fails it with its last words, and is started again', () =>
  withFaulty(async ({ instrument, told, opened }) => {
    const error = await rejection(instrument.set('how', 'die', forever))
    assert.is(error.kind, 'link')
    assert.match(error.message, /exited with code 3: the cable is out/)
    const [lost, back] = await told(2)
    assert.match(lost?.reason ?? '', /the cable is out/)
    assert.is(back?.up, true)
    await instrument.set('how', 'well', forever)
    assert.is(new Set(await opened()).size, 2)
  }))

test('half a message and the end fail the call as a lost link', () =>
  withFaulty(async ({ instrument, told }) => {
    assert.is((await rejection(instrument.set('how', 'half', forever))).kind, 'link')
    assert.is((await told(2)).at(-1)?.up, true)
  }))

test('one that hangs lets the caller go at once, and is ended and started again when it does not let go', () =>
  withFaulty(async ({ instrument, told, opened }) => {
    const controller = new AbortController()
    const hanging = rejection(instrument.set('how', 'hang', controller.signal))
    controller.abort(new LabError({ code: 'late', kind: 'caller', message: 'late' }))
    assert.is((await hanging).code, 'late')
    assert.equal(await told(0), [], 'it has not been ended yet')
    const [lost, back] = await told(2)
    assert.match(lost?.reason ?? '', /hung in set/)
    assert.is(back?.up, true)
    const [first] = await opened()
    assert.is(await isAlive(first ?? 0), false)
  }))

for (const [how, reason] of [
  ['flood', /more than 1000 messages in a second/],
  ['long-line', /a line of more than 1048576 bytes/],
] as const) {
  test(`one that writes without end (${how}) is ended and started again`, () =>
    withFaulty(async ({ instrument, told }) => {
      const error = await rejection(instrument.set('how', how, forever))
      assert.match(error.message, reason)
      assert.is((await told(2)).at(-1)?.up, true)
    }))
}

test('what is no message between messages is warned of once, and nothing else comes of it', () =>
  withFaulty(async ({ instrument, log }) => {
    await instrument.set('how', 'print', forever)
    await instrument.set('how', 'print', forever)
    const warnings = log.lines.filter(({ level }) => level === 'warn')
    assert.is(warnings.length, 1)
    assert.match(JSON.stringify(warnings), /a library says hello/)
  }))

test('a hundred thousand lines of notes do not fill the log', () =>
  withFaulty(async ({ instrument, log }) => {
    await instrument.set('how', 'noise', forever)
    assert.ok(log.lines.length > 0)
    assert.ok(log.lines.length < 400, String(log.lines.length))
  }))

test('what it has started is ended with it, and what has left its group does not keep it open', () =>
  withFaulty(async ({ instrument, opened }) => {
    await instrument.set('how', 'family', forever)
    const [pid] = await opened()
    const group = await childrenOf(pid ?? 0)
    assert.is(group.length, 2)
    const beganMs = performance.now()
    await instrument.close()
    assert.ok(performance.now() - beganMs < 2000 * timesBusy())
    const sleeping: string[] = []
    for (const { pid: child, args } of group) {
      if (!(await isAlive(child))) continue
      sleeping.push(args)
      process.kill(child)
    }
    assert.equal(sleeping, ['sleep 598'])
  }))

/** Children of a process: their ids and commands. */
async function childrenOf(pid: number): Promise<{ pid: number; args: string }[]> {
  const ids = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number)
  return await Promise.all(
    ids.map(async (id) => ({ pid: id, args: (await commandOf(id)).split('\0').join(' ').trim() })),
  )
}

/** As it was started: a process that is just beginning to run another program has none for a moment. */
async function commandOf(pid: number): Promise<string> {
  for (;;) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    if (command !== '') return command
    await systemClock.sleep(5)
  }
}

test('it says itself that its hardware is away and back', () =>
  withFaulty(async ({ instrument, told }) => {
    await instrument.set('how', 'gone', forever)
    assert.equal(await told(2), [{ up: false, reason: 'unplugged' }, { up: true }])
  }))

test('a refusal is the instrument’s, with its words; a value that is none is garbage', () =>
  withFaulty(async ({ instrument }) => {
    const refused = await rejection(instrument.set('how', 'refuse', forever))
    assert.is(refused.code, 'instrument-refused')
    assert.match(refused.message, /the lid is open/)
    assert.is((await rejection(instrument.read(['value'], forever))).code, 'instrument-garbage')
  }))

test('it is given none of the node’s own environment but where to find things', () => {
  process.env.FERNLAB_ADMIN_PASSWORD = 'secret'
  return withFaulty(async ({ instrument }) => {
    await instrument.set('how', 'environment', forever)
    const { value } = (await instrument.read(['value'], forever)).value ?? {}
    const names: string[] = JSON.parse(String(value))
    assert.ok(names.includes('PATH'))
    assert.equal(
      names.filter((name) => name.startsWith('FERNLAB')),
      [],
    )
  }).finally(() => {
    delete process.env.FERNLAB_ADMIN_PASSWORD
  })
})

test('one that comes back with other signals stays away, and says why', () =>
  withFaulty(
    async ({ instrument, told }) => {
      await rejection(instrument.set('how', 'die', forever))
      const [, refused] = await told(2)
      assert.is(refused?.up, false)
      assert.match(refused?.reason ?? '', /other signals or actions than when the node started/)
    },
    { changes: true },
  ))

test('a wrong program stops the start of the node with what is wrong with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-program-'))
  await writeFile(join(folder, 'plain.py'), 'print(1)\n')
  await writeFile(join(folder, 'broken.py'), 'import no_such_module\n')
  const log = recordingLog()
  const context = contextIn(folder, log)
  const create = (config: unknown) => rejection(createProcessDriver().create(config, context))
  try {
    for (const [command, message] of [
      [['no-such-program'], /no-such-program is not there/],
      [['./plain.py'], /may not be run: make it executable/],
      [['python3', './broken.py'], /exited with code 1: ModuleNotFoundError: No module named 'no_such_module'/],
      [['python3', './plain.py'], /exited with code 0/],
    ] as const) {
      const error = await create({ command })
      assert.is(error.kind, 'configuration')
      assert.is(error.issues[0]?.path, 'command')
      assert.match(error.message, message)
    }
    const signals = { 'not a name': {}, volts: { unit: 'Volt' }, mode: { values: ['a'] } }
    const error = await create({ command: ['python3', faulty], settings: { folder, signals } })
    assert.is(error.kind, 'configuration')
    assert.equal(error.issues.map(({ path }) => path).sort(), [
      'describe.signals.mode.values',
      'describe.signals.not a name',
      'describe.signals.volts.unit',
    ])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
