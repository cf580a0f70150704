import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { nodeCommand } from '@fernlab/edge/node-command'
import { LOCAL } from '@fernlab/edge/services/service-source'
import { parseNodeFile } from '@fernlab/shared/contracts/node-file'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { BatchCall, BatchOutcome } from '@fernlab/shared/rpc/peer/batch'
import type { BatchOptions, Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { blocksOf } from '../../support/doc-blocks.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import {
  configOf,
  daemonOf,
  isUp,
  type LabWithDaemons,
  labWithDaemons,
  takesTheirShare,
  untilWritten,
} from './lab-with-daemons.ts'

const test = suite('daemons of a node', { timeoutMs: 120_000, hookTimeoutMs: 180_000, fileTimeoutMs: 600_000 })

/** Counts, follows, and goes wrong in each way that there is. */
const COUNTER = `
import { defineService, LabError, type ServiceContext } from '@fernlab/service'

export const contract = defineService({
  kind: 'counter', version: '1.0',
  actions: {
    add: { arguments: { by: { type: 'integer', minimum: 0, default: 1 } }, result: { type: 'integer' } },
    secret: { arguments: {}, result: { type: 'string' } },
    upTo: { arguments: { last: { type: 'integer' } }, items: { type: 'integer' } },
    go: { arguments: { how: { type: 'string' } }, result: { type: 'any' } },
    ring: { arguments: {} },
    tell: { arguments: {}, result: { type: 'string' } },
    sum: { arguments: { values: { type: 'array', of: 'float64' } }, result: { type: 'number' } },
  },
  signals: {
    level: { unit: 'V', dtype: 'number', shape: [], kind: 'reading', access: 'read-set' },
    closed: { unit: '1', dtype: 'integer', shape: [], kind: 'reading', access: 'read' },
  },
  events: { rang: { value: { type: 'string' } } },
})

let closed = 0

export default class {
  #count = 0
  level = 0
  closed = () => closed
  constructor(readonly context: ServiceContext) {
    context.onClose(() => { closed++ })
  }
  add({ by }: { by: number }) { return this.#count += by }
  secret() { return String(this.context.parameters.word).length + ' letters' }
  async *upTo({ last }: { last: number }) {
    if (last < 0) throw new RangeError('less than ' + this.context.parameters.word)
    for (let i = 1; i <= last; i++) yield i }
  tell() { return this.#count += 100 }
  ring() { this.context.emit('rang', 'ding') }
  sum({ values }: { values: Float64Array }) { return values.reduce((all, value) => all + value, 0) }
  async go({ how }: { how: string }, { signal }: { signal: AbortSignal }) {
    if (how === 'text') throw 'just text'
    if (how === 'nothing') throw undefined
    if (how === 'error') throw new RangeError('out of range')
    if (how === 'tell') throw new Error('no ' + this.context.parameters.word)
    if (how === 'lab-tell') throw new LabError({ code: 'no', kind: 'caller', message: 'no', details: { was: String(this.context.parameters.word) } })
    if (how === 'die') { setTimeout(() => { throw new Error('died of ' + this.context.parameters.word) }); return new Promise(() => {}) }
    if (how === 'lab-error') throw new LabError({ code: 'lamp-off', kind: 'instrument', message: 'the lamp is off' })
    if (how === 'nan') return Number.NaN
    if (how === 'huge') return new Uint8Array(1e9)
    if (how === 'never') return new Promise(() => {})
    if (how === 'wait') return new Promise((resolve) => signal.addEventListener('abort', () => resolve(0)))
    if (how === 'print') { process.stdout.write('{"jsonrpc":"2.0","id":1,"result":"nonsense"}\\n'); return 'printed' }
    if (how === 'hum') { process.stderr.write('humming ' + process.env.TUNE + '\\n'); return 'hummed' }
    if (how === 'cycle') { const a: { a?: unknown } = {}; a.a = a; return a }
    if (how === 'reject') { void Promise.reject(new Error('nobody waits')); return 'rejected' }
    if (how === 'hang') for (;;) {}
  }
}
`
const guide = blocksOf(readFileSync(join(root, 'docs/services.md'), 'utf8'))
const guided = (file: string) => guide.find((block) => block.file === file)?.text ?? ''
/** Can't be made, and says of what. */
const UNMADE = COUNTER.replace('context.onClose(', "throw new Error('I need more than ' + context.parameters.word); (")
const files = { 'unmade.ts': UNMADE, 'counter.ts': COUNTER, 'fit.ts': guided('own/fit.ts') }
/** The verbs of the machine's owner, as they are typed there. */
async function typedByItsOwner(folder: string): Promise<void> {
  const type = async (...args: string[]) => {
    const lines: string[] = []
    const env = { FERNLAB_DATA: join(folder, 'data'), FERNLAB_NODE_FILE: join(folder, 'node.yaml') }
    const out = (line: string) => void lines.push(line)
    await nodeCommand({ args: ['daemon', ...args], env, columns: undefined, out, err: out })
    return lines.join('\n')
  }
  assert.match(await type('ps'), /^ts: up since .*, process \d+\n {2}count\npy: up since .*\n {2}idle$/)
  assert.is(await type('up', 'ts'), 'ts: up already')
  assert.is(await type('down', 'py'), 'py: stopped')
  assert.is(await type('down', 'py'), 'py: stopped already')
  assert.is(await type('reload'), 'ts: unchanged\npy: unchanged, now stopped')
  const before = readFileSync(join(folder, 'node.yaml'), 'utf8')
  await writeFile(join(folder, 'node.yaml'), before.replace('daemon: ts', 'daemon: tss'))
  const refused = await rejection(type('reload'))
  assert.is(refused.code, 'configuration-invalid')
  assert.is(refused.issues[0]?.path, 'services.own.count.daemon')
  await writeFile(join(folder, 'node.yaml'), before.replace('{ts: {}', '{ts: {memoryMB: 200}'))
  assert.is(await type('reload'), 'ts: restarted\npy: unchanged, now stopped')
  await spoiled(join(folder, 'counter.ts'), type)
  assert.is(await type('up', 'py'), 'py: started')
  assert.match(await type('logs', '--lines', '500'), / ts \* up\n[\s\S]* py \* up$/)
  assert.is((await rejection(type('logs', 'pie'))).code, 'daemon-unknown')
  const log = join(folder, 'log.txt')
  assert.match(await type('logs', 'ts', 'py', '--export', log), /^[1-9]\d* lines in /)
  const times = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
  assert.equal(times, [...times].sort())
  assert.match(readFileSync(log, 'utf8'), / ts \* up\n[\s\S]* py \* up\n$/)
  assert.match((await rejection(type('logs', '--export', log))).message, /there is .*log\.txt already/)
  const told = await type('info', 'count')
  assert.match(told, /^service: count\nof: \.\/counter\.ts, session\ncontract: counter 1\.0\nactions: add, /)
  assert.match(told, /\nin the directory: up\ndaemon: ts\nstate: up\nup: \d+ s, since /)
  assert.match(told, /\nmemory: [1-9]\d* MB of 200 MB\nrestarts: 0$/)
  const neither = await rejection(type('info', 'cont'))
  assert.is(neither.code, 'daemon-unknown')
  assert.is(neither.message, 'there is no daemon or service cont; did you mean "count"?')
  const none = await rejection(type('info', 'nope'))
  assert.match(none.message, /^there is no daemon or service nope; this node has ts, py, /)
  for (const verb of ['ps', 'up', 'down', 'logs']) {
    const ofService = await rejection(type(verb, 'count'))
    assert.is(ofService.message, 'there is no daemon count: that is a service of the daemon ts', verb)
    const unknown = await rejection(type(verb, 'nope'))
    assert.is(unknown.message, 'there is no daemon nope; this node has ts, py', verb)
  }
  await renamed(folder, type)
}

