/** Removes a folder with all that is in it, and follows no link on the way. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, rmdir, unlink } from 'node:fs/promises'
import { nameIn } from './inside-folder.ts'
import { FOLDER_ROOM, fileRoom } from './used-room.ts'

/** `freed` is told the room of each, so that what is gone counts also where it stops half way. */
export async function removeTree(folder: FileHandle, name: string, freed: (bytes: number) => void): Promise<void> {
  const inner = await open(nameIn(folder, name), constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    for (const each of await readdir(nameIn(inner, '.'))) {
      const found = await lstat(nameIn(inner, each))
      if (found.isDirectory()) await removeTree(inner, each, freed)
      else {
        await unlink(nameIn(inner, each))
        freed(fileRoom(found.size))
      }
    }
  } finally {
    await inner.close()
  }
  await rmdir(nameIn(folder, name))
  freed(FOLDER_ROOM)
}
