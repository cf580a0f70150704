/** Gives a service of a lab's own another name in node.yaml. */
import { readFile, realpath } from 'node:fs/promises'
import { parseNodeFile } from '../contracts/node-file.ts'
import { withRenamed } from '../contracts/yaml-edit.ts'
import { LabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { writeDurably } from '../storage/settings-file.ts'

export interface RenameService {
  readonly from: string
  readonly to: string
  /** node.yaml; as `nodeFile`, none where no other is named. */
  readonly file: string | undefined
  /** The one that the node has read; none where it was given its configuration otherwise. */
  readonly nodeFile: string | undefined
  /** Names that the node has for something. */
  readonly taken: readonly string[]
}

/**
 * Writes the file, with its comments, order and access; the returned function puts the old one back. Rejects with
 * `service-unknown`, `name-taken`, `node-file-other` where the file is not the node's, or `configuration-invalid` where the
 * new name is none, and changes nothing then.
 */
export async function renameService({ from, to, file, nodeFile, taken }: RenameService): Promise<() => Promise<void>> {
  if (file === undefined) throw refuse('node-file-other', 'the node that runs here has read no file')
  const path = await realpath(file).catch((cause: unknown) => {
    throw refuse('configuration-invalid', `there is no file ${file}: name it by --file or FERNLAB_NODE_FILE`, cause)
  })
  await requireOfNode(path, nodeFile)
  const before = await readFile(path, 'utf8')
  const { node, issues } = parseNodeFile(before)
  if (node === undefined) throw invalid(file, issues)
  const { own } = node.services
  if (!Object.hasOwn(own, from))
    throw refuse('service-unknown', `${file} has no service ${from} of its own${didYouMean(from, Object.keys(own))}`)
  if (taken.includes(to) || Object.hasOwn(own, to)) throw refuse('name-taken', `there is a service ${to} already`)
  const after = withRenamed(before, ['services', 'own'], from, to)
  const read = parseNodeFile(after)
  if (read.node === undefined) throw invalid(to, read.issues)
  const write = (text: string) => writeDurably(path, text, { keepsAccess: true })
  await write(after)
  return () => write(before)
}

/** A name that is changed in another file would be none that the node ever reads. */
async function requireOfNode(path: string, nodeFile: string | undefined): Promise<void> {
  if (nodeFile === undefined)
    throw refuse('node-file-other', `the node that runs here has read no file: ${path} is not its own`)
  const own = await realpath(nodeFile).catch((cause: unknown) => {
    throw refuse('node-file-other', `the file that the node has read is there no more: ${nodeFile}`, cause)
  })
  if (own === path) return
  const hint = 'name that by --file, or the node of the other by --node'
  throw refuse('node-file-other', `${path} is not what the node that runs here has read, ${own}: ${hint}`)
}

const invalid = (what: string, issues: LabError['issues']): LabError =>
  new LabError({
    code: 'configuration-invalid',
    kind: 'configuration',
    message: `${what}: ${issues.map(({ message }) => message).join('; ')}`,
    issues,
  })

const refuse = (code: string, message: string, cause?: unknown): LabError =>
  new LabError({ code, kind: 'caller', message, ...(cause === undefined ? {} : { cause }) })
