// npm run hub, npm run edge -- --config node.yaml: one part alone.
import { prepare } from './prepare.mjs'

const mains = { hub: '../dist/start/hub-main.js', edge: '../dist/start/edge-main.js' }
const main = mains[process.argv[2]]

if (main === undefined) {
  process.stderr.write('say which part: hub or edge\n')
  process.exitCode = 1
} else if (await prepare()) {
  await import(main)
} else {
  process.exitCode = 1
}