/** What can't be used is said where it is started, and tried again once it is mended, also where its text stays. */
async function spoiled(file: string, type: (...args: string[]) => Promise<string>): Promise<void> {
  const whole = readFileSync(file, 'utf8')
  const useless = async (...args: string[]) => {
    const { code, message } = await rejection(type(...args))
    assert.equal([code, message.split(';')[0]], ['own-service-wrong', 'can not be used: count'])
  }
  await writeFile(file, `${whole}\nexport default {{`)
  await useless('reload')
  await useless('up', 'ts')
  await useless('reload')
  await writeFile(file, whole)
  await chmod(file, 0o666)
  await useless('reload')
  assert.match(await type('ps'), /\n {2}count: everybody may write .*counter\.ts.*: chmod o-w/)
  await chmod(file, 0o600)
  assert.is(await type('reload'), 'ts: restarted\npy: unchanged, now stopped')
  assert.match(await type('ps'), /\n {2}count\n/)
}

/** A service goes by another name, with its comment and what it has kept. */
async function renamed(folder: string, type: (...args: string[]) => Promise<string>): Promise<void> {
  const file = join(folder, 'node.yaml')
  const written = readFileSync(file, 'utf8')
  // Also in a style that is nobody's but the writer's.
  const commented = written.replace('services: {own: {count: ', 'services: {own: { # ours\n  "count" :   ')
  await writeFile(file, commented)
  const kept = join(folder, 'data/nodes/pi/services')
  await writeFile(join(kept, 'count/notes.txt'), 'kept')
  assert.is((await rejection(type('rename', 'count', 'idle'))).code, 'name-taken')
  assert.is((await rejection(type('rename', 'cont', 'tally'))).code, 'service-unknown')
  const nowhere = ['--file', join(folder, 'nowhere.yaml')]
  assert.is((await rejection(type('rename', 'cont', 'tally', ...nowhere))).code, 'service-unknown')
  assert.match((await rejection(type('rename', 'count', 'tally', ...nowhere))).message, /^there is no file /)
  assert.is((await rejection(type('rename', 'count', '../tally'))).code, 'configuration-invalid')
  // A file that the node has not read is nobody's business here.
  const other = join(folder, 'other.yaml')
  await writeFile(other, commented)
  const foreign = await rejection(type('rename', 'count', 'tally', '--file', other))
  assert.is(foreign.code, 'node-file-other')
  assert.ok(foreign.message.includes(other) && foreign.message.includes(file), foreign.message)
  assert.is(readFileSync(other, 'utf8'), commented)
  const locking = await onMachine(join(folder, 'data/nodes/pi'))
  await locking.call('node/lock', { services: ['count'] })
  const locked = await rejection(type('rename', 'count', 'tally'))
  assert.is(locked.code, 'service-locked')
  assert.match(
    locked.message,
    /^count is locked by local since .*Z: end that first \(fernlab daemon unlock count\), then/,
  )
  assert.is(readFileSync(file, 'utf8'), commented)
  assert.is(await type('unlock', 'count'), 'count: unlocked')
  await locking.close()
  assert.is(await type('rename', 'count', 'tally'), 'ts: restarted\npy: unchanged\ncount is now tally')
  assert.is(readFileSync(file, 'utf8'), commented.replace('"count" :', 'tally :'))
  assert.is(readFileSync(join(kept, 'tally/notes.txt'), 'utf8'), 'kept')
  assert.match(await type('info', 'tally'), /^service: tally\n/)
  // One that the node refuses is put back.
  await writeFile(file, readFileSync(file, 'utf8').replace('instruments: {}', 'instruments: {a: {driver: none}}'))
  const before = readFileSync(file, 'utf8')
  assert.is((await rejection(type('rename', 'tally', 'count'))).code, 'configuration-invalid')
  assert.is(readFileSync(file, 'utf8'), before)
  await writeFile(file, before.replace('{a: {driver: none}}', '{}'))
  // The node knows its file, wherever this is typed.
  const lines: string[] = []
  const env = { FERNLAB_DATA: join(folder, 'data') }
  const out = (line: string) => void lines.push(line)
  await nodeCommand({ args: ['daemon', 'rename', 'tally', 'count'], env, columns: undefined, out, err: out })
  assert.equal(lines, ['ts: restarted', 'py: unchanged', 'tally is now count'])
}

