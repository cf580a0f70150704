import type { Api } from '../context.ts'
import { requireAccess } from '../context.ts'
import { refusal } from '../problems.ts'

/** Promised by the interfaces, built by later work. */
const promised = ['programs', 'desktops', 'peers', 'models', 'protocols']

/** Routes that do not exist yet refuse in one clear line, to people who are signed in. */
export function notBuiltRoutes(app: Api): void {
  for (const name of promised) {
    const refuse = (caller: Parameters<typeof requireAccess>[0]): never => {
      requireAccess(caller, 'signed-in')
      throw refusal('not-built-yet', `/api/v1/${name} is not built yet`, 'This part of the lab is not there yet.')
    }
    app.all(`/api/v1/${name}`, (c) => refuse(c.get('caller')))
    app.all(`/api/v1/${name}/*`, (c) => refuse(c.get('caller')))
  }
}
