// Fails, naming each file, when what `npm run generate` would write differs from what is in the repository.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'fernlab-generated-'))
try {
  const result = spawnSync(process.execPath, ['scripts/generate/generate.mjs', folder], { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) throw new Error('npm run generate failed')
  const stale = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => {
      const kept = join(root, path)
      return !existsSync(kept) || readFileSync(kept, 'utf8') !== readFileSync(join(folder, path), 'utf8')
    })
  for (const path of stale) process.stderr.write(`${path} is stale: npm run generate\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
