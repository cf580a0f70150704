/** A hub and nodes of the same process on a temporary folder, with a lab whose protocols do little. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { Caller } from '@fernlab/hub/accounts/caller'
import type { HubConfig } from '@fernlab/hub/config/config'
import { parseConfig } from '@fernlab/hub/config/config'
import { type Hub, type StartHubOptions, startHub } from '@fernlab/hub/main'
import type { Run } from '@fernlab/shared/contracts/api'
import { isFinal } from '@fernlab/shared/contracts/run-state'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { type Log, recordingLog, silentLog } from '@fernlab/shared/primitives/log'
import { promised } from '../../support/api-document.ts'

export const adminToken = 'an-admin-token-of-32-characters-or-more'

export const smallLab = [
  {
    path: 'lab.yaml',
    text: `
title: Small
summary: Does little.
parts:
  box:
    signals:
      value: { unit: "1", access: read-set }
`,
  },
  { path: 'README.md', text: '# Small\n' },
  {
    path: 'protocols/nothing.yaml',
    text: 'title: Nothing\nversion: 1\nrestart: safe\nparameters: {}\nsteps:\n  - wait: 0\noutputs: {}\n',
  },
  {
    path: 'protocols/set.yaml',
    text: `
title: Set, wait, read
version: 1
restart: never
parameters:
  value: { type: number, unit: "1", minimum: 0, maximum: 10, default: 1, title: Value }
  pause: { type: number, unit: s, minimum: 0, maximum: 600, default: 0, title: Pause }
steps:
  - set: { box.value: value }
  - wait: pause
  - read: { signals: [box.value] }
outputs:
  value: { title: Value, unit: "1", reading: { signal: box.value, which: last } }
`,
  },
  {
    path: 'protocols/safe.yaml',
    text: `
title: Wait, then read, as often as it takes
version: 1
restart: safe
parameters:
  pause: { type: number, unit: s, minimum: 0, maximum: 60, default: 0, title: Pause }
steps:
  - wait: pause
  - read: { signals: [box.value] }
outputs: {}
`,
  },
]

export const admin: Caller = {
  personId: 'somebody',
  name: 'Some Body',
  email: 'some@body.example',
  role: 'admin',
  scopes: 'all',
  via: 'session',
}
export const student: Caller = { ...admin, personId: 'student', name: 'A Student', role: 'student' }

export interface TestHub {
  readonly hub: Hub
  readonly log: ReturnType<typeof recordingLog>
  readonly folder: string
  readonly config: HubConfig
  /** `GET`, `POST` … as the admin; an answer that docs/openapi.json does not promise fails. */
  call(path: string, init?: RequestInit & { json?: unknown }): Promise<Response>
  /** A node of this process with so many benches for the small lab, each with these checks and limits, and these interlocks and services. */
  node(
    name: string,
    options?: {
      benches?: number
      log?: Log
      checks?: object
      limits?: object
      interlocks?: object
      services?: object
      clock?: Clock
    },
  ): Promise<Edge>
  /** Resolves when the run is final; rejects when there is none. */
  final(id: string): Promise<Run>
  /** Stops the hub and starts another on the same folder and ports. */
  restart(options?: Partial<StartHubOptions>): Promise<void>
  close(): Promise<void>
}

/** The small lab with more at the end of its lab.yaml. */
const smallLabWith = (more: string) =>
  smallLab.map(({ path, text }) => ({ path, text: path === 'lab.yaml' ? `${text}${more}` : text }))

/** Starts a hub with the small lab in its catalogue; `labYaml`: more of it. */
export async function startTestHub(
  options: Partial<StartHubOptions> & { env?: Record<string, string>; labYaml?: string } = {},
): Promise<TestHub> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-hub-'))
  const log = recordingLog()
  const env = {
    FERNLAB_DATA: folder,
    FERNLAB_PORT: '0',
    FERNLAB_MQTT_PORT: '0',
    FERNLAB_ADMIN_EMAIL: 'admin@lab.example',
    FERNLAB_ADMIN_TOKEN: adminToken,
    ...options.env,
  }
  const config = parseConfig(env, {}, folder)
  const start = (more: Partial<StartHubOptions> = {}) => startHub({ config, log, ...options, ...more })
  let hub = await start()
  const edges: Edge[] = []
  const call: TestHub['call'] = async (path, init = {}) => {
    const response = await fetch(`${hub.httpUrl}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(init.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(init.headers as Record<string, string> | undefined),
      },
      ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
    })
    return promised({ method: init.method ?? 'GET', path }, response)
  }
  const files = smallLabWith(options.labYaml ?? '')
  const pushed = await call('/api/v1/labs/small', { method: 'PUT', json: { files } })
  if (!pushed.ok) throw new Error(`the lab was not taken: ${await pushed.text()}`)
  return {
    get hub() {
      return hub
    },
    log,
    folder,
    config,
    call,
    node: async (
      name,
      { benches = 1, log: nodeLog = silentLog, checks = {}, limits = {}, interlocks = {}, services = {}, clock } = {},
    ) => {
      const credential = await hub.enrollInProcess(name)
      const each = Array.from({ length: benches }, (_, at) => at + 1)
      const edge = await startEdge({
        config: {
          text: `
node: ${name}
hub: { url: in-process }
instruments:
${each.map((n) => `  box-${n}: { driver: simulated, config: { model: constant } }`).join('\n')}
benches:
${each.map((n) => `  b-${n}: { parts: { box: box-${n} }, labs: [small], safeState: { box.value: 0 }, checks: ${JSON.stringify(checks)}, limits: ${JSON.stringify(limits)} }`).join('\n')}
interlocks: ${JSON.stringify(interlocks)}
services: ${JSON.stringify(services)}
`,
        },
        dataFolder: join(folder, 'nodes', name),
        drivers: builtInDrivers(),
        openTransport: createOpenTransport({ clock: systemClock, log: nodeLog }),
        site: 'main',
        credential,
        link: () => hub.connectInProcess(),
        reconnectMs: 50,
        log: nodeLog,
        ...(clock === undefined ? {} : { clock }),
      })
      edges.push(edge)
      await until(async () => {
        const found = (await (await call('/api/v1/benches')).json()) as { items: { id: string; state: string }[] }
        return found.items.filter(({ id, state }) => id.startsWith(`${name}.`) && state === 'free').length === benches
      }, `the benches of ${name}`)
      return edge
    },
    final: async (id) => {
      for (;;) {
        const run = await hub.runs.get(id)
        if (run === undefined) throw new Error(`there is no run "${id}"`)
        if (isFinal(run.state)) return run
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 200)
          const stop = hub.runs.onChange(({ runId }) => {
            if (runId !== id) return
            clearTimeout(timer)
            stop()
            resolve()
          })
        })
      }
    },
    restart: async (more) => {
      await hub.close()
      hub = await start(more)
    },
    close: async () => {
      await Promise.all(edges.map((edge) => edge.close()))
      await hub.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when the condition holds; looks every 10 ms. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 15_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
