import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** Whether the module of this `import.meta.url` is what Node was started with, be it through a link. */
export function isMain(url: string): boolean {
  const [, started] = process.argv
  return started !== undefined && url === pathToFileURL(realpathSync(started)).href
}
