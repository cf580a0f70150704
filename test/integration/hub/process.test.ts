/** The hub as a process of its own: starting, refusing to start, stopping. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { until } from './hub-with-node.ts'

const test = suite('the hub process', { timeoutMs: 60_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-process-'))
const entry = new URL('../../../hub/hub-process.ts', import.meta.url).pathname
const running: ChildProcess[] = []

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  output(): string
}

function start(env: Record<string, string>): Started {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', entry], {
    env: { PATH: process.env.PATH, FERNLAB_PORT: '0', FERNLAB_MQTT_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk
    })
  }
  return { child, ended: new Promise((resolve) => child.once('exit', resolve)), output: () => text }
}

test.after(() => {
  for (const child of running) if (child.exitCode === null) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test('starts, writes where it is, keeps a second one off, stops within 5 s', async () => {
  const data = join(folder, 'one')
  const first = start({ FERNLAB_DATA: data })
  await until(() => /^ {2}page {4}http/m.test(first.output()), 'the start', 50_000)
  assert.match(first.output(), /^ {2}set up {2}http:\/\/127\.0\.0\.1:\d+\/setup#token=/m)
  const { http, mqtt } = JSON.parse(readFileSync(join(data, 'endpoints.json'), 'utf8'))
  assert.match(mqtt, /^mqtt:\/\/127\.0\.0\.1:\d+$/)
  assert.is((await fetch(`${http}/healthz`)).status, 200)

  const second = start({ FERNLAB_DATA: data })
  assert.is(await second.ended, 1)
  assert.is(
    second.output(),
    `another hub runs on ${join(data, 'hub')}; stop it, or set FERNLAB_DATA to another folder\n`,
  )
  assert.is((await fetch(`${http}/healthz`)).status, 200, 'the first goes on')

  const from = Date.now()
  first.child.kill('SIGTERM')
  assert.is(await first.ended, 0)
  assert.ok(Date.now() - from < 5000)
  assert.not(existsSync(join(data, 'endpoints.json')))
})

test('a hub on another data folder is kept off the same database', async () => {
  const database = join(folder, 'database')
  const env = { FERNLAB_DATABASE_URL: `sqlite:${join(database, 'hub.db')}` }
  const first = start({ ...env, FERNLAB_DATA: join(folder, 'four') })
  await until(() => /^ {2}page {4}http/m.test(first.output()), 'the start', 50_000)
  const second = start({ ...env, FERNLAB_DATA: join(folder, 'five') })
  assert.is(await second.ended, 1)
  assert.match(second.output(), `another hub runs on ${database}; stop it, or set FERNLAB_DATA`)
  first.child.kill('SIGTERM')
  assert.is(await first.ended, 0)
})

test('a wrong setting stops the start with one line', async () => {
  const { ended, output } = start({ FERNLAB_DATA: join(folder, 'two'), FERNLAB_PORT: 'eighty' })
  assert.is(await ended, 1)
  assert.is(output(), 'FERNLAB_PORT is "eighty"; it may be a port from 0 (any free one) to 65535\n')
})

test('a port that is taken is named', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const { ended, output } = start({ FERNLAB_DATA: join(folder, 'three'), FERNLAB_MQTT_PORT: String(port) })
  assert.is(await ended, 1)
  assert.match(
    output(),
    `FERNLAB_MQTT_PORT is ${port} on 127.0.0.1, but another program listens there; choose another, or 0 for any free one\n`,
  )
  await new Promise((resolve) => server.close(resolve))
})

test.run()
