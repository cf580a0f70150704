// npm run hub, npm run edge -- --config node.yaml: one part alone.
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

const [part, ...args] = process.argv.slice(2)
const programs = { hub: '../../hub/dist/hub-process.js', edge: '../../edge/dist/bundle/edge-process.js' }

if (!Object.hasOwn(programs, part ?? '')) {
  process.stderr.write('say which part: hub or edge\n')
  process.exitCode = 1
} else if (await prepare({ only: part })) {
  const { main } = await import(programs[part])
  const env = { ...process.env }
  if (env.npm_lifecycle_event === part && env.INIT_CWD) {
    // npm goes to the clone first: paths are meant from where the person is, but the default data folder stays.
    env.FERNLAB_DATA ||= fileURLToPath(new URL('../../data', import.meta.url))
    process.chdir(env.INIT_CWD)
  }
  await main({ args, env })
} else {
  process.exitCode = 1
}
