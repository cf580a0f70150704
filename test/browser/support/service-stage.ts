/// <reference lib="dom" />
/** A hub with its pages, a node with a bench and a daemon of its own, and people who look at its services. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { Browser, Page } from 'playwright-core'
import { startTestHub, type TestHub, until } from '../../integration/hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../../integration/hub/session-people.ts'
import { root } from '../../support/source-files.ts'
import type { Test } from '../../support/suite.ts'
import { openBrowser, type VisitOptions } from './browser.ts'
import { visitAs } from './lab-page-stage.ts'

const nodeFile = `
node: pi
hub: { url: in-process }
instruments:
  psu: { driver: scpi, config: { model: fern-psu, transport: { kind: emulated, world: diode-1, device: psu } } }
benches:
  diode:
    parts: { psu: psu }
    safeState: { psu.output: false, psu.voltage: 0 }
    limits: { psu.voltage: { low: 0, high: 5 }, psu.current_limit: { low: 0, high: 0.05 } }
daemons: { tools: {} }
services:
  listen: { host: 127.0.0.1, port: 0 }
  own: { bell: { file: ./bell.ts, daemon: tools, parameters: { times: 'rang 3' } } }
`

const bell = `
import { defineService } from '@fernlab/service'
export const contract = defineService({
  kind: 'bell',
  version: '1.0',
  actions: {
    ring: {
      arguments: {
        times: { type: 'integer', minimum: 1, maximum: 9 },
        tune: { type: 'array', of: 'float64', unit: 'Hz' },
      },
      result: { type: 'string' },
    },
  },
  signals: {
    volume: {
      title: 'Volume',
      unit: '1',
      dtype: 'integer',
      shape: [],
      kind: 'configuration',
      access: 'read-set',
      limits: { low: 1, high: 1001 },
    },
  },
  events: { rang: { value: { type: 'integer' } } },
})
export default class {
  volume = 32
  constructor(readonly context: { emit: (event: string, value: unknown) => void }) {}
  ring({ times, tune }: { times: number; tune: Float64Array }) {
    this.context.emit('rang', times)
    console.log('rang ' + times + ' times')
    return 'ding '.repeat(times) + tune.length
  }
}
`

export interface ServiceStage {
  readonly lab: TestHub
  /** Of node.yaml. */
  readonly folder: string
  readonly browser: Browser
  readonly ada: TestPerson
  readonly bo: TestPerson
  /** Stops the node `pi`. */
  stopNode(): Promise<void>
  /** Starts it again, at another port. */
  startNode(): Promise<void>
}

export const nameOf = async (person: TestPerson) =>
  ((await person.ask('GET', '/api/v1/me')).body as { name: string }).name

/** Gives it before the tests of the file, and clears it away after them. */
export function serviceStage(test: Test, given: (stage: ServiceStage) => void): void {
  let lab: TestHub
  let node: Edge | undefined
  let browser: Browser | undefined
  let folder = ''
  test.before(async () => {
    lab = await startTestHub({ webFolder: join(root, 'hub/web/dist') })
    folder = await mkdtemp(join(tmpdir(), 'fernlab-service-page-'))
    await writeFile(join(folder, 'node.yaml'), nodeFile)
    await writeFile(join(folder, 'bell.ts'), bell)
    await mkdir(join(folder, 'data/nodes/pi'), { recursive: true })
    const credential = await lab.hub.enrollInProcess('pi')
    const startNode = async () => {
      node = await startEdge({
        config: { file: join(folder, 'node.yaml') },
        dataFolder: join(folder, 'data/nodes/pi'),
        drivers: builtInDrivers(),
        openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
        site: 'main',
        credential,
        link: () => lab.hub.connectInProcess(),
        reconnectMs: 50,
        log: silentLog,
      })
    }
    await startNode()
    const up = async () => {
      const { items } = (await (await lab.call('/api/v1/directory?state=up')).json()) as { items: unknown[] }
      return items.length === 2
    }
    await until(up, 'the services', 60_000)
    const ada = await newPerson(lab, 'instructor')
    const bo = await newPerson(lab, 'instructor')
    browser = await openBrowser()
    given({ lab, folder, browser, ada, bo, startNode, stopNode: async () => node?.close() })
  })
  test.after(async () => {
    await browser?.close()
    await node?.close()
    await lab?.close()
    await rm(folder, { recursive: true, force: true })
  })
}

/** A visit of the page of a service of the node. */
export async function openService(
  { browser, lab }: Pick<ServiceStage, 'browser' | 'lab'>,
  person: TestPerson,
  service: string,
  options: VisitOptions = {},
) {
  const seen = await visitAs(browser, lab, person, options)
  await seen.page.goto(`${lab.hub.httpUrl}/services/pi/${service}`)
  await seen.page.getByRole('heading', { level: 1, name: service }).waitFor()
  return seen
}

export const signalOf = (page: Page, title: string) => page.getByRole('listitem', { name: title, exact: true })