/** Two connections to the node's socket, each with an object of its own. */
async function calledBySocket(dataFolder: string): Promise<void> {
  const [first, second] = await Promise.all([onMachine(dataFolder), onMachine(dataFolder)])
  const told = (await first.call('node/services')) as { name: string; state: string }[]
  assert.equal(
    told.map(({ name, state }) => `${name} ${state}`),
    ['count up', 'idle up'],
  )
  assert.equal(
    [await first.call('count/add'), await first.call('count/add'), await second.call('count/add')],
    [1, 2, 1],
  )
  await Promise.all([first.close(), second.close()])
}

/** Also one that has ended runs no more before its parent has heard of it. */
const isRunning = (pid: number) => !/\) [ZX] /.test(statusOf(pid))
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ') X '
  }
}
const counter = (daemon: string, more: object = {}) => ({ file: './counter.ts', daemon, ...more })

/** An object of a session is closed by its process, of which a call behind that tells. */
async function untilClosed(client: Peer, service: string): Promise<void> {
  const closedOf = async () => {
    const read = await client.call(`${service}/signals.read`, { signals: ['closed'] })
    return (read as { closed: { value: number } }).closed.value
  }
  for (let closed = await closedOf(); closed !== 1; closed = await closedOf()) assert.is(closed, 0)
}

