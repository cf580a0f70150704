// npm start: installs what is missing, builds what is stale, then runs a hub and, unless FERNLAB_DEMO=0, a demo node.
import { prepare } from './prepare.mjs'

if (await prepare()) await import('../dist/start/main.js')
else process.exitCode = 1
