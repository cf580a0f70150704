// Plain JavaScript without dependencies: runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The names of the packages that the lockfile wants and node_modules lacks; all of them on a fresh clone. With a
 * workspace, only what that one needs.
 */
export function missingPackages(root, workspace) {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const installedPath = join(root, 'node_modules', '.package-lock.json')
  const installed = existsSync(installedPath) ? JSON.parse(readFileSync(installedPath, 'utf8')).packages : {}
  const needed = workspace === undefined ? undefined : neededBy(workspace, wanted)
  return Object.entries(wanted)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.optional && !entry.devOptional && !entry.peer)
    .filter(([path, entry]) => entry.version !== undefined && installed[path]?.version !== entry.version)
    .map(([path]) => path)
    .filter((path) => needed === undefined || needed.has(path))
}

/** The lockfile's paths of everything that a workspace and its other workspaces depend on. */
function neededBy(workspace, packages) {
  const needed = new Set()
  const take = (path) => {
    if (needed.has(path)) return
    needed.add(path)
    const entry = packages[path]
    if (entry.link) return take(entry.resolved)
    const own = path === workspace ? entry.devDependencies : {}
    for (const name of Object.keys({ ...entry.dependencies, ...own })) {
      const found = resolvePackage(path, name, packages)
      if (found !== undefined) take(found)
    }
  }
  take(workspace)
  return needed
}

/** As Node looks for it: in the package's own node_modules, then further out. */
function resolvePackage(from, name, packages) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[path] !== undefined) return path
    if (folder === '') return undefined
  }
}

/**
 * Installs npm packages where the lockfile changed or nothing is installed, for one workspace or all; returns false when
 * npm failed.
 */
export function installPackages(root, say = (line) => process.stdout.write(`${line}\n`), workspace = undefined) {
  const missing = missingPackages(root, workspace)
  if (missing.length === 0) return true
  const fresh = !existsSync(join(root, 'node_modules', '.package-lock.json'))
  say(fresh ? 'Installing npm packages …' : `Installing ${missing.length} npm packages …`)
  const only = workspace === undefined ? [] : ['--workspace', workspace]
  const args = [...(fresh ? ['ci'] : ['install', '--no-save']), ...only]
  const result = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (result.status === 0) return true
  say(`npm ${args.join(' ')} failed; run it by hand to see why`)
  return false
}
