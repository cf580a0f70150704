/** What a reload of node.yaml does to daemons, and what it leaves as it was. */
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { configOf, daemonOf, isUp, type LabWithDaemons, labWithDaemons } from './lab-with-daemons.ts'

const test = suite('reloading daemons', { timeoutMs: 60_000 })

const PLAIN = `
import { defineService } from '@fernlab/service'
export const contract = defineService({
  kind: 'plain', version: '1.0',
  actions: { hello: { arguments: {}, result: { type: 'string' } } }, signals: {}, events: {},
})
export default class { hello() { return 'hello' } }
`
const plain = (daemon: string, more: object = {}) => ({ file: './plain.ts', daemon, ...more })
const folderOf = (lab: LabWithDaemons, service: string) => join(lab.folder, 'data/services', service)

test('a daemon whose folders can not be moved goes on as before, and so does the reload', async () => {
  const before = { a: plain('one', { parameters: { n: 1 } }), b: plain('one'), c: plain('two') }
  const lab = await labWithDaemons({ 'plain.ts': PLAIN }, configOf({ one: {}, two: {} }, before))
  await lab.until(() => isUp(lab, 'one', 'two'))
  await writeFile(join(folderOf(lab, 'a'), 'notes.txt'), 'kept')
  // A folder can not be moved to where a file is.
  await writeFile(folderOf(lab, 'b2'), 'in the way')
  const after = configOf(
    { one: {}, two: { memoryMB: 300 } },
    { a2: plain('one', { parameters: { n: 1 } }), b2: plain('one'), c: plain('two') },
  )
  const [one, two] = await lab.reload(after)
  assert.equal([one?.daemon, one?.change, two], ['one', 'not reloaded', { daemon: 'two', change: 'restarted' }])
  assert.match(one?.reason ?? '', /ENOTDIR/)
  await lab.until(() => isUp(lab, 'one', 'two'))
  assert.equal(
    lab.daemons.list().map(({ name }) => name),
    ['a', 'b', 'c'],
  )
  const client = lab.client()
  assert.is(await client.call('a/hello'), 'hello')
  assert.is(await readFile(join(folderOf(lab, 'a'), 'notes.txt'), 'utf8'), 'kept', 'what was moved is back')
  // Once nothing is in the way, the same file does it.
  await rm(folderOf(lab, 'b2'))
  assert.equal(
    (await lab.reload(after)).map(({ change }) => change),
    ['restarted', 'unchanged'],
  )
  await lab.until(() => isUp(lab, 'one'))
  assert.is(await client.call('b2/hello'), 'hello')
  assert.is(await readFile(join(folderOf(lab, 'a2'), 'notes.txt'), 'utf8'), 'kept')
  assert.ok((await stat(folderOf(lab, 'b2'))).isDirectory())
  await client.close()
  await lab.close()
})

test('a service that can not be used is tried again though its own file is the same, and the node logs why', async () => {
  const importing = `import { word } from './words.ts'\n${PLAIN.replace("return 'hello'", 'return word')}`
  const files = { 'plain.ts': PLAIN, 'importing.ts': importing, 'words.ts': 'export const word = ' }
  const own = { bad: { file: './importing.ts', daemon: 'one' }, good: plain('two') }
  const config = configOf({ one: {}, two: {} }, own)
  const lab = await labWithDaemons(files, config)
  await lab.until(() => isUp(lab, 'one', 'two'))
  const useless = daemonOf(lab, 'one')?.services[0]?.error ?? ''
  assert.is.not(useless, '')
  const [said] = lab.log.lines.filter(({ message }) => message === 'a service can not be used')
  assert.equal(said?.fields, { daemon: 'one', service: 'bad', reason: useless })
  const tries = ['restarted', 'unchanged']
  assert.equal(
    (await lab.reload(config)).map(({ change }) => change),
    tries,
  )
  await lab.until(() => isUp(lab, 'one'))
  await writeFile(join(lab.folder, 'words.ts'), "export const word = 'mended'")
  assert.equal(
    (await lab.reload(config)).map(({ change }) => change),
    tries,
  )
  await lab.until(() => isUp(lab, 'one'))
  const client = lab.client()
  assert.is(await client.call('bad/hello'), 'mended')
  assert.equal(
    (await lab.reload(config)).map(({ change }) => change),
    ['unchanged', 'unchanged'],
  )
  await client.close()
  await lab.close()
})

