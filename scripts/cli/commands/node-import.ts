import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseNodeFile } from '@fernlab/shared/contracts/node-file'
import { withEntry } from '@fernlab/shared/contracts/yaml-edit'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { writeDurably } from '@fernlab/shared/storage/settings-file'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { mistake } from '../problem.ts'
import { type Imported, importPyrolab } from '../pyrolab/import-pyrolab.ts'
import { readPyrolabFile } from '../pyrolab/pyrolab-file.ts'

interface ImportOptions {
  readonly into: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `node import`: what a PyroLab file has, as daemons and services of a node.yaml; asks no hub. */
export function addNodeImport(node: Command, { terminal }: Context): void {
  node
    .command('import <file>')
    .description('take daemons and services of a PyroLab configuration file into a node.yaml, all or none')
    .requiredOption('--into <node.yaml>', 'the file that they are added to; its comments stay')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'JSON instead of text')
    .action(async (file: string, { into, dryRun = false, json = false }: ImportOptions) => {
      const { config, issues } = readPyrolabFile(await textOf(file), file)
      if (config === undefined) throw refused(`${file} can't be imported; nothing was changed`, issues)
      const imported = importPyrolab(config)
      const before = await textOf(into)
      const after = merged(before, imported)
      const { issues: wrong } = parseNodeFile(after, { file: into })
      if (wrong.length > 0) throw refused(`${into} would not be right afterwards; nothing was changed`, wrong)
      const files = Object.entries(imported.files).map(([path, text]) => [join(dirname(resolve(into)), path), text])
      const taken = files.find(([path = '']) => existsSync(path))
      if (taken !== undefined) throw mistake('file-exists', `${taken[0]} is there already; nothing was changed`)
      if (!dryRun) {
        for (const [path = '', text = ''] of files) {
          await mkdir(dirname(path), { recursive: true })
          await writeFile(path, text, { flag: 'wx' })
        }
        await writeDurably(resolve(into), after)
      }
      if (json) return terminal.out(JSON.stringify({ ...imported, written: !dryRun }, null, 2))
      for (const line of report(imported, into, dryRun)) terminal.out(line)
    })
}

function merged(before: string, { daemons, services }: Imported): string {
  let text = before
  for (const [name, entry] of Object.entries(daemons)) text = withEntry(text, 'daemons', name, entry)
  for (const [name, entry] of Object.entries(services)) text = withEntry(text, ['services', 'own'], name, entry)
  return text
}

function report({ daemons, services, files, notCarried }: Imported, into: string, dryRun: boolean): string[] {
  const would = dryRun ? 'would be ' : ''
  const lines = [
    `Daemons ${would}added to ${into}: ${Object.keys(daemons).join(', ') || 'none'}`,
    `Services: ${Object.keys(services).join(', ') || 'none'}`,
    ...Object.keys(files).map((path) => `  ${path}`),
  ]
  if (notCarried.length === 0) lines.push('All of the old file is there.')
  else lines.push('Not carried over:', ...notCarried.map(({ path, why }) => `  ${path}: ${why}`))
  lines.push('Each class has to be importable by the Python of the node, and its methods say what types they take.')
  return lines
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw mistake(
      'file-unreadable',
      `${file} can't be read: ${error.code === 'ENOENT' ? 'it is not there' : error.message}`,
    )
  })
}

const refused = (message: string, issues: LabError['issues']): LabError =>
  new LabError({ code: 'file-invalid', kind: 'caller', message, issues })
