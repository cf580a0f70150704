import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const minutes = 60_000

/**
 * The stages in the order in which they run. `width`: files at a time; `limitMs`: for one file, which it may raise;
 * `built`: needs compiled code and the web page.
 */
export const stages = [
  { name: 'unit', width: 2, limitMs: 2 * minutes, built: false },
  { name: 'architecture', width: 2, limitMs: 2 * minutes, built: false },
  { name: 'contract', width: 2, limitMs: 3 * minutes, built: false },
  { name: 'kernel', width: 1, limitMs: 10 * minutes, built: true },
  { name: 'integration', width: 2, limitMs: 5 * minutes, built: true },
  { name: 'faults', width: 2, limitMs: 15 * minutes, built: true },
  { name: 'browser', width: 2, limitMs: 10 * minutes, built: true },
  { name: 'journey', width: 1, limitMs: 10 * minutes, built: true },
  { name: 'hardware', width: 1, limitMs: 10 * minutes, built: true },
]

/**
 * Each stage with its test files whose path contains one of the filters (all files without filters). A filter that
 * meets a file for a guest machine finds the test file that boots it.
 */
export function findFiles(root, filters) {
  const wanted = (file) => filters.length === 0 || filters.some((filter) => file.includes(filter))
  return stages
    .map((stage) => ({
      ...stage,
      files: walk(root, `test/${stage.name}`).filter((file) => wanted(file) || guestsOf(root, file).some(wanted)),
    }))
    .filter((stage) => stage.files.length > 0)
}

/** The files that run in the guest machine which this test file boots: those of the folder with its name. */
function guestsOf(root, file) {
  return walk(root, file.replace(/\.test\.ts$/, ''), '.guest.ts')
}

function walk(root, folder, ending = '.test.ts') {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return walk(root, path, ending)
      return entry.name.endsWith(ending) ? [path] : []
    })
}
