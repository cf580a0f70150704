/** The process of one part of a benchmark: `part <name>`; see framework/part.ts. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { PartMethods } from './framework/part.ts'
import { servePart } from './framework/part.ts'

const parts: Readonly<Record<string, () => Promise<{ open(): Promise<PartMethods> | PartMethods }>>> = {
  'fernlab-hub': () => import('./parts/fernlab-hub.ts'),
  'http-submitter': () => import('./parts/http-submitter.ts'),
  'http-students': () => import('./parts/http-students.ts'),
  exchanger: () => import('./parts/exchanger.ts'),
  'sync-nodes': () => import('./parts/sync-nodes.ts'),
  'session-viewers': () => import('./parts/session-viewers.ts'),
  'floor-hub': () => import('./parts/floor-hub.ts'),
  'floor-node': () => import('./parts/floor-node.ts'),
  'bare-broker': () => import('./parts/bare-broker.ts'),
  'bare-echo': () => import('./parts/bare-echo.ts'),
  'bare-asker': () => import('./parts/bare-asker.ts'),
  'line-instrument': () => import('./parts/line-instrument.ts'),
  'serial-instrument': () => import('./parts/serial-instrument.ts'),
  'rpc-server': () => import('./parts/rpc-server.ts'),
  'rpc-client': () => import('./parts/rpc-client.ts'),
  'bare-ws': () => import('./parts/bare-ws.ts'),
  'serial-asker': () => import('./parts/serial-asker.ts'),
}

const name = process.argv[2] ?? ''
const load = parts[name]
if (load === undefined) throw new LabError({ code: 'no-such-part', kind: 'bug', message: `no part ${name}` })
servePart(await (await load()).open())
