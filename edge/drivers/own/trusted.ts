/** Who may write what the node runs. */
import { realpath, stat } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface TrustedOptions {
  /** The folder of the driver or service. */
  readonly root: string
  /** That of node.yaml: whoever owns that can have the node run anything already. */
  readonly configFolder: string
  /** The code of errors. */
  readonly code: 'own-driver-writable' | 'own-service-writable'
  /** User ids, instead of root's and that of this process. */
  readonly trusted?: readonly number[]
}

const BY_ALL = 0o002
const BY_GROUP = 0o020
const STICKY = 0o1000

/**
 * Throws the code for a file, or a folder on the way to one, that anybody may write, that a group may other than
 * root's, the node's own and one that may write node.yaml's folder, or that belongs to somebody else than root, the node's
 * account and the owner of node.yaml's folder. Files are named without a link on the way.
 */
export async function requireTrusted(files: readonly string[], options: TrustedOptions): Promise<void> {
  const { root, configFolder, code, trusted = [0, process.getuid?.() ?? 0] } = options
  const config = await stat(configFolder)
  const owners = [...trusted, config.uid]
  const groups = [0, process.getgid?.() ?? 0, ...((config.mode & BY_GROUP) === 0 ? [] : [config.gid])]
  // Whoever owns a folder above node.yaml can put another in its place.
  const above = withFolders([await realpath(configFolder), configFolder])
  const shown = (path: string) => relative(configFolder, path) || path
  for (const path of withFolders([...files, root])) {
    const { uid, gid, mode } = await stat(path)
    const isOwn = path === root || path.startsWith(`${root}/`)
    // In a folder such as /tmp each file is its owner's alone.
    const isOpen = (mode & BY_ALL) !== 0 && (isOwn || (mode & STICKY) === 0)
    if (isOpen) throw refused(code, `everybody may write ${shown(path)}, which the node runs: chmod o-w ${path}`)
    const isOfGroup = (mode & BY_GROUP) !== 0 && !groups.includes(gid) && (isOwn || (mode & STICKY) === 0)
    if (isOfGroup && !above.has(path)) {
      throw refused(
        code,
        `whoever is in group ${gid} may write ${shown(path)}, which the node runs, and that is neither root's group, the ` +
          `node's own nor one that may write node.yaml's folder: chmod g-w ${path}`,
      )
    }
    if (!owners.includes(uid) && !above.has(path)) {
      throw refused(
        code,
        `${shown(path)} belongs to user ${uid}, and the node runs code of its own account, of root and of the owner of ` +
          `node.yaml's folder only: chown root ${path}`,
      )
    }
  }
}

/** Each path with all the folders above it, once. */
function withFolders(paths: readonly string[]): Set<string> {
  const all = new Set<string>()
  for (const path of paths) for (let at = path; !all.has(at); at = dirname(at)) all.add(at)
  return all
}

const refused = (code: string, message: string): LabError => new LabError({ code, kind: 'configuration', message })
