// Fails, naming each file, when what `npm run generate` would write differs from what is in the repository.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'fernlab-generated-'))
try {
  const result = spawnSync(process.execPath, ['scripts/generate/generate.mjs', folder], { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) throw new Error('npm run generate failed')
  const stale = readdirSync(folder).filter((name) => {
    const kept = join(root, 'shared/schemas', name)
    return !existsSync(kept) || readFileSync(kept, 'utf8') !== readFileSync(join(folder, name), 'utf8')
  })
  for (const name of stale) process.stderr.write(`shared/schemas/${name} is stale: npm run generate\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
