// npm start: installs what is missing, builds what is stale, then runs a hub and, unless FERNLAB_DEMO=0, a demo node.
import { noArguments } from './arguments.mjs'
import { prepare } from './prepare.mjs'

const usage = 'usage: npm start; settings are environment variables, see docs/operators.md'

if (noArguments(process.argv.slice(2), usage)) {
  if (await prepare()) await import('../dist/start/main.js')
  else process.exitCode = 1
}
