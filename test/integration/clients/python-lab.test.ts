/** A hub, a node that takes links of clients, and programs in Python that use both. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { guides } from '../../support/doc-blocks.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import { adminToken, startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { newPerson } from '../hub/session-people.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('the client in Python, with a lab', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
let lab: TestHub
let node: Edge
let folder = ''

const nodeFile = `
node: pi
hub: { url: in-process }
services: { listen: { host: 127.0.0.1, port: 0 } }
instruments:
  box: { driver: simulated, config: { model: constant } }
  psu:
    driver: scpi
    tags: [supply]
    config: { model: fern-psu, transport: { kind: emulated, world: diode-1, device: psu } }
  voltmeter:
    driver: scpi
    config: { model: fern-dmm, transport: { kind: emulated, world: diode-1, device: voltmeter } }
  ammeter:
    driver: scpi
    config: { model: fern-dmm, transport: { kind: emulated, world: diode-1, device: ammeter } }
benches:
  b: { parts: { box: box }, labs: [small], safeState: { box.value: 0 } }
  diode-1:
    parts: { psu: psu, voltmeter: voltmeter, ammeter: ammeter }
    labs: [diode-iv]
    safeState: { psu.output: false, psu.voltage: 0 }
    limits: { psu.voltage: { low: 0, high: 5 } }
`

const ask = async (path: string) => (await (await lab.call(path)).json()) as { items: { state: string }[] }

const startNode = async () =>
  startEdge({
    config: { text: nodeFile },
    dataFolder: join(folder, 'node'),
    drivers: builtInDrivers(),
    openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
    site: 'main',
    credential: await lab.hub.enrollInProcess('pi'),
    link: () => lab.hub.connectInProcess(),
    reconnectMs: 50,
    log: silentLog,
  })

/** The hub knows that all of it can be used. */
async function untilReady(): Promise<void> {
  const are = async (path: string, count: number, state: string) =>
    (await ask(path)).items.filter((one) => one.state === state).length === count
  await until(() => are('/api/v1/benches', 2, 'free'), 'the benches', 60_000)
  await until(() => are('/api/v1/directory', 4, 'up'), 'the services', 60_000)
}

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-python-lab-'))
  lab = await startTestHub({ labYaml: 'session: { seconds: 600 }\nlimits: { box.value: { low: 0, high: 10 } }\n' })
  const diode = join(root, 'shared/labs/diode-iv')
  const files: { path: string; text: string }[] = []
  for (const entry of await readdir(diode, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files.push({ path: relative(diode, path), text: await readFile(path, 'utf8') })
  }
  assert.is((await lab.call('/api/v1/labs/diode-iv', { method: 'PUT', json: { files } })).status, 201)
  node = await startNode()
  await untilReady()
})
test.after(async () => {
  await node.close()
  await lab.close()
  await rm(folder, { recursive: true, force: true })
})

const env = () => ({ ...pythonEnv, FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken })

test('test_lab.py passes', async ({ signal }) => {
  const colleague = await newPerson(lab, 'instructor')
  const other = { FERNLAB_OTHER: colleague.bearer.authorization.slice('Bearer '.length) }
  const { code, err } = await runPython('test_lab.py', [], { env: { ...env(), ...other }, signal })
  assert.is(code, 0, err)
  assert.match(err, /^Ran [1-9]\d* tests/m)
})

const scriptOf = (name: string) =>
  guides()
    .find(({ path }) => path === 'docs/services.md')
    ?.blocks.find(({ file }) => file === name)?.text ?? ''