let lab: LabWithDaemons
test.before(async () => {
  lab = await labWithDaemons(
    files,
    configOf(
      { one: {}, two: {}, three: { hungS: 3600 }, broken: {}, later: { autostart: false } },
      {
        fit: { ...parseNodeFile(guided('own/node.yaml')).node?.services.own.fit, daemon: 'two' },
        'count.one': counter('one', { parameters: { word: 'swordfish' }, tags: ['counts'] }),
        'count.two': counter('two'),
        'count.brief': counter('two', { whenLost: 'remove' }),
        'count.three': counter('three'),
        'count.mine': counter('one', { instances: 'session', register: false }),
        'count.call': counter('one', { instances: 'percall' }),
        'count.ill': counter('three', { instances: 'session', register: false }),
        broken: { file: './missing.ts', daemon: 'broken' },
        later: counter('later', { whenLost: 'remove' }),
      },
    ),
  )
  await lab.until(() => isUp(lab, 'one', 'two', 'three', 'broken'))
})
test.after(() => lab.close())

test('a service does what its contract says, and shows nobody its parameters', async () => {
  const client = lab.client()
  assert.is(await client.call('count.one/add', { by: 2 }), 2)
  assert.is(await client.call('count.one/add'), 3)
  assert.is((await rejection(client.call('count.one/add', { by: -1 }))).code, 'call-invalid')
  assert.is(await client.call('count.one/sum', { values: Float64Array.of(1, 2, 3.5) }), 6.5)
  assert.is(await client.call('count.one/secret'), '9 letters')
  await client.call('count.one/signals.set', { signal: 'level', value: 2.5 })
  const { level } = (await client.call('count.one/signals.read', { signals: ['level'] })) as Record<
    string,
    { value: number }
  >
  assert.is(level?.value, 2.5)
  const items: unknown[] = []
  for await (const item of client.stream('count.one/upTo', { last: 300 })) items.push(item)
  assert.is(items.length, 300)
  const heard = client.stream('count.one/events.follow', { events: ['rang'] })
  const first = heard.next()
  // What has been answered here was taken by the process after the stream was begun.
  await client.call('count.one/ring')
  assert.is(((await first).value as { value: string }).value, 'ding')
  await heard.return()
  assert.is((await rejection(client.call('count.one/context'))).code, 'method-unknown')
  const told = lab.daemons.list().filter(({ daemon }) => daemon === 'one')
  assert.equal(
    told.map(({ name, state, tags }) => [name, state, tags]),
    [
      ['count.one', 'up', ['counts']],
      ['count.call', 'up', []],
    ],
  )
  assert.not.match(JSON.stringify([lab.daemons.list(), lab.daemons.report(), lab.log.lines]), /swordfish/)
  await client.close()
})

