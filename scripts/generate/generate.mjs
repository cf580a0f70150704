// npm run generate [-- folder]: writes the generated files from their schemas, each to its path below the folder or here.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const args = ['--import', 'tsx', '--conditions=source', 'scripts/generate/main.ts', ...process.argv.slice(2)]
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1
