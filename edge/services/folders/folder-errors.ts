/** What goes wrong with the files of a folder, as typed errors that name the path. */
import { LabError, type LabErrorKind } from '@fernlab/shared/primitives/lab-error'

export const folderError = (code: string, message: string, path: string, kind: LabErrorKind = 'caller'): LabError =>
  new LabError({ code, kind, message, details: { path } })

/** What the system said, as an error with the path as the caller knows it. */
export function systemError(path: string, thrown: unknown): unknown {
  if (thrown instanceof LabError) return thrown
  const of = path === '' ? 'the folder' : path
  switch ((thrown as NodeJS.ErrnoException | undefined)?.code) {
    case 'ENOENT':
      return folderError('no-such-file', `there is no ${of}`, path)
    case 'ENOTDIR':
      return folderError('not-a-folder', `${of}: something on the way to it is no folder`, path)
    case 'EISDIR':
      return folderError('not-a-file', `${of} is a folder`, path)
    case 'ELOOP':
      return folderError('outside-folder', `${of} is a link that leads nowhere or out of the folder`, path)
    case 'ENOTEMPTY':
      return folderError('folder-not-empty', `${of} is not empty; an upload to it may be under way`, path)
    case 'EINVAL':
      return folderError('path-invalid', `${of} can not go into itself`, path)
    case 'EXDEV':
      return folderError('path-invalid', `${of} would go to another disk: copy it`, path)
    case 'ENAMETOOLONG':
      return folderError('path-invalid', `${of} is too long a name`, path)
    case 'EACCES':
    case 'EPERM':
      return folderError('file-not-permitted', `the node's account may not do that with ${of}`, path, 'configuration')
    case 'EROFS':
      return folderError('file-not-permitted', `${of} is on a medium that can't be written`, path, 'configuration')
    case 'ENOSPC':
    case 'EDQUOT':
      return folderError('disk-full', `the node has no room for ${of}`, path, 'instrument')
  }
  return thrown
}
