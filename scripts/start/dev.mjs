// npm run dev: the same as npm start, from the sources, reloading on change; the page is rebuilt as it changes.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const stopMs = 6_000

function startAll() {
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const children = [
    spawn(process.execPath, [tsx, 'watch', '--clear-screen=false', '--conditions=source', 'scripts/start/main.ts'], {
      cwd: root,
      stdio: 'inherit',
    }),
  ]
  if (existsSync(join(root, 'hub/web/vite.config.ts'))) {
    const args = [vite, 'build', '--watch', '--mode', 'development', '--logLevel', 'warn']
    children.push(spawn(process.execPath, args, { cwd: join(root, 'hub/web'), stdio: 'inherit' }))
  }
  const killLate = () => {
    const kill = () => {
      for (const child of children) child.kill('SIGKILL')
    }
    setTimeout(kill, stopMs).unref()
  }
  const stop = () => {
    for (const child of children) child.kill('SIGTERM')
    killLate()
  }
  // A terminal gives Ctrl-C to the children as well.
  process.on('SIGINT', killLate)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, stop)
  return stop
}

if (await prepare()) {
  const { whenParentIsGone } = await import('@fernlab/shared/programs/when-parent-is-gone')
  whenParentIsGone(startAll())
} else {
  process.exitCode = 1
}