test('the service of the guide fits a line', async () => {
  const client = lab.client()
  const noisy = { x: Float64Array.of(0, 1, 2, 3), y: Float64Array.of(1, 3.1, 4.9, 7) }
  assert.is(await client.call('fit/slope', noisy), 1.98)
  await client.close()
})

test('clients have one object together, or one for each connection, or for each call', async () => {
  const [first, second] = [lab.client(), lab.client()]
  const before = Number(await first.call('count.one/add', { by: 0 }))
  assert.is(await second.call('count.one/add'), before + 1)
  assert.equal([await first.call('count.mine/add'), await first.call('count.mine/add')], [1, 2])
  assert.is(await second.call('count.mine/add'), 1)
  assert.equal([await first.call('count.call/add'), await first.call('count.call/add')], [1, 1])
  for await (const item of first.stream('count.call/upTo', { last: 5 })) if (item === 2) break
  await first.close()
  await untilClosed(second, 'count.mine')
  await second.close()
})

test('whatever a service throws, returns or prints, its caller has an answer or a typed error, and nobody else notices', async () => {
  const client = lab.client()
  const go = (how: string, options = {}) => client.call('count.two/go', { how }, options)
  const codeOf = async (how: string) => (await rejection(go(how))).code
  assert.match((await rejection(go('text'))).message, /count\.two\/go failed: it threw just text/)
  assert.match((await rejection(go('error'))).message, /RangeError: out of range/)
  assert.equal(
    [await codeOf('nothing'), await codeOf('lab-error'), await codeOf('cycle'), await codeOf('huge')],
    ['service-failed', 'lamp-off', 'value-unwritable', 'message-too-large'],
  )
  assert.ok(Number.isNaN(await go('nan')))
  assert.equal([await go('print'), await go('reject')], ['printed', 'rejected'])
  assert.is((await rejection(go('never', { timeoutMs: 50 }))).code, 'deadline-exceeded')
  await untilWritten(lab, 'two', 'nonsense')
  assert.is(daemonOf(lab, 'two')?.ends, 0)
  await client.close()
})

test('a batch for one daemon is as its calls are: objects, errors, and whoever gives it up', async () => {
  const client = lab.client()
  const wordOf = (outcome: BatchOutcome) =>
    'result' in outcome ? outcome.result : 'error' in outcome ? outcome.error.code : 'skipped'
  const batch = async (calls: readonly BatchCall[], options: BatchOptions = {}) =>
    (await client.batch(calls, options)).map(wordOf)
  const go = (how: string) => ['count.two/go', { how }] as const
  const mixed = [['count.mine/add'], ['count.call/add'], ['count.mine/add', { by: 3 }], ['count.one/secret']] as const
  assert.equal(await batch(mixed), [1, 1, 4, '9 letters'])
  const wrong = [
    go('text'),
    ['count.brief/add'],
    go('lab-error'),
    go('huge'),
    ['count.brief/add'],
    go('cycle'),
  ] as const
  const told = ['service-failed', 1, 'lamp-off', 'message-too-large']
  assert.equal(await batch(wrong), [...told, 'skipped', 'skipped'])
  assert.equal(await batch(wrong.slice(1), { stop: true }), [2, 'lamp-off', 'skipped', 'skipped', 'skipped'])
  assert.equal(await batch([['count.brief/tell'], ['count.brief/add', { by: 0 }]], { stop: true }), [
    'result-invalid',
    'skipped',
  ])
  const many = await batch(Array.from({ length: 5000 }, () => ['count.brief/add'] as const))
  assert.equal([many.length, many[0], many[4999]], [5000, 103, 5102])
  const heard = client.stream('count.brief/events.follow', { events: ['rang'] })
  const rung = heard.next()
  const given = new AbortController()
  const waits = rejection(client.batch([['count.brief/ring'], go('wait'), ['count.brief/add']], given))
  await rung
  given.abort()
  await waits
  assert.is(await client.call('count.brief/add'), 5103, 'what came after it was not done')
  await heard.return()
  await client.close()
})

