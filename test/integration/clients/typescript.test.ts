/** The TypeScript client with a hub and a node that are real, over each way there is. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { createClient } from '@fernlab/shared/clients/typescript/client'
import { Hub } from '@fernlab/shared/clients/typescript/hub'
import { hubDirectory } from '@fernlab/shared/clients/typescript/hub-directory'
import { connect } from '@fernlab/shared/clients/typescript/node'
import { nodeWays } from '@fernlab/shared/clients/typescript/ways/node-ways'
import { readContract } from '@fernlab/shared/clients/typescript/read-contract'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import WebSocket from 'ws'
import { commandLine } from '../../support/command-line.ts'
import { guides } from '../../support/doc-blocks.ts'
import { type RunningFernlab, startFernlab } from '../../support/running-fernlab.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('the TypeScript client with a hub and a node', { timeoutMs: 60_000, hookTimeoutMs: 60_000 })
const clock = systemClock
const run = promisify(execFile)
const instrument = (device: string, model: string, tag: string) =>
  `driver: scpi, tags: [${tag}], config: { model: ${model}, transport: { kind: emulated, world: diode-1, device: ${device} } }`
const nodeFile = `
node: demo
hub: { url: in-process }
instruments:
  psu: { ${instrument('psu', 'fern-psu', 'supply')} }
  voltmeter: { ${instrument('voltmeter', 'fern-dmm', 'multimeter')} }
  ammeter: { ${instrument('ammeter', 'fern-dmm', 'multimeter')} }
benches:
  diode-1:
    parts: { psu: psu, voltmeter: voltmeter, ammeter: ammeter }
    safeState: { psu.output: false, psu.voltage: 0 }
    limits: { psu.voltage: { low: 0, high: 5 } }
services:
  listen: { host: 127.0.0.1, port: 0 }
  own:
    results: { folder: ./results, write: true, quotaMB: 50, daemon: files, tags: [files] }
    count: { file: ./count.py, daemon: counts }
daemons:
  files: {}
  counts: {}
`

/** It says in which process it is. */
const count = `
import os

class Count:
    def process(self) -> int:
        return os.getpid()
`

let hub: RunningFernlab
let edge: Edge
let folder: string
/** By way of the hub alone. */
const overHub = () =>
  createClient({
    directory: hubDirectory(new Hub({ url: hub.http, token: hub.token, fetch })),
    ways: nodeWays({ clock, hub: { url: hub.http, token: hub.token } }).filter(({ kind }) => kind === 'mqtt'),
    clock,
    readContract,
  })

const client = () => connect({ hub: hub.http, token: hub.token })

