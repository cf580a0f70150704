import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A source file of the project, by its path from the root. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

export const root = fileURLToPath(new URL('../../', import.meta.url))

const never = new Set(['node_modules', 'dist', 'dist-types', 'data', '.git'])

/** The TypeScript files below a folder of the root, without what is installed or built. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry): SourceFile[] => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return never.has(entry.name) ? [] : sourceFiles(path)
    return /\.(ts|tsx)$/.test(entry.name) ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : []
  })
}

/** What a file imports, statically or dynamically: project paths (`shared/rpc/link.ts`) or package names as written. */
export function importsOf(file: SourceFile): string[] {
  const pattern = /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|import\s*\(?\s*['"]([^'"]+)['"]/g
  return [...file.text.matchAll(pattern)].map(([, from, direct]) => resolve(file.path, from ?? direct ?? ''))
}

function resolve(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(dirname(path), specifier)
  return specifier.replace(/^@fernlab\/web(?=\/|$)/, 'hub/web').replace(/^@fernlab\//, '')
}