test('the guide’s scripts follow a run, in asyncio too, and use a bench in a live session', async ({ signal }) => {
  const said = async (name: string) => {
    await writeFile(join(folder, name), scriptOf(name))
    const { code, out, err } = await runPython(join(folder, name), [], { env: env(), cwd: folder, signal })
    assert.is(code, 0, err)
    return out.trimEnd().split('\n')
  }
  const [plain, inAsyncio] = [await said('run.py'), await said('run_async.py')]
  const documents = (lines: readonly string[]) => lines.slice(lines.indexOf('end') + 1)
  assert.ok(inAsyncio.includes('state') && inAsyncio.includes('data'), inAsyncio.join())
  assert.match(plain[0] ?? '', /^start \['/)
  assert.is(plain.at(-1), 'succeeded')
  const kinds = (lines: readonly string[]) => [...new Set(lines)]
  assert.equal(kinds(documents(inAsyncio)), kinds(plain))
  await untilReady()
  assert.match((await said('session.py')).join(), /^pi\.diode-1: 0\.[4-9]\d\d V$/)
})

test('the guide’s command writes a module with types, by which its script runs', async ({ signal }) => {
  const [python, ...args] = scriptOf('stubs.sh').replaceAll("'", '').trim().split(' ')
  assert.is(python, 'python')
  assert.ok(args.includes('bench.py'))
  const made = await runCommand('/usr/bin/python3', ['-W', 'error', ...args], { env: env(), cwd: folder, signal })
  assert.is(made.code, 0, made.err)
  assert.equal([made.out, made.err], ['', 'bench.py has Diode1Ammeter, Diode1Psu, Diode1Voltmeter\n'])
  const text = await readFile(join(folder, 'bench.py'), 'utf8')
  assert.equal(
    [...text.matchAll(/^ {4}(\w+) = functools/gm)].map(([, name]) => name),
    ['Diode1Ammeter', 'Diode1Psu', 'Diode1Voltmeter'],
  )
  await writeFile(join(folder, 'typed.py'), scriptOf('typed.py'))
  const mypy = ['-m', 'mypy', '--follow-imports=silent', '--cache-dir', join(folder, 'mypy'), 'bench.py', 'typed.py']
  const types = { ...env(), MYPYPATH: pythonEnv.PYTHONPATH }
  const checked = await runCommand('/usr/bin/python3', mypy, { env: types, cwd: folder, signal })
  assert.match(checked.out, /^Success/, checked.out + checked.err)
  const ran = await runPython(join(folder, 'typed.py'), [], { env: env(), cwd: folder, signal })
  assert.is(ran.code, 0, ran.err)
  assert.match(ran.out, /^0\.[45]\d{2} V$/m)
  await untilReady()
})

test('test_session.py passes', async ({ signal }) => {
  const student = await newPerson(lab)
  const own = { ...env(), FERNLAB_TOKEN: student.bearer.authorization.slice('Bearer '.length) }
  const { code, err } = await runPython('test_session.py', [], { env: own, signal })
  assert.is(code, 0, err)
  assert.match(err, /^Ran [1-9]\d* tests/m)
})

test('a proxy goes on when its node is started again, at another port', async ({ signal }) => {
  let restarting: Promise<void> | undefined
  const restart = async () => {
    await node.close()
    await writeFile(join(folder, 'down'), '')
    node = await startNode()
  }
  const onOutput = (text: string) => {
    if (text.includes('ready')) restarting ??= restart()
  }
  const { code, out, err } = await runPython('restarted.py', [], { env: env(), cwd: folder, signal, onOutput })
  await restarting
  assert.is(code, 0, err)
  assert.is(out, 'ready\n0\n')
})

test('the guide’s script sweeps a diode, with the hub stopped half way', async ({ signal }) => {
  await untilReady()
  const script = scriptOf('diode.py')
  const loop = '    for step in range(11):\n'
  assert.ok(script.includes(loop))
  // It waits in the middle until the hub is gone.
  const pause = `        if step == 5: print("half", flush=True); import os, time\n        while step == 5 and not os.path.exists("gone"): time.sleep(0.01)\n`
  const file = join(folder, 'diode.py')
  await writeFile(file, script.replace(loop, `${loop}${pause}`))
  let stopping: Promise<void> | undefined
  const { code, out, err } = await runPython(file, [], {
    env: env(),
    cwd: folder,
    signal,
    onOutput: (text) => {
      if (text.includes('half')) stopping ??= lab.hub.close().then(() => writeFile(join(folder, 'gone'), ''))
    },
  })
  await stopping
  assert.is(code, 0, err)
  const curve = [...out.matchAll(/^ *(-?[\d.]+) V +(-?[\d.]+) mA/gm)].map(([, volts, amperes]) => [
    Number(volts),
    Number(amperes),
  ])
  assert.is(curve.length, 11)
  const [first, last] = [curve[0]?.[1] ?? Number.NaN, curve.at(-1)?.[1] ?? Number.NaN]
  assert.ok(Math.abs(first) < 0.1 && last > 1, out)
  const plotted = [...out.matchAll(/ mA (\**)$/gm)].map(([, stars = '']) => stars.length)
  assert.ok(plotted[0] === 0 && (plotted.at(-1) ?? 0) > 2, out)
  assert.is(existsSync(join(folder, 'diode.png')), existsSync('/usr/lib/python3/dist-packages/matplotlib'))
})

test.run()
