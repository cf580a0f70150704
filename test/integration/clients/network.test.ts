/** Two nodes that run by themselves, without a hub: found on the network by what they can do, until they are gone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@fernlab/shared/clients/typescript/node'
import { openMulticast } from '@fernlab/shared/network/multicast'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'

const test = suite('nodes that tell of themselves on the network', { timeoutMs: 120_000, hookTimeoutMs: 120_000 })
/** Other nodes may be on the network too. */
const site = `t${process.pid}`
const instruments = {
  north:
    'driver: scpi, tags: [supply], config: { model: fern-psu, transport: { kind: emulated, world: diode-1, device: psu } }',
  south:
    'driver: scpi, tags: [multimeter], config: { model: fern-dmm, transport: { kind: emulated, world: diode-1, device: voltmeter } }',
}
type Name = keyof typeof instruments
const names: Name[] = ['north', 'south']

let folder: string
const processes = new Map<Name, ChildProcess>()
const tokens: string[] = []
const dataOf = (name: Name) => join(folder, name, 'data')
const socketOf = (name: Name) => join(dataOf(name), 'nodes', name, 'services.sock')

async function start(name: Name): Promise<void> {
  const file = join(folder, name, 'node.yaml')
  await mkdir(dataOf(name), { recursive: true })
  const safeState = name === 'north' ? '{ it.output: false, it.voltage: 0 }' : '{}'
  await writeFile(
    file,
    `site: ${site}
node: ${name}
instruments: { it: { ${instruments[name]} } }
benches: { diode-1: { parts: { it: it }, safeState: ${safeState} } }
services: { listen: { host: 127.0.0.1, port: 0, announce: true } }
`,
  )
  const { FERNLAB_SITE: _, ...inherited } = process.env
  const child = spawn(process.execPath, ['edge/dist/bundle/edge-process.js'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...inherited, FERNLAB_DATA: dataOf(name), FERNLAB_NODE_FILE: file },
  })
  child.stdout?.resume()
  processes.set(name, child)
  const isUp = async () => {
    await using owner = connect({ node: socketOf(name) })
    const found = await owner.directory.find({ state: 'up' }).catch((error: LabError) => {
      if (error.kind !== 'link') throw error // it has not started yet
      return []
    })
    return found.length === 1
  }
  await until(isUp, `${name} is up`, 60_000)
}
async function stop(name: Name, signal: NodeJS.Signals): Promise<void> {
  const child = processes.get(name)
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-network-'))
  await Promise.all(names.map(start))
  for (const name of names) {
    const { code, out, err } = await commandLine(['node', 'token', 'ada'], { env: { FERNLAB_DATA: dataOf(name) } })
    assert.is(code, 0, err)
    tokens.push(out.trim())
  }
  await writeFile(join(folder, 'tokens'), tokens.join('\n'), { mode: 0o600 })
})
test.after(async () => {
  for (const name of names) await stop(name, 'SIGKILL')
  rmSync(folder, { recursive: true })
})

test('the supply is found by its tag, locked with what another node has, and set', async () => {
  const ways: unknown[] = []
  await using lab = connect({ network: true, tokens, onWay: (node, way) => ways.push([node, way?.kind]) })
  const [found, ...others] = await lab.directory.find({ tag: 'supply' })
  assert.equal([found?.address, others], [`fernlab://${site}/north/diode-1.it`, []])
  const supply = await lab.service(found?.address ?? '')
  {
    await using lock = await lab.lock(['south/diode-1.it', supply.id], { reason: 'diode sweep' })
    assert.equal(lock.services, ['north/diode-1.it', 'south/diode-1.it'])
    await supply.set('voltage', 1.5)
    assert.is((await supply.read(['voltage'])).voltage?.value, 1.5)
  }
  assert.equal(ways, [
    ['north', 'websocket'],
    ['south', 'websocket'],
  ])
})

test('from a terminal, with tokens in one file; a node without a token is named and left out', async () => {
  const said = async (...args: string[]) =>
    await commandLine(args, { env: { HOME: folder, FERNLAB_NODE_TOKENS: join(folder, 'tokens') } })
  const all = await said('directory', '--network', '--prefix', 'diode', '--json')
  assert.is(all.code, 0, all.err)
  const found = JSON.parse(all.out) as { id: string }[]
  assert.equal(
    found.map(({ id }) => id),
    ['north/diode-1.it', 'south/diode-1.it'],
  )
  const call = ['--network', '--lock', '--set', 'voltage=2', '--read', 'voltage']
  assert.is((await said('call', `fernlab://${site}/north/diode-1.it`, ...call)).out, 'voltage: 2 V\n')
  const one = await said('directory', '--network', '--token', tokens[1] ?? '')
  assert.match(one.out, /^diode-1\.it +south /m)
  assert.match(one.err, `${site}/north is left out: no token for ${site}/north was given`)
})

test('a node whose tokens are to go over TLS alone is shown none without', async () => {
  await using lab = connect({ network: true, tokens, ca: 'of whatever authority' })
  const message = await lab.directory.find().then(
    () => 'it was asked',
    (error: LabError) => error.message,
  )
  for (const name of names) assert.match(message, `${site}/${name} has no TLS, and is shown no token`)
})

test('a node that is killed leaves the list, one that is stopped too, and it comes back under its name', async () => {
  const left: string[] = []
  await using lab = connect({ network: true, tokens, onUnanswered: (node) => left.push(node) })
  const ids = async () => (await lab.directory.find({ prefix: 'diode' })).map(({ id }) => id)
  assert.equal(await ids(), ['north/diode-1.it', 'south/diode-1.it'])
  const supply = await lab.service('north/diode-1.it')
  assert.is((await supply.read(['voltage'])).voltage?.value, 0)
  await stop('north', 'SIGKILL')
  await until(async () => (await ids()).join() === 'south/diode-1.it', 'the killed node has left', 60_000)
  await start('north')
  await until(async () => (await ids()).length === 2, 'it is back', 60_000)
  // At another port now, and found there.
  assert.is((await supply.read(['voltage'])).voltage?.value, 0)
  const goodbyes: string[] = []
  const heard = await openMulticast({
    at: '127.0.0.1',
    onTold: (records) => void goodbyes.push(...records.flatMap(({ ttl, name }) => (ttl === 0 ? [name] : []))),
  })
  await stop('south', 'SIGTERM')
  await until(() => goodbyes.includes(`south-${site}._fernlab._tcp.local`), 'it has said goodbye', 30_000)
  await heard.close()
  assert.equal(await ids(), ['north/diode-1.it'])
  assert.ok(!left.some((node) => node.startsWith(`${site}/south`)), 'one that is gone is not asked')
})

test.run()
