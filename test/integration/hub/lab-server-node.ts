/** A node of this process whose bench is a laboratory with a server of its own, and the lab for it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { LAB_PASSWORD, LAB_USER, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { type TestHub, until } from './hub-with-node.ts'

export const robotLab = [
  {
    path: 'lab.yaml',
    text: `
title: Robot
summary: Has a server of its own.
parts:
  server: { signals: {}, labServer: true }
session:
  seconds: 120
  server: { part: server }
`,
  },
  { path: 'README.md', text: '# Robot\n' },
]

/** Pushes the lab `robot` and starts the node `robots`; resolves when its bench is free. */
export async function startLabServerNode(lab: TestHub, server: TestLabServer, config = ''): Promise<Edge> {
  const pushed = await lab.call('/api/v1/labs/robot', { method: 'PUT', json: { files: robotLab } })
  if (!pushed.ok) throw new Error(`the lab was not taken: ${await pushed.text()}`)
  await writeFile(join(lab.folder, 'lab-password'), LAB_PASSWORD)
  const edge = await startEdge({
    config: {
      folder: lab.folder,
      text: `
node: robots
hub: { url: in-process }
instruments:
  server:
    driver: lab-server
    config: { url: "${server.url}", username: ${LAB_USER}, passwordFile: lab-password${config} }
benches:
  arm: { parts: { server: server }, labs: [robot] }
`,
    },
    dataFolder: join(lab.folder, 'nodes', 'robots'),
    drivers: builtInDrivers(),
    openTransport: async () => {
      throw new LabError({ code: 'no-transport', kind: 'bug', message: 'there is none' })
    },
    site: 'main',
    credential: await lab.hub.enrollInProcess('robots'),
    link: () => lab.hub.connectInProcess(),
    reconnectMs: 50,
    log: silentLog,
  })
  await until(async () => {
    const { state } = (await (await lab.call('/api/v1/benches/robots.arm')).json()) as { state?: string }
    return state === 'free'
  }, 'the bench is free')
  return edge
}
