// npm run hub, npm run edge -- --config node.yaml: one part alone.
import { prepare } from './prepare.mjs'

const [part, ...args] = process.argv.slice(2)
const programs = { hub: '../../hub/dist/hub-process.js', edge: '../../edge/dist/bundle/edge-process.js' }

if (!Object.hasOwn(programs, part ?? '')) {
  process.stderr.write('say which part: hub or edge\n')
  process.exitCode = 1
} else if (await prepare({ only: part })) {
  const { main } = await import(programs[part])
  await main({ args, env: process.env })
} else {
  process.exitCode = 1
}
