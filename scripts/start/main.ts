/** `npm start`: a hub and, unless FERNLAB_DEMO=0, a demo node, in this process. */
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { demoNode, startDemoNode } from './demo-node.ts'
import { createLineLog, logLevelOf } from './line-log.ts'
import { openHub, welcome } from './open-hub.ts'
import { runUntilStopped } from './run-until-stopped.ts'

await runUntilStopped(async () => {
  const env: NodeJS.ProcessEnv = { ...process.env, FERNLAB_DEMO: process.env.FERNLAB_DEMO || '1' }
  const level = logLevelOf(env.FERNLAB_LOG_LEVEL || 'warn')
  const log = createLineLog({ level, write: (line) => process.stderr.write(line) })
  const { hub, demo, dataFolder } = await openHub({ env, clock, log })
  try {
    const node = demo
      ? await startDemoNode({
          dataFolder,
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
