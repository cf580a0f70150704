/** `npm start`: a hub and, unless FERNLAB_DEMO=0, a demo node, in this process. */
import { openHub, welcome } from '@fernlab/hub/hub-process'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { createLineLog } from '@fernlab/shared/programs/line-log'
import { runUntilStopped } from '@fernlab/shared/programs/run-until-stopped'
import { demoNode, startDemoNode } from './demo-node.ts'

await runUntilStopped(async () => {
  const { hub, config, log } = await openHub({
    env: process.env,
    defaults: { demo: true, logLevel: 'warn' },
    createLog: (level) => createLineLog({ level, write: (line) => process.stderr.write(line) }),
  })
  try {
    const node = config.demo
      ? await startDemoNode({
          dataFolder: config.dataFolder,
          site: hub.site,
          credential: await hub.enrollInProcess(demoNode),
          link: hub.connectInProcess,
          clock,
          log,
        })
      : undefined
    process.stdout.write(welcome(hub))
    return {
      stop: async () => {
        await node?.close()
        await hub.close()
      },
    }
  } catch (error) {
    await hub.close()
    throw error
  }
})
