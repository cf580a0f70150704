import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { timesBusy } from '../support/busy.ts'
import { runCommand } from '../support/command.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('npm start', { timeoutMs: 90_000, hookTimeoutMs: 120_000 })
let dataFolder = ''
let running: RunningFernlab | undefined

test.before(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'fernlab-start-'))
})
test.after.each(async () => {
  await running?.cleanUp({ keepData: true })
  running = undefined
})
test.after(() => rmSync(dataFolder, { recursive: true, force: true }))

const items = async (path: string): Promise<{ id: string; state?: string }[]> => {
  const response = await fetch(`${running?.http}${path}`, { headers: { authorization: `Bearer ${running?.token}` } })
  assert.is(response.status, 200, path)
  return ((await response.json()) as { items: { id: string }[] }).items
}

test('brings up a hub with the demo labs, prints the address and a set-up link, and stops within 5 s', async () => {
  running = await startFernlab({ dataFolder })
  assert.is((await fetch(`${running.http}/healthz`)).status, 200)
  assert.match(running.output(), running.http)
  assert.match(running.output(), /https?:\/\/\S*setup\S+/)
  assert.match(running.mqtt, /^mqtt:\/\/127\.0\.0\.1:\d+$/)
  const labs = (await items('/api/v1/labs')).map((lab) => lab.id)
  for (const lab of ['rc-circuit', 'diode-iv', 'membrane', 'thermal-control'])
    assert.ok(labs.includes(lab), `${lab} is in ${labs}`)
  const { code, ms } = await running.stop()
  assert.is(code, 0, running.output())
  assert.ok(ms < 5_000, `it took ${ms} ms to stop`)
  assert.not.ok(existsSync(join(dataFolder, 'endpoints.json')), 'endpoints.json names a hub that is gone')
})

test('is up again within 5 s, with the node online; Ctrl-C stops it too', async () => {
  const startedAt = performance.now()
  running = await startFernlab({ dataFolder })
  const ms = performance.now() - startedAt
  assert.ok(ms < 5_000 * timesBusy(), `it took ${ms} ms to be ready`)
  const deadline = performance.now() + 10_000
  let nodes = await items('/api/v1/nodes')
  while (!nodes.some((node) => node.state === 'online') && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    nodes = await items('/api/v1/nodes')
  }
  assert.ok(
    nodes.some((node) => node.state === 'online'),
    JSON.stringify(nodes),
  )
  await assertTakesPageOf(running.http)
  assert.is((await running.stop('SIGINT')).code, 0)
})

/** Whatever port the hub has, its page goes straight to the demo node, once the hub has told that where the page is. */
async function assertTakesPageOf(origin: string): Promise<void> {
  const told = readFileSync(join(dataFolder, 'nodes/demo/services.json'), 'utf8')
  const [address = ''] = (JSON.parse(told) as { addresses: string[] }).addresses
  const deadline = performance.now() + 10_000
  for (;;) {
    const socket = new WebSocket(address, ['fernlab.rpc.1.cbor'], { origin })
    const refusal = await once(socket, 'open').then(
      () => undefined,
      (error: Error) => error,
    )
    socket.terminate()
    if (refusal === undefined) return
    assert.match(refusal.message, '403', 'nothing but where the page is keeps it out')
    assert.ok(performance.now() < deadline, refusal.message)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a SIGTERM to npm, which does not pass it on, stops it as well', async () => {
  running = await startFernlab({ dataFolder, part: 'npm start' })
  await running.stop()
  const deadline = performance.now() + 5_000
  while (existsSync(join(dataFolder, 'endpoints.json')) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.not.ok(existsSync(join(dataFolder, 'endpoints.json')), 'it goes on without npm')
  await assertNobodyAnswers(running.http)
})

async function assertNobodyAnswers(http: string): Promise<void> {
  const answered = await fetch(`${http}/healthz`).then(
    () => true,
    () => false,
  )
  assert.not.ok(answered, 'the hub still answers')
}

test('without FERNLAB_DEMO there is neither demo lab nor demo node', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fernlab-bare-'))
  try {
    running = await startFernlab({ dataFolder: folder, env: { FERNLAB_DEMO: '0' } })
    assert.equal(await items('/api/v1/labs'), [])
    assert.equal(await items('/api/v1/nodes'), [])
    assert.is((await running.stop()).code, 0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

const start = (env: Record<string, string>) =>
  runCommand(process.execPath, ['scripts/start/start.mjs'], {
    cwd: root,
    env: { ...process.env, FERNLAB_DATA: dataFolder, FERNLAB_PORT: '0', FERNLAB_MQTT_PORT: '0', ...env },
  })

const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
  [{ FERNLAB_PORT: 'eighty' }, /FERNLAB_PORT .*"?eighty"?.* 0 .*65535/],
  [{ FERNLAB_MQTT_PORT: '70000' }, /FERNLAB_MQTT_PORT .*70000/],
  [{ FERNLAB_SITE: 'Main Campus' }, /FERNLAB_SITE .*Main Campus.*lower-case/],
  [{ FERNLAB_ADMIN_TOKEN: 'short' }, /FERNLAB_ADMIN_TOKEN .*32/],
  [{ FERNLAB_LOG_LEVEL: 'loud' }, /FERNLAB_LOG_LEVEL .*loud.*debug/],
  [{ FERNLAB_DATABASE_URL: 'mysql://x' }, /FERNLAB_DATABASE_URL .*mysql.*sqlite/],
  [{ FERNLAB_TLS_CERT: '/nowhere/cert.pem' }, /FERNLAB_TLS_KEY/],
]
for (const [env, message] of wrong) {
  test(`a wrong ${Object.keys(env)} stops the start with one line that names it`, async () => {
    const { code, err } = await start(env)
    assert.is(code, 1)
    const lines = err.trim().split('\n')
    assert.is(lines.length, 1, err)
    assert.match(lines[0] ?? '', message)
    if (env.FERNLAB_ADMIN_TOKEN !== undefined) assert.not.match(err, env.FERNLAB_ADMIN_TOKEN)
  })
}

test('is told what it does not know, and starts nothing', async () => {
  for (const [flag, code, said] of [
    ['--help', 0, /^usage: npm start[^\n]*\n$/],
    ['--prot=80', 1, /^unknown option --prot=80\nusage: npm start[^\n]*\n$/],
  ] as const) {
    const ended = await runCommand(process.execPath, ['scripts/start/start.mjs', flag], { cwd: root })
    assert.is(ended.code, code)
    assert.match(ended.out + ended.err, said)
  }
})

test('a port that is taken stops the start with one line', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = other.address() as { port: number }
    const { code, err } = await start({ FERNLAB_PORT: String(port) })
    assert.is(code, 1)
    const lines = err.trim().split('\n')
    assert.is(lines.length, 1, err)
    assert.match(err, new RegExp(`FERNLAB_PORT.*${port}|${port}.*FERNLAB_PORT`))
  } finally {
    await new Promise((resolve) => other.close(resolve))
  }
})

test.run()
