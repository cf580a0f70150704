// npm run hub, npm run edge -- --config node.yaml: one part alone.
import { prepare } from './prepare.mjs'

const [part, ...args] = process.argv.slice(2)
const mains = { hub: '../dist/start/hub-main.js', edge: '../dist/start/edge-main.js' }

if (mains[part] === undefined) {
  process.stderr.write('say which part: hub or edge\n')
  process.exitCode = 1
} else if (await prepare()) {
  const { main } = await import(mains[part])
  process.exitCode = await main({ args, env: process.env })
} else {
  process.exitCode = 1
}