const untilUp = async () => {
  await using client = connect({ hub: hub.http, token: hub.token })
  while ((await client.directory.find({ tag: 'supply', state: 'up' })).length === 0) await clock.sleep(50)
}

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-client-'))
  hub = await startFernlab({ part: 'hub', env: { FERNLAB_DEMO: '0' } })
  const given = await fetch(`${hub.http}/api/v1/nodes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ node: 'demo' }),
  })
  const { code } = (await given.json()) as { code: string }
  const file = join(folder, 'node.yaml')
  await writeFile(file, nodeFile)
  await writeFile(join(folder, 'count.py'), count)
  await mkdir(join(folder, 'results'))
  edge = await startEdge({
    config: { file },
    dataFolder: join(folder, 'data'),
    drivers: builtInDrivers({ i2c: createI2cBuses({ clock }) }),
    openTransport: createOpenTransport({ worlds: createWorlds({ clock }), clock, log: silentLog }),
    enrollAt: { hubUrl: hub.http, code },
    clock,
    log: silentLog,
    reconnectMs: 50,
  })
  await untilUp()
})
test.after(async () => {
  await edge?.close()
  await hub?.cleanUp()
  rmSync(folder, { recursive: true })
})

const failure = (promise: Promise<unknown>): Promise<LabError> =>
  promise.then(
    () => assert.unreachable('it was done') as never,
    (error: LabError) => error,
  )

for (const way of ['websocket', 'mqtt'] as const) {
  test(`finds the supply by its tag, locks it, and drives it: ${way}`, async () => {
    await using client = way === 'mqtt' ? overHub() : connect({ hub: hub.http, token: hub.token })
    const [supply] = await client.directory.find({ tag: 'supply' })
    assert.is(supply?.id, 'demo/diode-1.psu')
    const psu = await client.service(supply?.id ?? '')
    const { voltage } = await psu.read(['voltage'])
    assert.is(voltage?.value, 0)
    assert.is(psu.way?.kind, way)
    assert.is((await failure(psu.set('voltage', 1))).code, 'right-missing')
    const foreign = supply?.address.replace(/^fernlab:\/\/[^/]+/, 'fernlab://elsewhere') ?? ''
    assert.is((await failure(client.service(foreign))).code, 'site-foreign')

    const lock = await client.lock(['diode-1.psu', 'diode-1.ammeter'], { reason: 'a curve' })
    await psu.set('voltage', 1.5)
    assert.is((await psu.read(['voltage'])).voltage?.value, 1.5)
    const limit = await failure(psu.set('voltage', 6))
    assert.is(limit.kind, 'caller')
    assert.match(limit.message, /5/)
    const readings = psu.follow(['voltage'], { rateHz: 50 })
    const taken: unknown[] = []
    for await (const reading of readings) {
      taken.push((reading as { voltage: { value: number } }).voltage.value)
      if (taken.length === 5) break
    }
    assert.equal(taken, [1.5, 1.5, 1.5, 1.5, 1.5])
    assert.is((await client.directory.find({ name: 'diode-1.psu' }))[0]?.bench, 'demo.diode-1')
    await lock.release()
    // The bench has gone to its safe state, and nobody drives it any more.
    assert.is((await psu.read(['voltage'])).voltage?.value, 0)
    assert.is((await failure(psu.set('voltage', 1))).code, 'right-missing')
  })
}

test('a proxy by name goes on when its daemon was killed, and those of others notice nothing', async () => {
  await using client = connect({ hub: hub.http, token: hub.token })
  for (const name of ['count', 'results']) {
    while ((await client.directory.find({ name, state: 'up' })).length === 0) await clock.sleep(50)
  }
  const counts = await client.service('count')
  const results = await client.service('results')
  const psu = await client.service('diode-1.psu')
  const pidOf = async () => Number(await counts.do.process?.({}))
  const before = await pidOf()
  let isBack = false
  const others = [() => results.do.list?.({ path: '' }), () => psu.read(['voltage'])].map(async (call) => {
    for (let answered = 0; ; answered++) {
      if (isBack) return answered
      await call()
    }
  })
  process.kill(before, 'SIGKILL')
  let after = before
  while (after === before) {
    after = await pidOf().catch((error: LabError) => {
      assert.ok(['service-gone', 'call-uncertain'].includes(error.code), error.message)
      return before
    })
  }
  isBack = true
  for (const answered of await Promise.all(others)) assert.ok(answered > 0)
})

test('what is there for nobody is refused where it comes in', async () => {
  const url = `${hub.http.replace('http', 'ws')}/api/v1/nodes`
  const refusal = (path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const socket = new WebSocket(`${url}/${path}`, ['fernlab.rpc.1.cbor'], { headers })
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0))
      socket.on('open', () => reject(new Error('it was let on')))
      socket.on('error', () => {})
    })
  const known = { authorization: `Bearer ${hub.token}` }
  assert.is(await refusal('demo/services', {}), 401)
  assert.is(await refusal('demo/services', { authorization: 'Bearer fern_wrong' }), 401)
  assert.is(await refusal('nobody/services', known), 404)
  assert.is(await refusal('demo/services', { ...known, origin: 'https://elsewhere.example' }), 403)
})

/** What the hub's process has read and written so far, sockets included, and what it says that it carried. */
async function throughHub() {
  const headers = { authorization: `Bearer ${hub.token}` }
  const metrics = await (await fetch(`${hub.http}/metrics`, { headers })).text()
  const carried = [...metrics.matchAll(/^fernlab_services_carried_bytes_total\{to="\w+"\} (\d+)$/gm)]
  assert.is(carried.length, 2)
  const io = readFileSync(`/proc/${hub.pid}/io`, 'utf8')
  const moved = [...io.matchAll(/^[rw]char: (\d+)$/gm)]
  const sum = (all: RegExpExecArray[]) => all.reduce((total, [, bytes]) => total + Number(bytes), 0)
  return { carried: sum(carried), moved: sum(moved) }
}

test('the hub carries no byte of what goes straight to a node', async () => {
  const fileBytes = 4 * 2 ** 20
  await writeFile(join(folder, 'results/wave.f64'), new Uint8Array(fileBytes))
  const traffic = async (lab: ReturnType<typeof client>, { calls, files }: { calls: number; files: number }) => {
    const [psu, results] = [await lab.service('diode-1.psu'), await lab.service('results')]
    await psu.read(['voltage'])
    await results.read(['used_bytes'])
    const before = await throughHub()
    for (let n = 0; n < calls; n++) await psu.read(['voltage'])
    const called = await throughHub()
    let got = 0
    for (let n = 0; n < files; n++) {
      const file: unknown = await results.do.get?.({ path: 'wave.f64' })
      assert.instance(file, Uint8Array)
      got += (file as Uint8Array).length
    }
    assert.is(got, files * fileBytes)
    const after = await throughHub()
    return {
      kinds: [psu.way?.kind, results.way?.kind],
      carriedByCalls: called.carried - before.carried,
      carried: after.carried - before.carried,
      moved: after.moved - called.moved,
    }
  }
  {
    await using relayed = overHub()
    const byHub = await traffic(relayed, { calls: 100, files: 1 })
    assert.equal(byHub.kinds, ['mqtt', 'mqtt'])
    // A question and its answer; and what is carried comes in and goes out.
    const seen = byHub.carriedByCalls > 100 * 100 && byHub.carried > fileBytes && byHub.moved > 2 * fileBytes
    assert.ok(seen, JSON.stringify(byHub))
  }
  await using straight = client()
  const files = 16
  const direct = await traffic(straight, { calls: 1000, files })
  assert.equal([direct.kinds, direct.carried], [['websocket', 'websocket'], 0])
  // What the hub does by itself is kilobytes a second; a relay of these files would move 128 MiB.
  assert.ok(direct.moved < (files * fileBytes) / 8, `${direct.moved} bytes`)
})

test('from a terminal: what a service can do, what it reads, and setting it with a lock of its own', async () => {
  const env = { FERNLAB_HUB: hub.http, FERNLAB_TOKEN: hub.token }
  const said = async (...args: string[]) => {
    const { code, out, err } = await commandLine(args, { env })
    assert.is(code, 0, err)
    return out
  }
  const wrong = async (...args: string[]) => {
    const { code, err } = await commandLine(args, { env })
    assert.is(code, 1)
    return err
  }
  assert.match(await said('call', 'diode-1.psu'), /^voltage +signal +number in V.*$/m)
  assert.is(await said('call', 'diode-1.psu', '--read', 'voltage'), 'voltage: 0 V\n')
  assert.match(await wrong('call', 'diode-1.psu', '--set', 'voltage=1'), /does not open.*With --lock/s)
  assert.is(
    await said('call', 'diode-1.psu', '--lock', 'a look', '--set', 'voltage=1.5', '--read', 'voltage'),
    'voltage: 1.5 V\n',
  )
  assert.match(await wrong('call', 'diode-1.psu', '--read', 'volts'), /no signal volts.*voltage/s)
  assert.match(await wrong('call', 'diode-1.psu', 'explode'), /no action explode/)
  assert.match(await wrong('call', 'diode-2.psu'), /no service diode-2\.psu/)
  await untilUp()
  let seen: string | undefined
  const { code, out } = await commandLine(['lock', 'diode-1.psu'], {
    env,
    onInterrupt: (press) => {
      void client()
        .directory.find({ name: 'diode-1.psu', state: 'locked' })
        .then(([entry]) => {
          seen = entry?.state
          press()
        }, press)
    },
  })
  assert.equal([code, out, seen], [0, 'Locked: demo/diode-1.psu\n', 'locked'])
  // What another program of the same person has locked.
  await using other = connect({ hub: hub.http, token: hub.token })
  await other.lock(['results'])
  assert.is(await said('unlock', 'results', '--reason', 'it hangs'), 'Unlocked: results\n')
  assert.match(await wrong('unlock', 'results'), /service results is not locked/)
  await untilUp()
})

test('the guide’s scripts write and read files of a folder, in Python and in TypeScript', async ({ signal }) => {
  const blocks = guides().find(({ path }) => path === 'docs/services.md')?.blocks ?? []
  const here = await mkdtemp(join(root, 'node_modules/.cache/files-'))
  try {
    for (const file of ['files.py', 'files.mts'])
      await writeFile(join(here, file), blocks.find((block) => block.file === file)?.text ?? '')
    const env = { FERNLAB_HUB: hub.http, FERNLAB_TOKEN: hub.token }
    const python = await runPython(join(here, 'files.py'), [], { env: { ...pythonEnv, ...env }, cwd: here, signal })
    assert.equal([python.err, python.out], ['', 'curve.csv 24\n'])
    assert.is(await readFile(join(here, 'copy.csv'), 'utf8'), 'voltage,current\n0.0,0.0\n')
    const command = [process.execPath, '--import', 'tsx', '--conditions=source', 'files.mts'] as const
    const { stdout } = await run(command[0], command.slice(1), { cwd: here, env: { ...process.env, ...env }, signal })
    assert.match(stdout, /name: 'trace\.f64'/)
    assert.is((await stat(join(folder, 'results/trace.f64'))).size, 4_000_000)
  } finally {
    rmSync(here, { recursive: true })
  }
})

test('goes on straight at the node while the hub is away, and by the hub again when it is back', async () => {
  await using client = connect({ hub: hub.http, token: hub.token })
  await using relayed = overHub()
  const psu = await client.service('diode-1.psu')
  const other = await relayed.service('diode-1.psu')
  await other.read(['voltage'])
  await using _lock = await client.lock(['diode-1.psu'])
  await psu.set('voltage', 1)
  const { http, mqtt, dataFolder } = hub
  await hub.stop('SIGKILL')
  for (const volts of [1.1, 1.2, 1.3]) {
    await psu.set('voltage', volts)
    assert.is((await psu.read(['voltage'])).voltage?.value, volts)
  }
  assert.is((await failure(other.read(['voltage'], { timeoutMs: 200 }))).kind, 'link')
  const ports = { FERNLAB_PORT: new URL(http).port, FERNLAB_MQTT_PORT: new URL(mqtt).port }
  hub = await startFernlab({ part: 'hub', dataFolder, env: { FERNLAB_DEMO: '0', ...ports } })
  await psu.set('voltage', 1.4)
})

test('the guide’s script sweeps a diode, with the hub stopped half way', async () => {
  await untilUp()
  const blocks = guides().find(({ path }) => path === 'docs/services.md')?.blocks ?? []
  const script = blocks.find(({ file }) => file === 'diode.mts')?.text ?? ''
  const loop = '  for (let step = 0; step <= 10; step++) {\n'
  assert.ok(script.includes(loop))
  // It waits in the middle until the hub is gone.
  const pause = `    if (step === 5) console.log('half')
    while (step === 5 && !existsSync('gone')) await new Promise((resolve) => setTimeout(resolve, 10))\n`
  const here = await mkdtemp(join(root, 'node_modules/.cache/diode-'))
  try {
    await writeFile(
      join(here, 'diode.mts'),
      `import { existsSync } from 'node:fs'\n${script.replace(loop, `${loop}${pause}`)}`,
    )
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', 'diode.mts'], {
      cwd: here,
      env: { ...process.env, FERNLAB_HUB: hub.http, FERNLAB_TOKEN: hub.token },
    })
    let [out, err] = ['', '']
    let stopping: Promise<unknown> | undefined
    child.stdout.on('data', (text) => {
      out += text
      if (out.includes('half')) stopping ??= hub.stop('SIGKILL').then(() => writeFile(join(here, 'gone'), ''))
    })
    child.stderr.on('data', (text) => {
      err += text
    })
    const [code] = await once(child, 'close')
    await stopping
    assert.is(code, 0, err)
    const curve = [...out.matchAll(/^(-?[\d.]+) V (-?[\d.]+) mA/gm)].map(([, , amperes]) => Number(amperes))
    assert.is(curve.length, 11, out)
    assert.ok(Math.abs(curve[0] ?? 1) < 0.1 && (curve.at(-1) ?? 0) > 1, out)
  } finally {
    rmSync(here, { recursive: true })
  }
})

test.run()
