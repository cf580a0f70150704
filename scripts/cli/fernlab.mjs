#!/usr/bin/env node
// The `fernlab` command: the compiled program where it was built, else the sources through tsx.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const compiled = new URL('../dist/cli/main.js', import.meta.url)
if (existsSync(compiled)) {
  await import(compiled.href)
} else if (!existsSync(new URL('../../node_modules/tsx', import.meta.url))) {
  process.stderr.write(
    'fernlab: its packages are not installed yet\n  "npm install" in its folder does that, or "npm start".\n',
  )
  process.exitCode = 1
} else {
  const source = fileURLToPath(new URL('./main.ts', import.meta.url))
  const tsx = import.meta.resolve('tsx')
  const args = ['--import', tsx, '--conditions=source', source, ...process.argv.slice(2)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both; the rest has to be passed on. The program decides what it means.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => {
    process.exitCode = signal === null ? code : 1
  })
}
