// Plain JavaScript without dependencies: runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The names of the packages that the lockfile wants and node_modules lacks; all of them on a fresh clone. */
export function missingPackages(root) {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const installedPath = join(root, 'node_modules', '.package-lock.json')
  const installed = existsSync(installedPath) ? JSON.parse(readFileSync(installedPath, 'utf8')).packages : {}
  return Object.entries(wanted)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.optional && !entry.devOptional && !entry.peer)
    .filter(([path, entry]) => entry.version !== undefined && installed[path]?.version !== entry.version)
    .map(([path]) => path)
}

/** Installs npm packages where the lockfile changed or nothing is installed; returns false when npm failed. */
export function installPackages(root, say = (line) => process.stdout.write(`${line}\n`)) {
  const missing = missingPackages(root)
  if (missing.length === 0) return true
  const fresh = !existsSync(join(root, 'node_modules', '.package-lock.json'))
  say(fresh ? 'Installing npm packages …' : `Installing ${missing.length} npm packages …`)
  const args = fresh ? ['ci'] : ['install', '--no-save']
  const result = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (result.status === 0) return true
  say(`npm ${args.join(' ')} failed; run it by hand to see why`)
  return false
}
