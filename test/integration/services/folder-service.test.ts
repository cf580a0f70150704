/** A folder as a service in its daemon: what clients may reach, how much, and what a killed process leaves. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'
import { configOf, daemonOf, isUp, type LabWithDaemons, labWithDaemons } from './lab-with-daemons.ts'

const test = suite('a folder as a service', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
const BLOCK = 4096
const bytes = (text: string) => new TextEncoder().encode(text)
const results = { folder: './results', daemon: 'files', write: true, quotaMB: 1 }
const config = configOf(
  { files: {}, other: {} },
  {
    results,
    looked: { folder: './results', daemon: 'files' },
    missing: { folder: './nowhere', daemon: 'files' },
    leak: { folder: './leak', daemon: 'files' },
    through: { folder: './through', daemon: 'files', write: true },
  },
)

let lab: LabWithDaemons
let client: Peer
const at = (...path: string[]) => join(lab.folder, 'results', ...path)
const on = (service: string) => (action: string, args: object) => client.call(`${service}/${action}`, args)
const call = on('results')
const codeOf = async (call: Promise<unknown>) => (await rejection(call)).code
const put = (path: string, data: Uint8Array, more: object = {}) => call('put', { path, data, ...more })
const names = async (path = '') => {
  const { entries } = (await call('list', { path })) as { entries: { name: string }[] }
  return entries.map(({ name }) => name)
}
const used = async () => {
  const read = await call('signals.read', { signals: ['used_bytes'] })
  return (read as { used_bytes: { value: number } }).used_bytes.value
}

test.before(async () => {
  lab = await labWithDaemons({}, configOf({}, {}))
  await mkdir(join(lab.folder, 'results'))
  await mkdir(join(lab.folder, 'outside'))
  await writeFile(join(lab.folder, 'outside/secret.txt'), 'secret')
  await symlink('data', join(lab.folder, 'leak'))
  await symlink('.', join(lab.folder, 'through'))
  await lab.reload(config)
  await lab.until(() => isUp(lab, 'files', 'other'))
  client = lab.client()
})
test.before.each(async () => {
  for (const name of await names()) await call('remove', { path: name, recursive: true })
})
test.after(async () => {
  await client.close()
  await lab.close()
})

test('files are written, read, listed by pages, moved and removed', async () => {
  const told = client.stream('results/events.follow', { events: ['changed'] })
  const first = told.next()
  await call('make_folder', { path: 'runs/2026' })
  await call('make_folder', { path: 'runs/2026' })
  assert.equal(((await first).value as { value: unknown }).value, { path: 'runs', change: 'made' })
  await told.return()
  const written = (await put('runs/2026/a.csv', bytes('1;2'))) as { modified: number }
  assert.equal({ ...written, modified: 0 }, { name: 'a.csv', kind: 'file', bytes: 3, modified: 0 })
  assert.ok(Math.abs(written.modified - Date.now() / 1000) < 3600)
  assert.is(await codeOf(put('runs/2026/a.csv', bytes('3'))), 'file-exists')
  await put('runs/2026/a.csv', bytes('3;4;5'), { overwrite: true })
  assert.is(await readFile(at('runs/2026/a.csv'), 'utf8'), '3;4;5')
  assert.equal(await call('get', { path: 'runs/2026/a.csv' }), bytes('3;4;5'))
  for (const name of ['b', 'c', 'd']) await put(`runs/2026/${name}`, new Uint8Array())
  const page = (await call('list', { path: 'runs/2026', most: 2 })) as { entries: { name: string }[]; next: string }
  assert.equal([page.entries.map(({ name }) => name), page.next], [['a.csv', 'b'], 'b'])
  const rest = (await call('list', { path: 'runs/2026', after: 'b' })) as { entries: { name: string }[]; next?: string }
  assert.equal([rest.entries.map(({ name }) => name), rest.next], [['c', 'd'], undefined])
  assert.is(await codeOf(call('move', { from: 'runs/2026/a.csv', to: 'runs/2026/b' })), 'file-exists')
  await call('move', { from: 'runs/2026/a.csv', to: 'b.csv' })
  assert.is(await codeOf(call('move', { from: 'runs', to: 'runs/2026/in' })), 'path-invalid')
  assert.is(await codeOf(call('remove', { path: 'runs' })), 'folder-not-empty')
  assert.is(await codeOf(call('get', { path: 'runs' })), 'not-a-file')
  assert.is(await codeOf(call('list', { path: 'b.csv' })), 'not-a-folder')
  assert.is(await used(), BLOCK * (2 + 3 + 2))
  await call('remove', { path: 'runs', recursive: true })
  await call('remove', { path: 'b.csv' })
  const missing = await rejection(call('get', { path: 'b.csv' }))
  assert.equal([missing.code, missing.details.path], ['no-such-file', 'b.csv'])
  assert.equal([await names(), await used()], [[], 0])
})

test('a long file goes and comes piece by piece, and is there when all of it is', async () => {
  const data = Uint8Array.from({ length: 700_000 }, (_, i) => i % 251)
  const upload = await call('begin_upload', { path: 'long.bin', bytes: data.length })
  const send = (from: number, to: number) => call('upload', { upload, offset: from, data: data.slice(from, to) })
  await send(0, 400_000)
  await send(0, 400_000)
  assert.is(await codeOf(send(500_000, 600_000)), 'upload-gap')
  assert.is(await codeOf(call('finish_upload', { upload })), 'upload-incomplete')
  assert.is(await codeOf(call('upload', { upload, offset: 400_000, data: new Uint8Array(300_001) })), 'upload-too-long')
  assert.equal([await names(), (await readdir(at())).length], [[], 1])
  await send(400_000, 700_000)
  await call('finish_upload', { upload })
  assert.is(await codeOf(call('finish_upload', { upload })), 'no-such-upload')
  assert.equal(await call('get', { path: 'long.bin' }), data)
  const pieces: Uint8Array[] = []
  for await (const piece of client.stream('results/chunks', { path: 'long.bin', offset: 100_000 })) {
    // It stays the file that it was.
    if (pieces.length === 0) await put('long.bin', bytes('short'), { overwrite: true })
    pieces.push(piece as Uint8Array)
  }
  assert.ok(Buffer.concat(pieces).equals(data.subarray(100_000)))
  const dropped = await call('begin_upload', { path: 'other.bin', bytes: 10 })
  await call('drop_upload', { upload: dropped })
  assert.equal(await readdir(at()), ['long.bin'])
})

test('paths that are none, and those that lead out, are refused, and nothing is changed', async () => {
  const codes = async (path: string) => [
    await codeOf(put(path, bytes('x'))),
    await codeOf(call('get', { path })),
    await codeOf(call('remove', { path, recursive: true })),
    await codeOf(call('move', { from: path, to: 'x' })),
  ]
  const all = (code: string) => [code, code, code, code]
  for (const path of ['..', '../outside/secret.txt', 'a/../../outside', '/etc/passwd'])
    assert.equal(await codes(path), all('outside-folder'), path)
  const nonsense = ['', '.', 'a//b', 'a/', './a', 'a\0b', 'a\nb', 'a\\b', '\u202egpj', '\ud800', 'x'.repeat(201)]
  for (const path of [...nonsense, `${'d/'.repeat(32)}x`, 'é'.repeat(600), '.fernlab-part-00'])
    assert.equal(await codes(path), all('path-invalid'), path)
  const { message } = await rejection(call('list', { path: '.' }))
  assert.is(message, '"." has the name "." in it: leave that out; the folder itself is ""')
  assert.is(await codeOf(call('put', { path: 7, data: bytes('x') })), 'call-invalid')
  assert.equal([await names(), existsSync(at('a'))], [[], false])
})

test('links lead to what is inside and nowhere else; devices and pipes are not opened', async () => {
  const outside = join(lab.folder, 'outside')
  await symlink(outside, at('out'))
  await symlink('../outside/secret.txt', at('secret'))
  await symlink('out', at('twice'))
  await symlink('round', at('round'))
  await symlink('/dev/zero', at('zero'))
  execFileSync('mkfifo', [at('pipe')])
  for (const path of ['out/secret.txt', 'secret', 'twice/secret.txt', 'zero', 'round'])
    assert.is(await codeOf(call('get', { path })), 'outside-folder', path)
  assert.is(await codeOf(call('list', { path: 'out' })), 'outside-folder')
  assert.is(await codeOf(put('out/new', bytes('x'))), 'outside-folder')
  assert.is(await codeOf(put('secret', bytes('x'), { overwrite: true })), 'outside-folder')
  assert.is(await codeOf(call('make_folder', { path: 'out/new' })), 'outside-folder')
  assert.is(await codeOf(call('get', { path: 'pipe' })), 'not-a-file')
  assert.is(await codeOf(put('pipe', bytes('x'), { overwrite: true })), 'not-a-file')
  const { entries } = (await call('list', {})) as { entries: { name: string; kind: string }[] }
  assert.is(entries.find(({ name }) => name === 'pipe')?.kind, 'other')
  await call('remove', { path: 'out', recursive: true })
  assert.equal(await readdir(outside), ['secret.txt'])
  // One that stays inside is as good as what it leads to.
  await put('real.txt', bytes('old'))
  await symlink('real.txt', at('latest'))
  await put('latest', bytes('new'), { overwrite: true })
  assert.is(await readFile(at('real.txt'), 'utf8'), 'new')
  assert.equal(await call('get', { path: 'latest' }), bytes('new'))
})

test('a link that comes in the place of a folder meanwhile leads nowhere', async () => {
  const outside = join(lab.folder, 'outside')
  await call('make_folder', { path: 'swapped' })
  await put('swapped/secret.txt', bytes('inside'))
  let isOver = false
  const swapping = (async () => {
    while (!isOver) {
      await rename(at('swapped'), at('aside'))
      await symlink(outside, at('swapped'))
      await rm(at('swapped'))
      await rename(at('aside'), at('swapped'))
    }
  })()
  for (let i = 0; i < 400; i++) {
    const got = await call('get', { path: 'swapped/secret.txt' }).catch((thrown: { code: string }) => thrown.code)
    if (typeof got === 'string') assert.ok(['outside-folder', 'no-such-file', 'not-a-folder'].includes(got), got)
    else assert.equal(got, bytes('inside'))
  }
  isOver = true
  await swapping
})

test('of two who write at once the one for whom there is no room is told, and nothing of it is written', async () => {
  const other = lab.client()
  const half = new Uint8Array(600_000)
  const both = await Promise.allSettled([
    client.call('results/put', { path: 'one', data: half }),
    other.call('results/put', { path: 'two', data: half }),
  ])
  const refused = both.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
  assert.equal(refused, ['quota-exceeded'])
  assert.is((await names()).length, 1)
  const [there = ''] = await names()
  assert.is(await codeOf(call('begin_upload', { path: 'three', bytes: 500_000 })), 'quota-exceeded')
  // What takes the place of another takes its room.
  await put(there, new Uint8Array(900_000), { overwrite: true })
  await call('remove', { path: there })
  // What is on its way has its room.
  const upload = await call('begin_upload', { path: 'three', bytes: 900_000 })
  assert.is(await codeOf(put('four', half)), 'quota-exceeded')
  await call('drop_upload', { upload })
  await put('four', half)
  await other.close()
})

test('a folder that is only read has nothing that writes, and one that is wrong says why', async () => {
  await put('a', bytes('x'))
  const look = on('looked')
  assert.equal(await look('get', { path: 'a' }), bytes('x'))
  assert.is(await codeOf(look('put', { path: 'b', data: bytes('x') })), 'method-unknown')
  assert.is(await codeOf(look('remove', { path: 'a' })), 'method-unknown')
  assert.match((await rejection(on('missing')('list', {}))).message, /there is no folder \.\/nowhere: make it/)
  assert.match((await rejection(on('leak')('list', {}))).message, /leads to the node's data/)
  assert.match((await rejection(on('through')('list', {}))).message, /leads to the folder of node\.yaml/)
})

test('killed in the middle of a write, it leaves the old file or the new, and counts what is there', async () => {
  const [old, fresh] = [new Uint8Array(300_000).fill(1), new Uint8Array(300_000).fill(2)]
  const again = async () => {
    const pid = daemonOf(lab, 'files')?.pid ?? 0
    const [upload, writing] = [call('begin_upload', { path: 'half', bytes: 100_000 }), rewriting()]
    await call('upload', { upload: await upload, offset: 0, data: new Uint8Array(50_000) })
    process.kill(pid, 'SIGKILL')
    await writing
    await lab.until(() => isUp(lab, 'files') && daemonOf(lab, 'files')?.pid !== pid)
  }
  /** Until the process is gone. */
  const rewriting = async () => {
    for (let i = 0; ; i++) {
      const written = await put('file', i % 2 === 0 ? fresh : old, { overwrite: true }).then(
        () => true,
        () => false,
      )
      if (!written) return
    }
  }
  await put('file', old)
  for (let round = 0; round < 3; round++) {
    await again()
    const left = await readFile(at('file'))
    assert.ok(left.equals(old) || left.equals(fresh), `${left.length} bytes, ${left[0]} to ${left.at(-1)}`)
    assert.equal(await readdir(at()), ['file'], 'nothing half-written is left')
    assert.is(await used(), BLOCK + Math.ceil((await stat(at('file'))).size / BLOCK) * BLOCK)
    assert.is(await codeOf(put('more', new Uint8Array(800_000))), 'quota-exceeded')
  }
})

test.run()
