import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { root } from './source-files.ts'

const never = new Set(['node_modules', '.git', 'data', 'test', 'pictures'])

/**
 * A copy of the project, compiled, that a test may change; packages are shared, Fernlab's own are the copy's. The folder
 * must not exist.
 */
export function cloneProject(folder: string): void {
  cpSync(root, folder, {
    recursive: true,
    filter: (source) => relative(root, source) === '' || !never.has(basename(source)),
  })
  if (existsSync(join(root, 'hub/node_modules'))) {
    symlinkSync(join(root, 'hub/node_modules'), join(folder, 'hub/node_modules'))
  }
  const from = join(root, 'node_modules')
  const to = join(folder, 'node_modules')
  mkdirSync(join(to, '@fernlab'), { recursive: true })
  for (const name of readdirSync(from)) {
    if (!['@fernlab', 'fernlab', '.cache'].includes(name)) symlinkSync(join(from, name), join(to, name))
  }
  cpSync(join(from, '.cache/fernlab'), join(to, '.cache/fernlab'), { recursive: true })
  symlinkSync(join(folder, 'scripts'), join(to, 'fernlab'))
  for (const [name, path] of Object.entries({
    shared: 'shared',
    'firmware-bridge': 'firmware-bridge',
    edge: 'edge',
    hub: 'hub',
    web: 'hub/web',
  })) {
    symlinkSync(join(folder, path), join(to, '@fernlab', name))
  }
}
