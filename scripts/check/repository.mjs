// Rules of the repository that no other tool knows; prints each breach on a line.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const breaches = []

const lockfile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
for (const [path, entry] of Object.entries(lockfile)) {
  if (/^(https?|git|ssh|file):/.test(entry.resolved ?? ''))
    breaches.push(`package-lock.json: ${path} names a host or a file`)
  if (entry.resolved?.startsWith('/')) breaches.push(`package-lock.json: ${path} is an absolute path`)
}

// Some registries lack packages of other platforms; npm then writes a lockfile that `npm ci` refuses.
for (const [path, entry] of Object.entries(lockfile)) {
  for (const name of Object.keys(entry.optional ? {} : (entry.optionalDependencies ?? {}))) {
    const known = lockfile[`${path}/node_modules/${name}`] ?? lockfile[`node_modules/${name}`]
    if (known === undefined) breaches.push(`package-lock.json: ${path} names ${name}, which has no entry: npm ci fails`)
  }
}

const tracked = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
const files = tracked.status === 0 ? tracked.stdout.split('\0').filter((path) => path !== '') : []
for (const file of files.filter((path) => /\.(ts|tsx|mjs)$/.test(path))) {
  if (/(^|\/)index\.tsx?$/.test(file)) breaches.push(`${file}: a folder's public face is named after it, not index`)
  if (/(^|\/)(utils?|helpers?|lib|types|managers?|common)\//.test(file))
    breaches.push(`${file}: name the folder for what it does`)
}

for (const breach of breaches) process.stderr.write(`${breach}\n`)
process.exitCode = breaches.length === 0 ? 0 : 1
