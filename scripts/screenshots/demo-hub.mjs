import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const adminToken = 'screenshots-0123456789-0123456789'
const open = ['queued', 'assigned', 'running']

/** `npm start` on free ports with data of its own: its address, its set-up link and a caller with the admin's token. */
export async function startDemoHub() {
  const dataFolder = mkdtempSync(join(tmpdir(), 'fernlab-screenshots-'))
  const child = spawn(process.execPath, ['scripts/start/start.mjs'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      FERNLAB_DATA: dataFolder,
      FERNLAB_PORT: '0',
      FERNLAB_MQTT_PORT: '0',
      FERNLAB_ADMIN_TOKEN: adminToken,
    },
  })
  const exited = new Promise((done) => child.once('exit', done))
  const stop = async (signal = 'SIGTERM') => {
    child.kill(signal)
    await exited
    rmSync(dataFolder, { recursive: true, force: true })
  }
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  const endpoints = join(dataFolder, 'endpoints.json')
  for (let i = 0; i < 600 && child.exitCode === null; i++) {
    if (existsSync(endpoints)) {
      const { http } = JSON.parse(readFileSync(endpoints, 'utf8'))
      const ready = await fetch(`${http}/readyz`).then(
        (response) => response.ok,
        () => false,
      )
      const setupLink = /https?:\/\/\S*setup\S+/.exec(printed)?.[0]
      if (ready && setupLink !== undefined) return { http, setupLink, caller: caller(http, adminToken), stop }
    }
    await sleep(100)
  }
  await stop('SIGKILL')
  throw new Error(`the hub did not start\n${printed}`)
}

/** Calls the API as the owner of the token. */
export function caller(http, token) {
  const call = async (path, body, method = body === undefined ? 'GET' : 'POST') => {
    const response = await fetch(`${http}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  const submit = async (lab, protocol, parameters = {}) => (await call('/runs', { lab, protocol, parameters })).id
  const until = async (id, holds) => {
    for (let i = 0; i < 600; i++) {
      const run = await call(`/runs/${id}`)
      if (holds(run)) return id
      await sleep(200)
    }
    throw new Error(`run ${id} does not get there`)
  }
  return {
    call,
    submit,
    until,
    ended: (id) => until(id, (run) => !open.includes(run.state)),
    cancel: (id) => call(`/runs/${id}/cancel`, {}),
  }
}

/** Waits until every bench is free, and returns them. */
export async function freeBenches({ call }) {
  for (let i = 0; i < 200; i++) {
    const { items } = await call('/benches')
    if (items.length > 0 && items.every((bench) => bench.state === 'free')) return items
    await sleep(100)
  }
  throw new Error('the benches are not free')
}

/** Pushes an RC circuit whose charge curve waits for a voltage that never comes, so that its runs fail. */
export async function pushFailingLab({ call }) {
  const folder = join(root, 'shared/labs/rc-circuit')
  const text = (path) => readFileSync(join(folder, path), 'utf8')
  const failing = text('protocols/charge-curve.yaml')
    .replace('condition: dmm.voltage < 0.02 * voltage', 'condition: dmm.voltage < -1')
    .replace('within: 8', 'within: 3')
    .replace('otherwise: continue', 'otherwise: fail')
  const files = [
    ...['lab.yaml', 'README.md', 'picture.svg'].map((path) => ({ path, text: text(path) })),
    { path: 'protocols/charge-curve.yaml', text: failing },
  ]
  await call('/labs/rc-circuit', { files }, 'PUT')
}