test('whoever has all of a daemon that they may is told so alone, by whichever connection, until their calls have ended', async () => {
  await takesTheirShare(lab, 'count.two', { action: 'go', args: { how: 'wait' } })
})

test('no error and no directory tells of parameters what a service says of them', async () => {
  const parameters = { word: 'swordfish' }
  const own = { spy: counter('spied', { parameters }), unmade: { file: './unmade.ts', daemon: 'spied', parameters } }
  const spied = await labWithDaemons(files, configOf({ spied: { env: { TUNE: 'whale song' } } }, own))
  await spied.until(() => isUp(spied, 'spied'))
  const client = spied.client()
  const told = [
    await rejection(client.call('spy/go', { how: 'tell' })),
    await rejection(client.call('spy/go', { how: 'lab-tell' })),
    await rejection(client.stream('spy/upTo', { last: -1 }).next()),
    await rejection(client.call('unmade/add')),
  ]
  assert.equal(
    told.map(({ code, message }) => `${code}: ${message}`),
    [
      'service-failed: spy/go failed: Error: no [a parameter]',
      'no: no',
      'service-failed: spy failed: RangeError: less than [a parameter]',
      'service-failed: unmade failed: Error: I need more than [a parameter]',
    ],
  )
  assert.is(told[1]?.details.was, '[a parameter]')
  assert.is(await client.call('spy/go', { how: 'hum' }), 'hummed')
  const dies = await rejection(client.call('spy/go', { how: 'die' }))
  await spied.until(() => daemonOf(spied, 'spied')?.state === 'backing-off')
  const announced = spied.daemons.list()
  assert.equal(
    announced.map(({ state, reason }) => [state, reason]),
    [['gone', 'its process exited with code 1']],
  )
  const gone = await rejection(client.call('spy/add'))
  assert.equal([dies.code, gone.code], ['call-uncertain', 'service-gone'])
  assert.match(
    dies.message,
    /^spy\/go was sent, and the process of daemon spied ended \(its process exited with code 1\) before .*; "fernlab daemon logs spied"/,
  )
  assert.not.match(JSON.stringify([told, announced, dies, gone]), /swordfish/)
  // Whoever owns the machine reads what it said.
  assert.match(daemonOf(spied, 'spied')?.reason ?? '', /^its process exited with code 1: ./)
  assert.ok(spied.daemons.lines(['spied'], 2000).some(({ text }) => text.includes('died of swordfish')))
  const log = spied.daemons.logOf('spy', { lines: 500, after: '' })
  const written = log?.lines.map(({ text }) => text) ?? []
  assert.ok(
    written.some((text) => text.includes('died of [a parameter]')),
    written.join('\n'),
  )
  assert.ok(written.includes('humming [a parameter]'))
  assert.ok(written.some((text) => text.includes('I need more than [a parameter]')))
  assert.not.match(JSON.stringify(log), /swordfish|whale song/)
  await client.close()
  await spied.close()
})

