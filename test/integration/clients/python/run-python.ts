import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandOptions, type Ended, runCommand } from '../../../support/command.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
/** Debian's, which has Debian's modules. */
const DEBIAN = '/usr/bin/python3'

/** The environment of a program that imports `fernlab`. */
export const pythonEnv = {
  ...process.env,
  PYTHONPATH: join(root, 'shared/clients/python/src'),
  PYTHONDONTWRITEBYTECODE: '1',
}

/** Runs a file of this folder, or the one at an absolute path; warnings of Python fail it. */
export function runPython(
  file: string,
  args: readonly string[],
  { python = DEBIAN, ...options }: CommandOptions & { readonly python?: string },
): Promise<Ended> {
  const path = join(root, 'test/integration/clients/python', file)
  return runCommand(python, ['-W', 'error', file.startsWith('/') ? file : path, ...args], options)
}