test('what a daemon has written is kept over a reload and another name, and hidden as it was when it was written', async () => {
  const said = (words: string, key: string) => `
import { defineService } from '@fernlab/service'
export const contract = defineService({ kind: 'said', version: '1.0', actions: {}, signals: {}, events: {} })
export default class { constructor({ parameters: { key } }) { console.log('${words} with ' + key + ' and ${key}') } }
`
  const entry = (key: string) => ({ file: './said.ts', daemon: 'one', parameters: { key } })
  const files = { 'said.ts': said('first', 'key-of-before') }
  const lab = await labWithDaemons(files, configOf({ one: {} }, { a: entry('key-of-before') }))
  const texts = () => lab.daemons.lines(['one'], Number.POSITIVE_INFINITY).map(({ text }) => text)
  const count = (words: string) => texts().filter((text) => text.startsWith(words)).length
  await lab.until(() => isUp(lab, 'one') && count('first with') === 1)
  const first = lab.daemons.logOf('a', { lines: 500, after: '' })

  await writeFile(join(lab.folder, 'said.ts'), said('second', 'key-of-now'))
  assert.equal(await lab.reload(configOf({ one: {} }, { a: entry('key-of-now') })), [
    { daemon: 'one', change: 'restarted' },
  ])
  await lab.until(() => isUp(lab, 'one') && count('second with') === 1)
  await lab.reload(configOf({ one: {} }, { b: entry('key-of-now') }))
  await lab.until(() => isUp(lab, 'one') && count('second with') === 2)
  assert.is(count('first with'), 1)
  assert.is(texts().filter((text) => text === 'up').length, 3)

  const log = lab.daemons.logOf('b', { lines: 500, after: '' })
  const shown = log?.lines.map(({ text }) => text) ?? []
  assert.is(shown.filter((text) => text.startsWith('first with [')).length, 1)
  assert.not.ok(
    shown.some((text) => text.includes('key-of-')),
    shown.join(' | '),
  )
  // Who reads on where they were is given what came since, without a gap.
  const since = lab.daemons.logOf('b', { lines: 500, after: first?.next ?? '' })
  assert.equal([since?.continues, since?.lines.length], [true, shown.length - (first?.lines.length ?? 0)])

  // A service that comes in the place of another shows nothing of what that has written.
  await lab.reload(configOf({ one: {} }, { c: { ...entry('key-of-now'), description: 'another' } }))
  await lab.until(() => isUp(lab, 'one') && count('second with') === 3)
  const ofOther = lab.daemons.logOf('c', { lines: 500, after: log?.next ?? '' })
  assert.is(ofOther?.lines.filter(({ text }) => text.startsWith('second with')).length, 1)
  assert.is(
    ofOther?.lines.some(({ text }) => text.startsWith('first with')),
    false,
  )
  assert.is(ofOther?.continues, false)
  assert.is(count('first with'), 1, 'for whoever owns the machine')
  await lab.close()
})

test('what only people read of a service is told anew, and no process is started for it', async () => {
  const told = { description: 'says hello', tags: ['old'], parameters: { n: 1 } }
  const lab = await labWithDaemons({ 'plain.ts': PLAIN }, configOf({ one: {} }, { a: plain('one', told) }))
  await lab.until(() => isUp(lab, 'one'))
  const pid = daemonOf(lab, 'one')?.pid
  let changes = 0
  lab.daemons.onChange(() => changes++)
  const texts = { ...told, description: 'says hallo', tags: ['new'], metadata: { maker: 'us' }, whenLost: 'remove' }
  const now = configOf({ one: { autostart: false } }, { a: plain('one', texts) })
  assert.equal(await lab.reload(now), [{ daemon: 'one', change: 'changed' }])
  assert.ok(changes > 0, 'whoever tells the hub is told')
  const [a] = lab.daemons.list()
  assert.equal([a?.state, a?.description, a?.tags, a?.metadata], ['up', 'says hallo', ['new'], { maker: 'us' }])
  assert.is(daemonOf(lab, 'one')?.pid, pid)
  assert.equal(await lab.reload(now), [{ daemon: 'one', change: 'unchanged' }])
  await lab.reload(configOf({ one: {} }, { a: plain('one', { ...texts, register: false }) }))
  assert.equal(lab.daemons.list(), [])
  // What the process is given makes a new one.
  const given = configOf({ one: {} }, { a: plain('one', { ...texts, parameters: { n: 2 } }) })
  assert.equal(await lab.reload(given), [{ daemon: 'one', change: 'restarted' }])
  await lab.until(() => isUp(lab, 'one'))
  assert.is.not(daemonOf(lab, 'one')?.pid, pid)
  await lab.close()
})

test('a daemon that is stopped stays so, and its changed entry is told as changed', async () => {
  const own = { a: plain('one') }
  const lab = await labWithDaemons({ 'plain.ts': PLAIN }, configOf({ one: {} }, own))
  await lab.until(() => isUp(lab, 'one'))
  await lab.daemons.down(['one'])
  const changed = configOf({ one: { memoryMB: 300 } }, own)
  assert.equal(await lab.reload(changed), [{ daemon: 'one', change: 'changed' }])
  assert.is(daemonOf(lab, 'one')?.state, 'stopped')
  assert.equal(await lab.reload(changed), [{ daemon: 'one', change: 'unchanged' }])
  await lab.daemons.up(['one'])
  await lab.until(() => isUp(lab, 'one'))
  assert.is((await lab.daemons.info('one')).memoryMB, 300)
  await lab.close()
})

test('a service that somebody has locked keeps its name until the lock has ended', async () => {
  const since = '2026-01-02T03:04:05.000Z'
  let lock: { owner: string; since: string } | undefined = { owner: 'ada', since }
  const lockOf = (service: string) => (service === 'a' ? lock : undefined)
  const lab = await labWithDaemons({ 'plain.ts': PLAIN }, configOf({ one: {} }, { a: plain('one') }), lockOf)
  await lab.until(() => isUp(lab, 'one'))
  const pid = daemonOf(lab, 'one')?.pid
  const renamed = configOf({ one: {} }, { b: plain('one') })
  const [refused] = await lab.reload(renamed)
  assert.is(refused?.change, 'not reloaded')
  assert.match(
    refused?.reason ?? '',
    new RegExp(`^a is locked by ada since ${since}: it becomes b once that has ended`),
  )
  assert.equal([daemonOf(lab, 'one')?.pid, lab.daemons.list().map(({ name }) => name)], [pid, ['a']])
  lock = undefined
  assert.equal(await lab.reload(renamed), [{ daemon: 'one', change: 'restarted' }])
  await lab.until(() => isUp(lab, 'one'))
  assert.equal(
    lab.daemons.list().map(({ name }) => name),
    ['b'],
  )
  await lab.close()
})

test.run()