test('daemons are for the owner of the machine alone', async () => {
  const [client, owner] = [lab.client('anna'), lab.client(LOCAL)]
  assert.is((await rejection(client.call('node.daemons/down', { daemons: [] }))).code, 'owner-only')
  assert.is((await rejection(client.stream('node.daemons/follow', { daemons: [] }).next())).code, 'owner-only')
  const lines = owner.stream('node.daemons/follow', { daemons: ['one'] })
  const next = lines.next()
  await owner.call('count.one/go', { how: 'print' })
  assert.match(((await next).value as { text: string }).text, /nonsense/)
  await lines.return()
  await Promise.all([client.close(), owner.close()])
})

test('a service that can not be made says why, and is in no directory', async () => {
  const client = lab.client()
  assert.match((await rejection(client.call('broken/add'))).message, /there is no file \.\/missing\.ts/)
  assert.match(daemonOf(lab, 'broken')?.services[0]?.error ?? '', /missing\.ts/)
  assert.not.ok(lab.daemons.list().some(({ name }) => name === 'broken'))
  await client.close()
})

test('of three daemons one is killed, and then one stopped: the others answer every call, and both come back', async () => {
  const client = lab.client()
  const [two, three] = [daemonOf(lab, 'two')?.pid ?? 0, daemonOf(lab, 'three')?.pid ?? 0]
  const [ones, threes] = [calling(client, 'count.one/add'), calling(client, 'count.three/add')]
  const hanging = rejection(client.call('count.two/go', { how: 'never' }))
  await client.call('count.two/add')
  const leaving = lab.client()
  await leaving.call('count.ill/add')
  const killedMs = systemClock.now()
  process.kill(two, 'SIGKILL')
  assert.is((await hanging).code, 'call-uncertain')
  await lab.until(() => daemonOf(lab, 'two')?.state !== 'up')
  assert.equal(statesOf('two'), ['fit gone', 'count.two gone'], 'the other one is not to be there when it is lost')
  const lost = lab.daemons.list().find(({ name }) => name === 'count.two')
  const lostMs = Date.parse(lost?.lastSeen ?? '')
  assert.ok(lostMs >= killedMs && lostMs <= systemClock.now(), lost?.lastSeen)
  assert.is((await rejection(client.call('count.two/add'))).code, 'service-gone')
  await lab.until(() => isUp(lab, 'two'))
  assert.equal(statesOf('two'), ['fit up', 'count.two up', 'count.brief up'])
  assert.not.ok(lab.daemons.list().some(({ lastSeen }) => lastSeen !== undefined))
  assert.ok((await threes()) > 0)
  process.kill(three, 'SIGSTOP')
  assert.is.not(daemonOf(lab, 'two')?.pid, two)
  assert.is(await client.call('count.two/add'), 1)
  await lab.until(() => daemonOf(lab, 'three')?.state === 'unhealthy')
  assert.is(lab.daemons.list().find(({ name }) => name === 'count.three')?.state, 'unhealthy')
  assert.is((await rejection(client.call('count.three/add'))).code, 'service-unhealthy')
  // Its object is closed, though its process answers nothing meanwhile.
  await leaving.close()
  process.kill(three, 'SIGCONT')
  await lab.until(() => isUp(lab, 'three'))
  assert.is(daemonOf(lab, 'three')?.pid, three)
  await untilClosed(client, 'count.ill')
  assert.ok((await ones()) > 0)
  await client.close()
})

const statesOf = (daemon: string) =>
  lab.daemons
    .list()
    .filter((one) => one.daemon === daemon)
    .map(({ name, state }) => `${name} ${state}`)

/** Calls it again and again; the returned function ends that: how many were answered, or what failed. */
function calling(client: Peer, method: string): () => Promise<number> {
  let isOver = false
  const calls = (async () => {
    for (let answered = 0; ; answered++) {
      if (isOver) return answered
      await client.call(method)
    }
  })()
  calls.catch(() => {}) // told to whoever ends it
  return () => {
    isOver = true
    return calls
  }
}

