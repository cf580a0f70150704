import { existsSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { checkLabFolder, type LabBundle } from '@fernlab/shared/protocol/lab-folder'
import { mistake } from './problem.ts'

const textFiles = /\.(ya?ml|md|svg|csv|txt|json)$/i

/** The files of a lab folder by relative path with `/`; texts as text. Hidden files are left out. */
export type LabFiles = Readonly<Record<string, string | Uint8Array>>

/** Reads a lab's folder. */
export async function readLabFolder(folder: string): Promise<LabFiles> {
  const root = resolve(folder)
  requireLab(root, folder)
  const entries = await readdir(root, { withFileTypes: true, recursive: true })
  const files: Record<string, string | Uint8Array> = {}
  for (const entry of entries) {
    const path = relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/')
    if (!entry.isFile() || path.split('/').some((part) => part.startsWith('.'))) continue
    const bytes = await readFile(join(root, path))
    files[path] = textFiles.test(path) ? bytes.toString('utf8') : new Uint8Array(bytes)
  }
  return files
}

/** Looks before everything below is read: what has no lab.yaml may be as large as a disk. */
function requireLab(root: string, folder: string): void {
  const found = statSync(root, { throwIfNoEntry: false })
  if (found === undefined || !found.isDirectory()) throw mistake('lab-folder', `${folder} is not a folder`)
  if (existsSync(join(root, 'lab.yaml'))) return
  throw mistake('lab-folder', `${folder} holds no lab.yaml`, 'Name the folder of one lab.')
}

/** Checks a lab's folder as a hub does; rejects with every issue and its file, line and column. */
export async function checkLab(folder: string): Promise<{ lab: LabBundle; files: LabFiles }> {
  const files = await readLabFolder(folder)
  const { lab, issues } = checkLabFolder(files, { folder: basename(resolve(folder)) })
  if (lab !== undefined) return { lab, files }
  throw new LabError({
    code: 'lab-invalid',
    kind: 'configuration',
    message: `${folder}: ${issues.length} ${issues.length === 1 ? 'thing' : 'things'} to fix`,
    issues: issues.map((issue) => (issue.file === undefined ? issue : { ...issue, file: join(folder, issue.file) })),
  })
}
