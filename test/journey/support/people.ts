import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { type VisitOptions, visit } from '../../browser/support/browser.ts'
import type { RunningFernlab } from '../../support/running-fernlab.ts'

export interface Person {
  readonly name: string
  readonly cookie: string
  call<Answer>(method: string, path: string, json?: object): Promise<Answer>
}

/** Somebody who has joined by an invitation. */
export async function newPerson(lab: RunningFernlab, name: string): Promise<Person> {
  const call = async (method: string, path: string, headers: Record<string, string>, json?: object) => {
    const response = await fetch(`${lab.http}${path}`, {
      method,
      headers: { ...headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    })
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`)
    return response
  }
  const admin = { authorization: `Bearer ${lab.token}` }
  const invited = await call('POST', '/api/v1/invitations', admin, { role: 'student', most: 1 })
  const { link } = (await invited.json()) as { link: string }
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
  const email = `${name.split(' ')[0]?.toLowerCase()}@lab.example`
  const body = { token, name, email, password: 'a password of some length' }
  const joined = await call('POST', '/api/v1/join', { origin: lab.http }, body)
  const cookie = joined.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  return {
    name,
    cookie,
    call: async <Answer>(method: string, path: string, json?: object) =>
      (await (await call(method, path, { cookie, origin: lab.http }, json)).json()) as Answer,
  }
}

/** Their own browser, signed in. */
export async function signedIn(browser: Browser, lab: RunningFernlab, { cookie }: Person, options: VisitOptions = {}) {
  const visitor = await visit(browser, options)
  await visitor.context.addCookies(
    cookie.split('; ').map((pair) => {
      const at = pair.indexOf('=')
      return { name: pair.slice(0, at), value: pair.slice(at + 1), url: lab.http }
    }),
  )
  visitor.page.setDefaultTimeout(60_000)
  return visitor
}
