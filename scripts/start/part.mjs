// npm run hub, npm run edge -- --config node.yaml: one part alone.
import { prepare } from './prepare.mjs'

const [part, ...args] = process.argv.slice(2)

if (part !== 'hub' && part !== 'edge') {
  process.stderr.write('say which part: hub or edge\n')
  process.exitCode = 1
} else if (await prepare({ only: part })) {
  const { main } = await import(`@fernlab/${part}/${part}-process`)
  await main({ args, env: process.env })
} else {
  process.exitCode = 1
}
