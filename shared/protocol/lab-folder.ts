import type { LabFile } from '../contracts/lab-file.ts'
import type { Issue } from '../primitives/lab-error.ts'
import type { Protocol } from './protocol.ts'

/** A lab as pushed: everything that its folder holds, checked. */
export interface LabBundle {
  readonly id: string
  readonly lab: LabFile
  /** README texts (Markdown) by language; README.md is `en`. */
  readonly readme: Readonly<Record<string, string>>
  /** By name: the file name without `.yaml`. */
  readonly protocols: Readonly<Record<string, Protocol>>
  /** Pictures by path in the folder. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

/**
 * Checks a lab folder given as its files by relative path with `/`. With issues there is no lab. `folder` is the
 * folder's name, the lab's id unless lab.yaml says another.
 */
export function checkLabFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: { folder?: string } = {},
): { lab?: LabBundle; issues: Issue[] } {
  return { issues: [{ path: '', message: `${Object.keys(files)} ${options.folder}` }] }
}
