/** Scripts at another port of the hub's host set cookies of the hub's names, in Chromium: whom they can shut out, and whom not. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ImportedPeople } from '@fernlab/shared/contracts/api'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { secretIn } from '../integration/accounts/visitor.ts'
import { admin, type ServedHub, serveHub } from '../integration/api/served-hub.ts'
import { suite } from '../support/suite.ts'
import { openBrowser, visit } from './support/browser.ts'

const test = suite('cookies that a script of the same host sets', { timeoutMs: 120_000 })
const password = 'a-long-password'
let browser: Browser
let elsewhere: Server
let hub: ServedHub | undefined

test.before(async () => {
  browser = await openBrowser()
  // A lab's own server at another port: what its scripts do is up to them.
  elsewhere = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>a lab</title>')
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, () => resolve()))
})
test.after.each(() => hub?.close())
test.after(async () => {
  await browser.close()
  elsewhere.close()
})

interface Scene {
  /** Who the hub says the browser is. */
  readonly who: () => Promise<string>
  /** What a script of the other port makes of the cookies. */
  readonly script: (...lines: readonly string[]) => Promise<string>
  readonly signIn: () => Promise<number>
  /** The value of somebody else's cookie. */
  readonly others: string
  close(): Promise<void>
}

/** Somebody else signs in: their cookie. */
async function otherPerson(served: ServedHub): Promise<string> {
  const { cookie } = await served.signIn()
  const headers = { cookie, origin: served.url }
  const list = { csv: 'name,email\nEve,eve@school.example\n' }
  const answer = await served.json('POST', '/api/v1/users/import', list, headers)
  const { people } = (await answer.json()) as ImportedPeople
  const reset = { token: secretIn(people[0]?.link), password }
  assert.is((await served.json('POST', '/api/v1/password/reset', reset)).status, 204)
  return (await served.signIn({ email: 'eve@school.example', password })).cookie
}

/** `localhost` is as good as HTTPS to browsers: they keep cookies there that are for HTTPS alone. */
async function scene(secure: boolean): Promise<Scene> {
  const served = await serveHub({ trustedProxies: ['loopback'], secure })
  hub = served
  const others = (await otherPerson(served)).split('=').slice(1).join('=')
  const own = new URL(served.url)
  own.hostname = 'localhost'
  const { page, context } = await visit(browser)
  const lab = `http://localhost:${(elsewhere.address() as AddressInfo).port}/`
  const at = async <T>(url: string, work: string): Promise<T> => {
    await page.goto(url)
    return page.evaluate<T>(work)
  }
  const hubPage = `${own.origin}/docs`
  const fetchIn = (path: string, init: object, take: string) =>
    `fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then(async (answer) => ${take})`
  return {
    others,
    who: () => at(hubPage, fetchIn('/api/v1/me', {}, "answer.ok ? (await answer.json()).email : 'nobody'")),
    script: (...lines) =>
      at(
        lab,
        `(() => { for (const line of ${JSON.stringify(lines)}) document.cookie = line; return document.cookie })()`,
      ),
    signIn: () =>
      at(
        hubPage,
        fetchIn(
          '/api/auth/sign-in/email',
          { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(admin) },
          'answer.status',
        ),
      ),
    close: () => context.close(),
  }
}

const name = 'fernlab.session_token'

test('over plain HTTP a cookie for a longer path shadows none that is somebody’s; another’s shuts out', async () => {
  const { who, script, signIn, others, close } = await scene(false)
  assert.is(await signIn(), 200)
  assert.is(await who(), admin.email)
  // The browser keeps the hub's own from being overwritten, since no script may see it; a longer path is another cookie.
  assert.not.match(await script(`${name}=evil; path=/`), /evil/)
  assert.is(await who(), admin.email)
  await script(`${name}=evil; path=/api`, `${name}=more; path=/api/v1`)
  assert.is(await who(), admin.email, 'what is nobody’s is passed over')
  await script(`${name}=${others}; path=/api/v1/me`)
  assert.is(await who(), 'nobody', 'never somebody else: it cannot be told whose choice it was')
  await script(`${name}=; path=/api/v1/me; max-age=0`)
  assert.is(await who(), admin.email)
  await close()
})

test('over HTTPS a script can set none of them, so nobody is signed in or out by one', async () => {
  const { who, script, signIn, others, close } = await scene(true)
  const prefixed = `__Host-Http-${name}`
  const attempts = ['/', '/api', '/api/v1/me'].flatMap((path) => [
    `${prefixed}=${others}; secure; path=${path}`,
    `__Secure-${name}=${others}; secure; path=${path}`,
    `${name}=${others}; path=${path}`,
  ])
  await script(...attempts)
  assert.is(await who(), 'nobody', 'not signed in as somebody else')
  assert.is(await signIn(), 200)
  await script(...attempts, `${prefixed}=; secure; path=/; max-age=0`)
  assert.is(await who(), admin.email, 'nor signed out')
  await close()
})

test.run()
