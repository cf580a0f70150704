import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const never = new Set(['node_modules', 'dist', 'dist-types', 'data'])

/** A hash of the names and contents of the files below these folders that `wanted` accepts. */
export function fingerprint(root, folders, wanted) {
  const hash = createHash('sha256')
  for (const folder of folders) {
    for (const path of filesBelow(root, folder, wanted)) {
      hash.update(`${path}\0`)
      hash.update(readFileSync(join(root, path)))
    }
  }
  return hash.digest('hex')
}

/** Paths below a folder, sorted, without what is installed or built; a path that names a file is that file. */
export function filesBelow(root, folder, wanted = () => true) {
  let entries
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return [folder]
    if (error.code === 'ENOENT') return []
    throw error
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return never.has(entry.name) ? [] : filesBelow(root, path, wanted)
      return wanted(path) ? [path] : []
    })
}
