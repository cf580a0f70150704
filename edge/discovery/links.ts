import type { Root } from './root.ts'

/** The links in folders of /dev, in order of the folders, and `others`, each with the device that it leads to. */
export async function readLinks(
  root: Root,
  folders: readonly string[],
  others: readonly string[] = [],
): Promise<{ readonly path: string; readonly to: string | undefined }[]> {
  const inFolders = await Promise.all(
    folders.map(async (folder) => (await root.list(folder)).map((name) => `${folder}/${name}`)),
  )
  return await Promise.all([...inFolders.flat(), ...others].map(async (path) => ({ path, to: await root.real(path) })))
}