test('a daemon ends with its node, also one that hears nothing of a node that was killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-node-'))
  const daemons = '{ts: {}, py: {}}'
  const own = '{count: {file: ./counter.ts, daemon: ts, instances: session}, idle: {file: ./idle.py, daemon: py}}'
  const file = `site: lab\nnode: pi\nhub: {url: mqtt://127.0.0.1:9}\ninstruments: {}\ndaemons: ${daemons}\nservices: {own: ${own}}\n`
  await writeFile(join(folder, 'node.yaml'), file)
  await writeFile(join(folder, 'counter.ts'), COUNTER)
  await writeFile(join(folder, 'idle.py'), 'class Idle:\n    pass\n')
  const node = spawn(process.execPath, [join(root, 'edge/dist/bundle/edge-process.js'), '--config', 'node.yaml'], {
    cwd: folder,
    env: { ...process.env, FERNLAB_DATA: join(folder, 'data') },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let up = 0
  for await (const line of createInterface({ input: node.stderr })) {
    if (line.includes('"state":"up"')) up++
    if (up === 2) break
  }
  node.stderr.resume()
  try {
    await typedByItsOwner(folder)
    await calledBySocket(join(folder, 'data/nodes/pi'))
  } catch (thrown) {
    node.kill('SIGKILL')
    throw thrown
  }
  const pids = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8').trim().split(' ').map(Number)
  assert.is(pids.length, 2)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  node.kill('SIGKILL')
  while (pids.some(isRunning)) await systemClock.sleep(20)
  await rm(folder, { recursive: true })
})

test('up, down and reload say what they have done, and a reload restarts only what changed', async () => {
  const { daemons } = lab
  assert.equal(await daemons.up(['one', 'later']), [
    { daemon: 'one', change: 'up already' },
    { daemon: 'later', change: 'started' },
  ])
  await lab.until(() => isUp(lab, 'later'))
  assert.equal(await daemons.down(['later', 'two']), [
    { daemon: 'later', change: 'stopped' },
    { daemon: 'two', change: 'stopped' },
  ])
  assert.not.ok(daemons.list().some(({ daemon }) => daemon === 'later' || daemon === 'two'))
  assert.is((await rejection(daemons.up(['one', 'ones']))).code, 'daemon-unknown')
  const before = daemonOf(lab, 'one')?.pid
  await writeFile(join(lab.folder, 'other.ts'), COUNTER)
  const config = configOf(
    { one: {}, two: { memoryMB: 300 }, three: {}, four: { autostart: false } },
    {
      'count.one': counter('one', { parameters: { word: 'swordfish' }, tags: ['counts'] }),
      'count.mine': counter('one', { instances: 'session', register: false }),
      'count.call': counter('one', { instances: 'percall' }),
      'count.two': counter('two'),
      'count.three': { file: './other.ts', daemon: 'three' },
    },
  )
  assert.equal(await lab.reload(config), [
    { daemon: 'one', change: 'unchanged' },
    { daemon: 'two', change: 'changed' },
    { daemon: 'three', change: 'restarted' },
    { daemon: 'broken', change: 'removed' },
    { daemon: 'later', change: 'removed' },
    { daemon: 'four', change: 'added' },
  ])
  await lab.until(() => isUp(lab, 'three'))
  assert.equal([daemonOf(lab, 'one')?.pid, daemonOf(lab, 'two')?.state], [before, 'stopped'])
  const pids = daemons.report().flatMap(({ pid }) => pid ?? [])
  // One that hears nothing any more is ended too.
  const client = lab.client()
  const hanging = rejection(client.call('count.three/go', { how: 'hang' }))
  await Promise.all([daemons.down(['three']), hanging])
  await client.close()
  await daemons.close()
  assert.equal(
    pids.filter((pid) => existsSync(`/proc/${pid}`)),
    [],
  )
})

test.run()
